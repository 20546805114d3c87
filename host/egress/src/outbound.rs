//! Step 7 of the order: the HTTP request as it goes onto the wire. Every header is the host's: the technical
//! ones from here, the route's own from the approved manifest, the credential in its one slot. There is no
//! place where a guest's text could become a header's name, a host or a second request.

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use ramal_capability::{Clear, Denial, Method, Origin, Rule};
use zeroize::Zeroizing;

use crate::credentials::Placed;

pub(crate) const AGENT: HeaderValue = HeaderValue::from_static(concat!("Ramal/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
pub(crate) const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Headers that decide where a message goes, where it ends or who is behind it. No route sets them, even if a
/// manifest that names one came past its check.
const HOST_ONLY: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "cookie",
    "forwarded",
    "accept-encoding",
    "content-encoding",
];

/// What a request is made of.
pub(crate) struct Parts<'a> {
    pub(crate) method: Method,
    pub(crate) origin: &'a Origin,
    pub(crate) target: &'a Clear,
    pub(crate) headers: &'a [(String, Clear)],
    pub(crate) body: Option<&'a Clear>,
}

/// Builds the request. `Host` and `Content-Length` follow from origin and body.
pub(crate) fn request(
    parts: &Parts<'_>,
    credential: Option<&Placed>,
) -> Result<Request<Full<Bytes>>, Denial> {
    let mut request = Request::new(Full::new(match parts.body {
        Some(body) => Bytes::copy_from_slice(body.expose().as_bytes()),
        None => Bytes::new(),
    }));
    *request.method_mut() = method(parts.method);
    *request.uri_mut() = uri(parts.origin, parts.target, credential)?;
    fill(request.headers_mut(), parts, credential)?;
    Ok(request)
}

/// Builds a request to a token endpoint. Everything in it is the host's.
pub(crate) fn form(
    origin: &Origin,
    target: &str,
    form: &Clear,
    authorization: Option<&Clear>,
) -> Result<Request<Full<Bytes>>, Denial> {
    // Wiped when the request is done with.
    let body = Zeroizing::new(form.expose().as_bytes().to_vec());
    let mut request = Request::new(Full::new(Bytes::from_owner(body)));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = uri(origin, &Clear::from(target), None)?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, JSON);
    headers.insert(CONTENT_TYPE, FORM);
    headers.insert(ACCEPT_ENCODING, IDENTITY);
    headers.insert(USER_AGENT, AGENT);
    if let Some(text) = authorization {
        let mut value = HeaderValue::from_str(text.expose()).map_err(|_| {
            Denial::new(
                Rule::Unencodable,
                format!("a client's proof for {origin} that cannot stand in a header"),
                "visible ASCII",
            )
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// Builds a request to a webhook. The headers are the host's own, by static names.
pub(crate) fn post(
    origin: &Origin,
    target: &str,
    kind: HeaderValue,
    headers: &[(&'static str, String)],
    body: &Clear,
) -> Result<Request<Full<Bytes>>, Denial> {
    // Wiped when the request is done with.
    let bytes = Zeroizing::new(body.expose().as_bytes().to_vec());
    let mut request = Request::new(Full::new(Bytes::from_owner(bytes)));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = uri(origin, &Clear::from(target), None)?;
    let all = request.headers_mut();
    all.insert(CONTENT_TYPE, kind);
    all.insert(ACCEPT_ENCODING, IDENTITY);
    all.insert(USER_AGENT, AGENT);
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|_| {
            Denial::new(
                Rule::Unencodable,
                format!("a header `{name}` on a request to {origin}"),
                "values in visible ASCII",
            )
        })?;
        all.insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

pub(crate) fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

pub(crate) fn uri(origin: &Origin, target: &Clear, credential: Option<&Placed>) -> Result<Uri, Denial> {
    let unencodable = || {
        Denial::new(
            Rule::Unencodable,
            format!("an address at {origin} that cannot stand in a request"),
            "a path that starts with `/`, without fragment, in visible ASCII",
        )
    };
    let target = target.expose();
    if !target.starts_with('/') || target.contains('#') {
        return Err(unencodable());
    }
    let with_credential = match credential {
        Some(Placed::Query(pair)) => {
            let joint = if target.contains('?') { '&' } else { '?' };
            Some(Clear::from(format!("{target}{joint}{}", pair.expose())))
        }
        _ => None,
    };
    let target = with_credential.as_ref().map_or(target, Clear::expose);
    let target: PathAndQuery = target.parse().map_err(|_| unencodable())?;
    Uri::builder()
        .scheme(origin.scheme().as_str())
        .authority(origin.authority())
        .path_and_query(target)
        .build()
        .map_err(|_| unencodable())
}

fn fill(headers: &mut HeaderMap, parts: &Parts<'_>, credential: Option<&Placed>) -> Result<(), Denial> {
    headers.insert(ACCEPT, JSON);
    if parts.body.is_some() {
        headers.insert(CONTENT_TYPE, JSON);
    }
    for (name, value) in parts.headers {
        let refused = || {
            Denial::new(
                Rule::Unencodable,
                format!("a header `{name}` on a request to {}", parts.origin),
                "headers that are not the host's own, with values in visible ASCII",
            )
        };
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        if HOST_ONLY.contains(&parsed.as_str()) || parsed.as_str().starts_with("proxy-") {
            return Err(refused());
        }
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    headers.insert(ACCEPT_ENCODING, IDENTITY);
    headers.insert(USER_AGENT, AGENT);
    // Last: nothing that a route sets stands in the credential's slot.
    if let Some(Placed::Header(name, value)) = credential {
        headers.insert(name.clone(), value.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn built(
        target: &str,
        headers: &[(&str, &str)],
        credential: Option<&Placed>,
    ) -> Result<Request<Full<Bytes>>, Denial> {
        let origin: Origin = "https://crm.example:8443".parse().unwrap();
        let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), Clear::from(*v))).collect();
        let (target, body) = (Clear::from(target), Clear::from("{}"));
        let parts = Parts {
            method: Method::Post,
            origin: &origin,
            target: &target,
            headers: &headers,
            body: Some(&body),
        };
        request(&parts, credential)
    }

    #[rstest]
    #[case::plain("/a", "/a?key=1%2F2")]
    #[case::with_query("/a?b=c", "/a?b=c&key=1%2F2")]
    fn a_query_credential_stands_at_the_end(#[case] target: &str, #[case] expected: &str) {
        let placed = Placed::Query(Clear::from("key=1%2F2"));
        let request = built(target, &[], Some(&placed)).unwrap();
        assert_eq!(request.uri().to_string(), format!("https://crm.example:8443{expected}"));
    }

    #[rstest]
    #[case::host_in_target("@evil.example/")]
    #[case::scheme_in_target("https://evil.example/")]
    #[case::no_slash("a")]
    #[case::empty("")]
    #[case::fragment("/a#b")]
    #[case::line_break("/a\r\nX: 1")]
    #[case::space("/a b")]
    fn a_target_cannot_move_the_request(#[case] target: &str) {
        assert_eq!(built(target, &[], None).unwrap_err().rule, Rule::Unencodable);
    }

    #[rstest]
    #[case::host("Host", "evil.example")]
    #[case::length("Content-Length", "0")]
    #[case::chunked("transfer-encoding", "chunked")]
    #[case::connection("Connection", "x-api-key")]
    #[case::cookie("Cookie", "a=b")]
    #[case::proxy("Proxy-Authorization", "x")]
    #[case::encoding("Accept-Encoding", "gzip")]
    #[case::line_break("X-A", "a\r\nb")]
    #[case::bad_name("X A", "a")]
    fn the_hosts_own_headers_are_not_a_routes(#[case] name: &str, #[case] value: &str) {
        assert_eq!(built("/", &[(name, value)], None).unwrap_err().rule, Rule::Unencodable);
    }

    #[test]
    fn a_route_may_name_its_own_json_and_may_not_take_the_credentials_slot() {
        let placed = Placed::Header(HeaderName::from_static("x-api-key"), HeaderValue::from_static("right"));
        let own = [("Accept", "application/vnd.api+json"), ("X-Api-Key", "wrong"), ("User-Agent", "other")];
        let request = built("/", &own, Some(&placed)).unwrap();
        assert_eq!(request.headers()["accept"], "application/vnd.api+json");
        assert_eq!(request.headers()["x-api-key"], "right");
        assert_eq!(request.headers()["user-agent"], concat!("Ramal/", env!("CARGO_PKG_VERSION")));
        assert_eq!(request.headers().len(), 5);
    }
}
