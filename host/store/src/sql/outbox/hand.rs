//! What a person does: replay what is dead, pause and resume a target, forget what was delivered. Compiled once for
//! each backend.

use jiff::Timestamp;
use uuid::Uuid;

use super::enqueue::join_lane;
use super::{Conn, failed, tell_others};
use crate::{DeliveryId, Failure, StoreError, TenantId};

pub(super) const REPLAYING: &str = "replay deliveries in";
pub(super) const PAUSING: &str = "pause or resume deliveries in";
pub(super) const PRUNING: &str = "remove old deliveries from";

/// Dead deliveries that are opened again in one transaction: others write in between.
pub(super) const REPLAY_AT_ONCE: u64 = 200;

/// Opens one dead delivery again.
pub(super) async fn replay(
    conn: &mut Conn,
    tenant: &TenantId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(Uuid, String, String)> = sqlx::query_as(
        "SELECT id, target, lane FROM deliveries WHERE tenant = $1 AND id = $2 AND state = 'dead'",
    )
    .bind(tenant.as_str())
    .bind(id.0)
    .fetch_optional(&mut *conn)
    .await
    .map_err(|e| failed(REPLAYING, e))?;
    match row {
        Some(row) => reopen(conn, tenant, row, now).await,
        None => Ok(false),
    }
}

/// Opens some dead deliveries of a target again, the oldest first; says how many there were. Those that died after
/// `now` stay: they have been replayed already.
pub(super) async fn replay_some(
    conn: &mut Conn,
    tenant: &TenantId,
    target: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
        "SELECT id, target, lane FROM deliveries
         WHERE tenant = $1 AND state = 'dead' AND target = $2 AND settled_at <= $3 ORDER BY id LIMIT $4",
    )
    .bind(tenant.as_str())
    .bind(target)
    .bind(now.as_microsecond())
    .bind(REPLAY_AT_ONCE.cast_signed())
    .fetch_all(&mut *conn)
    .await
    .map_err(|e| failed(REPLAYING, e))?;
    let found = rows.len() as u64;
    for row in rows {
        reopen(conn, tenant, row, now).await?;
    }
    Ok(found)
}

async fn reopen(
    conn: &mut Conn,
    tenant: &TenantId,
    (id, target, lane): (Uuid, String, String),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let seq = join_lane(conn, tenant, &target, &lane, now, REPLAYING).await?;
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'open', seq = $3, tries = 0, first_tried_at = NULL, settled_at = NULL,
             not_before = $4
         WHERE tenant = $1 AND id = $2 AND state = 'dead'",
    )
    .bind(tenant.as_str())
    .bind(id)
    .bind(seq)
    .bind(now.as_microsecond())
    .execute(conn)
    .await
    .map_err(|e| failed(REPLAYING, e))?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn pause(
    conn: &mut Conn,
    tenant: &TenantId,
    target: &str,
    reason: &Failure,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The first reason stays: what follows from it says less.
    sqlx::query(
        "INSERT INTO delivery_targets AS known (tenant, target, paused_at, pause_code, pause_text)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant, target) DO UPDATE SET paused_at = excluded.paused_at,
             pause_code = excluded.pause_code, pause_text = excluded.pause_text
         WHERE known.paused_at IS NULL",
    )
    .bind(tenant.as_str())
    .bind(target)
    .bind(now.as_microsecond())
    .bind(&reason.code)
    .bind(&reason.text)
    .execute(conn)
    .await
    .map_err(|e| failed(PAUSING, e))?;
    Ok(())
}

pub(super) async fn resume(conn: &mut Conn, tenant: &TenantId, target: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE delivery_targets SET paused_at = NULL, pause_code = NULL, pause_text = NULL
         WHERE tenant = $1 AND target = $2 AND paused_at IS NOT NULL",
    )
    .bind(tenant.as_str())
    .bind(target)
    .execute(&mut *conn)
    .await
    .map_err(|e| failed(PAUSING, e))?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    tell_others(conn, tenant, PAUSING).await?;
    // The day to be delivered in begins anew.
    sqlx::query(
        "UPDATE deliveries SET first_tried_at = NULL, tries = 0
         WHERE tenant = $1 AND target = $2 AND state = 'open' AND tries > 0",
    )
    .bind(tenant.as_str())
    .bind(target)
    .execute(conn)
    .await
    .map_err(|e| failed(PAUSING, e))?;
    Ok(true)
}

pub(super) async fn prune(
    conn: &mut Conn,
    tenant: &TenantId,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM deliveries WHERE tenant = $1 AND id IN (SELECT id FROM deliveries
             WHERE tenant = $1 AND state = 'done' AND settled_at < $2 ORDER BY id LIMIT $3)",
    )
    .bind(tenant.as_str())
    .bind(before.as_microsecond())
    .bind(i64::from(limit))
    .execute(conn)
    .await
    .map_err(|e| failed(PRUNING, e))?;
    Ok(done.rows_affected())
}
