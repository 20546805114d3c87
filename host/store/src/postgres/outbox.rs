//! The outbox in PostgreSQL: the shared queries, and the one that differs.

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

use super::{Backend, Conn, Row, failed, interactions, others, unreadable};
use crate::{StoreError, TenantId};
pub(super) use enqueue::insert;

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

/// Tells every process over this database that a tenant has something due, once the transaction is committed.
async fn tell_others(conn: &mut Conn, tenant: &TenantId, doing: &'static str) -> Result<(), StoreError> {
    others::tell(conn, others::OUTBOX, tenant, doing).await
}
