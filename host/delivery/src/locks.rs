//! One try of a key at a time within this process.
//!
//! A plugin that looks first and writes then would write twice if two tries of one key ran side by side. Leases keep
//! tries apart as long as they hold; a lock keeps them apart also when a lease ran out under a try that still runs.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

#[derive(Debug)]
pub(crate) struct KeyLocks<K: Eq + Hash>(Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>);

impl<K: Eq + Hash> Default for KeyLocks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> KeyLocks<K> {
    /// Waits until nobody else has the key.
    pub(crate) async fn lock(self: &Arc<Self>, key: K) -> KeyGuard<K> {
        let lock = Arc::clone(self.0.lock().entry(key.clone()).or_default());
        KeyGuard { held: Some(lock.lock_owned().await), locks: Arc::clone(self), key }
    }

    #[cfg(test)]
    fn known(&self) -> usize {
        self.0.lock().len()
    }
}

/// Holds a key until it is dropped.
#[derive(Debug)]
pub(crate) struct KeyGuard<K: Eq + Hash> {
    held: Option<OwnedMutexGuard<()>>,
    locks: Arc<KeyLocks<K>>,
    key: K,
}

impl<K: Eq + Hash> Drop for KeyGuard<K> {
    fn drop(&mut self) {
        let mut locks = self.locks.0.lock();
        self.held = None;
        // Nobody else holds it or waits for it: only the map itself still knows it.
        if locks.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_key_is_held_by_one_and_forgotten_after_the_last() {
        let locks = Arc::new(KeyLocks::default());
        let first = locks.lock("a").await;
        let other = locks.lock("b").await;
        let mut second = Box::pin(locks.lock("a"));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        let second = second.await;
        assert_eq!(locks.known(), 2);
        drop((second, other));
        assert_eq!(locks.known(), 0);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_behind() {
        let locks = Arc::new(KeyLocks::default());
        let first = locks.lock("a").await;
        assert!(locks.lock("a").now_or_never().is_none());
        drop(first);
        assert_eq!(locks.known(), 0);
    }
}
