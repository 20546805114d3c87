//! The CRMs' credentials over HTTP: how each one stands, and connecting an account in the browser. No answer holds a
//! secret; entering one is for `ramal credential set`, on the machine itself.
//!
//! The page of consent sends the browser back to `/v1/credentials/callback`, an address that anybody can open. Whose
//! it is is proved twice: by the state, which was drawn for one consent and is good once, and by the session of the
//! person who began it. Without the second, somebody could begin a consent and have another person finish it, with
//! the other person's account at the CRM. A browser that comes from another site does not send the session's cookie
//! (`SameSite=Strict`), so the first answer is a page that goes to the same address once more, from here.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use ramal_capability::{CredentialId, PluginId, UserId};
use ramal_credentials::{Callback, ConsentError, CredentialKey, CredentialState, KeeperError, Listed};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Access;
use crate::events::{chain, query_value};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Principal;
use crate::state::AppState;

/// The address of the answer, which is registered with the CRM.
pub(crate) const CALLBACK: &str = "v1/credentials/callback";
/// What says that the browser was sent here once more already.
const AGAIN: &str = "again";

/// How one credential stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct CredentialView {
    /// The plugin whose it is.
    plugin: String,
    /// Its name in the plugin's manifest.
    credential: String,
    /// `missing`, `valid`, `refreshing`, `expires-soon`, `needs-reconnect`, or `unreadable`.
    #[schema(example = "valid")]
    state: &'static str,
    /// The same in words, with what to do.
    detail: String,
    /// Whether it works until a person acts.
    waits_for_person: bool,
    /// Until when it is good, if that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// When it was written last; `null` where nothing is stored.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl CredentialView {
    fn of(listed: Listed) -> Self {
        let (state, detail, waits_for_person, until) = match &listed.state {
            Ok(state) => (state.as_str(), state.to_string(), state.waits_for_person(), until(state)),
            Err(why) => ("unreadable", why.clone(), true, None),
        };
        Self {
            plugin: listed.key.plugin.to_string(),
            credential: listed.key.credential.to_string(),
            state,
            detail,
            waits_for_person,
            until,
            updated_at: Some(listed.updated_at).filter(|at| *at != Timestamp::UNIX_EPOCH),
        }
    }
}

fn until(state: &CredentialState) -> Option<Timestamp> {
    match state {
        CredentialState::Valid { until } => *until,
        CredentialState::ExpiresSoon { at, .. } => Some(*at),
        CredentialState::Missing
        | CredentialState::Refreshing { .. }
        | CredentialState::NeedsReconnect { .. } => None,
    }
}

/// Credentials
///
/// How each credential of the CRMs stands, and which ones wait for a person. Never a secret.
#[utoipa::path(
    get, path = "/v1/credentials", tag = "credentials", security(("token" = []), ("session" = [])),
    responses(
        (status = 200, description = "One entry for each that is stored or needed", body = Vec<CredentialView>),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_credentials(
    State(state): State<AppState>,
    Access(principal): Access,
) -> Result<Json<Vec<CredentialView>>, Problem> {
    let listed = state.credentials()?.list(&principal.tenant).await.map_err(refused)?;
    Ok(Json(listed.into_iter().map(CredentialView::of).collect()))
}

/// Where a person goes to connect an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectView {
    /// The CRM's page of consent, for the browser of the person who asked.
    url: String,
    /// Until when the answer is taken.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Begin to connect an account
///
/// Open the address in the browser in which you are logged in to Ramal, and consent. The CRM then sends the browser to
/// `/v1/credentials/callback`, which must be registered there.
#[utoipa::path(
    post, path = "/v1/credentials/{plugin}/{credential}/connect", tag = "credentials", security(("token" = []), ("session" = [])),
    params(
        ("plugin" = String, Path, description = "The plugin"),
        ("credential" = String, Path, description = "The credential's name in its manifest"),
    ),
    responses(
        (status = 200, description = "Where to go", body = ConnectView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No loaded plugin has such a credential", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not connected in a browser, or its client was not entered yet", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_connect(
    State(state): State<AppState>,
    Access(principal): Access,
    Path((plugin, credential)): Path<(String, String)>,
) -> Result<Json<ConnectView>, Problem> {
    let names = (PluginId::new(&plugin), CredentialId::new(&credential));
    let (Ok(plugin), Ok(credential)) = names else { return Err(unknown()) };
    let key = CredentialKey { tenant: principal.tenant.clone(), plugin, credential };
    let admin = admin(&principal)?;
    let begun = state.credentials()?.begin_consent(&key, &admin, state.callback()).await;
    let begun = begun.map_err(|error| match error {
        ConsentError::Keeper(error) => refused(error),
        other => Problem::new(ProblemCode::CredentialNotConnectable, other.to_string()),
    })?;
    tracing::info!(credential = %key, %admin, "a consent was begun");
    Ok(Json(ConnectView { url: begun.url, expires_at: begun.expires_at }))
}

/// The answer of a page of consent
///
/// Where the CRM sends the browser. Answers with a page for people.
#[utoipa::path(
    get, path = "/v1/credentials/callback", tag = "credentials",
    responses(
        (status = 200, description = "The account is connected, or the page goes on by itself", content_type = "text/html", body = String),
        (status = 400, description = "The answer is not one to a consent that this person began", content_type = "text/html", body = String),
        (status = 401, description = "The browser has no session", content_type = "text/html", body = String),
    ),
)]
pub(crate) async fn get_callback(
    State(state): State<AppState>,
    access: Result<Access, Problem>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let Ok(Access(principal)) = access else {
        return if query_value(Some(&query), AGAIN).is_some() {
            let told = "This browser has no session with Ramal. Open Ramal's page in it first, then connect the account again.";
            page(StatusCode::UNAUTHORIZED, "Not connected", told, None)
        } else {
            let here = format!("/{CALLBACK}?{query}&{AGAIN}=1");
            page(StatusCode::OK, "One moment", "The account is being connected.", Some(&here))
        };
    };
    match finish(&state, &principal, &query).await {
        Ok(key) => {
            tracing::info!(credential = %key, token = principal.token, "an account was connected");
            let told = format!(
                "The account of {} is connected. What waited for it goes on by itself. You can close this page.",
                key.plugin
            );
            page(StatusCode::OK, "Connected", &told, None)
        }
        Err((status, told)) => page(status, "Not connected", &told, None),
    }
}

async fn finish(
    state: &AppState,
    principal: &Principal,
    query: &str,
) -> Result<CredentialKey, (StatusCode, String)> {
    let keeper = state
        .credentials()
        .map_err(|_| (StatusCode::NOT_FOUND, "This host connects no accounts.".to_owned()))?;
    // Who has no name that could begin a consent has begun none.
    let admin = admin(principal)
        .map_err(|_| (StatusCode::BAD_REQUEST, sentence(&ConsentError::OtherPerson.to_string())))?;
    let finished = match Callback::parse(query) {
        Ok(callback) => keeper.finish_consent(&principal.tenant, &admin, callback).await,
        Err(error) => Err(error),
    };
    finished.map_err(|error| {
        let status = match &error {
            ConsentError::Keeper(cause) => {
                tracing::error!(error = %chain(cause), "an account could not be connected");
                StatusCode::SERVICE_UNAVAILABLE
            }
            ConsentError::Unavailable(_) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, sentence(&error.to_string()))
    })
}

/// Who connects: the name of the token stands for the person.
fn admin(principal: &Principal) -> Result<UserId, Problem> {
    UserId::new(&principal.token).map_err(|_| {
        Problem::new(
            ProblemCode::CredentialNotConnectable,
            "the name of this token cannot stand for a person",
        )
        .hint("give the token an `id` of 1 to 64 of a-z, 0-9, `.`, `_`, `-`, then connect again")
    })
}

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "no loaded plugin has a credential of this name")
        .hint("`GET /v1/credentials` lists them")
}

fn refused(error: KeeperError) -> Problem {
    match error {
        KeeperError::NotDeclared(_) => unknown(),
        KeeperError::Store(cause) => {
            tracing::error!(error = %chain(&cause), "the credentials could not be read");
            Problem::store()
        }
        other => Problem::new(ProblemCode::CredentialNotConnectable, other.to_string()).hint(
            "`ramal credential list` says how each one stands, `ramal credential set` stores what is entered",
        ),
    }
}

/// A text of an error as a sentence for a page.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(char::to_uppercase).into_iter().flatten().collect();
    format!("{first}{}.", letters.as_str())
}

/// A page without anything that runs; `next` is where it goes by itself.
fn page(status: StatusCode, title: &str, text: &str, next: Option<&str>) -> Response {
    let next =
        next.map(|next| format!("<meta http-equiv=\"refresh\" content=\"0;url={}\">\n", escaped(next)));
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n{}<title>{title} – Ramal</title>\n<h1>{title}</h1>\n<p>{}</p>\n</html>\n",
        next.unwrap_or_default(),
        escaped(text)
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

/// A text as it stands in a page: what came with the address must be able to be nothing but text.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn what_came_with_the_address_stays_text() {
        let next = "/v1/credentials/callback?state=\"><script>alert(1)</script>&code='x";
        let response = page(StatusCode::OK, "One moment", "<b>", Some(next));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        insta::assert_snapshot!(String::from_utf8_lossy(&bytes), @r#"
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta http-equiv="refresh" content="0;url=/v1/credentials/callback?state=&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;code=&#39;x">
        <title>One moment – Ramal</title>
        <h1>One moment</h1>
        <p>&lt;b&gt;</p>
        </html>
        "#);
    }
}
