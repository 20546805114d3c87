//! Made-up calls and messages; what of them leaves, and what does not.

use super::*;
use crate::DoNotLog;
use jiff::tz::TimeZone;
use ramal_store::{
    Actor, CallId, Cause, Channel, EndCause, EventId, InteractionDirection, InteractionId, MessageId,
    MessageStatus, NewEvent, SourceId, Started,
};
use rstest::rstest;
use serde_json::Value;

/// The canaries: what may stand nowhere but in an event that includes what is personal.
const NUMBER: &str = "+5511987654321";
const CANARIES: [&str; 7] = [
    NUMBER,
    "Bruna CANARY",
    "calls back CANARY",
    "PROTOCOL-CANARY",
    "CAUSE-CANARY",
    "record-CANARY",
    "hello CANARY",
];

fn at(minute: i64) -> Timestamp {
    "2026-11-23T12:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minute)
}

fn webhook(number: u128) -> WebhookId {
    WebhookId(Uuid::from_u128(number))
}

fn rules(webhooks: &[(u128, &[&str], bool)]) -> JournalRules {
    let one = |(number, events, personal): &(u128, &[&str], bool)| {
        let events = events.iter().map(|word| word.parse().unwrap()).collect();
        (webhook(*number), WebhookRules { events, personal: *personal })
    };
    JournalRules { webhooks: webhooks.iter().map(one).collect(), ..JournalRules::default() }
}

fn everything(personal: bool) -> JournalRules {
    let events = WebhookEvent::all().collect();
    let webhooks = BTreeMap::from([(webhook(1), WebhookRules { events, personal })]);
    JournalRules { webhooks, ..JournalRules::default() }
}

fn new(event: InteractionEvent, minute: i64) -> NewEvent {
    let actor = Actor::Source(SourceId::new("pbx").unwrap());
    NewEvent { at: at(minute), actor, cause: Cause::Rule("test".to_owned()), event }
}

fn begin(channel: Channel) -> InteractionWrite {
    let started = Started {
        source: SourceId::new("pbx").unwrap(),
        reference: channel.is_voice().then(|| CallId::new("c1").unwrap()),
        channel,
        direction: InteractionDirection::Inbound,
        from: Some(Clear::new(NUMBER)),
        to: Some(Clear::new("+551133334444")),
        contacts: vec![ContactIdentity::phone(NUMBER).unwrap()],
        queue: Some("sales".to_owned()),
        asked: Vec::new(),
        protocol: Some("PROTOCOL-CANARY".to_owned()),
    };
    let events = vec![new(InteractionEvent::Started(Box::new(started)), 0)];
    let tenant = TenantId::new("acme").unwrap();
    InteractionWrite::begin(&tenant, InteractionId(Uuid::from_u128(7)), events, at(0)).unwrap()
}

fn change(before: &Interaction, events: Vec<InteractionEvent>) -> InteractionWrite {
    let events = events.into_iter().zip(1..).map(|(event, minute)| new(event, minute)).collect();
    InteractionWrite::change(before, Vec::new(), events, at(9)).unwrap()
}

/// A call with every personal fact that an interaction can have.
fn full_call() -> InteractionWrite {
    let link = CrmLink {
        plugin: "odoo".parse().unwrap(),
        kind: "contact".to_owned(),
        id: "record-CANARY".to_owned(),
        url: None,
    };
    change(
        begin(Channel::Fixed).after(),
        vec![
            InteractionEvent::Answered { agent: Some(Clear::new("Bruna CANARY (invented)")) },
            InteractionEvent::CrmLinked(link),
            InteractionEvent::NoteSet { notes: Some(Clear::new("calls back CANARY (invented)")) },
            InteractionEvent::DispositionSet { disposition: Some("sold".to_owned()) },
            InteractionEvent::Ended {
                cause: EndCause::Completed,
                provider_cause: Some("CAUSE-CANARY".to_owned()),
            },
        ],
    )
}

fn message_event() -> InteractionWrite {
    let message = Message {
        id: MessageId(Uuid::from_u128(3)),
        reference: EventId::new("m1").unwrap(),
        direction: InteractionDirection::Inbound,
        at: at(1),
        text: Some(Clear::new("hello CANARY (invented)")),
        attachments: Vec::new(),
        agent: None,
        status: MessageStatus::Received,
        provider_cause: None,
        seq: 0,
    };
    let event = InteractionEvent::MessageAdded { message, date: "2026-11-23".parse().unwrap() };
    change(begin(Channel::Whatsapp).after(), vec![event])
}

/// What goes out, oldest first: the type's word, and the message.
fn told(write: &InteractionWrite, rules: &JournalRules) -> Vec<(String, WebhookMessage)> {
    let made = deliveries(write, rules);
    made.iter()
        .map(|delivery| {
            let message = WebhookMessage::from_payload(&delivery.payload).unwrap();
            let event: Value = serde_json::from_str(message.body.expose()).unwrap();
            (event["type"].as_str().unwrap().to_owned(), message)
        })
        .collect()
}

#[test]
fn an_event_goes_out_as_a_cloud_event_without_anything_personal() {
    let write = full_call();
    let ended = told(&write, &rules(&[(1, &["ended"], false)])).pop().unwrap().1;
    let mut event: Value = serde_json::from_str(ended.body.expose()).unwrap();
    // Drawn anew for each write.
    assert_eq!(event["id"], write.events()[4].id.to_string());
    event["id"] = "…".into();
    insta::assert_json_snapshot!(event, @r#"
    {
      "specversion": "1.0",
      "id": "…",
      "source": "urn:ramal:tenant:acme",
      "type": "dev.ramal.interaction.ended.v1",
      "subject": "00000000-0000-0000-0000-000000000007",
      "time": "2026-11-23T12:05:00Z",
      "datacontenttype": "application/json",
      "data": {
        "interaction": "00000000-0000-0000-0000-000000000007",
        "seq": 6,
        "channel": "fixed",
        "direction": "inbound",
        "state": "ended",
        "started_at": "2026-11-23T12:00:00Z",
        "answered_at": "2026-11-23T12:01:00Z",
        "ended_at": "2026-11-23T12:05:00Z",
        "cause": "completed",
        "queue": "sales",
        "disposition": "sold",
        "transfers": 0,
        "messages_in": 0,
        "messages_out": 0
      }
    }
    "#);
    assert!(ended.classes.is_empty() && ended.subject.is_none());
}

#[test]
fn the_whole_of_it_goes_out_only_where_the_configuration_says_so() {
    let write = full_call();
    let ended = told(&write, &rules(&[(1, &["ended"], true)])).pop().unwrap().1;
    let event: Value = serde_json::from_str(ended.body.expose()).unwrap();
    insta::assert_json_snapshot!(event["data"]["personal"], @r#"
    {
      "actor": "source:pbx",
      "from": "+5511987654321",
      "to": "+551133334444",
      "contacts": [
        {
          "kind": "phone",
          "namespace": "e164",
          "value": "+5511987654321"
        }
      ],
      "agent": "Bruna CANARY (invented)",
      "notes": "calls back CANARY (invented)",
      "protocol": "PROTOCOL-CANARY",
      "provider_cause": "CAUSE-CANARY",
      "links": [
        {
          "plugin": "odoo",
          "kind": "contact",
          "id": "record-CANARY",
          "url": null
        }
      ]
    }
    "#);
    let counted = [
        (DataClass::ContactPhone, 3),
        (DataClass::InteractionMeta, 1),
        (DataClass::InteractionText, 1),
        (DataClass::WorkItem, 1),
        (DataClass::Agent, 1),
    ];
    assert_eq!(ended.classes, BTreeMap::from(counted));
    assert_eq!(ended.subject, Some(Clear::new(NUMBER)));
}

#[rstest]
#[case::call(full_call())]
#[case::beginning(begin(Channel::Mobile))]
#[case::message(message_event())]
fn no_personal_value_leaves_by_default(#[case] write: InteractionWrite) {
    let told = told(&write, &everything(false));
    assert_eq!(told.len(), write.events().len());
    for (kind, message) in told {
        for canary in CANARIES {
            assert!(!message.body.expose().contains(canary), "{canary} in {kind}");
        }
        assert!(message.classes.is_empty(), "{kind}");
    }
}

#[test]
fn what_a_message_says_is_counted_where_it_leaves() {
    let (_, message) = told(&message_event(), &everything(true)).pop().unwrap();
    assert!(message.body.expose().contains("hello CANARY"));
    assert_eq!(message.classes.get(&DataClass::InteractionText), Some(&1));
}

#[test]
fn each_webhook_gets_the_events_that_it_wants_in_the_lane_of_the_interaction() {
    let write = full_call();
    let made = deliveries(&write, &rules(&[(1, &["answered", "ended"], false), (2, &["ended"], true)]));
    let list: Vec<_> =
        made.iter().map(|d| (d.target.clone(), d.step.0.as_str(), d.lane.0.as_str())).collect();
    let lane = "interaction:00000000-0000-0000-0000-000000000007";
    let to = |number: u128| Target::Webhook(webhook(number));
    assert_eq!(list, [(to(1), "event:2", lane), (to(1), "event:6", lane), (to(2), "event:6", lane)]);
    // The event is one; the deliveries are two.
    assert_ne!(made[1].key, made[2].key);
}

#[test]
fn what_no_crm_is_told_no_webhook_is_told() {
    let hushed = JournalRules {
        do_not_log: DoNotLog::new([NUMBER.to_owned()], false),
        zone: TimeZone::UTC,
        ..everything(true)
    };
    assert!(deliveries(&full_call(), &hushed).is_empty());
}

#[rstest]
#[case::ended("ended", Some("dev.ramal.interaction.ended.v1"))]
#[case::two_words("disposition-set", Some("dev.ramal.interaction.disposition-set.v1"))]
#[case::with_version("ended.1", None)]
#[case::of_the_outbox("journaled", None)]
#[case::unknown("finished", None)]
fn a_kind_is_asked_for_by_its_word(#[case] word: &str, #[case] kind: Option<&str>) {
    assert_eq!(word.parse::<WebhookEvent>().ok().map(WebhookEvent::cloud_type).as_deref(), kind);
}
