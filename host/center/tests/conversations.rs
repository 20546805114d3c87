//! Messages join conversations, people change what stands there, and the CRMs are told once. All people and numbers
//! are invented.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use ramal_center::*;
use ramal_store::memory::MemoryStore;
use ramal_store::{Checking as _, Target};
use rstest::rstest;

struct SetClock(Mutex<Timestamp>);
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

struct World {
    center: Center,
    store: Arc<MemoryStore>,
    clock: Arc<SetClock>,
}

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}
fn later(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}
fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}
fn id(text: &str) -> EventId {
    EventId::new(text).unwrap()
}

fn world() -> World {
    let store = Arc::new(MemoryStore::new(1000));
    let clock = Arc::new(SetClock(Mutex::new(noon())));
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(Silent),
        clock: clock.clone(),
        settings: CenterSettings::default(),
    });
    let plugins = BTreeMap::from([(PluginId::new("practice").unwrap(), JournalReach::LaterChanges.into())]);
    let rules = JournalRules { plugins, ..JournalRules::default() };
    center.set_journals(HashMap::from([(tenant(), rules)]));
    World { center, store, clock }
}

fn origin() -> Origin {
    Origin { tenant: tenant(), source: SourceId::new("whatsapp").unwrap() }
}
fn bsuid() -> ContactIdentity {
    ContactIdentity::new(ContactKind::Whatsapp, Namespace::new("bsuid:1").unwrap(), "BR.13491208655302741918")
        .unwrap()
}
fn phone() -> ContactIdentity {
    ContactIdentity::phone("+5511987654321").unwrap()
}

fn message(reference: &str, direction: InteractionDirection, minutes: i64) -> MessageEvent {
    MessageEvent {
        reference: id(reference),
        channel: Channel::Whatsapp,
        direction,
        contacts: vec![bsuid()],
        line: Some(Clear::new("+551133334444")),
        text: Some(Clear::new("Olá (invented)")),
        attachments: Vec::new(),
        agent: None,
        at: later(minutes),
    }
}

fn request(id_text: &str) -> Request {
    let actor = Actor::User(UserId::new("bruna").unwrap());
    Request { tenant: tenant(), actor, id: id(id_text) }
}

impl World {
    async fn says(&self, reference: &str, minutes: i64) -> Handled {
        *self.clock.0.lock() = later(minutes);
        let event = message(reference, InteractionDirection::Inbound, minutes);
        self.center.record_message(origin(), event).await.unwrap()
    }
    fn steps(&self) -> Vec<String> {
        let word = |target: &Target| target.to_string();
        self.store.deliveries().iter().map(|d| format!("{} {}", word(&d.target), d.step.0)).collect()
    }
    async fn is_sound(&self) {
        assert!(self.store.check(&tenant()).await.unwrap().is_sound());
    }
}

fn rings() -> CallEvent {
    let number = PhoneNumber::parse("+5511987654321", Region::BR).unwrap();
    CallEvent {
        event_id: id("e1"),
        call_id: CallId::new("c1").unwrap(),
        kind: EventKind::Ringing {
            channel: Channel::Mobile,
            direction: InteractionDirection::Inbound,
            from: Caller::Number(number),
            to: None,
            queue: None,
        },
        at: noon(),
    }
}
fn missed() -> CallEvent {
    let kind = EventKind::Ended { cause: EndCause::Missed, provider_cause: Some("19".into()) };
    CallEvent { event_id: id("e2"), call_id: CallId::new("c1").unwrap(), kind, at: later(1) }
}

#[tokio::test]
async fn messages_of_one_customer_are_one_conversation() {
    let w = world();
    let first = w.says("m1", 0).await;
    assert_eq!((first.state, first.repeated), (InteractionState::Open, false));
    assert_eq!(w.says("m2", 1).await.interaction, first.interaction);
    let again = w.says("m1", 2).await;
    assert_eq!((again.interaction, again.repeated), (first.interaction, true));
    let kept = w.center.messages(&tenant(), first.interaction, 0, 10).await.unwrap();
    assert_eq!(kept.iter().map(|m| m.reference.as_str()).collect::<Vec<_>>(), ["m1", "m2"]);
    assert_eq!(kept[0].text, Some(Clear::new("Olá (invented)")));
    w.is_sound().await;
}

#[tokio::test]
async fn a_message_that_comes_twenty_times_at_once_is_one() {
    let w = world();
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            let center = w.center.clone();
            // Two messages, ten times each: the first ones race for who begins the conversation.
            let event = message(&format!("m{}", i % 2), InteractionDirection::Inbound, 0);
            tokio::spawn(async move { center.record_message(origin(), event).await.unwrap() })
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut fresh = 0;
    for task in tasks {
        let handled = task.await.unwrap();
        seen.insert(handled.interaction);
        fresh += usize::from(!handled.repeated);
    }
    assert_eq!((seen.len(), fresh), (1, 2));
    w.is_sound().await;
}

#[tokio::test]
async fn a_number_that_is_told_later_joins_the_timelines() {
    let w = world();
    w.center.handle(Origin { source: SourceId::new("pbx").unwrap(), ..origin() }, rings()).await.unwrap();
    let chat = w.says("m1", 1).await;
    let timeline = async || {
        let page = w.center.timeline(&tenant(), &phone(), None, 10).await.unwrap();
        page.items.iter().map(|i| i.channel).collect::<Vec<_>>()
    };
    assert_eq!(timeline().await, [Channel::Mobile]);
    let mut told = message("m2", InteractionDirection::Inbound, 2);
    told.contacts.push(phone());
    let handled = w.center.record_message(origin(), told).await.unwrap();
    assert_eq!(handled.interaction, chat.interaction);
    assert_eq!(timeline().await, [Channel::Whatsapp, Channel::Mobile]);
}

#[tokio::test]
async fn how_far_a_message_came_only_grows() {
    let w = world();
    w.says("m1", 0).await;
    let sent = message("m2", InteractionDirection::Outbound, 1);
    let chat = w.center.record_message(origin(), sent).await.unwrap().interaction;
    let notice = async |word: &str, status| {
        let event = MessageStatusEvent {
            event_id: id(&format!("m2:{word}")),
            reference: id("m2"),
            status,
            provider_cause: None,
            at: later(2),
        };
        w.center.message_status(origin(), event).await.unwrap().repeated
    };
    assert!(!notice("read", MessageStatus::Read).await);
    // Late, and again.
    assert!(notice("delivered", MessageStatus::Delivered).await);
    assert!(notice("read", MessageStatus::Read).await);
    let kept = w.center.messages(&tenant(), chat, 0, 10).await.unwrap();
    assert_eq!(kept[1].status, MessageStatus::Read);
    let unknown = MessageStatusEvent {
        event_id: id("x"),
        reference: id("never"),
        status: MessageStatus::Read,
        provider_cause: None,
        at: later(2),
    };
    let error = w.center.message_status(origin(), unknown).await.unwrap_err();
    assert_eq!(error.code(), "message-unknown");
    w.is_sound().await;
}

#[tokio::test]
async fn a_day_is_told_when_the_next_begins_and_the_last_one_by_the_sweep() {
    let w = world();
    w.says("m1", 0).await;
    w.says("m2", 30).await;
    assert!(w.steps().is_empty());
    assert_eq!(w.center.sweep().await.unwrap(), 0, "the day goes on");
    // The next morning.
    let chat = w.says("m3", 20 * 60).await;
    assert_eq!(w.steps(), ["plugin:practice journal:2026-11-23"]);
    // Midnight.
    *w.clock.0.lock() = later(36 * 60);
    assert_eq!(w.center.sweep().await.unwrap(), 1);
    assert_eq!(w.center.sweep().await.unwrap(), 0);
    let days = ["plugin:practice journal:2026-11-23", "plugin:practice journal:2026-11-24"];
    assert_eq!(w.steps(), days);
    // A day later nobody has written: it is over, and there is nothing more to tell.
    *w.clock.0.lock() = later(61 * 60);
    assert_eq!(w.center.sweep().await.unwrap(), 1);
    assert_eq!(w.steps(), days);
    let over = w.center.interaction(&tenant(), chat.interaction).await.unwrap().unwrap().interaction;
    assert_eq!((over.state, over.cause), (InteractionState::Ended, Some(EndCause::Idle)));
    // The next message begins another one.
    assert_ne!(w.says("m4", 62 * 60).await.interaction, chat.interaction);
    w.is_sound().await;
}

#[tokio::test]
async fn a_day_of_a_conversation_of_many_messages_is_told_with_its_own() {
    const MANY: u32 = 5_100;
    let w = world();
    let chat = w.says("first", 0).await.interaction;
    let before = w.center.interaction(&tenant(), chat).await.unwrap().unwrap().interaction;
    let told = |number: u32| ramal_store::NewEvent {
        at: later(1),
        actor: Actor::System,
        cause: Cause::Rule("test".to_owned()),
        event: InteractionEvent::MessageAdded {
            message: ramal_store::Message {
                id: ramal_store::MessageId(uuid::Uuid::from_u128(number.into())),
                reference: id(&format!("many-{number}")),
                direction: InteractionDirection::Inbound,
                at: later(1),
                text: None,
                attachments: Vec::new(),
                agent: None,
                status: ramal_store::MessageStatus::Received,
                provider_cause: None,
                seq: 0,
            },
            date: "2026-11-23".parse().unwrap(),
        },
    };
    let write =
        ramal_store::InteractionWrite::change(&before, vec![], (0..MANY).map(told).collect(), later(1));
    ramal_store::InteractionStore::append(&*w.store, write.unwrap()).await.unwrap();
    // The next day, and the one after it that closes it.
    w.says("second-day", 24 * 60).await;
    w.says("third-day", 48 * 60).await;
    let second = w.store.deliveries().into_iter().find(|d| d.step.0 == "journal:2026-11-24").unwrap();
    let entry = ramal_store::JournalEntry::from_payload(&second.payload).unwrap();
    assert_eq!((entry.started, entry.ended), (later(24 * 60), Some(later(24 * 60))));
    assert_eq!(entry.transcript.unwrap().expose(), "12:00 < Olá (invented)");
}

#[tokio::test]
async fn a_missed_call_is_told_as_such_and_later_facts_as_changes() {
    let w = world();
    let call = w.center.handle(origin(), rings()).await.unwrap().interaction;
    assert!(w.steps().is_empty());
    w.center.handle(origin(), missed()).await.unwrap();
    assert_eq!(w.steps(), ["plugin:practice journal"]);
    assert!(w.store.deliveries()[0].payload.contains(r#""outcome":"missed""#));
    // The provider says it again: nothing is told twice.
    w.center.handle(origin(), missed()).await.unwrap();
    w.center.set_disposition(request("r1"), call, Some("call back".into())).await.unwrap();
    w.center.set_note(request("r2"), call, Some(Clear::new("spoke with her son (invented)"))).await.unwrap();
    assert_eq!(w.steps(), ["plugin:practice journal", "plugin:practice amend:3", "plugin:practice amend:4"]);
    let history = w.center.history(&tenant(), call, 0, 10).await.unwrap();
    let words: Vec<String> =
        history.iter().map(|r| format!("{} {} {}", r.seq, r.event.kind(), r.actor)).collect();
    assert_eq!(
        words,
        [
            "1 started.1 source:whatsapp",
            "2 ended.1 source:whatsapp",
            "3 disposition-set.1 user:bruna",
            "4 note-set.1 user:bruna"
        ]
    );
    w.is_sound().await;
}

#[tokio::test]
async fn a_request_counts_once_and_changes_nothing_when_nothing_changes() {
    let w = world();
    let call = w.center.handle(origin(), rings()).await.unwrap().interaction;
    let set = async |request_id: &str, word: &str| {
        w.center.set_disposition(request(request_id), call, Some(word.to_owned())).await
    };
    assert!(!set("r1", "sold").await.unwrap().repeated);
    assert!(!set("r2", "lost").await.unwrap().repeated);
    // The first one again, late: it must not win now.
    assert!(set("r1", "sold").await.unwrap().repeated);
    assert!(set("r3", "lost").await.unwrap().repeated);
    let kept = w.center.interaction(&tenant(), call).await.unwrap().unwrap().interaction;
    assert_eq!(kept.disposition.as_deref(), Some("lost"));
    let chat = w.says("m1", 1).await.interaction;
    let reused = w.center.set_disposition(request("r1"), chat, None).await.unwrap_err();
    assert_eq!(reused.code(), "request-id-reused");
    // The same id for something else, of the same one.
    let other = w.center.set_note(request("r1"), call, Some(Clear::new("sold"))).await.unwrap_err();
    assert_eq!(other.code(), "request-id-reused");
}

#[tokio::test]
async fn a_conversation_is_closed_by_a_person_and_a_call_is_not() {
    let w = world();
    let chat = w.says("m1", 0).await.interaction;
    let closed = w.center.close_conversation(request("r1"), chat).await.unwrap();
    assert_eq!(closed.state, InteractionState::Ended);
    assert_eq!(w.steps(), ["plugin:practice journal:2026-11-23"]);
    assert_ne!(w.says("m2", 1).await.interaction, chat);
    let call = w.center.handle(origin(), rings()).await.unwrap().interaction;
    let error = w.center.close_conversation(request("r2"), call).await.unwrap_err();
    assert_eq!(error.code(), "wrong-kind");
    w.is_sound().await;
}

#[rstest]
#[case::nobody(|m: &mut MessageEvent| m.contacts.clear(), "nobody")]
#[case::a_call(|m: &mut MessageEvent| m.channel = Channel::Fixed, "wrong-kind")]
#[case::too_long(|m: &mut MessageEvent| m.text = Some(Clear::new("x".repeat(65 * 1024))), "bad-text")]
#[case::control(|m: &mut MessageEvent| m.text = Some(Clear::new("a\u{1b}[2J")), "bad-text")]
#[tokio::test]
async fn a_message_that_cannot_be_kept_is_refused(#[case] spoil: fn(&mut MessageEvent), #[case] code: &str) {
    let w = world();
    let mut event = message("m1", InteractionDirection::Inbound, 0);
    spoil(&mut event);
    let error = w.center.record_message(origin(), event).await.unwrap_err();
    assert_eq!(error.code(), code);
    assert!(w.store.check(&tenant()).await.unwrap().interactions == 0, "nothing is half written");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_changed() {
    let w = world();
    let nothing = InteractionId(uuid::Uuid::nil());
    let error = w.center.set_note(request("r1"), nothing, None).await.unwrap_err();
    assert_eq!(error.code(), "interaction-unknown");
}

// === a CRM that was away ===

/// As [`World`], whose CRM is connected only later; its entries stand on a contact.
fn connected_later() -> (World, HashMap<TenantId, JournalRules>) {
    let w = world();
    w.center.set_journals(HashMap::from([(tenant(), JournalRules::default())]));
    let stands_on = BTreeSet::from(["contact".parse().unwrap()]);
    let keeper = Keeper { reach: JournalReach::LaterChanges, stands_on, looks_up: true };
    let plugins = BTreeMap::from([(PluginId::new("practice").unwrap(), keeper)]);
    (w, HashMap::from([(tenant(), JournalRules { plugins, ..JournalRules::default() })]))
}

#[tokio::test]
async fn what_a_crm_missed_is_told_once_and_only_of_its_period() {
    let (w, connected) = connected_later();
    let plugin = PluginId::new("practice").unwrap();
    let call = w.center.handle(Origin { source: SourceId::new("pbx").unwrap(), ..origin() }, rings()).await;
    let pbx = || Origin { source: SourceId::new("pbx").unwrap(), ..origin() };
    w.center.handle(pbx(), missed()).await.unwrap();
    let chat = w.says("m1", 0).await;
    w.says("m2", 24 * 60).await;
    w.says("m3", 48 * 60).await;
    assert!(w.steps().is_empty(), "nobody is told");
    w.center.set_journals(connected);

    let period = |from: i64, until: i64| Filter {
        from: Some(later(from)),
        until: Some(later(until)),
        ..Filter::default()
    };
    let fill = async |period: &Filter| w.center.backfill(&tenant(), &plugin, period, None, 10).await.unwrap();
    let nothing = fill(&period(1, 1_000_000)).await;
    assert_eq!((nothing.looked_at, nothing.told, nothing.next), (0, 0, None), "both began before");
    let made = fill(&period(0, 1)).await;
    assert_eq!((made.looked_at, made.told, made.next), (2, 2, None));
    // The call has a number by which its contact is searched for; the conversation has none, and waits for a person.
    assert_eq!(w.steps(), ["plugin:practice match"]);
    let withheld = async |id| {
        let of = w.center.interaction(&tenant(), id).await.unwrap().unwrap().interaction;
        of.journal.iter().map(|told| format!("{} {}", told.step, told.result)).collect::<Vec<_>>()
    };
    assert_eq!(withheld(call.unwrap().interaction).await, ["journal withheld"]);
    let days = ["journal:2026-11-23 withheld", "journal:2026-11-24 withheld"];
    assert_eq!(withheld(chat.interaction).await, days, "the third day is not over");
    assert_eq!(fill(&period(0, 1)).await.told, 0, "asked twice it tells nothing twice");

    let link = CrmLink { plugin: plugin.clone(), kind: "contact".to_owned(), id: "7".to_owned(), url: None };
    w.center.link_crm(request("r1"), chat.interaction, link).await.unwrap();
    let told = ["plugin:practice journal:2026-11-23", "plugin:practice journal:2026-11-24"];
    assert_eq!(w.steps()[1..], told);
    w.is_sound().await;
}

#[tokio::test]
async fn a_period_is_filled_up_in_parts() {
    let (w, connected) = connected_later();
    for (number, event) in [("c1", "e1"), ("c2", "e2"), ("c3", "e3")] {
        let pbx = || Origin { source: SourceId::new("pbx").unwrap(), ..origin() };
        let of = |mut one: CallEvent, id_text: String| {
            one.call_id = CallId::new(number).unwrap();
            one.event_id = id(&id_text);
            one
        };
        w.center.handle(pbx(), of(rings(), format!("{event}-1"))).await.unwrap();
        w.center.handle(pbx(), of(missed(), format!("{event}-2"))).await.unwrap();
    }
    w.center.set_journals(connected);
    let plugin = PluginId::new("practice").unwrap();
    let (mut before, mut parts) = (None, Vec::new());
    loop {
        let period = Filter { until: Some(later(1)), ..Filter::default() };
        let made = w.center.backfill(&tenant(), &plugin, &period, before, 2).await.unwrap();
        parts.push((made.looked_at, made.told));
        before = made.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(parts.iter().map(|(_, told)| told).sum::<u32>(), 3, "{parts:?}");
    assert_eq!(w.steps().len(), 3);
}

#[tokio::test]
async fn who_keeps_no_journal_is_not_filled_up() {
    let (w, _) = connected_later();
    let plugin = PluginId::new("practice").unwrap();
    let error = w.center.backfill(&tenant(), &plugin, &Filter::default(), None, 10).await.unwrap_err();
    assert_eq!(error.code(), "no-journal");
}

#[tokio::test]
async fn a_search_that_finds_the_customer_lets_the_account_go_and_an_ambiguous_one_does_not() {
    let (w, connected) = connected_later();
    w.center.set_journals(connected);
    let plugin = PluginId::new("practice").unwrap();
    let pbx = || Origin { source: SourceId::new("pbx").unwrap(), ..origin() };
    let call = w.center.handle(pbx(), rings()).await.unwrap().interaction;
    w.center.handle(pbx(), missed()).await.unwrap();
    assert_eq!(w.steps(), ["plugin:practice match"]);
    let number = w.center.unmatched(&tenant(), call, &plugin).await.unwrap().unwrap();
    assert_eq!(number.e164(), "+5511987654321");
    let one =
        |id_text: &str| Candidate { id: id_text.to_owned(), url: Some("javascript:alert(1)".to_owned()) };
    w.center.matched(&tenant(), call, &plugin, &[]).await.unwrap();
    w.center.matched(&tenant(), call, &plugin, &[one("7"), one("8")]).await.unwrap();
    assert_eq!(w.steps().len(), 1);
    w.center.matched(&tenant(), call, &plugin, &[one("7")]).await.unwrap();
    assert_eq!(w.steps()[1..], ["plugin:practice journal"]);
    let of = w.center.interaction(&tenant(), call).await.unwrap().unwrap().interaction;
    assert_eq!((of.links[0].id.as_str(), &of.links[0].url), ("7", &None), "what is no web page is no link");
    assert_eq!(w.center.unmatched(&tenant(), call, &plugin).await.unwrap(), None);
    w.is_sound().await;
}
