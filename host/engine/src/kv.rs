//! The plugin's own small store, as the host offers it. Where it is kept is the embedder's choice.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use ramal_capability::{Limits, PluginId, TenantId};
use tokio::time::Instant;

/// Why a value was not kept or not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// More entries or bytes than the grant allows.
    #[error("the plugin's store is full")]
    Full,
    /// The storage did not answer.
    #[error("the plugin's store is not available")]
    Unavailable,
}

/// Keys and values of plugins, apart for each tenant and plugin.
pub trait PluginStore: Send + Sync + 'static {
    /// The value of a key that has not expired.
    fn get<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, KeepError>>;

    /// Keeps a value, within `limits`.
    fn set<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<(), KeepError>>;

    /// Forgets a key.
    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), KeepError>>;
}

type Shelf = HashMap<String, (String, Option<Instant>)>;

/// A store in memory: for embedders without a database, `ramal call` and tests.
#[derive(Default)]
pub struct MemoryStore {
    shelves: Mutex<HashMap<(TenantId, PluginId), Shelf>>,
}

impl MemoryStore {
    /// Everything that a plugin keeps now, by key: what a test of a plugin reads.
    pub fn entries(&self, tenant: &TenantId, plugin: &PluginId) -> BTreeMap<String, String> {
        self.with(tenant, plugin, |shelf| {
            shelf.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect()
        })
    }

    fn with<R>(&self, tenant: &TenantId, plugin: &PluginId, f: impl FnOnce(&mut Shelf) -> R) -> R {
        let mut shelves = self.shelves.lock();
        let shelf = shelves.entry((tenant.clone(), plugin.clone())).or_default();
        let now = Instant::now();
        shelf.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        f(shelf)
    }
}

impl PluginStore for MemoryStore {
    fn get<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, KeepError>> {
        Box::pin(async move {
            Ok(self.with(tenant, plugin, |shelf| shelf.get(key).map(|(value, _)| value.clone())))
        })
    }

    fn set<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<(), KeepError>> {
        Box::pin(async move {
            self.with(tenant, plugin, |shelf| {
                let others = shelf.iter().filter(|(k, _)| k.as_str() != key);
                let others = others.map(|(k, (value, _))| (k.as_str(), value.as_str()));
                if !limits.has_room(key, value, others) {
                    return Err(KeepError::Full);
                }
                let until = ttl.map(|ttl| Instant::now() + ttl);
                shelf.insert(key.to_owned(), (value.to_owned(), until));
                Ok(())
            })
        })
    }

    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), KeepError>> {
        Box::pin(async move {
            self.with(tenant, plugin, |shelf| shelf.remove(key));
            Ok(())
        })
    }
}
