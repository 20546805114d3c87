//! `kind = "mapped"`.

use std::path::PathBuf;

use ramal_center::SourceId;
use serde::Deserialize;

use crate::secret::Secret;

/// A provider that a mapping file describes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MappedConfig {
    /// Its name.
    pub id: SourceId,
    /// The mapping file.
    pub mapping: PathBuf,
    /// The secret by which the provider proves itself, as the mapping says.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// A file that holds the secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// The secret before, while the provider changes over.
    #[serde(default)]
    pub previous_secret: Option<Secret>,
    /// A file that holds the secret before.
    #[serde(default)]
    pub previous_secret_file: Option<PathBuf>,
}

impl MappedConfig {
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let secrets = self.secret_file.iter_mut().chain(&mut self.previous_secret_file);
        [&mut self.mapping].into_iter().chain(secrets).collect()
    }

    /// The first rule that is broken, in words.
    pub(super) fn broken_rule(&self) -> Option<&'static str> {
        if self.secret.is_some() == self.secret_file.is_some() {
            return Some("it needs either `secret-file` or `secret`");
        }
        let both = self.previous_secret.is_some() && self.previous_secret_file.is_some();
        both.then_some("it has both `previous-secret-file` and `previous-secret`; keep one")
    }
}
