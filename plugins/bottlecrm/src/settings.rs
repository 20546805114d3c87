//! What the admin enters, and what follows from it: links into the web pages and the language of entries.

use ramal_sdk::language::Language;
use ramal_sdk::prelude::*;

/// As `plugin.toml` describes them.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) server: String,
    web: Option<String>,
    #[serde(default)]
    pub(crate) language: Language,
}

impl Settings {
    /// Where a person opens a contact, where the admin named the pages' address.
    pub(crate) fn link(&self, contact: &Id) -> Option<String> {
        self.web.as_ref().map(|web| format!("{web}/contacts/{contact}"))
    }
}
