//! Sealed secrets. Compiled once for each backend.

use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::{CredentialId, UserId};
use sqlx::Row as _;
use uuid::Uuid;

use super::{Backend, Row, failed, unreadable};
use crate::credential::lease_end;
use crate::{
    Answer, ConsentRow, CredentialKey, CredentialRow, CredentialStore, Lease, PluginId, Sealed, StoreError,
    TenantId,
};

const READING: &str = "read a credential from";
const WRITING: &str = "write a credential to";

/// The databases count in signed numbers; a revision never comes near their end.
fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

impl CredentialStore for Backend {
    fn credential<'a>(&'a self, key: &'a CredentialKey) -> Answer<'a, Option<CredentialRow>> {
        Box::pin(async move {
            let mut tx = self.read(&key.tenant, READING).await?;
            let row = sqlx::query(
                "SELECT tenant, plugin, credential, revision, key_id, wrapped, sealed, updated_at
                 FROM credentials WHERE tenant = $1 AND plugin = $2 AND credential = $3",
            )
            .bind(key.tenant.as_str())
            .bind(key.plugin.as_str())
            .bind(key.credential.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            row.as_ref().map(credential).transpose()
        })
    }

    fn credentials<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<CredentialRow>> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let rows = sqlx::query(
                "SELECT tenant, plugin, credential, revision, key_id, wrapped, sealed, updated_at
                 FROM credentials WHERE tenant = $1 AND sealed IS NOT NULL ORDER BY plugin, credential",
            )
            .bind(tenant.as_str())
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            rows.iter().map(credential).collect()
        })
    }

    fn put_credential<'a>(&'a self, row: &'a CredentialRow, before: u64) -> Answer<'a, bool> {
        let tenant = &row.key.tenant;
        let row = row.clone();
        Box::pin(self.writer.run(tenant, WRITING, move |conn| {
            Box::pin(async move {
                let statement = if before == 0 {
                    "INSERT INTO credentials
                         (tenant, plugin, credential, revision, key_id, wrapped, sealed, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
                } else {
                    "UPDATE credentials SET revision = $4, key_id = $5, wrapped = $6, sealed = $7, updated_at = $8
                     WHERE tenant = $1 AND plugin = $2 AND credential = $3 AND revision = $9"
                };
                let (key_id, wrapped, bytes) = match row.sealed {
                    Some(sealed) => (Some(sealed.key_id), Some(sealed.wrapped), Some(sealed.bytes)),
                    None => (None, None, None),
                };
                let mut query = sqlx::query(statement)
                    .bind(row.key.tenant.as_str())
                    .bind(row.key.plugin.as_str())
                    .bind(row.key.credential.as_str())
                    .bind(signed(row.revision))
                    .bind(key_id)
                    .bind(wrapped)
                    .bind(bytes)
                    .bind(row.updated_at.as_microsecond());
                if before > 0 {
                    query = query.bind(signed(before));
                }
                let done = query.execute(conn).await.map_err(|e| failed(WRITING, e))?;
                Ok::<_, StoreError>(done.rows_affected() == 1)
            })
        }))
    }

    fn rewrap_credential<'a>(
        &'a self,
        key: &'a CredentialKey,
        revision: u64,
        key_id: &'a str,
        wrapped: &'a [u8],
    ) -> Answer<'a, bool> {
        let (whose, key_id, wrapped) = (key.clone(), key_id.to_owned(), wrapped.to_vec());
        Box::pin(self.writer.run(&key.tenant, WRITING, move |conn| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE credentials SET key_id = $5, wrapped = $6
                     WHERE tenant = $1 AND plugin = $2 AND credential = $3 AND revision = $4
                       AND sealed IS NOT NULL",
                )
                .bind(whose.tenant.as_str())
                .bind(whose.plugin.as_str())
                .bind(whose.credential.as_str())
                .bind(signed(revision))
                .bind(key_id)
                .bind(wrapped)
                .execute(conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                Ok::<_, StoreError>(done.rows_affected() == 1)
            })
        }))
    }

    fn lease_credential<'a>(
        &'a self,
        key: &'a CredentialKey,
        holder: Uuid,
        now: Timestamp,
        time: Duration,
    ) -> Answer<'a, Lease> {
        let whose = key.clone();
        Box::pin(self.writer.run(&key.tenant, WRITING, move |conn| {
            Box::pin(async move {
                // One statement: it takes a free lease or leaves the held one as it is, and says which.
                let row = sqlx::query(
                    "INSERT INTO credential_leases AS lease (tenant, plugin, credential, holder, ends_at)
                     VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (tenant, plugin, credential) DO UPDATE SET
                         holder  = CASE WHEN lease.ends_at <= $6 OR lease.holder = excluded.holder
                                        THEN excluded.holder ELSE lease.holder END,
                         ends_at = CASE WHEN lease.ends_at <= $6 OR lease.holder = excluded.holder
                                        THEN excluded.ends_at ELSE lease.ends_at END
                     RETURNING holder, ends_at",
                )
                .bind(whose.tenant.as_str())
                .bind(whose.plugin.as_str())
                .bind(whose.credential.as_str())
                .bind(holder)
                .bind(lease_end(now, time).as_microsecond())
                .bind(now.as_microsecond())
                .fetch_one(conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                if row.try_get::<Uuid, _>("holder").map_err(|e| failed(WRITING, e))? == holder {
                    return Ok::<_, StoreError>(Lease::Granted);
                }
                Ok(Lease::Held(time_of(&row, "ends_at")?))
            })
        }))
    }

    fn release_credential<'a>(&'a self, key: &'a CredentialKey, holder: Uuid) -> Answer<'a, ()> {
        let whose = key.clone();
        Box::pin(self.writer.run(&key.tenant, WRITING, move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "DELETE FROM credential_leases
                     WHERE tenant = $1 AND plugin = $2 AND credential = $3 AND holder = $4",
                )
                .bind(whose.tenant.as_str())
                .bind(whose.plugin.as_str())
                .bind(whose.credential.as_str())
                .bind(holder)
                .execute(conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                Ok::<_, StoreError>(())
            })
        }))
    }

    fn begin_consent<'a>(&'a self, consent: &'a ConsentRow, now: Timestamp) -> Answer<'a, ()> {
        let row = consent.clone();
        Box::pin(self.writer.run(&consent.key.tenant, WRITING, move |conn| {
            Box::pin(async move {
                sqlx::query("DELETE FROM credential_consents WHERE tenant = $1 AND expires_at <= $2")
                    .bind(row.key.tenant.as_str())
                    .bind(now.as_microsecond())
                    .execute(&mut *conn)
                    .await
                    .map_err(|e| failed(WRITING, e))?;
                sqlx::query(
                    "INSERT INTO credential_consents
                         (tenant, state, plugin, credential, admin, key_id, wrapped, sealed, expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(row.key.tenant.as_str())
                .bind(row.state.to_vec())
                .bind(row.key.plugin.as_str())
                .bind(row.key.credential.as_str())
                .bind(row.admin.as_str())
                .bind(row.sealed.key_id)
                .bind(row.sealed.wrapped)
                .bind(row.sealed.bytes)
                .bind(row.expires_at.as_microsecond())
                .execute(&mut *conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                Ok::<_, StoreError>(())
            })
        }))
    }

    fn take_consent<'a>(
        &'a self,
        tenant: &'a TenantId,
        state: &'a [u8; 32],
    ) -> Answer<'a, Option<ConsentRow>> {
        let (whose, state) = (tenant.clone(), state.to_vec());
        Box::pin(self.writer.run(tenant, WRITING, move |conn| {
            Box::pin(async move {
                let row = sqlx::query(
                    "DELETE FROM credential_consents WHERE tenant = $1 AND state = $2
                     RETURNING tenant, state, plugin, credential, admin, key_id, wrapped, sealed, expires_at",
                )
                .bind(whose.as_str())
                .bind(state)
                .fetch_optional(conn)
                .await
                .map_err(|e| failed(WRITING, e))?;
                row.as_ref().map(consent).transpose()
            })
        }))
    }
}

// === From rows ===

fn text(row: &Row, column: &'static str) -> Result<String, StoreError> {
    row.try_get(column).map_err(|e| failed(READING, e))
}

fn bytes(row: &Row, column: &'static str) -> Result<Vec<u8>, StoreError> {
    row.try_get(column).map_err(|e| failed(READING, e))
}

fn time_of(row: &Row, column: &'static str) -> Result<Timestamp, StoreError> {
    let micros: i64 = row.try_get(column).map_err(|e| failed(READING, e))?;
    Timestamp::from_microsecond(micros).map_err(|_| unreadable(READING, column))
}

fn key(row: &Row) -> Result<CredentialKey, StoreError> {
    Ok(CredentialKey {
        tenant: TenantId::new(&text(row, "tenant")?).map_err(|_| unreadable(READING, "tenant"))?,
        plugin: PluginId::new(&text(row, "plugin")?).map_err(|_| unreadable(READING, "plugin"))?,
        credential: CredentialId::new(&text(row, "credential")?)
            .map_err(|_| unreadable(READING, "credential"))?,
    })
}

fn sealed(row: &Row, key_id: String) -> Result<Sealed, StoreError> {
    Ok(Sealed { key_id, wrapped: bytes(row, "wrapped")?, bytes: bytes(row, "sealed")? })
}

fn credential(row: &Row) -> Result<CredentialRow, StoreError> {
    let key_id: Option<String> = row.try_get("key_id").map_err(|e| failed(READING, e))?;
    let revision: i64 = row.try_get("revision").map_err(|e| failed(READING, e))?;
    Ok(CredentialRow {
        key: key(row)?,
        revision: u64::try_from(revision).map_err(|_| unreadable(READING, "revision"))?,
        sealed: key_id.map(|key_id| sealed(row, key_id)).transpose()?,
        updated_at: time_of(row, "updated_at")?,
    })
}

fn consent(row: &Row) -> Result<ConsentRow, StoreError> {
    Ok(ConsentRow {
        state: bytes(row, "state")?.try_into().map_err(|_| unreadable(READING, "state"))?,
        key: key(row)?,
        admin: UserId::new(&text(row, "admin")?).map_err(|_| unreadable(READING, "admin"))?,
        sealed: sealed(row, text(row, "key_id")?)?,
        expires_at: time_of(row, "expires_at")?,
    })
}
