//! What BottleCRM holds on somebody, and the order in which it is removed.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::{Host, TestCx};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ENTRY, MARIA, SERGIO, host, page, without_scope};
use crate::BottleCrm;
use crate::settings::Settings;

const LEAD: &str = "976a1b38-6c4b-45e0-8ffd-802addcfd74e";
const OTHERS_LEAD: &str = "11111111-2222-3333-4444-555555555555";
const COMMENT: &str = "1cce2d94-61cd-45e5-8f68-fc09b1a1394b";
const FILE: &str = "35f0a9f0-0b0a-43a4-bff4-dccbd241f670";
const DEAL: &str = "148479fa-e46a-4cbd-b93f-772c0ef3ca08";
const DEALS_ENTRY: &str = "735c070d-78bc-4c50-a97a-e202d3def5a3";
const INVOICE: &str = "c3e9277b-0000-4000-8000-000000000001";

/// A contact that has everything.
fn contact() -> Value {
    let mut page = page();
    page["comments"] = json!([{"id": COMMENT, "comment": "Prefere à tarde", "commented_by": {"id": SERGIO}}]);
    page["attachments"] =
        json!([{"id": FILE, "file_name": "rg-maria.pdf", "file_path": "/media/rg-maria.pdf"}]);
    page["opportunities"] = json!([{"id": DEAL, "name": "Plano da Maria", "stage": "CLOSED_WON",
        "stage_kind": "won", "amount": 99.9, "currency": "BRL"}]);
    page["contact_obj"]["description"] = json!("só à tarde");
    page["contact_obj"]["city"] = json!("São Paulo");
    page
}

fn log() -> Value {
    json!({"count": 2, "interactions": [
        {"id": ENTRY, "kind": "call", "occurred_at": "2026-11-23T14:40:00.123456-03:00", "subject": "Chamada recebida",
            "body": "a zebra", "home": "contact", "can_edit": true},
        {"id": DEALS_ENTRY, "kind": "call", "occurred_at": "2026-11-22T14:40:00-03:00", "subject": "+5511987654321",
            "body": "", "home": "opportunity", "can_edit": true}]})
}

/// A BottleCRM with all of it.
fn full() -> Host {
    full_with(json!({"count": 0, "interactions": []}))
}

/// With this log on the lead.
fn full_with(of_the_lead: Value) -> Host {
    let hit = |id: &str, phone: &str| json!({"id": id, "name": "Maria", "email": "", "phone": phone, "matched_on": ["phone"]});
    host("subject-request")
        .answer("subject-contact", 200, contact())
        .answer("subject-entries", 200, log())
        .answer("subject-entries", 200, of_the_lead)
        // The second is of another city.
        .answer("subject-leads", 200, json!({"duplicates": [hit(LEAD, "11 98765-4321"), hit(OTHERS_LEAD, "21 98765-4321")]}))
        .answer("subject-lead", 200, json!({"lead_obj": {"id": LEAD, "title": "Lead da Maria", "first_name": "Maria",
            "last_name": "da Silva", "phone": "11 98765-4321"}, "comments": [], "attachments": [], "can_delete": true}))
        .answer("subject-invoices", 200, json!({"results": [{"id": INVOICE, "invoice_number": "INV-7",
            "client_name": "Maria da Silva", "client_email": "maria@example.com"}]}))
}

/// The same, and willing to change.
fn willing() -> Host {
    ["delete-comment", "delete-attachment", "blank-entry", "blank-contact", "blank-lead", "delete-record"]
        .into_iter()
        .fold(full().calling("privacy.erase-subject"), |host, route| host.answer(route, 200, json!({})))
}

/// Method and the end of the address of each request that changes something.
fn changes(cx: &TestCx<Settings>) -> Vec<String> {
    cx.all_sent()
        .into_iter()
        .filter(|sent| !sent.route.starts_with("subject"))
        .map(|sent| format!("{} {}", sent.method, sent.url.split_once("/api/").unwrap().1))
        .collect()
}

fn refs(all: &[Ref]) -> Vec<String> {
    all.iter().map(|record| format!("{} {}", record.kind, record.id)).collect()
}

fn kept(receipt: &Receipt) -> Vec<String> {
    refs(&receipt.kept.iter().map(|(record, _)| record.clone()).collect::<Vec<_>>())
}

#[test]
fn an_export_has_every_record_with_what_it_says() {
    let cx = full().cx();
    let shown = cx.opened(BottleCrm::export_subject(&cx, &MARIA.into()).unwrap());
    let lines: Vec<String> = shown
        .iter()
        .flat_map(|held| {
            held.fields.iter().map(|(label, value)| format!("{} {label}: {value}", held.record.kind))
        })
        .collect();
    assert_eq!(
        lines,
        [
            "contact Nome: Maria da Silva",
            "contact Empresa: Oficina Inventada",
            "contact E-mail: maria@example.com",
            "contact Telefone: (11) 98765-4321",
            "contact Cidade: São Paulo",
            "contact Anotações: só à tarde",
            "contact Cadastrado em: 2026-11-23",
            "comment Texto: Prefere à tarde",
            "attachment Nome: rg-maria.pdf",
            "interaction Tipo: call",
            "interaction Data: 2026-11-23",
            "interaction Assunto: Chamada recebida",
            "interaction Texto: a zebra",
            "interaction Tipo: call",
            "interaction Data: 2026-11-22",
            "interaction Assunto: +5511987654321",
            "opportunity Nome: Plano da Maria",
            "opportunity Situação: won",
            "opportunity Valor: BRL 99.9",
            "lead Nome: Maria da Silva",
            "lead Título: Lead da Maria",
            "lead Telefone: 11 98765-4321",
            "invoice Número: INV-7",
        ]
    );
}

#[test]
fn an_entry_on_two_timelines_is_told_once() {
    let cx = full_with(log()).cx();
    let held = BottleCrm::export_subject(&cx, &MARIA.into()).unwrap();
    let entries: Vec<&str> = held
        .iter()
        .filter(|held| held.record.kind == "interaction")
        .map(|held| held.record.id.as_str())
        .collect();
    assert_eq!(entries, [ENTRY, DEALS_ENTRY]);
}

#[test]
fn what_a_deletion_would_leave_goes_first() {
    let cx = willing().cx();
    let receipt = cx.opened(BottleCrm::erase_subject(&cx, &MARIA.into(), Erasure::Erase).unwrap());
    assert_eq!(
        changes(&cx),
        [
            format!("PATCH leads/{LEAD}/"),
            format!("DELETE leads/{LEAD}/"),
            format!("DELETE contacts/comment/{COMMENT}/"),
            format!("DELETE contacts/attachment/{FILE}/"),
            format!("PATCH interactions/{DEALS_ENTRY}/"),
            format!("PATCH contacts/{MARIA}/"),
            format!("DELETE contacts/{MARIA}/"),
        ]
    );
    assert_eq!(cx.sent("blank-entry")[0].body, json!({"subject": "", "body": ""}));
    let blank = &cx.sent("blank-contact")[0].body;
    assert_eq!(
        (&blank["first_name"], &blank["phone"], &blank["city"]),
        (&json!("Anonimizado"), &json!(""), &json!(""))
    );
    assert_eq!(
        refs(&receipt.removed),
        [
            format!("lead {LEAD}"),
            format!("comment {COMMENT}"),
            format!("attachment {FILE}"),
            format!("interaction {ENTRY}"),
            format!("contact {MARIA}"),
        ]
    );
    assert_eq!(refs(&receipt.anonymised), [format!("interaction {DEALS_ENTRY}")]);
    assert_eq!(
        kept(&receipt),
        [
            format!("file {FILE}"),
            format!("opportunity {DEAL}"),
            format!("invoice {INVOICE}"),
            format!("activity {MARIA}"),
        ]
    );
}

#[test]
fn made_anonymous_the_records_stay_and_say_nothing() {
    let mut own_fields = contact();
    own_fields["custom_field_definitions"] = json!([{"id": DEAL, "label": "CPF"}]);
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .answer("subject-contact", 200, own_fields)
        .answer("subject-entries", 200, log())
        .answer("subject-leads", 200, json!({"duplicates": []}))
        .answer("subject-invoices", 200, json!({"results": []}))
        .answer("delete-comment", 200, json!({}))
        .answer("delete-attachment", 200, json!({}))
        .answer("blank-entry", 200, json!({}))
        .answer("blank-contact", 200, json!({}))
        .cx();
    let receipt = BottleCrm::erase_subject(&cx, &MARIA.into(), Erasure::Anonymise).unwrap();
    assert_eq!(
        changes(&cx)[2..],
        [
            format!("PATCH interactions/{ENTRY}/"),
            format!("PATCH interactions/{DEALS_ENTRY}/"),
            format!("PATCH contacts/{MARIA}/"),
        ]
    );
    assert_eq!(refs(&receipt.removed), [format!("comment {COMMENT}"), format!("attachment {FILE}")]);
    assert_eq!(refs(&receipt.anonymised).last().unwrap(), &format!("contact {MARIA}"));
    assert!(kept(&receipt).contains(&format!("contact.custom_fields {MARIA}")), "{receipt:?}");
}

#[test]
fn a_member_who_may_not_delete_stops_it_before_anything_is_touched() {
    let mut others = contact();
    others["can_delete"] = json!(false);
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .answer("subject-contact", 200, others)
        .answer("subject-entries", 200, log())
        .answer("subject-leads", 200, json!({"duplicates": []}))
        .answer("subject-invoices", 200, json!({"results": []}))
        .cx();
    let refused = BottleCrm::erase_subject(&cx, &MARIA.into(), Erasure::Erase);
    assert!(matches!(&refused, Err(Error::Denied(text)) if text.contains("administrator")), "{refused:?}");
    assert!(changes(&cx).is_empty());
}

#[rstest]
#[case::leads("subject-leads", "lead")]
#[case::invoices("subject-invoices", "invoice")]
fn what_the_token_may_not_see_is_in_the_receipt(#[case] closed: &str, #[case] kind: &str) {
    let open = ["subject-leads", "subject-invoices"].into_iter().find(|route| *route != closed).unwrap();
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .answer("subject-contact", 200, page())
        .answer("subject-entries", 200, json!({"count": 0, "interactions": []}))
        .answer(closed, 403, without_scope())
        .answer(open, 200, json!({"duplicates": [], "results": []}))
        .answer("blank-contact", 200, json!({}))
        .answer("delete-record", 200, json!({}))
        .cx();
    let receipt = BottleCrm::erase_subject(&cx, &MARIA.into(), Erasure::Erase).unwrap();
    assert!(kept(&receipt).contains(&format!("{kind} {MARIA}")), "{receipt:?}");
}

#[test]
fn a_contact_that_is_not_there_is_gone() {
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .answer("subject-contact", 404, json!({"detail": "No Contact matches the given query."}))
        .cx();
    let receipt = BottleCrm::erase_subject(&cx, &MARIA.into(), Erasure::Erase).unwrap();
    assert_eq!(refs(&receipt.removed), [format!("contact {MARIA}")]);
    assert_eq!(BottleCrm::export_subject(&cx, &MARIA.into()), Err(Error::NotFound));
}

#[test]
fn what_was_removed_in_the_same_moment_is_no_error() {
    let cx = ["blank-entry", "blank-contact", "blank-lead", "delete-record"]
        .into_iter()
        .fold(full().calling("privacy.erase-subject"), |host, route| host.answer(route, 200, json!({})))
        .answer("delete-comment", 404, json!({"detail": "Not found."}))
        .answer("delete-attachment", 404, json!({"detail": "Not found."}))
        .cx();
    let receipt = BottleCrm::erase_subject(&cx, &MARIA.into(), Erasure::Erase).unwrap();
    assert_eq!(refs(&receipt.removed).last().unwrap(), &format!("contact {MARIA}"));
}
