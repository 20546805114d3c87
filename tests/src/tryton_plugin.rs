//! What an admin has to do so that the plugin for Tryton works with a [`Tryton`]: settings, a grant, credentials.
//!
//! The plugin's own tests and those of the whole server use the same, so that a right that only one of them
//! grants does not hide that the other lacks it.

use ramal_egress::StaticCredentials;
use serde_json::{Value, json};

pub use crate::fixture::folder as fixtures;
use crate::fixture::{self, NoFixture, Secrets};
use crate::tryton::Tryton;

/// The tenant of [`grant`] and [`credentials`].
pub const TENANT: &str = "tryton-tenant";

/// The component.
///
/// # Errors
/// When it was not built.
pub fn component() -> Result<Vec<u8>, NoFixture> {
    fixture::component("tryton")
}

/// The settings for a Tryton that is reached at `origin`: its own, or that of something in between.
pub fn settings(tryton: &Tryton, origin: &str) -> Value {
    json!({"server": origin, "database": tryton.database, "company": tryton.company, "web-client": true})
}

/// The grant as a file: all purposes and routes, every class sealed, the one destination on this machine.
pub fn grant(origin: &str) -> String {
    format!(
        r#"
[grant]
tenant = "{TENANT}"
plugin = "tryton"
digest = "any"
revision = 1
approved-by = "bia@example.invalid"
approved-at = "2026-11-23"
expires = "2028-11-22"
reason = "to try the plugin with invented customers"
purposes = ["screen-pop", "search", "journal", "click-to-call", "sync", "subject-request", "diagnostics"]
routes = [
    "account", "try-parties", "try-opportunities", "find-by-phone", "find-same", "search", "get", "create", "update",
    "find-note", "get-note", "write-note", "opportunities", "users",
    "subject", "subject-opportunities", "subject-sales", "subject-notes", "subject-attachments",
    "empty-opportunity", "move-opportunity", "empty-party", "delete-records",
    "erase-begin", "erase-execute", "erase-end", "newest-change", "changes", "still-there",
]

[classes]
"contact.phone" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.name" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.organization" = {{ to-plugin = "sealed" }}
"contact.email" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.address" = {{ from-crm = "sealed" }}
"contact.document" = {{ from-crm = "sealed" }}
"contact.note" = {{ from-crm = "sealed" }}
"work.item" = {{ from-crm = "sealed" }}
"agent" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"interaction.text" = {{ to-plugin = "sealed" }}
"recording.link" = {{ to-plugin = "sealed" }}

[legal-basis]
screen-pop = "LGPD art. 7, V (performance of a contract)"
search = "LGPD art. 7, V (performance of a contract)"
journal = "LGPD art. 7, V (performance of a contract)"
subject-request = "LGPD art. 18"

[limits]
requests = 100

[[destination]]
origin = "{origin}"
private = ["127.0.0.1/32"]
reason = "Tryton runs on this machine, without TLS"
"#
    )
}

/// The fields of each credential of the plugin, by the credential's id.
pub fn secrets(tryton: &Tryton) -> Secrets {
    vec![
        ("key", vec![("token", tryton.key.clone())]),
        ("login", vec![("user", tryton.user.clone()), ("password", tryton.password.clone())]),
    ]
}

/// The same as a source of credentials.
///
/// # Errors
/// Never for the names that stand here.
pub fn credentials(tryton: &Tryton) -> Result<StaticCredentials, Box<dyn std::error::Error>> {
    fixture::credentials(TENANT, "tryton", secrets(tryton))
}
