//! The plugins' entries in SQLite.

use jiff::Timestamp;

use super::{SqliteStore, failed};
use crate::{Answer, PluginEntry, PluginId, PluginLimits, PluginStore, PluginStoreError, TenantId};

const READING: &str = "read a plugin's entry from";
const WRITING: &str = "write a plugin's entry to";

impl PluginStore for SqliteStore {
    fn entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
        now: Timestamp,
    ) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            sqlx::query_scalar(
                "SELECT value FROM plugin_entries
                 WHERE tenant = $1 AND plugin = $2 AND key = $3 AND (expires_at IS NULL OR expires_at > $4)",
            )
            .bind(tenant.as_str())
            .bind(plugin.as_str())
            .bind(key)
            .bind(now.as_microsecond())
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| failed(READING, e))
        })
    }

    fn set_entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        entry: PluginEntry,
        limits: PluginLimits,
        now: Timestamp,
    ) -> Answer<'a, (), PluginStoreError> {
        Box::pin(async move {
            let mut tx = self.write(WRITING).await?;
            sqlx::query("DELETE FROM plugin_entries WHERE tenant = $1 AND plugin = $2 AND expires_at <= $3")
                .bind(tenant.as_str())
                .bind(plugin.as_str())
                .bind(now.as_microsecond())
                .execute(&mut *tx)
                .await
                .map_err(|e| failed(WRITING, e))?;
            // What there is beside the key that is to be set.
            let (entries, bytes): (i64, i64) = sqlx::query_as(
                "SELECT count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0)
                 FROM plugin_entries WHERE tenant = $1 AND plugin = $2 AND key <> $3",
            )
            .bind(tenant.as_str())
            .bind(plugin.as_str())
            .bind(&entry.key)
            .fetch_one(&mut *tx)
            .await
            .map_err(|e| failed(WRITING, e))?;
            limits.admit(entries.unsigned_abs(), bytes.unsigned_abs(), &entry)?;
            sqlx::query(
                "INSERT INTO plugin_entries (tenant, plugin, key, value, expires_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (tenant, plugin, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
            )
            .bind(tenant.as_str())
            .bind(plugin.as_str())
            .bind(&entry.key)
            .bind(&entry.value)
            .bind(entry.expires_at.map(Timestamp::as_microsecond))
            .execute(&mut *tx)
            .await
            .map_err(|e| failed(WRITING, e))?;
            tx.commit().await.map_err(|e| failed(WRITING, e))?;
            Ok(())
        })
    }

    fn delete_entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(async move {
            let done =
                sqlx::query("DELETE FROM plugin_entries WHERE tenant = $1 AND plugin = $2 AND key = $3")
                    .bind(tenant.as_str())
                    .bind(plugin.as_str())
                    .bind(key)
                    .execute(&self.writer)
                    .await
                    .map_err(|e| failed(WRITING, e))?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn delete_all_entries<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, u64> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM plugin_entries WHERE tenant = $1 AND plugin = $2")
                .bind(tenant.as_str())
                .bind(plugin.as_str())
                .execute(&self.writer)
                .await
                .map_err(|e| failed(WRITING, e))?;
            Ok(done.rows_affected())
        })
    }
}
