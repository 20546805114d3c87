//! A call that a CRM can hang on nobody, and what becomes of it when somebody says whose it is: the same road for every
//! CRM whose entries stand on a record.

use serde_json::{Value, json};

use super::{PATIENCE, PluginFiles, Setup, Whole};

/// A customer whom the CRM knows.
pub(crate) struct Known<'a> {
    /// The CRM's identifier.
    pub(crate) id: String,
    pub(crate) number: &'a str,
}

/// Whom nobody knows.
const STRANGER: &str = "+5511900000000";

/// A stranger calls and is told nowhere; when their contact is chosen the account goes out once with what is known by
/// then, and what comes later is added to it. A customer's call is told at once. `entries` are those that the CRM has on
/// the customer.
pub(crate) async fn calls(
    plugin: &str,
    tenant: &str,
    files: PluginFiles,
    customer: Known<'_>,
    entries: impl AsyncFn() -> Vec<String>,
) {
    let host = Whole::start(&Setup { tenant, more: String::new(), plugins: vec![files] }).await;
    assert_eq!(entries().await, Vec::<String>::new(), "nobody called so far");

    let stranger = rings(&host, "c-1", STRANGER).await;
    ends(&host, "c-1").await;
    assert_eq!(journal(&host, &stranger).await, [("journal".to_owned(), "withheld".to_owned())]);
    put(&host, &format!("{stranger}/notes"), &json!({"notes": "first note (invented)"})).await;
    // The CRM is asked whose the number is, and told nothing; nothing is dead.
    settled(&host, &stranger).await;
    assert_eq!(deliveries(&host, &stranger).await, [("match".to_owned(), "done".to_owned())]);
    assert_eq!(entries().await, Vec::<String>::new());

    let chosen = json!({"plugin": plugin, "contact": customer.id});
    put(&host, &format!("{stranger}/contact"), &chosen).await;
    written(&host, &stranger, "journal").await;
    let [entry] = &*entries().await else { panic!("one entry") };
    assert!(entry.contains("first note (invented)") && entry.contains(STRANGER), "{entry}");

    put(&host, &format!("{stranger}/notes"), &json!({"notes": "second note (invented)"})).await;
    settled(&host, &stranger).await;
    let [entry] = &*entries().await else { panic!("still one entry") };
    assert!(entry.contains("second note (invented)"), "{entry}");
    assert_eq!(deliveries(&host, &stranger).await.len(), 3);

    let known = rings(&host, "c-2", customer.number).await;
    ends(&host, "c-2").await;
    written(&host, &known, "journal").await;
    assert_eq!(entries().await.len(), 2);
    host.end().await;
}

/// Nobody is found while it rings; by the time that the account is due, `meanwhile` has happened, and the customer is
/// found.
pub(crate) async fn known_later(
    tenant: &str,
    files: PluginFiles,
    number: &str,
    meanwhile: impl AsyncFnOnce(&Whole),
) {
    let host = Whole::start(&Setup { tenant, more: String::new(), plugins: vec![files] }).await;
    let interaction = rings(&host, "c-1", number).await;
    ends(&host, "c-1").await;
    meanwhile(&host).await;
    written(&host, &interaction, "journal").await;
    let found = host.ask(&format!("GET /v1/interactions/{interaction}/events"), "").await;
    let rule = json!({"kind": "rule", "id": "only-match"});
    assert!(found["items"].as_array().unwrap().iter().any(|event| event["cause"] == rule), "{found}");
    host.end().await;
}

/// Its identifier, when the CRM has answered.
async fn rings(host: &Whole, id: &str, from: &str) -> String {
    let mut live = host.live().await;
    let rings = json!({"event_id": format!("{id}-1"), "call_id": id, "type": "ringing", "from": from, "queue": "Sales"});
    assert_eq!(host.event(&rings).await.0, 202);
    // Otherwise the contact comes after the end, which is another road.
    let card = live.next(&["card", "card-none", "card-failed"]).await;
    card["interaction"].as_str().unwrap().to_owned()
}

/// Nobody took it.
async fn ends(host: &Whole, id: &str) {
    let ends = json!({"event_id": format!("{id}-2"), "call_id": id, "type": "ended", "cause": "missed"});
    assert_eq!(host.event(&ends).await.0, 202);
}

async fn put(host: &Whole, what: &str, body: &Value) {
    let head = format!("PUT /v1/interactions/{what}");
    let (status, answer) = host.exchange(&head, &[], &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
}

/// What the history keeps: steps and their results.
async fn journal(host: &Whole, interaction: &str) -> Vec<(String, String)> {
    let found = host.ask(&format!("GET /v1/interactions/{interaction}"), "").await;
    pairs(&found["journal"], "step", "result")
}

/// Step and state of each delivery.
async fn deliveries(host: &Whole, interaction: &str) -> Vec<(String, String)> {
    let found = host.ask(&format!("GET /v1/deliveries?interaction={interaction}"), "").await;
    pairs(&found["items"], "step", "state")
}

fn pairs(of: &Value, first: &str, second: &str) -> Vec<(String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_else(|| panic!("{one}")).to_owned();
    of.as_array().unwrap().iter().map(|one| (text(one, first), text(one, second))).collect()
}

/// Until nothing of it waits.
async fn settled(host: &Whole, interaction: &str) {
    let until =
        async { while deliveries(host, interaction).await.iter().any(|(_, state)| state == "open") {} };
    tokio::time::timeout(PATIENCE, until).await.expect("something still waits");
}

/// Until the CRM was told.
async fn written(host: &Whole, interaction: &str, step: &str) {
    let until = async {
        loop {
            let told = journal(host, interaction).await;
            match told.iter().find(|(known, _)| known == step) {
                Some((_, result)) if result == "written" => break,
                Some((_, result)) if result == "dead" => panic!("it was given up: {told:?}"),
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, until).await.unwrap_or_else(|_| panic!("{step} was not written"));
}
