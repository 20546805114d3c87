//! What every request passes, whatever it asks for.
//!
//! * The `Host` header must be a name of ours. A page of another site can point its own name at 127.0.0.1 (DNS
//!   rebinding) and would then be "same origin" with the panel on the agent's machine: its requests carry that name.
//! * A request that changes something and comes from a page must come from our page.
//! * A panic in a handler becomes a 500 for that request; the log has it under the request's id.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tracing::Instrument;
use url::Url;
use uuid::Uuid;

use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("ramal-request-id");

/// The content security policy of everything that is served: nothing inline, nothing from elsewhere.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The names under which the server may be called.
#[derive(Debug, Clone)]
pub(crate) struct HostPolicy {
    listen: IpAddr,
    names: Vec<String>,
    public: Option<Url>,
}

impl HostPolicy {
    pub(crate) fn new(listen: IpAddr, names: &[String], public: Option<Url>) -> Self {
        let mut names: Vec<String> = names.iter().map(|n| n.to_ascii_lowercase()).collect();
        names.extend(public.as_ref().and_then(Url::host_str).map(str::to_ascii_lowercase));
        Self { listen, names, public }
    }

    /// Ports do not matter: rebinding needs a name, and a forwarded port is common.
    fn allows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if let Ok(ip) = name.parse::<IpAddr>() {
            return ip.is_loopback()
                || ip == self.listen
                || self.listen.is_unspecified()
                || self.names.contains(&name);
        }
        name == "localhost" || self.names.contains(&name)
    }

    /// Whether a page of this origin is our page.
    fn is_ours(&self, origin: &str, host: &str) -> bool {
        let Ok(origin) = Url::parse(origin) else { return false };
        if !matches!(origin.scheme(), "http" | "https") {
            return false;
        }
        let same_host = Url::parse(&format!("{}://{host}", origin.scheme())).is_ok_and(|ours| {
            ours.host() == origin.host() && ours.port_or_known_default() == origin.port_or_known_default()
        });
        same_host || self.public.as_ref().is_some_and(|public| public.origin() == origin.origin())
    }

    fn check(&self, method: &Method, authority: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
        let host = authority.or_else(|| headers.get(header::HOST)?.to_str().ok()).unwrap_or_default();
        if headers.get_all(header::HOST).iter().count() > 1 || !self.allows(host) {
            return Err(Problem::new(
                ProblemCode::WrongHost,
                "the request's `Host` is not a name of this server",
            )
            .hint("use the address that ramal printed, or add the name to `allowed-hosts` in ramal.toml"));
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let cross_site = headers.get("sec-fetch-site").is_some_and(|v| v == "cross-site");
        let foreign = headers
            .get(header::ORIGIN)
            .is_some_and(|v| !v.to_str().is_ok_and(|origin| self.is_ours(origin, host)));
        if cross_site || foreign {
            return Err(Problem::new(
                ProblemCode::WrongOrigin,
                "the request comes from a page of another site",
            )
            .hint("use ramal's own page, or send the request from a program, without an `Origin` header"));
        }
        Ok(())
    }
}

/// The outermost layer.
pub(crate) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let begun = Instant::now();
    let method = request.method().clone();
    // The route, never the address: that may hold a token, and would make a metric without end.
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", %id, %method, route);
    let checked =
        state.hosts().check(&method, request.uri().authority().map(Authority::as_str), request.headers());
    let answer = async move {
        match checked {
            Ok(()) => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("a handler panicked");
                Problem::new(
                    ProblemCode::Internal,
                    "the request met a defect in the server; others are not touched",
                )
                .hint("report it with the `ramal-request-id` of this answer")
                .into_response()
            }),
            Err(problem) => problem.into_response(),
        }
    };
    let mut response = answer.instrument(span.clone()).await;
    let status = response.status().as_u16();
    state.metrics().request(&method, &route, status);
    span.in_scope(|| tracing::info!(status, took_us = begun.elapsed().as_micros() as u64, "request"));
    decorate(response.headers_mut(), id);
    response
}

fn decorate(headers: &mut HeaderMap, id: Uuid) {
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What says nothing about caching holds somebody's data.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

pub(crate) async fn not_found() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is nothing at this address")
        .hint("/openapi.json lists what there is")
}

pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(ProblemCode::MethodNotAllowed, "this address does not take this method")
        .hint("the `Allow` header of this answer and /openapi.json say which it takes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn policy() -> HostPolicy {
        HostPolicy::new(
            "192.0.2.7".parse().unwrap(),
            &["Panel.Lan".to_owned()],
            Some(Url::parse("https://ramal.example").unwrap()),
        )
    }

    #[rstest]
    #[case::loopback("127.0.0.1:7700", true)]
    #[case::loopback_six("[::1]:7700", true)]
    #[case::localhost("localhost:7700", true)]
    #[case::listen_address("192.0.2.7:7700", true)]
    #[case::allowed_name("PANEL.lan", true)]
    #[case::public_name("ramal.example", true)]
    #[case::other_address("192.0.2.8", false)]
    #[case::rebound_name("attacker.example:7700", false)]
    #[case::sub_name("x.ramal.example", false)]
    #[case::localhost_as_a_prefix("localhost.attacker.example", false)]
    #[case::user_part("127.0.0.1@attacker.example", false)]
    #[case::empty("", false)]
    #[case::garbage("a b", false)]
    fn only_our_names_are_answered(#[case] host: &str, #[case] ok: bool) {
        assert_eq!(policy().allows(host), ok);
    }

    #[rstest]
    #[case::same("http://127.0.0.1:7700", "127.0.0.1:7700", true)]
    #[case::public_behind_a_proxy("https://ramal.example", "127.0.0.1:7700", true)]
    #[case::other_port("http://127.0.0.1:9999", "127.0.0.1:7700", false)]
    #[case::other_site("https://attacker.example", "127.0.0.1:7700", false)]
    #[case::null("null", "127.0.0.1:7700", false)]
    #[case::file("file://", "127.0.0.1:7700", false)]
    #[case::default_port("https://panel.lan", "panel.lan", true)]
    fn only_our_page_may_change_something(#[case] origin: &str, #[case] host: &str, #[case] ok: bool) {
        assert_eq!(policy().is_ours(origin, host), ok);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        assert_eq!(policy().check(&Method::POST, None, &headers).is_ok(), ok);
        assert!(policy().check(&Method::GET, None, &headers).is_ok());
    }
}
