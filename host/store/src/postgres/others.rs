//! What the processes over one database tell each other: that a tenant has something due, or live events.
//!
//! Only bells, as within a process: the database is the truth, so who listens reads there, and looks everywhere when it
//! could not listen for a while.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};

use super::{Conn, failed};
use crate::{OutboxBell, StoreError, TenantId};

/// That a tenant has something due.
pub(super) const OUTBOX: &str = "ramal_outbox";
/// That a tenant has live events.
pub(super) const LIVE: &str = "ramal_live";
/// The wait after a failure to listen.
const AGAIN: Duration = Duration::from_secs(5);

/// The bells of this process.
#[derive(Debug, Clone, Default)]
pub(super) struct Bells {
    pub(super) outbox: OutboxBell,
    pub(super) live: OutboxBell,
}

impl Bells {
    fn ring_for_all(&self) {
        self.outbox.ring_for_all();
        self.live.ring_for_all();
    }
}

/// Tells every process over this database, once the transaction is committed; each thing once.
pub(super) async fn tell(
    conn: &mut Conn,
    channel: &'static str,
    tenant: &TenantId,
    doing: &'static str,
) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_notify($1, $2)")
        .bind(channel)
        .bind(tenant.as_str())
        .execute(conn)
        .await
        .map_err(|e| failed(doing, e))?;
    Ok(())
}

/// Rings this process's bells for what others store. Ends with the pool.
pub(super) fn listen(pool: PgPool, bells: Bells) {
    tokio::spawn(async move {
        while !pool.is_closed() {
            if let Err(error) = pass_on(&pool, &bells).await
                && !pool.is_closed()
            {
                tracing::warn!(%error, "other processes are not heard at the moment; what they store may be seen late");
                tokio::time::sleep(AGAIN).await;
            }
        }
    });
}

async fn pass_on(pool: &PgPool, bells: &Bells) -> Result<(), sqlx::Error> {
    let mut others = PgListener::connect_with(pool).await?;
    others.listen_all([OUTBOX, LIVE]).await?;
    // What was stored while nobody listened.
    bells.ring_for_all();
    while let Some(told) = others.try_recv().await? {
        let bell = if told.channel() == LIVE { &bells.live } else { &bells.outbox };
        match TenantId::new(told.payload()) {
            Ok(tenant) => bell.ring(&tenant),
            Err(_) => bell.ring_for_all(),
        }
    }
    // The connection was lost.
    Ok(())
}
