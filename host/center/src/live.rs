//! Following the live events of a tenant.
//!
//! The bells say only "there is more": the events themselves are read from the store, after the last one that this
//! reader saw. A reader that is slow, or comes back after an hour, misses nothing and gets nothing twice. One bell is
//! rung by this process, the other by the store for what the other processes over the same database write.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use ramal_store::{LiveEvent, LiveId, LiveStore, OutboxListener, StoreError, TenantId};
use tokio::sync::watch;

const PAGE: u32 = 200;

/// One bell for each tenant.
#[derive(Debug, Default)]
pub(crate) struct Bells(Mutex<HashMap<TenantId, watch::Sender<LiveId>>>);

impl Bells {
    pub(crate) fn ring(&self, tenant: &TenantId, id: LiveId) {
        if let Some(bell) = self.0.lock().get(tenant) {
            bell.send_if_modified(|newest| {
                let later = id > *newest;
                *newest = (*newest).max(id);
                later
            });
        }
    }

    fn hear(&self, tenant: &TenantId) -> watch::Receiver<LiveId> {
        self.0.lock().entry(tenant.clone()).or_insert_with(|| watch::Sender::new(LiveId(0))).subscribe()
    }
}

/// What a reader of the live events gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveItem {
    /// The next event.
    Event(LiveEvent),
    /// Events between the last one seen and now are no longer kept: load the calls afresh, and go on after this id.
    Reset {
        /// The newest id at this moment.
        last: LiveId,
    },
}

/// A reader of one tenant's live events.
pub struct LiveTail {
    store: Arc<dyn LiveStore>,
    tenant: TenantId,
    // `None`: from now on; settled by the first read.
    seen: Option<LiveId>,
    bell: watch::Receiver<LiveId>,
    others: OutboxListener,
    ready: VecDeque<LiveEvent>,
}

impl fmt::Debug for LiveTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveTail")
            .field("tenant", &self.tenant)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl LiveTail {
    pub(crate) fn new(
        store: Arc<dyn LiveStore>,
        bells: &Bells,
        tenant: TenantId,
        after: Option<LiveId>,
    ) -> Self {
        let (bell, others) = (bells.hear(&tenant), store.live_bell().listen());
        Self { store, tenant, seen: after, bell, others, ready: VecDeque::new() }
    }

    /// Waits for the next event. May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// When the store cannot be read; a later call tries again.
    pub async fn next(&mut self) -> Result<LiveItem, StoreError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.seen = Some(event.id);
                return Ok(LiveItem::Event(event));
            }
            // Before the read: a ring during it is then heard after it.
            self.bell.borrow_and_update();
            match self.seen {
                None => {
                    let page = self.store.live_after(&self.tenant, LiveId(u64::MAX), 0).await?;
                    self.seen = Some(page.last);
                    continue;
                }
                Some(seen) => {
                    let page = self.store.live_after(&self.tenant, seen, PAGE).await?;
                    if !page.continues(seen) {
                        self.seen = Some(page.last);
                        return Ok(LiveItem::Reset { last: page.last });
                    }
                    self.ready = page.events.into();
                }
            }
            if self.ready.is_empty() {
                tokio::select! {
                    rung = self.bell.changed() => if rung.is_err() {
                        // The bells live as long as the center, which may be gone before its readers.
                        std::future::pending::<()>().await;
                    },
                    () = elsewhere(&mut self.others, &self.tenant) => {}
                }
            }
        }
    }
}

/// Waits until another process may have written for the tenant.
async fn elsewhere(others: &mut OutboxListener, tenant: &TenantId) {
    while others.rung().await.is_some_and(|rung| rung != *tenant) {}
}
