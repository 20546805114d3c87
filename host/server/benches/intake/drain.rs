//! The outbox emptied by the real worker, with a receiver that says yes at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use ramal_capability::{Dedup, TenantId};
use ramal_delivery::{
    Courier, DeliveryObserver, Outcome, Rate, Road, Upstream, Worker, WorkerParts, WorkerSettings,
};
use ramal_store::{CrmRecord, Leased, Settlement, Target};
use tokio::sync::watch;

use crate::world::{World, plugin, tenant};

/// Deliveries of one sample.
const DELIVERIES: usize = 128;

/// The time of one delivery of many, from its lease to its settlement, with so many under way at once.
pub(crate) async fn sample(world: &World, at_once: usize) -> Duration {
    // What the events of other samples left is delivered first, and not counted.
    drain(world, 64).await;
    world.end_calls(DELIVERIES, 64).await;
    let begun = Instant::now();
    let made = drain(world, at_once).await;
    assert_eq!(made, DELIVERIES);
    begun.elapsed() / u32::try_from(made).unwrap()
}

/// Delivers everything that waits; says how many.
async fn drain(world: &World, at_once: usize) -> usize {
    let open = world.store.backlog(&tenant()).await.unwrap();
    let here = open.iter().filter(|backlog| backlog.target == Target::Plugin(plugin()));
    let open = usize::try_from(here.map(|backlog| backlog.open).sum::<u64>()).unwrap();
    if open == 0 {
        return 0;
    }
    let (made, mut seen) = watch::channel(0);
    let parts = WorkerParts {
        observer: Arc::new(Counts(made)),
        settings: WorkerSettings { at_once, ..WorkerSettings::default() },
        ..WorkerParts::new(world.store.clone(), Arc::new(Yes(at_once)))
    };
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(Worker::new(parts, [tenant()]).run(stopped));
    seen.wait_for(|made| *made >= open).await.unwrap();
    stop.send_replace(true);
    worker.await.unwrap();
    open
}

struct Counts(watch::Sender<usize>);

impl DeliveryObserver for Counts {
    fn settled(&self, _: &Leased, settlement: &Settlement, _: Duration) {
        assert_eq!(settlement.as_str(), "done");
        self.0.send_modify(|made| *made += 1);
    }
}

struct Yes(usize);

impl Courier for Yes {
    fn road(&self, tenant: &TenantId, target: &Target) -> Option<Road> {
        (*target == Target::Plugin(plugin())).then(|| Road {
            upstream: Upstream { tenant: tenant.clone(), origin: "https://crm.example".to_owned() },
            // No limit: what is measured is the outbox.
            rate: Rate { every: Duration::ZERO, burst: 1, kept: 0 },
            dedup: Dedup::IdempotencyKey,
            at_once: self.0,
        })
    }
    fn deliver<'a>(&'a self, job: &'a Leased) -> BoxFuture<'a, Outcome> {
        let record = CrmRecord { kind: "activity".to_owned(), id: job.key.to_string(), url: None };
        Box::pin(async { Outcome::Done(Some(record)) })
    }
}
