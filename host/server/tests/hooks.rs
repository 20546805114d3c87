//! What CRMs send: proved, cut down, stored once, and nothing else. All people and secrets are invented.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use ramal_capability::{Clear, Digest, Grant, Manifest, Plan};
use ramal_center::*;
use ramal_egress::{Secret, StaticCredentials};
use ramal_server::{AppParts, AppState, HookDoors, Metrics, PlanNow, ServerConfig, router};
use ramal_store::{InboundOrder, InboundStore, LeasedHook, SqliteSettings, SqliteStore, Store};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;

const SECRET: &str = "the-secret-of-the-hook-0123456789";
const ADDRESS: &str = "/v1/hooks/acme-crm/changes/acme";

const MANIFEST: &str = r#"
[plugin]
id = "acme-crm"
version = "0.1.0"
name = "Acme CRM (made up)"
vendor = "Ramal"
interface = "0.1"
verification = "docs-only"
dedup = "none"
purposes = ["sync"]
provides = ["events.handle"]
uses = []

[ask."contact.phone"]
from-crm = "sealed"
reason = "to be told a number to dial"

[[credential]]
id = "hook"
kind = "hook"
label = "Secret"
[[credential]]
id = "address"
kind = "hook"
label = "Secret address"
[[credential]]
id = "none"
kind = "hook"
label = "Never stored"

[[hook]]
id = "changes"
reason = "contacts that change"
credential = "hook"
verify = "hmac-sha256"
signature = { header = "X-Signature", encoding = "hex", prefix = "sha256=", signed = "{time}.{body}" }
time = { header = "X-Time" }
max-bytes = 1000
header."X-Event" = "enum(changed|deleted)"
receive."/contact/id" = "id"
receive."/contact/phone" = "contact.phone"

[[hook]]
id = "named"
reason = "each delivery has a name"
credential = "hook"
verify = "hmac-sha256"
signature = { header = "X-Signature", encoding = "hex", signed = "{id}{body}" }
delivery-id = "X-Delivery"
receive."/contact/id" = "id"

[[hook]]
id = "secret"
reason = "for a CRM that cannot sign"
credential = "address"
verify = "path-secret"
receive."/contact/id" = "id"

[[hook]]
id = "unready"
reason = "nobody stored its secret"
credential = "none"
verify = "hmac-sha256"
signature = { header = "X-Signature", encoding = "hex" }

[[hook]]
id = "spare"
reason = "not granted"
credential = "hook"
verify = "path-secret"
"#;

const GRANT: &str = r#"
[grant]
tenant = "acme"
plugin = "acme-crm"
digest = "any"
revision = 1
approved-by = "ana@example.invalid"
approved-at = "2026-01-01"
expires = "2027-12-31"
reason = "tests"
purposes = ["sync"]
routes = []
hooks = ["changes", "named", "secret", "unready"]
[classes]
"contact.phone" = { from-crm = "sealed" }
"#;

struct World {
    router: Router,
    store: Arc<SqliteStore>,
    _dir: tempfile::TempDir,
}

async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&SqliteSettings::new(dir.path().join("ramal.db"))).await.unwrap();
    let store = Arc::new(store);
    let manifest = Manifest::parse("plugin.toml", MANIFEST).unwrap_or_else(|e| panic!("{e}"));
    let grant = Grant::parse("grant.toml", GRANT).unwrap();
    let plan = Arc::new(Plan::compile(&manifest, Digest([1; 32]), &grant, &json!({})).unwrap());
    let key = (grant.tenant.clone(), grant.plugin.clone());
    let secret = |text: &str| Secret::new([("secret", text)]);
    let secrets = StaticCredentials::new()
        .with(&key.0, &key.1, &"hook".parse().unwrap(), secret(SECRET))
        .with(&key.0, &key.1, &"address".parse().unwrap(), secret(SECRET));
    let now: PlanNow = Arc::new(move || Arc::clone(&plan));
    let hooks = HookDoors {
        store: store.clone(),
        secrets: Arc::new(secrets),
        bell: HearingBell::default(),
        plans: HashMap::from([(key, now)]),
    };
    let metrics = Metrics::new();
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(metrics.clone()),
        clock: Arc::new(SystemClock),
        settings: CenterSettings::default(),
    });
    let parts = AppParts {
        center,
        health: store.clone(),
        outbox: None,
        credentials: None,
        hooks: Some(hooks),
        plugins: None,
        channels: ramal_server::ChannelDoors::default(),
        controls: ramal_server::CallControls::default(),
        queues: ramal_server::QueueBoards::default(),
        metrics,
        practice_numbers: Vec::new(),
    };
    let config = "data = \"data\"\n[[tenant]]\nid = \"acme\"\n[[tenant.token]]\nid = \"panel\"\n\
                  token = \"token-of-acme-0123456789abcdef0123\"\n";
    let config = ServerConfig::parse(config, Path::new("ramal.toml"), Path::new("/nowhere")).unwrap();
    World { router: router(AppState::new(&config, parts).unwrap()), store, _dir: dir }
}

impl World {
    async fn post(&self, address: &str, headers: &[(&str, String)], body: &[u8]) -> (StatusCode, Value) {
        let mut request = Request::post(address).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, bytes) = (response.status(), response.into_body().collect().await.unwrap().to_bytes());
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn stored(&self) -> Vec<LeasedHook> {
        let order = InboundOrder {
            tenant: "acme".parse().unwrap(),
            plugin: "acme-crm".parse().unwrap(),
            now: Timestamp::now(),
            until: Timestamp::now(),
        };
        self.store.lease_hooks(&order, 99).await.unwrap()
    }
}

fn hex(message: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    data_encoding::HEXLOWER.encode(hmac::sign(&key, message).as_ref())
}

fn signed(seconds_ago: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let time = (Timestamp::now().as_second() - seconds_ago).to_string();
    let tag = hex(&[time.as_bytes(), b".", body].concat());
    vec![("x-signature", format!("sha256={tag}")), ("x-time", time), ("x-event", "changed".into())]
}

const BODY: &[u8] =
    br#"{"contact":{"id":"c-7","phone":"+5511900000021","name":"Ana CANARY (invented)"},"by":"bia@example.invalid"}"#;

#[tokio::test]
async fn what_is_proved_is_stored_without_what_is_not_listed() {
    let w = world().await;
    let (status, body) = w.post(ADDRESS, &signed(0, BODY), BODY).await;
    assert_eq!((status, body), (StatusCode::ACCEPTED, json!({"repeated": false})));
    let stored = w.stored().await;
    assert_eq!(stored[0].came.body.expose(), r#"{"contact":{"id":"c-7","phone":"+5511900000021"}}"#);
    assert_eq!(stored[0].came.headers, [("x-event".to_owned(), "changed".to_owned())]);
}

#[tokio::test]
async fn what_comes_again_is_taken_once() {
    let w = world().await;
    let headers = signed(0, BODY);
    assert_eq!(w.post(ADDRESS, &headers, BODY).await.0, StatusCode::ACCEPTED);
    let (status, body) = w.post(ADDRESS, &headers, BODY).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"repeated": true})));
    assert_eq!(w.stored().await.len(), 1);
}

#[tokio::test]
async fn a_delivery_with_a_name_is_known_by_it() {
    let w = world().await;
    let send = async |name: &str| {
        let headers =
            [("x-signature", hex(&[name.as_bytes(), BODY].concat())), ("x-delivery", name.to_owned())];
        w.post("/v1/hooks/acme-crm/named/acme", &headers, BODY).await
    };
    assert_eq!(send("d1").await.0, StatusCode::ACCEPTED);
    assert_eq!(send("d2").await.0, StatusCode::ACCEPTED, "the same body, and another delivery");
    assert_eq!(send("d1").await.0, StatusCode::OK);
    assert_eq!(w.stored().await.len(), 2);
    let unnamed = w.post("/v1/hooks/acme-crm/named/acme", &[("x-signature", hex(BODY))], BODY).await;
    assert_eq!((unnamed.0, &unnamed.1["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid")));
}

#[rstest]
#[case::no_signature(ADDRESS, vec![], BODY.to_vec(), 401, "signature-missing")]
#[case::forged(ADDRESS, vec![("x-signature", format!("sha256={}", "0".repeat(64))), ("x-time", Timestamp::now().as_second().to_string())], BODY.to_vec(), 401, "signature-wrong")]
#[case::of_another_body(ADDRESS, signed(0, b"{}"), BODY.to_vec(), 401, "signature-wrong")]
#[case::replayed_late(ADDRESS, signed(301, BODY), BODY.to_vec(), 401, "signature-expired")]
#[case::from_the_future(ADDRESS, signed(-301, BODY), BODY.to_vec(), 401, "signature-expired")]
#[case::unreadable(ADDRESS, vec![("x-signature", "abc".into()), ("x-time", "1".into())], BODY.to_vec(), 401, "signature-malformed")]
#[case::too_large(ADDRESS, signed(0, &[b' '; 1001]), vec![b' '; 1001], 413, "body-too-large")]
#[case::too_deep(ADDRESS, signed(0, &[b'['; 900]), vec![b'['; 900], 422, "invalid")]
#[case::no_json(ADDRESS, signed(0, b"<xml/>"), b"<xml/>".to_vec(), 400, "not-json")]
#[case::no_utf8(ADDRESS, signed(0, b"{\"a\":\"\xff\"}"), b"{\"a\":\"\xff\"}".to_vec(), 400, "not-json")]
#[case::unknown_tenant("/v1/hooks/acme-crm/changes/beta", signed(0, BODY), BODY.to_vec(), 404, "hook-unknown")]
#[case::unknown_plugin("/v1/hooks/other/changes/acme", signed(0, BODY), BODY.to_vec(), 404, "hook-unknown")]
#[case::unknown_hook("/v1/hooks/acme-crm/nope/acme", signed(0, BODY), BODY.to_vec(), 404, "hook-unknown")]
#[case::no_names("/v1/hooks/%2e%2e/%00/Ana", signed(0, BODY), BODY.to_vec(), 404, "hook-unknown")]
#[case::not_granted("/v1/hooks/acme-crm/spare/acme/the-secret-of-the-hook-0123456789", vec![], BODY.to_vec(), 404, "hook-unknown")]
#[case::signed_hook_by_a_secret("/v1/hooks/acme-crm/changes/acme/the-secret-of-the-hook-0123456789", vec![], BODY.to_vec(), 404, "hook-unknown")]
#[case::secret_hook_without("/v1/hooks/acme-crm/secret/acme", signed(0, BODY), BODY.to_vec(), 404, "hook-unknown")]
#[case::another_secret("/v1/hooks/acme-crm/secret/acme/the-secret-of-the-hook-012345678", vec![], BODY.to_vec(), 404, "hook-unknown")]
#[case::no_secret_stored("/v1/hooks/acme-crm/unready/acme", vec![("x-signature", hex(BODY))], BODY.to_vec(), 503, "hook-not-ready")]
#[tokio::test]
async fn what_is_not_proved_is_told_why_and_nothing_is_stored(
    #[case] address: &str,
    #[case] headers: Vec<(&str, String)>,
    #[case] body: Vec<u8>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let w = world().await;
    let (answered, problem) = w.post(address, &headers, &body).await;
    assert_eq!((answered.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
    assert!(problem["hint"].is_string() && problem["detail"].is_string());
    let text = problem.to_string();
    assert!(!text.contains("CANARY") && !text.contains(SECRET) && !text.contains("900000021"), "{text}");
    assert!(w.stored().await.is_empty());
}

#[tokio::test]
async fn a_crm_that_cannot_sign_knows_a_secret_address() {
    let w = world().await;
    let address = format!("/v1/hooks/acme-crm/secret/acme/{SECRET}");
    assert_eq!(w.post(&address, &[], BODY).await.0, StatusCode::ACCEPTED);
    assert_eq!(w.post(&address, &[], BODY).await.0, StatusCode::OK);
    assert_eq!(w.stored().await[0].came.body, Clear::from(r#"{"contact":{"id":"c-7"}}"#));
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let w = world().await;
    w.store.close().await.unwrap();
    let (status, problem) = w.post(ADDRESS, &signed(0, BODY), BODY).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("store-failed")));
}
