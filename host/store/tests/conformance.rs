//! What every store promises, checked on each backend. All people and numbers here are invented.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use ramal_store::memory::MemoryStore;
use ramal_store::*;
use rstest::rstest;
use uuid::Uuid;

trait Store: CallStore + LiveStore + PluginStore + StoreHealth {}
impl<T: CallStore + LiveStore + PluginStore + StoreHealth> Store for T {}

struct Opened {
    store: Arc<dyn Store>,
    _dir: Option<tempfile::TempDir>,
}

#[derive(Clone, Copy)]
enum Backend {
    Memory,
    Sqlite,
}

async fn open(backend: Backend, live_events: u32) -> Opened {
    match backend {
        Backend::Memory => Opened { store: Arc::new(MemoryStore::new(live_events as usize)), _dir: None },
        Backend::Sqlite => {
            let dir = tempfile::tempdir().unwrap();
            let mut settings = SqliteSettings::new(dir.path().join("ramal.db"));
            settings.live_events = live_events;
            let store = SqliteStore::open(&settings).await.unwrap();
            Opened { store: Arc::new(store), _dir: Some(dir) }
        }
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}
fn plugin(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

fn ringing(tenant_name: &str, call: &str, second: i64, asked: &[&str]) -> CallWrite {
    CallWrite {
        call: Call {
            tenant: tenant(tenant_name),
            interaction: InteractionId(Uuid::now_v7()),
            source: SourceId::new("pbx").unwrap(),
            call_id: CallId::new(call).unwrap(),
            state: CallState::Ringing,
            from: Some(Clear::new("+5511987654321")),
            to: Some(Clear::new("+551133334444")),
            queue: Some("sales".into()),
            agent: None,
            cause: None,
            ringing_at: at(second),
            answered_at: None,
            ended_at: None,
            asked: asked.iter().map(|p| plugin(p)).collect(),
            revision: 1,
        },
        event: EventRow {
            event_id: EventId::new(&format!("{call}-ringing")).unwrap(),
            kind: CallState::Ringing,
            at: at(second),
            received_at: at(second),
        },
        live: Some(NewLive { kind: "call".into(), interaction: None, body: "{}".into() }),
    }
}

fn answered(before: &Call, second: i64) -> CallWrite {
    let mut call = before.clone();
    call.state = CallState::Answered;
    call.answered_at = Some(at(second));
    call.agent = Some(Clear::new("Bruna (invented)"));
    call.revision += 1;
    CallWrite {
        event: EventRow {
            event_id: EventId::new(&format!("{}-answered", call.call_id.as_str())).unwrap(),
            kind: CallState::Answered,
            at: at(second),
            received_at: at(second),
        },
        live: Some(NewLive { kind: "call".into(), interaction: None, body: "{}".into() }),
        call,
    }
}

fn finding(call: &Call, plugin_name: &str, second: i64) -> Finding {
    Finding {
        tenant: call.tenant.clone(),
        interaction: call.interaction,
        plugin: plugin(plugin_name),
        kind: FindingKind::Card,
        body: r#"{"name":"Ana (invented)"}"#.into(),
        at: at(second),
    }
}

async fn situation(store: &dyn Store, write: &CallWrite) -> Situation {
    store
        .situation(&write.call.tenant, &write.call.source, &write.call.call_id, &write.event.event_id)
        .await
        .unwrap()
}

#[rstest]
#[tokio::test]
async fn what_was_recorded_reads_back(#[values(Backend::Memory, Backend::Sqlite)] backend: Backend) {
    let o = open(backend, 100).await;
    let first = ringing("a", "c1", 0, &["practice"]);
    assert_eq!(situation(&*o.store, &first).await, Situation { call: None, seen_for: None });
    assert_eq!(o.store.record(&first).await.unwrap(), Recorded::Stored(Some(LiveId(1))));
    let known = situation(&*o.store, &first).await;
    assert_eq!(known.call.as_ref(), Some(&first.call));
    assert_eq!(known.seen_for.as_ref(), Some(&first.call.call_id));

    let second = answered(&first.call, 3);
    assert_eq!(o.store.record(&second).await.unwrap(), Recorded::Stored(Some(LiveId(2))));
    assert_eq!(situation(&*o.store, &second).await.call, Some(second.call));
}

#[rstest]
#[tokio::test]
async fn an_event_id_counts_once_for_its_source(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let o = open(backend, 100).await;
    let write = ringing("a", "c1", 0, &[]);
    o.store.record(&write).await.unwrap();
    assert_eq!(o.store.record(&write).await.unwrap(), Recorded::Repeated);
    // The same ids from another source and for another tenant are other events.
    let mut elsewhere = ringing("a", "c1", 0, &[]);
    elsewhere.call.source = SourceId::new("other-pbx").unwrap();
    assert!(matches!(o.store.record(&elsewhere).await.unwrap(), Recorded::Stored(_)));
    assert!(matches!(o.store.record(&ringing("b", "c1", 0, &[])).await.unwrap(), Recorded::Stored(_)));
}

#[rstest]
#[tokio::test]
async fn a_change_of_an_old_revision_writes_nothing(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let o = open(backend, 100).await;
    let first = ringing("a", "c1", 0, &[]);
    o.store.record(&first).await.unwrap();
    o.store.record(&answered(&first.call, 1)).await.unwrap();
    let mut late = answered(&first.call, 2);
    late.event.event_id = EventId::new("another").unwrap();
    assert_eq!(o.store.record(&late).await.unwrap(), Recorded::Conflict);
    let page = o.store.live_after(&tenant("a"), LiveId(0), 10).await.unwrap();
    assert_eq!(page.last, LiveId(2), "the refused change must not have told anything");
    // The event was not kept either, so that it can be tried again on the new revision.
    assert_eq!(situation(&*o.store, &late).await.seen_for, None);
}

#[rstest]
#[tokio::test]
async fn tenants_see_only_their_own(#[values(Backend::Memory, Backend::Sqlite)] backend: Backend) {
    let o = open(backend, 100).await;
    let write = ringing("a", "c1", 0, &["practice"]);
    o.store.record(&write).await.unwrap();
    o.store.record_finding(&finding(&write.call, "practice", 1)).await.unwrap();
    let other = tenant("b");
    assert!(o.store.recent(&other, 10).await.unwrap().calls.is_empty());
    assert_eq!(o.store.recent(&other, 10).await.unwrap().last, LiveId(0));
    assert!(o.store.live_after(&other, LiveId(0), 10).await.unwrap().events.is_empty());
    let known = o.store.situation(&other, &write.call.source, &write.call.call_id, &write.event.event_id);
    assert_eq!(known.await.unwrap(), Situation { call: None, seen_for: None });
}

#[rstest]
#[tokio::test]
async fn the_first_answer_of_a_plugin_stands(#[values(Backend::Memory, Backend::Sqlite)] backend: Backend) {
    let o = open(backend, 100).await;
    let write = ringing("a", "c1", 0, &["one", "two"]);
    o.store.record(&write).await.unwrap();
    assert_eq!(o.store.unanswered(10).await.unwrap().len(), 1);
    assert_eq!(o.store.record_finding(&finding(&write.call, "one", 1)).await.unwrap(), Some(LiveId(2)));
    assert_eq!(o.store.record_finding(&finding(&write.call, "one", 2)).await.unwrap(), None);
    let open = o.store.unanswered(10).await.unwrap();
    assert_eq!(open[0].findings, [finding(&write.call, "one", 1)]);
    assert_eq!(open[0].call.asked, [plugin("one"), plugin("two")]);
    o.store.record_finding(&finding(&write.call, "two", 3)).await.unwrap();
    assert!(o.store.unanswered(10).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_finding_does_not_fail_an_event_that_is_being_decided(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let o = open(backend, 100).await;
    let first = ringing("a", "c1", 0, &["one"]);
    o.store.record(&first).await.unwrap();
    o.store.record_finding(&finding(&first.call, "one", 1)).await.unwrap();
    assert!(matches!(o.store.record(&answered(&first.call, 2)).await.unwrap(), Recorded::Stored(_)));
    assert!(o.store.unanswered(10).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn recent_calls_come_newest_first_with_their_findings(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let o = open(backend, 100).await;
    for (i, call) in ["c1", "c2", "c3"].iter().enumerate() {
        let write = ringing("a", call, i as i64, &["one"]);
        o.store.record(&write).await.unwrap();
        o.store.record_finding(&finding(&write.call, "one", i as i64)).await.unwrap();
    }
    let recent = o.store.recent(&tenant("a"), 2).await.unwrap();
    let ids: Vec<&str> = recent.calls.iter().map(|c| c.call.call_id.as_str()).collect();
    assert_eq!(ids, ["c3", "c2"]);
    assert!(recent.calls.iter().all(|c| c.findings.len() == 1));
    assert_eq!(recent.last, LiveId(6));
}

#[rstest]
#[tokio::test]
async fn live_ids_grow_by_one_and_survive_pruning(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let o = open(backend, 3).await;
    for i in 0..5 {
        o.store.record(&ringing("a", &format!("c{i}"), i, &[])).await.unwrap();
    }
    let page = o.store.live_after(&tenant("a"), LiveId(0), 10).await.unwrap();
    assert_eq!(page.events.iter().map(|e| e.id.0).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!((page.oldest, page.last), (LiveId(3), LiveId(5)));
    let one = o.store.live_after(&tenant("a"), LiveId(3), 1).await.unwrap();
    assert_eq!(one.events.iter().map(|e| e.id.0).collect::<Vec<_>>(), [4]);
    let huge = o.store.live_after(&tenant("a"), LiveId(u64::MAX), 1).await.unwrap();
    assert!(huge.events.is_empty());
}

#[rstest]
#[tokio::test]
async fn concurrent_events_get_every_id_exactly_once(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let o = open(backend, 1000).await;
    let tasks = (0..40).map(|i| {
        let store = o.store.clone();
        tokio::spawn(async move { store.record(&ringing("a", &format!("c{i}"), i, &[])).await.unwrap() })
    });
    let mut ids = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        if let Recorded::Stored(Some(id)) = task.await.unwrap() {
            ids.push(id.0);
        }
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=40).collect::<Vec<_>>());
}

const LIMITS: PluginLimits = PluginLimits { entries: 2, bytes: 20 };

fn entry(key: &str, value: &str, expires_at: Option<Timestamp>) -> PluginEntry {
    PluginEntry { key: key.into(), value: value.as_bytes().to_vec(), expires_at }
}

#[rstest]
#[tokio::test]
async fn a_plugins_entry_is_its_own(#[values(Backend::Memory, Backend::Sqlite)] backend: Backend) {
    let o = open(backend, 1).await;
    let (a, p, now) = (tenant("a"), plugin("p"), at(0));
    o.store.set_entry(&a, &p, entry("k", "one", None), LIMITS, now).await.unwrap();
    o.store.set_entry(&a, &p, entry("k", "two", None), LIMITS, now).await.unwrap();
    assert_eq!(o.store.entry(&a, &p, "k", now).await.unwrap(), Some(b"two".to_vec()));
    assert_eq!(o.store.entry(&a, &plugin("q"), "k", now).await.unwrap(), None);
    assert_eq!(o.store.entry(&tenant("b"), &p, "k", now).await.unwrap(), None);
    assert!(o.store.delete_entry(&a, &p, "k").await.unwrap());
    assert!(!o.store.delete_entry(&a, &p, "k").await.unwrap());
    o.store.set_entry(&a, &p, entry("k", "one", None), LIMITS, now).await.unwrap();
    assert_eq!(o.store.delete_all_entries(&a, &p).await.unwrap(), 1);
    assert_eq!(o.store.entry(&a, &p, "k", now).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn an_entry_is_gone_at_its_time_and_costs_nothing_then(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let o = open(backend, 1).await;
    let (a, p, now) = (tenant("a"), plugin("p"), at(0));
    let end = now.checked_add(60.seconds()).unwrap();
    o.store.set_entry(&a, &p, entry("k1", "x", Some(end)), LIMITS, now).await.unwrap();
    o.store.set_entry(&a, &p, entry("k2", "x", Some(end)), LIMITS, now).await.unwrap();
    assert!(o.store.entry(&a, &p, "k1", at(59)).await.unwrap().is_some());
    assert!(o.store.entry(&a, &p, "k1", end).await.unwrap().is_none());
    o.store.set_entry(&a, &p, entry("k3", "x", None), LIMITS, end).await.unwrap();
    o.store.set_entry(&a, &p, entry("k4", "x", None), LIMITS, end).await.unwrap();
}

#[rstest]
#[case::entries(
    entry("k3", "x", None),
    "the plugin's store is full: 2 entries are allowed; delete some or give them a time to live"
)]
#[case::bytes(
    entry("k1", "0123456789abcdefg", None),
    "the plugin's store is full: 22 bytes wanted, 20 allowed; keep less or delete some"
)]
#[tokio::test]
async fn a_full_plugin_store_refuses_and_keeps_what_it_has(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
    #[case] extra: PluginEntry,
    #[case] text: &str,
) {
    let o = open(backend, 1).await;
    let (a, p, now) = (tenant("a"), plugin("p"), at(0));
    o.store.set_entry(&a, &p, entry("k1", "x", None), LIMITS, now).await.unwrap();
    o.store.set_entry(&a, &p, entry("k2", "x", None), LIMITS, now).await.unwrap();
    let error = o.store.set_entry(&a, &p, extra, LIMITS, now).await.unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(o.store.entry(&a, &p, "k1", now).await.unwrap(), Some(b"x".to_vec()));
}

#[rstest]
#[tokio::test]
async fn a_healthy_store_is_writable(#[values(Backend::Memory, Backend::Sqlite)] backend: Backend) {
    open(backend, 1).await.store.check_writable().await.unwrap();
}
