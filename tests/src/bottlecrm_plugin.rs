//! What an admin has to do so that the plugin for BottleCRM works with a [`BottleCrm`]: settings, a grant, credentials.

use ramal_egress::StaticCredentials;
use serde_json::{Value, json};

use crate::bottlecrm::BottleCrm;
use crate::fixture::{self, NoFixture, Secrets};

/// The tenant of [`grant`] and [`credentials`].
pub const TENANT: &str = "bottlecrm-tenant";

/// The component.
///
/// # Errors
/// When it was not built.
pub fn component() -> Result<Vec<u8>, NoFixture> {
    fixture::component("bottlecrm")
}

/// The settings for a BottleCRM that is reached at `origin`: its own, or that of something in between.
pub fn settings(origin: &str) -> Value {
    json!({"server": origin, "web": origin})
}

/// The grant as a file: all purposes and routes, every class sealed, the one destination on this machine.
pub fn grant(origin: &str) -> String {
    format!(
        r#"
[grant]
tenant = "{TENANT}"
plugin = "bottlecrm"
digest = "any"
revision = 1
approved-by = "bia@example.invalid"
approved-at = "2026-11-23"
expires = "2028-11-22"
reason = "to try the plugin with invented customers"
purposes = ["screen-pop", "search", "journal", "click-to-call", "sync", "subject-request", "diagnostics"]
routes = [
    "try-contacts", "try-entries", "try-change",
    "find-by-phone", "find-same", "search", "get", "create", "update",
    "find-entries", "read-entries", "write-entry", "amend-entry", "open-items", "users",
    "subject-contact", "subject-leads", "subject-lead", "subject-entries", "subject-invoices",
    "delete-comment", "delete-attachment", "blank-entry", "blank-contact", "blank-lead", "delete-record",
    "changes",
]

[classes]
"contact.phone" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.name" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.organization" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.email" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.address" = {{ from-crm = "sealed" }}
"contact.note" = {{ from-crm = "sealed" }}
"work.item" = {{ from-crm = "sealed" }}
"agent" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"interaction.text" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"recording.link" = {{ to-plugin = "sealed" }}

[legal-basis]
screen-pop = "LGPD art. 7, V (performance of a contract)"
search = "LGPD art. 7, V (performance of a contract)"
journal = "LGPD art. 7, V (performance of a contract)"
subject-request = "LGPD art. 18"

[limits]
requests = 150

[[destination]]
origin = "{origin}"
private = ["127.0.0.1/32"]
reason = "BottleCRM runs on this machine, without TLS"
"#
    )
}

/// The fields of each credential of the plugin, by the credential's id.
pub fn secrets(bottlecrm: &BottleCrm) -> Secrets {
    vec![("token", vec![("token", bottlecrm.token.clone())])]
}

/// The same as a source of credentials.
///
/// # Errors
/// Never for the names that stand here.
pub fn credentials(bottlecrm: &BottleCrm) -> Result<StaticCredentials, Box<dyn std::error::Error>> {
    fixture::credentials(TENANT, "bottlecrm", secrets(bottlecrm))
}
