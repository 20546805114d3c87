//! Deliveries coming in. Compiled once for each backend.
//!
//! A lane's row is what everybody meets at. Whoever adds to a lane, takes from it or gives it back changes that row
//! first and so waits for whoever does the same: the order within a lane is the order of those changes, and a delivery
//! that comes in while the last one is settled cannot be overlooked. `due_at` is when to look at the lane next: the
//! time of its oldest delivery, or the end of the lease on it, so that a worker that died gives back what it held.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Conn, failed, tell_others};
use crate::{NewDelivery, StoreError, TenantId};

pub(super) const WRITING: &str = "write a delivery to";

/// Adds a delivery inside the transaction of the fact that it tells. False when its target has had the key before:
/// then nothing is added. Whoever commits rings the bell afterwards.
///
/// Where one transaction adds several, they come in the order of target and lane, so that two such transactions
/// cannot wait for each other.
pub(crate) async fn insert(conn: &mut Conn, new: &NewDelivery) -> Result<bool, StoreError> {
    let target = new.target.to_string();
    let known: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM deliveries WHERE tenant = $1 AND target = $2 AND key = $3",
    )
    .bind(new.tenant.as_str())
    .bind(&target)
    .bind(new.key)
    .fetch_optional(&mut *conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    if known.is_some() {
        return Ok(false);
    }
    sqlx::query("INSERT INTO delivery_targets (tenant, target) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(new.tenant.as_str())
        .bind(&target)
        .execute(&mut *conn)
        .await
        .map_err(|e| failed(WRITING, e))?;
    let seq = join_lane(conn, &new.tenant, &target, &new.lane.0, new.not_before, WRITING).await?;
    let added = sqlx::query(
        "INSERT INTO deliveries (tenant, id, target, lane, seq, interaction, step, key, payload, state, not_before, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11) ON CONFLICT (tenant, target, key) DO NOTHING",
    )
    .bind(new.tenant.as_str())
    .bind(time_ordered(new.at))
    .bind(&target)
    .bind(&new.lane.0)
    .bind(seq)
    .bind(new.interaction.map(|i| i.0))
    .bind(&new.step.0)
    .bind(new.key)
    .bind(&new.payload)
    .bind(new.not_before.as_microsecond())
    .bind(new.at.as_microsecond())
    .execute(&mut *conn)
    .await
    .map_err(|e| failed(WRITING, e))?;
    // Nothing added: somebody was quicker with the key. A lane without a delivery is removed when it is leased.
    Ok(added.rows_affected() == 1)
}

/// The next place in a lane, which is made when it is not there. Holds the lane until the transaction ends.
pub(super) async fn join_lane(
    conn: &mut Conn,
    tenant: &TenantId,
    target: &str,
    lane: &str,
    due: Timestamp,
    doing: &'static str,
) -> Result<i64, StoreError> {
    tell_others(conn, tenant, doing).await?;
    sqlx::query_scalar(
        "INSERT INTO delivery_lanes AS known (tenant, target, lane, last_seq, due_at) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (tenant, target, lane) DO UPDATE SET last_seq = known.last_seq + 1 RETURNING last_seq",
    )
    .bind(tenant.as_str())
    .bind(target)
    .bind(lane)
    .bind(due.as_microsecond())
    .fetch_one(conn)
    .await
    .map_err(|e| failed(doing, e))
}

fn time_ordered(at: Timestamp) -> Uuid {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}
