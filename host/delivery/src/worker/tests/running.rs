//! The loop itself: what wakes it, how it holds leases, how it ends.

use std::sync::Arc;
use std::time::Duration;

use ramal_store::OutboxStore;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::crm::Answer;
use super::{WorkerSettings, World, delivery, tenant};

/// So long that a test would hang if anything waited for it.
const NEVER: Duration = Duration::from_secs(3600);

fn patient() -> WorkerSettings {
    WorkerSettings { tick: NEVER, ..WorkerSettings::default() }
}

fn start(world: &mut World) -> (watch::Sender<bool>, JoinHandle<()>) {
    let parts = super::parts(&world.store, &world.crm, &world.clock);
    let settings = world.worker.shared.parts.settings;
    let worker = super::Worker::new(super::WorkerParts { settings, ..parts }, [tenant()]);
    let (stop, stopped) = watch::channel(false);
    (stop, tokio::spawn(worker.run(stopped)))
}

#[tokio::test]
async fn it_wakes_when_something_is_stored_and_stops_when_told() {
    let mut world = World::with(patient()).await;
    let (stop, worker) = start(&mut world);
    for n in 1..=3 {
        world.store.enqueue(&tenant(), &[delivery("ana", &n.to_string())]).await.unwrap();
        world.crm.called(n).await;
    }
    stop.send(true).unwrap();
    worker.await.unwrap();
    assert_eq!(world.crm.made(), ["1", "2", "3"]);
    assert_eq!(world.backlog().await.open, 0);
}

#[tokio::test]
async fn it_wakes_for_the_time_that_a_lane_named() {
    let mut world = World::with(patient()).await;
    // The clock stands still, so only a wait of no length ends.
    world.crm.answers("ana", [Answer::Limited(Some(0)), Answer::Limited(Some(0))]);
    let (stop, worker) = start(&mut world);
    world.store.enqueue(&tenant(), &[delivery("ana", "1")]).await.unwrap();
    world.crm.called(3).await;
    stop.send(true).unwrap();
    worker.await.unwrap();
    assert_eq!(world.crm.made(), ["1"]);
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_is_under_way_and_begins_nothing() {
    let mut world = World::with(patient()).await;
    let go_on = Arc::new(Notify::new());
    world.crm.answers("ana", [Answer::Holds(go_on.clone())]);
    let (stop, worker) = start(&mut world);
    world.store.enqueue(&tenant(), &[delivery("ana", "1"), delivery("ana", "2")]).await.unwrap();
    world.crm.called(1).await;
    stop.send(true).unwrap();
    go_on.notify_one();
    worker.await.unwrap();
    assert_eq!(world.crm.steps(), ["1"]);
    assert_eq!(world.crm.made(), ["1"]);
    assert_eq!(world.backlog().await.open, 1);
}

#[tokio::test]
async fn it_does_not_wait_for_ever_for_what_is_under_way() {
    let mut world = World::with(WorkerSettings { grace: Duration::ZERO, ..patient() }).await;
    world.crm.answers("ana", [Answer::Holds(Arc::new(Notify::new()))]);
    let (stop, worker) = start(&mut world);
    world.store.enqueue(&tenant(), &[delivery("ana", "1")]).await.unwrap();
    world.crm.called(1).await;
    stop.send(true).unwrap();
    worker.await.unwrap();
    assert_eq!(world.backlog().await.open, 1, "it is delivered again after its lease");
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_delivery_is_under_way() {
    let settings = WorkerSettings { lease: Duration::from_millis(30), ..patient() };
    let mut world = World::with(settings).await;
    let go_on = Arc::new(Notify::new());
    world.crm.answers("ana", [Answer::Holds(go_on.clone())]);
    world.enqueue(&[delivery("ana", "1")]).await;
    world.worker.round().await;
    world.crm.called(1).await;
    let lease_ends = async |world: &World| world.store.due(&tenant()).await.unwrap().remove(0).at;
    let first = lease_ends(&world).await;
    // Each renewal takes the clock's word for now.
    world.clock.forward(jiff::SignedDuration::from_secs(30));
    while lease_ends(&world).await == first {
        tokio::task::yield_now().await;
    }
    go_on.notify_one();
    world.worker.finish().await;
    assert_eq!(world.crm.tries.lock().len(), 1);
    assert_eq!(world.backlog().await.open, 0);
}
