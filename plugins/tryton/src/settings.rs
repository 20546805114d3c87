//! What the admin enters, and what follows from it: links into the web client and the language of notes.

use ramal_sdk::language::Language;
use ramal_sdk::prelude::*;

/// As `plugin.toml` describes them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Settings {
    server: String,
    pub(crate) database: String,
    pub(crate) company: u64,
    #[serde(default)]
    web_client: bool,
    #[serde(default)]
    pub(crate) language: Language,
}

impl Settings {
    /// Where a person opens a record in Tryton's web client, where there is one.
    pub(crate) fn link(&self, model: &str, id: &Id) -> Option<String> {
        self.web_client.then(|| format!("{}/#{}/model/{model}/{id}", self.server, self.database))
    }
}
