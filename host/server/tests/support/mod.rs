//! A server without a socket: a store in memory, made-up CRMs, requests as values. All people and numbers are invented.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use ramal_center::*;
use ramal_server::{AppParts, AppState, CallControls, Metrics, Secret, ServerConfig, router, sign};
use ramal_store::memory::MemoryStore;
use ramal_store::{Fault, StoreHealth};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "token-of-acme-0123456789abcdef0123";
pub(crate) const OTHER_TOKEN: &str = "token-of-beta-0123456789abcdef0123";
/// The canary: nobody's number, and nowhere but in answers to whoever may see it.
pub(crate) const NUMBER: &str = "+5511987654321";

pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) center: Center,
    pub(crate) state: AppState,
    pub(crate) router: Router,
}

pub(crate) struct Options {
    pub(crate) practice: bool,
    pub(crate) readers: usize,
    pub(crate) live_events: usize,
    pub(crate) health: Option<Arc<dyn StoreHealth>>,
    pub(crate) controls: CallControls,
    pub(crate) channels: ramal_server::ChannelDoors,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            practice: true,
            readers: 100,
            live_events: 1000,
            health: None,
            controls: CallControls::default(),
            channels: ramal_server::ChannelDoors::default(),
        }
    }
}

pub(crate) fn config(practice: bool) -> ServerConfig {
    let text = format!(
        r#"
data = "data"
practice = {practice}
[[tenant]]
id = "acme"
[[tenant.source]]
id = "pbx"
secret = "{SECRET}"
[[tenant.token]]
id = "panel"
token = "{TOKEN}"
[[tenant]]
id = "beta"
[[tenant.token]]
id = "panel"
token = "{OTHER_TOKEN}"
"#
    );
    ServerConfig::parse(&text, Path::new("ramal.toml"), Path::new("/nowhere")).unwrap()
}

pub(crate) fn world(options: Options) -> World {
    let store = Arc::new(MemoryStore::new(options.live_events));
    let metrics = Metrics::new();
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(metrics.clone()),
        clock: Arc::new(SystemClock),
        settings: CenterSettings::default(),
    });
    let parts = AppParts {
        center: center.clone(),
        health: options.health.unwrap_or_else(|| store.clone()),
        outbox: None,
        credentials: None,
        hooks: None,
        plugins: None,
        controls: options.controls,
        queues: ramal_server::QueueBoards::default(),
        channels: options.channels,
        metrics,
        practice_numbers: ["+5511987654321", "+552133334444"]
            .map(|n| PhoneNumber::parse(n, Region::BR).unwrap())
            .to_vec(),
    };
    let state = AppState::with_readers(&config(options.practice), parts, options.readers).unwrap();
    World { router: router(state.clone()), store, center, state }
}

/// A world in which the CRM `practice` knows Ana and the CRM `broken` fails.
pub(crate) fn ready(options: Options) -> World {
    let w = world(options);
    let crms: Vec<Arc<dyn Directory>> = vec![
        Arc::new(Ana(PluginId::new("practice").unwrap())),
        Arc::new(Broken(PluginId::new("broken").unwrap())),
    ];
    w.center.set_directories(HashMap::from([(TenantId::new("acme").unwrap(), crms)]));
    w
}

struct Ana(PluginId);
impl Directory for Ana {
    fn plugin(&self) -> &PluginId {
        &self.0
    }
    fn look_up(&self, ask: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>> {
        Box::pin(async move {
            Ok(Found {
                cards: vec![Card {
                    id: "7".into(),
                    name: "Ana CANARY (invented)".into(),
                    phones: vec![ask.number.national()],
                    owner: Some("Bruno CANARY (invented)".into()),
                    ..Card::default()
                }],
                seen: vec![Seen {
                    class: DataClass::ContactPhone,
                    direction: Direction::ToPlugin,
                    level: Level::Sealed,
                    count: 1,
                }],
                took: Duration::from_millis(12),
                requests: 1,
            })
        })
    }
}

pub(crate) struct Broken(pub(crate) PluginId);
impl Directory for Broken {
    fn plugin(&self) -> &PluginId {
        &self.0
    }
    fn look_up(&self, _: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>> {
        Box::pin(async { Err(LookUpFailure::Unavailable("connection refused".into())) })
    }
}

/// A store whose health check has a defect.
pub(crate) struct Defect;
impl StoreHealth for Defect {
    fn check_writable(&self) -> ramal_store::Answer<'_, ()> {
        Box::pin(async { panic!("a defect, on purpose") })
    }
}

pub(crate) fn break_store(w: &World) {
    w.store.break_with(Some(Fault::DiskFull));
}

// === requests ===

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).header("host", "127.0.0.1:7700").body(Body::empty()).unwrap()
}

pub(crate) fn with_token(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request
}

pub(crate) fn post(path: &str, body: impl AsRef<[u8]>) -> Request<Body> {
    Request::post(path)
        .header("host", "127.0.0.1:7700")
        .header("content-type", "application/json")
        .body(Body::from(body.as_ref().to_vec()))
        .unwrap()
}

pub(crate) fn signed(body: impl AsRef<[u8]>) -> Request<Body> {
    let mut request = post("/v1/events/calls?source=pbx", &body);
    let header = sign(&Secret::new(SECRET), jiff::Timestamp::now().as_second(), body.as_ref());
    request.headers_mut().insert("ramal-signature", header.parse().unwrap());
    request
}

pub(crate) fn ringing(event: &str, call: &str) -> String {
    format!(r#"{{"event_id":"{event}","call_id":"{call}","type":"ringing","from":"{NUMBER}"}}"#)
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

pub(crate) async fn send(w: &World, request: Request<Body>) -> Reply {
    answer(&w.router, request).await
}

pub(crate) async fn answer(http: &Router, request: Request<Body>) -> Reply {
    let response = http.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

/// Waits until every look-up has told its answer, and takes no more events.
pub(crate) async fn settle(w: &World) {
    assert!(w.center.shutdown(Duration::from_secs(30)).await);
}

// === server-sent events ===

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sse {
    pub(crate) id: Option<u64>,
    pub(crate) event: String,
    pub(crate) data: String,
}

/// Reads a stream of server-sent events.
pub(crate) struct SseReader {
    body: Body,
    text: String,
}

impl SseReader {
    pub(crate) async fn open(w: &World, request: Request<Body>) -> Self {
        let response = w.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; `None` at the end of the stream. Comments and `retry` alone are skipped.
    pub(crate) async fn next(&mut self) -> Option<Sse> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let mut sse = Sse::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("id", id)) => sse.id = Some(id.parse().unwrap()),
                        Some(("event", name)) => name.clone_into(&mut sse.event),
                        Some(("data", data)) => sse.data.push_str(data),
                        _ => {}
                    }
                }
                if !sse.event.is_empty() {
                    return Some(sse);
                }
                continue;
            }
            let frame = self.body.frame().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }
}
