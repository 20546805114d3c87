//! Whether the store can take writes at this moment: what `/readyz` asks.

use crate::Answer;

/// A store that can say whether it is writable.
pub trait StoreHealth: Send + Sync + 'static {
    /// Takes the write lock and lets it go, changing nothing.
    ///
    /// # Errors
    /// When a write would fail now, with the reason and the cure.
    fn check_writable(&self) -> Answer<'_, ()>;
}
