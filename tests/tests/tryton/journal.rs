//! A call is written down once, and added to.

use ramal_capability::Purpose;
use ramal_engine::{
    AmendJournal, CallDirection, CallOutcome, JournalEntry, PluginError, RecordRef, WriteJournal,
};
use ramal_tests::tryton::Tryton;
use serde_json::json;

use super::desk::{Desk, refused, tryton_or_skip};

pub(crate) fn entry(contact: Option<i64>) -> JournalEntry {
    JournalEntry {
        idempotency_key: "0191a5f2-7f3a-7000-8000-00000000c001".into(),
        contact: contact.map(|id| id.to_string()),
        channel: "mobile".into(),
        direction: CallDirection::Inbound,
        outcome: CallOutcome::Answered,
        counterpart: Some("+5511987654321".into()),
        agent: Some("Bia Inventada".into()),
        queue: Some("Vendas".into()),
        started: 1_795_455_600_000,
        answered: Some(1_795_455_607_000),
        ended: Some(1_795_455_750_000),
        disposition: None,
        notes: Some("pediu \"o\" preço\ne volta na 2ª".into()),
        transcript: None,
        recording: None,
        about: None,
    }
}

pub(super) async fn notes(tryton: &Tryton, party: i64) -> Vec<String> {
    tryton.party(party).await.unwrap().notes.into_iter().map(|note| note.message).collect()
}

#[tokio::test]
async fn a_call_is_written_once_however_often_it_is_delivered() {
    let tryton = tryton_or_skip!("a_call_is_written_once_however_often_it_is_delivered");
    let desk = Desk::tryton(&tryton).await;
    let joao = tryton.parties["João Souza"];
    let write = async |entry| desk.call(Purpose::Journal, WriteJournal { entry }).await.unwrap();
    let first = write(entry(Some(joao))).await;
    let again = write(entry(Some(joao))).await;
    assert_eq!((first.kind.as_str(), &first.id), ("ir.note", &again.id));
    let key = "0191a5f2-7f3a-7000-8000-00000000c001";
    assert_eq!(
        notes(&tryton, joao).await,
        [format!(
            "Chamada recebida, atendida, 2 min 23 s\nInício: 2026-11-23T17:40:00Z\nNúmero: +5511987654321\n\
             Atendente: Bia Inventada\nFila: Vendas\nAnotações: pediu \"o\" preço\ne volta na 2ª\n[ramal:{key}]"
        )]
    );
    // Another call of the same person, whose key begins like that of the first.
    let other =
        JournalEntry { idempotency_key: "0191a5f2-7f3a-7000-8000-00000000c00".into(), ..entry(Some(joao)) };
    assert_ne!(write(other).await.id, first.id);
    assert_eq!(notes(&tryton, joao).await.len(), 2);
    assert!(!tryton.log().contains("98765"), "a number is in the server's log");
}

#[tokio::test]
async fn what_is_known_later_is_added_and_what_a_person_removed_stays_removed() {
    let tryton = tryton_or_skip!("what_is_known_later_is_added_and_what_a_person_removed_stays_removed");
    let desk = Desk::tryton(&tryton).await;
    let joao = tryton.parties["João Souza"];
    let record = desk.call(Purpose::Journal, WriteJournal { entry: entry(Some(joao)) }).await.unwrap();
    let later = JournalEntry {
        idempotency_key: "0191a5f2-7f3a-7000-8000-00000000c002".into(),
        disposition: Some("Venda".into()),
        recording: Some("https://panel.example.invalid/rec/9f1c".into()),
        ..entry(Some(joao))
    };
    let amend = async || {
        let (record, entry) = (record.clone(), later.clone());
        desk.call(Purpose::Journal, AmendJournal { record, entry }).await
    };
    let added = amend().await.unwrap();
    assert_eq!(amend().await.unwrap().id, added.id, "a repetition adds nothing");
    let notes = notes(&tryton, joao).await;
    assert_eq!(notes.len(), 2);
    assert!(notes[1].starts_with("Chamada recebida, atendida, 2 min 23 s (complemento)\n"), "{}", notes[1]);
    assert!(notes[1].contains("\nResultado: Venda\n"), "{}", notes[1]);
    assert!(notes[1].contains("\nGravação: https://panel.example.invalid/rec/9f1c\n"), "{}", notes[1]);

    let id: i64 = record.id.parse().unwrap();
    tryton.rpc("model.ir.note.delete", json!([[id], {}])).await.unwrap();
    assert_eq!(refused(amend().await), PluginError::NotFound);
}

#[tokio::test]
async fn a_call_about_a_deal_of_nobody_is_written_on_the_deal() {
    let tryton = tryton_or_skip!("a_call_about_a_deal_of_nobody_is_written_on_the_deal");
    let desk = Desk::tryton(&tryton).await;
    let maria = tryton.parties["Maria da Silva"];
    let deal = tryton.party(maria).await.unwrap().opportunities[0].id;
    let about = Some(RecordRef { kind: "deal".into(), id: deal.to_string(), url: None });
    desk.call(Purpose::Journal, WriteJournal { entry: JournalEntry { about, ..entry(None) } }).await.unwrap();
    let party = tryton.party(maria).await.unwrap();
    assert_eq!((party.notes.len(), party.opportunities[0].notes.len()), (2, 1));

    let refusal = refused(desk.call(Purpose::Journal, WriteJournal { entry: entry(None) }).await);
    assert!(matches!(refusal, PluginError::Invalid(_)), "{refusal}");
    let refusal = refused(desk.call(Purpose::Journal, WriteJournal { entry: entry(Some(9999)) }).await);
    assert!(matches!(refusal, PluginError::Invalid(_)), "{refusal}");
}
