//! From a call event to a receiver that verifies and reads it by itself: order, repetition, dead letters, rotation of
//! secrets, what leaves and what the ledger says of it.

use axum::http::StatusCode;
use ramal_server::{ServerConfig, open_store};
use ramal_store::{Backlog, DeliveryFilter, DeliveryState};
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::*;
use crate::{Host, config};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn with_webhook(folder: &tempfile::TempDir, receiver: &Receiver, more: &str) -> ServerConfig {
    let webhook = format!(
        "[[tenant.webhook]]\nid = \"erp\"\nurl = \"http://127.0.0.1:{}/in\"\nprivate = [\"127.0.0.0/8\"]\n\
         events = [\"started\", \"answered\", \"ended\"]\n{more}",
        receiver.port
    );
    config(folder.path(), "", &webhook)
}

impl Host {
    /// One call, from its first ring to its end.
    async fn call(&self, name: &str) {
        let rest = [
            r#""type":"answered","agent":"Bruna CANARY (invented)""#,
            r#""type":"ended","cause":"completed""#,
        ];
        let more = (2..)
            .zip(rest)
            .map(|(number, rest)| format!(r#"{{"event_id":"{name}-{number}","call_id":"{name}",{rest}}}"#));
        for told in [ringing(&format!("{name}-1"), name)].into_iter().chain(more) {
            let reply = answer(&self.http, signed(&told)).await;
            assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
        }
    }

    async fn ask(&self, path: &str) -> Value {
        answer(&self.http, with_token(get(path))).await.json()
    }
}

/// What was left of the deliveries when the host was stopped.
async fn left(config: &ServerConfig) -> (Vec<DeliveryState>, Vec<Backlog>) {
    let store = open_store(config).await.unwrap();
    let acme = "acme".parse().unwrap();
    let all = store.deliveries(&acme, &DeliveryFilter::default(), None, 99).await.unwrap();
    let backlog = store.backlog(&acme).await.unwrap();
    store.close().await.unwrap();
    (all.iter().map(|delivery| delivery.state).collect(), backlog)
}

fn kind(told: &Value) -> &str {
    told["event"]["type"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_of_a_call_arrives_verified_in_order_and_without_anything_personal() {
    let test = "each event arrives verified";
    let Some(mut receiver) = Receiver::start(test, KEY, &["500", "503:0", "429:0"]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = with_webhook(&folder, &receiver, &format!("secret = \"{KEY}\""));
    let host = Host::start(&config).await;
    host.call("c1").await;
    let mut told = Vec::new();
    for _ in 0..6 {
        let next = receiver.next().await;
        assert_eq!(next["verified"], json!(true), "{next}");
        for canary in ["98765", "CANARY", "pbx"] {
            assert!(!next.to_string().contains(canary), "{next}");
        }
        told.push(next);
    }
    // Three tries of the first, all the same to the receiver; the others wait for it.
    let kinds: Vec<&str> = told.iter().map(kind).collect();
    let [started, answered, ended] =
        ["started", "answered", "ended"].map(|w| format!("dev.ramal.interaction.{w}.v1"));
    assert_eq!(kinds, [&started, &started, &started, &started, &answered, &ended]);
    let of_first = |field: &str| told[..4].iter().all(|try_| try_[field] == told[0][field]);
    assert!(of_first("id") && of_first("event") && of_first("data"));
    assert_ne!(told[0]["id"], told[4]["id"]);
    assert_eq!(told[0]["type"], "application/cloudevents+json");
    let event = &told[5]["event"];
    assert_eq!((&event["specversion"], &event["source"]), (&json!("1.0"), &json!("urn:ramal:tenant:acme")));
    let data = &told[5]["data"];
    assert_eq!(
        (&data["seq"], &data["state"], &data["cause"]),
        (&json!(3), &json!("ended"), &json!("completed"))
    );
    assert_eq!(data["interaction"], event["subject"]);

    let webhooks = host.ask("/v1/webhooks").await;
    assert_eq!((&webhooks[0]["id"], &webhooks[0]["include_personal"]), (&json!("erp"), &json!(false)));
    let backlog = host.ask("/v1/deliveries/backlog").await;
    assert_eq!(backlog[0]["target"], webhooks[0]["target"]);
    host.composed.close().await.unwrap();
    assert_eq!(left(&config).await.0, [DeliveryState::Done; 3]);
    let ledger = std::fs::read_to_string(folder.path().join("data/disclosures.jsonl")).unwrap();
    assert_eq!(ledger, "", "nothing personal left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_goes_along_where_the_configuration_says_so_and_the_ledger_has_each_delivery() {
    let Some(mut receiver) = Receiver::start("personal data in a webhook", KEY, &[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = with_webhook(&folder, &receiver, &format!("secret = \"{KEY}\"\ninclude-personal = true"));
    let host = Host::start(&config).await;
    host.call("c1").await;
    receiver.next().await;
    receiver.next().await;
    let ended = receiver.next().await;
    assert_eq!(ended["data"]["personal"]["from"], NUMBER);
    assert_eq!(ended["data"]["personal"]["agent"], "Bruna CANARY (invented)");
    host.composed.close().await.unwrap();
    let ledger = std::fs::read_to_string(folder.path().join("data/disclosures.jsonl")).unwrap();
    let rows: Vec<Value> = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3, "{ledger}");
    for row in &rows {
        assert_eq!(
            (&row["webhook"], &row["purpose"], &row["status"]),
            (&json!("erp"), &json!("journal"), &json!(204))
        );
        assert_eq!(row["subject"], rows[0]["subject"]);
        assert!(row["classes"]["contact.phone"].as_u64() > Some(0));
    }
    assert!(!ledger.contains("98765") && !ledger.contains("CANARY"), "{ledger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_has_not_changed_its_secret_yet_still_verifies() {
    let Some(mut receiver) = Receiver::start("a rotated secret", OTHER, &[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let secrets = format!("secret = \"{KEY}\"\nprevious-secret = \"{OTHER}\"");
    let host = Host::start(&with_webhook(&folder, &receiver, &secrets)).await;
    host.call("c1").await;
    assert_eq!(receiver.next().await["verified"], json!(true));
    host.composed.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_refuses_is_a_dead_letter_and_goes_out_again_under_the_same_identifier() {
    let Some(mut receiver) = Receiver::start("a dead letter of a webhook", KEY, &["422"]).await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let config = with_webhook(&folder, &receiver, &format!("secret = \"{KEY}\""));
    let host = Host::start(&config).await;
    host.call("c1").await;
    let refused = receiver.next().await;
    // The next of the lane goes out when the first is given up.
    assert_ne!(receiver.next().await["id"], refused["id"]);
    receiver.next().await;
    let dead = host.ask("/v1/deliveries?state=dead").await;
    assert_eq!(dead["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&dead["items"][0]["step"], &dead["items"][0]["failure"]["code"]),
        (&json!("event:1"), &json!("refused"))
    );
    let replay = format!("/v1/deliveries/{}/replay", dead["items"][0]["id"].as_str().unwrap());
    let reply = answer(&host.http, with_token(post(&replay, ""))).await;
    assert_eq!(reply.json()["replayed"], 1, "{}", reply.text);
    let again = receiver.next().await;
    assert_eq!((&again["id"], &again["event"]["id"]), (&refused["id"], &refused["event"]["id"]));
    host.composed.close().await.unwrap();
    assert_eq!(left(&config).await.0, [DeliveryState::Done; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_a_dead_letter_that_says_so() {
    let Some(mut receiver) = Receiver::start("a wrong secret", OTHER, &[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(&with_webhook(&folder, &receiver, &format!("secret = \"{KEY}\""))).await;
    host.call("c1").await;
    for _ in 0..2 {
        assert_eq!(receiver.next().await["verified"], json!(false));
    }
    let dead = host.ask("/v1/deliveries?state=dead").await;
    let text = dead["items"][0]["failure"]["text"].as_str().unwrap();
    assert!(text.contains("a wrong secret is the usual cause of 401"), "{text}");
    host.composed.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_gets_nothing_more_until_a_person_acts() {
    let Some(mut receiver) = Receiver::start("a receiver that is gone", KEY, &["410"]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = with_webhook(&folder, &receiver, &format!("secret = \"{KEY}\""));
    let host = Host::start(&config).await;
    host.call("c1").await;
    let first = receiver.next().await;
    host.composed.close().await.unwrap();
    let (states, backlog) = left(&config).await;
    assert_eq!(states, [DeliveryState::Open; 3]);
    assert_eq!(backlog[0].paused.as_ref().unwrap().reason.code, "gone");
    // Each start tries once more.
    let host = Host::start(&config).await;
    assert_eq!(receiver.next().await["id"], first["id"]);
    receiver.next().await;
    receiver.next().await;
    host.composed.close().await.unwrap();
    assert_eq!(left(&config).await.0, [DeliveryState::Done; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_inside_the_network_that_nobody_named_is_not_asked() {
    let Some(receiver) = Receiver::start("an address inside the network", KEY, &[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let webhook = format!(
        "[[tenant.webhook]]\nid = \"erp\"\nurl = \"https://127.0.0.1:{}/in\"\nsecret = \"{KEY}\"\n",
        receiver.port
    );
    let config = config(folder.path(), "", &webhook);
    let host = Host::start(&config).await;
    host.call("c1").await;
    // Asks until the pause is there: nothing else tells of what did not happen.
    let paused = loop {
        let backlog = host.ask("/v1/deliveries/backlog").await;
        if backlog[0]["paused"].is_object() {
            break backlog[0]["paused"].clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(paused["code"], "address");
    assert!(paused["text"].as_str().unwrap().contains("loopback"), "{paused}");
    host.composed.close().await.unwrap();
}
