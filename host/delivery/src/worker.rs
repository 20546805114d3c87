//! Takes what is due out of the outbox, has it delivered, and says what became of it.
//!
//! One task per process looks for work: at the ring of the store's bell, at the time that the next lane named, when a
//! job has ended, and every half minute in case that a ring was lost. It takes no more than it can start at once: a
//! free place, a right to call the account ([`Upstreams`]), then a lease. So a lease never runs out in a queue of the
//! worker's own, and a worker that dies holds little.
//!
//! Who waited longest is looked at first. A tenant with a backlog gets the places that others leave, and no target
//! more than its [`Road::at_once`](crate::Road::at_once).

mod clock;
mod job;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ramal_store::{LeaseOrder, Leased, Settlement, Store, StoreError, Target, TenantId};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use uuid::Uuid;

use crate::decision::later;
use crate::locks::KeyLocks;
use crate::{Class, Courier, Upstreams};

/// Hears what becomes of deliveries, for metrics and alerts.
pub trait DeliveryObserver: Send + Sync + 'static {
    /// A try has ended, and this follows from it.
    fn settled(&self, job: &Leased, settlement: &Settlement, took: Duration);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl DeliveryObserver for Unobserved {
    fn settled(&self, _: &Leased, _: &Settlement, _: Duration) {}
}

/// How the worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Deliveries under way at once, of all tenants.
    pub at_once: usize,
    /// How long a lease holds; it is renewed three times in that time while the delivery is under way.
    pub lease: Duration,
    /// How long at most until the worker looks without being told.
    pub tick: Duration,
    /// How long deliveries under way may still take when the worker is to stop.
    pub grace: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            at_once: 64,
            lease: Duration::from_secs(60),
            tick: Duration::from_secs(30),
            grace: Duration::from_secs(20),
        }
    }
}

/// What a worker is made of.
#[derive(Clone)]
pub struct WorkerParts {
    /// Where the outbox and the histories are.
    pub store: Arc<dyn Store>,
    /// Who speaks with the receivers.
    pub courier: Arc<dyn Courier>,
    /// What the accounts can take; shared with everybody else who calls them.
    pub upstreams: Arc<Upstreams>,
    /// Who hears of it.
    pub observer: Arc<dyn DeliveryObserver>,
    /// The time of day.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Draws evenly from all values.
    pub roll: Arc<dyn Fn() -> u32 + Send + Sync>,
    /// How to work.
    pub settings: WorkerSettings,
}

impl WorkerParts {
    /// With the machine's clock and dice, the usual settings, and nobody listening.
    pub fn new(store: Arc<dyn Store>, courier: Arc<dyn Courier>) -> Self {
        Self {
            store,
            courier,
            upstreams: Arc::default(),
            observer: Arc::new(Unobserved),
            now: Arc::new(Timestamp::now),
            roll: Arc::new(rand::random),
            settings: WorkerSettings::default(),
        }
    }
}

/// What jobs and worker share.
struct Shared {
    parts: WorkerParts,
    // One try of a key at a time, where the receiver is asked first and written to then.
    locks: Arc<KeyLocks<(TenantId, Target, Uuid)>>,
}

impl Shared {
    fn now(&self) -> Timestamp {
        (self.parts.now)()
    }
}

/// Empties the outbox.
pub struct Worker {
    shared: Arc<Shared>,
    /// When to look at each tenant.
    tenants: BTreeMap<TenantId, Timestamp>,
    clock: clock::Watch,
    jobs: JoinSet<()>,
    running: HashMap<Id, (TenantId, Target)>,
}

impl Worker {
    /// A worker for these tenants.
    pub fn new(parts: WorkerParts, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        let tenants = tenants.into_iter().map(|tenant| (tenant, Timestamp::MIN)).collect();
        Self {
            shared: Arc::new(Shared { parts, locks: Arc::default() }),
            tenants,
            clock: clock::Watch::default(),
            jobs: JoinSet::new(),
            running: HashMap::new(),
        }
    }

    /// Works until `stop` says true (or is gone): then takes nothing more and lets what is under way come to its end,
    /// but no longer than the grace. What is cut off is delivered again after its lease.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut bell = self.shared.parts.store.bell().listen();
        loop {
            self.round().await;
            let pause = if self.free() == 0 { self.shared.parts.settings.tick } else { self.pause() };
            tokio::select! {
                // In this order: nothing is begun any more once it is to stop. A round takes in all jobs that have
                // ended, so rings cannot hold them up.
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                rung = bell.rung() => match rung {
                    Some(tenant) => self.look_at(&tenant),
                    None => self.look_everywhere(),
                },
                Some(done) = self.jobs.join_next_with_id() => self.ended(done),
                () = tokio::time::sleep(pause) => {}
            }
        }
        let grace = self.shared.parts.settings.grace;
        if tokio::time::timeout(grace, self.finish()).await.is_err() {
            tracing::warn!(
                cut_off = self.jobs.len(),
                "deliveries took longer than the grace; they are made again when their leases end"
            );
        }
    }

    /// Looks at every tenant whose time has come, and starts what can be started.
    async fn round(&mut self) {
        while let Some(done) = self.jobs.try_join_next_with_id() {
            self.ended(done);
        }
        let now = self.shared.now();
        self.follow_clock(now).await;
        let mut waiting: Vec<_> = self.tenants.iter().filter(|(_, at)| **at <= now).collect();
        waiting.sort_by_key(|(_, at)| **at);
        let waiting: Vec<TenantId> = waiting.into_iter().map(|(tenant, _)| tenant.clone()).collect();
        for tenant in waiting {
            // What could not be started keeps its place before those who come after.
            if self.free() == 0 {
                break;
            }
            let next = self.serve(&tenant).await.unwrap_or_else(|error| {
                tracing::error!(%tenant, %error, "the outbox did not answer; looking again in a second");
                later(self.shared.now(), Duration::from_secs(1))
            });
            self.tenants.insert(tenant, next);
        }
    }

    /// Where the clock was set back, what waits for a time of the clock before would wait for too long.
    async fn follow_clock(&mut self, now: Timestamp) {
        let Some(clock::SetBack { later, by }) = self.clock.look(now, self.shared.parts.settings.lease)
        else {
            return;
        };
        for tenant in self.tenants.keys() {
            if let Err(error) = self.shared.parts.store.bring_forward(tenant, later, by, now).await {
                tracing::error!(%tenant, %error, "the clock was set back; deliveries may come late by as much");
                return;
            }
        }
        self.clock.followed(now);
        self.look_everywhere();
    }

    /// Starts what is due for one tenant; says when to look again.
    async fn serve(&mut self, tenant: &TenantId) -> Result<Timestamp, StoreError> {
        let parts = self.shared.parts.clone();
        let mut next = later(self.shared.now(), parts.settings.tick);
        for due in parts.store.due(tenant).await? {
            let now = self.shared.now();
            if due.at > now {
                next = next.min(due.at);
                continue;
            }
            let Some(road) = parts.courier.road(tenant, &due.target) else { continue };
            let free = self.free().min(road.at_once.saturating_sub(self.under_way(tenant, &due.target)));
            let mut passes = Vec::new();
            while passes.len() < free {
                match parts.upstreams.enter(&road.upstream, road.rate, Class::Batch, now) {
                    Ok(pass) => passes.push(pass),
                    Err(until) => {
                        next = next.min(until);
                        break;
                    }
                }
            }
            // A job that ends brings us back.
            if passes.is_empty() {
                continue;
            }
            let order = LeaseOrder {
                tenant: tenant.clone(),
                target: due.target.clone(),
                lanes: u32::try_from(passes.len()).unwrap_or(u32::MAX),
                now,
                until: later(now, parts.settings.lease),
            };
            let leased = parts.store.lease(&order).await?;
            // There may be more; if somebody else took them, they are not due any longer.
            let soon = if leased.is_empty() { later(now, Duration::from_secs(1)) } else { now };
            next = next.min(soon);
            for (job, pass) in leased.into_iter().zip(passes) {
                let shared = Arc::clone(&self.shared);
                let dedup = road.dedup;
                let handle = self.jobs.spawn(async move { job::attend(&shared, &job, pass, dedup).await });
                self.running.insert(handle.id(), (tenant.clone(), due.target.clone()));
            }
        }
        Ok(next)
    }

    fn free(&self) -> usize {
        self.shared.parts.settings.at_once.saturating_sub(self.jobs.len())
    }

    fn under_way(&self, tenant: &TenantId, target: &Target) -> usize {
        self.running.values().filter(|(t, to)| t == tenant && to == target).count()
    }

    fn ended(&mut self, done: Result<(Id, ()), JoinError>) {
        let id = match done {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a delivery broke off by a defect; it is made again when its lease ends");
                error.id()
            }
        };
        if let Some((tenant, _)) = self.running.remove(&id) {
            self.look_at(&tenant);
        }
    }

    fn look_at(&mut self, tenant: &TenantId) {
        let now = self.shared.now();
        // Others may be served who are not this worker's.
        if let Some(at) = self.tenants.get_mut(tenant) {
            *at = (*at).min(now);
        }
    }

    fn look_everywhere(&mut self) {
        let now = self.shared.now();
        self.tenants.values_mut().for_each(|at| *at = (*at).min(now));
    }

    /// How long until somebody's time comes.
    fn pause(&self) -> Duration {
        let next = self.tenants.values().min().copied().unwrap_or(Timestamp::MAX);
        let until = next.duration_since(self.shared.now());
        Duration::try_from(until).unwrap_or_default().min(self.shared.parts.settings.tick)
    }

    /// Waits for everything that is under way.
    async fn finish(&mut self) {
        while let Some(done) = self.jobs.join_next_with_id().await {
            self.ended(done);
        }
    }
}
