//! What is wrong with a configuration, and what to do.

use std::path::{Path, PathBuf};

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read {}; check that it is there and may be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The file is no TOML of the right shape.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The parser's words, without the line's text: it may hold a secret.
        what: String,
    },
    /// A rule between the settings is broken.
    #[error("{}: {what}", path.display())]
    Rule {
        /// Which file.
        path: PathBuf,
        /// The rule and what to do.
        what: String,
    },
    /// A secret cannot be used.
    #[error("the secret of {of}: {what}")]
    Secret {
        /// Whose secret.
        of: String,
        /// Why, and what to do.
        what: String,
    },
}

impl ConfigError {
    pub(super) fn from_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::Syntax { path: path.to_owned(), line, column, what: error.message().to_owned() }
    }
}
