//! Writing to customers from outside: stored before it is sent, sent once, and told how far it came. The sender is
//! scripted; what comes in is signed as Meta signs. All people and numbers are invented.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::support::*;
use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::Request;
use data_encoding::HEXLOWER;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use ramal_center::{Clear, ContactIdentity, EventId, Namespace, Origin, Region, SourceId, TenantId};
use ramal_channels::{
    FileFetcher, FileFolder, MediaError, MediaFile, MessageSender, Outgoing, OutgoingContent, SendError,
    WhatsApp, WhatsAppKeys, WhatsAppNumber,
};
use ramal_server::{ChannelDoor, ChannelDoors, Line, MessageDesk};
use rstest::rstest;
use serde_json::{Value, json};

const APP_SECRET: &str = "made-up-app-secret-0123456789abcd";
const ACCOUNT: &str = "102290129340398";
const NUMBER_ID: &str = "106540352242922";
const CUSTOMER: &str = "5511987654321";

/// Fails as it was told to, then takes everything, and remembers what it was asked.
#[derive(Default)]
struct Scripted {
    errors: Mutex<VecDeque<SendError>>,
    sent: Mutex<Vec<(String, Outgoing, String)>>,
    read: Mutex<Vec<String>>,
}

impl MessageSender for Scripted {
    fn send<'a>(
        &'a self,
        to: &'a ContactIdentity,
        message: &'a Outgoing,
        reference: &'a EventId,
    ) -> BoxFuture<'a, Result<EventId, SendError>> {
        let told = (to.value().expose().to_owned(), message.clone(), reference.as_str().to_owned());
        self.sent.lock().push(told);
        let id = EventId::new(&format!("wamid.OUT{}", self.sent.lock().len())).unwrap();
        let answer = self.errors.lock().pop_front().map_or(Ok(id), Err);
        Box::pin(async move { answer })
    }

    fn address<'c>(&self, contacts: &'c [ContactIdentity]) -> Option<&'c ContactIdentity> {
        contacts.iter().find(|contact| contact.namespace.as_str() == Namespace::WA_ID)
    }

    fn window(&self) -> Option<Duration> {
        Some(Duration::from_hours(24))
    }

    fn mark_read<'a>(&'a self, message: &'a EventId) -> BoxFuture<'a, Result<(), SendError>> {
        self.read.lock().push(message.as_str().to_owned());
        Box::pin(async { Ok(()) })
    }
}

/// Has one file, and counts how often it is asked for it.
#[derive(Default)]
struct OneFile(Mutex<usize>);

impl FileFetcher for OneFile {
    fn fetch<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<MediaFile, MediaError>> {
        *self.0.lock() += 1;
        let found = reference == "90001";
        Box::pin(async move {
            if found {
                Ok(MediaFile { media_type: "image/png".into(), bytes: b"made up".to_vec().into() })
            } else {
                Err(MediaError::OtherHost)
            }
        })
    }
}

struct Desk {
    w: World,
    sender: Arc<Scripted>,
    files: Arc<OneFile>,
    _folder: tempfile::TempDir,
}

fn desk(errors: Vec<SendError>) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let (sender, files) = (Arc::new(Scripted::default()), Arc::new(OneFile::default()));
    sender.errors.lock().extend(errors);
    let mut doors = ChannelDoors::default();
    let mut messages = MessageDesk::default();
    messages.keep_files(FileFolder::new(folder.path().to_owned()));
    for channel in ["wa", "deaf"] {
        let origin =
            Origin { tenant: TenantId::new("acme").unwrap(), source: SourceId::new(channel).unwrap() };
        let number = WhatsAppNumber {
            account: ACCOUNT.to_owned(),
            phone_number_id: NUMBER_ID.to_owned(),
            portfolio: ACCOUNT.to_owned(),
        };
        let keys = WhatsAppKeys {
            app_secrets: vec![Clear::from(APP_SECRET)],
            verify_tokens: vec![Clear::from("made-up-word")],
        };
        let webhook = Arc::new(WhatsApp::new(number, keys, Region::BR));
        doors.add(ChannelDoor { origin: origin.clone(), webhook });
        if channel == "wa" {
            messages.add(origin, Line { sender: sender.clone(), files: Some(files.clone()) });
        }
    }
    doors.send_by(messages);
    Desk { w: world(Options { channels: doors, ..Options::default() }), sender, files, _folder: folder }
}

impl Desk {
    /// Meta posts this value.
    async fn posts(&self, channel: &str, mut value: Value) {
        value["metadata"] = json!({"display_phone_number": "551132100000", "phone_number_id": NUMBER_ID});
        let change = json!({"field": "messages", "value": value});
        let body =
            json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": [change]}]});
        let body = body.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, APP_SECRET.as_bytes());
        let signature = HEXLOWER.encode(hmac::sign(&key, body.as_bytes()).as_ref());
        let request = Request::post(format!("/v1/channels/{channel}/webhook"))
            .header("host", "127.0.0.1:7700")
            .header("x-hub-signature-256", format!("sha256={signature}"))
            .body(Body::from(body))
            .unwrap();
        let reply = send(&self.w, request).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.text);
    }

    /// The customer wrote so many hours ago; the conversation.
    async fn wrote(&self, channel: &str, id: &str, hours: i64, mut part: Value) -> String {
        let at = Timestamp::now() - SignedDuration::from_hours(hours) - SignedDuration::from_secs(1);
        part["id"] = json!(id);
        part["from"] = json!(CUSTOMER);
        part["timestamp"] = json!(at.as_second().to_string());
        self.posts(channel, json!({"messages": [part]})).await;
        self.open().await
    }

    async fn wrote_text(&self, hours: i64) -> String {
        self.wrote("wa", "wamid.IN1", hours, json!({"type": "text", "text": {"body": "oi CANARY"}})).await
    }

    /// The latest conversation.
    async fn open(&self) -> String {
        let reply = send(&self.w, with_token(get("/v1/interactions?channel=whatsapp"))).await.json();
        reply["items"][0]["interaction"].as_str().unwrap().to_owned()
    }

    async fn does(&self, path: &str, key: &str, body: Value) -> Reply {
        let mut request = with_token(post(&format!("/v1/interactions/{path}"), body.to_string()));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        send(&self.w, request).await
    }

    async fn writes(&self, conversation: &str, key: &str, body: Value) -> Reply {
        self.does(&format!("{conversation}/messages"), key, body).await
    }

    /// Direction, status and text of each message.
    async fn messages(&self, conversation: &str) -> Vec<String> {
        let path = format!("/v1/interactions/{conversation}/messages");
        let reply = send(&self.w, with_token(get(&path))).await.json();
        let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        let line =
            |m: &Value| format!("{} {} {}", text(&m["direction"]), text(&m["status"]), text(&m["text"]));
        reply["items"].as_array().unwrap().iter().map(line).collect()
    }
}

#[tokio::test]
async fn a_message_is_stored_then_sent_once_and_its_way_is_told() {
    let d = desk(vec![]);
    let id = d.wrote_text(0).await;
    let reply = d.writes(&id, "k1", json!({"text": "já vai", "agent": "bruna"})).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.text);
    assert_eq!(reply.json()["message"]["status"], "sent");
    // The same again is the same, with another text it is another request.
    assert_eq!(d.writes(&id, "k1", json!({"text": "já vai", "agent": "bruna"})).await.status.as_u16(), 200);
    let other = d.writes(&id, "k1", json!({"text": "outra"})).await;
    assert_eq!((other.status.as_u16(), &other.json()["code"]), (409, &json!("idempotency-key-reused")));

    let sent = d.sender.sent.lock().clone();
    let [(to, message, reference)] = sent.as_slice() else { panic!("{}", sent.len()) };
    assert_eq!((to.as_str(), &message.content), (CUSTOMER, &OutgoingContent::Text(Clear::from("já vai"))));
    assert!(reference.starts_with("ramal."));

    let status = |word: &str| {
        json!({"id": "wamid.OUT1", "status": word, "timestamp": "1763899140", "recipient_id": CUSTOMER,
            "biz_opaque_callback_data": reference})
    };
    // Out of order and twice: how far it came is how far it came.
    for word in ["read", "delivered", "sent", "read"] {
        d.posts("wa", json!({"statuses": [status(word)]})).await;
    }
    assert_eq!(d.messages(&id).await, ["inbound received oi CANARY", "outbound read já vai"]);
    let history = send(&d.w, with_token(get(&format!("/v1/interactions/{id}/events")))).await;
    assert!(history.text.contains(r#""cause":{"kind":"event","id":"wamid.OUT1"}"#), "{}", history.text);
    assert!(history.text.contains(r#""cause":{"kind":"request","id":"k1"}"#));
}

#[tokio::test]
async fn after_a_day_only_templates_go_out() {
    let d = desk(vec![]);
    let id = d.wrote_text(25).await;
    let refused = d.writes(&id, "k1", json!({"text": "oi?"})).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &json!("window-closed")));
    assert!(refused.json()["hint"].as_str().unwrap().contains("template"));
    assert_eq!(d.messages(&id).await.len(), 1, "nothing was stored");
    assert!(d.sender.sent.lock().is_empty());

    let template =
        json!({"template": {"name": "lembrete", "language": "pt_BR", "parameters": ["Ana", "17h"]}});
    let reply = d.writes(&id, "k2", template).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.text);
    assert_eq!(reply.json()["message"]["text"], "Ana\n17h");
    assert_eq!(reply.json()["message"]["attachments"], json!(["whatsapp/template"]));
    // They answer: the window is open, for whichever message is written next.
    d.wrote("wa", "wamid.IN2", 0, json!({"type": "text", "text": {"body": "sim"}})).await;
    assert_eq!(d.writes(&id, "k3", json!({"text": "ótimo"})).await.status.as_u16(), 201);
}

#[rstest]
#[case::refused(SendError::Refused { what: "100".into() }, 502, "message-not-sent", "failed", 1)]
#[case::credential(SendError::Credential { what: "190".into() }, 502, "message-not-sent", "failed", 1)]
#[case::window(SendError::WindowClosed { what: "131047".into() }, 409, "window-closed", "failed", 1)]
#[case::undeliverable(SendError::Undeliverable { what: "131026".into() }, 409, "contact-not-reachable", "failed", 1)]
// Meta does not say whether it went out: it is not sent again, whoever asks.
#[case::unsure(SendError::Unsure { what: "timeout".into() }, 202, "", "queued", 1)]
// Not now: tried again by itself.
#[case::passing(SendError::Passing { what: "130429".into(), after: None }, 201, "", "sent", 2)]
#[tokio::test]
async fn what_the_provider_says_is_what_stands(
    #[case] error: SendError,
    #[case] status: u16,
    #[case] code: &str,
    #[case] stands: &str,
    #[case] asked: usize,
) {
    let d = desk(vec![error]);
    let id = d.wrote_text(0).await;
    let reply = d.writes(&id, "k1", json!({"text": "olá CANARY"})).await;
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
    if !code.is_empty() {
        assert_eq!(reply.json()["code"], code);
        assert!(!reply.text.contains("CANARY") && !reply.text.contains("98765"), "{}", reply.text);
    }
    assert_eq!(d.messages(&id).await[1], format!("outbound {stands} olá CANARY"));
    let again = d.writes(&id, "k1", json!({"text": "olá CANARY"})).await.status.as_u16();
    assert_eq!(again, if stands == "queued" { 202 } else { 200 });
    assert_eq!(d.sender.sent.lock().len(), asked);
}

#[rstest]
#[case::empty(json!({}), 422)]
#[case::no_text(json!({"text": " "}), 422)]
#[case::two(json!({"text": "a", "template": {"name": "a", "language": "b"}}), 422)]
#[case::unknown_key(json!({"text": "a", "to": "5511"}), 422)]
#[case::file_of_nowhere(json!({"media": {"kind": "image"}}), 422)]
#[case::file_by_http(json!({"media": {"kind": "image", "link": "http://x.example/a.png"}}), 422)]
#[case::captioned_sound(json!({"media": {"kind": "audio", "id": "1", "caption": "x"}}), 422)]
#[case::answers_nothing(json!({"text": "a", "answers": "wamid.IN1"}), 422)]
#[case::file(json!({"media": {"kind": "document", "link": "https://x.example/a.pdf", "file_name": "a.pdf"}}), 201)]
#[tokio::test]
async fn a_body_is_checked(#[case] body: Value, #[case] status: u16) {
    let d = desk(vec![]);
    let id = d.wrote_text(0).await;
    let reply = d.writes(&id, "k1", body).await;
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
    assert_eq!(d.sender.sent.lock().len(), usize::from(status == 201));
}

#[tokio::test]
async fn an_answer_names_the_message_that_it_answers() {
    let d = desk(vec![]);
    let id = d.wrote_text(0).await;
    let listed = send(&d.w, with_token(get(&format!("/v1/interactions/{id}/messages")))).await.json();
    let body = json!({"text": "sim", "answers": listed["items"][0]["id"]});
    assert_eq!(d.writes(&id, "k1", body).await.status.as_u16(), 201);
    assert_eq!(d.sender.sent.lock()[0].1.answers.as_ref().unwrap().as_str(), "wamid.IN1");
    assert_eq!(d.does(&format!("{id}/read"), "k2", json!({})).await.status.as_u16(), 204);
    assert_eq!(*d.sender.read.lock(), ["wamid.IN1"]);
}

#[tokio::test]
async fn where_nothing_can_be_sent_that_is_said() {
    let d = desk(vec![]);
    let id = d.wrote("deaf", "wamid.IN9", 0, json!({"type": "text", "text": {"body": "oi"}})).await;
    let reply = d.writes(&id, "k1", json!({"text": "a"})).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (409, &json!("channel-only-receives")));
    let nowhere = d.writes("0192d3a0-0000-7000-8000-000000000000", "k1", json!({"text": "a"})).await;
    assert_eq!(nowhere.status.as_u16(), 404);
    // Another company's token sees nothing of it.
    let mut request = post(&format!("/v1/interactions/{id}/messages"), r#"{"text":"a"}"#);
    request.headers_mut().insert("authorization", format!("Bearer {OTHER_TOKEN}").parse().unwrap());
    assert_eq!(send(&d.w, request).await.status.as_u16(), 404);
    let mut request = post(&format!("/v1/interactions/{id}/messages"), r#"{"text":"a"}"#);
    request.headers_mut().remove("authorization");
    assert_eq!(send(&d.w, request).await.status.as_u16(), 401);
}

#[tokio::test]
async fn a_conversation_is_given_closed_and_another_begins() {
    let d = desk(vec![]);
    let id = d.wrote_text(0).await;
    let given = d.does(&format!("{id}/assign"), "a1", json!({"agent": "bruna", "queue": "vendas"})).await;
    assert_eq!(given.status.as_u16(), 200, "{}", given.text);
    let shown = send(&d.w, with_token(get(&format!("/v1/interactions/{id}")))).await.json();
    assert_eq!((&shown["agent"], &shown["queue"]), (&json!("bruna"), &json!("vendas")));
    let again = d.does(&format!("{id}/assign"), "a2", json!({"agent": "bruna"})).await.json();
    assert_eq!(again["repeated"], true);

    let closed = d.does(&format!("{id}/close"), "c1", json!({})).await;
    assert_eq!((closed.status.as_u16(), &closed.json()["state"]), (200, &json!("ended")));
    assert_eq!(d.does(&format!("{id}/assign"), "a3", json!({"agent": "caio"})).await.status.as_u16(), 422);

    // The window is the customer's, not the conversation's; the closed one stays closed.
    let first = d.writes(&id, "k1", json!({"text": "mais uma coisa"})).await;
    assert_eq!(first.status.as_u16(), 201, "{}", first.text);
    let next = first.json()["message"]["interaction"].as_str().unwrap().to_owned();
    assert_ne!(next, id);
    let second = d.writes(&id, "k2", json!({"text": "e outra"})).await.json();
    assert_eq!(second["message"]["interaction"], next, "it joins the one that goes on");
    assert_eq!(d.messages(&next).await, ["outbound sent mais uma coisa", "outbound sent e outra"]);
    d.wrote("wa", "wamid.IN2", 0, json!({"type": "text", "text": {"body": "diga"}})).await;
    assert_eq!(d.messages(&next).await.len(), 3, "the answer is in the same conversation");
}

#[tokio::test]
async fn a_file_is_fetched_when_somebody_asks_and_kept() {
    let d = desk(vec![]);
    let image = json!({"type": "image", "image": {"id": "90001", "mime_type": "image/png"}, "context": {"id": "wamid.X"}});
    let id = d.wrote("wa", "wamid.IN1", 0, image).await;
    let listed = send(&d.w, with_token(get(&format!("/v1/interactions/{id}/messages")))).await.json();
    let message = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let file = async |n: u32| {
        send(&d.w, with_token(get(&format!("/v1/interactions/{id}/messages/{message}/files/{n}")))).await
    };
    for _ in 0..2 {
        let reply = file(0).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, "made up"));
        assert_eq!(
            (reply.header("content-type"), reply.header("content-disposition")),
            ("image/png", "attachment")
        );
    }
    assert_eq!(*d.files.0.lock(), 1, "the second time it was here");
    assert_eq!(file(1).await.status.as_u16(), 404, "a mark is no file");
    assert_eq!(file(7).await.status.as_u16(), 404);

    let other = json!({"type": "image", "image": {"id": "90002", "mime_type": "image/png"}});
    d.wrote("wa", "wamid.IN2", 0, other).await;
    let listed = send(&d.w, with_token(get(&format!("/v1/interactions/{id}/messages")))).await.json();
    let message = listed["items"][1]["id"].as_str().unwrap();
    let reply =
        send(&d.w, with_token(get(&format!("/v1/interactions/{id}/messages/{message}/files/0")))).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (502, &json!("file-not-fetched")));
}

#[tokio::test]
async fn the_address_is_verified_by_the_channels_word() {
    let d = desk(vec![]);
    let ask = |word: &str| {
        get(&format!(
            "/v1/channels/wa/webhook?hub.mode=subscribe&hub.verify_token={word}&hub.challenge=1158201444"
        ))
    };
    let reply = send(&d.w, ask("made-up-word")).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, "1158201444"));
    assert_eq!(send(&d.w, ask("guessed")).await.status.as_u16(), 403);
}
