//! What a plugin keeps between calls: small values under keys, with a time to live and hard totals.

use std::fmt;

use jiff::Timestamp;

use crate::{Answer, PluginId, StoreError, TenantId};

/// One value under a key.
#[derive(Clone, PartialEq, Eq)]
pub struct PluginEntry {
    /// The plugin's name for it.
    pub key: String,
    /// The value, any bytes.
    pub value: Vec<u8>,
    /// From this moment on it is gone; `None` keeps it until it is deleted.
    pub expires_at: Option<Timestamp>,
}

impl PluginEntry {
    /// What the entry costs of [`PluginLimits::bytes`]: its key and its value.
    pub fn cost(&self) -> u64 {
        (self.key.len() as u64).saturating_add(self.value.len() as u64)
    }
}

// A plugin may keep what it likes, so nothing of it is printed.
impl fmt::Debug for PluginEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginEntry").field("bytes", &self.value.len()).finish_non_exhaustive()
    }
}

/// How much one plugin may keep for one tenant. The caller knows the grant, so it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginLimits {
    /// Entries that have not expired.
    pub entries: u32,
    /// Bytes of all keys and values together.
    pub bytes: u64,
}

impl PluginLimits {
    /// Whether the entry fits beside `entries` others of `bytes` in all.
    pub(crate) fn admit(self, entries: u64, bytes: u64, entry: &PluginEntry) -> Result<(), PluginStoreError> {
        if entries >= u64::from(self.entries) {
            return Err(PluginStoreError::TooManyEntries { limit: self.entries });
        }
        let wanted = bytes.saturating_add(entry.cost());
        if wanted > self.bytes {
            return Err(PluginStoreError::TooManyBytes { wanted, limit: self.bytes });
        }
        Ok(())
    }
}

/// Why a plugin's value was not kept.
#[derive(Debug, thiserror::Error)]
pub enum PluginStoreError {
    /// One entry more would be too many.
    #[error(
        "the plugin's store is full: {limit} entries are allowed; delete some or give them a time to live"
    )]
    TooManyEntries {
        /// The limit.
        limit: u32,
    },
    /// The bytes would be too many.
    #[error("the plugin's store is full: {wanted} bytes wanted, {limit} allowed; keep less or delete some")]
    TooManyBytes {
        /// What the store would hold afterwards.
        wanted: u64,
        /// The limit.
        limit: u64,
    },
    /// The store itself failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The plugins' own entries. One plugin never sees another's, nor the same plugin's of another tenant.
pub trait PluginStore: Send + Sync + 'static {
    /// The value under the key, unless it has expired at `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
        now: Timestamp,
    ) -> Answer<'a, Option<Vec<u8>>>;

    /// Puts a value under its key, in place of what is there. Entries that expired are removed first, so they cost
    /// nothing.
    ///
    /// # Errors
    /// When the limits would be passed (nothing is changed then), or the store cannot be written.
    fn set_entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        entry: PluginEntry,
        limits: PluginLimits,
        now: Timestamp,
    ) -> Answer<'a, (), PluginStoreError>;

    /// Removes a key; says whether there was something.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn delete_entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> Answer<'a, bool>;

    /// Removes all that the plugin keeps for the tenant, as when it is uninstalled; says how many entries went.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn delete_all_entries<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, u64>;
}
