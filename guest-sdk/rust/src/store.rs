//! The plugin's small store: cursors and caches of what is not personal.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::host::Backend;
#[cfg(target_family = "wasm")]
use crate::host::Host as _;

/// A key-value store of the plugin's own, apart for each tenant. From [`Cx::store`](crate::Cx::store).
///
/// A value that holds a seal is refused: it would open nothing in the next call.
#[derive(Clone, Copy)]
pub struct Store<'a> {
    host: &'a Backend,
}

impl<'a> Store<'a> {
    pub(crate) fn new(host: &'a Backend) -> Self {
        Self { host }
    }
    /// The value of a key, if it is there and has not expired.
    ///
    /// # Errors
    /// When the key is not allowed or the host's storage does not answer.
    pub fn get(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        self.host.get(key)
    }
    /// Keeps a value until it is replaced or deleted.
    ///
    /// # Errors
    /// When it is refused, the store is full, or the host's storage does not answer.
    pub fn set(&self, key: &str, value: &str) -> Result<(), StoreFailure> {
        self.host.set(key, value, None)
    }
    /// Keeps a value for at most so many seconds.
    ///
    /// # Errors
    /// As [`Store::set`].
    pub fn set_for(&self, seconds: u32, key: &str, value: &str) -> Result<(), StoreFailure> {
        self.host.set(key, value, Some(seconds))
    }
    /// Forgets a key. No error if it is not there.
    ///
    /// # Errors
    /// When the key is not allowed or the host's storage does not answer.
    pub fn delete(&self, key: &str) -> Result<(), StoreFailure> {
        self.host.delete(key)
    }
    /// The value of a key as data.
    ///
    /// # Errors
    /// As [`Store::get`]; [`Error::Permanent`](crate::Error::Permanent) if the value does not fit `T`.
    pub fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        Ok(match self.get(key)? {
            Some(text) => Some(serde_json::from_str(&text)?),
            None => None,
        })
    }
    /// Keeps data for at most so many seconds.
    ///
    /// # Errors
    /// As [`Store::set`]; [`Error::Permanent`](crate::Error::Permanent) if `value` is no JSON.
    pub fn set_json_for(&self, seconds: u32, key: &str, value: &(impl Serialize + ?Sized)) -> Result<()> {
        Ok(self.set_for(seconds, key, &serde_json::to_string(value)?)?)
    }
}

/// Why the store did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreFailure {
    /// More entries or bytes than the grant allows.
    Full,
    /// A key or a value that is not allowed; the text says why.
    Refused(String),
    /// The host's storage did not answer.
    Unavailable,
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the plugin's store is full; delete keys, or ask for a larger one"),
            Self::Refused(text) => write!(f, "the store refused: {text}"),
            Self::Unavailable => f.write_str("the plugin's store does not answer"),
        }
    }
}
impl std::error::Error for StoreFailure {}
