//! The process dies, again and again, at any moment: nothing is lost, nothing is doubled, order is kept.
//!
//! A process is a runtime of its own: when it is dropped, every task in it ends where it happens to wait, the worker,
//! its jobs and the store's writer alike. What stays is the file and what the CRM did. The next process opens the
//! file anew. Time runs fast, so that leases of the dead end soon (and now and then under the living, too).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use parking_lot::Mutex;
use proptest::prelude::*;
use ramal_store::{Leased, NewDelivery, OutboxStore, Settlement, Target, TenantId};
use tempfile::TempDir;
use tokio::sync::watch;

use super::crm::{Answer, FakeCrm};
use super::{SetClock, delivery, open, tenant};
use crate::{Courier, DeliveryObserver, Outcome, Road, Worker, WorkerParts, WorkerSettings};

/// What happens at one call of the CRM.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Fine,
    Fails,
    DoneButFails,
    Limited,
    /// The process dies before the CRM does anything.
    DiesBefore,
    /// It dies after the CRM has done it: at once, or after so many turns of the scheduler, as in the middle of the
    /// settlement.
    DiesAfter(u16),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Fine),
        2 => Just(Fate::Fails),
        2 => Just(Fate::DoneButFails),
        1 => Just(Fate::Limited),
        1 => Just(Fate::DiesBefore),
        1 => Just(Fate::DiesAfter(0)),
        3 => (1u16..2000).prop_map(Fate::DiesAfter),
    ]
}

/// The CRM, with the process's death at its calls.
struct Deadly {
    crm: Arc<FakeCrm>,
    fates: Arc<Mutex<Vec<Fate>>>,
    /// How many turns are left to live; none as long as nothing is decided.
    dying: watch::Sender<Option<u16>>,
}

impl Courier for Deadly {
    fn road(&self, tenant: &TenantId, target: &Target) -> Option<Road> {
        self.crm.road(tenant, target)
    }
    fn deliver<'a>(&'a self, job: &'a Leased) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let fate = self.fates.lock().pop().unwrap_or(Fate::Fine);
            match fate {
                Fate::Fine => {}
                Fate::Fails => self.crm.answers(&job.lane.0, [Answer::Fails]),
                Fate::DoneButFails => self.crm.answers(&job.lane.0, [Answer::DoneButFails]),
                Fate::Limited => self.crm.answers(&job.lane.0, [Answer::Limited(Some(1))]),
                Fate::DiesBefore => {
                    self.dying.send_replace(Some(0));
                    std::future::pending::<()>().await;
                }
                Fate::DiesAfter(turns) => {
                    let outcome = self.crm.deliver(job).await;
                    self.dying.send_replace(Some(turns));
                    return outcome;
                }
            }
            self.crm.deliver(job).await
        })
    }
}

/// Counts the settlements.
struct Settled(watch::Sender<usize>);

impl DeliveryObserver for Settled {
    fn settled(&self, _: &Leased, _: &Settlement, _: Duration) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// One life of the process; true when it died before everything was delivered.
fn live(
    dir: &TempDir,
    crm: &Arc<FakeCrm>,
    fates: &Arc<Mutex<Vec<Fate>>>,
    clock: &SetClock,
    news: Vec<NewDelivery>,
) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let died = runtime.block_on(async {
        let store = Arc::new(open(dir).await);
        let (dying, mut doomed) = watch::channel(None);
        let courier = Arc::new(Deadly { crm: crm.clone(), fates: fates.clone(), dying });
        let rolls = AtomicU32::new(0);
        let settled = Arc::new(Settled(watch::Sender::new(0)));
        let mut more = settled.0.subscribe();
        // Time goes on whenever somebody looks at it.
        let clock = clock.clone();
        let now = move || {
            clock.forward(SignedDuration::from_millis(400));
            clock.now()
        };
        let parts = WorkerParts {
            observer: settled,
            now: Arc::new(now),
            roll: Arc::new(move || rolls.fetch_add(0x3333_3333, Ordering::Relaxed)),
            settings: WorkerSettings { tick: Duration::from_millis(1), ..WorkerSettings::default() },
            ..WorkerParts::new(store.clone(), courier)
        };
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(Worker::new(parts, [tenant()]).run(stopped));
        let done = async {
            for delivery in news {
                store.enqueue(&tenant(), &[delivery]).await.unwrap();
            }
            loop {
                more.borrow_and_update();
                if store.backlog(&tenant()).await.unwrap().iter().all(|backlog| backlog.open == 0) {
                    return;
                }
                more.changed().await.unwrap();
            }
        };
        let death = async {
            let turns = doomed.wait_for(Option::is_some).await.unwrap().unwrap_or(0);
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { () = death => true, () = done => false }
    });
    runtime.shutdown_background();
    died
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_doubled_and_order_is_kept_however_the_process_dies(
        lanes in prop::collection::vec(0usize..5, 1..30),
        fates in prop::collection::vec(fate(), 0..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (crm, clock) = (FakeCrm::new(), SetClock::new());
        let all: Vec<NewDelivery> = lanes
            .iter()
            .enumerate()
            .map(|(n, lane)| delivery(&format!("lane-{lane}"), &format!("{n:02}")))
            .collect();
        let fates = Arc::new(Mutex::new(fates));
        // Whoever enqueues repeats it after a crash, as a provider repeats its event.
        let mut lives = 0;
        while live(&dir, &crm, &fates, &clock, all.clone()) {
            lives += 1;
            prop_assert!(lives < 200, "it never comes to an end");
        }

        let made = crm.records.lock().clone();
        let mut steps: Vec<&str> = made.iter().map(|(_, step)| step.as_str()).collect();
        steps.sort_unstable();
        let expected: Vec<String> = (0..lanes.len()).map(|n| format!("{n:02}")).collect();
        prop_assert_eq!(steps, expected, "each exactly once");
        for lane in 0..5 {
            let name = format!("lane-{lane}");
            let of_lane: Vec<&str> =
                made.iter().filter(|(l, _)| *l == name).map(|(_, step)| step.as_str()).collect();
            prop_assert!(of_lane.is_sorted(), "{}: {:?}", name, of_lane);
        }
    }
}
