//! From a call at the exchange to the card on the panel: the whole host, a signed event over HTTP, a real Tryton, and
//! the row that the ledger keeps of it.

use std::fs;

use ramal_tests::tryton::Tryton;
use ramal_tests::tryton_plugin::{TENANT, grant, secrets, settings};
use serde_json::{Value, json};

use super::desk::tryton_or_skip;
use crate::composed::{PluginFiles, Setup, Whole};

/// The files of a plugin for a Tryton that is reached at an origin.
pub(super) fn files(tryton: &Tryton, origin: &str) -> PluginFiles {
    PluginFiles::of(TENANT, "tryton", secrets(tryton), grant(origin), &settings(tryton, origin))
}

/// A Tryton that was just started takes longer for its first answers than a card may take.
pub(super) async fn warm(tryton: &Tryton) {
    for model in ["party.party", "sale.opportunity"] {
        let (status, _) = tryton.rest("GET", &format!("{model}/1"), None).await.unwrap();
        assert!((200..500).contains(&status), "{model}: {status}");
    }
}

fn rings(call: &str, from: &str) -> Value {
    json!({"event_id": format!("{call}-1"), "call_id": call, "type": "ringing", "from": from, "queue": "Sales"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_at_the_exchange_becomes_the_card_of_the_customer() {
    let tryton = tryton_or_skip!("a_call_at_the_exchange_becomes_the_card_of_the_customer");
    let setup = Setup { tenant: TENANT, more: String::new(), plugins: vec![files(&tryton, &tryton.origin)] };
    let host = Whole::start(&setup).await;
    warm(&tryton).await;
    let mut live = host.live().await;

    let (status, answer) = host.event(&rings("c-1", "+5511987654321")).await;
    assert_eq!(status, 202, "{answer}");
    let call = live.next(&["call"]).await;
    assert_eq!((&call["call_id"], &call["from"]["e164"]), (&json!("c-1"), &json!("+5511987654321")));
    let card = live.next(&["card", "card-none", "card-failed"]).await;
    assert_eq!(card["interaction"], call["interaction"], "{card}");
    assert_eq!((&card["plugin"], &card["cached"]), (&json!("tryton"), &json!(false)));

    let [maria] = card["cards"].as_array().unwrap().as_slice() else { panic!("{card}") };
    let page = |model: &str, id: &Value| {
        json!(format!("{}/#crm/model/{model}/{}", tryton.origin, id.as_str().unwrap()))
    };
    assert_eq!(maria["id"], tryton.parties["Maria da Silva"].to_string());
    assert_eq!(maria["url"], page("party.party", &maria["id"]));
    let told = |key: &str| maria[key].clone();
    assert_eq!(told("name"), "Maria da Silva");
    assert_eq!(told("phones"), json!(["+55 11 98765-4321"]));
    assert_eq!(told("emails"), json!(["maria.silva@example.com"]));
    // Tryton's parties have neither a company of theirs nor somebody who looks after them; its opportunities do.
    assert_eq!((told("organization"), told("owner")), (Value::Null, Value::Null));
    let deals = maria["deals"].as_array().unwrap();
    let line = |deal: &Value| ["title", "stage", "amount", "owner"].map(|key| deal[key].clone());
    assert_eq!(
        deals.iter().map(line).collect::<Vec<_>>(),
        [
            ["Segunda linha", "opportunity", "BRL 480.50", "Vendedora Exemplo"].map(Value::from),
            ["Plano anual", "lead", "BRL 1200.00", "Vendedora Exemplo"].map(Value::from),
        ]
    );
    for deal in deals {
        assert_eq!(deal["url"], page("sale.opportunity", &deal["id"]));
    }
    // Beside the card stands what the plugin could see of it: nothing in clear.
    let seen = card["seen"].as_array().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen["level"] == "sealed"), "{card}");

    // The event again is the same event, and costs no second look-up.
    assert_eq!(host.event(&rings("c-1", "+5511987654321")).await.0, 200);

    let ledger = fs::read_to_string(host.folder.path().join("data/disclosures.jsonl")).unwrap();
    // The questions for changes, which the host asks by itself, are no part of the call.
    let mut rows = host.end().await;
    rows.retain(|row| row["purpose"] != "sync");
    let routes: Vec<&str> = rows.iter().map(|row| row["route"].as_str().unwrap()).collect();
    assert_eq!(routes, ["find-by-phone", "opportunities"]);
    for row in &rows {
        assert_eq!((&row["tenant"], &row["plugin"]), (&json!(TENANT), &json!("tryton")));
        assert_eq!((&row["purpose"], &row["interaction"]), (&json!("screen-pop"), &call["interaction"]));
        assert_eq!((&row["outcome"], &row["status"]), (&json!("sent-answered"), &json!(200)), "{row}");
    }
    for value in ["98765", "Maria", "maria.silva", "Segunda linha", "480.50"] {
        assert!(!ledger.contains(value), "{value} is in the ledger: {ledger}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_in_the_crm_and_a_crm_that_refuses_are_told_apart() {
    let tryton = tryton_or_skip!("who_is_not_in_the_crm_and_a_crm_that_refuses_are_told_apart");
    let mut files = files(&tryton, &tryton.origin);
    let setup = |files| Setup { tenant: TENANT, more: String::new(), plugins: vec![files] };
    warm(&tryton).await;
    let known = Whole::start(&setup(files.clone())).await;
    let mut live = known.live().await;
    assert_eq!(known.event(&rings("c-1", "+5511900000000")).await.0, 202);
    let none = live.next(&["card", "card-none", "card-failed"]).await;
    assert_eq!((&none["cards"], &none["plugin"]), (&json!([]), &json!("tryton")), "{none}");
    drop(live);
    known.end().await;

    files.credentials = files.credentials.replace(&tryton.key, "a-made-up-key-that-opens-nothing");
    let refused = Whole::start(&setup(files)).await;
    let mut live = refused.live().await;
    assert_eq!(refused.event(&rings("c-1", "+5511987654321")).await.0, 202);
    let failed = live.next(&["card", "card-none", "card-failed"]).await;
    assert_eq!(
        (&failed["plugin"], &failed["reason"]),
        (&json!("tryton"), &json!("auth-expired")),
        "{failed}"
    );
    drop(live);
    refused.end().await;
}
