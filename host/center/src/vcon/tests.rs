//! What a document says of a history, and that every history makes a document that others accept: by the rules of the
//! draft's text (`draft`), by its JSON schema and by a library that is not ours (`peer`). Everybody is invented.

mod draft;
mod histories;
mod peer;

use jiff::Timestamp;
use proptest::prelude::*;
use ramal_store::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::call::content_hash;
use super::{VconIssuer, export};
use histories::*;

fn issuer() -> VconIssuer {
    VconIssuer { domain: "ramal.example".to_owned(), recordings: Some("https://ramal.example/".to_owned()) }
}

fn document(events: &[EventRecord]) -> Value {
    let made = export(&tenant(), id(), events, &issuer()).unwrap().unwrap();
    serde_json::to_value(made).unwrap()
}

fn answered(agent: &str) -> InteractionEvent {
    InteractionEvent::Answered { agent: Some(Clear::new(agent)) }
}

fn ended(cause: EndCause) -> InteractionEvent {
    InteractionEvent::Ended { cause, provider_cause: None }
}

const SOUND: RecordingId = RecordingId(uuid::Uuid::from_u128(0xabc));

#[test]
fn a_call_with_a_hold_a_transfer_and_a_paused_recording() {
    let ready = InteractionEvent::RecordingReady {
        recording: SOUND,
        duration_ms: 25_000,
        digest: Some(format!("sha512:{}", "ab".repeat(64))),
    };
    let told = [
        (0, call(InteractionDirection::Inbound)),
        (5, answered("Bruna (invented)")),
        (5, InteractionEvent::RecordingStarted { recording: SOUND }),
        (10, InteractionEvent::Held {}),
        (14, InteractionEvent::Resumed {}),
        (15, InteractionEvent::RecordingPaused { recording: SOUND }),
        (25, InteractionEvent::RecordingResumed { recording: SOUND }),
        (30, InteractionEvent::Transferred { agent: Some(Clear::new("sip:carla@pbx.example")), queue: None }),
        (40, ended(EndCause::Completed)),
        (60, ready),
        (61, InteractionEvent::DispositionSet { disposition: Some("sold".to_owned()) }),
        (62, InteractionEvent::NoteSet { notes: Some(Clear::new("Wants a call back (invented)")) }),
    ];
    insta::assert_json_snapshot!(document(&history(&told)));
}

#[test]
fn a_conversation_with_a_file() {
    let told = [
        (0, chat(&[phone("+5511987654321")])),
        (0, message("wamid.1", InteractionDirection::Inbound, Some("Olá (invented)"), None, &[])),
        (
            60,
            message(
                "wamid.2",
                InteractionDirection::Outbound,
                Some("Bom dia (invented)"),
                Some("Bruna (invented)"),
                &[],
            ),
        ),
        (90, message("wamid.3", InteractionDirection::Inbound, None, None, &["image/jpeg"])),
        (900, ended(EndCause::Closed)),
    ];
    insta::assert_json_snapshot!(document(&history(&told)));
}

#[rstest]
#[case(EndCause::Missed, "no-answer")]
#[case(EndCause::NoAnswer, "no-answer")]
#[case(EndCause::Rejected, "no-answer")]
#[case(EndCause::Abandoned, "hung-up")]
#[case(EndCause::Busy, "busy")]
#[case(EndCause::Failed, "failed")]
#[case(EndCause::Voicemail, "voicemail-no-message")]
fn a_call_that_nobody_took_is_incomplete(#[case] cause: EndCause, #[case] disposition: &str) {
    let made = document(&history(&[(0, call(InteractionDirection::Inbound)), (20, ended(cause))]));
    let dialog = json!([{
        "type": "incomplete", "start": time(0), "duration": 20.0, "parties": [0, 1],
        "disposition": disposition, "application": "fixed",
    }]);
    assert_eq!(made["dialog"], dialog);
}

#[test]
fn a_call_that_rings_has_no_dialog_yet_and_a_talk_that_was_not_recorded_has_one() {
    let rings = document(&history(&[(0, call(InteractionDirection::Inbound))]));
    assert_eq!(rings["dialog"], json!([]));
    let talks = document(&history(&[
        (0, call(InteractionDirection::Inbound)),
        (4, answered("Bruna (invented)")),
        (9, ended(EndCause::Completed)),
    ]));
    assert_eq!(
        (&talks["dialog"][0]["type"], &talks["dialog"][0]["duration"]),
        (&json!("recording"), &json!(5.0))
    );
    assert_eq!(talks["dialog"][0].get("url"), None);
}

#[test]
fn who_began_it_stands_first_and_who_withheld_the_number_is_anonymous() {
    let out = [(0, call(InteractionDirection::Outbound)), (9, ended(EndCause::NoAnswer))];
    let made = document(&history(&out));
    assert_eq!(made["parties"][0], json!({ "tel": "tel:+551133334444", "type": "organization" }));
    assert_eq!(made["parties"][1], json!({ "tel": "tel:+5511987654321" }));
    assert_eq!(made["dialog"][0]["parties"], json!([0, 1]));

    let mut withheld = started(Channel::Fixed, InteractionDirection::Inbound, &[]);
    withheld.from = None;
    withheld.to = Some(Clear::new("1001"));
    let made = document(&history(&[(0, InteractionEvent::Started(Box::new(withheld)))]));
    assert_eq!(made["parties"][0], json!({ "name": "anonymous" }));
    assert_eq!(made["parties"][1]["tel"], "tel:1001;phone-context=ramal.example");
}

#[test]
fn a_device_that_only_rings_is_not_in_the_talk_and_one_that_joins_is() {
    let leg = |leg: &str, agent: &str| InteractionEvent::LegOpened {
        leg: CallId::new(leg).unwrap(),
        agent: Some(Clear::new(agent)),
        number: None,
    };
    let closed =
        |leg: &str| InteractionEvent::LegClosed { leg: CallId::new(leg).unwrap(), provider_cause: None };
    let made = document(&history(&[
        (0, call(InteractionDirection::Inbound)),
        (1, leg("l1", "Ana (invented)")),
        (1, leg("l2", "Bruna (invented)")),
        (3, answered("Bruna (invented)")),
        (3, closed("l1")),
        (8, leg("l3", "Carla (invented)")),
        (9, closed("l2")),
        (12, ended(EndCause::Completed)),
    ]));
    let name = |index: &Value| {
        let party = &made["parties"][usize::try_from(index.as_u64().unwrap()).unwrap()];
        party["name"].as_str().unwrap_or("customer").to_owned()
    };
    let told: Vec<(String, String, String)> = made["dialog"][0]["party_history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                name(&one["party"]),
                one["event"].as_str().unwrap().to_owned(),
                one["time"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [
        ("customer", "join", 3),
        ("Bruna (invented)", "join", 3),
        ("Carla (invented)", "join", 8),
        ("Bruna (invented)", "drop", 9),
        ("customer", "drop", 12),
        ("Carla (invented)", "drop", 12),
    ];
    assert_eq!(told, expected.map(|(who, what, at)| (who.to_owned(), what.to_owned(), time(at))));
}

#[test]
fn the_identifier_stays_and_is_of_version_8() {
    let before = history(&[(0, call(InteractionDirection::Inbound))]);
    let after = history(&[(0, call(InteractionDirection::Inbound)), (5, ended(EndCause::Missed))]);
    let (before, after) = (document(&before), document(&after));
    assert_eq!(before["uuid"], after["uuid"]);
    let read: uuid::Uuid = before["uuid"].as_str().unwrap().parse().unwrap();
    assert_eq!((read.get_version_num(), read.get_variant()), (8, uuid::Variant::RFC4122));
    let other = VconIssuer { domain: "other.example".to_owned(), ..issuer() };
    let elsewhere = export(&tenant(), id(), &history(&[(0, call(InteractionDirection::Inbound))]), &other);
    assert_ne!(elsewhere.unwrap().unwrap().uuid, read);
}

#[test]
fn without_a_safe_address_or_a_known_hash_nothing_is_linked() {
    let ready = |digest: Option<&str>| InteractionEvent::RecordingReady {
        recording: SOUND,
        duration_ms: 1000,
        digest: digest.map(str::to_owned),
    };
    let made = |issuer: &VconIssuer, digest: Option<&str>| {
        let events = history(&[(0, call(InteractionDirection::Inbound)), (3, ready(digest))]);
        let made = export(&tenant(), id(), &events, issuer).unwrap().unwrap();
        serde_json::to_value(made).unwrap()["dialog"][0].get("url").cloned()
    };
    let hash = "0".repeat(128);
    assert!(made(&issuer(), Some(&hash)).is_some());
    assert_eq!(made(&issuer(), Some("sha256:00")), None);
    assert_eq!(made(&issuer(), None), None);
    assert_eq!(made(&VconIssuer { recordings: None, ..issuer() }, Some(&hash)), None);
}

#[rstest]
#[case::hex(&"0a".repeat(64), true)]
#[case::named(&format!("sha512:{}", "0A".repeat(64)), true)]
#[case::as_the_draft_writes_it(
    "sha512-V-q4c7iQVOzHeixEcDgPnTpOwK9oDhoCa4eXUHHavIAUr2c20MqDdebdG0Qk6AkkLRit_ExiKlfXkFYkHvDaWQ",
    true
)]
#[case::too_short(&"0a".repeat(32), false)]
#[case::other(&format!("sha256:{}", "0a".repeat(32)), false)]
#[case::nothing("", false)]
fn hashes_are_read_in_the_usual_spellings(#[case] digest: &str, #[case] known: bool) {
    let made = content_hash(digest);
    assert_eq!(made.is_some(), known);
    let spelt = |text: String| text.strip_prefix("sha512-").is_some_and(|rest| rest.len() == 86);
    assert!(made.is_none_or(spelt));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_history_makes_a_document_that_the_drafts_text_allows(events in any_history()) {
        let made = document(&events);
        prop_assert_eq!(draft::violations(&made), Vec::<String>::new());
    }
}
