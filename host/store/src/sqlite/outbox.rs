//! The outbox in SQLite: the shared queries, and the one that differs.

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

use super::{Backend, Conn, Row, failed, interactions, unreadable};
use crate::{StoreError, TenantId};
pub(super) use enqueue::insert;

/// Takes the lanes that are due the longest. There is one writer, so nobody else takes them meanwhile.
const LEASE_LANES: &str = "
    WITH due AS (
        SELECT tenant, target, lane FROM delivery_lanes
        WHERE tenant = $1 AND target = $2 AND due_at <= $3
            AND NOT EXISTS (SELECT 1 FROM delivery_targets
                WHERE tenant = $1 AND target = $2 AND paused_at IS NOT NULL)
        ORDER BY due_at LIMIT $4)
    UPDATE delivery_lanes SET lease = $5, due_at = $6
    WHERE (tenant, target, lane) IN (SELECT tenant, target, lane FROM due)
    RETURNING lane";

/// Only this process has the file open for writing, and it rings its own bell.
async fn tell_others(_: &mut Conn, _: &TenantId, _: &'static str) -> Result<(), StoreError> {
    Ok(())
}
