//! Entries: written once, added to, and nothing of a person's lost.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::TestCx;
use rstest::rstest;
use serde_json::{Value, json};

use super::{ENTRY, MARIA, host, host_with, without_scope};
use crate::BottleCrm;
use crate::mark::Mark;
use crate::settings::Settings;

const KEY: &str = "0191a5f2-7f3a-7000-8000-00000000c001";
const LATER: &str = "0191a5f2-7f3a-7000-8000-00000000c002";

fn entry(cx: &TestCx<Settings>) -> Entry {
    Entry {
        idempotency_key: KEY.into(),
        contact: Some(MARIA.into()),
        channel: "fixed".into(),
        counterpart: Some(cx.sealed("contact.phone", "+5511987654321")),
        agent: Some(cx.sealed("agent", "Bia Inventada")),
        queue: Some("Vendas".into()),
        started: Instant::parse("2026-11-23T17:40:00.789Z").unwrap(),
        answered: Instant::parse("2026-11-23T17:40:07Z"),
        ended: Instant::parse("2026-11-23T17:42:30Z"),
        notes: Some(cx.sealed("interaction.text", "pediu \"o\" preço")),
        ..Entry::default()
    }
}

/// When a step of the entry above happened, as BottleCRM writes it.
fn occurred(key: &str) -> String {
    Mark::of(key).instead("2026-11-23T14:40:00-03:00").unwrap()
}

/// The log of a contact with one entry in it.
fn log(occurred_at: &str, more: &Value) -> Value {
    let mut line = json!({"id": ENTRY, "kind": "call", "direction": "inbound", "occurred_at": occurred_at,
        "duration_seconds": null, "outcome": "", "subject": "Chamada recebida", "body": "", "home": "contact",
        "logged_by_details": {"name": "Bia Administradora", "email": "admin@example.invalid"}, "can_edit": true});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"interactions": [line], "count": 1})
}

fn nothing() -> Value {
    json!({"interactions": [], "count": 0})
}

#[test]
fn a_call_is_looked_for_and_then_written_with_its_mark() {
    let cx = host("journal")
        .answer("find-entries", 200, nothing())
        .answer("write-entry", 201, json!({"id": ENTRY}))
        .cx();
    let written = BottleCrm::write_journal(&cx, &entry(&cx)).unwrap();
    assert_eq!((written.kind.as_str(), written.id.as_str()), ("interaction", ENTRY));
    assert!(
        cx.sent("find-entries")[0]
            .url
            .ends_with(&format!("/api/interactions/?contact={MARIA}&limit=50&offset=0"))
    );
    assert_eq!(
        cx.sent("write-entry")[0].body,
        json!({"kind": "call", "direction": "inbound", "outcome": "connected", "duration_seconds": 143,
            "occurred_at": Mark::of(KEY).instead("2026-11-23T17:40:00Z"), "subject": "Chamada recebida",
            "contact": MARIA, "body": format!("Número: +5511987654321\nFila: Vendas\nAtendente: Bia Inventada\n\
                Anotações: pediu \"o\" preço\n[ramal:{KEY}]")})
    );
}

#[test]
fn a_call_that_is_there_is_not_written_again() {
    let cx = host("journal").answer("find-entries", 200, log(&occurred(KEY), &json!({}))).cx();
    assert_eq!(BottleCrm::write_journal(&cx, &entry(&cx)).unwrap().id, ENTRY);
    assert!(cx.sent("write-entry").is_empty());
}

#[rstest]
#[case::another_call_of_the_same_second(&occurred(LATER))]
#[case::the_same_mark_in_another_second(&occurred(KEY).replace("14:40:00", "14:41:00"))]
#[case::a_persons_entry("2026-11-23T14:40:00-03:00")]
fn another_entry_is_no_repetition(#[case] occurred_at: &str) {
    let cx = host("journal")
        .answer("find-entries", 200, log(occurred_at, &json!({})))
        .answer("write-entry", 201, json!({"id": ENTRY}))
        .cx();
    BottleCrm::write_journal(&cx, &entry(&cx)).unwrap();
    assert_eq!(cx.sent("write-entry").len(), 1);
}

#[test]
fn the_log_is_read_until_it_is_older_than_the_call() {
    let page = |occurred_at: &str| {
        let mut page = log(occurred_at, &json!({}));
        page["count"] = json!(200);
        page
    };
    let cx = host("journal")
        .answer("find-entries", 200, page("2026-11-23T15:00:00-03:00"))
        .answer("find-entries", 200, page("2026-11-23T14:50:00-03:00"))
        .answer("find-entries", 200, page("2026-11-23T14:00:00-03:00"))
        .answer("write-entry", 201, json!({"id": ENTRY}))
        .cx();
    BottleCrm::write_journal(&cx, &entry(&cx)).unwrap();
    let offsets: Vec<_> =
        cx.sent("find-entries").iter().map(|sent| sent.url.rsplit('=').next().unwrap().to_owned()).collect();
    assert_eq!(offsets, ["0", "50", "100"]);
}

#[rstest]
#[case::missed("fixed", Direction::Inbound, Outcome::Missed, "call", "Chamada perdida", json!("no_answer"))]
#[case::abandoned("fixed", Direction::Inbound, Outcome::Abandoned, "call", "Desistiu na fila", json!("no_answer"))]
#[case::outbound("mobile", Direction::Outbound, Outcome::Busy, "call", "Chamada sem resposta", json!("busy"))]
#[case::failed("fixed", Direction::Outbound, Outcome::Failed, "call", "Chamada não completada", Value::Null)]
#[case::internal("fixed", Direction::Internal, Outcome::Answered, "call", "Chamada interna", json!("connected"))]
#[case::whatsapp(
    "whatsapp",
    Direction::Inbound,
    Outcome::Answered,
    "whatsapp",
    "Conversa no WhatsApp",
    Value::Null
)]
#[case::sms("sms", Direction::Inbound, Outcome::Answered, "sms", "SMS", Value::Null)]
fn what_happened_is_said_in_bottlecrms_words(
    #[case] channel: &str,
    #[case] direction: Direction,
    #[case] outcome: Outcome,
    #[case] kind: &str,
    #[case] subject: &str,
    #[case] told: Value,
) {
    let cx = host("journal")
        .answer("find-entries", 200, nothing())
        .answer("write-entry", 201, json!({"id": ENTRY}))
        .cx();
    BottleCrm::write_journal(&cx, &Entry { channel: channel.into(), direction, outcome, ..entry(&cx) })
        .unwrap();
    let body = &cx.sent("write-entry")[0].body;
    assert_eq!((&body["kind"], &body["subject"], &body["outcome"]), (&json!(kind), &json!(subject), &told));
    let inbound = direction == Direction::Inbound;
    assert_eq!(body["direction"], if inbound { "inbound" } else { "outbound" });
}

#[test]
fn entries_are_in_the_language_of_the_tenant() {
    let settings = json!({"server": "http://127.0.0.1:8000", "language": "en"});
    let cx = host_with("journal", settings)
        .answer("find-entries", 200, nothing())
        .answer("write-entry", 201, json!({"id": ENTRY}))
        .cx();
    BottleCrm::write_journal(&cx, &entry(&cx)).unwrap();
    let body = &cx.sent("write-entry")[0].body;
    assert_eq!(body["subject"], "Call received");
    assert!(body["body"].as_str().unwrap().starts_with("Number: +5511987654321\nQueue: Vendas\n"));
}

#[rstest]
#[case::deal("deal", "opportunity")]
#[case::ticket("ticket", "case")]
fn without_a_contact_the_deal_or_ticket_gets_the_entry(#[case] about: &str, #[case] home: &str) {
    let cx = host("journal")
        .answer("find-entries", 200, nothing())
        .answer("write-entry", 201, json!({"id": ENTRY}))
        .cx();
    let about = Some(Ref::new(about, MARIA));
    BottleCrm::write_journal(&cx, &Entry { contact: None, about, ..entry(&cx) }).unwrap();
    assert!(cx.sent("find-entries")[0].url.contains(&format!("?{home}={MARIA}&")));
    assert_eq!(cx.sent("write-entry")[0].body[home], MARIA);
}

#[test]
fn an_entry_of_nobody_waits_for_a_person() {
    let cx = host("journal").cx();
    let nobodys = Entry { contact: None, ..entry(&cx) };
    assert!(matches!(BottleCrm::write_journal(&cx, &nobodys), Err(Error::Invalid(_))));
    assert!(cx.all_sent().is_empty());
}

#[test]
fn an_entry_of_a_contact_that_is_gone_waits_for_a_person() {
    let cx = host("journal").answer("find-entries", 404, json!({"detail": "No such record."})).cx();
    assert!(matches!(BottleCrm::write_journal(&cx, &entry(&cx)), Err(Error::Invalid(_))));
    assert!(cx.sent("write-entry").is_empty());
}

#[test]
fn a_token_that_may_not_log_is_told_its_scope() {
    let cx = host("journal")
        .answer("find-entries", 200, nothing())
        .answer("write-entry", 403, without_scope())
        .cx();
    let refused = BottleCrm::write_journal(&cx, &entry(&cx));
    assert!(
        matches!(&refused, Err(Error::Denied(text)) if text.contains("interactions:write")),
        "{refused:?}"
    );
}

/// A text may have 10 000 characters, and the plugin cannot count those of a seal.
#[test]
fn a_transcript_that_is_too_long_is_left_out() {
    let cx = host("journal")
        .answer("find-entries", 200, nothing())
        .answer("write-entry", 400, json!({"error": true}))
        .answer("write-entry", 201, json!({"id": ENTRY}))
        .cx();
    let transcript = Some(cx.sealed("interaction.text", "girafa"));
    BottleCrm::write_journal(&cx, &Entry { transcript, ..entry(&cx) }).unwrap();
    let bodies: Vec<bool> =
        cx.sent("write-entry").iter().map(|sent| sent.body.to_string().contains("girafa")).collect();
    assert_eq!(bodies, [true, false]);
}

#[test]
fn what_is_known_later_goes_below_what_a_person_wrote() {
    let human = json!({"body": "a zebra é da Maria", "duration_seconds": 99});
    let cx = host("journal")
        .answer("read-entries", 200, log(&occurred(KEY), &human))
        .answer("amend-entry", 200, json!({"id": ENTRY}))
        .cx();
    let later = Entry {
        idempotency_key: LATER.into(),
        disposition: Some("Venda".into()),
        recording: Some(cx.sealed("recording.link", "https://panel.example.invalid/rec/9f1c")),
        ..entry(&cx)
    };
    let amended = BottleCrm::amend_journal(&cx, &Ref::new("interaction", ENTRY), &later).unwrap();
    assert_eq!(amended.id, ENTRY);
    assert_eq!(
        cx.sent("amend-entry")[0].body,
        json!({"occurred_at": occurred(LATER), "outcome": "connected",
            "body": format!("a zebra é da Maria\n\nComplemento: Chamada recebida\nAtendente: Bia Inventada\n\
                Resultado: Venda\nGravação: https://panel.example.invalid/rec/9f1c\n\
                Anotações: pediu \"o\" preço\n[ramal:{LATER}]")}),
        "the length is a person's and stays; there was no outcome"
    );
}

#[test]
fn what_was_added_is_not_added_again() {
    let cx = host("journal").answer("read-entries", 200, log(&occurred(LATER), &json!({}))).cx();
    let later = Entry { idempotency_key: LATER.into(), ..entry(&cx) };
    assert_eq!(BottleCrm::amend_journal(&cx, &Ref::new("interaction", ENTRY), &later).unwrap().id, ENTRY);
    assert!(cx.sent("amend-entry").is_empty());
}

#[test]
fn an_entry_that_somebody_removed_is_not_written_anew() {
    let cx = host("journal").answer("read-entries", 200, nothing()).cx();
    let amended = BottleCrm::amend_journal(&cx, &Ref::new("interaction", ENTRY), &entry(&cx));
    assert_eq!(amended, Err(Error::NotFound));
}

#[test]
fn an_entry_of_another_member_is_denied_and_told_why() {
    let cx =
        host("journal").answer("read-entries", 200, log(&occurred(KEY), &json!({"can_edit": false}))).cx();
    let later = Entry { idempotency_key: LATER.into(), ..entry(&cx) };
    let refused = BottleCrm::amend_journal(&cx, &Ref::new("interaction", ENTRY), &later);
    assert!(matches!(&refused, Err(Error::Denied(text)) if text.contains("administrator")), "{refused:?}");
}
