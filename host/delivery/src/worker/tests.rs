//! The worker over the real store, with a made-up CRM whose every answer a test decides. The clock is the test's: where
//! a wait matters the test moves it, so that nothing here sleeps. All people and numbers are invented.

mod crash;
mod crm;
mod road;
mod running;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use ramal_store::{
    Backlog, DeliveryFilter, DeliveryState, InteractionId, Lane, NewDelivery, OutboxStore, PluginId,
    SqliteSettings, SqliteStore, Step, Target, TenantId,
};
use tempfile::TempDir;

use super::{Worker, WorkerParts, WorkerSettings};
use crm::FakeCrm;

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}
fn target() -> Target {
    Target::Plugin(PluginId::new("fakecrm").unwrap())
}
fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A clock that a test moves.
#[derive(Clone)]
struct SetClock(Arc<Mutex<Timestamp>>);

impl SetClock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(noon())))
    }
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
    fn forward(&self, by: SignedDuration) {
        *self.0.lock() += by;
    }
    fn back(&self, by: SignedDuration) {
        *self.0.lock() -= by;
    }
    fn set(&self, at: Timestamp) {
        let mut now = self.0.lock();
        *now = at.max(*now);
    }
}

async fn open(dir: &TempDir) -> SqliteStore {
    SqliteStore::open(&SqliteSettings::new(dir.path().join("ramal.db"))).await.unwrap()
}

fn delivery(lane: &str, step: &str) -> NewDelivery {
    about(None, lane, step)
}

fn about(interaction: Option<InteractionId>, lane: &str, step: &str) -> NewDelivery {
    // Steps differ within a lane; so that lanes can have the same ones, the key says both.
    let keyed = Step(format!("{lane}/{step}"));
    NewDelivery {
        tenant: tenant(),
        target: target(),
        lane: Lane(lane.to_owned()),
        interaction,
        key: NewDelivery::key(&tenant(), &target(), interaction, &keyed),
        step: Step(step.to_owned()),
        payload: format!(r#"{{"lane":"{lane}","step":"{step}"}}"#),
        not_before: noon(),
        at: noon(),
    }
}

/// A store in a folder of its own, a CRM, a clock, and a worker between them.
struct World {
    _dir: TempDir,
    store: Arc<SqliteStore>,
    crm: Arc<FakeCrm>,
    clock: SetClock,
    worker: Worker,
}

fn parts(store: &Arc<SqliteStore>, crm: &Arc<FakeCrm>, clock: &SetClock) -> WorkerParts {
    let clock = clock.clone();
    WorkerParts {
        now: Arc::new(move || clock.now()),
        roll: Arc::new(|| u32::MAX),
        ..WorkerParts::new(store.clone(), crm.clone())
    }
}

impl World {
    async fn new() -> Self {
        Self::with(WorkerSettings::default()).await
    }

    async fn with(settings: WorkerSettings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, crm, clock) = (Arc::new(open(&dir).await), FakeCrm::new(), SetClock::new());
        let worker = Worker::new(WorkerParts { settings, ..parts(&store, &crm, &clock) }, [tenant()]);
        Self { _dir: dir, store, crm, clock, worker }
    }

    async fn enqueue(&mut self, deliveries: &[NewDelivery]) {
        self.store.enqueue(&tenant(), deliveries).await.unwrap();
        self.worker.look_at(&tenant());
    }

    /// Works at this moment until nothing more can be done at it.
    async fn work(&mut self) {
        loop {
            self.worker.round().await;
            if self.worker.jobs.is_empty() && self.worker.tenants[&tenant()] > self.clock.now() {
                return;
            }
            self.worker.finish().await;
        }
    }

    /// Waits for one job to end and starts what it made room for.
    async fn work_one(&mut self) {
        let done = self.worker.jobs.join_next_with_id().await.unwrap();
        self.worker.ended(done);
        self.worker.round().await;
    }

    /// Works and moves the clock on, each time to the moment for which the worker waits.
    async fn work_until(&mut self, end: Timestamp) {
        loop {
            self.work().await;
            let next = self.worker.tenants[&tenant()];
            if next > end {
                return self.clock.set(end);
            }
            self.clock.set(next);
        }
    }

    async fn backlog(&self) -> Backlog {
        self.store.backlog(&tenant()).await.unwrap().pop().unwrap()
    }

    async fn states(&self) -> Vec<(String, DeliveryState)> {
        let all = self.store.deliveries(&tenant(), &DeliveryFilter::default(), None, 100).await.unwrap();
        let mut all: Vec<_> = all.into_iter().map(|d| (d.step.0, d.state)).collect();
        all.sort();
        all
    }
}
