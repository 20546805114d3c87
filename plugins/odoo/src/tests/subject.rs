//! What is held on somebody.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::{Host, When};
use serde_json::{Value, json};

use super::host;
use crate::Odoo;

/// A host whose Odoo holds something of each kind on contact 8, which has address 14.
pub(super) fn subject(export: &str) -> Host {
    let on = |by: &str, model: &str, ids: &[u32]| {
        When::body(json!({"domain": [["res_id", "in", ids], [by, "=", model]]}))
    };
    host("subject-request")
        .calling(export)
        .answer(
            "subject",
            200,
            json!([
                {"id": 4, "name": false, "street": "Rua das Garças 9", "phone": false, "bank_ids": [],
                    "phone_mobile_search": false},
                {"id": 8, "name": "Maria da Silva", "phone": "(11) 98765-4321", "email": "maria@example.com",
                    "street": false, "vat": "111.444.777-35", "comment": false, "bank_ids": [9],
                    "create_date": "2026-11-20 12:00:00", "phone_mobile_search": false},
            ]),
        )
        .answer(
            "subject-leads",
            200,
            json!([{"id": 3, "name": "Plano da Maria", "contact_name": "Maria da Silva", "phone": false,
                "description": "<p>zebra</p>", "expected_revenue": 1200.0}]),
        )
        .answer(
            "subject-events",
            200,
            json!([{"id": 2, "name": "Reunião", "start": "2027-01-04 12:00:00", "location": false}]),
        )
        .answer_when("subject-messages", on("model", "res.partner", &[8, 4]), 200, json!([
            {"id": 60, "date": "2026-11-23 17:40:00", "message_type": "comment", "subject": false, "body": "<p>a</p>"}]))
        .answer_when("subject-messages", on("model", "crm.lead", &[3]), 200, json!([
            {"id": 80, "message_type": "user_notification", "subject": "You have been assigned", "body": "<p>b</p>"}]))
        // What she wrote herself, once on her own record.
        .answer_when("subject-messages", When::body(json!({"domain": [["author_id", "in", [8, 4]]]})), 200, json!([
            {"id": 60, "message_type": "comment", "body": "<p>a</p>"},
            {"id": 90, "message_type": "email", "email_from": "Maria <maria@example.com>", "body": "<p>c</p>"}]))
        .answer("subject-messages", 200, json!([]))
        .answer_when("subject-activities", on("res_model", "res.partner", &[8, 4]), 200,
            json!([{"id": 1, "summary": "Ligar para Maria", "note": false, "date_deadline": "2026-12-01"}]))
        .answer("subject-activities", 200, json!([]))
        .answer_when("subject-attachments", on("res_model", "res.partner", &[8, 4]), 200,
            json!([{"id": 34, "name": "rec-9f1c", "type": "url", "url": "https://panel.example.invalid/rec/9f1c"}]))
        .answer("subject-attachments", 200, json!([]))
}

#[test]
fn an_export_has_every_record_and_no_false() {
    let cx = subject("privacy.export-subject").cx();
    let held = cx.opened(Odoo::export_subject(&cx, &"8".into()).unwrap());
    let told: Vec<(String, Vec<(String, String)>)> = held
        .into_iter()
        .map(|held| {
            let fields = held.fields.into_iter().map(|(label, value)| (label, value.as_str().to_owned()));
            (format!("{} {}", held.record.kind, held.record.id), fields.collect())
        })
        .collect();
    let field = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    assert_eq!(
        told,
        [
            (
                "res.partner 8".to_owned(),
                vec![
                    field("Nome", "Maria da Silva"),
                    field("Telefone", "(11) 98765-4321"),
                    field("E-mail", "maria@example.com"),
                    field("Documento", "111.444.777-35"),
                    field("Cadastrado em", "2026-11-20"),
                ]
            ),
            ("res.partner 4".to_owned(), vec![field("Rua", "Rua das Garças 9")]),
            (
                "crm.lead 3".to_owned(),
                vec![
                    field("Título", "Plano da Maria"),
                    field("Valor", "1200"),
                    field("Nome", "Maria da Silva"),
                    field("Descrição", "<p>zebra</p>"),
                ]
            ),
            ("calendar.event 2".to_owned(), vec![field("Título", "Reunião"), field("Dia", "2027-01-04")]),
            ("mail.message 60".to_owned(), vec![field("Dia", "2026-11-23"), field("Texto", "<p>a</p>")]),
            (
                "mail.message 80".to_owned(),
                vec![field("Assunto", "You have been assigned"), field("Texto", "<p>b</p>")]
            ),
            (
                "mail.message 90".to_owned(),
                vec![field("De", "Maria <maria@example.com>"), field("Texto", "<p>c</p>")]
            ),
            (
                "mail.activity 1".to_owned(),
                vec![field("Resumo", "Ligar para Maria"), field("Dia", "2026-12-01")]
            ),
            (
                "ir.attachment 34".to_owned(),
                vec![field("Nome", "rec-9f1c"), field("Link", "https://panel.example.invalid/rec/9f1c")]
            ),
        ]
    );
    assert_eq!(
        cx.sent("subject")[0].body["domain"],
        json!(["|", ["id", "=", 8], "&", ["parent_id", "=", 8], ["type", "!=", "contact"]])
    );
    for route in ["subject", "subject-leads", "subject-events", "subject-activities", "subject-attachments"] {
        assert_eq!(cx.sent(route)[0].body["context"], json!({"active_test": false}), "{route}: archived too");
    }
}

#[test]
fn an_unknown_contact_has_no_export() {
    let cx = host("subject-request").answer("subject", 200, json!([])).cx();
    assert_eq!(Odoo::export_subject(&cx, &"8".into()), Err(Error::NotFound));
    // Somebody else's address is no contact of that number either.
    let cx = host("subject-request").answer("subject", 200, json!([{"id": 4}])).cx();
    assert_eq!(Odoo::export_subject(&cx, &"8".into()), Err(Error::NotFound));
}

#[test]
fn a_long_chatter_is_read_page_by_page() {
    let page = |from: u32, to: u32| {
        Value::from((from..to).map(|id| json!({"id": id, "body": "<p>x</p>"})).collect::<Vec<_>>())
    };
    let first = When::body(json!({"offset": 0, "domain": [["author_id", "in", [8]]]}));
    let second = When::body(json!({"offset": 200, "domain": [["author_id", "in", [8]]]}));
    let cx = host("subject-request")
        .answer("subject", 200, json!([{"id": 8, "name": "Maria da Silva"}]))
        .answer("subject-leads", 200, json!([]))
        .answer("subject-events", 200, json!([]))
        .answer_when("subject-messages", first, 200, page(1, 201))
        .answer_when("subject-messages", second, 200, page(201, 204))
        .answer("subject-messages", 200, json!([]))
        .answer("subject-activities", 200, json!([]))
        .answer("subject-attachments", 200, json!([]))
        .cx();
    let held = Odoo::export_subject(&cx, &"8".into()).unwrap();
    assert_eq!(held.iter().filter(|held| held.record.kind == "mail.message").count(), 203);
}
