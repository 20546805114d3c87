//! What is held on somebody, and that it is gone afterwards: from the rows of the database, not from what is shown.

use ramal_capability::Purpose;
use ramal_engine::{EraseMode, EraseSubject, ExportSubject, PluginError, RecordRef};
use ramal_tests::bottlecrm::BottleCrm;
use ramal_tests::bottlecrm_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};
use serde_json::{Value, json};

use super::desk::{Desk, bottlecrm_or_skip, refused};

/// What is Maria's alone. Somebody of another company on the same server has her number.
const MARIAS: &[&str] =
    &["Maria", "(11) 98765-4321", "Ligou de", "maria.silva", "zebra", "girafa", "rg-m.pdf", "Oficina"];

/// Maria, with everything that BottleCRM can hold on somebody. Her name was saved by a person once more, so it is in the
/// list of activities.
async fn maria(bottlecrm: &BottleCrm) -> String {
    let maria = bottlecrm.contacts["Maria da Silva"].clone();
    let call = async |method: &str, path: &str, body: Value| {
        let (status, answer) = bottlecrm.rest(method, path, Some(&body)).await.unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    };
    let page = format!("/contacts/{maria}/");
    call("PATCH", &page, json!({"description": "só à tarde, diz a girafa", "city": "Cidade da Maria"})).await;
    call("POST", &page, json!({"comment": "Maria quer a zebra"})).await;
    let own =
        json!({"kind": "call", "contact": maria, "subject": "Ligou de +5511987654321", "body": "a zebra"});
    call("POST", "/interactions/", own).await;
    let lead = json!({"title": "Lead da Maria", "first_name": "Maria", "last_name": "da Silva", "status": "assigned",
        "phone": "(11) 98765-4321", "email": "maria.silva@example.com"});
    let lead = call("POST", "/leads/", lead).await["id"].as_str().unwrap().to_owned();
    call("POST", &format!("/leads/{lead}/"), json!({"comment": "Maria, a da zebra"})).await;
    // What no call makes: an entry of the lead that is in the contact's timeline too, a file, an invoice.
    let contact = "SELECT id FROM django_content_type WHERE app_label = 'contacts' AND model = 'contact'";
    bottlecrm
        .execute(&format!(
            "INSERT INTO interaction (id, created_at, updated_at, org_id, kind, direction, occurred_at, duration_estimated, \
             outcome, subject, body, participants, home, lead_id, contact_id, origin, external_id, logged_by_id) \
             SELECT gen_random_uuid(), now(), now(), org_id, 'call', 'inbound', now(), false, '', 'Maria ligou', 'zebra', \
             '[]', 'lead', '{lead}', '{maria}', 'manual', '', logged_by_id FROM interaction LIMIT 1;
             INSERT INTO attachments (id, created_at, updated_at, object_id, file_name, attachment, content_type_id, org_id) \
             SELECT gen_random_uuid(), now(), now(), id, 'rg-m.pdf', 'attachments/rg-m.pdf', ({contact}), org_id \
             FROM contacts WHERE id = '{maria}';"
        ))
        .await
        .unwrap();
    maria
}

fn kinds(records: &[RecordRef]) -> Vec<&str> {
    let mut kinds: Vec<&str> = records.iter().map(|record| record.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds
}

fn kept(receipt: &ramal_engine::EraseReceipt) -> Vec<&str> {
    let mut kinds: Vec<&str> = receipt.kept.iter().map(|(record, _)| record.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn erase(contact: &str, mode: EraseMode) -> EraseSubject {
    EraseSubject { contact: contact.to_owned(), mode }
}

#[tokio::test]
async fn an_export_has_everything_that_is_held() {
    let bottlecrm = bottlecrm_or_skip!("an_export_has_everything_that_is_held");
    let contact = maria(&bottlecrm).await;
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let held = desk.call(Purpose::SubjectRequest, ExportSubject { contact }).await.unwrap();
    let lines: Vec<String> = held
        .iter()
        .flat_map(|held| {
            held.fields
                .iter()
                .map(|(label, value)| format!("{}: {label}: {}", held.record.kind, value.value.expose()))
        })
        .collect();
    for line in [
        "contact: Nome: Maria da Silva",
        "contact: Telefone: (11) 98765-4321",
        "contact: E-mail: maria.silva@example.com",
        "contact: Empresa: Oficina Inventada",
        "contact: Cidade: Cidade da Maria",
        "contact: Anotações: só à tarde, diz a girafa",
        "comment: Texto: Maria quer a zebra",
        "comment: Texto: Maria, a da zebra",
        "attachment: Nome: rg-m.pdf",
        "interaction: Assunto: Ligou de +5511987654321",
        "interaction: Assunto: Maria ligou",
        "lead: Título: Lead da Maria",
        "opportunity: Valor: BRL 480.5",
        "case: Nome: Fatura antiga",
    ] {
        assert!(lines.iter().any(|known| known == line), "no `{line}` in {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.contains("Sérgio")), "{lines:#?}");
}

#[tokio::test]
async fn an_erasure_leaves_only_what_the_receipt_names_and_again_does_no_harm() {
    let bottlecrm =
        bottlecrm_or_skip!("an_erasure_leaves_only_what_the_receipt_names_and_again_does_no_harm");
    let contact = maria(&bottlecrm).await;
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let ask = || erase(&contact, EraseMode::Erase);
    let receipt = desk.call(Purpose::SubjectRequest, ask()).await.unwrap();
    assert_eq!(
        bottlecrm.traces(MARIAS).await.unwrap(),
        ["activity.entity_name"],
        "all else is gone from the rows"
    );
    let last = "SELECT entity_name FROM activity WHERE action = 'DELETE' ORDER BY created_at";
    let names: Vec<_> =
        bottlecrm.rows(last).await.unwrap().into_iter().map(|row| row["entity_name"].clone()).collect();
    assert_eq!(names, ["Anonimizado", "Anonimizado LGPD"], "the deletion itself names nobody");
    assert_eq!(
        kinds(&receipt.removed),
        ["attachment", "comment", "comment", "contact", "interaction", "interaction", "lead"]
    );
    assert_eq!(kept(&receipt), ["activity", "case", "file", "invoice", "opportunity"]);
    assert!(desk.who_is("+5511987654321").await.unwrap().is_empty());

    let again = desk.call(Purpose::SubjectRequest, ask()).await.unwrap();
    assert_eq!(kinds(&again.removed), ["contact"]);
    // The others are as they were.
    assert_eq!(desk.who_is("+5521987654321").await.unwrap(), ["Sérgio Prado"]);
    let rest = bottlecrm.rows("SELECT first_name FROM contacts").await.unwrap();
    assert_eq!(rest.len(), bottlecrm.contacts.len(), "all but Maria, and Olga of the other company");
}

#[tokio::test]
async fn made_anonymous_the_contact_stays_and_says_nothing() {
    let bottlecrm = bottlecrm_or_skip!("made_anonymous_the_contact_stays_and_says_nothing");
    let contact = maria(&bottlecrm).await;
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let receipt = desk.call(Purpose::SubjectRequest, erase(&contact, EraseMode::Anonymise)).await.unwrap();
    assert_eq!(bottlecrm.traces(MARIAS).await.unwrap(), ["activity.entity_name"]);
    assert_eq!(kinds(&receipt.removed), ["attachment", "comment", "comment"]);
    let query = format!("SELECT first_name, last_name, phone FROM contacts WHERE id = '{contact}'");
    assert_eq!(
        bottlecrm.rows(&query).await.unwrap(),
        [json!({"first_name": "Anonimizado", "last_name": "LGPD", "phone": ""})]
    );
    let deals = bottlecrm.rows("SELECT id FROM opportunity_contacts").await.unwrap();
    assert_eq!(deals.len(), 4, "the deals are still somebody's");
    assert!(desk.who_is("+5511987654321").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_erasure_that_broke_off_is_finished_by_the_next_try() {
    let bottlecrm = bottlecrm_or_skip!("an_erasure_that_broke_off_is_finished_by_the_next_try");
    let contact = maria(&bottlecrm).await;
    let proxy = Proxy::before(&bottlecrm.origin).await.unwrap();
    let desk = Desk::bottlecrm_at(&bottlecrm, &proxy.origin, &grant(&proxy.origin)).await;
    // In turn: before anything, after the lead, after a comment whose deletion was not confirmed, before the contact.
    for (part, weather) in [
        ("PATCH /api/leads/", Weather::Broken),
        ("DELETE /api/leads/", Weather::LostAnswer),
        ("DELETE /api/contacts/comment/", Weather::BrokenAfter),
        ("DELETE /api/contacts/attachment/", Weather::BadGateway),
        ("PATCH /api/contacts/", Weather::BrokenAfter),
    ] {
        proxy.turn_for(part, weather);
        let refusal = refused(desk.call(Purpose::SubjectRequest, erase(&contact, EraseMode::Erase)).await);
        assert!(matches!(refusal, PluginError::Transient(_)), "{part} {weather:?}: {refusal}");
    }
    proxy.turn(Weather::Fair);
    desk.call(Purpose::SubjectRequest, erase(&contact, EraseMode::Erase)).await.unwrap();
    assert_eq!(bottlecrm.traces(MARIAS).await.unwrap(), ["activity.entity_name"]);
}

#[tokio::test]
async fn a_member_who_may_not_delete_and_another_company_leave_everything_untouched() {
    let mut bottlecrm =
        bottlecrm_or_skip!("a_member_who_may_not_delete_and_another_company_leave_everything_untouched");
    let contact = bottlecrm.contacts["Maria da Silva"].clone();
    let done = "SELECT count(*) AS changes FROM activity";
    let before = (bottlecrm.traces(MARIAS).await.unwrap(), bottlecrm.rows(done).await.unwrap());
    for (token, ends) in [("seller", "denied"), ("rival", "gone")] {
        bottlecrm.token = bottlecrm.tokens[token].clone();
        let desk = Desk::bottlecrm(&bottlecrm).await;
        let outcome = desk.call(Purpose::SubjectRequest, erase(&contact, EraseMode::Erase)).await;
        if ends == "denied" {
            let refusal = refused(outcome);
            assert!(
                matches!(&refusal, PluginError::Denied(text) if text.contains("administrator")),
                "{refusal}"
            );
        } else {
            // To another company she is not there.
            assert_eq!(kinds(&outcome.unwrap().removed), ["contact"]);
        }
    }
    assert_eq!((bottlecrm.traces(MARIAS).await.unwrap(), bottlecrm.rows(done).await.unwrap()), before);
}
