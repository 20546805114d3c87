//! A whole host, put together from its configuration, that watches one exchange; looked at over its REST.

use std::path::Path;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use ramal_server::{Composed, ServerConfig, compose, router};
use ramal_tests::asterisk::{AMI_SECRET, Asterisk};
use ramal_tests::docs::{Block, blocks};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tower::ServiceExt;

const TOKEN: &str = "made-up-token-of-the-panel-0123456789";
/// Whatever a test waits for has come by then.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

pub(crate) struct Host {
    composed: Composed,
}

/// A file that docs/integrator.md shows: what a reader pastes is what is run here.
fn shown(name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrator.md");
    let page = std::fs::read_to_string(page).unwrap();
    let found = blocks(&page).unwrap().into_iter().find_map(|block| match block {
        Block::File { path, text } if path == name => Some(text),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("the page shows no {name}"))
}

impl Host {
    /// Starts a host with its data in a folder.
    pub(crate) async fn start(pbx: &Asterisk, folder: &Path) -> Self {
        Self::start_at(pbx.ami, AMI_SECRET, folder).await
    }

    pub(crate) async fn start_at(port: u16, secret: &str, folder: &Path) -> Self {
        std::fs::write(folder.join("ami-secret"), secret).unwrap();
        let queues = shown("queues.toml").replace(":5038", &format!(":{port}"));
        let text = format!(
            "data = \"data\"\n[[tenant]]\nid = \"acme\"\n[[tenant.token]]\nid = \"panel\"\ntoken = \"{TOKEN}\"\n{queues}"
        );
        let config = ServerConfig::parse(&text, Path::new("ramal.toml"), folder).unwrap();
        Self { composed: compose(&config, None, Vec::new()).await.unwrap() }
    }

    pub(crate) async fn stop(self) {
        self.composed.close().await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = Request::get(path)
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Empty::<Bytes>::new())
            .unwrap();
        let answer = router(self.composed.state.clone()).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// The exchange's board, once it is as wanted.
    pub(crate) async fn board(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.once("/v1/queues", what, |all| wanted(&all["exchanges"][0])).await["exchanges"][0].clone()
    }

    /// All calls, the oldest first, once they are as wanted.
    pub(crate) async fn calls(&self, what: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let oldest_first =
            |page: &Value| page["items"].as_array().unwrap().iter().rev().cloned().collect::<Vec<_>>();
        oldest_first(&self.once("/v1/interactions?limit=200", what, |page| wanted(&oldest_first(page))).await)
    }

    /// What happened to a call, in order.
    pub(crate) async fn history(&self, call: &Value) -> Vec<Value> {
        let path = format!("/v1/interactions/{}/events", call["interaction"].as_str().unwrap());
        let page = self.get(&path).await;
        page["items"].as_array().unwrap().iter().map(|event| event["what"].clone()).collect()
    }

    async fn once(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + LIMIT;
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let seen = self.get(path).await;
            if wanted(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "{what} is not there in time: {seen:#}");
        }
    }
}
