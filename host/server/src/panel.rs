//! The page and its files, and the door that turns the token of the printed address into a session.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::access::set_cookie;
use crate::events::query_value;
use crate::problem::{Problem, ProblemCode};
use crate::registry::session_value;
use crate::state::AppState;

/// For files whose name changes with their content.
const FOREVER: &str = "public, max-age=31536000, immutable";

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
    let packed = asset.gzip.filter(|_| lists(headers, &header::ACCEPT_ENCODING, "gzip"));
    let known = lists(headers, &header::IF_NONE_MATCH, asset.etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(packed.unwrap_or(asset.body)).into_response()
    };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    answer.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if asset.immutable { FOREVER } else { "no-cache" }),
    );
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed.is_some() && !known {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // Weak: the same content, however it is packed.
    if let Ok(etag) = HeaderValue::from_str(&format!("W/{}", asset.etag)) {
        answer.insert(header::ETAG, etag);
    }
    Ok(response)
}

/// Whether a header's list names this; how much it is liked (`;q=`) and weak marks are put aside.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|one| one.split(';').next().unwrap_or_default().trim().trim_start_matches("W/"))
        .any(|one| one == wanted)
}
