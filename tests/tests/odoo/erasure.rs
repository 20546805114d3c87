//! What is held on somebody, and that it is gone afterwards: from the rows of the database, not from what is shown.

use std::collections::BTreeSet;

use ramal_capability::Purpose;
use ramal_engine::{EraseMode, EraseReceipt, EraseSubject, ExportSubject, PluginError, RecordRef};
use ramal_tests::odoo::Odoo;
use ramal_tests::odoo_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};
use serde_json::{Value, json};

use super::desk::{Desk, odoo_or_skip, refused};

/// What is Maria's alone. Not her first name: a region of Odoo's list is called so.
const MARIAS: &[&str] = &[
    "Maria da",
    "da Maria",
    "com Maria",
    "para Maria",
    "Maria (",
    "98765",
    "maria.silva",
    "111.444.777-35",
    "segunda via",
    "zebra",
    "9f1c",
    "girafa",
    "Rua das Garças",
];

/// Where copies stay that no API key sees: what Odoo showed on open pages, what it told its own users (of the messages
/// only this kind, see [`reachable`]), and the e-mails of that, which could not be sent, since there is no mail server
/// here.
const OUT_OF_REACH: &[&str] = &[
    "bus_bus.message",
    "mail_mail.body_html",
    "mail_mail.headers",
    "mail_message.body",
    "mail_message.subject",
];

/// Maria, with everything that Odoo can hold on somebody, as people would have put it there.
async fn maria(odoo: &Odoo) -> i64 {
    let maria = odoo.partners["Maria da Silva"];
    let lead = odoo.leads["Plano anual"];
    let write = async |model: &str, id: i64, vals: Value| {
        odoo.call(&format!("{model}/write"), &json!({"ids": [id], "vals": vals})).await.unwrap();
    };
    let about = json!({"vat": "111.444.777-35", "street": "Rua das Garças 7", "comment": "<p>gosta de girafa</p>",
        "bank_ids": [[0, 0, {"acc_number": "girafa-1"}]]});
    write("res.partner", maria, about).await;
    // Odoo keeps the former number in a table of its own.
    write("res.partner", maria, json!({"phone": "+55 11 98765-0000"})).await;
    write("res.partner", maria, json!({"phone": "(11) 98765-4321"})).await;
    let address =
        json!({"parent_id": maria, "type": "delivery", "name": "Maria (loja)", "street": "Rua das Garças 9"});
    odoo.create("res.partner", &address).await.unwrap();
    write("crm.lead", lead, json!({"name": "Plano da Maria", "description": "<p>quer a zebra</p>"})).await;
    // Odoo tells the seller, by a message with the lead's name in it.
    write("crm.lead", lead, json!({"user_id": 2})).await;
    write("crm.lead", lead, json!({"user_id": odoo.seller})).await;
    for (model, id) in [("res.partner", maria), ("crm.lead", lead)] {
        let note = json!({"ids": [id], "body": "Pediu segunda via.", "message_type": "comment", "subtype_xmlid": "mail.mt_note"});
        odoo.call(&format!("{model}/message_post"), &note).await.unwrap();
        let link = json!({"name": "rec-9f1c", "type": "url", "url": "https://panel.example.invalid/rec/9f1c",
            "res_model": model, "res_id": id});
        odoo.create("ir.attachment", &link).await.unwrap();
        let todo = json!({"ids": [id], "act_type_xmlid": "mail.mail_activity_data_call", "summary": "Ligar para Maria"});
        odoo.call(&format!("{model}/activity_schedule"), &todo).await.unwrap();
    }
    let reply = json!({"ids": [lead], "body": "Aceito a zebra", "message_type": "email", "author_id": maria,
        "email_from": "Maria <maria.silva@example.com>"});
    odoo.call("crm.lead/message_post", &reply).await.unwrap();
    // What she wrote on somebody else's record.
    let reply = json!({"ids": [odoo.partners["João Souza"]], "body": "A girafa do João", "message_type": "email",
        "author_id": maria, "email_from": "Maria <maria.silva@example.com>"});
    odoo.call("res.partner/message_post", &reply).await.unwrap();
    let meeting = json!({"name": "Reunião com Maria", "start": "2027-01-04 12:00:00", "stop": "2027-01-04 13:00:00",
        "partner_ids": [[6, 0, [maria]]], "description": "<p>girafa</p>", "location": "Rua das Garças 7"});
    odoo.create("calendar.event", &meeting).await.unwrap();
    maria
}

fn kinds(records: &[RecordRef]) -> Vec<String> {
    let kinds: BTreeSet<&str> = records.iter().map(|record| record.kind.as_str()).collect();
    kinds.into_iter().map(str::to_owned).collect()
}

fn kept(receipt: &EraseReceipt) -> Vec<RecordRef> {
    receipt.kept.iter().map(|(record, _)| record.clone()).collect()
}

fn request(contact: i64, mode: EraseMode) -> EraseSubject {
    EraseSubject { contact: contact.to_string(), mode }
}

/// The traces that should not be there.
async fn reachable(odoo: &Odoo, texts: &[&str]) -> Vec<String> {
    let texts_in = |column: &str| {
        let each = texts.iter().map(|text| format!("strpos({column}, '{text}') > 0"));
        each.collect::<Vec<_>>().join(" OR ")
    };
    let messages = format!(
        "SELECT 'message ' || id AS place FROM mail_message \
         WHERE message_type <> 'user_notification' AND ({} OR {} OR {})",
        texts_in("body"),
        texts_in("subject"),
        texts_in("email_from")
    );
    let messages = odoo.rows(&messages).await.unwrap();
    let found = odoo.traces(texts).await.unwrap();
    found
        .into_iter()
        .filter(|place| !OUT_OF_REACH.contains(&place.as_str()))
        .chain(messages.iter().map(|row| row["place"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn an_export_has_all_and_an_erasure_leaves_only_what_the_receipt_names() {
    let odoo = odoo_or_skip!("an_export_has_all_and_an_erasure_leaves_only_what_the_receipt_names");
    let maria = maria(&odoo).await;
    let desk = Desk::odoo(&odoo).await;

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
        "res.partner: Nome: Maria da Silva",
        "res.partner: Telefone: (11) 98765-4321",
        "res.partner: E-mail: maria.silva@example.com",
        "res.partner: Documento: 111.444.777-35",
        "res.partner: Rua: Rua das Garças 7",
        "res.partner: Rua: Rua das Garças 9",
        "res.partner: Observações: <p>gosta de girafa</p>",
        "crm.lead: Título: Plano da Maria",
        "crm.lead: Nome: Maria da Silva",
        "crm.lead: Descrição: <p>quer a zebra</p>",
        "calendar.event: Título: Reunião com Maria",
        "mail.message: Texto: <span>Pediu segunda via.</span>",
        "mail.message: Texto: <span>A girafa do João</span>",
        "mail.activity: Resumo: Ligar para Maria",
        "ir.attachment: Link: https://panel.example.invalid/rec/9f1c",
    ] {
        assert!(lines.iter().any(|known| known == line), "no `{line}` in {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.ends_with(": false")), "Odoo's word for nothing: {lines:#?}");
    assert_eq!(held.iter().filter(|held| held.record.kind == "crm.lead").count(), 3, "won ones too");

    let stranger = json!({"name": "Sem cadastro", "phone": "(11) 98765-4321", "type": "lead"});
    let stranger = odoo.create("crm.lead", &stranger).await.unwrap();
    let receipt = desk.call(Purpose::SubjectRequest, request(maria, EraseMode::Erase)).await.unwrap();
    assert_eq!(kinds(&receipt.anonymised), ["calendar.event", "crm.lead", "res.partner.bank"]);
    assert_eq!(kinds(&receipt.removed), ["ir.attachment", "mail.activity", "mail.message", "res.partner"]);
    assert_eq!(kinds(&kept(&receipt)), ["crm.lead", "res.partner"]);
    assert!(
        receipt.kept.iter().any(|(_, why)| why.contains("administrator of Odoo")),
        "what no key reaches is said"
    );
    let (_, why) = receipt.kept.iter().find(|(record, _)| record.id == stranger.to_string()).unwrap();
    assert!(why.contains("somebody else's"), "{why}");
    odoo.call(
        "crm.lead/write",
        &json!({"ids": [stranger], "vals": {"phone": false}, "context": {"tracking_disable": true}}),
    )
    .await
    .unwrap();
    assert_eq!(reachable(&odoo, MARIAS).await, [""; 0]);
    let lead = format!(
        "SELECT name, partner_id, contact_name, phone, phone_sanitized, email_from, email_normalized, description \
         FROM crm_lead WHERE id = {}",
        odoo.leads["Plano anual"]
    );
    assert_eq!(
        odoo.rows(&lead).await.unwrap(),
        [
            json!({"name": "Anonimizado", "partner_id": null, "contact_name": null, "phone": null, "phone_sanitized": null,
            "email_from": null, "email_normalized": null, "description": null})
        ]
    );
    assert!(desk.who_is("+5511987654321").await.unwrap().is_empty());
    // Again, and of one that never was: nothing is left, and that is no error.
    for gone in [maria, 99_999] {
        let again = desk.call(Purpose::SubjectRequest, request(gone, EraseMode::Erase)).await.unwrap();
        assert_eq!((kinds(&again.removed), again.anonymised.len()), (vec!["res.partner".to_owned()], 0));
    }
    // The others are as they were.
    assert_eq!(desk.who_is("+5521912345678").await.unwrap(), ["João Souza"]);
    // Archived is not erased.
    let bruno = odoo.partners["Bruno Nunes"];
    desk.call(Purpose::SubjectRequest, request(bruno, EraseMode::Erase)).await.unwrap();
    assert_eq!(odoo.traces(&["Bruno", "95555"]).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn to_anonymise_keeps_the_records_and_removes_who_they_are_about() {
    let odoo = odoo_or_skip!("to_anonymise_keeps_the_records_and_removes_who_they_are_about");
    let maria = maria(&odoo).await;
    let desk = Desk::odoo(&odoo).await;
    let receipt = desk.call(Purpose::SubjectRequest, request(maria, EraseMode::Anonymise)).await.unwrap();
    assert_eq!(kinds(&receipt.anonymised), ["calendar.event", "crm.lead", "res.partner", "res.partner.bank"]);
    assert_eq!(reachable(&odoo, MARIAS).await, [""; 0], "and none was added by taking it away");
    let row = format!("SELECT name, phone, email, active FROM res_partner WHERE id = {maria}");
    assert_eq!(
        odoo.rows(&row).await.unwrap(),
        [json!({"name": "Anonimizado", "phone": null, "email": null, "active": true})]
    );

    // The trap: Odoo does not let go of the contact of a user. It is made anonymous instead, and the receipt says so.
    let paulo = odoo.rows("SELECT partner_id FROM res_users WHERE login = 'paulo'").await.unwrap();
    let paulo = paulo[0]["partner_id"].as_i64().unwrap();
    let receipt = desk.call(Purpose::SubjectRequest, request(paulo, EraseMode::Erase)).await.unwrap();
    assert_eq!(kinds(&receipt.anonymised), ["res.partner"]);
    assert!(receipt.kept.iter().any(|(record, why)| record.kind == "res.partner" && why.contains("a user")));
    let row = format!("SELECT name, email FROM res_partner WHERE id = {paulo}");
    assert_eq!(odoo.rows(&row).await.unwrap(), [json!({"name": "Anonimizado", "email": null})]);
}

#[tokio::test]
async fn an_erasure_that_broke_off_is_finished_by_the_next_try() {
    let odoo = odoo_or_skip!("an_erasure_that_broke_off_is_finished_by_the_next_try");
    let maria = maria(&odoo).await;
    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    let desk = Desk::odoo_at(&odoo, &proxy.origin, &grant(&proxy.origin)).await;
    let erase = async || desk.call(Purpose::SubjectRequest, request(maria, EraseMode::Erase)).await;
    for (part, weather) in [
        ("mail.message/unlink", Weather::Traceback),
        ("ir.attachment/unlink", Weather::BadGateway),
        ("crm.lead/write", Weather::LostAnswer),
        ("calendar.event/write", Weather::Reset),
        ("res.partner.bank/write", Weather::Truncated),
        ("res.partner/unlink", Weather::Broken),
    ] {
        proxy.turn_for(part, weather);
        let refusal = refused(erase().await);
        assert!(matches!(refusal, PluginError::Transient(_)), "{part} {weather:?}: {refusal}");
        let row = format!("SELECT name FROM res_partner WHERE id = {maria}");
        assert_eq!(odoo.rows(&row).await.unwrap().len(), 1, "{part} {weather:?}: it can still be found");
    }
    proxy.turn(Weather::Fair);
    erase().await.unwrap();
    assert_eq!(reachable(&odoo, MARIAS).await, [""; 0]);
}
