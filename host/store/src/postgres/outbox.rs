//! The outbox in PostgreSQL: the shared queries, the one that differs, and the ring that other processes hear.

#[path = "../sql/outbox/enqueue.rs"]
mod enqueue;
#[path = "../sql/outbox/hand.rs"]
mod hand;
#[path = "../sql/outbox/read.rs"]
mod read;
#[path = "../sql/outbox/store.rs"]
mod store;
#[path = "../sql/outbox/work.rs"]
mod work;

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};

use super::{Backend, Conn, Row, failed, interactions, unreadable};
use crate::{OutboxBell, StoreError, TenantId};
pub(super) use enqueue::insert;

/// Where processes tell each other that a tenant has something due.
const CHANNEL: &str = "ramal_outbox";
/// The wait after a failure to listen.
const AGAIN: Duration = Duration::from_secs(5);

/// Takes the lanes that are due the longest. Workers of several processes pass over what another is taking.
const LEASE_LANES: &str = "
    WITH due AS MATERIALIZED (
        SELECT tenant, target, lane FROM delivery_lanes
        WHERE tenant = $1 AND target = $2 AND due_at <= $3
            AND NOT EXISTS (SELECT 1 FROM delivery_targets
                WHERE tenant = $1 AND target = $2 AND paused_at IS NOT NULL)
        ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
    UPDATE delivery_lanes AS l SET lease = $5, due_at = $6 FROM due
    WHERE l.tenant = due.tenant AND l.target = due.target AND l.lane = due.lane
    RETURNING l.lane";

/// Tells every process over this database, once the transaction is committed.
async fn tell_others(conn: &mut Conn, tenant: &TenantId, doing: &'static str) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(tenant.as_str())
        .execute(conn)
        .await
        .map_err(|e| failed(doing, e))?;
    Ok(())
}

/// Rings this process's bell for what others store. Ends with the pool.
pub(super) fn listen(pool: PgPool, bell: OutboxBell) {
    tokio::spawn(async move {
        while !pool.is_closed() {
            if let Err(error) = pass_on(&pool, &bell).await
                && !pool.is_closed()
            {
                tracing::warn!(%error, "other processes are not heard at the moment; deliveries of theirs may wait");
                tokio::time::sleep(AGAIN).await;
            }
        }
    });
}

async fn pass_on(pool: &PgPool, bell: &OutboxBell) -> Result<(), sqlx::Error> {
    let mut others = PgListener::connect_with(pool).await?;
    others.listen(CHANNEL).await?;
    // What was stored while nobody listened.
    bell.ring_for_all();
    while let Some(told) = others.try_recv().await? {
        match TenantId::new(told.payload()) {
            Ok(tenant) => bell.ring(&tenant),
            Err(_) => bell.ring_for_all(),
        }
    }
    // The connection was lost.
    Ok(())
}
