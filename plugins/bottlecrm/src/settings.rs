//! What the admin enters, and what follows from it: links into the web pages and the language of entries.

use ramal_sdk::prelude::*;

/// As `plugin.toml` describes them.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) server: String,
    web: Option<String>,
    #[serde(default)]
    pub(crate) language: Language,
}

/// In which language the plugin writes into BottleCRM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    #[default]
    Pt,
    En,
}

impl Language {
    /// The words of the language.
    pub(crate) fn say(self, pt: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Pt => pt,
            Self::En => en,
        }
    }
}

impl Settings {
    /// Where a person opens a contact, where the admin named the pages' address.
    pub(crate) fn link(&self, contact: &Id) -> Option<String> {
        self.web.as_ref().map(|web| format!("{web}/contacts/{contact}"))
    }
}
