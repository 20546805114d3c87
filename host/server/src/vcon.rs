//! `/v1/interactions/{interaction}/vcon`: one call or conversation in the form that other systems read.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use ramal_center::{CenterError, Vcon, VconIssuer};
use url::Url;

use crate::access::Access;
use crate::events::chain;
use crate::interactions::identifier;
use crate::problem::Problem;
use crate::state::AppState;

/// Who issues, from the address by which people reach this host.
pub(crate) fn issuer(public: &Url) -> VconIssuer {
    VconIssuer {
        domain: public.host_str().unwrap_or("localhost").to_owned(),
        recordings: (public.scheme() == "https").then(|| public.join(".").map(String::from).ok()).flatten(),
    }
}

/// One call or conversation as a vCon
///
/// An unsigned vCon (IETF draft-ietf-vcon-vcon-core, syntax 0.4.0) made of the history alone: parties, what was recorded
/// by reference with its SHA-512, holds, joins and transfers, messages with the provider's identifiers. Recordings are
/// linked where `public-url` begins with https://.
#[utoipa::path(
    get, path = "/v1/interactions/{interaction}/vcon", tag = "interactions", security(("token" = []), ("session" = [])),
    params(("interaction" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The document", body = Object, content_type = "application/vcon"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_vcon(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Vcon>), Problem> {
    let issuer = issuer(state.public_url());
    let made = state.center().vcon(&principal.tenant, identifier(&id)?, &issuer).await.map_err(|error| {
        if let CenterError::Store(cause) = &error {
            tracing::error!(error = %chain(cause), "the store could not be read");
        }
        Problem::from(error)
    })?;
    let document = made.ok_or_else(|| Problem::from(CenterError::UnknownInteraction))?;
    let kind = HeaderValue::from_static("application/vcon");
    Ok(([(header::CONTENT_TYPE, kind)], Json(document)))
}
