//! `[[tenant.webhook]]`: an outgoing webhook, and `[retention]`: how long traces of work that is done are kept.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use ipnet::IpNet;
use ramal_capability::{Destination, Origin, Scheme};
use ramal_center::WebhookEvent;
use ramal_store::WebhookName;
use serde::{Deserialize, Deserializer};

use crate::secret::Secret;

/// One outgoing webhook.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookConfig {
    /// Its name, unique within the tenant. What waits for it is found again by the name.
    pub id: WebhookName,
    /// Where it is.
    pub url: WebhookUrl,
    /// The shared secret: `whsec_` and 24 to 64 bytes in base64.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// A file that holds the shared secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// The secret before, while the receiver changes over.
    #[serde(default)]
    pub previous_secret: Option<Secret>,
    /// A file that holds the secret before.
    #[serde(default)]
    pub previous_secret_file: Option<PathBuf>,
    /// Which events it is told; all when it is left out.
    #[serde(default = "every_event", deserialize_with = "events")]
    pub events: BTreeSet<WebhookEvent>,
    /// Address ranges that are not public and that its name may lead to.
    #[serde(default)]
    pub private: Vec<IpNet>,
    /// Whether numbers, names, notes and texts go along. Each delivery is a disclosure then.
    #[serde(default)]
    pub include_personal: bool,
}

/// Where a webhook is. Path and query may hold a key, so they are not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    /// Scheme, host and port.
    pub origin: Origin,
    /// Path and query.
    pub target: String,
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.origin)
    }
}

impl WebhookUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let after = text.find("://").map_or(0, |at| at.saturating_add(3));
        let rest = text.get(after..).unwrap_or_default();
        let end = rest.find(['/', '?', '#']).map_or(text.len(), |at| at.saturating_add(after));
        let (origin, target) = text.split_at_checked(end).unwrap_or((text, ""));
        let origin: Origin = origin.parse().map_err(|error| format!("`url`: {error}"))?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        if target.contains('#') || !target.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(
                "`url` is written in visible ASCII, without a fragment; encode other characters".to_owned()
            );
        }
        Ok(Self { origin, target })
    }
}

impl<'de> Deserialize<'de> for WebhookUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)
            .map_err(|_| serde::de::Error::custom("`url` is written as a text in quotes"))?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn every_event() -> BTreeSet<WebhookEvent> {
    WebhookEvent::all().collect()
}

fn events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<WebhookEvent>, D::Error> {
    let unknown = || {
        let all: Vec<String> = WebhookEvent::all().map(|event| event.to_string()).collect();
        serde::de::Error::custom(format!("`events` names one that is none; there are {}", all.join(", ")))
    };
    let words = Vec::<String>::deserialize(deserializer)?;
    words.iter().map(|word| word.parse().map_err(|_| unknown())).collect()
}

impl WebhookConfig {
    /// The first rule that is broken, in words.
    pub(super) fn broken_rule(&self) -> Option<String> {
        let id = &self.id;
        if self.secret.is_some() == self.secret_file.is_some() {
            return Some(format!("webhook `{id}` needs either `secret-file` or `secret`"));
        }
        if self.previous_secret.is_some() && self.previous_secret_file.is_some() {
            return Some(format!(
                "webhook `{id}` has both `previous-secret-file` and `previous-secret`; keep one"
            ));
        }
        if self.events.is_empty() {
            return Some(format!("webhook `{id}` is told nothing; name `events`, or leave them out for all"));
        }
        if let Some(range) = self.private.iter().find(|range| !Destination::may_open(range)) {
            return Some(format!(
                "webhook `{id}`: `private` cannot open {range}; it takes loopback and private ranges, such as \"10.1.2.0/24\""
            ));
        }
        if self.url.origin.scheme() == Scheme::Http && self.private.is_empty() {
            return Some(format!(
                "webhook `{id}`: http:// can be read by everyone on the way; use https://, or name the private range with `private`"
            ));
        }
        None
    }
}

/// How long traces of work that is done are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RetentionConfig {
    /// Days that deliveries are listed after they were delivered. Dead ones stay until they are replayed.
    pub delivered_days: u16,
    /// Days that a client's request is known again by its `Idempotency-Key`.
    pub requests_days: u16,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { delivered_days: 30, requests_days: 30 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::path("https://erp.example/in?k=1", Some(("https://erp.example", "/in?k=1")))]
    #[case::no_path("https://erp.example:8443", Some(("https://erp.example:8443", "/")))]
    #[case::query_only("https://erp.example?k=1", Some(("https://erp.example", "/?k=1")))]
    #[case::user("https://a:b@erp.example/in", None)]
    #[case::fragment("https://erp.example/in#x", None)]
    #[case::space("https://erp.example/a b", None)]
    #[case::other_scheme("ftp://erp.example/", None)]
    #[case::no_scheme("erp.example/in", None)]
    #[case::odd_address("http://0x7f.1/", None)]
    #[case::empty("", None)]
    fn an_address_has_one_reading(#[case] text: &str, #[case] expected: Option<(&str, &str)>) {
        let read = WebhookUrl::parse(text).ok().map(|url| (url.origin.to_string(), url.target));
        assert_eq!(read, expected.map(|(origin, target)| (origin.to_owned(), target.to_owned())));
    }

    #[test]
    fn a_key_in_the_address_is_not_printed() {
        let url = WebhookUrl::parse("https://erp.example/in?key=s3cret").unwrap();
        assert_eq!(format!("{url:?}"), "https://erp.example/…");
    }
}
