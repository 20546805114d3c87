//! What comes in, read by pywa and by us: the same verdict on every signature, and the same message, user, status or call
//! in every body that pywa reads, whole or broken. All people and numbers are invented.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use ramal_center::{Clear, ContactKind, MessageStatus, Namespace, Region};
use ramal_channels::{Heard, Incoming, Reply, Webhook, WhatsApp, WhatsAppKeys, WhatsAppNumber};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::process::Command;
use url::Url;

use crate::installed::{Asked, install, tests_folder};

const SECRET: &str = "made-up-app-secret";
const ACCOUNT: &str = "102290129340398";
const NUMBER: &str = "106540352242922";
const BODIES: usize = 3_000;
const SIGNATURES: usize = 1_500;

async fn library(test: &str) -> Option<Asked> {
    let folder = install("whatsapp", test).await?;
    let script = tests_folder().join("whatsapp/library.py");
    Some(Asked::start(Command::new(folder.join("venv/bin/python")).arg(script)))
}

fn ours() -> WhatsApp {
    let keys = WhatsAppKeys {
        app_secrets: vec![Clear::from(SECRET)],
        verify_tokens: vec![Clear::from("made-up-word")],
    };
    let number = WhatsAppNumber {
        account: ACCOUNT.to_owned(),
        phone_number_id: NUMBER.to_owned(),
        portfolio: "P1".to_owned(),
    };
    WhatsApp::new(number, keys, Region::BR)
}

fn incoming<'a>(url: &'a Url, headers: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Incoming<'a> {
    Incoming { url, headers, body, now: Timestamp::now() }
}

fn address() -> Url {
    Url::parse("https://ramal.example/v1/channels/wa/webhook").unwrap()
}

fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", HEXLOWER.encode(hmac::sign(&key, body).as_ref()))
}

fn around(field: &str, mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "551132100000", "phone_number_id": NUMBER});
    if value.get("contacts").is_none() {
        value["contacts"] = json!([{"profile": {"name": "Ana Prado", "username": "anaprado"}, "wa_id": "5511987654321",
            "user_id": "BR.13491208655302741918"}]);
    }
    json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": [{"field": field, "value": value}]}]})
}

fn message(mut part: Value) -> Value {
    part["from"] = json!("5511987654321");
    part["from_user_id"] = json!("BR.13491208655302741918");
    part["id"] = json!("wamid.IN1");
    part["timestamp"] = json!("1763899140");
    around("messages", json!({"messages": [part]}))
}

fn status(mut part: Value) -> Value {
    part["id"] = json!("wamid.OUT1");
    part["timestamp"] = json!("1763899140");
    part["recipient_id"] = json!("5511987654321");
    around("messages", json!({"statuses": [part]}))
}

/// Bodies in Meta's form, one of each kind; made up.
fn bodies() -> Vec<Value> {
    let media = |kind: &str, mime: &str| {
        message(json!({"type": kind, kind: {"id": "90001", "mime_type": mime, "sha256": "aGFzaA==",
            "url": "https://lookaside.fbsbx.com/x", "caption": "a nota", "filename": "nota.pdf", "voice": true, "animated": false}}))
    };
    let context = json!({"from": "551132100000", "id": "wamid.OUT1"});
    let call = |mut part: Value| {
        part["id"] = json!("wacid.1");
        part["timestamp"] = json!("1763899140");
        around("calls", json!({"calls": [part]}))
    };
    vec![
        message(json!({"type": "text", "text": {"body": "Olá, tudo bem? 👍"}})),
        message(json!({"type": "text", "text": {"body": "sim"}, "context": context})),
        media("image", "image/jpeg"),
        media("video", "video/mp4"),
        media("audio", "audio/ogg; codecs=opus"),
        media("document", "application/pdf"),
        media("sticker", "image/webp"),
        message(
            json!({"type": "location", "location": {"latitude": -23.5, "longitude": -46.6, "name": "Loja"}}),
        ),
        message(
            json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Rui", "first_name": "Rui"},
            "phones": [{"phone": "+551140028922", "type": "CELL"}]}]}),
        ),
        message(json!({"type": "reaction", "reaction": {"message_id": "wamid.OUT1", "emoji": "👍"}})),
        message(json!({"type": "button", "button": {"text": "Sim", "payload": "yes-1"}, "context": context})),
        message(json!({"type": "interactive", "context": context,
            "interactive": {"type": "button_reply", "button_reply": {"id": "b1", "title": "Sim"}}})),
        message(json!({"type": "interactive", "context": context,
            "interactive": {"type": "list_reply", "list_reply": {"id": "r1", "title": "Plano", "description": "o maior"}}})),
        message(json!({"type": "order", "order": {"catalog_id": "c1", "text": "x",
            "product_items": [{"product_retailer_id": "s", "quantity": 1, "item_price": 2.5, "currency": "BRL"}]}})),
        message(
            json!({"type": "unsupported", "errors": [{"code": 131051, "title": "Unsupported", "message": "x",
            "error_data": {"details": "x"}}]}),
        ),
        message(json!({"type": "hologram", "hologram": {"id": "1"}})),
        message(json!({"type": "system", "system": {"type": "user_changed_number", "body": "mudou",
            "wa_id": "551140028922"}})),
        message(
            json!({"type": "edit", "edit": {"original_message_id": "wamid.IN0", "message": {"type": "text", "id": "wamid.IN1",
            "text": {"body": "digo"}}}}),
        ),
        message(json!({"type": "revoke", "revoke": {"original_message_id": "wamid.IN0"}})),
        status(
            json!({"status": "sent", "biz_opaque_callback_data": "ramal.m-1", "pricing": {"billable": true,
            "pricing_model": "PMP", "category": "service", "type": "regular"}}),
        ),
        status(json!({"status": "delivered"})),
        status(json!({"status": "read"})),
        status(json!({"status": "failed", "errors": [{"code": 131047, "title": "Re-engagement message",
            "message": "x", "error_data": {"details": "x"}}]})),
        call(
            json!({"from": "5511987654321", "to": "551132100000", "event": "connect", "direction": "USER_INITIATED",
            "session": {"sdp_type": "offer", "sdp": "v=0"}}),
        ),
        call(
            json!({"from": "5511987654321", "to": "551132100000", "event": "terminate", "direction": "USER_INITIATED",
            "status": "COMPLETED", "start_time": "1763899080", "end_time": "1763899140", "duration": 60}),
        ),
        around(
            "calls",
            json!({"statuses": [{"id": "wacid.2", "type": "call", "status": "RINGING",
            "timestamp": "1763899140", "recipient_id": "5511987654321"}]}),
        ),
    ]
}

/// What both say of a body, in words that both have.
type Told = BTreeMap<&'static str, Value>;

fn we_read(body: &[u8]) -> Vec<Told> {
    let url = address();
    let Ok(reading) = ours().read(&incoming(&url, &[], body)) else { return Vec::new() };
    let mut all: Vec<Told> = Vec::new();
    for heard in &reading.heard {
        let told: Told = match heard {
            Heard::Message(m) => {
                let name = |namespace: &str| {
                    let found = m
                        .contacts
                        .iter()
                        .find(|c| c.kind == ContactKind::Whatsapp && c.namespace.as_str() == namespace);
                    json!(found.map(|c| c.value().expose()))
                };
                [
                    ("what", json!("message")),
                    ("id", json!(m.reference.as_str())),
                    ("user", name("bsuid:p1")),
                    ("wa_id", name(Namespace::WA_ID)),
                    ("at", json!(m.at.as_second())),
                    ("text", json!(m.text.as_ref().map(Clear::expose))),
                ]
                .into()
            }
            Heard::Status(s) => {
                let id = s.event_id.as_str().rsplit_once('.').unwrap().0.to_owned();
                [
                    ("what", json!("status")),
                    ("id", json!(id)),
                    ("status", json!(s.status.as_str())),
                    ("at", json!(s.at.as_second())),
                ]
                .into()
            }
            // Several events of one call are one notice.
            Heard::Call(c) => {
                let id = json!(c.call_id.as_str());
                if all.last().is_some_and(|last| last["what"] == "call" && last["id"] == id) {
                    continue;
                }
                [("what", json!("call")), ("id", id)].into()
            }
        };
        all.push(told);
    }
    all
}

/// What pywa read, in the same words.
fn pywa_read(read: &Value) -> Option<Told> {
    let what = read.get("what")?.as_str()?;
    let get = |name: &str| read.get(name).cloned().unwrap_or(Value::Null);
    Some(match what {
        "MessageStatus" => {
            let status = match get("status").as_str().unwrap_or_default() {
                "played" => MessageStatus::Read.as_str().to_owned(),
                other => other.to_owned(),
            };
            [("what", json!("status")), ("id", get("id")), ("status", json!(status)), ("at", get("at"))]
                .into()
        }
        "CallConnect" | "CallTerminate" | "CallStatus" => [("what", json!("call")), ("id", get("id"))].into(),
        _ => {
            let text = match (what, read["type"].as_str().unwrap_or_default()) {
                ("Message", "text") => get("text"),
                ("Message", "image" | "video" | "document") => get("caption"),
                ("CallbackButton", _) => get("title"),
                _ => Value::Null,
            };
            [
                ("what", json!("message")),
                ("id", get("id")),
                ("user", get("user")),
                ("wa_id", get("wa_id")),
                ("at", get("at")),
                ("text", text),
            ]
            .into()
        }
    })
}

/// The only difference in a body that is whole.
const SYSTEM: &str = "pywa knows whom WhatsApp's own notices are about by the number alone";

/// Why the two may differ. Everything else must be the same.
fn known_difference(body: &Value, theirs: &Told, we: Option<&Told>) -> Option<&'static str> {
    let value = &body["entry"][0]["changes"][0]["value"];
    let part =
        ["messages", "statuses", "calls"].iter().map(|name| &value[name][0]).find(|part| part.is_object());
    let part = part.unwrap_or(&Value::Null);
    let contact = &value["contacts"][0];
    if body["object"] != "whatsapp_business_account" {
        return Some("pywa does not look at `object`; an app may be subscribed to others");
    }
    if body["entry"][0]["id"] != ACCOUNT || value["metadata"]["phone_number_id"] != NUMBER {
        return Some("pywa compares identifiers as it was given them, and passes where they are missing");
    }
    if !part["id"].is_string() || part["id"] == "" {
        return Some("pywa takes an identifier of any type; ours would not know it again");
    }
    if part["id"].as_str().is_some_and(|id| !id.is_ascii()) {
        return Some("an identifier that is no visible ASCII is kept by its digest");
    }
    if part.get("group_id").is_some() {
        return Some("pywa reads groups; a group is nobody's conversation here");
    }
    if we.is_none() && theirs["what"] == "status" {
        return Some("pywa makes a status that nobody knows `unknown`; ours counts it");
    }
    if we.is_none() && theirs["what"] == "call" {
        return Some("pywa makes a direction or state that nobody knows `unknown`; ours counts it");
    }
    let we = we?;
    let differs = |name: &str| theirs.get(name) != we.get(name);
    if differs("user") || differs("wa_id") {
        let same = contact["user_id"] == part["from_user_id"] && contact["wa_id"] == part["from"];
        if part["type"] == "system" && theirs["user"].is_null() {
            return Some(SYSTEM);
        }
        if !same {
            return Some("pywa takes the first of `contacts` for the writer; ours goes by `from`");
        }
    }
    if differs("text") && !differs("id") && !theirs["text"].is_string() {
        return Some("pywa has no such text, or one of another type; ours has what people can read");
    }
    if differs("at")
        && part["timestamp"].as_str().is_none_or(|text| text != text.trim() || text.contains('_'))
    {
        return Some("pywa reads times as Python reads numbers");
    }
    None
}

/// How often each known difference was seen, and what was seen that is none.
#[derive(Default)]
struct Differences {
    known: BTreeMap<&'static str, usize>,
    other: Vec<String>,
}

/// Asks both; whether pywa read anything.
async fn agree(library: &mut Asked, body: &Value, differences: &mut Differences) -> bool {
    let bytes = body.to_string().into_bytes();
    let verdict = library.ask(&json!({"do": "read", "body": BASE64.encode(&bytes)})).await;
    let we = we_read(&bytes);
    // pywa looks at the first part of the first change alone.
    let Some(theirs) = pywa_read(&verdict["read"]) else { return false };
    let mut first = we.first().cloned();
    if let Some(first) = &mut first {
        // A list's line has a description too, which pywa has elsewhere; edits and the like have their own places.
        if theirs["what"] == "message" && theirs["text"].is_null() {
            first.insert("text", Value::Null);
        }
    }
    if first.as_ref() == Some(&theirs) {
        return true;
    }
    match known_difference(body, &theirs, first.as_ref()) {
        Some(why) => *differences.known.entry(why).or_default() += 1,
        None => differences.other.push(format!("pywa: {theirs:?}\nours: {first:?}\n{body}")),
    }
    true
}

#[tokio::test]
async fn pywa_and_we_read_the_same_in_thousands_of_bodies() {
    let Some(mut library) = library("pywa_and_we_read_the_same").await else { return };
    let mut differences = Differences::default();
    for body in bodies() {
        assert!(agree(&mut library, &body, &mut differences).await, "pywa reads nothing in {body}");
    }
    println!("whole bodies: {} read by both, {:?}", bodies().len(), differences.known);
    assert_eq!(differences.other, [] as [String; 0]);
    assert_eq!(differences.known.keys().collect::<Vec<_>>(), [&SYSTEM]);

    let mut random = StdRng::seed_from_u64(5);
    let mut read = 0;
    for n in 0..BODIES {
        let mut body = bodies()[n % bodies().len()].clone();
        for _ in 0..random.random_range(1..4) {
            // Mostly where it matters; what is around it has few places.
            let inner =
                body.pointer_mut("/entry/0/changes/0/value").filter(|_| random.random_range(0..8) > 0);
            match inner {
                Some(inner) => mutate(inner, &mut random),
                None => mutate(&mut body, &mut random),
            }
        }
        read += usize::from(agree(&mut library, &body, &mut differences).await);
    }
    println!("{BODIES} broken bodies: pywa reads {read}; known differences: {:#?}", differences.known);
    let shown: Vec<&String> = differences.other.iter().take(20).collect();
    assert!(shown.is_empty(), "{} differ: {shown:#?}", differences.other.len());
    assert!(read > BODIES / 3, "too few of the mutations are read at all: {read}");
}

#[tokio::test]
async fn a_batch_is_read_to_its_end_in_any_order_and_again() {
    let Some(mut library) = library("a_batch_is_read_to_its_end").await else { return };
    let all = bodies();
    let changes: Vec<Value> = all.iter().map(|body| body["entry"][0]["changes"][0].clone()).collect();
    let mut random = StdRng::seed_from_u64(6);
    for _ in 0..50 {
        let mut shuffled = changes.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.random_range(0..=at));
        }
        let batch =
            json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": shuffled}]});
        let mut one_by_one = Vec::new();
        for change in &shuffled {
            let single = json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": [change]}]});
            one_by_one.extend(we_read(single.to_string().as_bytes()));
        }
        // Two notices of one call that stand side by side are one here, see `we_read`.
        one_by_one.dedup_by(|a, b| a["what"] == "call" && a == b);
        let bytes = batch.to_string().into_bytes();
        assert_eq!(we_read(&bytes), one_by_one);
        assert_eq!(we_read(&bytes), we_read(&bytes), "the same again says the same");
        // pywa sees the first of it; we agree on that one.
        assert!(agree(&mut library, &batch, &mut Differences::default()).await);
    }
}

/// Changes one thing somewhere: takes it away, puts something else there, or has it twice.
fn mutate(value: &mut Value, random: &mut StdRng) {
    let other = |random: &mut StdRng| match random.random_range(0..8) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!("x"),
        3 => json!(7),
        4 => json!([]),
        5 => json!({}),
        6 => json!("1763899140"),
        _ => json!(true),
    };
    match value {
        Value::Object(object) if !object.is_empty() => {
            let key = object.keys().nth(random.random_range(0..object.len())).unwrap().clone();
            match random.random_range(0..8) {
                0 => drop(object.remove(&key)),
                1 => drop(object.insert(key, other(random))),
                2 => drop(object.insert(format!("{key}_new"), other(random))),
                _ => mutate(object.get_mut(&key).unwrap(), random),
            }
        }
        Value::Array(array) if !array.is_empty() => {
            let at = random.random_range(0..array.len());
            match random.random_range(0..8) {
                0 => array.push(array[at].clone()),
                1 => array.insert(0, other(random)),
                2 => drop(array.remove(at)),
                _ => mutate(&mut array[at], random),
            }
        }
        Value::String(text) if !text.is_empty() && random.random() => {
            let at = random.random_range(0..text.chars().count());
            let changed = text.chars().enumerate().map(|(n, c)| if n == at { 'é' } else { c }).collect();
            *text = changed;
        }
        leaf => *leaf = other(random),
    }
}

#[tokio::test]
async fn pywa_and_we_give_the_same_verdict_on_signatures() {
    let Some(mut library) = library("pywa_and_we_give_the_same_verdict").await else { return };
    let url = address();
    let all = bodies();
    let mut random = StdRng::seed_from_u64(7);
    let (mut accepted, mut refused) = (0, 0);
    for n in 0..SIGNATURES {
        let mut body = all[n % all.len()].to_string().into_bytes();
        let mut signature = sign(SECRET, &body);
        match random.random_range(0..7) {
            0 => {}
            1 => {
                let at = random.random_range(0..body.len());
                body[at] ^= 1 << random.random_range(0..8);
            }
            2 => {
                let mut bytes = signature.into_bytes();
                let at = random.random_range("sha256=".len()..bytes.len());
                bytes[at] = b"0123456789abcdefgA "[random.random_range(0..19)];
                signature = String::from_utf8(bytes).unwrap();
            }
            3 => signature = sign("guessed", &body),
            4 => signature = signature.to_ascii_uppercase().replace("SHA256", "sha256"),
            5 => signature.truncate(random.random_range(7..signature.len())),
            _ => body.push(b' '),
        }
        let headers = [("x-hub-signature-256", signature.as_str())];
        let we = ours().prove(&incoming(&url, &headers, &body)).is_ok();
        let ask =
            json!({"do": "check", "secret": SECRET, "body": BASE64.encode(&body), "signature": signature});
        let they = library.ask(&ask).await["status"] == 200;
        assert_eq!(we, they, "{signature}");
        if we { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 100 && refused > 500, "{accepted} {refused}");

    // Known differences: pywa takes a hash without the word before it. Without any hash both refuse.
    let body = all[0].to_string();
    let bare = sign(SECRET, body.as_bytes()).replace("sha256=", "");
    let ask =
        json!({"do": "check", "secret": SECRET, "body": BASE64.encode(body.as_bytes()), "signature": bare});
    assert_eq!(library.ask(&ask).await["status"], 200);
    let headers = [("x-hub-signature-256", bare.as_str())];
    assert!(ours().prove(&incoming(&url, &headers, body.as_bytes())).is_err());
    let ask = json!({"do": "check", "secret": SECRET, "body": "", "signature": null});
    assert_eq!(library.ask(&ask).await["status"], 401);

    for (given, status) in [("made-up-word", 200), ("guessed", 403)] {
        let ask =
            json!({"do": "challenge", "word": "made-up-word", "given": given, "challenge": "1158201444"});
        assert_eq!(library.ask(&ask).await["status"], status);
        let asked = format!("hub.mode=subscribe&hub.verify_token={given}&hub.challenge=1158201444");
        let mut url = address();
        url.set_query(Some(&asked));
        let reply = ours().challenge(&incoming(&url, &[], b""));
        assert_eq!(reply == Ok(Reply::Text("1158201444".to_owned())), status == 200);
    }
}
