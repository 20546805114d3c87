//! What is held on somebody, and that it is gone afterwards: from the rows of the database, not from what is shown.

use ramal_capability::Purpose;
use ramal_engine::{EraseMode, EraseSubject, ExportSubject, PluginError, RecordRef};
use ramal_tests::tryton::Tryton;
use ramal_tests::tryton_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};
use serde_json::json;

use super::desk::{Desk, refused, tryton_or_skip};

/// What is Maria's alone.
const MARIAS: &[&str] = &[
    "Maria",
    "98765",
    "maria.silva",
    "111.444.777-35",
    "11144477735",
    "segunda via",
    "zebra",
    "9f1c",
    "girafa",
];

/// Maria, with everything that Tryton can hold on somebody.
async fn maria(tryton: &Tryton) -> i64 {
    let maria = tryton.parties["Maria da Silva"];
    let opportunities = tryton.party(maria).await.unwrap().opportunities;
    let more = json!({"identifiers": [["create", [{"type": "br_cpf", "code": "111.444.777-35"}]]],
        "contact_mechanisms": [["create", [{"type": "skype", "value": "maria.no.skype"}]]]});
    tryton.write("party.party", maria, &more).await.unwrap();
    let lead = opportunities[0].id;
    tryton.write("sale.opportunity", lead, &json!({"comment": "Maria quer a zebra"})).await.unwrap();
    let note = json!({"resource": format!("sale.opportunity,{lead}"), "message": "Maria liga de novo"});
    tryton.create("ir.note", &note).await.unwrap();
    for resource in [format!("party.party,{maria}"), format!("sale.opportunity,{lead}")] {
        let link = json!({"resource": resource, "name": "rec-9f1c", "type": "link",
            "link": "https://panel.example.invalid/rec/9f1c"});
        tryton.create("ir.attachment", &link).await.unwrap();
    }
    maria
}

fn list(records: &[RecordRef]) -> Vec<String> {
    records.iter().map(|record| format!("{} {}", record.kind, record.id)).collect()
}

fn erase(contact: i64) -> EraseSubject {
    EraseSubject { contact: contact.to_string(), mode: EraseMode::Erase }
}

#[tokio::test]
async fn an_export_has_everything_that_is_held() {
    let tryton = tryton_or_skip!("an_export_has_everything_that_is_held");
    let maria = maria(&tryton).await;
    let desk = Desk::tryton(&tryton).await;
    let ask = ExportSubject { contact: maria.to_string() };
    let held = desk.call(Purpose::SubjectRequest, ask).await.unwrap();
    let lines: Vec<String> = held
        .iter()
        .flat_map(|held| {
            held.fields
                .iter()
                .map(|(label, value)| format!("{}: {label}: {}", held.record.kind, value.value.expose()))
        })
        .collect();
    for line in [
        "party.party: Nome: Maria da Silva",
        "party.party: Telefone: +55 11 98765-4321",
        "party.party: E-mail: maria.silva@example.com",
        "party.party: Outro contato: maria.no.skype",
        "sale.opportunity: Comentário: Maria quer a zebra",
        "sale.opportunity: Valor: BRL 480.50",
        "sale.opportunity: Situação: won",
        "ir.note: Texto: Pediu segunda via do contrato.",
        "ir.note: Texto: Maria liga de novo",
        "ir.attachment: Link: https://panel.example.invalid/rec/9f1c",
    ] {
        assert!(lines.iter().any(|known| known == line), "no `{line}` in {lines:#?}");
    }
    let starts = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(starts("party.party: Documento: "), 1, "{lines:#?}");
    assert_eq!(starts("party.party: Endereço: "), 1, "{lines:#?}");
    assert_eq!(held.iter().filter(|held| held.record.kind == "sale.opportunity").count(), 4);
}

#[tokio::test]
async fn an_erasure_leaves_only_what_the_receipt_names_and_again_does_no_harm() {
    let tryton = tryton_or_skip!("an_erasure_leaves_only_what_the_receipt_names_and_again_does_no_harm");
    let maria = maria(&tryton).await;
    let desk = Desk::tryton(&tryton).await;
    let receipt = desk.call(Purpose::SubjectRequest, erase(maria)).await.unwrap();
    assert_eq!(
        tryton.traces(MARIAS).await.unwrap(),
        ["sale_opportunity__history.comment"],
        "all else is gone from the rows"
    );
    let party = tryton.party(maria).await.unwrap();
    assert_eq!((party.name, party.active), (None, false));
    assert!(party.mechanisms.is_empty() && party.notes.is_empty() && party.attachments.is_empty());
    let states: Vec<_> =
        party.opportunities.iter().map(|o| (o.state.as_str(), o.description.as_deref())).collect();
    assert_eq!(
        states,
        [("lead", None), ("opportunity", None), ("won", Some("Plano mensal")), ("lost", None)],
        "the lost one is lost again; Tryton locks the won one"
    );

    assert_eq!(receipt.removed.iter().filter(|record| record.kind == "ir.note").count(), 3);
    assert_eq!(receipt.removed.iter().filter(|record| record.kind == "ir.attachment").count(), 2);
    assert_eq!(receipt.removed.iter().filter(|record| record.kind == "party.contact_mechanism").count(), 3);
    assert_eq!(receipt.removed.iter().filter(|record| record.kind == "party.identifier").count(), 1);
    assert_eq!(
        list(&receipt.anonymised),
        ["sale.opportunity 1", "sale.opportunity 2", "sale.opportunity 4", &format!("party.party {maria}")]
    );
    let kept: Vec<RecordRef> = receipt.kept.iter().map(|(record, _)| record.clone()).collect();
    assert_eq!(
        list(&kept),
        [
            "sale.opportunity.history 1",
            "sale.opportunity.history 2",
            "sale.opportunity 3",
            "sale.opportunity.history 4"
        ]
    );
    assert!(receipt.kept[0].1.contains("history table"), "{}", receipt.kept[0].1);

    assert!(desk.who_is("+5511987654321").await.unwrap().is_empty());
    let again = desk.call(Purpose::SubjectRequest, erase(maria)).await.unwrap();
    assert!(again.removed.is_empty());
    assert_eq!(list(&again.anonymised).last().unwrap(), &format!("party.party {maria}"));
    assert_eq!(tryton.traces(MARIAS).await.unwrap(), ["sale_opportunity__history.comment"]);
    // The others are as they were.
    assert_eq!(tryton.party(tryton.parties["João Souza"]).await.unwrap().name.as_deref(), Some("João Souza"));
}

#[tokio::test]
async fn somebody_who_was_switched_off_is_erased_too() {
    let tryton = tryton_or_skip!("somebody_who_was_switched_off_is_erased_too");
    let bruno = tryton.parties["Bruno Nunes"];
    let desk = Desk::tryton(&tryton).await;
    desk.call(Purpose::SubjectRequest, erase(bruno)).await.unwrap();
    assert!(tryton.traces(&["Bruno", "95555"]).await.unwrap().is_empty());
    // Of one that never was, nothing is left either.
    let receipt = desk.call(Purpose::SubjectRequest, erase(9999)).await.unwrap();
    assert_eq!(list(&receipt.removed), ["party.party 9999"]);
}

#[tokio::test]
async fn an_erasure_that_broke_off_is_finished_by_the_next_try() {
    let tryton = tryton_or_skip!("an_erasure_that_broke_off_is_finished_by_the_next_try");
    let maria = maria(&tryton).await;
    let proxy = Proxy::before(&tryton.origin).await.unwrap();
    let desk = Desk::tryton_at(&tryton, &proxy.origin, &grant(&proxy.origin)).await;
    // In turn: while a lost deal is open for a moment, before the party, before Tryton's own erasure is asked for.
    for part in [
        "PUT /crm/rest/model/sale.opportunity/4 ",
        "sale.opportunity/4/lost",
        "PUT /crm/rest/model/party.party/",
    ] {
        proxy.turn_for(part, Weather::Broken);
        let refusal = refused(desk.call(Purpose::SubjectRequest, erase(maria)).await);
        assert!(matches!(refusal, PluginError::Transient(_)), "{part}: {refusal}");
    }
    assert_eq!(tryton.party(maria).await.unwrap().name.as_deref(), Some("Maria da Silva"));
    proxy.turn(Weather::Fair);
    desk.call(Purpose::SubjectRequest, erase(maria)).await.unwrap();
    assert_eq!(tryton.traces(MARIAS).await.unwrap(), ["sale_opportunity__history.comment"]);
    let states: Vec<_> =
        tryton.party(maria).await.unwrap().opportunities.into_iter().map(|o| o.state).collect();
    assert_eq!(states, ["lead", "opportunity", "won", "lost"]);
}

#[tokio::test]
async fn an_unfinished_sale_keeps_the_party_untouched() {
    let tryton = tryton_or_skip!("an_unfinished_sale_keeps_the_party_untouched");
    let maria = tryton.parties["Maria da Silva"];
    let before = tryton.party(maria).await.unwrap();
    let sale = json!({"party": maria, "company": tryton.company});
    tryton.create("sale.sale", &sale).await.unwrap();
    let desk = Desk::tryton(&tryton).await;
    let refusal = refused(desk.call(Purpose::SubjectRequest, erase(maria)).await);
    assert!(
        matches!(&refusal, PluginError::Invalid(text) if text.contains("1 unfinished sale")),
        "{refusal}"
    );
    assert_eq!(tryton.party(maria).await.unwrap(), before);
}

#[tokio::test]
async fn a_wrong_password_keeps_the_party_untouched() {
    let mut tryton = tryton_or_skip!("a_wrong_password_keeps_the_party_untouched");
    let maria = tryton.parties["Maria da Silva"];
    let before = tryton.party(maria).await.unwrap();
    tryton.password = "no-such-password".to_owned();
    let desk = Desk::tryton(&tryton).await;
    assert_eq!(refused(desk.call(Purpose::SubjectRequest, erase(maria)).await), PluginError::AuthExpired);
    assert_eq!(tryton.party(maria).await.unwrap(), before);
}
