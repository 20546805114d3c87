//! The log of live events. Compiled once for each backend.

use futures_util::FutureExt;
use jiff::Timestamp;
use sqlx::Row as _;
use uuid::Uuid;

use super::{Backend, Conn, Row, failed, tell_live, unreadable};
use crate::{
    Answer, InteractionId, LiveEvent, LiveId, LivePage, LiveStore, NewLive, OutboxBell, StoreError, TenantId,
};

const READING: &str = "read live events from";
const WRITING: &str = "write a live event to";

/// How many events may be past the cap before they are removed: a removal for each new one would double the work.
const SLACK: i64 = 64;

/// Adds a live event inside the writer's transaction.
pub(super) async fn append_live(
    conn: &mut Conn,
    cap: u32,
    tenant: &TenantId,
    live: &NewLive,
    at: Timestamp,
) -> Result<LiveId, StoreError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO live_heads AS head (tenant, last_id) VALUES ($1, 1)
         ON CONFLICT (tenant) DO UPDATE SET last_id = head.last_id + 1 RETURNING last_id",
    )
    .bind(tenant.as_str())
    .fetch_one(&mut *conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    if id == 1 {
        // So that a check knows whose data there is.
        sqlx::query("INSERT INTO tenants (tenant) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(tenant.as_str())
            .execute(&mut *conn)
            .await
            .map_err(|e| failed(WRITING, e))?;
    }
    sqlx::query(
        "INSERT INTO live_events (tenant, id, kind, interaction, body, at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(&live.kind)
    .bind(live.interaction.map(|i| i.0))
    .bind(&live.body)
    .bind(at.as_microsecond())
    .execute(&mut *conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    tell_live(conn, tenant, WRITING).await?;
    if id % SLACK == 0 {
        sqlx::query("DELETE FROM live_events WHERE tenant = $1 AND id <= $2")
            .bind(tenant.as_str())
            .bind(id.saturating_sub(i64::from(cap)))
            .execute(&mut *conn)
            .await
            .map_err(|e| failed(WRITING, e))?;
    }
    Ok(LiveId(id.unsigned_abs()))
}

/// The newest id given out, 0 when none was.
pub(super) async fn last_id(
    conn: &mut Conn,
    tenant: &TenantId,
    doing: &'static str,
) -> Result<LiveId, StoreError> {
    let last: Option<i64> = sqlx::query_scalar("SELECT last_id FROM live_heads WHERE tenant = $1")
        .bind(tenant.as_str())
        .fetch_optional(conn)
        .await
        .map_err(|e| failed(doing, e))?;
    Ok(LiveId(last.unwrap_or(0).unsigned_abs()))
}

impl LiveStore for Backend {
    fn live_bell(&self) -> &OutboxBell {
        &self.live_bell
    }

    fn live_after<'a>(&'a self, tenant: &'a TenantId, after: LiveId, limit: u32) -> Answer<'a, LivePage> {
        Box::pin(async move {
            let mut tx = self.read(tenant, READING).await?;
            let last = last_id(&mut tx, tenant, READING).await?;
            // What is past the cap is as good as removed, also while it is still there.
            let past = i64::try_from(last.0).unwrap_or(i64::MAX).saturating_sub(i64::from(self.live_events));
            let oldest: Option<i64> =
                sqlx::query_scalar("SELECT min(id) FROM live_events WHERE tenant = $1 AND id > $2")
                    .bind(tenant.as_str())
                    .bind(past)
                    .fetch_one(&mut *tx)
                    .await
                    .map_err(|e| failed(READING, e))?;
            let rows = sqlx::query(
                "SELECT id, kind, interaction, body, at FROM live_events
                 WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3",
            )
            .bind(tenant.as_str())
            .bind(i64::try_from(after.0).unwrap_or(i64::MAX).max(past))
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| failed(READING, e))?;
            let events = rows.iter().map(event).collect::<Result<_, _>>()?;
            let oldest = oldest.map_or(LiveId(last.0.saturating_add(1)), |id| LiveId(id.unsigned_abs()));
            Ok(LivePage { oldest, last, events })
        })
    }

    fn tell<'a>(&'a self, tenant: &'a TenantId, live: NewLive, at: Timestamp) -> Answer<'a, LiveId> {
        let (whose, cap) = (tenant.clone(), self.live_events);
        Box::pin(self.writer.run(tenant, WRITING, move |conn| {
            async move { append_live(conn, cap, &whose, &live, at).await }.boxed()
        }))
    }
}

fn event(row: &Row) -> Result<LiveEvent, StoreError> {
    let get = |e| failed(READING, e);
    Ok(LiveEvent {
        id: LiveId(row.try_get::<i64, _>("id").map_err(get)?.unsigned_abs()),
        kind: row.try_get("kind").map_err(get)?,
        interaction: row.try_get::<Option<Uuid>, _>("interaction").map_err(get)?.map(InteractionId),
        body: row.try_get("body").map_err(get)?,
        at: Timestamp::from_microsecond(row.try_get("at").map_err(get)?)
            .map_err(|_| unreadable(READING, "at"))?,
    })
}
