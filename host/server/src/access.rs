//! Who may use the API: a bearer token, or the cookie that the page gets for the token in the printed address.

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, header, request::Parts};

use crate::problem::{Problem, ProblemCode};
use crate::registry::Principal;
use crate::state::AppState;

/// The cookie's name.
pub(crate) const COOKIE: &str = "ramal_session";

/// Somebody with a valid token or session; every handler under `/v1` but the events' takes one.
pub(crate) struct Access(pub(crate) Principal);

impl FromRequestParts<AppState> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let registry = state.registry();
        let principal = match bearer(&parts.headers) {
            Some(token) => registry.bearer(token),
            None => cookie(&parts.headers).and_then(|value| registry.session(value)),
        };
        principal.map(Self).ok_or_else(|| {
            Problem::new(ProblemCode::Unauthorized, "there is no valid token in the request").hint(
                "send `Authorization: Bearer <token>`, or open the address that ramal printed when it started",
            )
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// The header that gives the browser its session.
pub(crate) fn set_cookie(value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

/// The header that takes it back.
pub(crate) fn take_cookie(secure: bool) -> String {
    format!("{}; Max-Age=0", set_cookie("", secure))
}
