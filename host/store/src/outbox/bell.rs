//! Wakes workers when something was stored. Only a bell: the store is the truth, so a ring that is lost or comes
//! twice harms nobody.

use tokio::sync::broadcast;

use crate::TenantId;

/// Rings that a slow listener may be behind before it is told to look everywhere.
const BACKLOG: usize = 256;

/// Rings for a tenant that may have something due. Cloning shares the bell.
#[derive(Debug, Clone)]
pub struct OutboxBell(broadcast::Sender<Option<TenantId>>);

impl Default for OutboxBell {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl OutboxBell {
    /// Wakes who listens. Call it after the commit: who wakes earlier finds nothing.
    pub fn ring(&self, tenant: &TenantId) {
        // Nobody may be listening.
        let _ = self.0.send(Some(tenant.clone()));
    }

    /// Wakes who listens when rings may have been missed.
    pub fn ring_for_all(&self) {
        let _ = self.0.send(None);
    }

    /// Hears every ring from now on.
    pub fn listen(&self) -> OutboxListener {
        OutboxListener(self.0.subscribe())
    }
}

/// Hears an [`OutboxBell`].
#[derive(Debug)]
pub struct OutboxListener(broadcast::Receiver<Option<TenantId>>);

impl OutboxListener {
    /// The tenant that the bell rang for; `None` when rings may have been missed: look everywhere.
    pub async fn rung(&mut self) -> Option<TenantId> {
        match self.0.recv().await {
            Ok(tenant) => tenant,
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            // The store is gone and will not ring again.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
