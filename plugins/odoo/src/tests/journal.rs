//! Entries: looked for, written once, added to.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::TestCx;
use rstest::rstest;
use serde_json::json;

use super::{host, host_with, refusal};
use crate::Odoo;
use crate::settings::Settings;

fn entry(cx: &TestCx<Settings>) -> Entry {
    Entry {
        idempotency_key: "7f3a-1".into(),
        contact: Some("8".into()),
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
fn a_call_is_looked_for_escaped_by_odoo_and_written_with_its_mark() {
    let cx = host("journal")
        .answer("find-entry", 200, json!([]))
        .answer("as-html", 200, json!("<escaped>"))
        .answer("write-entry", 200, json!([60]))
        .cx();
    let written = Odoo::write_journal(&cx, &entry(&cx)).unwrap();
    assert_eq!((written.kind.as_str(), written.id.as_str()), ("mail.message", "60"));
    assert_eq!(written.url.as_deref(), Some("http://127.0.0.1:8069/odoo/res.partner/8"));
    assert_eq!(
        cx.sent("find-entry")[0].body["domain"],
        json!([["model", "=", "res.partner"], ["res_id", "=", 8], ["message_id", "=", "<7f3a-1@ramal>"]])
    );
    assert_eq!(
        cx.sent("as-html")[0].body,
        json!({"value": "Chamada recebida, atendida, 2 min 23 s\nInício: 2026-11-23T17:40:00Z\n\
            Número: +5511987654321\nAtendente: Bia Inventada\nFila: Vendas\nResultado: Venda\n\
            Gravação: https://panel.example.invalid/rec/9f1c\nAnotações: pediu \"o\" preço", "options": {}})
    );
    let sent = cx.sent("write-entry");
    assert_eq!(sent[0].url, "http://127.0.0.1:8069/json/2/res.partner/message_post");
    assert_eq!(
        sent[0].body,
        json!({"ids": [8], "body": "<escaped>", "body_is_html": true, "message_type": "comment",
            "subtype_xmlid": "mail.mt_note", "message_id": "<7f3a-1@ramal>"})
    );
}

#[test]
fn a_call_that_is_there_is_not_written_again() {
    let cx = host("journal").answer("find-entry", 200, json!([{"id": 60}])).cx();
    assert_eq!(Odoo::write_journal(&cx, &entry(&cx)).unwrap().id, "60");
    assert_eq!(cx.all_sent().len(), 1);
}

#[test]
fn what_is_known_later_is_put_under_what_is_there_now() {
    let cx = host("journal")
        .calling("journal.amend")
        .answer("find-addition", 200, json!([]))
        .answer("as-html", 200, json!("mais"))
        .answer("read-entry", 200, json!([{"id": 60, "body": "<p>o que Bia escreveu</p>"}]))
        .answer("rewrite-entry", 200, json!(true))
        .cx();
    let record = Ref::new("mail.message", "60");
    assert_eq!(Odoo::amend_journal(&cx, &record, &entry(&cx)).unwrap().id, "60");
    assert_eq!(
        cx.sent("as-html")[0].body["value"],
        json!(
            "Chamada recebida, atendida, 2 min 23 s (complemento)\nResultado: Venda\n\
            Gravação: https://panel.example.invalid/rec/9f1c\nAnotações: pediu \"o\" preço\n[ramal:7f3a-1]"
        )
    );
    assert_eq!(
        cx.sent("rewrite-entry")[0].body,
        json!({"ids": [60], "vals": {"body": "<p>o que Bia escreveu</p><p>mais</p>"}})
    );
    assert_eq!(cx.all_sent()[2].route, "read-entry", "read right before it is written");
}

#[test]
fn what_was_added_is_not_added_again() {
    let cx = host("journal").calling("journal.amend").answer("find-addition", 200, json!([{"id": 60}])).cx();
    assert_eq!(Odoo::amend_journal(&cx, &Ref::new("mail.message", "60"), &entry(&cx)).unwrap().id, "60");
    assert_eq!(
        cx.sent("find-addition")[0].body["domain"],
        json!([["id", "=", 60], ["body", "like", "[ramal:7f3a-1]"]])
    );
    assert_eq!(cx.all_sent().len(), 1);
}

#[test]
fn what_a_person_removed_stays_removed() {
    let cx = host("journal")
        .calling("journal.amend")
        .answer("find-addition", 200, json!([]))
        .answer("as-html", 200, json!("mais"))
        .answer("read-entry", 200, json!([]))
        .cx();
    let amended = Odoo::amend_journal(&cx, &Ref::new("mail.message", "60"), &entry(&cx));
    assert_eq!(amended, Err(Error::NotFound));
    assert!(cx.sent("rewrite-entry").is_empty());
}

#[test]
fn a_call_of_nobody_stands_on_its_deal_or_nowhere() {
    let cx = host("journal")
        .answer("find-entry", 200, json!([]))
        .answer("as-html", 200, json!("x"))
        .answer("write-entry", 200, json!([60]))
        .cx();
    let about = Some(Ref::new("deal", "3"));
    let of_a_deal = Entry { contact: None, about, ..entry(&cx) };
    let written = Odoo::write_journal(&cx, &of_a_deal).unwrap();
    assert_eq!(written.url.as_deref(), Some("http://127.0.0.1:8069/odoo/crm.lead/3"));
    assert_eq!(cx.sent("write-entry")[0].url, "http://127.0.0.1:8069/json/2/crm.lead/message_post");
    let of_nobody = Entry { contact: None, ..entry(&cx) };
    assert!(matches!(Odoo::write_journal(&cx, &of_nobody), Err(Error::Invalid(_))));
}

#[test]
fn a_contact_that_is_gone_is_not_found() {
    let cx = host("journal")
        .answer("find-entry", 200, json!([]))
        .answer("as-html", 200, json!("x"))
        .answer("write-entry", 404, refusal("odoo.exceptions.MissingError"))
        .cx();
    assert_eq!(Odoo::write_journal(&cx, &entry(&cx)), Err(Error::NotFound));
}

#[rstest]
#[case::call("mobile", Direction::Outbound, "Call made, answered, 2 min 23 s")]
#[case::internal("fixed", Direction::Internal, "Internal call, answered, 2 min 23 s")]
#[case::whatsapp("whatsapp", Direction::Inbound, "WhatsApp conversation, answered, 2 min 23 s")]
#[case::sms("sms", Direction::Inbound, "SMS, answered, 2 min 23 s")]
fn the_first_line_says_what_happened(
    #[case] channel: &str,
    #[case] direction: Direction,
    #[case] headline: &str,
) {
    let settings = json!({"server": "http://127.0.0.1:8069", "database": "crm", "language": "en"});
    let cx = host_with("journal", settings)
        .answer("find-entry", 200, json!([]))
        .answer("as-html", 200, json!("x"))
        .answer("write-entry", 200, json!([60]))
        .cx();
    Odoo::write_journal(&cx, &Entry { channel: channel.into(), direction, ..entry(&cx) }).unwrap();
    let sent = cx.sent("as-html");
    assert!(sent[0].body["value"].as_str().unwrap().starts_with(&format!("{headline}\nBegan: ")));
}
