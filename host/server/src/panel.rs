//! The page and its files, and the door that turns the token of the printed address into a session.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::access::set_cookie;
use crate::events::query_value;
use crate::problem::{Problem, ProblemCode};
use crate::registry::session_value;
use crate::state::AppState;

/// `/`: the page; with `?token=`, a session first and then the page without it, so that the token stays in no history
/// and goes to nobody as a referrer.
pub(crate) async fn get_index(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(token) = query_value(query.as_deref(), "token") else { return file("/", &headers) };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
    if let Some(principal) = state.registry().bearer(&token) {
        let cookie = set_cookie(&session_value(&token), state.secure_cookie());
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        tracing::info!(tenant = %principal.tenant, token = principal.token, "a page was opened");
    } else {
        // The page says by itself that it has no session.
        tracing::warn!("a page was opened with a token that is not valid");
    }
    Ok(response)
}

/// The page's files.
pub(crate) async fn get_file(uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    file(uri.path(), &headers)
}

fn file(path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let Some(asset) = ramal_panel::asset(path) else {
        return Err(Problem::new(ProblemCode::NotFound, "the page has no such file"));
    };
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|tag| tag.trim().trim_start_matches("W/") == asset.etag);
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(asset.body).into_response() };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(asset.etag) {
        answer.insert(header::ETAG, etag);
    }
    Ok(response)
}
