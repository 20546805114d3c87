//! `GET /v1/route`: whose customer calls, for a dialplan, while the caller waits.
//!
//! A dialplan has no hands free for errors: what comes back goes into a variable and is dialled. So every number gets
//! an answer with the status 200, at the latest after 300 ms; and whoever asks for plain text gets an extension or
//! nothing at all, also when something is wrong, never words.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ramal_center::{PhoneNumber, RouteView};

use crate::access::Access;
use crate::events::query_value;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Whose customer calls
///
/// Asks every connected CRM at once for the caller's number and tells the owner's extension. Past the deadline of 300 ms,
/// and whenever there is not exactly one owner whom the exchange can reach, the decision is `default`, and `reason` says
/// why. With `Accept: text/plain` the answer is the extension alone, or nothing.
#[utoipa::path(
    get, path = "/v1/route", tag = "calls", security(("token" = []), ("session" = [])),
    params(("number" = String, Query, description = "The caller's number, in E.164 or as dialled in the tenant's country")),
    responses(
        (status = 200, description = "The decision", content((RouteView = "application/json"), (String = "text/plain"))),
        (status = 400, description = "It is no telephone number", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_route(
    State(state): State<AppState>,
    access: Result<Access, Problem>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let answer = answer(&state, access, query.as_deref()).await;
    if !wants_text(&headers) {
        return answer.map(Json).into_response();
    }
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    match answer {
        Ok(view) => {
            ([(header::CONTENT_TYPE, text)], view.extension().unwrap_or_default().to_owned()).into_response()
        }
        Err(problem) => (problem.code().status(), [(header::CONTENT_TYPE, text)]).into_response(),
    }
}

async fn answer(
    state: &AppState,
    access: Result<Access, Problem>,
    query: Option<&str>,
) -> Result<RouteView, Problem> {
    let Access(principal) = access?;
    let text = query_value(query, "number").ok_or_else(|| {
        Problem::new(ProblemCode::BadQuery, "`number` is missing")
            .hint("ask for `/v1/route?number=` with the caller's number")
    })?;
    // A plus that was not written as %2B arrives as a space.
    let text = text.strip_prefix(' ').map_or_else(|| text.clone(), |rest| format!("+{rest}"));
    let region = state.registry().region(&principal.tenant);
    let number = PhoneNumber::parse(&text, region).map_err(|error| {
        Problem::new(ProblemCode::BadQuery, format!("`number` is not one: {error}"))
            .hint("do not ask for calls of extensions and of callers who withheld their number")
    })?;
    Ok(state.center().route(&principal.tenant, number).await)
}

fn wants_text(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let first = accepted.flat_map(|value| value.split(',')).next().unwrap_or_default();
    first.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain")
}
