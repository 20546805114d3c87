//! `GET /v1/calls`: the latest calls, for the first paint of the page.

use axum::Json;
use axum::extract::{RawQuery, State};
use ramal_center::RecentView;

use crate::access::Access;
use crate::events::{chain, query_value};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

const USUAL: u32 = 30;
const MOST: u32 = 200;

/// The latest calls
///
/// With what the plugins found, and the id after which `/v1/live` goes on without a gap.
#[utoipa::path(
    get, path = "/v1/calls", tag = "calls", security(("token" = []), ("session" = [])),
    params(("limit" = Option<u32>, Query, description = "At most so many, 1 to 200; 30 when left out")),
    responses(
        (status = 200, description = "The newest first", body = RecentView),
        (status = 400, description = "The limit is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_calls(
    State(state): State<AppState>,
    Access(principal): Access,
    RawQuery(query): RawQuery,
) -> Result<Json<RecentView>, Problem> {
    let limit = match query_value(query.as_deref(), "limit") {
        None => USUAL,
        Some(text) => text.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(|| {
            Problem::new(ProblemCode::BadQuery, format!("`limit` is a whole number from 1 to {MOST}"))
        })?,
    };
    state.center().recent(&principal.tenant, limit).await.map(Json).map_err(|error| {
        tracing::error!(error = %chain(&error), "calls could not be read");
        Problem::store()
    })
}
