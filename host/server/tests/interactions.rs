//! Calls and deliveries over HTTP, on a real database.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ramal_center::*;
use ramal_server::{AppParts, AppState, Metrics, router};
use ramal_store::{SqliteSettings, SqliteStore};
use rstest::rstest;
use serde_json::json;
use support::*;

/// What is said of calls goes to the outbox of a CRM that nobody delivers to.
struct Durable {
    http: axum::Router,
    _folder: tempfile::TempDir,
}

impl Durable {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Arc::new(SqliteStore::open(&SqliteSettings::new(folder.path().join("r.db"))).await.unwrap());
        let metrics = Metrics::new();
        let center = Center::new(CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(metrics.clone()),
            clock: Arc::new(SystemClock),
            settings: CenterSettings::default(),
        });
        let crms: Vec<Arc<dyn Directory>> = vec![Arc::new(Broken("practice".parse().unwrap()))];
        center.set_directories(HashMap::from([("acme".parse().unwrap(), crms)]));
        let rules = JournalRules {
            plugins: BTreeMap::from([("practice".parse().unwrap(), JournalReach::LaterChanges)]),
            ..JournalRules::default()
        };
        center.set_journals(HashMap::from([("acme".parse().unwrap(), rules)]));
        let parts = AppParts {
            hooks: None,
            center,
            health: store.clone(),
            outbox: Some(store),
            credentials: None,
            metrics,
            practice_numbers: vec![],
        };
        let state = AppState::new(&config(true), parts).unwrap();
        Self { http: router(state), _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        answer(&self.http, request).await
    }

    /// One call that was answered and is over.
    async fn call(&self, name: &str) -> String {
        let rings = self.send(signed(&ringing(&format!("{name}-1"), name))).await;
        assert_eq!(rings.status, StatusCode::ACCEPTED, "{}", rings.text);
        for (number, rest) in
            [(2, r#""type":"answered","agent":"Bruna""#), (3, r#""type":"ended","cause":"completed""#)]
        {
            let told = format!(r#"{{"event_id":"{name}-{number}","call_id":"{name}",{rest}}}"#);
            assert_eq!(self.send(signed(&told)).await.status, StatusCode::ACCEPTED);
        }
        rings.json()["interaction"].as_str().unwrap().to_owned()
    }
}

fn put(path: &str, body: &serde_json::Value, key: &str) -> Request<Body> {
    let mut request = with_token(post(path, &body.to_string()));
    *request.method_mut() = axum::http::Method::PUT;
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

#[tokio::test]
async fn a_call_is_listed_and_its_history_says_who_did_what() {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let list = world.send(with_token(get("/v1/interactions?state=ended&channel=fixed"))).await.json();
    assert_eq!(list["items"][0]["interaction"], json!(id));
    assert_eq!(list["items"][0]["from"]["e164"], NUMBER);
    assert_eq!(list["next"], json!(null));

    let history = world.send(with_token(get(&format!("/v1/interactions/{id}/events")))).await.json();
    let told: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (e["seq"].as_u64().unwrap(), e["actor"].as_str().unwrap(), e["what"]["event"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [(1, "source:pbx", "started.1"), (2, "source:pbx", "answered.1"), (3, "source:pbx", "ended.1")]
    );
    let rest = world.send(with_token(get(&format!("/v1/interactions/{id}/events?after=2")))).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_follow_one_another_without_a_gap() {
    let world = Durable::open().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(world.call(&format!("c{number}")).await);
    }
    ids.reverse();
    let (mut seen, mut path) = (Vec::new(), "/v1/interactions?limit=2".to_owned());
    loop {
        let page = world.send(with_token(get(&path))).await.json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|i| i["interaction"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/interactions?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn a_note_is_written_once_for_one_key_and_the_crm_is_told() {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let path = format!("/v1/interactions/{id}/notes");
    let body = json!({"notes": "wants the annual plan"});
    let first = world.send(put(&path, &body, "k1")).await;
    assert_eq!(
        (first.status, first.json()["repeated"].as_bool()),
        (StatusCode::OK, Some(false)),
        "{}",
        first.text
    );
    let again = world.send(put(&path, &body, "k1")).await;
    assert_eq!(again.json()["repeated"], json!(true));
    let of = world.send(with_token(get(&format!("/v1/interactions/{id}")))).await.json();
    assert_eq!((&of["notes"], &of["seq"]), (&json!("wants the annual plan"), &json!(4)));
    let last = world.send(with_token(get(&format!("/v1/interactions/{id}/events?after=3")))).await.json();
    assert_eq!(last["items"][0]["actor"], json!("user:panel"));

    let open =
        world.send(with_token(get(&format!("/v1/deliveries?state=open&interaction={id}")))).await.json();
    let steps: Vec<_> =
        open["items"].as_array().unwrap().iter().map(|d| d["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["amend:4", "journal"]);
    assert!(!open.to_string().contains("annual plan"), "a delivery does not say what it tells");
    let backlog = world.send(with_token(get("/v1/deliveries/backlog"))).await.json();
    assert_eq!((&backlog[0]["target"], &backlog[0]["open"]), (&json!("plugin:practice"), &json!(2)));
}

#[tokio::test]
async fn who_speaks_with_a_customer_says_which_contact_it_is_and_the_crm_is_told() {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let path = format!("/v1/interactions/{id}/contact");
    let body = json!({"plugin": "practice", "contact": "22", "url": "https://crm.example/contacts/22"});
    let first = world.send(put(&path, &body, "k1")).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let again = world.send(put(&path, &body, "k1")).await;
    assert_eq!(again.json()["repeated"], json!(true));
    let history = world.send(with_token(get(&format!("/v1/interactions/{id}/events?after=3")))).await.json();
    let chosen: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["actor"] == json!("user:panel"))
        .map(|e| (e["what"]["event"].as_str().unwrap(), e["what"]["id"].as_str().unwrap()))
        .collect();
    assert_eq!(chosen, [("crm-linked.1", "22")]);
}

#[rstest]
#[case::no_such_plugin(json!({"plugin": "nobody", "contact": "22"}))]
#[case::no_web_page(json!({"plugin": "practice", "contact": "22", "url": "javascript:alert(1)"}))]
#[case::no_plugin_name(json!({"plugin": "Prac tice", "contact": "22"}))]
#[case::nobody(json!({"plugin": "practice"}))]
#[tokio::test]
async fn a_contact_that_cannot_be_chosen_is_refused(#[case] body: serde_json::Value) {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let reply = world.send(put(&format!("/v1/interactions/{id}/contact"), &body, "k1")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()["code"].as_str()),
        (422, Some("invalid")),
        "{}",
        reply.text
    );
    assert!(!reply.json()["hint"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_customers_timeline_is_asked_for_without_the_number_in_the_address() {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let asked = json!({"kind": "phone", "value": NUMBER}).to_string();
    let page = world.send(with_token(post("/v1/timeline", &asked))).await.json();
    assert_eq!(page["items"][0]["interaction"], json!(id));
    let nobody = json!({"kind": "phone", "value": "+551100000000"}).to_string();
    assert_eq!(world.send(with_token(post("/v1/timeline", &nobody))).await.json()["items"], json!([]));
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_it() {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let theirs = |mut request: Request<Body>| {
        request.headers_mut().insert("authorization", format!("Bearer {OTHER_TOKEN}").parse().unwrap());
        request
    };
    assert_eq!(world.send(theirs(get("/v1/interactions"))).await.json()["items"], json!([]));
    assert_eq!(world.send(theirs(get("/v1/deliveries"))).await.json()["items"], json!([]));
    for path in [format!("/v1/interactions/{id}"), format!("/v1/interactions/{id}/events")] {
        assert_eq!(world.send(theirs(get(&path))).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let note = put(&format!("/v1/interactions/{id}/notes"), &json!({"notes": "theirs"}), "k1");
    assert_eq!(world.send(theirs(note)).await.status, StatusCode::NOT_FOUND);
    let asked = json!({"kind": "phone", "value": NUMBER}).to_string();
    assert_eq!(world.send(theirs(post("/v1/timeline", &asked))).await.json()["items"], json!([]));
}

#[rstest]
#[case::state(with_token(get("/v1/interactions?state=gone")), 400, "bad-query")]
#[case::cursor(with_token(get("/v1/interactions?cursor=7")), 400, "bad-query")]
#[case::time(with_token(get("/v1/interactions?from=yesterday")), 400, "bad-query")]
#[case::limit(with_token(get("/v1/interactions?limit=201")), 400, "bad-query")]
#[case::no_token(get("/v1/interactions"), 401, "unauthorized")]
#[case::no_token_for_deliveries(get("/v1/deliveries"), 401, "unauthorized")]
#[case::target(with_token(get("/v1/deliveries?target=tryton")), 400, "bad-query")]
#[case::replay_of_nothing(
    with_token(post("/v1/deliveries/0191a5f2-7f3a-7000-8000-000000000001/replay", "{}")),
    404,
    "not-found"
)]
#[case::replay_of_no_target(
    with_token(post("/v1/deliveries/replay", r#"{"target":"tryton"}"#)),
    422,
    "invalid"
)]
#[case::timeline_of_what(
    with_token(post("/v1/timeline", r#"{"kind":"fax","value":"+5511987654321"}"#)),
    422,
    "invalid"
)]
#[case::notes_without_any(put("/v1/interactions/0191a5f2-7f3a-7000-8000-000000000001/notes", &json!({}), "k"), 422, "invalid")]
#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_that_was_sent_is_repeated(
    #[case] request: Request<Body>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let reply = Durable::open().await.send(request).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()["code"].as_str()),
        (status, Some(code)),
        "{}",
        reply.text
    );
    assert!(!reply.text.contains("98765"), "{}", reply.text);
}
