//! What the outbox promises, on each backend. All names and numbers are invented.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use ramal_store::testing::TestPostgres;
use ramal_store::*;
use rstest::rstest;
use uuid::Uuid;

struct Opened {
    store: Arc<dyn Store>,
    /// A second handle, as another process has one.
    other: Arc<dyn Store>,
    _dir: Option<tempfile::TempDir>,
    _postgres: Option<TestPostgres>,
}

#[derive(Debug, Clone, Copy)]
enum Backend {
    Sqlite,
    Postgres,
}

/// A store; `None` where PostgreSQL is not to be had, which was said then.
async fn open(backend: Backend) -> Option<Opened> {
    match backend {
        Backend::Sqlite => {
            let dir = tempfile::tempdir().unwrap();
            let settings = SqliteSettings::new(dir.path().join("ramal.db"));
            let store = Arc::new(SqliteStore::open(&settings).await.unwrap());
            let other = Arc::new(SqliteStore::open(&settings).await.unwrap());
            Some(Opened { store, other, _dir: Some(dir), _postgres: None })
        }
        Backend::Postgres => {
            let postgres = TestPostgres::start("outbox").await.unwrap()?;
            let settings = PostgresSettings::new(postgres.database().await.unwrap());
            let store = Arc::new(PostgresStore::open(&settings).await.unwrap());
            let other = Arc::new(PostgresStore::open(&settings).await.unwrap());
            Some(Opened { store, other, _dir: None, _postgres: Some(postgres) })
        }
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}
fn crm(name: &str) -> Target {
    Target::Plugin(PluginId::new(name).unwrap())
}
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}
fn call() -> InteractionId {
    InteractionId(Uuid::from_u128(7))
}
fn failure(code: &str) -> Failure {
    Failure::new(code, "what happened")
}
fn note(id: &str) -> CrmRecord {
    CrmRecord { kind: "note".into(), id: id.into(), url: Some("https://crm.example/n".into()) }
}

fn delivery(target: &Target, lane: &str, step: &str) -> NewDelivery {
    let step = Step(step.to_owned());
    NewDelivery {
        tenant: tenant("a"),
        target: target.clone(),
        lane: Lane(lane.to_owned()),
        interaction: Some(call()),
        key: NewDelivery::key(&tenant("a"), target, Some(call()), &Step(format!("{lane}/{}", step.0))),
        step,
        payload: r#"{"counterpart":"+5511987654321"}"#.to_owned(),
        not_before: at(0),
        at: at(0),
    }
}

fn order(target: &Target, lanes: u32, second: i64) -> LeaseOrder {
    LeaseOrder { tenant: tenant("a"), target: target.clone(), lanes, now: at(second), until: at(second + 60) }
}

async fn lease(store: &dyn Store, target: &Target, lanes: u32, second: i64) -> Vec<Leased> {
    store.lease(&order(target, lanes, second)).await.unwrap()
}

async fn settle(store: &dyn Store, leased: &Leased, settlement: Settlement, second: i64) -> Settled {
    store.settle(leased, &settlement, None, at(second)).await.unwrap()
}

fn done() -> Settlement {
    Settlement::Done { record: None }
}

fn steps(leased: &[Leased]) -> Vec<&str> {
    let mut steps: Vec<&str> = leased.iter().map(|l| l.step.0.as_str()).collect();
    steps.sort_unstable();
    steps
}

#[rstest]
#[tokio::test]
async fn only_the_oldest_of_each_lane_is_leased_and_the_next_after_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    let all = [("x", "x1"), ("x", "x2"), ("y", "y1"), ("y", "y2")].map(|(l, s)| delivery(&odoo, l, s));
    assert_eq!(o.store.enqueue(&tenant("a"), &all).await.unwrap(), 4);
    let first = lease(&*o.store, &odoo, 9, 0).await;
    assert_eq!(steps(&first), ["x1", "y1"]);
    assert!(lease(&*o.other, &odoo, 9, 0).await.is_empty(), "both lanes are held");
    let x1 = first.iter().find(|l| l.step.0 == "x1").unwrap();
    assert_eq!(settle(&*o.store, x1, done(), 1).await, Settled::Yes);
    assert_eq!(steps(&lease(&*o.other, &odoo, 9, 1).await), ["x2"]);
}

#[rstest]
#[tokio::test]
async fn a_lease_orders_no_more_lanes_than_asked_and_the_longest_due_first(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    for (lane, second) in [("x", 3), ("y", 1), ("z", 2)] {
        let late = NewDelivery { not_before: at(second), ..delivery(&odoo, lane, lane) };
        o.store.enqueue(&tenant("a"), &[late]).await.unwrap();
    }
    assert!(lease(&*o.store, &odoo, 9, 0).await.is_empty(), "none is due yet");
    assert_eq!(o.store.due(&tenant("a")).await.unwrap(), [DueTarget { target: odoo.clone(), at: at(1) }]);
    assert_eq!(steps(&lease(&*o.store, &odoo, 2, 5).await), ["y", "z"]);
    assert_eq!(steps(&lease(&*o.store, &odoo, 2, 5).await), ["x"]);
}

#[rstest]
#[tokio::test]
async fn a_lease_that_ends_is_taken_again_and_the_first_holder_can_settle_no_more(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    o.store.enqueue(&tenant("a"), &[delivery(&odoo, "x", "x1")]).await.unwrap();
    let first = lease(&*o.store, &odoo, 1, 0).await.remove(0);
    assert!(lease(&*o.store, &odoo, 1, 59).await.is_empty());
    assert!(o.store.renew(&first, at(90)).await.unwrap());
    assert!(lease(&*o.store, &odoo, 1, 60).await.is_empty());
    let second = lease(&*o.other, &odoo, 1, 90).await.remove(0);
    assert_eq!((second.id, second.key, second.tries), (first.id, first.key, 2));
    assert_eq!((first.first_tried_at, second.first_tried_at), (at(0), at(0)));
    assert!(!o.store.renew(&first, at(300)).await.unwrap());
    assert_eq!(settle(&*o.store, &first, done(), 91).await, Settled::Lost);
    let retry = Settlement::Retry { at: at(100), failure: failure("transient") };
    assert_eq!(settle(&*o.store, &second, retry, 92).await, Settled::Yes);
    assert!(lease(&*o.store, &odoo, 1, 99).await.is_empty());
    assert_eq!(lease(&*o.store, &odoo, 1, 100).await[0].tries, 3);
}

#[rstest]
#[tokio::test]
async fn a_delivered_payload_is_erased_and_the_record_stays_known(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    o.store.enqueue(&tenant("a"), &[delivery(&odoo, "x", "journal")]).await.unwrap();
    let leased = lease(&*o.store, &odoo, 1, 0).await.remove(0);
    assert!(leased.payload.expose().contains("98765"));
    let settlement = Settlement::Done { record: Some(note("n-1")) };
    assert_eq!(settle(&*o.store, &leased, settlement, 1).await, Settled::Yes);
    let (delivery, payload) = o.store.delivery(&tenant("a"), leased.id).await.unwrap().unwrap();
    assert_eq!(payload.expose(), "");
    assert_eq!((delivery.state, delivery.record), (DeliveryState::Done, Some(note("n-1"))));
    assert_eq!(delivery.settled_at, Some(at(1)));
    assert_eq!(o.store.prune_delivered(&tenant("a"), at(1), 9).await.unwrap(), 0);
    assert_eq!(o.store.prune_delivered(&tenant("a"), at(2), 9).await.unwrap(), 1);
    let known = async |part| o.store.crm_record(&tenant("a"), &odoo, call(), part).await.unwrap();
    assert_eq!((known("").await, known("2026-11-23").await), (Some(note("n-1")), None));
}

#[rstest]
#[tokio::test]
async fn a_key_is_taken_once_for_each_target(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(o) = open(backend).await else { return };
    let (odoo, tryton) = (crm("odoo"), crm("tryton"));
    let one = delivery(&odoo, "x", "x1");
    let same_key = NewDelivery { key: one.key, ..delivery(&tryton, "x", "x1") };
    assert_eq!(o.store.enqueue(&tenant("a"), &[one.clone(), one.clone(), same_key]).await.unwrap(), 2);
    let leased = lease(&*o.store, &odoo, 9, 0).await.remove(0);
    settle(&*o.store, &leased, Settlement::Dead { failure: failure("invalid") }, 1).await;
    assert_eq!(o.store.enqueue(&tenant("a"), &[one]).await.unwrap(), 0, "only a person replays");
    assert!(lease(&*o.store, &odoo, 9, 2).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn dead_deliveries_are_listed_counted_and_replayed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    // More than are replayed in one transaction.
    let all: Vec<NewDelivery> = (0..450)
        .map(|n| NewDelivery {
            at: at(n),
            not_before: at(0),
            ..delivery(&odoo, &format!("l{n:03}"), &format!("s{n:03}"))
        })
        .collect();
    o.store.enqueue(&tenant("a"), &all).await.unwrap();
    for leased in lease(&*o.store, &odoo, 450, 500).await {
        settle(&*o.store, &leased, Settlement::Dead { failure: failure("invalid") }, 501).await;
    }
    let backlog = o.store.backlog(&tenant("a")).await.unwrap();
    let expected = Backlog { target: odoo.clone(), open: 0, oldest: None, dead: 450, paused: None };
    assert_eq!(backlog, [expected]);

    let filter = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = o.store.deliveries(&tenant("a"), &filter, before, 100).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.into_iter().map(|d| (d.step.0, d.failure.unwrap().code)));
    }
    let newest_first: Vec<_> = (0..450).rev().map(|n| (format!("s{n:03}"), "invalid".to_owned())).collect();
    assert_eq!(seen, newest_first);

    assert_eq!(o.store.replay_all(&tenant("a"), &crm("tryton"), at(600)).await.unwrap(), 0);
    assert_eq!(o.store.replay_all(&tenant("a"), &odoo, at(600)).await.unwrap(), 450);
    assert_eq!(o.store.replay_all(&tenant("a"), &odoo, at(600)).await.unwrap(), 0);
    let again = lease(&*o.store, &odoo, 999, 600).await;
    assert_eq!(again.len(), 450);
    let keys: BTreeSet<Uuid> = all.iter().map(|d| d.key).collect();
    assert_eq!(again.iter().map(|l| l.key).collect::<BTreeSet<_>>(), keys);
    assert!(again.iter().all(|l| l.tries == 1 && l.first_tried_at == at(600)));
}

#[rstest]
#[tokio::test]
async fn a_replayed_delivery_joins_the_end_of_its_lane(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    let all = ["x1", "x2", "x3"].map(|s| delivery(&odoo, "x", s));
    o.store.enqueue(&tenant("a"), &all).await.unwrap();
    let first = lease(&*o.store, &odoo, 1, 0).await.remove(0);
    settle(&*o.store, &first, Settlement::Dead { failure: failure("invalid") }, 1).await;
    assert!(o.store.replay(&tenant("a"), first.id, at(2)).await.unwrap());
    for expected in ["x2", "x3", "x1"] {
        let leased = lease(&*o.store, &odoo, 1, 3).await.remove(0);
        assert_eq!(leased.step.0, expected);
        settle(&*o.store, &leased, done(), 3).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_paused_target_is_neither_due_nor_leased_and_others_are(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (odoo, tryton) = (crm("odoo"), crm("tryton"));
    let all = [delivery(&odoo, "x", "x1"), delivery(&odoo, "y", "y1"), delivery(&tryton, "x", "x1")];
    o.store.enqueue(&tenant("a"), &all).await.unwrap();
    let leased = lease(&*o.store, &odoo, 1, 0).await.remove(0);
    settle(&*o.store, &leased, Settlement::Pause { failure: failure("auth-expired") }, 1).await;
    // What follows from the first reason says less.
    o.store.pause(&tenant("a"), &odoo, &failure("denied"), at(2)).await.unwrap();
    let due = o.store.due(&tenant("a")).await.unwrap();
    assert_eq!(due.iter().map(|d| &d.target).collect::<Vec<_>>(), [&tryton]);
    assert!(lease(&*o.store, &odoo, 9, 1000).await.is_empty());
    let backlog = o.store.backlog(&tenant("a")).await.unwrap();
    let paused = backlog.iter().find(|b| b.target == odoo).unwrap().paused.clone().unwrap();
    assert_eq!((paused.reason.code.as_str(), paused.since), ("auth-expired", at(1)));

    assert!(o.store.resume(&tenant("a"), &odoo, at(9000)).await.unwrap());
    assert!(!o.store.resume(&tenant("a"), &odoo, at(9000)).await.unwrap());
    let again = lease(&*o.store, &odoo, 9, 9000).await;
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|l| (l.tries, l.first_tried_at) == (1, at(9000))), "the day begins anew");
}

#[rstest]
#[tokio::test]
async fn what_was_not_tried_counts_no_try(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    o.store.enqueue(&tenant("a"), &[delivery(&odoo, "x", "x1")]).await.unwrap();
    let leased = lease(&*o.store, &odoo, 1, 0).await.remove(0);
    let failure = Failure::new("busy", "the plugin has calls under way");
    settle(&*o.store, &leased, Settlement::Untried { at: at(5), failure: failure.clone() }, 1).await;
    let (kept, _) = o.store.delivery(&tenant("a"), leased.id).await.unwrap().unwrap();
    assert_eq!((kept.tries, kept.failure), (0, Some(failure)));
    assert!(lease(&*o.store, &odoo, 1, 4).await.is_empty());
    let again = lease(&*o.store, &odoo, 1, 5).await.remove(0);
    assert_eq!((again.tries, again.first_tried_at), (1, at(5)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_never_hold_one_lane(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    let all: Vec<NewDelivery> =
        (0..60).map(|n| delivery(&odoo, &format!("l{}", n % 20), &format!("s{n:02}"))).collect();
    o.store.enqueue(&tenant("a"), &all).await.unwrap();
    let work = |store: Arc<dyn Store>| {
        let odoo = odoo.clone();
        tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let leased = store.lease(&order(&odoo, 3, 0)).await.unwrap();
                if leased.is_empty() {
                    let open: u64 = store.backlog(&tenant("a")).await.unwrap().iter().map(|b| b.open).sum();
                    if open == 0 {
                        return seen;
                    }
                    tokio::task::yield_now().await;
                }
                for leased in leased {
                    seen.push((leased.lane.0.clone(), leased.step.0.clone()));
                    assert_eq!(settle(&*store, &leased, done(), 0).await, Settled::Yes);
                }
            }
        })
    };
    let (one, two) = (work(o.store.clone()), work(o.other.clone()));
    let mut seen = one.await.unwrap();
    seen.extend(two.await.unwrap());
    let mut steps: Vec<&str> = seen.iter().map(|(_, step)| step.as_str()).collect();
    steps.sort_unstable();
    let expected: Vec<String> = (0..60).map(|n| format!("s{n:02}")).collect();
    assert_eq!(steps, expected, "each was leased once");
}

#[rstest]
#[tokio::test]
async fn an_outcome_and_its_history_are_stored_together_or_not_at_all(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    let event =
        |event| NewEvent { at: at(0), actor: Actor::System, cause: Cause::Rule("test".into()), event };
    let started = Started {
        source: SourceId::new("pbx").unwrap(),
        reference: None,
        channel: Channel::Fixed,
        direction: InteractionDirection::Inbound,
        from: None,
        to: None,
        contacts: Vec::new(),
        queue: None,
        asked: Vec::new(),
        protocol: None,
    };
    let begun = vec![event(InteractionEvent::Started(Box::new(started)))];
    let mut write = InteractionWrite::begin(&tenant("a"), call(), begun, at(0)).unwrap();
    write.outbox = vec![delivery(&odoo, "x", "x1")];
    let mut rings = o.store.bell().listen();
    o.store.append(write).await.unwrap();
    while rings.rung().await.is_some_and(|rung| rung != tenant("a")) {}

    let leased = lease(&*o.store, &odoo, 1, 0).await.remove(0);
    let before = o.store.interaction(&tenant("a"), call()).await.unwrap().unwrap().interaction;
    let told = |before: &Interaction| {
        let told = event(InteractionEvent::DispositionSet { disposition: Some("told".into()) });
        InteractionWrite::change(before, Vec::new(), vec![told], at(1)).unwrap()
    };
    // Somebody is quicker: neither the outcome nor the history is stored, and the lease still holds.
    o.store.append(told(&before)).await.unwrap();
    let stale = o.store.settle(&leased, &done(), Some(told(&before)), at(2)).await.unwrap();
    assert_eq!(stale, Settled::Conflict);
    assert_eq!(o.store.backlog(&tenant("a")).await.unwrap()[0].open, 1);
    let now = o.store.interaction(&tenant("a"), call()).await.unwrap().unwrap().interaction;
    assert_eq!(o.store.settle(&leased, &done(), Some(told(&now)), at(2)).await.unwrap(), Settled::Yes);
    // Who has lost the lease writes no history either.
    let after = o.store.interaction(&tenant("a"), call()).await.unwrap().unwrap().interaction;
    let lost = o.store.settle(&leased, &done(), Some(told(&after)), at(3)).await.unwrap();
    assert_eq!(lost, Settled::Lost);
    let kept = o.store.interaction(&tenant("a"), call()).await.unwrap().unwrap().interaction;
    assert_eq!((kept.seq, after.seq), (3, 3));
}

#[tokio::test]
async fn other_processes_hear_the_bell() {
    let Some(o) = open(Backend::Postgres).await else { return };
    let mut rings = o.other.bell().listen();
    // The listener may still be connecting: then it rings for everybody as soon as it hears.
    o.store.enqueue(&tenant("a"), &[delivery(&crm("odoo"), "x", "x1")]).await.unwrap();
    assert!(rings.rung().await.is_none_or(|rung| rung == tenant("a")));
}

// === no question crosses from one tenant to another ===

/// Asks as tenant `b`; says what it got that it should not have, or changed. Tenant `a` has one dead delivery, one
/// open, one done, and a paused target.
type Try = for<'a> fn(&'a dyn Store, &'a Prey) -> BoxFuture<'a, Option<String>>;

struct Prey {
    leased: Leased,
    dead: DeliveryId,
}

macro_rules! tries {
    ($($method:literal => |$store:ident, $prey:ident| $body:expr),+ $(,)?) => {
        &[$(($method, (|$store, $prey| Box::pin(async move { $body })) as Try)),+]
    };
}

fn leak<T: std::fmt::Debug>(found: &T, ok: bool) -> Option<String> {
    (!ok).then(|| format!("{found:?}"))
}

fn stolen(leased: &Leased) -> Leased {
    Leased { tenant: tenant("b"), ..leased.clone() }
}

const TRIES: &[(&str, Try)] = tries! {
    "enqueue" => |store, _prey| {
        // Deliveries of another tenant than the one that enqueues are not taken.
        let done = store.enqueue(&tenant("b"), &[delivery(&crm("odoo"), "new", "new")]).await.unwrap();
        leak(&done, done == 0)
    },
    "due" => |store, _prey| {
        let found = store.due(&tenant("b")).await.unwrap();
        leak(&found, found.is_empty())
    },
    "lease" => |store, _prey| {
        let order = LeaseOrder { tenant: tenant("b"), ..order(&crm("odoo"), 9, 900) };
        let found = store.lease(&order).await.unwrap();
        leak(&found, found.is_empty())
    },
    "renew" => |store, prey| {
        let done = store.renew(&stolen(&prey.leased), at(9999)).await.unwrap();
        leak(&done, !done)
    },
    "settle" => |store, prey| {
        let done = store.settle(&stolen(&prey.leased), &Settlement::Done { record: None }, None, at(9)).await.unwrap();
        leak(&done, done == Settled::Lost)
    },
    "crm_record" => |store, _prey| {
        let found = store.crm_record(&tenant("b"), &crm("odoo"), call(), "").await.unwrap();
        leak(&found, found.is_none())
    },
    "deliveries" => |store, _prey| {
        let mut found = Vec::new();
        for state in [None, Some(DeliveryState::Open), Some(DeliveryState::Done), Some(DeliveryState::Dead)] {
            for target in [None, Some(crm("odoo"))] {
                for interaction in [None, Some(call())] {
                    let filter = DeliveryFilter { state, target: target.clone(), interaction };
                    found.extend(store.deliveries(&tenant("b"), &filter, None, 9).await.unwrap());
                }
            }
        }
        leak(&found, found.is_empty())
    },
    "delivery" => |store, prey| {
        let found = store.delivery(&tenant("b"), prey.dead).await.unwrap();
        leak(&found.is_some(), found.is_none())
    },
    "backlog" => |store, _prey| {
        let found = store.backlog(&tenant("b")).await.unwrap();
        leak(&found, found.is_empty())
    },
    "replay" => |store, prey| {
        let done = store.replay(&tenant("b"), prey.dead, at(9)).await.unwrap();
        leak(&done, !done)
    },
    "replay_all" => |store, _prey| {
        let done = store.replay_all(&tenant("b"), &crm("odoo"), at(9)).await.unwrap();
        leak(&done, done == 0)
    },
    "resume" => |store, _prey| {
        let done = store.resume(&tenant("b"), &crm("tryton"), at(9)).await.unwrap();
        leak(&done, !done)
    },
    "bring_forward" => |store, _prey| {
        let before = store.due(&tenant("a")).await.unwrap();
        store.bring_forward(&tenant("b"), at(-9), SignedDuration::from_secs(9999), at(-8)).await.unwrap();
        let after = store.due(&tenant("a")).await.unwrap();
        leak(&after, after == before)
    },
    "prune_delivered" => |store, _prey| {
        let done = store.prune_delivered(&tenant("b"), at(9999), 9).await.unwrap();
        leak(&done, done == 0)
    },
    // The last one: it makes a target of `b`'s own.
    "pause" => |store, _prey| {
        store.pause(&tenant("b"), &crm("odoo"), &failure("theirs"), at(9)).await.unwrap();
        let kept = store.backlog(&tenant("a")).await.unwrap();
        let odoo = kept.iter().find(|b| b.target == crm("odoo")).unwrap();
        leak(&kept, odoo.paused.is_none())
    },
};

#[rstest]
#[tokio::test]
async fn after_the_clock_was_set_back_nothing_waits_for_a_time_of_the_clock_before(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    let soon = NewDelivery { not_before: at(60), ..delivery(&odoo, "x", "x") };
    o.store.enqueue(&tenant("a"), &[soon]).await.unwrap();
    // Set back by an hour: what was to wait a minute would wait for an hour and a minute.
    let hour = SignedDuration::from_hours(1);
    let due = async || o.store.due(&tenant("a")).await.unwrap().first().unwrap().at;
    o.store.bring_forward(&tenant("a"), at(300), hour, at(0)).await.unwrap();
    assert_eq!(due().await, at(60), "what is not far away stays");
    o.store.bring_forward(&tenant("a"), at(30) - hour, hour, at(0) - hour).await.unwrap();
    assert_eq!(due().await, at(60) - hour);
    o.store.bring_forward(&tenant("a"), at(0) - hour, hour, at(0) - hour).await.unwrap();
    assert_eq!(due().await, at(0) - hour, "never before now");
}

#[rstest]
#[tokio::test]
async fn no_question_crosses_from_one_tenant_to_another(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let odoo = crm("odoo");
    let all = ["x", "y", "z"].map(|lane| delivery(&odoo, lane, lane));
    o.store.enqueue(&tenant("a"), &all).await.unwrap();
    o.store.pause(&tenant("a"), &crm("tryton"), &failure("auth-expired"), at(0)).await.unwrap();
    let mut leased = lease(&*o.store, &odoo, 3, 0).await;
    let dead = leased.pop().unwrap();
    settle(&*o.store, &dead, Settlement::Dead { failure: failure("invalid") }, 1).await;
    let written = Settlement::Done { record: Some(note("n-1")) };
    settle(&*o.store, &leased.pop().unwrap(), written, 1).await;
    let prey = Prey { leased: leased.pop().unwrap(), dead: dead.id };
    let before = o.store.deliveries(&tenant("a"), &DeliveryFilter::default(), None, 9).await.unwrap();
    for (method, attempt) in TRIES {
        assert_eq!(attempt(&*o.store, &prey).await, None, "{method}");
    }
    let after = o.store.deliveries(&tenant("a"), &DeliveryFilter::default(), None, 9).await.unwrap();
    assert_eq!(after, before);
    assert_eq!(o.store.backlog(&tenant("a")).await.unwrap().len(), 2);
    let held = o.store.renew(&prey.leased, at(0) + SignedDuration::from_secs(60)).await.unwrap();
    assert!(held, "the lease is still the first tenant's");
}

#[test]
fn every_method_is_tried() {
    let source = include_str!("../src/outbox.rs");
    let inside = source.split_once("pub trait OutboxStore").unwrap().1.split_once("\n}").unwrap().0;
    let methods: Vec<&str> = inside
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("fn ")?.split(['<', '(']).next())
        .collect();
    assert!(methods.len() > 10, "{methods:?}");
    // A bell says nothing but a tenant's name, to the process itself.
    let missing: Vec<_> =
        methods.iter().filter(|m| **m != "bell" && !TRIES.iter().any(|(tried, _)| tried == *m)).collect();
    assert!(missing.is_empty(), "add a try to TRIES for: {missing:?}");
}
