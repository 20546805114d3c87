//! What Tryton holds on somebody.

use ramal_sdk::prelude::*;
use serde_json::{Value, json};

use super::{context, host};
use crate::Tryton;

/// The answers about one party that has everything.
pub(super) const SUBJECT: &str = r#"[
  {"route": "subject", "status": 200, "body": [{"id": 2, "name": "Maria da Silva", "code": "2",
    "create_date": {"__class__": "datetime", "year": 2026, "month": 11, "day": 23, "hour": 20, "minute": 1, "second": 38},
    "contact_mechanisms.": [
      {"id": 1, "type": "mobile", "value": "+55 11 98765-4321", "name": null, "comment": "só à tarde"},
      {"id": 2, "type": "email", "value": "maria@example.com"}],
    "addresses.": [{"id": 4, "full_address": "RUA INVENTADA 1\nSÃO PAULO"}],
    "identifiers.": [{"id": 6, "type": "br_cpf", "code": "11144477735"}]}]},
  {"route": "subject-opportunities", "status": 200, "body": [
    {"id": 1, "number": "1", "state": "lead", "description": "Plano anual", "comment": "Maria liga de novo",
     "lost_reason": null, "contact": 1, "amount": {"__class__": "Decimal", "decimal": "1200.00"}, "currency.": {"code": "BRL"}},
    {"id": 3, "number": "3", "state": "won", "description": "Plano mensal", "comment": null, "lost_reason": null, "contact": null},
    {"id": 4, "number": "4", "state": "lost", "description": "Aparelho", "comment": null, "lost_reason": "caro", "contact": null}]},
  {"route": "subject-sales", "status": 200, "body": [{"id": 9, "number": "S9", "state": "done"}]},
  {"route": "subject-notes", "status": 200, "body": [{"id": 11, "message": "Prefere à tarde"}, {"id": 12, "message": "x"}]},
  {"route": "subject-attachments", "status": 200, "body": [
    {"id": 21, "name": "rec-9f1c", "link": "https://panel.example.invalid/rec/9f1c", "description": null}]}
]"#;

#[test]
fn an_export_has_every_record_with_what_it_says() {
    let cx = host("subject-request").recorded(SUBJECT).cx();
    let held = Tryton::export_subject(&cx, &"2".into()).unwrap();
    let all: Vec<&Text> = held.iter().flat_map(|held| held.fields.iter().map(|(_, value)| value)).collect();
    assert!(all.iter().any(|text| text.class() == Some("contact.document")));
    let shown = cx.opened(held);
    let lines: Vec<String> = shown
        .iter()
        .flat_map(|held| {
            let record = format!("{} {}", held.record.kind, held.record.id);
            held.fields.iter().map(move |(label, value)| format!("{record} {label}: {value}"))
        })
        .collect();
    assert_eq!(
        lines,
        [
            "party.party 2 Nome: Maria da Silva",
            "party.party 2 Código: 2",
            "party.party 2 Cadastrado em: 2026-11-23",
            "party.party 2 Telefone: +55 11 98765-4321",
            "party.party 2 Comentário: só à tarde",
            "party.party 2 E-mail: maria@example.com",
            "party.party 2 Endereço: RUA INVENTADA 1\nSÃO PAULO",
            "party.party 2 Documento: 11144477735",
            "sale.opportunity 1 Número: 1",
            "sale.opportunity 1 Situação: lead",
            "sale.opportunity 1 Descrição: Plano anual",
            "sale.opportunity 1 Valor: BRL 1200.00",
            "sale.opportunity 1 Comentário: Maria liga de novo",
            "sale.opportunity 3 Número: 3",
            "sale.opportunity 3 Situação: won",
            "sale.opportunity 3 Descrição: Plano mensal",
            "sale.opportunity 4 Número: 4",
            "sale.opportunity 4 Situação: lost",
            "sale.opportunity 4 Descrição: Aparelho",
            "sale.opportunity 4 Motivo da perda: caro",
            "sale.sale 9 Número: S9",
            "sale.sale 9 Situação: done",
            "ir.note 11 Texto: Prefere à tarde",
            "ir.note 12 Texto: x",
            "ir.attachment 21 Nome: rec-9f1c",
            "ir.attachment 21 Link: https://panel.example.invalid/rec/9f1c",
        ]
    );
}

#[test]
fn what_is_switched_off_is_looked_for_too() {
    let cx = host("subject-request").recorded(SUBJECT).cx();
    Tryton::export_subject(&cx, &"2".into()).unwrap();
    assert_eq!(context(&cx.sent("subject")[0])["active_test"], false);
    assert_eq!(
        cx.sent("subject-notes")[0].body["domain"],
        json!([[
            "resource",
            "in",
            ["party.party,2", "sale.opportunity,1", "sale.opportunity,3", "sale.opportunity,4"]
        ]])
    );
}

#[test]
fn nobody_is_not_found() {
    let cx = host("subject-request").answer("subject", 200, json!([])).cx();
    assert_eq!(Tryton::export_subject(&cx, &"9999".into()), Err(Error::NotFound));
}

#[test]
fn no_right_to_sales_hides_sales_only() {
    let others: Vec<Value> = serde_json::from_str::<Vec<Value>>(SUBJECT)
        .unwrap()
        .into_iter()
        .filter(|reply| reply["route"] != "subject-sales")
        .collect();
    let cx = host("subject-request")
        .recorded(&Value::from(others).to_string())
        .answer("subject-sales", 403, json!({}))
        .cx();
    let held = Tryton::export_subject(&cx, &"2".into()).unwrap();
    assert_eq!(held.iter().filter(|held| held.record.kind == "sale.sale").count(), 0);
    assert_eq!(held.len(), 7);
}
