//! A call is written down once, and added to.

use ramal_capability::Purpose;
use ramal_engine::{
    AmendJournal, CallDirection, CallOutcome, JournalEntry, PluginError, RecordRef, WriteJournal,
};
use ramal_tests::odoo::Odoo;
use ramal_tests::odoo_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};
use serde_json::json;

use super::desk::{Desk, odoo_or_skip, refused};

const KEY: &str = "0191a5f2-7f3a-7000-8000-00000000c001";

pub(crate) fn entry(contact: Option<i64>) -> JournalEntry {
    JournalEntry {
        idempotency_key: KEY.into(),
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
        notes: Some("pediu \"o\" <b>preço</b> & desconto\nvolta na 2ª".into()),
        transcript: None,
        recording: None,
        about: None,
    }
}

/// The entries on a record, as they stand in the rows, the oldest first. What Odoo itself writes into a chatter is none.
pub(crate) async fn entries(odoo: &Odoo, model: &str, record: i64) -> Vec<String> {
    let query = format!(
        "SELECT body FROM mail_message WHERE model = '{model}' AND res_id = {record} AND message_type = 'comment' ORDER BY id"
    );
    let rows = odoo.rows(&query).await.unwrap();
    rows.iter().map(|row| row["body"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_call_is_written_once_however_often_it_is_delivered() {
    let odoo = odoo_or_skip!("a_call_is_written_once_however_often_it_is_delivered");
    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    let desk = Desk::odoo_at(&odoo, &proxy.origin, &grant(&proxy.origin)).await;
    let joao = odoo.partners["João Souza"];
    let write = async |entry| desk.call(Purpose::Journal, WriteJournal { entry }).await;

    // The trap: Odoo has written it and the answer is an error.
    proxy.turn_for("message_post", Weather::Traceback);
    assert_eq!(
        refused(write(entry(Some(joao))).await),
        PluginError::Transient("the CRM answered 500".into())
    );
    assert_eq!(entries(&odoo, "res.partner", joao).await.len(), 1);
    proxy.turn(Weather::Fair);
    let first = write(entry(Some(joao))).await.unwrap();
    let again = write(entry(Some(joao))).await.unwrap();
    assert_eq!((first.kind.as_str(), &first.id), ("mail.message", &again.id));
    assert_eq!(first.url.as_deref(), Some(&*format!("{}/odoo/res.partner/{joao}", proxy.origin)));
    assert_eq!(
        entries(&odoo, "res.partner", joao).await,
        [
            "<span>Chamada recebida, atendida, 2 min 23 s<br>\nInício: 2026-11-23T17:40:00Z<br>\nNúmero: +5511987654321<br>\n\
          Atendente: Bia Inventada<br>\nFila: Vendas<br>\n\
          Anotações: pediu \"o\" &lt;b&gt;preço&lt;/b&gt; &amp; desconto<br>\nvolta na 2ª</span>"
        ],
        "what an agent typed is text and not markup"
    );
    // Somebody tidies the whole text up: still the same entry.
    let tidy =
        json!({"ids": [first.id.parse::<i64>().unwrap()], "vals": {"body": "<p>Ligou, quer desconto.</p>"}});
    odoo.call("mail.message/write", &tidy).await.unwrap();
    assert_eq!(write(entry(Some(joao))).await.unwrap().id, first.id);
    // Another call of the same person, whose key begins like that of the first.
    let other = JournalEntry { idempotency_key: KEY[..KEY.len() - 1].into(), ..entry(Some(joao)) };
    assert_ne!(write(other).await.unwrap().id, first.id);
    assert_eq!(entries(&odoo, "res.partner", joao).await.len(), 2);
    assert!(!odoo.log().contains("98765"), "a number is in the server's log");
    // A note stays inside: nobody was sent an e-mail.
    let mails = format!("SELECT id FROM mail_mail WHERE mail_message_id = {}", first.id);
    assert!(odoo.rows(&mails).await.unwrap().is_empty());

    // On the deal where no contact is known; a contact that is gone, and nothing at all, are refused.
    let deal = odoo.leads["Plano anual"];
    let about = Some(RecordRef { kind: "deal".into(), id: deal.to_string(), url: None });
    write(JournalEntry { about, ..entry(None) }).await.unwrap();
    assert_eq!(entries(&odoo, "crm.lead", deal).await.len(), 1);
    assert!(matches!(refused(write(entry(None)).await), PluginError::Invalid(_)));
    assert_eq!(refused(write(entry(Some(99_999))).await), PluginError::NotFound);
}

#[tokio::test]
async fn what_is_known_later_goes_under_what_a_person_made_of_the_entry() {
    let odoo = odoo_or_skip!("what_is_known_later_goes_under_what_a_person_made_of_the_entry");
    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    let desk = Desk::odoo_at(&odoo, &proxy.origin, &grant(&proxy.origin)).await;
    let joao = odoo.partners["João Souza"];
    let first = JournalEntry { notes: None, ..entry(Some(joao)) };
    let record = desk.call(Purpose::Journal, WriteJournal { entry: first }).await.unwrap();
    let id: i64 = record.id.parse().unwrap();
    let human = async |body: &str| {
        odoo.call("mail.message/write", &json!({"ids": [id], "vals": {"body": body}})).await.unwrap();
    };
    human("<p>João pediu <i>dois</i> aparelhos.</p>").await;

    let later = JournalEntry {
        idempotency_key: "0191a5f2-7f3a-7000-8000-00000000c002".into(),
        disposition: Some("Venda".into()),
        recording: Some("https://panel.example.invalid/rec/9f1c?a=1&lt=2".into()),
        notes: Some("1 < 2".into()),
        ..entry(Some(joao))
    };
    let amend = async || {
        let (record, entry) = (record.clone(), later.clone());
        desk.call(Purpose::Journal, AmendJournal { record, entry }).await
    };
    // Odoo has it and the answer is an error: the next try adds nothing.
    proxy.turn_for("mail.message/write", Weather::Traceback);
    assert!(matches!(refused(amend().await), PluginError::Transient(_)));
    proxy.turn(Weather::Fair);
    assert_eq!(amend().await.unwrap().id, record.id);
    let body = "<p>João pediu <i>dois</i> aparelhos.</p><p>Chamada recebida, atendida, 2 min 23 s (complemento)<br>\n\
        Resultado: Venda<br>\nGravação: https://panel.example.invalid/rec/9f1c?a=1&amp;lt=2<br>\nAnotações: 1 &lt; 2<br>\n\
        [ramal:0191a5f2-7f3a-7000-8000-00000000c002]</p>";
    assert_eq!(entries(&odoo, "res.partner", joao).await, [body]);

    // Odoo's page deletes a message by emptying it. What a person removed stays removed.
    human("").await;
    assert_eq!(refused(amend().await), PluginError::NotFound);
    odoo.call("mail.message/unlink", &json!({"ids": [id]})).await.unwrap();
    assert_eq!(refused(amend().await), PluginError::NotFound);
    assert!(entries(&odoo, "res.partner", joao).await.is_empty());
}
