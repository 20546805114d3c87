//! Histories: told by hand, and any that can be folded, sensible or not: late, doubled, contradictory.

use jiff::SignedDuration;
use jiff::civil::date;
use proptest::collection::vec;
use proptest::option;
use uuid::Uuid;

use super::*;

pub(super) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(super) fn id() -> InteractionId {
    InteractionId(Uuid::from_u128(0x0193_5a7c_0000_7000_8000_0000_0000_0001))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000).unwrap() + SignedDuration::from_secs(second)
}

/// As a document writes it.
pub(super) fn time(second: i64) -> String {
    at(second).to_string()
}

/// The events, numbered.
pub(super) fn history(told: &[(i64, InteractionEvent)]) -> Vec<EventRecord> {
    let record = |(seq, (second, event)): (u32, &(i64, InteractionEvent))| EventRecord {
        id: Uuid::from_u128(u128::from(seq)),
        seq,
        at: at(*second),
        recorded_at: at(*second),
        actor: Actor::System,
        cause: Cause::Rule("test".to_owned()),
        event: event.clone(),
    };
    (1..).zip(told).map(record).collect()
}

pub(super) fn phone(e164: &str) -> ContactIdentity {
    ContactIdentity::phone(e164).unwrap()
}

pub(super) fn started(
    channel: Channel,
    direction: InteractionDirection,
    contacts: &[ContactIdentity],
) -> Started {
    let customer = Some(Clear::new("+5511987654321"));
    let line = Some(Clear::new("+551133334444"));
    let (from, to) =
        if direction == InteractionDirection::Outbound { (line, customer) } else { (customer, line) };
    Started {
        source: SourceId::new("pbx").unwrap(),
        reference: None,
        channel,
        direction,
        from,
        to,
        contacts: contacts.to_vec(),
        queue: None,
        asked: Vec::new(),
        protocol: None,
    }
}

pub(super) fn call(direction: InteractionDirection) -> InteractionEvent {
    InteractionEvent::Started(Box::new(started(Channel::Fixed, direction, &[])))
}

pub(super) fn chat(contacts: &[ContactIdentity]) -> InteractionEvent {
    InteractionEvent::Started(Box::new(started(Channel::Whatsapp, InteractionDirection::Inbound, contacts)))
}

pub(super) fn message(
    reference: &str,
    direction: InteractionDirection,
    text: Option<&str>,
    agent: Option<&str>,
    files: &[&str],
) -> InteractionEvent {
    let message = Message {
        id: MessageId(Uuid::new_v5(&Uuid::NAMESPACE_OID, reference.as_bytes())),
        reference: EventId::new(reference).unwrap(),
        direction,
        at: at(i64::try_from(reference.len()).unwrap()),
        text: text.map(Clear::new),
        attachments: files
            .iter()
            .map(|kind| Attachment { media_type: (*kind).to_owned(), reference: "media-1".to_owned() })
            .collect(),
        agent: agent.map(Clear::new),
        status: MessageStatus::Received,
        provider_cause: None,
        seq: 0,
    };
    InteractionEvent::MessageAdded { message, date: date(2026, 12, 1) }
}

// === any history ===

const LEGS: [&str; 3] = ["l1", "l2", "l3"];
const AGENTS: [&str; 4] = ["Ana (invented)", "Bruna (invented)", "sip:carla@pbx.example", ""];
const NUMBERS: [&str; 4] = ["+5511987654321", "+551133334444", "1001", "*#"];

fn agent() -> impl Strategy<Value = Option<Clear>> {
    option::of(proptest::sample::select(&AGENTS[..]).prop_map(Clear::new))
}

fn number() -> impl Strategy<Value = Option<Clear>> {
    option::of(proptest::sample::select(&NUMBERS[..]).prop_map(Clear::new))
}

fn leg() -> impl Strategy<Value = CallId> {
    proptest::sample::select(&LEGS[..]).prop_map(|leg| CallId::new(leg).unwrap())
}

fn recording() -> impl Strategy<Value = RecordingId> {
    (1..3_u128).prop_map(|n| RecordingId(Uuid::from_u128(n)))
}

fn digest() -> impl Strategy<Value = Option<String>> {
    proptest::sample::select(vec![None, Some("sha256:0".to_owned()), Some("0a".repeat(64))])
}

fn queue() -> impl Strategy<Value = Option<String>> {
    option::of("[a-z]{1,4}")
}

fn direction() -> impl Strategy<Value = InteractionDirection> {
    proptest::sample::select(vec![
        InteractionDirection::Inbound,
        InteractionDirection::Outbound,
        InteractionDirection::Internal,
    ])
}

fn cause() -> impl Strategy<Value = EndCause> {
    let all = [EndCause::OF_CALLS, &[EndCause::Closed, EndCause::Idle]].concat();
    proptest::sample::select(all)
}

fn written() -> impl Strategy<Value = InteractionEvent> {
    let files = vec(proptest::sample::select(vec!["image/jpeg", "audio/ogg"]), 0..3);
    (
        "[a-z0-9]{1,6}",
        direction(),
        option::of("[^\\x00-\\x1f]{0,12}"),
        proptest::sample::select(&AGENTS[..]),
        files,
    )
        .prop_map(|(reference, direction, text, agent, files)| {
            message(&reference, direction, text.as_deref(), Some(agent).filter(|a| !a.is_empty()), &files)
        })
}

fn event() -> impl Strategy<Value = InteractionEvent> {
    use InteractionEvent as E;
    prop_oneof![
        agent().prop_map(|agent| E::Answered { agent }),
        cause().prop_map(ended),
        (agent(), queue()).prop_map(|(agent, queue)| E::Transferred { agent, queue }),
        Just(E::Held {}),
        Just(E::Resumed {}),
        (leg(), agent(), number()).prop_map(|(leg, agent, number)| E::LegOpened { leg, agent, number }),
        leg().prop_map(|leg| E::LegClosed { leg, provider_cause: None }),
        written(),
        recording().prop_map(|recording| E::RecordingStarted { recording }),
        recording().prop_map(|recording| E::RecordingPaused { recording }),
        recording().prop_map(|recording| E::RecordingResumed { recording }),
        (recording(), 0..90_000_u64, digest()).prop_map(|(recording, duration_ms, digest)| {
            E::RecordingReady { recording, duration_ms, digest }
        }),
        recording().prop_map(|recording| E::RecordingDeleted { recording }),
        option::of("[a-z]{1,8}").prop_map(|disposition| E::DispositionSet { disposition }),
        option::of("[^\\x00-\\x1f]{0,12}")
            .prop_map(|notes| E::NoteSet { notes: notes.map(|text| Clear::new(text.as_str())) }),
    ]
}

fn begins() -> impl Strategy<Value = InteractionEvent> {
    let channels = vec![Channel::Fixed, Channel::Mobile, Channel::Whatsapp, Channel::Sms];
    (proptest::sample::select(channels), direction(), number(), number()).prop_map(
        |(channel, direction, from, to)| {
            let mut started = started(channel, direction, &[]);
            (started.from, started.to) = (from, to);
            InteractionEvent::Started(Box::new(started))
        },
    )
}

/// Any history that can be folded.
pub(super) fn any_history() -> impl Strategy<Value = Vec<EventRecord>> {
    (begins(), vec((-20..200_i64, event()), 0..24))
        .prop_map(|(first, rest)| history(&[vec![(0, first)], rest].concat()))
}
