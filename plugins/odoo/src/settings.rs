//! What the admin enters, and what follows from it: links into the web client and the language of entries.

use ramal_sdk::language::Language;
use ramal_sdk::prelude::*;

/// As `plugin.toml` describes them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Settings {
    server: String,
    pub(crate) database: String,
    #[serde(default)]
    pub(crate) language: Language,
}

impl Settings {
    /// Where a person opens a record in Odoo's web client, which is always at the same address.
    pub(crate) fn link(&self, model: &str, id: &Id) -> Option<String> {
        Some(format!("{}/odoo/{model}/{id}", self.server))
    }
}
