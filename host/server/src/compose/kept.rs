//! The plugins' own keys and values, in the host's store.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ramal_capability::{Limits, PluginId, TenantId};
use ramal_engine::KeepError;
use ramal_store::{PluginEntry, PluginLimits, PluginStore, PluginStoreError, StoreError};

pub(super) struct KeptInStore<S: ?Sized>(pub(super) Arc<S>);

impl<S: PluginStore + ?Sized> ramal_engine::PluginStore for KeptInStore<S> {
    fn get<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, KeepError>> {
        Box::pin(async move {
            let bytes = self.0.entry(tenant, plugin, key, Timestamp::now()).await.map_err(unavailable)?;
            // Only texts were put there; anything else is as good as absent.
            Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
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
            let now = Timestamp::now();
            let expires_at = match ttl {
                Some(ttl) => Some(now.checked_add(ttl).map_err(|_| KeepError::Full)?),
                None => None,
            };
            let entry = PluginEntry { key: key.to_owned(), value: value.as_bytes().to_vec(), expires_at };
            let limits = PluginLimits {
                entries: u32::try_from(limits.store_entries).unwrap_or(u32::MAX),
                bytes: limits.store_bytes,
            };
            self.0.set_entry(tenant, plugin, entry, limits, now).await.map_err(|error| match error {
                PluginStoreError::TooManyEntries { .. } | PluginStoreError::TooManyBytes { .. } => {
                    KeepError::Full
                }
                PluginStoreError::Store(error) => unavailable(error),
            })
        })
    }

    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), KeepError>> {
        Box::pin(
            async move { self.0.delete_entry(tenant, plugin, key).await.map(|_| ()).map_err(unavailable) },
        )
    }
}

fn unavailable(error: StoreError) -> KeepError {
    tracing::error!(%error, "the plugins' store did not answer");
    KeepError::Unavailable
}
