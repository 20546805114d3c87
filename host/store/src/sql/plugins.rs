//! The plugins' entries. Compiled once for each backend.

use jiff::Timestamp;

use super::{Backend, failed};
use crate::{
    Answer, PluginEntry, PluginId, PluginLimits, PluginStore, PluginStoreError, StoreError, TenantId,
};

const READING: &str = "read a plugin's entry from";
const WRITING: &str = "write a plugin's entry to";

impl PluginStore for Backend {
    fn entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
        now: Timestamp,
    ) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            sqlx::query_scalar(
                "SELECT value FROM plugin_entries
                 WHERE tenant = $1 AND plugin = $2 AND key = $3 AND (expires_at IS NULL OR expires_at > $4)",
            )
            .bind(tenant.as_str())
            .bind(plugin.as_str())
            .bind(key.as_bytes())
            .bind(now.as_microsecond())
            .fetch_optional(&mut *tx)
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
        let (whose, plugin) = (tenant.clone(), plugin.clone());
        Box::pin(self.writer.run(tenant, WRITING, move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "DELETE FROM plugin_entries WHERE tenant = $1 AND plugin = $2 AND expires_at <= $3",
                )
                .bind(whose.as_str())
                .bind(plugin.as_str())
                .bind(now.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                // What there is beside the key that is to be set.
                let (entries, bytes): (i64, i64) = sqlx::query_as(
                    "SELECT count(*), CAST(coalesce(sum(length(key) + length(value)), 0) AS BIGINT)
                     FROM plugin_entries WHERE tenant = $1 AND plugin = $2 AND key <> $3",
                )
                .bind(whose.as_str())
                .bind(plugin.as_str())
                .bind(entry.key.as_bytes())
                .fetch_one(&mut *conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                limits.admit(entries.unsigned_abs(), bytes.unsigned_abs(), &entry)?;
                sqlx::query(
                    "INSERT INTO plugin_entries (tenant, plugin, key, value, expires_at) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (tenant, plugin, key)
                     DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
                )
                .bind(whose.as_str())
                .bind(plugin.as_str())
                .bind(entry.key.as_bytes())
                .bind(&entry.value)
                .bind(entry.expires_at.map(Timestamp::as_microsecond))
                .execute(&mut *conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                Ok(())
            })
        }))
    }

    fn delete_entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> Answer<'a, bool> {
        let (whose, plugin, key) = (tenant.clone(), plugin.clone(), key.to_owned());
        Box::pin(self.writer.run(tenant, WRITING, move |conn| {
            Box::pin(async move {
                let done =
                    sqlx::query("DELETE FROM plugin_entries WHERE tenant = $1 AND plugin = $2 AND key = $3")
                        .bind(whose.as_str())
                        .bind(plugin.as_str())
                        .bind(key.as_bytes())
                        .execute(conn)
                        .await
                        .map_err(|e| failed(WRITING, e))?;
                Ok::<_, StoreError>(done.rows_affected() > 0)
            })
        }))
    }

    fn delete_all_entries<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, u64> {
        let (whose, plugin) = (tenant.clone(), plugin.clone());
        Box::pin(self.writer.run(tenant, WRITING, move |conn| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM plugin_entries WHERE tenant = $1 AND plugin = $2")
                    .bind(whose.as_str())
                    .bind(plugin.as_str())
                    .execute(conn)
                    .await
                    .map_err(|e| failed(WRITING, e))?;
                Ok::<_, StoreError>(done.rows_affected())
            })
        }))
    }
}
