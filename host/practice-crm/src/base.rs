//! Where the pages are, so that a contact's `url` opens something.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use axum::http::Uri;

/// The start of every page's address, such as `http://127.0.0.1:8099`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

/// A text that cannot be the start of a page's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the practice CRM's address: not an http address without path; give one like http://127.0.0.1:8099"
)]
pub struct NotABaseUrl;

/// The address of a listener.
impl From<SocketAddr> for BaseUrl {
    fn from(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }
}

impl FromStr for BaseUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        let uri: Uri = text.parse().map_err(|_| NotABaseUrl)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        (is_web && is_bare && is_plain)
            .then(|| Self(text.trim_end_matches('/').to_owned()))
            .ok_or(NotABaseUrl)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::loopback("http://127.0.0.1:8099", Some("http://127.0.0.1:8099"))]
    #[case::trailing_slash("http://localhost:8099/", Some("http://localhost:8099"))]
    #[case::no_scheme("127.0.0.1:8099", None)]
    #[case::path("http://127.0.0.1:8099/crm", None)]
    #[case::query("http://127.0.0.1:8099/?a", None)]
    #[case::credentials("http://a:b@127.0.0.1:8099", None)]
    #[case::script("javascript:alert(1)", None)]
    fn a_base_is_an_http_address_without_path(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(text.parse::<BaseUrl>().ok().map(|base| base.to_string()).as_deref(), expected);
    }

    #[test]
    fn the_address_of_a_listener_makes_a_base() {
        let address: SocketAddr = "[::1]:8099".parse().unwrap();
        assert_eq!(BaseUrl::from(address).to_string(), "http://[::1]:8099");
    }
}
