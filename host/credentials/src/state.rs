//! How a credential stands, in words for people and programs. Holds no secret.

use std::fmt;

use jiff::Timestamp;

/// How a credential stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialState {
    /// Nothing is stored.
    Missing,
    /// It can be used.
    Valid {
        /// When it is renewed at the latest, or ends; `None` where nobody said.
        until: Option<Timestamp>,
    },
    /// A renewal is under way or is tried again: by itself, nobody has to act.
    Refreshing {
        /// Since when renewals fail; `None` if none has failed.
        failing_since: Option<Timestamp>,
        /// How many failed in a row.
        failures: u32,
        /// Whether a request was sent whose answer is not known: the refresh token may be spent.
        in_doubt: bool,
    },
    /// It can be used, and will end unless a person acts.
    ExpiresSoon {
        /// What ends.
        what: Expiring,
        /// When.
        at: Timestamp,
    },
    /// It cannot be used until a person acts. What needs it waits.
    NeedsReconnect {
        /// Why.
        reason: Reason,
        /// Since when.
        since: Timestamp,
    },
}

impl CredentialState {
    /// The state's name, for programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Valid { .. } => "valid",
            Self::Refreshing { .. } => "refreshing",
            Self::ExpiresSoon { .. } => "expires-soon",
            Self::NeedsReconnect { .. } => "needs-reconnect",
        }
    }
    /// Whether requests that need the credential had better wait: they would fail.
    pub fn waits_for_person(&self) -> bool {
        matches!(self, Self::Missing | Self::NeedsReconnect { .. })
    }
}

impl fmt::Display for CredentialState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing: nothing is stored"),
            Self::Valid { until: None } => f.write_str("valid"),
            Self::Valid { until: Some(until) } => write!(f, "valid until {}", minute(*until)),
            Self::Refreshing { in_doubt: true, .. } => {
                f.write_str("renewing: an answer was lost, the refresh token may be spent")
            }
            Self::Refreshing { failing_since: Some(since), failures, .. } => {
                write!(f, "renewing: failed {failures} times since {}", minute(*since))
            }
            Self::Refreshing { .. } => f.write_str("renewing"),
            Self::ExpiresSoon { what, at } => write!(f, "{what} ends at {}", minute(*at)),
            Self::NeedsReconnect { reason, since } => {
                write!(f, "waits for a person since {}: {reason}", minute(*since))
            }
        }
    }
}

fn minute(at: Timestamp) -> impl fmt::Display {
    at.strftime("%Y-%m-%d %H:%MZ")
}

/// What ends soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiring {
    /// What the admin entered, by the date that was entered with it.
    Secret,
    /// The refresh token: without another consent there will be no more tokens.
    RefreshToken,
    /// The access token, for which the server gave no refresh token.
    AccessToken,
}

impl fmt::Display for Expiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "the stored secret",
            Self::RefreshToken => "the consent (refresh token)",
            Self::AccessToken => "the token, which cannot be renewed,",
        })
    }
}

/// Why a person has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nobody has consented yet.
    NeverConnected,
    /// The server no longer takes the consent (`invalid_grant`).
    GrantRefused,
    /// The server no longer takes the refresh token, and an earlier answer of it was lost: it had rotated the token.
    AnswerLost,
    /// The server does not take the client: its id, secret or key.
    ClientRefused,
    /// The server does not give these scopes.
    ScopeRefused,
    /// The server does not understand the request: the manifest does not fit it.
    RequestRefused,
    /// The refresh token has reached its end.
    RefreshExpired,
    /// The token has ended and there is no refresh token.
    NoRefreshToken,
    /// A part of the secret is missing, or the key is no key.
    SecretIncomplete,
}

impl Reason {
    /// Whether new client secrets mend it, without another consent.
    pub(crate) fn is_clients(self) -> bool {
        matches!(
            self,
            Self::ClientRefused | Self::SecretIncomplete | Self::RequestRefused | Self::ScopeRefused
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverConnected => "the account was never connected; connect it",
            Self::GrantRefused => "the server no longer takes the consent; connect the account again",
            Self::AnswerLost => {
                "the server renewed the consent and its answer was lost; connect the account again"
            }
            Self::ClientRefused => "the server does not take the client; check its id and secret",
            Self::ScopeRefused => "the server does not give the scopes; check what the client may ask for",
            Self::RequestRefused => "the server does not understand the request; tell the plugin's author",
            Self::RefreshExpired => "the consent has reached its end; connect the account again",
            Self::NoRefreshToken => {
                "the token has ended and the server gave none to renew it; connect the account again"
            }
            Self::SecretIncomplete => "a part of the secret is missing or unusable; enter it again",
        })
    }
}
