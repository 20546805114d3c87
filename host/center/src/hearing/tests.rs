//! Everybody here is invented.

use std::collections::VecDeque;

use parking_lot::Mutex;
use ramal_store::{LiveStore, NewHook, SqliteSettings, SqliteStore, Store};
use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::{CenterParts, CenterSettings, Clock, LiveItem, Silent};

struct At(Mutex<Timestamp>);
impl Clock for At {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

/// A CRM whose plugin answers as the test decided, in order; then as the last one.
struct Crm {
    tenant: TenantId,
    plugin: PluginId,
    every: Option<Duration>,
    answers: Mutex<VecDeque<Result<CrmNews, Setback>>>,
    heard: Mutex<Vec<CrmOccasion>>,
}

impl CrmEvents for Crm {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    fn plugin(&self) -> &PluginId {
        &self.plugin
    }
    fn region(&self) -> Region {
        Region::BR
    }
    fn every(&self) -> Option<Duration> {
        self.every
    }
    fn handle(&self, occasion: CrmOccasion) -> BoxFuture<'_, Result<CrmNews, Setback>> {
        self.heard.lock().push(occasion);
        let mut answers = self.answers.lock();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(std::future::ready(answer.unwrap_or_else(|| Ok(CrmNews::default()))))
    }
}

#[derive(Default)]
struct Forgotten(Mutex<Vec<String>>);
impl ContactCopies for Forgotten {
    fn forget_contact(&self, tenant: &TenantId, plugin: &PluginId, contact: &str) {
        self.0.lock().push(format!("{tenant}/{plugin}/{contact}"));
    }
}

struct World {
    store: Arc<SqliteStore>,
    clock: Arc<At>,
    crm: Arc<Crm>,
    forgotten: Arc<Forgotten>,
    center: Center,
    shared: Shared,
    _dir: tempfile::TempDir,
}

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}
fn failure() -> Failure {
    Failure::new("code", "as the test decided")
}
fn news(facts: impl IntoIterator<Item = CrmFact>) -> Result<CrmNews, Setback> {
    Ok(CrmNews { facts: facts.into_iter().collect(), ..CrmNews::default() })
}
fn page(next: &str, more: bool) -> Result<CrmNews, Setback> {
    let facts = vec![CrmFact::ContactChanged(format!("of-{next}"))];
    Ok(CrmNews { facts, next: Some(next.to_owned()), more })
}

async fn world(every: Option<u64>, answers: Vec<Result<CrmNews, Setback>>) -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&SqliteSettings::new(dir.path().join("ramal.db"))).await.unwrap();
    let (store, clock) = (Arc::new(store), Arc::new(At(Mutex::new(noon()))));
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(Silent),
        clock: clock.clone(),
        settings: CenterSettings::default(),
    });
    let crm = Arc::new(Crm {
        tenant: TenantId::new("acme").unwrap(),
        plugin: PluginId::new("crm").unwrap(),
        every: every.map(Duration::from_secs),
        answers: Mutex::new(answers.into()),
        heard: Mutex::default(),
    });
    let forgotten = Arc::new(Forgotten::default());
    let shared = Shared {
        center: center.clone(),
        store: store.clone(),
        copies: forgotten.clone(),
        roll: Arc::new(|| u32::MAX),
    };
    World { store, clock, crm, forgotten, center, shared, _dir: dir }
}

impl World {
    async fn hook(&self, digest: u8) {
        let came = Listed { headers: Vec::new(), body: Clear::from(r#"{"id":"c-7"}"#) };
        let new = NewHook {
            tenant: self.crm.tenant.clone(),
            plugin: self.crm.plugin.clone(),
            hook: "changes".parse().unwrap(),
            digest: [digest; 32],
            came,
            at: self.shared.now(),
            repeats_since: self.shared.now(),
        };
        self.store.take_hook(&new).await.unwrap();
    }
    async fn round(&self) -> Option<Timestamp> {
        let (_go_on, stop) = watch::channel(false);
        self.shared.round(&*self.crm, &stop).await.unwrap()
    }
    fn pass(&self, seconds: u64) {
        let mut now = self.clock.0.lock();
        *now = later(*now, Duration::from_secs(seconds));
    }
    fn times(&self) -> usize {
        self.crm.heard.lock().len()
    }
    async fn live(&self) -> Vec<(String, Value)> {
        let page = self.store.live_after(&self.crm.tenant, LiveId(0), 99).await.unwrap();
        page.events.into_iter().map(|e| (e.kind, serde_json::from_str(&e.body).unwrap())).collect()
    }
}

#[tokio::test]
async fn facts_become_live_events_and_copies_are_forgotten() {
    let about = CrmRecord { kind: "contact".into(), id: "c-9".into(), url: None };
    let facts = vec![
        CrmFact::ContactChanged("c-7".into()),
        CrmFact::ContactDeleted("c-8".into()),
        CrmFact::RecordDeleted(CrmRecord { kind: "note".into(), id: "n-1".into(), url: None }),
        CrmFact::Dial { agent: "u-1".into(), number: "(11) 90000-0021".into(), about: Some(about) },
        CrmFact::ContactChanged("c-7".into()),
        CrmFact::Dial { agent: "u-1".into(), number: "no number".into(), about: None },
    ];
    let w = world(None, vec![news(facts)]).await;
    w.hook(1).await;
    assert_eq!(w.round().await, None);
    let live = w.live().await;
    let kinds: Vec<&str> = live.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["contact.deleted", "record.deleted", "dial.requested", "contact.changed"]);
    assert_eq!(live[3].1, serde_json::json!({"plugin": "crm", "contact": "c-7"}));
    let dial = &live[2].1;
    assert_eq!(
        (&dial["number"], &dial["agent"], &dial["about"]["id"]),
        (&"+5511900000021".into(), &"u-1".into(), &"c-9".into())
    );
    assert_eq!(*w.forgotten.0.lock(), ["acme/crm/c-8", "acme/crm/c-7"]);
}

#[rstest]
#[case::slow(Setback::Transient(failure()), 1, 2)]
#[case::told_to_wait(Setback::RetryAfter(Some(Duration::from_secs(90)), failure()), 90, 2)]
#[case::needs_a_person(Setback::NeedsPerson(failure()), 900, 2)]
#[case::permanent(Setback::Permanent(failure()), 86_400, 1)]
#[tokio::test]
async fn a_hook_that_fails_is_heard_again_in_time(
    #[case] setback: Setback,
    #[case] seconds: u64,
    #[case] times: usize,
) {
    let w = world(None, vec![Err(setback), news([])]).await;
    w.hook(1).await;
    let next = w.round().await;
    w.pass(seconds - 1);
    w.round().await;
    assert_eq!(w.times(), 1, "not before its time");
    w.pass(1);
    w.round().await;
    assert_eq!(w.times(), times);
    assert_eq!(next.is_some(), times > 1);
}

#[tokio::test]
async fn after_a_day_a_hook_is_given_up() {
    let w = world(None, vec![Err(Setback::Transient(failure()))]).await;
    w.hook(1).await;
    w.round().await;
    w.pass(86_399);
    assert!(w.round().await.is_some(), "still within the day");
    w.pass(1);
    assert_eq!(w.round().await, None);
    let tried = w.times();
    w.pass(86_400);
    w.round().await;
    assert_eq!(w.times(), tried);
}

#[tokio::test]
async fn ticks_go_on_from_the_cursor_page_by_page() {
    let w = world(Some(300), vec![page("c1", true), page("c2", false), page("c3", false)]).await;
    let next = w.round().await;
    assert_eq!(next, Some(later(noon(), Duration::from_secs(330))), "the interval and the whole spread");
    w.pass(329);
    w.round().await;
    assert_eq!(w.times(), 2);
    w.pass(1);
    w.round().await;
    let cursors: Vec<Option<String>> = w
        .crm
        .heard
        .lock()
        .iter()
        .map(|heard| match heard {
            CrmOccasion::Tick { cursor } => cursor.clone(),
            CrmOccasion::Hook { .. } => panic!("no hook came"),
        })
        .collect();
    assert_eq!(cursors, [None, Some("c1".to_owned()), Some("c2".to_owned())]);
    assert_eq!(w.live().await.len(), 3);
}

#[tokio::test]
async fn a_plugin_that_says_more_without_a_step_forward_is_not_asked_for_ever() {
    let w = world(Some(300), vec![page("c1", true)]).await;
    w.round().await;
    assert_eq!(w.times(), 2, "the second answer stood still");
}

#[tokio::test]
async fn a_dead_credential_stops_the_ticks_until_a_person_has_acted() {
    let w = world(Some(60), vec![page("c1", false), Err(Setback::NeedsPerson(failure())), page("c2", false)])
        .await;
    w.round().await;
    w.pass(66);
    assert_eq!(w.round().await, None);
    w.pass(86_400);
    w.round().await;
    assert_eq!(w.times(), 2);
    let (tenant, plugin) = (&w.crm.tenant, &w.crm.plugin);
    assert!(w.store.resume_sync(tenant, plugin, w.shared.now()).await.unwrap());
    w.round().await;
    assert_eq!(w.crm.heard.lock().last(), Some(&CrmOccasion::Tick { cursor: Some("c1".into()) }));
}

#[tokio::test]
async fn what_a_killed_process_had_in_hand_is_heard_by_the_next_one() {
    let w = world(Some(60), vec![news([CrmFact::ContactChanged("c-7".into())])]).await;
    w.hook(1).await;
    // Leased, and then the process is gone.
    let order = InboundOrder {
        tenant: w.crm.tenant.clone(),
        plugin: w.crm.plugin.clone(),
        now: noon(),
        until: later(noon(), LEASE),
    };
    assert_eq!(w.store.lease_hooks(&order, 9).await.unwrap().len(), 1);
    assert!(w.store.lease_sync(&order).await.unwrap().is_some());
    w.round().await;
    assert_eq!(w.times(), 0);
    w.pass(LEASE.as_secs());
    w.round().await;
    assert_eq!(w.times(), 2, "the hook and the tick");
}

#[tokio::test]
async fn a_ring_wakes_the_task_and_readers_hear_of_it() {
    let w = world(None, vec![news([CrmFact::ContactChanged("c-7".into())])]).await;
    let mut live = w.center.live(w.crm.tenant.clone(), Some(LiveId(0)));
    let hearing = Hearing::new(HearingParts {
        center: w.center.clone(),
        store: w.store.clone(),
        copies: Arc::new(w.center.clone()),
        crms: vec![w.crm.clone()],
        roll: Arc::new(|| 0),
    });
    let bell = hearing.bell();
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(hearing.run(stopped));
    w.hook(1).await;
    bell.ring(&w.crm.tenant, &w.crm.plugin);
    let LiveItem::Event(event) = live.next().await.unwrap() else { panic!("no event") };
    assert_eq!(event.kind, "contact.changed");
    stop.send_replace(true);
    task.await.unwrap();
    w.store.close().await.unwrap();
}
