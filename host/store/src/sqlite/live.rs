//! The log of live events in SQLite.

use jiff::Timestamp;
use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};
use uuid::Uuid;

use super::{SqliteStore, failed, unreadable};
use crate::{Answer, InteractionId, LiveEvent, LiveId, LivePage, LiveStore, NewLive, StoreError, TenantId};

const READING: &str = "read live events from";
const WRITING: &str = "write a live event to";

impl SqliteStore {
    /// Adds a live event inside the writer's transaction and prunes what is past the cap.
    pub(super) async fn append_live(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        tenant: &TenantId,
        live: &NewLive,
        at: Timestamp,
    ) -> Result<LiveId, StoreError> {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO live_heads (tenant, last_id) VALUES ($1, 1)
             ON CONFLICT (tenant) DO UPDATE SET last_id = last_id + 1 RETURNING last_id",
        )
        .bind(tenant.as_str())
        .fetch_one(&mut **tx)
        .await
        .map_err(|e| failed(WRITING, e))?;
        sqlx::query(
            "INSERT INTO live_events (tenant, id, kind, interaction, body, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(tenant.as_str())
        .bind(id)
        .bind(&live.kind)
        .bind(live.interaction.map(|i| i.0.as_bytes().to_vec()))
        .bind(&live.body)
        .bind(at.as_microsecond())
        .execute(&mut **tx)
        .await
        .map_err(|e| failed(WRITING, e))?;
        sqlx::query("DELETE FROM live_events WHERE tenant = $1 AND id <= $2")
            .bind(tenant.as_str())
            .bind(id.saturating_sub(i64::from(self.live_events)))
            .execute(&mut **tx)
            .await
            .map_err(|e| failed(WRITING, e))?;
        Ok(LiveId(id.unsigned_abs()))
    }
}

/// The newest id given out, 0 when none was.
pub(super) async fn last_id(
    tx: &mut Transaction<'static, Sqlite>,
    tenant: &TenantId,
    doing: &'static str,
) -> Result<LiveId, StoreError> {
    let last: Option<i64> = sqlx::query_scalar("SELECT last_id FROM live_heads WHERE tenant = $1")
        .bind(tenant.as_str())
        .fetch_optional(&mut **tx)
        .await
        .map_err(|e| failed(doing, e))?;
    Ok(LiveId(last.unwrap_or(0).unsigned_abs()))
}

impl LiveStore for SqliteStore {
    fn live_after<'a>(&'a self, tenant: &'a TenantId, after: LiveId, limit: u32) -> Answer<'a, LivePage> {
        Box::pin(async move {
            let mut tx = self.read(READING).await?;
            let last = last_id(&mut tx, tenant, READING).await?;
            let oldest: Option<i64> = sqlx::query_scalar("SELECT min(id) FROM live_events WHERE tenant = $1")
                .bind(tenant.as_str())
                .fetch_one(&mut *tx)
                .await
                .map_err(|e| failed(READING, e))?;
            let rows = sqlx::query(
                "SELECT id, kind, interaction, body, at FROM live_events
                 WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3",
            )
            .bind(tenant.as_str())
            .bind(i64::try_from(after.0).unwrap_or(i64::MAX))
            .bind(limit)
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let events = rows.iter().map(event).collect::<Result<_, _>>()?;
            let oldest = oldest.map_or(LiveId(last.0.saturating_add(1)), |id| LiveId(id.unsigned_abs()));
            Ok(LivePage { oldest, last, events })
        })
    }
}

fn event(row: &SqliteRow) -> Result<LiveEvent, StoreError> {
    let get = |e| failed(READING, e);
    let interaction = row
        .try_get::<Option<Vec<u8>>, _>("interaction")
        .map_err(get)?
        .map(|bytes| Uuid::from_slice(&bytes).map(InteractionId))
        .transpose()
        .map_err(|_| unreadable(READING, "interaction"))?;
    Ok(LiveEvent {
        id: LiveId(row.try_get::<i64, _>("id").map_err(get)?.unsigned_abs()),
        kind: row.try_get("kind").map_err(get)?,
        interaction,
        body: row.try_get("body").map_err(get)?,
        at: Timestamp::from_microsecond(row.try_get("at").map_err(get)?)
            .map_err(|_| unreadable(READING, "at"))?,
    })
}
