//! Texts out: a stub of Twilio's API that Twilio's own Python client takes for real, and then our client at it.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use ramal_center::{Clear, ContactIdentity, ContactKind, EventId, Namespace};
use ramal_channels::{MessageSender, Outgoing, SendError, TwilioSender};
use ramal_egress::{Egress, ProviderAddress};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::Command;
use url::form_urlencoded;

use crate::installed::{Asked, install, tests_folder};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const CALLBACK: &str = "https://ramal.example/v1/channels/tw/webhook";
/// Numbers for which the stub has another answer.
const WRONG: &str = "+5511900000400";
const TOO_MANY: &str = "+5511900000429";
const BROKEN: &str = "+5511900000500";

/// What the stub saw: method, path, authorization and the sorted form.
type Seen = (String, String, String, Vec<(String, String)>);

async fn stub() -> (String, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let requests = Arc::clone(&requests);
            let service = service_fn(move |request| answer(request, Arc::clone(&requests)));
            tokio::spawn(async move {
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (base, seen)
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    form.sort();
    let to = form.iter().find(|(name, _)| name == "To").map(|(_, value)| value.clone()).unwrap_or_default();
    let authorization = head.headers["authorization"].to_str().unwrap().to_owned();
    seen.lock().push((head.method.to_string(), head.uri.path().to_owned(), authorization, form));
    let (status, body) = match to.as_str() {
        WRONG => (400, json!({"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400})),
        TOO_MANY => (429, json!({"code": 20429, "message": "Too Many Requests", "status": 429})),
        BROKEN => (500, json!({"code": 20500, "message": "Internal Server Error", "status": 500})),
        _ => (
            201,
            json!({"sid": "SM00000000000000000000000000000001", "status": "queued", "account_sid": ACCOUNT}),
        ),
    };
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok(response.header("retry-after", "7").body(Full::from(body.to_string())).unwrap())
}

fn sender(base: &str, from: &str) -> TwilioSender {
    let address =
        ProviderAddress { origin: base.parse().unwrap(), private: vec!["127.0.0.0/8".parse().unwrap()] };
    let client = Egress::builder().provider(&address, Duration::from_secs(10)).unwrap();
    let callback = Some(CALLBACK.parse().unwrap());
    TwilioSender::new(client, ACCOUNT, (ACCOUNT, &Clear::from(TOKEN)), Clear::from(from), callback)
}

fn phone(number: &str) -> ContactIdentity {
    ContactIdentity::phone(number).unwrap()
}

async fn send(base: &str, to: &ContactIdentity) -> Result<String, SendError> {
    let sent = sender(base, "+551132100000")
        .send(to, &Outgoing::text("Olá & até já"), &EventId::new("m-1").unwrap())
        .await;
    sent.map(|id| id.as_str().to_owned())
}

#[tokio::test]
async fn our_client_asks_as_twilios_own_does() {
    let Some(folder) = install("twilio", "our_client_asks_as_twilios_own_does").await else { return };
    let (base, seen) = stub().await;
    let mut library = Asked::start(
        Command::new(folder.join("venv/bin/python")).arg(tests_folder().join("twilio/library.py")),
    );
    let mut theirs = async |to: &str| {
        library
            .ask(&json!({"do": "send", "base": base, "account": ACCOUNT, "token": TOKEN, "from": "+551132100000",
                "to": to, "text": "Olá & até já", "callback": format!("{CALLBACK}?reference=m-1")}))
            .await
    };
    // The stub is what the library expects: in the good case and in the bad ones.
    assert_eq!(
        theirs("+5511987654321").await,
        json!({"sid": "SM00000000000000000000000000000001", "status": "queued"})
    );
    assert_eq!(theirs(WRONG).await, json!({"code": 21211, "status": 400}));
    assert_eq!(theirs(TOO_MANY).await, json!({"code": 20429, "status": 429}));
    // And our client asks the same.
    assert_eq!(send(&base, &phone("+5511987654321")).await.unwrap(), "SM00000000000000000000000000000001");
    let seen = seen.lock();
    assert_eq!(seen.first(), seen.last(), "the library's first request and our only one");
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn a_refusal_says_whether_the_message_may_have_gone_out() {
    let (base, seen) = stub().await;
    let refused = |what: &str| Err(SendError::Refused { what: what.to_owned() });
    assert_eq!(send(&base, &phone(WRONG)).await, refused("400 with error 21211"));
    let passing =
        SendError::Passing { what: "429 with error 20429".to_owned(), after: Some(Duration::from_secs(7)) };
    assert_eq!(send(&base, &phone(TOO_MANY)).await, Err(passing));
    let unsure = SendError::Unsure { what: "500 with error 20500".to_owned() };
    assert_eq!(send(&base, &phone(BROKEN)).await, Err(unsure));
    let email =
        ContactIdentity::new(ContactKind::Email, Namespace::new("mail").unwrap(), "a@b.example").unwrap();
    assert_eq!(send(&base, &email).await, Err(SendError::NoAddress));
    assert_eq!(seen.lock().len(), 3, "who has no address is not asked for");
}

#[tokio::test]
async fn whatsapp_users_are_written_to_by_the_name_that_whatsapp_gave() {
    let (base, seen) = stub().await;
    let user = ContactIdentity::new(
        ContactKind::Whatsapp,
        Namespace::new(Namespace::WA_ID).unwrap(),
        "554787654321",
    );
    send(&base, &user.unwrap()).await.unwrap();
    let seen = seen.lock();
    let value = |name: &str| seen[0].3.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(value("To"), Some("whatsapp:+554787654321"));
    assert_eq!(value("From"), Some("whatsapp:+551132100000"));
}
