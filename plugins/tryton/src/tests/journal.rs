//! Notes: written once, added to, never changed.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::TestCx;
use rstest::rstest;
use serde_json::json;

use super::{domain, host, host_with};
use crate::Tryton;
use crate::settings::Settings;

fn entry(cx: &TestCx<Settings>) -> Entry {
    Entry {
        idempotency_key: "7f3a-1".into(),
        contact: Some("2".into()),
        channel: "fixed".into(),
        counterpart: Some(cx.sealed("contact.phone", "+5511987654321")),
        agent: Some(cx.sealed("agent", "Bia Inventada")),
        queue: Some("Vendas".into()),
        started: Instant::parse("2026-11-23T17:40:00Z").unwrap(),
        answered: Instant::parse("2026-11-23T17:40:07Z"),
        ended: Instant::parse("2026-11-23T17:42:30Z"),
        disposition: Some("Venda".into()),
        notes: Some(cx.sealed("interaction.text", "pediu \"o\" preço")),
        recording: Some(cx.sealed("recording.link", "https://panel.example.invalid/rec/9f1c")),
        ..Entry::default()
    }
}

#[test]
fn a_call_is_looked_for_and_then_written_with_its_mark() {
    let cx =
        host("journal").answer("find-note", 200, json!([])).answer("write-note", 200, json!({"id": 3})).cx();
    let written = Tryton::write_journal(&cx, &entry(&cx)).unwrap();
    assert_eq!((written.kind.as_str(), written.id.as_str()), ("ir.note", "3"));
    assert_eq!(
        domain(&cx.sent("find-note")[0]),
        json!([["resource", "=", "party.party,2"], ["message", "like", "%[ramal:7f3a-1]%"]])
    );
    assert_eq!(
        cx.sent("write-note")[0].body,
        json!({"resource": "party.party,2", "message": "Chamada recebida, atendida, 2 min 23 s\n\
            Início: 2026-11-23T17:40:00Z\nNúmero: +5511987654321\nAtendente: Bia Inventada\nFila: Vendas\n\
            Resultado: Venda\nGravação: https://panel.example.invalid/rec/9f1c\n\
            Anotações: pediu \"o\" preço\n[ramal:7f3a-1]"})
    );
}

#[test]
fn a_call_that_is_there_is_not_written_again() {
    let cx = host("journal").answer("find-note", 200, json!([{"id": 3}])).cx();
    assert_eq!(Tryton::write_journal(&cx, &entry(&cx)).unwrap().id, "3");
    assert!(cx.sent("write-note").is_empty());
}

#[test]
fn notes_are_in_the_language_of_the_tenant() {
    let settings = json!({"server": "http://127.0.0.1:8000", "database": "crm", "language": "en"});
    let cx = host_with("journal", settings)
        .answer("find-note", 200, json!([]))
        .answer("write-note", 200, json!({"id": 3}))
        .cx();
    let missed = Entry { outcome: Outcome::Missed, answered: None, ..entry(&cx) };
    Tryton::write_journal(&cx, &missed).unwrap();
    let sent = cx.sent("write-note");
    let message = sent[0].body["message"].as_str().unwrap();
    assert!(message.starts_with("Call received, missed\nBegan: 2026-11-23T17:40:00Z\nNumber: "), "{message}");
}

#[rstest]
#[case::call("mobile", Direction::Outbound, "Chamada feita, atendida, 2 min 23 s")]
#[case::internal("fixed", Direction::Internal, "Chamada interna, atendida, 2 min 23 s")]
#[case::whatsapp("whatsapp", Direction::Inbound, "Conversa no WhatsApp, atendida, 2 min 23 s")]
#[case::sms("sms", Direction::Inbound, "SMS, atendida, 2 min 23 s")]
fn the_first_line_says_what_happened(
    #[case] channel: &str,
    #[case] direction: Direction,
    #[case] headline: &str,
) {
    let cx =
        host("journal").answer("find-note", 200, json!([])).answer("write-note", 200, json!({"id": 3})).cx();
    Tryton::write_journal(&cx, &Entry { channel: channel.into(), direction, ..entry(&cx) }).unwrap();
    assert_eq!(cx.sent("write-note")[0].body["message"].as_str().unwrap().lines().next(), Some(headline));
}

#[test]
fn without_a_party_the_deal_gets_the_note() {
    let cx =
        host("journal").answer("find-note", 200, json!([])).answer("write-note", 200, json!({"id": 3})).cx();
    let about = Some(Ref::new("deal", "5"));
    Tryton::write_journal(&cx, &Entry { contact: None, about, ..entry(&cx) }).unwrap();
    assert_eq!(cx.sent("write-note")[0].body["resource"], "sale.opportunity,5");
}

#[test]
fn an_entry_of_nobody_waits_for_a_person() {
    let cx = host("journal").cx();
    let nobodys = Entry { contact: None, ..entry(&cx) };
    assert!(matches!(Tryton::write_journal(&cx, &nobodys), Err(Error::Invalid(_))));
    assert!(cx.all_sent().is_empty());
}

#[test]
fn an_unknown_party_waits_for_a_person() {
    let cx = host("journal").answer("find-note", 200, json!([])).answer("write-note", 400, json!({})).cx();
    assert!(matches!(Tryton::write_journal(&cx, &entry(&cx)), Err(Error::Invalid(_))));
}

#[test]
fn what_is_known_later_is_a_further_note_with_a_mark_of_its_own() {
    let cx = host("journal")
        .answer("get-note", 200, json!([{"id": 3}]))
        .answer("find-note", 200, json!([]))
        .answer("write-note", 200, json!({"id": 4}))
        .cx();
    let amended = Tryton::amend_journal(&cx, &Ref::new("ir.note", "3"), &entry(&cx)).unwrap();
    assert_eq!(amended.id, "4");
    assert_eq!(domain(&cx.sent("get-note")[0]), json!([["resource", "=", "party.party,2"], ["id", "=", 3]]));
    let sent = cx.sent("write-note");
    let message = sent[0].body["message"].as_str().unwrap();
    assert!(message.starts_with("Chamada recebida, atendida, 2 min 23 s (complemento)\n"), "{message}");
    assert!(message.ends_with("\n[ramal:7f3a-1.later]"), "{message}");
}

#[test]
fn a_note_that_somebody_removed_is_not_written_anew() {
    let cx = host("journal").answer("get-note", 200, json!([])).cx();
    assert_eq!(Tryton::amend_journal(&cx, &Ref::new("ir.note", "3"), &entry(&cx)), Err(Error::NotFound));
}
