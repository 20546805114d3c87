//! Keys that encrypt other keys. Each record has a data key of its own; what is stored beside the record is that
//! key, wrapped. So a change of the wrapping key touches no record, and a key service sees no secret, only keys.

use std::fmt;

use aws_lc_rs::rand;
use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

/// A key for one record. Wiped from memory when dropped.
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, WrapError> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| WrapError::Random)?;
        Ok(Self(bytes))
    }
    /// One that was unwrapped.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
    /// The key's bytes. The caller answers for where they go.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<key>")
    }
}

/// A data key that only the wrapping key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Which wrapping key.
    pub key_id: String,
    /// The data key, encrypted.
    pub bytes: Vec<u8>,
}

/// Why a key could not be wrapped or unwrapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrapError {
    /// The system gave no random bytes.
    #[error("the system gave no random bytes; this machine cannot keep secrets")]
    Random,
    /// Wrapped by a key that is not there.
    #[error(
        "it was wrapped by the key `{0}`, which is not there; restore the key file that belongs to this database"
    )]
    UnknownKey(String),
    /// The wrapped key was changed, or belongs to another record.
    #[error("the wrapped key does not belong here; restore the row from a backup, or enter the secret again")]
    Forged,
    /// The keys cannot be read or written, or the service does not answer.
    #[error("{0}")]
    Unavailable(String),
}

/// Wraps data keys: a key file by default, a key management service where there is one.
pub trait KeyWrapper: Send + Sync {
    /// Wraps a key for a context, with the newest wrapping key.
    ///
    /// # Errors
    /// When the wrapping key cannot be used.
    fn wrap<'a>(&'a self, key: &'a DataKey, context: &'a [u8]) -> BoxFuture<'a, Result<Wrapped, WrapError>>;

    /// Unwraps a key. `context` is what it was wrapped for: a key that was wrapped for another record is refused.
    ///
    /// # Errors
    /// When the wrapping key is not there, or the wrapped key is not what was made.
    fn unwrap<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        context: &'a [u8],
    ) -> BoxFuture<'a, Result<DataKey, WrapError>>;

    /// Makes a new wrapping key, which wraps from now on; the older ones still unwrap. Gives its id.
    ///
    /// # Errors
    /// When none can be made or kept.
    fn rotate(&self) -> BoxFuture<'_, Result<String, WrapError>>;
}
