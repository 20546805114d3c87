//! Who is told when a credential changes its state, and before it comes to a dead end.

use jiff::Timestamp;
use ramal_store::CredentialKey;

use crate::state::{CredentialState, Expiring, Reason};

/// Something that a person should know now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alert {
    /// It cannot be used until a person acts.
    NeedsReconnect {
        /// Why.
        reason: Reason,
    },
    /// It will end unless a person acts.
    ExpiresSoon {
        /// What ends.
        what: Expiring,
        /// When.
        at: Timestamp,
    },
    /// Renewals fail again and again.
    Failing {
        /// How many in a row.
        failures: u32,
        /// Since when.
        since: Timestamp,
    },
    /// A request was sent whose answer is not known.
    InDoubt,
}

impl Alert {
    /// The alert that a state calls for.
    pub(crate) fn of(state: &CredentialState, most_failures: u32) -> Option<Self> {
        match state {
            CredentialState::NeedsReconnect { reason: Reason::NeverConnected, .. } => None,
            CredentialState::NeedsReconnect { reason, .. } => Some(Self::NeedsReconnect { reason: *reason }),
            CredentialState::ExpiresSoon { what, at } => Some(Self::ExpiresSoon { what: *what, at: *at }),
            CredentialState::Refreshing { in_doubt: true, .. } => Some(Self::InDoubt),
            CredentialState::Refreshing { failing_since: Some(since), failures, .. }
                if *failures >= most_failures =>
            {
                Some(Self::Failing { failures: *failures, since: *since })
            }
            _ => None,
        }
    }

    /// Whether it says nothing that the other did not say already.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Failing { .. }, Self::Failing { .. }) => true,
            (one, other) => one == other,
        }
    }
}

/// Is told about changes. Called in the middle of other work: it must not wait.
pub trait CredentialObserver: Send + Sync {
    /// The state is another one. Deliveries that waited can go on when it no longer waits for a person.
    fn changed(&self, _key: &CredentialKey, _state: &CredentialState) {}
    /// A person should know. Told once for each trouble and process.
    fn alert(&self, _key: &CredentialKey, _alert: &Alert) {}
}

/// Writes alerts to the log.
#[derive(Debug, Default, Clone, Copy)]
pub struct LogAlerts;

impl CredentialObserver for LogAlerts {
    fn changed(&self, key: &CredentialKey, state: &CredentialState) {
        tracing::info!(credential = %key, state = state.as_str(), "a credential has another state");
    }
    fn alert(&self, key: &CredentialKey, alert: &Alert) {
        match alert {
            Alert::NeedsReconnect { reason } => {
                tracing::error!(credential = %key, %reason, "a credential waits for a person");
            }
            Alert::ExpiresSoon { what, at } => {
                tracing::warn!(credential = %key, %what, %at, "a credential ends soon");
            }
            Alert::Failing { failures, since } => {
                tracing::error!(credential = %key, failures, %since, "a credential cannot be renewed");
            }
            Alert::InDoubt => {
                tracing::warn!(credential = %key, "the answer to a renewal was lost; its refresh token may be spent");
            }
        }
    }
}
