//! What is told, when and how: the whole table.

use super::*;
use jiff::tz::offset;
use ramal_store::{
    Actor, CallId, Cause, Channel, Clear, ContactIdentity, ContactKind, EventId, InteractionId, MessageId,
    MessageStatus, Namespace, NewEvent, RecordingId, SourceId, Started, TenantId,
};
use rstest::rstest;

fn at(hour: i64) -> Timestamp {
    "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(hour)
}

fn rules() -> JournalRules {
    let plugins =
        ["odoo", "tryton"].map(|p| (PluginId::new(p).unwrap(), JournalReach::LaterChanges.into())).into();
    JournalRules { plugins, zone: TimeZone::fixed(offset(-3)), ..JournalRules::default() }
}

fn new(event: InteractionEvent, hour: i64) -> NewEvent {
    NewEvent { at: at(hour), actor: Actor::System, cause: Cause::Rule("test".to_owned()), event }
}

fn begin(channel: Channel, direction: InteractionDirection) -> InteractionWrite {
    let number = "+5511987654321";
    let started = Started {
        source: SourceId::new("pbx").unwrap(),
        reference: channel.is_voice().then(|| CallId::new("c1").unwrap()),
        channel,
        direction,
        from: Some(Clear::new(number)),
        to: Some(Clear::new("+551133334444")),
        contacts: vec![ContactIdentity::phone(number).unwrap()],
        queue: Some("sales".to_owned()),
        asked: Vec::new(),
        protocol: None,
    };
    let events = vec![new(InteractionEvent::Started(Box::new(started)), 12)];
    let tenant = TenantId::new("acme").unwrap();
    InteractionWrite::begin(&tenant, InteractionId(Uuid::from_u128(7)), events, at(12)).unwrap()
}

fn change(before: &Interaction, events: Vec<InteractionEvent>) -> InteractionWrite {
    let events = events.into_iter().map(|event| new(event, 13)).collect();
    InteractionWrite::change(before, Vec::new(), events, at(13)).unwrap()
}

fn message(direction: InteractionDirection, hour: i64) -> InteractionEvent {
    let message = Message {
        id: MessageId(Uuid::from_u128(hour.unsigned_abs().into())),
        reference: EventId::new(&format!("m{hour}")).unwrap(),
        direction,
        at: at(hour),
        text: Some(Clear::new(format!("message of hour {hour} (invented)"))),
        attachments: Vec::new(),
        agent: (direction == InteractionDirection::Outbound).then(|| Clear::new("Bruna (invented)")),
        status: MessageStatus::Received,
        provider_cause: None,
        seq: 0,
    };
    InteractionEvent::MessageAdded { message, date: date(at(hour), &rules().zone) }
}

fn ended(cause: EndCause) -> InteractionEvent {
    InteractionEvent::Ended { cause, provider_cause: None }
}

fn event(word: &str) -> InteractionEvent {
    use InteractionEvent as E;
    let recording = RecordingId(Uuid::nil());
    match word {
        "answered" => E::Answered { agent: Some(Clear::new("Bruna (invented)")) },
        "ended" => ended(EndCause::Completed),
        "disposition" => E::DispositionSet { disposition: Some("sold".to_owned()) },
        "note" => E::NoteSet { notes: Some(Clear::new("calls back (invented)")) },
        "ready" => E::RecordingReady { recording, duration_ms: 1000, digest: None },
        "recording" => E::RecordingStarted { recording },
        "second ready" => {
            E::RecordingReady { recording: RecordingId(Uuid::max()), duration_ms: 1000, digest: None }
        }
        "deleted" => E::RecordingDeleted { recording },
        "second deleted" => E::RecordingDeleted { recording: RecordingId(Uuid::max()) },
        "protocol" => E::ProtocolGiven { protocol: "20260001".to_owned() },
        "contact" => E::ContactLinked {
            contact: ContactIdentity::new(ContactKind::Whatsapp, Namespace::new("bsuid:1").unwrap(), "BR.1")
                .unwrap(),
        },
        "held" => E::Held {},
        "journaled" => E::Journaled {
            plugin: PluginId::new("odoo").unwrap(),
            step: "journal".to_owned(),
            result: ramal_store::JournalResult::Written,
            outcome: None,
        },
        "link" => E::CrmLinked(CrmLink {
            plugin: PluginId::new("odoo").unwrap(),
            kind: CONTACT.to_owned(),
            id: "9".to_owned(),
            url: None,
        }),
        "day 23" => E::DayClosed { date: "2026-11-23".parse().unwrap() },
        "message 23" => message(InteractionDirection::Inbound, 14),
        "answer 24" => message(InteractionDirection::Outbound, 38),
        "message 24" => message(InteractionDirection::Inbound, 38),
        other => panic!("{other}"),
    }
}

/// The steps of each delivery, as `plugin step`.
fn steps(write: &InteractionWrite, rules: &JournalRules) -> String {
    let due = due(write, rules);
    let made = deliveries(write.after(), &due, &[], rules, at(13));
    let word = |d: &NewDelivery| match &d.target {
        Target::Plugin(plugin) => format!("{plugin} {}", d.step.0),
        Target::Webhook(_) => "webhook".to_owned(),
    };
    made.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[rstest]
// A call: once, when it is over.
#[case::a_call_goes_on(Channel::Fixed, &[], &["answered", "held"], "")]
#[case::a_call_ends(Channel::Fixed, &["answered"], &["ended"], "odoo journal, tryton journal")]
#[case::a_disposition_before_the_end(Channel::Fixed, &["answered"], &["disposition"], "")]
#[case::a_disposition_together_with_the_end(Channel::Fixed, &["answered"], &["disposition", "ended"], "odoo journal, tryton journal")]
// What comes later is a change.
#[case::a_disposition_later(Channel::Mobile, &["ended"], &["disposition"], "odoo amend:3, tryton amend:3")]
#[case::a_note_later(Channel::Fixed, &["ended"], &["note"], "odoo amend:3, tryton amend:3")]
#[case::a_recording_is_ready_later(Channel::Fixed, &["ended"], &["ready"], "odoo amend:3, tryton amend:3")]
#[case::an_answer_came_late(Channel::Fixed, &["ended"], &["answered"], "odoo amend:3, tryton amend:3")]
#[case::two_changes_at_once(Channel::Fixed, &["ended"], &["disposition", "note"], "odoo amend:3, tryton amend:3")]
#[case::a_link_is_of_one_crm(Channel::Fixed, &["ended"], &["link"], "odoo amend:3")]
#[case::nothing_that_a_crm_has_a_place_for(Channel::Fixed, &["ended"], &["recording"], "")]
#[case::a_second_recording(Channel::Fixed, &["ended", "ready"], &["second ready"], "")]
#[case::the_recording_is_deleted(Channel::Fixed, &["ended", "ready"], &["deleted"], "odoo amend:4, tryton amend:4")]
#[case::a_recording_that_was_not_told_is_deleted(Channel::Fixed, &["ended", "ready", "second ready"], &["second deleted"], "")]
#[case::a_protocol_number(Channel::Fixed, &["ended"], &["protocol"], "")]
#[case::another_name_of_the_customer(Channel::Fixed, &["ended"], &["contact"], "")]
#[case::the_same_note_again(Channel::Fixed, &["ended", "note"], &["note"], "")]
// Or the account of the account would never end.
#[case::that_it_was_told(Channel::Fixed, &["ended"], &["journaled"], "")]
// A conversation: once for each day.
#[case::a_message(Channel::Whatsapp, &[], &["message 23"], "")]
#[case::a_day_is_over(Channel::Whatsapp, &["message 23"], &["day 23"], "odoo journal:2026-11-23, tryton journal:2026-11-23")]
#[case::the_day_ends_with_the_conversation(Channel::Sms, &["message 23"], &["day 23", "ended"], "odoo journal:2026-11-23, tryton journal:2026-11-23")]
#[case::a_conversation_without_a_message_ends(Channel::Whatsapp, &[], &["ended"], "")]
#[case::a_message_of_a_day_that_is_told(Channel::Whatsapp, &["message 24", "day 23"], &["message 23"], "odoo amend:2026-11-23:4, tryton amend:2026-11-23:4")]
#[case::another_agent_writes_the_next_day(Channel::Whatsapp, &["message 23", "day 23"], &["answer 24"], "")]
#[case::a_disposition_on_the_first_day(Channel::Whatsapp, &["message 23"], &["disposition"], "")]
#[case::a_disposition_later_of_the_last_day(Channel::Whatsapp, &["message 23", "day 23"], &["disposition"], "odoo amend:2026-11-23:4, tryton amend:2026-11-23:4")]
fn the_table_of_what_is_told(
    #[case] channel: Channel,
    #[case] before: &[&str],
    #[case] now: &[&str],
    #[case] then: &str,
) {
    let begun = begin(channel, InteractionDirection::Inbound);
    let mut made = begun.after().clone();
    for word in before {
        made = change(&made, vec![event(word)]).after().clone();
    }
    let write = change(&made, now.iter().map(|word| event(word)).collect());
    assert_eq!(steps(&write, &rules()), then);
}

#[rstest]
#[case::nobody_is_left_out("", false, InteractionDirection::Inbound, true)]
#[case::the_callers_number("+5511987654321", false, InteractionDirection::Inbound, false)]
#[case::the_called_number("+551133334444", false, InteractionDirection::Outbound, false)]
#[case::the_callers_line_in_its_old_form("+551187654321", false, InteractionDirection::Inbound, false)]
#[case::another_number("+551199990000", false, InteractionDirection::Inbound, true)]
#[case::colleagues("", true, InteractionDirection::Internal, false)]
#[case::colleagues_are_told("", false, InteractionDirection::Internal, true)]
#[case::not_colleagues("", true, InteractionDirection::Outbound, true)]
fn the_do_not_log_list_decides(
    #[case] number: &str,
    #[case] internal: bool,
    #[case] direction: InteractionDirection,
    #[case] told: bool,
) {
    let mut rules = rules();
    rules.do_not_log = DoNotLog::new([number.to_owned()], internal);
    let write = change(begin(Channel::Fixed, direction).after(), vec![event("ended")]);
    assert_eq!(!steps(&write, &rules).is_empty(), told);
    assert!(!format!("{rules:?}").contains("+55"), "the list is not printed");
}

#[rstest]
#[case::answered(&["answered"], EndCause::Completed, InteractionDirection::Inbound, JournalOutcome::Answered)]
#[case::answered_then_failed(&["answered"], EndCause::Failed, InteractionDirection::Inbound, JournalOutcome::Answered)]
#[case::its_answer_was_lost(&[], EndCause::Completed, InteractionDirection::Inbound, JournalOutcome::Answered)]
#[case::missed(&[], EndCause::Missed, InteractionDirection::Inbound, JournalOutcome::Missed)]
#[case::abandoned(&[], EndCause::Abandoned, InteractionDirection::Inbound, JournalOutcome::Abandoned)]
#[case::busy(&[], EndCause::Busy, InteractionDirection::Outbound, JournalOutcome::Busy)]
#[case::refused_by_us(&[], EndCause::Rejected, InteractionDirection::Inbound, JournalOutcome::Missed)]
#[case::refused_by_them(&[], EndCause::Rejected, InteractionDirection::Outbound, JournalOutcome::NoAnswer)]
#[case::we_gave_up(&[], EndCause::Abandoned, InteractionDirection::Outbound, JournalOutcome::NoAnswer)]
#[case::no_answer(&[], EndCause::NoAnswer, InteractionDirection::Outbound, JournalOutcome::NoAnswer)]
#[case::voicemail(&[], EndCause::Voicemail, InteractionDirection::Outbound, JournalOutcome::Voicemail)]
#[case::failed(&[], EndCause::Failed, InteractionDirection::Outbound, JournalOutcome::Failed)]
fn the_outcome_of_a_call(
    #[case] before: &[&str],
    #[case] cause: EndCause,
    #[case] direction: InteractionDirection,
    #[case] then: JournalOutcome,
) {
    let mut made = begin(Channel::Fixed, direction).after().clone();
    for word in before {
        made = change(&made, vec![event(word)]).after().clone();
    }
    let made = change(&made, vec![ended(cause)]).after().clone();
    assert_eq!(outcome_of_call(&made), then);
}

#[test]
fn an_entry_of_a_call_has_its_facts() {
    let mut made = begin(Channel::Fixed, InteractionDirection::Inbound).after().clone();
    for word in ["answered", "link", "note", "ready", "disposition"] {
        made = change(&made, vec![event(word)]).after().clone();
    }
    let write = change(&made, vec![event("ended")]);
    let made = deliveries(write.after(), &due(&write, &rules()), &[], &rules(), at(13));
    let entry = JournalEntry::from_payload(&made[0].payload).unwrap();
    insta::assert_json_snapshot!(entry, @r#"
    {
      "v": 1,
      "interaction": "00000000-0000-0000-0000-000000000007",
      "day": null,
      "contact": "9",
      "channel": "fixed",
      "direction": "inbound",
      "outcome": "answered",
      "counterpart": "+5511987654321",
      "agent": "Bruna (invented)",
      "queue": "sales",
      "started": "2026-11-23T12:00:00Z",
      "answered": "2026-11-23T13:00:00Z",
      "ended": "2026-11-23T13:00:00Z",
      "disposition": "sold",
      "notes": "calls back (invented)",
      "transcript": null,
      "recording": "00000000-0000-0000-0000-000000000000",
      "about": null
    }
    "#);
    // The other CRM knows the contact by another name, or not at all.
    assert_eq!(JournalEntry::from_payload(&made[1].payload).unwrap().contact, None);
}

#[test]
fn an_entry_of_a_conversation_is_of_one_day() {
    let mut made = begin(Channel::Whatsapp, InteractionDirection::Inbound).after().clone();
    let mut messages = Vec::new();
    for (direction, hour) in [
        (InteractionDirection::Inbound, 13),
        (InteractionDirection::Outbound, 14),
        // 23:00 of the same day in Brazil, the next day in UTC.
        (InteractionDirection::Inbound, 26),
        (InteractionDirection::Inbound, 30),
    ] {
        let write = change(&made, vec![message(direction, hour)]);
        messages.extend_from_slice(write.messages());
        made = write.after().clone();
    }
    let write = change(&made, vec![event("day 23")]);
    let made = deliveries(write.after(), &due(&write, &rules()), &messages, &rules(), at(40));
    let entry = JournalEntry::from_payload(&made[0].payload).unwrap();
    assert_eq!(entry.day, Some("2026-11-23".parse().unwrap()));
    assert_eq!((entry.started, entry.answered, entry.ended), (at(13), Some(at(14)), Some(at(26))));
    assert_eq!(entry.outcome, JournalOutcome::Answered);
    insta::assert_snapshot!(entry.transcript.unwrap().expose(), @r"
    10:00 < message of hour 13 (invented)
    11:00 > message of hour 14 (invented)
    23:00 < message of hour 26 (invented)
    ");
}

#[rstest]
#[case::nobody_answered(&["in"], InteractionDirection::Inbound, JournalOutcome::Missed)]
#[case::answered(&["in", "out"], InteractionDirection::Inbound, JournalOutcome::Answered)]
#[case::a_follow_up(&["out"], InteractionDirection::Inbound, JournalOutcome::Answered)]
#[case::no_reaction(&["out"], InteractionDirection::Outbound, JournalOutcome::NoAnswer)]
#[case::a_reaction(&["out", "in"], InteractionDirection::Outbound, JournalOutcome::Answered)]
fn the_outcome_of_a_day(
    #[case] wrote: &[&str],
    #[case] direction: InteractionDirection,
    #[case] then: JournalOutcome,
) {
    let mut made = begin(Channel::Whatsapp, direction).after().clone();
    let mut messages = Vec::new();
    for (hour, who) in (13..).zip(wrote) {
        let who = if *who == "in" { InteractionDirection::Inbound } else { InteractionDirection::Outbound };
        let write = change(&made, vec![message(who, hour)]);
        messages.extend_from_slice(write.messages());
        made = write.after().clone();
    }
    assert_eq!(outcome_of_day(&made, &messages.iter().collect::<Vec<_>>()), then);
}

#[test]
fn the_lane_is_the_customers_and_says_nothing_of_who_that_is() {
    let call = begin(Channel::Fixed, InteractionDirection::Inbound).after().clone();
    let chat = begin(Channel::Whatsapp, InteractionDirection::Inbound).after().clone();
    assert_eq!(lane(&call), lane(&chat));
    let mut other = call.clone();
    other.contacts = vec![ContactIdentity::phone("+551187654321").unwrap()];
    assert_eq!(lane(&call), lane(&other), "both forms of a number are one line");
    other.tenant = TenantId::new("beta").unwrap();
    assert_ne!(lane(&call), lane(&other));
    assert!(!lane(&call).0.contains("98765"));
    other.contacts.clear();
    assert!(lane(&other).0.starts_with("interaction:"));
    let namespace = Namespace::new("bsuid:1").unwrap();
    other.contacts.push(ContactIdentity::new(ContactKind::Whatsapp, namespace, "BR.1").unwrap());
    assert!(lane(&other).0.starts_with("contact:"));
}

#[test]
fn the_same_step_has_the_same_key_in_every_process() {
    let write = change(begin(Channel::Fixed, InteractionDirection::Inbound).after(), vec![event("ended")]);
    let make = || deliveries(write.after(), &due(&write, &rules()), &[], &rules(), at(13));
    let (first, second) = (make(), make());
    assert_eq!(first, second);
    assert_ne!(first[0].key, first[1].key, "another CRM is another step");
}

#[rstest]
#[case::account(&[], &["ended"], "odoo journal, tryton journal")]
#[case::change(&["ended"], &["note"], "odoo amend:3")]
#[case::own_link(&["ended"], &["link"], "odoo amend:3")]
fn a_plugin_that_cannot_change_what_it_wrote_is_told_no_change(
    #[case] before: &[&str],
    #[case] now: &[&str],
    #[case] then: &str,
) {
    let mut rules = rules();
    rules.plugins.insert(PluginId::new("tryton").unwrap(), JournalReach::FirstAccount.into());
    let mut made = begin(Channel::Fixed, InteractionDirection::Inbound).after().clone();
    for word in before {
        made = change(&made, vec![event(word)]).after().clone();
    }
    let write = change(&made, now.iter().map(|word| event(word)).collect());
    assert_eq!(steps(&write, &rules), then);
}

mod places;
