//! The CRMs' secrets as the database keeps them: sealed by who is above, and never opened here.
//!
//! Two nodes may renew one credential at the same moment, and a server that rotates refresh tokens takes the
//! second use of one for theft and ends the whole consent. So every write names the revision that it replaces,
//! and who renews holds a lease.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::{CredentialId, UserId};
use uuid::Uuid;

use crate::{Answer, PluginId, TenantId};

/// Whose credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialKey {
    /// The company.
    pub tenant: TenantId,
    /// Its plugin.
    pub plugin: PluginId,
    /// The `[[credential]]` of the plugin's manifest.
    pub credential: CredentialId,
}

impl fmt::Display for CredentialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.plugin, self.credential)
    }
}

/// Something that only the holder of a wrapping key can read.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which wrapping key.
    pub key_id: String,
    /// The data key, wrapped.
    pub wrapped: Vec<u8>,
    /// The content, encrypted with the data key.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// One credential's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Whose.
    pub key: CredentialKey,
    /// Counts its writes from 1, through removal and return.
    pub revision: u64,
    /// The secret; `None` once it was removed.
    pub sealed: Option<Sealed>,
    /// When it was written last.
    pub updated_at: Timestamp,
}

/// Who may renew a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// The asker, until the time that it asked for.
    Granted,
    /// Another one, at most until this moment.
    Held(Timestamp),
}

/// A consent that a person has begun in the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// SHA-256 of the state that went with the person.
    pub state: [u8; 32],
    /// For which credential.
    pub key: CredentialKey,
    /// Who began it.
    pub admin: UserId,
    /// What the host needs to finish it.
    pub sealed: Sealed,
    /// From this moment on it is void.
    pub expires_at: Timestamp,
}

/// Sealed secrets, leases on their renewal, and consents under way. Every question names its tenant.
pub trait CredentialStore: Send + Sync + 'static {
    /// The row of a credential, one without a secret included.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn credential<'a>(&'a self, key: &'a CredentialKey) -> Answer<'a, Option<CredentialRow>>;

    /// The rows of a tenant that hold a secret, by plugin and name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn credentials<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<CredentialRow>>;

    /// Writes a row in the place of the one with revision `before` (0: of none), whose successor it must be. Says
    /// whether it did; `false` means that somebody else wrote in between.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn put_credential<'a>(&'a self, row: &'a CredentialRow, before: u64) -> Answer<'a, bool>;

    /// Replaces the wrapping of a row that still has this revision, which stays: the content is the same.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn rewrap_credential<'a>(
        &'a self,
        key: &'a CredentialKey,
        revision: u64,
        key_id: &'a str,
        wrapped: &'a [u8],
    ) -> Answer<'a, bool>;

    /// Asks for the right to renew a credential for some time from `now` on. Who holds it already gets it again.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn lease_credential<'a>(
        &'a self,
        key: &'a CredentialKey,
        holder: Uuid,
        now: Timestamp,
        time: Duration,
    ) -> Answer<'a, Lease>;

    /// Gives the right back. Nothing happens if another one holds it by now.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn release_credential<'a>(&'a self, key: &'a CredentialKey, holder: Uuid) -> Answer<'a, ()>;

    /// Notes a consent that a person begins, and forgets the tenant's void ones.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn begin_consent<'a>(&'a self, consent: &'a ConsentRow, now: Timestamp) -> Answer<'a, ()>;

    /// Takes a consent out: it is given once, void or not.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn take_consent<'a>(
        &'a self,
        tenant: &'a TenantId,
        state: &'a [u8; 32],
    ) -> Answer<'a, Option<ConsentRow>>;
}

/// The end of a lease; a time beyond all dates is the last of them.
pub(crate) fn lease_end(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}
