//! The main road: an event comes in, the number is told at once, the cards follow. Time is tokio's, stopped, so the
//! deadlines are exact and nothing here waits. All people and numbers are invented.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;
use ramal_center::*;
use ramal_store::memory::MemoryStore;
use ramal_store::{Fault, InteractionStore, LiveStore, SqliteSettings, SqliteStore, Store as _};
use rstest::rstest;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

// === what stands around the center ===

struct SetClock(Mutex<Timestamp>);
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}
fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}
fn after_noon(seconds: i64) -> Timestamp {
    noon() + jiff::SignedDuration::from_secs(seconds)
}

#[derive(Default)]
struct Counted(Mutex<Vec<String>>);
impl Observer for Counted {
    fn event(&self, kind: &'static str, outcome: &'static str) {
        self.0.lock().push(format!("{kind} {outcome}"));
    }
    fn look_up(&self, plugin: &PluginId, outcome: &'static str, _: Duration) {
        self.0.lock().push(format!("{plugin} {outcome}"));
    }
}

/// How a made-up CRM behaves.
#[derive(Clone)]
enum Crm {
    Knows(&'static str, Duration),
    KnowsNobody,
    Fails(LookUpFailure),
    Hangs,
    Panics,
    /// Answers when told to.
    Waits(Arc<Notify>),
}

struct Fake {
    plugin: PluginId,
    crm: Crm,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Directory for Fake {
    fn plugin(&self) -> &PluginId {
        &self.plugin
    }
    fn look_up(&self, ask: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>> {
        self.asked.lock().push(format!("{} {}", self.plugin, ask.number.e164()));
        let card = |name: &str| Found {
            cards: vec![Card { id: "7".into(), name: name.into(), ..Card::default() }],
            seen: vec![Seen {
                class: DataClass::ContactPhone,
                direction: Direction::ToPlugin,
                level: Level::Sealed,
                count: 1,
            }],
            took: Duration::from_millis(12),
            requests: 1,
        };
        Box::pin(async move {
            match self.crm.clone() {
                Crm::Knows(name, after) => {
                    tokio::time::sleep(after).await;
                    Ok(card(name))
                }
                Crm::KnowsNobody => Ok(Found::default()),
                Crm::Fails(failure) => Err(failure),
                Crm::Hangs => std::future::pending().await,
                Crm::Panics => panic!("a defect, on purpose"),
                Crm::Waits(told) => {
                    told.notified().await;
                    Ok(card("Ana (invented)"))
                }
            }
        })
    }
}

struct World {
    center: Center,
    store: Arc<MemoryStore>,
    clock: Arc<SetClock>,
    counted: Arc<Counted>,
    asked: Arc<Mutex<Vec<String>>>,
}

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn center(store: &Arc<MemoryStore>, clock: &Arc<SetClock>, counted: &Arc<Counted>) -> Center {
    Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: counted.clone(),
        clock: clock.clone(),
        settings: CenterSettings::default(),
    })
}

fn connect(center: &Center, asked: &Arc<Mutex<Vec<String>>>, crms: &[(&str, Crm)]) {
    let directories = crms.iter().map(|(name, crm)| {
        let fake = Fake { plugin: PluginId::new(name).unwrap(), crm: crm.clone(), asked: asked.clone() };
        Arc::new(fake) as Arc<dyn Directory>
    });
    center.set_directories(HashMap::from([(tenant(), directories.collect())]));
}

fn world(crms: &[(&str, Crm)]) -> World {
    let store = Arc::new(MemoryStore::new(1000));
    let clock = Arc::new(SetClock(Mutex::new(noon())));
    let counted = Arc::new(Counted::default());
    let asked = Arc::default();
    let center = center(&store, &clock, &counted);
    connect(&center, &asked, crms);
    World { center, store, clock, counted, asked }
}

fn origin() -> Origin {
    Origin { tenant: tenant(), source: SourceId::new("pbx").unwrap() }
}

fn event(event_id: &str, call_id: &str, kind: EventKind) -> CallEvent {
    CallEvent {
        event_id: EventId::new(event_id).unwrap(),
        call_id: CallId::new(call_id).unwrap(),
        kind,
        at: noon(),
    }
}
fn ringing() -> EventKind {
    let number = PhoneNumber::parse("+5511987654321", Region::BR).unwrap();
    rings(Caller::Number(number))
}
fn rings(from: Caller) -> EventKind {
    let (channel, direction) = (Channel::Fixed, InteractionDirection::Inbound);
    EventKind::Ringing { channel, direction, from, to: None, queue: None }
}

async fn next(tail: &mut LiveTail) -> (String, Value) {
    match tail.next().await.unwrap() {
        LiveItem::Event(event) => (event.kind, serde_json::from_str(&event.body).unwrap()),
        LiveItem::Reset { .. } => panic!("nothing was pruned"),
    }
}

/// Waits until all look-ups have ended.
async fn settled(center: &Center) {
    assert!(center.shutdown(Duration::from_secs(60)).await);
}

// === the screen pop ===

#[tokio::test(start_paused = true)]
async fn the_number_is_told_at_once_and_the_card_when_it_comes() {
    let w = world(&[("practice", Crm::Knows("Ana (invented)", Duration::from_millis(800)))]);
    let mut live = w.center.live(tenant(), Some(LiveId(0)));
    let begun = Instant::now();
    let handled = w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    assert_eq!((handled.state, handled.repeated), (InteractionState::Ringing, false));

    let (kind, call) = next(&mut live).await;
    assert_eq!((kind.as_str(), begun.elapsed()), ("call", Duration::ZERO));
    assert_eq!(call["from"]["national"], "(11) 98765-4321");
    assert_eq!(call["asked"], serde_json::json!(["practice"]));

    let (kind, card) = next(&mut live).await;
    assert_eq!((kind.as_str(), begun.elapsed()), ("card", Duration::from_millis(800)));
    assert_eq!(card["cards"][0]["name"], "Ana (invented)");
    assert_eq!(card["seen"][0]["level"], "sealed");
    assert_eq!(card["interaction"], call["interaction"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_a_broken_and_a_hanging_crm_delay_no_other() {
    let w = world(&[
        ("hangs", Crm::Hangs),
        ("panics", Crm::Panics),
        ("slow", Crm::Knows("Caio (invented)", Duration::from_secs(2))),
        ("quick", Crm::Knows("Ana (invented)", Duration::from_millis(5))),
        ("empty", Crm::KnowsNobody),
    ]);
    let mut live = w.center.live(tenant(), Some(LiveId(0)));
    let begun = Instant::now();
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    assert_eq!(next(&mut live).await.0, "call");
    let mut told = HashMap::new();
    for _ in 0..5 {
        let (kind, body) = next(&mut live).await;
        let word = body["reason"].as_str().unwrap_or(&kind).to_owned();
        told.insert(body["plugin"].as_str().unwrap().to_owned(), (word, begun.elapsed()));
    }
    let ms = Duration::from_millis;
    assert_eq!(told["panics"], ("broken".to_owned(), ms(0)));
    assert_eq!(told["empty"], ("card-none".to_owned(), ms(0)));
    assert_eq!(told["quick"], ("card".to_owned(), ms(5)));
    assert_eq!(told["slow"], ("card".to_owned(), ms(2000)));
    assert_eq!(told["hangs"], ("timeout".to_owned(), ms(3000)));
}

#[tokio::test(start_paused = true)]
async fn a_withheld_number_is_looked_up_nowhere() {
    let w = world(&[("practice", Crm::KnowsNobody)]);
    let mut live = w.center.live(tenant(), Some(LiveId(0)));
    let kind = rings(Caller::Withheld);
    w.center.handle(origin(), event("e1", "c1", kind)).await.unwrap();
    let (_, call) = next(&mut live).await;
    assert_eq!((&call["from"], &call["asked"]), (&Value::Null, &serde_json::json!([])));
    settled(&w.center).await;
    assert!(w.asked.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_counted_names_plugins_and_outcomes() {
    let w = world(&[("a", Crm::KnowsNobody), ("b", Crm::Fails(LookUpFailure::RateLimited(Some(9))))]);
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    w.center.handle(origin(), event("e2", "c2", EventKind::Answered { agent: None })).await.unwrap_err();
    settled(&w.center).await;
    let mut counted = w.counted.0.lock().clone();
    counted.sort();
    assert_eq!(
        counted,
        ["a none", "answered call-unknown", "b rate-limited", "ringing repeated", "ringing stored"]
    );
}

#[tokio::test(start_paused = true)]
async fn who_begins_a_conversation_with_a_number_is_looked_up_once() {
    let w = world(&[("practice", Crm::Knows("Ana (invented)", Duration::ZERO))]);
    let mut live = w.center.live(tenant(), Some(LiveId(0)));
    let said = |reference: &str| MessageEvent {
        reference: EventId::new(reference).unwrap(),
        channel: Channel::Whatsapp,
        direction: InteractionDirection::Inbound,
        contacts: vec![ContactIdentity::phone("+5511987654321").unwrap()],
        line: None,
        text: Some(Clear::new("Olá (invented)")),
        attachments: Vec::new(),
        agent: None,
        at: noon(),
    };
    let begun = w.center.record_message(origin(), said("m1")).await.unwrap();
    while next(&mut live).await.0 != "card" {}
    assert!(!w.center.record_message(origin(), said("m2")).await.unwrap().repeated);
    settled(&w.center).await;
    assert_eq!(*w.asked.lock(), ["practice +5511987654321"]);
    let of = w.center.interaction(&tenant(), begun.interaction).await.unwrap().unwrap().interaction;
    assert_eq!(of.links.iter().map(|link| link.id.as_str()).collect::<Vec<_>>(), ["7"]);
}

#[tokio::test(start_paused = true)]
async fn who_writes_without_a_number_is_looked_up_nowhere() {
    let w = world(&[("practice", Crm::KnowsNobody)]);
    let namespace = Namespace::new("bsuid:1").unwrap();
    let event = MessageEvent {
        reference: EventId::new("m1").unwrap(),
        channel: Channel::Whatsapp,
        direction: InteractionDirection::Inbound,
        contacts: vec![ContactIdentity::new(ContactKind::Whatsapp, namespace, "BR.1").unwrap()],
        line: None,
        text: None,
        attachments: Vec::new(),
        agent: None,
        at: noon(),
    };
    let begun = w.center.record_message(origin(), event).await.unwrap();
    settled(&w.center).await;
    assert!(w.asked.lock().is_empty());
    let of = w.center.interaction(&tenant(), begun.interaction).await.unwrap().unwrap().interaction;
    assert!(of.asked.is_empty(), "nobody is waited for");
}

// === events ===

#[rstest]
#[case::the_same_event("e1", "c1", "known")]
#[case::the_same_fact_with_a_new_id("e2", "c1", "known")]
#[case::the_same_id_for_another_call(
    "e1",
    "c2",
    "this event id was used for another call of the same source: give each event an id of its own"
)]
#[tokio::test(start_paused = true)]
async fn an_event_that_comes_again_changes_nothing(
    #[case] event_id: &str,
    #[case] call_id: &str,
    #[case] then: &str,
) {
    let w = world(&[("practice", Crm::KnowsNobody)]);
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    let again = w.center.handle(origin(), event(event_id, call_id, ringing())).await;
    let text = match again {
        Ok(handled) => {
            assert!(handled.repeated);
            "known".to_owned()
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(text, then);
    settled(&w.center).await;
    assert_eq!(w.asked.lock().len(), 1, "a repeated event must not ask again");
}

#[rstest]
#[case::answered(EventKind::Answered { agent: None }, "`answered` came for a call that is not known here: send `ringing` with this call id first")]
#[case::ended(EventKind::Ended { cause: EndCause::Missed, provider_cause: None }, "`ended` came for a call that is not known here: send `ringing` with this call id first")]
#[tokio::test(start_paused = true)]
async fn the_first_event_of_a_call_is_that_it_rings(#[case] kind: EventKind, #[case] then: &str) {
    let error = world(&[]).center.handle(origin(), event("e1", "c1", kind)).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("call-unknown", then));
}

#[tokio::test(start_paused = true)]
async fn the_same_event_many_times_at_once_is_one_call() {
    let w = world(&[("practice", Crm::KnowsNobody)]);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let center = w.center.clone();
            tokio::spawn(async move { center.handle(origin(), event("e1", "c1", ringing())).await.unwrap() })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        first += usize::from(!task.await.unwrap().repeated);
    }
    assert_eq!(first, 1);
    settled(&w.center).await;
    assert_eq!(w.asked.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_taken_to_the_end_when_its_sender_hangs_up() {
    let w = world(&[("practice", Crm::KnowsNobody)]);
    let mut live = w.center.live(tenant(), Some(LiveId(0)));
    {
        let mut request = Box::pin(w.center.handle(origin(), event("e1", "c1", ringing())));
        assert!(futures_util::poll!(&mut request).is_pending());
        // Dropped here, as a server does when the client is gone.
    }
    assert_eq!(next(&mut live).await.0, "call");
    assert_eq!(next(&mut live).await.0, "card-none");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_refuses_the_event_and_heals() {
    let w = world(&[("practice", Crm::KnowsNobody)]);
    w.store.break_with(Some(Fault::DiskFull));
    let error = w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap_err();
    assert_eq!(error.code(), "store-failed");
    w.store.break_with(None);
    assert!(!w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap().repeated);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_stored_when_the_store_heals_in_time() {
    let told = Arc::new(Notify::new());
    let w = world(&[("practice", Crm::Waits(told.clone()))]);
    let mut live = w.center.live(tenant(), Some(LiveId(0)));
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    assert_eq!(next(&mut live).await.0, "call");
    // The next thing that anybody does with the store is to write the answer.
    w.store.break_times(Fault::Locked, 1);
    told.notify_one();
    settled(&w.center).await;
    assert_eq!(next(&mut live).await.0, "card");
}

// === stopping and starting again ===

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_look_ups_and_takes_no_more_events() {
    let w = world(&[("practice", Crm::Knows("Ana (invented)", Duration::from_secs(2)))]);
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    let begun = Instant::now();
    assert!(w.center.shutdown(Duration::from_secs(5)).await);
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    let refused = w.center.handle(origin(), event("e2", "c2", ringing())).await.unwrap_err();
    assert_eq!(refused.code(), "shutting-down");
    assert_eq!(w.center.recent(&tenant(), 10).await.unwrap().calls[0].findings.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_ever() {
    let w = world(&[("practice", Crm::Knows("Ana (invented)", Duration::from_secs(2)))]);
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    assert!(!w.center.shutdown(Duration::from_secs(1)).await);
}

#[rstest]
#[case::fresh(30, &["practice"], None, 1, "card-none")]
#[case::too_old(61, &["practice"], None, 0, "interrupted")]
#[case::over(30, &["practice"], Some(EndCause::Missed), 0, "interrupted")]
#[case::plugin_is_gone(30, &["other"], None, 0, "interrupted")]
#[tokio::test(start_paused = true)]
async fn what_a_crash_interrupted_is_taken_up_or_said(
    #[case] seconds: i64,
    #[case] connected: &[&str],
    #[case] ended: Option<EndCause>,
    #[case] started: usize,
    #[case] then: &str,
) {
    let w = world(&[("practice", Crm::Hangs)]);
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    if let Some(cause) = ended {
        w.center
            .handle(origin(), event("e2", "c1", EventKind::Ended { cause, provider_cause: None }))
            .await
            .unwrap();
    }
    // The process dies here: nothing of the first center is told of.
    *w.clock.0.lock() = after_noon(seconds);
    let again = center(&w.store, &w.clock, &w.counted);
    connect(&again, &w.asked, &connected.iter().map(|name| (*name, Crm::KnowsNobody)).collect::<Vec<_>>());
    assert_eq!(again.resume().await.unwrap(), started);
    settled(&again).await;
    let recent = serde_json::to_value(again.recent(&tenant(), 10).await.unwrap()).unwrap();
    let finding = &recent["calls"][0]["findings"][0];
    assert_eq!(finding["body"]["reason"].as_str().unwrap_or(finding["kind"].as_str().unwrap()), then);
    assert_eq!(again.resume().await.unwrap(), 0);
}

/// It asked for the number that called, which of an outbound call is the company's own.
#[tokio::test(start_paused = true)]
async fn whom_we_call_is_looked_up_after_a_crash_too() {
    let w = world(&[("practice", Crm::Hangs)]);
    let number = |text: &str| PhoneNumber::parse(text, Region::BR).unwrap();
    let (channel, direction) = (Channel::Fixed, InteractionDirection::Outbound);
    let from = Caller::Number(number("+551133334444"));
    let rings =
        EventKind::Ringing { channel, direction, from, to: Some(number("+5511987654321")), queue: None };
    w.center.handle(origin(), event("e1", "c1", rings)).await.unwrap();
    let again = center(&w.store, &w.clock, &w.counted);
    connect(&again, &w.asked, &[("practice", Crm::KnowsNobody)]);
    assert_eq!(again.resume().await.unwrap(), 1);
    settled(&again).await;
    assert_eq!(*w.asked.lock(), ["practice +5511987654321", "practice +5511987654321"]);
}

#[tokio::test]
async fn after_a_restart_the_file_has_everything_and_the_live_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let settings = SqliteSettings::new(dir.path().join("ramal.db"));
    let clock = Arc::new(SetClock(Mutex::new(noon())));
    let start = async || {
        let store = Arc::new(SqliteStore::open(&settings).await.unwrap());
        let center = Center::new(CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(Silent),
            clock: clock.clone(),
            settings: CenterSettings::default(),
        });
        connect(&center, &Arc::default(), &[("practice", Crm::KnowsNobody)]);
        (store, center)
    };
    let (store, first) = start().await;
    first.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    settled(&first).await;
    store.close().await.unwrap();

    let (_store, second) = start().await;
    let recent = second.recent(&tenant(), 10).await.unwrap();
    assert_eq!((recent.calls.len(), recent.calls[0].findings.len(), recent.last_event_id), (1, 1, 2));
    let mut live = second.live(tenant(), Some(LiveId(2)));
    let handled =
        second.handle(origin(), event("e2", "c1", EventKind::Answered { agent: None })).await.unwrap();
    assert_eq!(handled.state, InteractionState::Answered);
    let (kind, call) = next(&mut live).await;
    assert_eq!((kind.as_str(), &call["state"]), ("call", &Value::from("answered")));
}

// === following ===

#[rstest]
#[case::memory(false)]
#[case::sqlite(true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_come_and_go_get_every_event_once_and_in_order(#[case] file: bool) {
    const EVENTS: u64 = 120;
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SetClock(Mutex::new(noon())));
    let (interactions, live): (Arc<dyn InteractionStore>, Arc<dyn LiveStore>) = if file {
        let store =
            Arc::new(SqliteStore::open(&SqliteSettings::new(dir.path().join("ramal.db"))).await.unwrap());
        (store.clone(), store)
    } else {
        let store = Arc::new(MemoryStore::new(1000));
        (store.clone(), store)
    };
    let center = Center::new(CenterParts {
        interactions,
        live,
        observer: Arc::new(Silent),
        clock,
        settings: CenterSettings::default(),
    });
    center.set_directories(HashMap::new());
    let readers: Vec<_> = (0..4_u64)
        .map(|reader| {
            let center = center.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut last = LiveId(0);
                while last.0 < EVENTS {
                    // Goes away and comes back after a few events, as a browser on a train.
                    let mut tail = center.live(tenant(), Some(last));
                    for _ in 0..=(reader * 3) {
                        if last.0 == EVENTS {
                            break;
                        }
                        if let LiveItem::Event(event) = tail.next().await.unwrap() {
                            last = event.id;
                            seen.push(event.id.0);
                        }
                    }
                }
                seen
            })
        })
        .collect();
    let writers: Vec<_> = (0..EVENTS)
        .map(|i| {
            let center = center.clone();
            tokio::spawn(async move {
                let (event_id, call_id) = (format!("e{i}"), format!("c{i}"));
                center.handle(origin(), event(&event_id, &call_id, ringing())).await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for reader in readers {
        assert_eq!(reader.await.unwrap(), (1..=EVENTS).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_whose_events_are_gone_is_told_to_begin_afresh() {
    let store = Arc::new(MemoryStore::new(2));
    let clock = Arc::new(SetClock(Mutex::new(noon())));
    let center = center(&store, &clock, &Arc::default());
    center.set_directories(HashMap::new());
    for i in 0..5 {
        center.handle(origin(), event(&format!("e{i}"), &format!("c{i}"), ringing())).await.unwrap();
    }
    let mut live = center.live(tenant(), Some(LiveId(1)));
    assert_eq!(live.next().await.unwrap(), LiveItem::Reset { last: LiveId(5) });
    center.handle(origin(), event("e9", "c9", ringing())).await.unwrap();
    assert!(matches!(live.next().await.unwrap(), LiveItem::Event(e) if e.id == LiveId(6)));
}

#[tokio::test(start_paused = true)]
async fn a_reader_without_an_id_begins_now_and_sees_only_its_tenant() {
    let w = world(&[]);
    w.center.handle(origin(), event("e1", "c1", ringing())).await.unwrap();
    let mut now = w.center.live(tenant(), None);
    let mut other = w.center.live(TenantId::new("other").unwrap(), Some(LiveId(0)));
    // The first poll settles where "now" is.
    assert!(futures_util::poll!(Box::pin(now.next())).is_pending());
    w.center.handle(origin(), event("e2", "c2", ringing())).await.unwrap();
    assert_eq!(next(&mut now).await.1["call_id"], "c2");
    assert!(futures_util::poll!(Box::pin(other.next())).is_pending());
}
