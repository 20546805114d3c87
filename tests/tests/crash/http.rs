//! A client that tells an answer from a connection that died: for the sender of events both are everyday.

use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ramal_server::{Secret, sign};
use serde_json::Value;

/// Nothing takes longer unless it hangs.
const LONGEST: Duration = Duration::from_secs(60);

/// One server at one address, with the token that it wants.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
    origin: String,
    token: String,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) kind: String,
    pub(crate) retry_after: Option<u64>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }
}

/// The connection broke, or there was none.
#[derive(Debug)]
pub(crate) struct Broken;

impl Api {
    pub(crate) fn new(origin: &str, token: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, origin: origin.to_owned(), token: token.to_owned() }
    }

    /// Asks; the server is there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.ask(path).await.unwrap_or_else(|Broken| panic!("{path}: the connection broke"));
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        reply.json()
    }

    pub(crate) async fn ask(&self, path: &str) -> Result<Reply, Broken> {
        let request = Request::get(format!("{}{path}", self.origin))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Full::default());
        self.send(request.unwrap()).await
    }

    /// Sends a signed event, as an exchange does. `at` is the exchange's clock, in unix seconds.
    pub(crate) async fn event(&self, source: (&str, &str), at: i64, body: &str) -> Result<Reply, Broken> {
        let (name, secret) = source;
        let request = Request::post(format!("{}/v1/events/calls?source={name}", self.origin))
            .header(header::CONTENT_TYPE, "application/json")
            .header("ramal-signature", sign(&Secret::new(secret), at, body.as_bytes()))
            .body(Full::from(body.to_owned()));
        self.send(request.unwrap()).await
    }

    /// Puts something into a place, under a key by which a repetition is known.
    pub(crate) async fn put(&self, path: &str, key: &str, body: &Value) -> Result<Reply, Broken> {
        let request = Request::put(format!("{}{path}", self.origin))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Full::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, Broken> {
        let whole = async {
            let response = self.client.request(request).await.map_err(|_| Broken)?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
            let text = |name| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
            Ok(Reply {
                status: head.status,
                kind: text(header::CONTENT_TYPE).to_owned(),
                retry_after: text(header::RETRY_AFTER).parse().ok(),
                text: String::from_utf8(body.to_vec()).unwrap(),
            })
        };
        tokio::time::timeout(LONGEST, whole).await.expect("an answer within a minute")
    }
}
