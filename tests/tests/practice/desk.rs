//! The plugin for the practice CRM at its desk, and the CRM itself, which people use as well.

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use ramal_engine::{CallDirection, CallOutcome, JournalEntry};
use ramal_practice_crm::{ApiKey, BaseUrl, PracticeCrm};
use ramal_tests::fixture;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceExt;

pub(crate) use crate::desk::Desk;
use crate::desk::Setup;

pub(crate) const TENANT: &str = "practice";
pub(crate) const KEY: &str = "made-up-practice-key";
const GRANT: &str = include_str!("../../../plugins/practice/grant.toml");

/// A practice CRM that serves on a port of this machine until it is dropped.
pub(crate) struct Practice {
    pub(crate) origin: String,
    crm: PracticeCrm,
    _until: oneshot::Sender<()>,
}

impl Practice {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let crm = PracticeCrm::new(ApiKey::new(KEY).unwrap(), BaseUrl::from(at));
        let (until, ended) = oneshot::channel();
        drop(tokio::spawn(ramal_practice_crm::serve(
            listener,
            crm.clone(),
            async move { drop(ended.await) },
        )));
        Self { origin: format!("http://{at}"), crm, _until: until }
    }

    /// A desk that reaches it at an origin, with a line more in its grant's limits.
    pub(crate) async fn desk_at(&self, origin: &str, limits: &str) -> Desk {
        Desk::of(Setup {
            component: fixture::component("practice").unwrap_or_else(|e| panic!("{e}")),
            code: "practice-code",
            credentials: fixture::credentials(
                TENANT,
                "practice",
                vec![("key", vec![("token", KEY.to_owned())])],
            )
            .unwrap(),
            grant: &self.grant(origin, limits),
            settings: json!({ "server": origin }),
            has_misfits: false,
        })
        .await
    }

    /// The grant that is shipped, for a CRM that is reached at an origin. Its links lead to its own all the same.
    pub(crate) fn grant(&self, origin: &str, limits: &str) -> String {
        let shipped = GRANT.replace("[[destination]]", &format!("[limits]\n{limits}\n\n[[destination]]"));
        let (_, place) = shipped.split_once("[[destination]]").unwrap();
        let own = format!("\n[[destination]]{place}").replace("http://127.0.0.1:7788", &self.origin);
        let there = shipped.replace("http://127.0.0.1:7788", origin);
        if origin == self.origin { there } else { there + &own }
    }

    /// What somebody does who works with the CRM, without plugin or network.
    pub(crate) async fn does(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(Full::from(if body.is_null() { String::new() } else { body.to_string() }))
            .unwrap();
        let answer = self.crm.router().oneshot(request).await.unwrap();
        let (status, body) = (answer.status(), answer.into_body().collect().await.unwrap().to_bytes());
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        assert_ne!(status, StatusCode::NO_CONTENT);
        serde_json::from_slice(&body).unwrap()
    }

    /// What stands at an address.
    pub(crate) async fn at(&self, path: &str) -> Value {
        self.does(Method::GET, path, &Value::Null).await
    }

    /// The activities that came under a key.
    pub(crate) async fn written(&self, key: &str) -> Vec<Value> {
        let (mut all, mut path) = (Vec::new(), "/activities?limit=100".to_owned());
        loop {
            let page = self.at(&path).await;
            all.extend(
                page["items"].as_array().unwrap().iter().filter(|one| one["external_id"] == key).cloned(),
            );
            match page["next"].as_str() {
                Some(next) => path = format!("/activities?limit=100&cursor={next}"),
                None => return all,
            }
        }
    }
}

/// A call with a customer of the CRM.
pub(crate) fn entry(key: &str) -> JournalEntry {
    JournalEntry {
        idempotency_key: key.to_owned(),
        contact: Some("c-0002".into()),
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
        notes: None,
        transcript: None,
        recording: None,
        about: None,
    }
}
