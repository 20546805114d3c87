//! `kind = "asterisk-queues"`: the queues of an exchange, which this host watches over AMI and does not touch.

use std::path::PathBuf;

use ipnet::IpNet;
use ramal_capability::{Destination, Origin, Scheme};
use ramal_center::SourceId;
use serde::{Deserialize, Deserializer};

use crate::secret::Secret;

/// The queues of an Asterisk exchange.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AsteriskQueuesConfig {
    /// Its name.
    pub id: SourceId,
    /// Where AMI is: `tcp://10.1.2.3:5038`, or `tls://pbx.example:5039`.
    #[serde(deserialize_with = "url")]
    pub url: Origin,
    /// Address ranges that are not public and that `url` may lead to.
    #[serde(default)]
    pub private: Vec<IpNet>,
    /// The user of `manager.conf`.
    pub user: String,
    /// The secret of that user.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// A file that holds the secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Whether the calls of the queues are told as calls. Not where a channel of `kind = "asterisk"` tells the same
    /// exchange's calls.
    #[serde(default = "yes")]
    pub calls: bool,
    /// Beginnings of endpoints whose lines are mobile ones: `["PJSIP/gsm"]`.
    #[serde(default)]
    pub mobile: Vec<String>,
}

fn yes() -> bool {
    true
}

/// What is said over the connection is no HTTP; the connection itself is opened as every other, with or without TLS.
fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Origin, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let scheme = match scheme {
        "tcp" => "http",
        "tls" => "https",
        _ => {
            return Err(serde::de::Error::custom(
                "`url` starts with tcp:// or tls://, such as tcp://10.1.2.3:5038",
            ));
        }
    };
    // Else the port would be that of the web.
    if rest.rsplit(':').next().is_none_or(|port| port.parse::<u16>().is_err()) {
        return Err(serde::de::Error::custom("`url` ends with the port, such as tcp://10.1.2.3:5038"));
    }
    format!("{scheme}://{rest}").parse().map_err(serde::de::Error::custom)
}

impl AsteriskQueuesConfig {
    /// The first rule that is broken, in words.
    pub(crate) fn broken_rule(&self) -> Option<String> {
        let id = &self.id;
        if self.secret.is_some() == self.secret_file.is_some() {
            return Some(format!("channel `{id}` needs either `secret-file` or `secret`"));
        }
        if let Some(range) = self.private.iter().find(|range| !Destination::may_open(range)) {
            return Some(format!(
                "channel `{id}`: `private` cannot open {range}; it takes loopback and private ranges, such as \"10.1.2.0/24\""
            ));
        }
        if self.url.scheme() == Scheme::Http && self.private.is_empty() {
            return Some(format!(
                "channel `{id}`: tcp:// can be read by everyone on the way; use tls://, or name the private range with `private`"
            ));
        }
        if self.mobile.iter().any(String::is_empty) {
            return Some(format!(
                "channel `{id}`: `mobile` names beginnings of endpoints, such as \"PJSIP/gsm\""
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GOOD: &str = r#"
id = "queues"
url = "tcp://127.0.0.1:5038"
private = ["127.0.0.0/8"]
user = "ramal"
secret = "made-up"
mobile = ["PJSIP/gsm"]
"#;

    #[rstest]
    #[case::good(("", ""), "")]
    #[case::tls(("tcp://", "tls://"), "")]
    #[case::no_secret(("secret = \"made-up\"", ""), "needs either `secret-file` or `secret`")]
    #[case::open(("private = [\"127.0.0.0/8\"]", ""), "tcp:// can be read by everyone")]
    #[case::public_range(("127.0.0.0/8", "8.8.8.0/24"), "cannot open 8.8.8.0/24")]
    #[case::web(("tcp://", "http://"), "starts with tcp:// or tls://")]
    #[case::no_port((":5038", ""), "ends with the port")]
    #[case::path((":5038", ":5038/x"), "ends with the port")]
    #[case::odd_key(("user =", "usr ="), "unknown field")]
    #[case::everything_is_mobile(("PJSIP/gsm", ""), "`mobile` names beginnings")]
    fn a_mistake_is_named(#[case] change: (&str, &str), #[case] expected: &str) {
        let said = match toml::from_str::<AsteriskQueuesConfig>(&GOOD.replacen(change.0, change.1, 1)) {
            Ok(config) => config.broken_rule().unwrap_or_default(),
            Err(error) => error.message().to_owned(),
        };
        assert!(if expected.is_empty() { said.is_empty() } else { said.contains(expected) }, "{said}");
    }
}
