//! Calls and deliveries over HTTP, on a real database.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::support::*;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use ramal_center::*;
use ramal_channels::ChannelBoard;
use ramal_server::{AppParts, AppState, Inventory, Metrics, router};
use ramal_store::{SqliteSettings, SqliteStore};
use rstest::rstest;
use serde_json::json;

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
            plugins: BTreeMap::from([("practice".parse().unwrap(), JournalReach::LaterChanges.into())]),
            ..JournalRules::default()
        };
        center.set_journals(HashMap::from([("acme".parse().unwrap(), rules)]));
        let parts = AppParts {
            hooks: None,
            plugins: None,
            center,
            health: store.clone(),
            outbox: Some(store.clone()),
            credentials: None,
            channels: {
                let mut channels = ramal_server::ChannelDoors::default();
                channels.list(Inventory::new(&config(true), store.clone(), ChannelBoard::default()));
                channels
            },
            controls: ramal_server::CallControls::default(),
            queues: ramal_server::QueueBoards::default(),
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
        let rings = self.send(signed(ringing(&format!("{name}-1"), name))).await;
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
    put_bytes(path, body.to_string(), key)
}

fn put_bytes(path: &str, body: impl AsRef<[u8]>, key: &str) -> Request<Body> {
    let mut request = with_token(post(path, body));
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
async fn a_key_that_comes_again_for_something_else_is_refused_and_nothing_is_dropped() {
    let world = Durable::open().await;
    let (id, other) = (world.call("c1").await, world.call("c2").await);
    let notes = |id: &str| format!("/v1/interactions/{id}/notes");
    let disposition = format!("/v1/interactions/{id}/disposition");
    let first = json!({"notes": "wants the annual plan"});
    assert_eq!(world.send(put(&notes(&id), &first, "k1")).await.status, StatusCode::OK);
    for request in [
        put(&notes(&id), &json!({"notes": "wants nothing"}), "k1"),
        put(&disposition, &json!({"disposition": "wants the annual plan"}), "k1"),
        put(&notes(&other), &first, "k1"),
    ] {
        let reply = world.send(request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()["code"].as_str()),
            (409, Some("idempotency-key-reused")),
            "{}",
            reply.text
        );
    }
    let of = world.send(with_token(get(&format!("/v1/interactions/{id}")))).await.json();
    assert_eq!((&of["notes"], &of["disposition"]), (&json!("wants the annual plan"), &json!(null)));
    // Each under a key of its own.
    let said = world.send(put(&disposition, &json!({"disposition": "sold"}), "k2")).await;
    assert_eq!(said.json()["repeated"], json!(false));
    // The first one again is still the first one, also after it was written over.
    world.send(put(&notes(&id), &json!({"notes": "wants nothing"}), "k3")).await;
    assert_eq!(world.send(put(&notes(&id), &first, "k1")).await.json()["repeated"], json!(true));
}

#[rstest]
#[case::as_long_as_may_be(64 * 1024, 200)]
#[case::a_byte_more(64 * 1024 + 1, 422)]
#[case::more_than_is_read(600 * 1024, 413)]
#[tokio::test]
async fn notes_have_a_length(#[case] bytes: usize, #[case] status: u16) {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    // Written as JSON may write it, each letter takes six bytes; what is not read at all is plain.
    let text = if status == 413 { "a".repeat(bytes) } else { "\\u0061".repeat(bytes) };
    let body = format!(r#"{{"notes":"{text}"}}"#);
    let reply = world.send(put_bytes(&format!("/v1/interactions/{id}/notes"), &body, "k1")).await;
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
    let of = world.send(with_token(get(&format!("/v1/interactions/{id}")))).await.json();
    assert_eq!(of["notes"].as_str().map(str::len), (status == 200).then_some(bytes));
}

#[rstest]
#[case::event(|_: &str, body: Vec<u8>| signed(body), br#"{"event_id":"e9","call_id":"c9","type":"ringing","from":"98765?"}"#.to_vec())]
#[case::notes(|id: &str, body: Vec<u8>| put_bytes(&format!("/v1/interactions/{id}/notes"), body, "k1"), br#"{"notes":"98765?"}"#.to_vec())]
#[case::timeline(|_: &str, body: Vec<u8>| with_token(post("/v1/timeline", body)), br#"{"kind":"phone","value":"98765?"}"#.to_vec())]
#[tokio::test]
async fn what_is_no_utf_8_is_refused_and_leaves_nothing_behind(
    #[case] request: fn(&str, Vec<u8>) -> Request<Body>,
    #[case] mut body: Vec<u8>,
    #[values(&[0xff], &[0xc3], &[0xed, 0xa0, 0x80])] bad: &[u8],
) {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let at = body.iter().position(|byte| *byte == b'?').unwrap();
    body.splice(at..=at, bad.iter().copied());
    let reply = world.send(request(&id, body)).await;
    assert!(matches!(reply.status.as_u16(), 400 | 422), "{}: {}", reply.status, reply.text);
    assert!(matches!(reply.json()["code"].as_str(), Some("not-json" | "invalid")), "{}", reply.text);
    assert!(!reply.text.contains("98765"), "{}", reply.text);
    let list = world.send(with_token(get("/v1/interactions"))).await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let of = world.send(with_token(get(&format!("/v1/interactions/{id}")))).await.json();
    assert_eq!((&of["seq"], &of["notes"]), (&json!(3), &json!(null)));
}

#[tokio::test]
async fn deliveries_are_asked_for_by_their_states_and_in_pages() {
    let world = Durable::open().await;
    for number in 0..3 {
        world.call(&format!("c{number}")).await;
    }
    for (state, count) in [("open", 3), ("done", 0), ("dead", 0)] {
        let reply = world.send(with_token(get(&format!("/v1/deliveries?state={state}")))).await;
        assert_eq!(reply.json()["items"].as_array().map(Vec::len), Some(count), "{}", reply.text);
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/deliveries?limit=2".to_owned());
    loop {
        let page = world.send(with_token(get(&path))).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|d| d["id"].to_string()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/deliveries?limit=2&cursor={next}"),
            None => break,
        }
    }
    let all = seen.len();
    seen.dedup();
    assert_eq!((all, seen.len()), (3, 3));
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
    let nobody = json!({"kind": "phone", "value": "+551133330000"}).to_string();
    assert_eq!(world.send(with_token(post("/v1/timeline", &nobody))).await.json()["items"], json!([]));
}

#[rstest]
#[case::in_e164("+5511987654321")]
#[case::without_the_ninth_digit("+551187654321")]
#[case::as_it_is_dialled("(11) 8765-4321")]
#[tokio::test]
async fn both_forms_of_a_number_are_one_customer(#[case] asked: &str) {
    let world = Durable::open().await;
    let new = world.call("c1").await;
    let rings = r#"{"event_id":"c2-1","call_id":"c2","type":"ringing","from":"+551187654321"}"#;
    let old = world.send(signed(rings)).await.json()["interaction"].clone();
    let asked = json!({"kind": "phone", "value": asked}).to_string();
    let page = world.send(with_token(post("/v1/timeline", &asked))).await.json();
    let told: Vec<_> = page["items"].as_array().unwrap().iter().map(|i| &i["interaction"]).collect();
    assert_eq!(told, [&old, &json!(new)]);
    // The number as it was told stays to be seen.
    assert_eq!(page["items"][0]["from"]["e164"], "+551187654321");
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
#[case::timeline_of_no_number(
    with_token(post("/v1/timeline", r#"{"kind":"phone","value":"98765"}"#)),
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

#[tokio::test]
async fn a_call_leaves_as_a_vcon_and_the_channels_say_what_came_by_them() {
    let world = Durable::open().await;
    let id = world.call("c1").await;
    let path = format!("/v1/interactions/{id}/vcon");
    let made = world.send(with_token(get(&path))).await;
    assert_eq!((made.status, made.header("content-type")), (StatusCode::OK, "application/vcon"));
    let made = made.json();
    assert_eq!((&made["vcon"], &made["dialog"][0]["type"]), (&json!("0.4.0"), &json!("recording")));
    assert_eq!(made["parties"][0]["tel"], json!(format!("tel:{NUMBER}")));

    let mut other = get(&path);
    other.headers_mut().insert("authorization", format!("Bearer {OTHER_TOKEN}").parse().unwrap());
    let other = world.send(other).await;
    assert_eq!((other.status, &other.json()["code"]), (StatusCode::NOT_FOUND, &json!("not-found")));

    let channels = world.send(with_token(get("/v1/channels"))).await.json();
    let [pbx] = channels["items"].as_array().unwrap().as_slice() else { panic!("{channels}") };
    assert_eq!(
        (&pbx["channel"], &pbx["kind"], &pbx["active"], &pbx["health"]),
        (&json!("pbx"), &json!("events"), &json!(true), &json!("listening"))
    );
    assert_eq!(pbx["last_30_days"], json!({ "fixed": 1 }));
    assert!(pbx["first_event_at"].is_string() && pbx["silent_since"].is_null(), "{pbx}");
    assert!(pbx["collects"].as_array().unwrap().iter().any(|one| one["data"] == "number"), "{pbx}");
    assert_eq!(world.send(get("/v1/channels")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_waits_is_counted_where_alarms_look() {
    let w = Durable::open().await;
    let before = w.send(get("/metrics")).await.text;
    assert!(!before.contains("ramal_deliveries_kept{"), "{before}");
    w.call("c1").await;
    w.call("c2").await;
    let now = w.send(get("/metrics")).await.text;
    for line in [
        r#"ramal_deliveries_kept{target="plugin:practice",state="open"} 2"#,
        r#"ramal_deliveries_kept{target="plugin:practice",state="dead"} 0"#,
        r#"ramal_deliveries_paused{target="plugin:practice"} 0"#,
    ] {
        assert!(now.lines().any(|l| l == line), "{line}: {now}");
    }
}

#[rstest]
// It is on its way already; the delivery's key keeps it from being told twice.
#[case::what_is_not_told_yet(
    "practice",
    r#"{"from":"2020-01-01T00:00:00Z","until":"2100-01-01T00:00:00Z"}"#,
    200,
    r#"{"looked_at":1,"told":1,"next":null}"#
)]
#[case::another_period(
    "practice",
    r#"{"from":"2020-01-01T00:00:00Z","until":"2020-01-02T00:00:00Z"}"#,
    200,
    r#"{"looked_at":0,"told":0,"next":null}"#
)]
#[case::no_such_plugin(
    "tryton",
    r#"{"from":"2020-01-01T00:00:00Z","until":"2100-01-01T00:00:00Z"}"#,
    422,
    "keeps a journal"
)]
#[case::the_wrong_way_round(
    "practice",
    r#"{"from":"2100-01-01T00:00:00Z","until":"2020-01-01T00:00:00Z"}"#,
    422,
    "is not before"
)]
#[case::no_cursor(
    "practice",
    r#"{"from":"2020-01-01T00:00:00Z","until":"2100-01-01T00:00:00Z","cursor":"x"}"#,
    422,
    "not a cursor"
)]
#[case::no_period("practice", "{}", 422, "from")]
#[tokio::test]
async fn a_crm_is_told_what_it_missed(
    #[case] plugin: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] then: &str,
) {
    let w = Durable::open().await;
    w.call("c1").await;
    let reply = w.send(with_token(post(&format!("/v1/plugins/{plugin}/backfill"), body))).await;
    assert_eq!(reply.status, status, "{}", reply.text);
    assert!(reply.text.contains(then), "{}", reply.text);
    let open = w.send(with_token(get("/v1/deliveries?state=open"))).await.json();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
}
