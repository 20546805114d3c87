//! `kind = "asterisk"`: an exchange that this host watches and controls over ARI.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;
use ramal_capability::{Destination, Origin, Scheme};
use ramal_center::{Channel, SourceId};
use serde::{Deserialize, Deserializer};

use crate::secret::Secret;

/// An Asterisk exchange.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AsteriskConfig {
    /// Its name.
    pub id: SourceId,
    /// Where its HTTP server is: `http://10.1.2.3:8088`.
    #[serde(deserialize_with = "origin")]
    pub url: Origin,
    /// Address ranges that are not public and that `url` may lead to.
    #[serde(default)]
    pub private: Vec<IpNet>,
    /// The user of `ari.conf`.
    pub user: String,
    /// The password of that user.
    #[serde(default)]
    pub password: Option<Secret>,
    /// A file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The application that the dialplan hands calls to: `Stasis(ramal)`.
    #[serde(default = "app")]
    pub app: String,
    /// Which kind of line is behind an endpoint, by the beginning of its name: `"PJSIP/trunk" = "fixed"`. The longest
    /// beginning that fits counts. Whoever is behind none of them is a colleague.
    pub trunks: BTreeMap<String, TrunkTag>,
    /// Whose telephone an endpoint is: `"PJSIP/2001" = "bruna"`. Only these can be rung and handed calls to.
    #[serde(default)]
    pub agents: BTreeMap<String, String>,
    /// The endpoints that ring when the dialplan hands a call over; with none the dialplan gets it back at once.
    #[serde(default)]
    pub ring: Vec<String>,
    /// The context of the dialplan, with an extension `s`, that takes a call back when nobody picks up.
    #[serde(default = "fallback")]
    pub fallback: String,
    /// How long they ring.
    #[serde(default = "ring_seconds")]
    pub ring_seconds: u32,
    /// How numbers are dialled: `"PJSIP/{number}@trunk"`. `{number}` stands for the digits with the country's,
    /// `{e164}` for the same with a plus. Without it this channel dials none.
    #[serde(default)]
    pub dial: Option<String>,
    /// The number that customers see.
    #[serde(default)]
    pub caller_id: Option<String>,
}

/// A kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrunkTag {
    /// A fixed line.
    Fixed,
    /// A mobile line, such as a GSM gateway.
    Mobile,
    /// Calls over WhatsApp that come by SIP. They are told as calls of a mobile line: to the center WhatsApp is
    /// conversations, which neither ring nor are answered, and the customer's number is a mobile one.
    Whatsapp,
}

impl TrunkTag {
    pub(crate) fn channel(self) -> Channel {
        match self {
            Self::Fixed => Channel::Fixed,
            Self::Mobile | Self::Whatsapp => Channel::Mobile,
        }
    }
}

fn origin<'de, D: Deserializer<'de>>(from: D) -> Result<Origin, D::Error> {
    let text = String::deserialize(from)
        .map_err(|_| serde::de::Error::custom("`url` is written as a text in quotes"))?;
    text.parse::<Origin>().map_err(|error| serde::de::Error::custom(format!("`url`: {error}")))
}

fn app() -> String {
    "ramal".to_owned()
}

fn fallback() -> String {
    "ramal-fallback".to_owned()
}

fn ring_seconds() -> u32 {
    25
}

impl AsteriskConfig {
    /// The first rule that is broken, in words.
    pub(crate) fn broken_rule(&self) -> Option<String> {
        let id = &self.id;
        if self.password.is_some() == self.password_file.is_some() {
            return Some(format!("channel `{id}` needs either `password-file` or `password`"));
        }
        if let Some(range) = self.private.iter().find(|range| !Destination::may_open(range)) {
            return Some(format!(
                "channel `{id}`: `private` cannot open {range}; it takes loopback and private ranges, such as \"10.1.2.0/24\""
            ));
        }
        if self.url.scheme() == Scheme::Http && self.private.is_empty() {
            return Some(format!(
                "channel `{id}`: http:// can be read by everyone on the way; use https://, or name the private range with `private`"
            ));
        }
        let app = &self.app;
        if app.is_empty() || !app.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
            return Some(format!("channel `{id}`: `app` is made of letters, digits, `.`, `_` and `-`"));
        }
        if self.user.is_empty() || self.user.contains(':') {
            return Some(format!("channel `{id}`: `user` is the name of a section of ari.conf, without `:`"));
        }
        if self.trunks.is_empty() || self.trunks.keys().any(String::is_empty) {
            return Some(format!(
                "channel `{id}`: `trunks` names at least one endpoint, such as \"PJSIP/trunk\" = \"fixed\"; without it nobody is a customer"
            ));
        }
        if let Some(at) = self.ring.iter().position(|endpoint| !self.agents.contains_key(endpoint)) {
            return Some(format!(
                "channel `{id}`: entry {} of `ring` is no endpoint of `agents`; name it there with whose it is",
                at.saturating_add(1)
            ));
        }
        if !(5..=300).contains(&self.ring_seconds) {
            return Some(format!("channel `{id}`: `ring-seconds` is from 5 to 300"));
        }
        if self.dial.as_ref().is_some_and(|dial| !dial.contains("{number}") && !dial.contains("{e164}")) {
            return Some(format!(
                "channel `{id}`: `dial` holds `{{number}}` or `{{e164}}`, as in \"PJSIP/{{number}}@trunk\""
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
id = "pbx"
url = "http://127.0.0.1:8088"
private = ["127.0.0.0/8"]
user = "ramal"
password = "made-up"
ring = ["PJSIP/2001"]
dial = "PJSIP/{number}@trunk"
[trunks]
"PJSIP/trunk" = "fixed"
"PJSIP/trunk-gsm" = "mobile"
[agents]
"PJSIP/2001" = "bruna"
"#;

    fn rule(change: (&str, &str)) -> String {
        let text = GOOD.replace(change.0, change.1);
        match toml::from_str::<AsteriskConfig>(&text) {
            Ok(config) => config.broken_rule().unwrap_or_default(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[rstest]
    #[case::good(("", ""), "")]
    #[case::no_password(("password = \"made-up\"", ""), "needs either `password-file` or `password`")]
    #[case::open_http(("private = [\"127.0.0.0/8\"]", ""), "http:// can be read by everyone")]
    #[case::public_range(("127.0.0.0/8", "8.8.8.0/24"), "cannot open 8.8.8.0/24")]
    #[case::stranger_rings(("ring = [\"PJSIP/2001\"]", "ring = [\"PJSIP/9\"]"), "entry 1 of `ring`")]
    #[case::no_hole(("{number}", "190"), "`dial` holds `{number}` or `{e164}`")]
    #[case::odd_tag(("\"mobile\"", "\"satellite\""), "unknown variant")]
    #[case::odd_key(("user =", "usr ="), "unknown field")]
    #[case::path(("http://127.0.0.1:8088", "http://127.0.0.1:8088/ari"), "`url`: ")]
    #[case::colon(("\"ramal\"", "\"a:b\""), "without `:`")]
    fn a_mistake_is_named(#[case] change: (&str, &str), #[case] expected: &str) {
        let said = rule(change);
        assert!(if expected.is_empty() { said.is_empty() } else { said.contains(expected) }, "{said}");
    }

    #[test]
    fn calls_over_whatsapp_are_calls_of_a_mobile_line() {
        assert_eq!(TrunkTag::Whatsapp.channel(), Channel::Mobile);
    }
}
