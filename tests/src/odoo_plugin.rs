//! What an admin has to do so that the plugin for Odoo works with an [`Odoo`]: settings, a grant, credentials.
//!
//! The plugin's own tests and those of the whole server use the same, so that a right that only one of them
//! grants does not hide that the other lacks it.

use ramal_egress::StaticCredentials;
use serde_json::{Value, json};

use crate::fixture::{self, NoFixture, Secrets};
use crate::odoo::Odoo;

/// The tenant of [`grant`] and [`credentials`].
pub const TENANT: &str = "odoo-tenant";

/// The component.
///
/// # Errors
/// When it was not built.
pub fn component() -> Result<Vec<u8>, NoFixture> {
    fixture::component("odoo")
}

/// The settings for an Odoo that is reached at `origin`: its own, or that of something in between.
pub fn settings(odoo: &Odoo, origin: &str) -> Value {
    json!({"server": origin, "database": odoo.database})
}

/// The grant as a file: all purposes and routes, every class sealed, the one destination on this machine.
pub fn grant(origin: &str) -> String {
    format!(
        r#"
[grant]
tenant = "{TENANT}"
plugin = "odoo"
digest = "any"
revision = 1
approved-by = "bia@example.invalid"
approved-at = "2026-11-23"
expires = "2028-11-22"
reason = "to try the plugin with invented customers"
purposes = ["screen-pop", "search", "journal", "click-to-call", "sync", "subject-request", "diagnostics"]
routes = [
    "account", "try", "find-by-phone", "find-same", "search", "get", "create", "update",
    "find-entry", "as-html", "write-entry", "read-entry", "find-addition", "rewrite-entry", "open-leads", "users",
    "subject", "subject-leads", "same-number", "subject-events", "subject-messages", "subject-activities",
    "subject-attachments", "delete", "empty-messages", "empty-lead", "empty-bank", "empty-event", "empty-contact",
    "newest-change", "changes",
]

[classes]
"contact.phone" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.name" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.organization" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.email" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.address" = {{ from-crm = "sealed" }}
"contact.document" = {{ from-crm = "sealed" }}
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
requests = 100
comparisons = 1000

[[destination]]
origin = "{origin}"
private = ["127.0.0.1/32"]
reason = "Odoo runs on this machine, without TLS"
"#
    )
}

/// The fields of each credential of the plugin, by the credential's id.
pub fn secrets(odoo: &Odoo) -> Secrets {
    vec![("key", vec![("token", odoo.key.clone())])]
}

/// The same as a source of credentials.
///
/// # Errors
/// Never for the names that stand here.
pub fn credentials(odoo: &Odoo) -> Result<StaticCredentials, Box<dyn std::error::Error>> {
    fixture::credentials(TENANT, "odoo", secrets(odoo))
}
