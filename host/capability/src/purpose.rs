//! Why a plugin is called. Each purpose carries the legal basis that the tenant configured for it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a plugin is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Purpose {
    /// Show who is calling.
    ScreenPop,
    /// Somebody looks for a contact.
    Search,
    /// Write down what happened.
    Journal,
    /// Somebody dials from a record.
    ClickToCall,
    /// Keep lists equal.
    Sync,
    /// Serve a data subject's right.
    SubjectRequest,
    /// Find out whether the connection works. Never about a person.
    Diagnostics,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: &'static [Self] = &[
        Self::ScreenPop,
        Self::Search,
        Self::Journal,
        Self::ClickToCall,
        Self::Sync,
        Self::SubjectRequest,
        Self::Diagnostics,
    ];

    /// The word in manifests and grants.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScreenPop => "screen-pop",
            Self::Search => "search",
            Self::Journal => "journal",
            Self::ClickToCall => "click-to-call",
            Self::Sync => "sync",
            Self::SubjectRequest => "subject-request",
            Self::Diagnostics => "diagnostics",
        }
    }

    /// Whether a call for this purpose happens for one live (or just ended) interaction. There is no ambient
    /// right to read a CRM because calls exist.
    pub fn needs_interaction(self) -> bool {
        matches!(self, Self::ScreenPop | Self::Journal)
    }

    /// Whether a call for this purpose happens because a person acts, and with that person's rights.
    pub fn needs_user(self) -> bool {
        matches!(self, Self::Search | Self::ClickToCall | Self::SubjectRequest)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no purpose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no purpose; use screen-pop, search, journal, click-to-call, sync, subject-request or diagnostics"
)]
pub struct UnknownPurpose(pub String);

impl FromStr for Purpose {
    type Err = UnknownPurpose;
    fn from_str(text: &str) -> Result<Self, UnknownPurpose> {
        Self::ALL
            .iter()
            .copied()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| UnknownPurpose(text.chars().take(64).collect()))
    }
}
impl TryFrom<String> for Purpose {
    type Error = UnknownPurpose;
    fn try_from(text: String) -> Result<Self, UnknownPurpose> {
        text.parse()
    }
}
impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.as_str().to_owned()
    }
}
