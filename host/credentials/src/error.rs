//! Why there is no secret, or why one was not kept. Names and reasons only, never a value, never the server's words.

use std::sync::Arc;

use jiff::Timestamp;
use ramal_store::{CredentialKey, StoreError};

use crate::state::Reason;
use crate::vault::VaultError;

/// Why a keeper could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeeperError {
    /// Nothing is stored.
    #[error(
        "no secret is stored for {0}; run: ramal credential set {tenant} {plugin} {credential}",
        tenant = .0.tenant, plugin = .0.plugin, credential = .0.credential
    )]
    Missing(CredentialKey),
    /// A person has to act.
    #[error("the credential {key} waits for a person: {reason}")]
    NeedsPerson {
        /// Whose.
        key: CredentialKey,
        /// Why.
        reason: Reason,
    },
    /// It will work later, by itself.
    #[error("the credential {key} cannot be renewed now: {why}")]
    Later {
        /// Whose.
        key: CredentialKey,
        /// Why.
        why: Trouble,
        /// When it is tried again, if that is known.
        retry_at: Option<Timestamp>,
    },
    /// The row cannot be opened.
    #[error("the credential {key} cannot be opened: {source}")]
    Sealed {
        /// Whose.
        key: CredentialKey,
        /// Why.
        source: VaultError,
    },
    /// The database holds an older row than it did.
    #[error(
        "the row of {key} is older than one that was seen (revision {found} after {seen}); somebody put an old copy \
         back: enter the secret again or connect the account again"
    )]
    RolledBack {
        /// Whose.
        key: CredentialKey,
        /// The newest revision that was seen.
        seen: u64,
        /// The revision that is there now.
        found: u64,
    },
    /// The store.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// Two people wrote at once.
    #[error("somebody else changed the credential {0} at the same moment; look at it and try again")]
    Conflict(CredentialKey),
    /// No loaded plugin uses it.
    #[error(
        "no loaded plugin gets tokens by the credential {0}; check the names, and that the plugin is loaded"
    )]
    NotDeclared(CredentialKey),
    /// A field that is none.
    #[error(
        "a field of a secret has a name of 1 to 64 letters, digits, `_` or `-`, and at most 64 KiB of text"
    )]
    Field,
}

impl From<StoreError> for KeeperError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Why a renewal did not succeed this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers.
    Unreachable,
    /// The address is not allowed by the grant.
    NotAllowed,
    /// The server is overloaded or asks to wait.
    Busy,
    /// The server failed, or its answer was lost.
    NoAnswer,
    /// The answer is none of a token endpoint.
    BadAnswer,
    /// Another node is at it.
    Elsewhere,
    /// A new token came and cannot be stored; it is kept in memory and the store tried again.
    NotStored,
    /// A defect: the task that renewed ended without a word.
    Aborted,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "the token endpoint cannot be reached",
            Self::NotAllowed => "the grant does not allow the address of the token endpoint",
            Self::Busy => "the token endpoint asks to wait",
            Self::NoAnswer => "the token endpoint gave no answer",
            Self::BadAnswer => "the answer is none of a token endpoint",
            Self::Elsewhere => "another node is renewing it and has not finished",
            Self::NotStored => "the new token could not be stored yet; check the database",
            Self::Aborted => "the renewal was aborted; the log says more",
        })
    }
}
