//! One row of the ledger. Every field is a name, a number or a pseudonym: there is no field that a customer's
//! value could stand in, and the destination is an origin and a route's name, because a path or a query can
//! hold a telephone number.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use ramal_capability::{DataClass, Digest, InteractionId, PluginId, Purpose, RouteId, TenantId, UserId};
use serde::{Deserialize, Serialize};

/// What became of a request that left the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A whole answer came, whatever its status.
    SentAnswered,
    /// It was sent, wholly or in part, and no whole answer came. The recipient may hold the data.
    SentFailed,
    /// It was sent and the caller went away before the answer ("revoke now", a deadline, a stop of the
    /// server). The recipient may hold the data.
    SentAbandoned,
}

/// Who sent something, and by what right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DisclosedBy {
    /// A plugin, under a grant.
    Plugin {
        /// Which.
        plugin: PluginId,
        /// Its version, for people; the digest is what counts.
        version: Arc<str>,
        /// The component that ran.
        digest: Digest,
        /// The revision of the grant that allowed it.
        grant_revision: u64,
        /// The route of the manifest: the shape of the request.
        route: RouteId,
    },
    /// The host itself, to an outgoing webhook of its configuration.
    Webhook {
        /// The webhook's name in the configuration.
        webhook: Arc<str>,
    },
}

impl DisclosedBy {
    /// The name of what was sent: the plugin's route, or the webhook.
    pub fn name(&self) -> &str {
        match self {
            Self::Plugin { route, .. } => route.as_str(),
            Self::Webhook { webhook } => webhook,
        }
    }
}

impl fmt::Display for DisclosedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin { plugin, route, .. } => write!(f, "plugin {plugin}, route {route}"),
            Self::Webhook { webhook } => write!(f, "webhook {webhook}"),
        }
    }
}

/// One disclosure: what left, to whom, why, under which grant. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// When the request was sent.
    pub at: Timestamp,
    /// Whose data it is.
    pub tenant: TenantId,
    /// Who sent it, and who allowed that.
    #[serde(flatten)]
    pub by: DisclosedBy,
    /// Why.
    pub purpose: Purpose,
    /// The call or conversation that it happened for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<InteractionId>,
    /// The person who acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The data subject, as a pseudonym.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What kinds of facts left, and how many values of each.
    pub classes: BTreeMap<DataClass, u32>,
    /// The recipient: scheme, host and port. Never the path.
    pub origin: Arc<str>,
    /// The HTTP method.
    pub method: String,
    /// Bytes of the request's address and body.
    pub bytes_out: u64,
    /// Bytes of the answer's body that were read.
    pub bytes_in: u64,
    /// The HTTP status, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What became of it.
    pub outcome: Outcome,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An invented row.
    pub(crate) fn row(bytes_out: u64) -> Disclosure {
        Disclosure {
            at: "2026-11-23T12:00:00Z".parse().unwrap(),
            tenant: TenantId::new("acme").unwrap(),
            by: DisclosedBy::Plugin {
                plugin: PluginId::new("practice").unwrap(),
                version: "0.1.0".into(),
                digest: Digest([7; 32]),
                grant_revision: 3,
                route: RouteId::new("find-by-phone").unwrap(),
            },
            purpose: Purpose::ScreenPop,
            interaction: None,
            user: Some(UserId::new("ana").unwrap()),
            subject: Some("s-4f2a".to_owned()),
            classes: BTreeMap::from([(DataClass::ContactPhone, 2)]),
            origin: "https://crm.example:443".into(),
            method: "POST".to_owned(),
            bytes_out,
            bytes_in: 12,
            status: Some(200),
            outcome: Outcome::SentAnswered,
        }
    }

    #[test]
    fn a_row_is_one_line_that_reads_back() {
        let line = serde_json::to_string(&row(120)).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"at":"2026-11-23T12:00:00Z","tenant":"acme","plugin":"practice","version":"0.1.0","#,
                r#""digest":"sha256:0707070707070707070707070707070707070707070707070707070707070707","#,
                r#""grant_revision":3,"route":"find-by-phone","purpose":"screen-pop","user":"ana","#,
                r#""subject":"s-4f2a","classes":{"contact.phone":2},"origin":"https://crm.example:443","#,
                r#""method":"POST","bytes_out":120,"bytes_in":12,"status":200,"outcome":"sent-answered"}"#
            )
        );
        assert_eq!(serde_json::from_str::<Disclosure>(&line).unwrap(), row(120));
    }

    #[test]
    fn a_webhooks_row_names_the_webhook_and_no_plugin() {
        let row = Disclosure { by: DisclosedBy::Webhook { webhook: "erp".into() }, ..row(120) };
        let line = serde_json::to_string(&row).unwrap();
        assert!(line.contains(r#""tenant":"acme","webhook":"erp","purpose""#), "{line}");
        assert!(!line.contains("plugin"), "{line}");
        assert_eq!(serde_json::from_str::<Disclosure>(&line).unwrap(), row);
    }
}
