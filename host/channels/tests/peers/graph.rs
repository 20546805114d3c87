//! A stub of the Graph API, as much of it as a number on WhatsApp uses. That it is none of our own fancy is shown by pywa,
//! whose client takes it for real (`whatsapp_send`).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const NUMBER: &str = "106540352242922";
pub(crate) const VERSION: &str = "v23.0";
pub(crate) const TOKEN: &str = "made-up-token";
pub(crate) const FILE: &[u8] = b"\x89PNG made up";
/// Users for whom the stub has another answer: the last digits are Meta's number.
pub(crate) const ERRORS: [(&str, u16, u32); 5] = [
    ("551199131047", 400, 131_047),
    ("551199131026", 400, 131_026),
    ("551199130429", 429, 130_429),
    ("551199131056", 400, 131_056),
    ("551199131000", 500, 131_000),
];
/// Files that are not what they seem.
pub(crate) const TAMPERED: &str = "9000000002";
pub(crate) const ELSEWHERE: &str = "9000000003";
pub(crate) const GONE: &str = "9000000004";
pub(crate) const GOOD: &str = "9000000001";

/// One request that the stub got.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

pub(crate) struct Graph {
    pub(crate) base: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Graph {
    pub(crate) async fn start() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (requests, own) = (Arc::clone(&seen), base.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (requests, own) = (Arc::clone(&requests), own.clone());
                let service = service_fn(move |request| answer(request, own.clone(), Arc::clone(&requests)));
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { base, seen }
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen.lock().last().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let authorization = head.headers.get("authorization").map_or("", |v| v.to_str().unwrap()).to_owned();
    let path = head.uri.path().to_owned();
    seen.lock().push(Seen { path: path.clone(), authorization: authorization.clone(), body: body.clone() });
    let json = |status: u16, body: Value| {
        let response = Response::builder().status(status).header("content-type", "application/json");
        Ok(response.header("retry-after", "6").body(Full::from(body.to_string())).unwrap())
    };
    if authorization != format!("Bearer {TOKEN}") {
        return json(401, error(190));
    }
    let versioned = path.strip_prefix(&format!("/{VERSION}/"));
    match (head.method, versioned) {
        (Method::POST, Some(rest)) if rest == format!("{NUMBER}/messages") => {
            let (status, body) = messages(&body);
            json(status, body)
        }
        (Method::GET, Some(GONE)) => json(404, error(100)),
        (Method::GET, Some(id)) if id.bytes().all(|b| b.is_ascii_digit()) => json(200, place(&base, id)),
        (Method::GET, None) if path == "/files/1" => Ok(Response::builder()
            .header("content-type", "image/png")
            .body(Full::from(Bytes::from_static(FILE)))
            .unwrap()),
        _ => json(400, error(100)),
    }
}

fn error(code: u32) -> Value {
    json!({"error": {"message": "(#0) made up", "type": "OAuthException", "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "made up"}, "fbtrace_id": "A"}})
}

fn messages(body: &Value) -> (u16, Value) {
    if body["messaging_product"] != "whatsapp" {
        return (400, error(100));
    }
    if body["status"] == "read" {
        return if body["message_id"].is_string() {
            (200, json!({"success": true}))
        } else {
            (400, error(100))
        };
    }
    let to = body["to"].as_str().or_else(|| body["recipient"].as_str());
    let kind = body["type"].as_str().unwrap_or_default();
    let Some(to) = to.filter(|_| body.get(kind).is_some_and(Value::is_object)) else {
        return (400, error(100));
    };
    if let Some((_, status, code)) = ERRORS.iter().find(|(user, _, _)| *user == to) {
        return (*status, error(*code));
    }
    let contact = if body["to"].is_string() {
        json!({"input": to, "wa_id": to, "user_id": "BR.1"})
    } else {
        json!({"input": to, "user_id": to})
    };
    (200, json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": "wamid.OUT1"}]}))
}

fn place(base: &str, id: &str) -> Value {
    let url = if id == ELSEWHERE {
        "http://files.example/1".to_owned()
    } else {
        format!("{base}/files/1?mid={id}")
    };
    let hash = if id == TAMPERED { &b"other"[..] } else { FILE };
    let hash = HEXLOWER.encode(digest(&SHA256, hash).as_ref());
    json!({"messaging_product": "whatsapp", "url": url, "mime_type": "image/png", "sha256": hash,
        "file_size": FILE.len(), "id": id})
}
