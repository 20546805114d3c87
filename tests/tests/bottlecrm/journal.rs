//! A call is written down once, and added to.

use ramal_capability::Purpose;
use ramal_engine::{
    AmendJournal, CallDirection, CallOutcome, JournalEntry, PluginError, RecordRef, WriteJournal,
};
use ramal_tests::bottlecrm::BottleCrm;
use ramal_tests::bottlecrm_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};
use serde_json::{Value, json};

use super::desk::{Desk, bottlecrm_or_skip, refused};

const KEY: &str = "0191a5f2-7f3a-7000-8000-00000000c001";
const LATER: &str = "0191a5f2-7f3a-7000-8000-00000000c002";

pub(super) fn entry(contact: &str) -> JournalEntry {
    JournalEntry {
        idempotency_key: KEY.into(),
        contact: Some(contact.to_owned()),
        channel: "mobile".into(),
        direction: CallDirection::Inbound,
        outcome: CallOutcome::Answered,
        counterpart: Some("+5511987654321".into()),
        agent: Some("Bia Inventada".into()),
        queue: Some("Vendas".into()),
        // The call's own milliseconds make room for the mark.
        started: 1_795_455_600_789,
        answered: Some(1_795_455_607_000),
        ended: Some(1_795_455_750_000),
        disposition: None,
        notes: Some("pediu \"o\" preço\ne volta na 2ª".into()),
        transcript: None,
        recording: None,
        about: None,
    }
}

/// Every entry in the database, the first one first.
pub(super) async fn entries(bottlecrm: &BottleCrm) -> Vec<Value> {
    let columns = "id, kind, direction, outcome, duration_seconds, subject, body, contact_id, opportunity_id, case_id, \
                   date_trunc('second', occurred_at AT TIME ZONE 'UTC') AS second";
    bottlecrm.rows(&format!("SELECT {columns} FROM interaction ORDER BY created_at")).await.unwrap()
}

#[tokio::test]
async fn a_call_is_written_once_however_often_it_is_delivered() {
    let bottlecrm = bottlecrm_or_skip!("a_call_is_written_once_however_often_it_is_delivered");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let joao = bottlecrm.contacts["João Souza"].clone();
    let write = async |entry| desk.call(Purpose::Journal, WriteJournal { entry }).await;
    let first = write(entry(&joao)).await.unwrap();
    let again = write(entry(&joao)).await.unwrap();
    assert_eq!((first.kind.as_str(), &first.id), ("interaction", &again.id));
    assert_eq!(
        entries(&bottlecrm).await,
        [json!({"id": first.id, "kind": "call", "direction": "inbound", "outcome": "connected",
            "duration_seconds": 143, "subject": "Chamada recebida", "contact_id": joao, "opportunity_id": null,
            "case_id": null, "second": "2026-11-23T17:40:00",
            "body": format!("Número: +5511987654321\nFila: Vendas\nAtendente: Bia Inventada\n\
                Anotações: pediu \"o\" preço\ne volta na 2ª\n[ramal:{KEY}]")})]
    );
    // Another call of the same person in the same second.
    let other = write(JournalEntry { idempotency_key: LATER.into(), ..entry(&joao) }).await.unwrap();
    assert_ne!(other.id, first.id);
    assert_eq!(entries(&bottlecrm).await.len(), 2);
    assert!(!bottlecrm.log().contains("98765"), "a number is in the server's log");

    // Nobody, one of another company, and no contact at all wait for a person.
    for contact in [&bottlecrm.nobody, &bottlecrm.rival, "17"] {
        let refusal = refused(write(entry(contact)).await);
        assert!(matches!(refusal, PluginError::Invalid(_)), "{refusal}");
    }
    let refusal = refused(write(JournalEntry { contact: None, ..entry(&joao) }).await);
    assert!(matches!(refusal, PluginError::Invalid(_)), "{refusal}");
    assert_eq!(entries(&bottlecrm).await.len(), 2);
}

#[tokio::test]
async fn a_500_after_the_entry_was_saved_makes_no_second_one() {
    let bottlecrm = bottlecrm_or_skip!("a_500_after_the_entry_was_saved_makes_no_second_one");
    let proxy = Proxy::before(&bottlecrm.origin).await.unwrap();
    let desk = Desk::bottlecrm_at(&bottlecrm, &proxy.origin, &grant(&proxy.origin)).await;
    let joao = bottlecrm.contacts["João Souza"].clone();
    let write = async || desk.call(Purpose::Journal, WriteJournal { entry: entry(&joao) }).await;
    proxy.turn_for("POST /api/interactions/", Weather::BrokenAfter);
    let refusal = refused(write().await);
    assert!(matches!(refusal, PluginError::Transient(_)), "{refusal}");
    assert_eq!(entries(&bottlecrm).await.len(), 1, "it was saved");
    proxy.turn(Weather::Fair);
    let record = write().await.unwrap();

    let later =
        JournalEntry { idempotency_key: LATER.into(), disposition: Some("Venda".into()), ..entry(&joao) };
    let amend = async || {
        let (record, entry) = (record.clone(), later.clone());
        desk.call(Purpose::Journal, AmendJournal { record, entry }).await
    };
    proxy.turn_for("PATCH /api/interactions/", Weather::BrokenAfter);
    let refusal = refused(amend().await);
    assert!(matches!(refusal, PluginError::Transient(_)), "{refusal}");
    proxy.turn(Weather::Fair);
    amend().await.unwrap();
    let all = entries(&bottlecrm).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["body"].as_str().unwrap().matches("Resultado: Venda").count(), 1, "{all:?}");
}

#[tokio::test]
async fn what_is_known_later_is_added_and_a_persons_edit_stays() {
    let bottlecrm = bottlecrm_or_skip!("what_is_known_later_is_added_and_a_persons_edit_stays");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let joao = bottlecrm.contacts["João Souza"].clone();
    // While the call is not over.
    let open = JournalEntry { answered: None, ended: None, outcome: CallOutcome::Failed, ..entry(&joao) };
    let record = desk.call(Purpose::Journal, WriteJournal { entry: open }).await.unwrap();
    let all = entries(&bottlecrm).await;
    assert_eq!((&all[0]["duration_seconds"], &all[0]["outcome"]), (&Value::Null, &json!("")));

    let path = format!("/interactions/{}/", record.id);
    let human = json!({"body": "a zebra é do João", "subject": "Ligação do João", "occurred_at": "2026-11-23T17:45:00Z"});
    assert_eq!(bottlecrm.rest("PATCH", &path, Some(&human)).await.unwrap().0, 200);

    let later = JournalEntry {
        idempotency_key: LATER.into(),
        disposition: Some("Venda".into()),
        recording: Some("https://panel.example.invalid/rec/9f1c".into()),
        ..entry(&joao)
    };
    let amend = async |entry: &JournalEntry| {
        let (record, entry) = (record.clone(), entry.clone());
        desk.call(Purpose::Journal, AmendJournal { record, entry }).await
    };
    assert_eq!(amend(&later).await.unwrap().id, record.id);
    let added = entries(&bottlecrm).await;
    let body = added[0]["body"].as_str().unwrap();
    assert!(body.starts_with("a zebra é do João\n\nComplemento: Chamada recebida\nAtendente: "), "{body}");
    assert!(
        body.contains("\nResultado: Venda\nGravação: https://panel.example.invalid/rec/9f1c\n"),
        "{body}"
    );
    assert_eq!(
        (&added[0]["subject"], &added[0]["second"], &added[0]["duration_seconds"], &added[0]["outcome"]),
        (&json!("Ligação do João"), &json!("2026-11-23T17:45:00"), &json!(143), &json!("connected")),
        "a person's words and time stay, what was empty is filled in"
    );
    amend(&later).await.unwrap();
    assert_eq!(entries(&bottlecrm).await, added, "a repetition adds nothing");

    // A length that stands there is not overwritten.
    let longer = JournalEntry {
        idempotency_key: "0191a5f2-7f3a-7000-8000-00000000c003".into(),
        ended: Some(1_795_459_999_000),
        ..entry(&joao)
    };
    amend(&longer).await.unwrap();
    assert_eq!(entries(&bottlecrm).await[0]["duration_seconds"], 143);

    assert_eq!(bottlecrm.rest("DELETE", &path, None).await.unwrap().0, 204);
    assert_eq!(refused(amend(&later).await), PluginError::NotFound, "what a person removed stays removed");
}

#[tokio::test]
async fn a_transcript_that_is_too_long_is_left_out_and_the_call_is_not() {
    let bottlecrm = bottlecrm_or_skip!("a_transcript_that_is_too_long_is_left_out_and_the_call_is_not");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let long = Some("girafa ".repeat(2_000).as_str().into());
    let entry = JournalEntry {
        transcript: long,
        channel: "whatsapp".into(),
        ..entry(&bottlecrm.contacts["João Souza"])
    };
    desk.call(Purpose::Journal, WriteJournal { entry }).await.unwrap();
    let all = entries(&bottlecrm).await;
    assert_eq!((all.len(), &all[0]["kind"], &all[0]["outcome"]), (1, &json!("whatsapp"), &json!("")));
    assert!(!all[0]["body"].as_str().unwrap().contains("girafa"));
}

#[tokio::test]
async fn a_call_about_a_deal_of_nobody_needs_the_deals_scope() {
    let bottlecrm = bottlecrm_or_skip!("a_call_about_a_deal_of_nobody_needs_the_deals_scope");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let deals = bottlecrm.rows("SELECT id FROM opportunity ORDER BY created_at").await.unwrap();
    let id = deals[0]["id"].as_str().unwrap().to_owned();
    let about = Some(RecordRef { kind: "deal".into(), id, url: None });
    let entry = JournalEntry { about, contact: None, ..entry("17") };
    let refusal = refused(desk.call(Purpose::Journal, WriteJournal { entry }).await);
    assert!(
        matches!(&refusal, PluginError::Denied(text) if text.contains("opportunities:read")),
        "{refusal}"
    );
}
