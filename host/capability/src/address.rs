//! Where a request may go: exact scheme, host and port.
//!
//! One text has one meaning here. `http://0x7f.1`, `http://2130706433` and `http://127.0.0.1` are one machine
//! to a resolver and three texts to a person who reads a grant; so spellings other than the plain one are
//! refused rather than understood, and what was approved is what is dialled.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// How to talk to the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Without encryption; only towards addresses that a grant names as private.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// The word before `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
    /// The port that is meant when none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}
impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Scheme, host and port of a server, in one canonical spelling: lower case, international names as
/// `xn--…`, the scheme's own port left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    ip: Option<IpAddr>,
    port: u16,
}

/// A text that is no origin. Holds nothing of the text, which may be an admin's mistaken paste of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// Neither `http://` nor `https://`.
    #[error("an address starts with https:// or http://, such as https://crm.example.com")]
    Scheme,
    /// No host.
    #[error("the address names no host; write it as https://crm.example.com")]
    NoHost,
    /// A path, a query or a fragment.
    #[error("the address ends after host and port; leave out the path, the query and a last `/`")]
    Path,
    /// `user@` before the host.
    #[error("no user name or password may stand in the address; credentials are entered separately")]
    UserInfo,
    /// White space, control characters, `%` or a backslash.
    #[error("the address holds a character that no host name has")]
    Character,
    /// An IPv4 address that is not four plain decimal numbers.
    #[error("write the IPv4 address as four decimal numbers, such as 192.0.2.7")]
    OddIpv4,
    /// An IPv6 address that is none, or has a zone.
    #[error("write the IPv6 address in brackets and without a zone, such as https://[2001:db8::7]")]
    BadIpv6,
    /// `host.` with the dot at the end.
    #[error("leave out the dot at the end of the host name")]
    TrailingDot,
    /// A name with empty or overlong labels, or with letters that have no agreed spelling.
    #[error("the host name is not a valid name; its parts have 1 to 63 letters, digits or `-`")]
    BadName,
    /// A port that is none.
    #[error("write the port as a number from 1 to 65535, without leading zeros")]
    BadPort,
}

impl FromStr for Origin {
    type Err = BadOrigin;
    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else {
            return Err(BadOrigin::Scheme);
        };
        if rest.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '%')) {
            return Err(BadOrigin::Character);
        }
        if rest.contains(['/', '?', '#']) {
            return Err(BadOrigin::Path);
        }
        if rest.contains('@') {
            return Err(BadOrigin::UserInfo);
        }
        let (host, port) = split_port(rest)?;
        let port = port.map_or(Ok(scheme.default_port()), plain_port)?;
        let (host, ip) = canonical_host(host)?;
        Ok(Self { scheme, host, ip, port })
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), BadOrigin> {
    if authority.starts_with('[') {
        let (host, after) = authority.split_once(']').ok_or(BadOrigin::BadIpv6)?;
        let host = authority.get(..=host.len()).ok_or(BadOrigin::BadIpv6)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(BadOrigin::BadIpv6),
        };
    }
    match authority.split_once(':') {
        None => Ok((authority, None)),
        Some((_, port)) if port.contains(':') => Err(BadOrigin::BadIpv6),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

fn plain_port(text: &str) -> Result<u16, BadOrigin> {
    let plain = !text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().map_err(|_| BadOrigin::BadPort) } else { Err(BadOrigin::BadPort) }
}

/// The one spelling of a host, and the address if it is one.
fn canonical_host(given: &str) -> Result<(String, Option<IpAddr>), BadOrigin> {
    if given.is_empty() {
        return Err(BadOrigin::NoHost);
    }
    if let Some(inner) = given.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let ip: Ipv6Addr = inner.parse().map_err(|_| BadOrigin::BadIpv6)?;
        return Ok((ip.to_string(), Some(IpAddr::V6(ip))));
    }
    if given.ends_with('.') {
        return Err(BadOrigin::TrailingDot);
    }
    // The parser that the HTTP side uses decides what the text means; then it must mean itself.
    let odd_number =
        given.split('.').next_back().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    let parsed = Url::parse(&format!("https://{given}/"))
        .map_err(|_| if odd_number { BadOrigin::OddIpv4 } else { BadOrigin::BadName })?;
    match parsed.host() {
        Some(Host::Ipv4(ip)) if ip.to_string() == given => Ok((ip.to_string(), Some(IpAddr::V4(ip)))),
        Some(Host::Ipv4(_)) => Err(BadOrigin::OddIpv4),
        Some(Host::Domain(name)) => {
            let shown = url::quirks::domain_to_unicode(name);
            // Letters that vanish or change on the way (soft hyphens, full-width forms) make two texts one
            // host; only a difference of case is let pass.
            let same = given.to_lowercase();
            if (name == same || shown == same) && good_name(name) {
                Ok((name.to_owned(), None))
            } else {
                Err(BadOrigin::BadName)
            }
        }
        _ => Err(BadOrigin::BadName),
    }
}

fn good_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl Origin {
    /// `http` or `https`.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }
    /// The host: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }
    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }
    /// The port, written or not.
    pub fn port(&self) -> u16 {
        self.port
    }
    /// Host and port as in a `Host` header: brackets around IPv6, the scheme's own port left out.
    pub fn authority(&self) -> String {
        let host = match self.ip {
            Some(IpAddr::V6(ip)) => format!("[{ip}]"),
            _ => self.host.clone(),
        };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())
    }
}

/// Whether the text is a host alone, in its one spelling: a name or an IPv4 address.
pub(crate) fn is_host(text: &str) -> bool {
    format!("https://{text}").parse::<Origin>().is_ok_and(|origin| origin.host == text)
}

/// Whether the text is one label of a host name, as in `{setting.account}.example.com`.
pub(crate) fn is_label(text: &str) -> bool {
    !text.contains(['.', '_']) && good_name(text)
}

#[cfg(test)]
mod tests;
