//! Mapping files: what each says of a payload, and what is refused.

use jiff::Timestamp;
use proptest::prelude::*;
use ramal_center::{Clear, Region};
use rstest::rstest;
use serde_json::json;
use url::Url;

use super::*;
use crate::Incoming;
use crate::twilio::tests::told;

const RUSTPBX: &str = include_str!("../../../../docs/channels/rustpbx.toml");
const TOTALVOICE: &str = include_str!("../../../../docs/channels/totalvoice.toml");
const ZENVIA: &str = include_str!("../../../../docs/channels/zenvia.toml");
const SAMPLES: [(&str, &str); 3] =
    [("rustpbx.toml", RUSTPBX), ("totalvoice.toml", TOTALVOICE), ("zenvia.toml", ZENVIA)];
const SECRET: &str = "a made-up secret of 32 characters";

fn now() -> Timestamp {
    "2026-11-23T20:00:00Z".parse().unwrap()
}

fn mapping(text: &str) -> Mapping {
    Mapping::parse("mapping.toml", text).unwrap_or_else(|e| panic!("{}", e.render(false)))
}

/// What a mapping makes of a payload; digests are cut to their first four digits.
fn made(text: &str, media_type: &str, body: &str) -> String {
    match mapping(text).read(media_type, body.as_bytes(), Region::BR, now()) {
        Err(refusal) => refusal.to_string(),
        Ok(reading) => {
            let words: Vec<String> = told(&reading).split(' ').map(cut).collect();
            words.join(" ")
        }
    }
}

fn cut(word: &str) -> String {
    let is_digest =
        word.len() > 33 && word.get(..32).is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    match word.split_once('.').filter(|_| is_digest) {
        Some((_, kind)) => format!("#.{kind}"),
        None => word.to_owned(),
    }
}

// === the samples, with made-up payloads of their providers' shape ===

fn cdr(more: serde_json::Value) -> String {
    let mut cdr = json!({
        "callId": "abc@rustpbx.example", "sessionId": "s-1", "startTime": "2026-11-23T19:00:00Z",
        "ringTime": "2026-11-23T19:00:01Z", "answerTime": "2026-11-23T19:00:05Z",
        "endTime": "2026-11-23T19:01:00Z", "caller": "sip:+5511987654321@10.0.0.1",
        "callee": "sip:551132100000@10.0.0.2", "statusCode": 200, "hangupReason": "byCaller",
        "recorder": [], "direction": "inbound", "status": "completed",
    });
    cdr.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("--b\r\nContent-Disposition: form-data; name=\"calllog.json\"\r\n\r\n{cdr}\r\n--b--\r\n")
}

#[rstest]
#[case::answered(cdr(json!({"recordingUrl": "https://rustpbx.example/r/1"})),
    "19:00:00 #.ringing abc@rustpbx.example ringing fixed inbound +5511987654321 to +551132100000\n\
     19:00:05 #.answered abc@rustpbx.example answered by -\n\
     19:01:00 #.recording-ready abc@rustpbx.example recording Ready { duration_ms: 0, digest: None }\n\
     19:01:00 #.ended abc@rustpbx.example ended completed Some(\"byCaller\")")]
#[case::busy(cdr(json!({"answerTime": null, "statusCode": 486, "status": "failed"})),
    "19:00:00 #.ringing abc@rustpbx.example ringing fixed inbound +5511987654321 to +551132100000\n\
     19:01:00 #.ended abc@rustpbx.example ended busy Some(\"byCaller\")")]
#[case::odd_answer(cdr(json!({"answerTime": "soon"})),
    "19:00:00 #.ringing abc@rustpbx.example ringing fixed inbound +5511987654321 to +551132100000\n\
     19:01:00 #.ended abc@rustpbx.example ended completed Some(\"byCaller\")\npassed over: time-unreadable")]
fn a_record_at_the_end_is_a_whole_call(#[case] body: String, #[case] expected: &str) {
    assert_eq!(made(RUSTPBX, "multipart/form-data; boundary=b", &body), expected);
}

fn total_voice(origin: &str, status: &str, more: serde_json::Value) -> String {
    let mut to = json!({"numero": "11987654321", "tipo": "movel", "status": status});
    to.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "id": 4242, "data_criacao": "2026-11-23T16:00:00", "gravar_audio": true, "cliente_id": 7, "tags": "",
        "origem": {"numero": "2001", "tipo": origin, "status": "atendida"}, "destino": to,
    })
    .to_string()
}

#[rstest]
#[case::rings(total_voice("ramal", "chamando", json!({})),
    "19:00:00 #.ringing 4242 ringing fixed outbound withheld to +5511987654321")]
#[case::answered(total_voice("ramal", "atendida", json!({"data_inicio": "2026-11-23T16:00:10"})),
    "19:00:00 #.ringing 4242 ringing fixed outbound withheld to +5511987654321\n19:00:10 #.answered 4242 answered by -")]
#[case::over(total_voice("ramal", "finalizada", json!({"data_inicio": "2026-11-23T16:00:10", "duracao_segundos": 65})),
    "19:00:00 #.ringing 4242 ringing fixed outbound withheld to +5511987654321\n\
     19:01:15 #.ended 4242 ended completed Some(\"finalizada\")")]
#[case::busy(total_voice("movel", "ocupado", json!({})),
    "19:00:00 #.ringing 4242 ringing mobile inbound withheld to +5511987654321\n\
     19:00:00 #.ended 4242 ended busy Some(\"ocupado\")")]
fn local_times_and_the_providers_words(#[case] body: String, #[case] expected: &str) {
    assert_eq!(made(TOTALVOICE, "application/json", &body), expected);
}

#[rstest]
#[case::sms(json!({"id": "e1", "timestamp": "2026-11-23T19:00:00Z", "type": "MESSAGE", "channel": "sms", "direction": "IN",
        "message": {"id": "m1", "from": "5511987654321", "to": "28908", "channel": "sms", "contents": [{"type": "text", "text": "Olá"}]}}),
    "m1 sms inbound [\"+5511987654321\"] to 28908 \"Olá\" []")]
#[case::whatsapp(json!({"id": "e2", "timestamp": "2026-11-23T19:00:00Z", "type": "MESSAGE", "channel": "whatsapp", "direction": "IN",
        "message": {"id": "m2", "from": "554787654321", "to": "551132100000", "channel": "whatsapp", "contents": [
            {"type": "file", "fileUrl": "https://z.example/1", "fileMimeType": "image/png", "fileCaption": "a foto"}, {"type": "text", "text": "veja"}]}}),
    "m2 whatsapp inbound [\"554787654321\", \"+5547987654321\"] to 551132100000 \"veja\\na foto\" [\"image/png https://z.example/1\"]")]
#[case::of_the_company(json!({"id": "e3", "timestamp": "2026-11-23T19:00:00Z", "type": "MESSAGE", "direction": "OUT"}), "passed over: no-rule")]
#[case::failed(json!({"id": "e4", "timestamp": "2026-11-23T19:00:00Z", "type": "MESSAGE_STATUS", "messageId": "m1",
        "messageStatus": {"code": "NOT_DELIVERED", "causes": [{"channelErrorCode": "69"}]}}),
    "#.status m1 failed Some(\"69\")")]
#[case::unknown_status(json!({"id": "e5", "timestamp": "2026-11-23T19:00:00Z", "type": "MESSAGE_STATUS", "messageId": "m1",
        "messageStatus": {"code": "DREAMT"}}), "passed over: word-unknown")]
fn messages_and_statuses(#[case] body: serde_json::Value, #[case] expected: &str) {
    assert_eq!(made(ZENVIA, "application/json", &body.to_string()), expected);
}

// === the file ===

const SMALL: &str = "name = \"Acme\"\nverify = { scheme = \"ramal-signature\" }\n[[call]]\nkind = \"answered\"\ncall-id = \"/id\"\n";

#[test]
fn the_same_payload_is_the_same_event_and_another_is_another() {
    let with = |id: &str, body: &str| {
        let text = SMALL.replacen("[[call]]", &format!("{id}\n[[call]]"), 1);
        let reading = mapping(&text).read("", body.as_bytes(), Region::BR, now()).unwrap();
        let Some(crate::Heard::Call(event)) = reading.heard.first() else { panic!("no call") };
        event.event_id.as_str().to_owned()
    };
    let by = "id = [\"/a\", \"/b\"]";
    assert_eq!(with(by, r#"{"id":1,"a":1,"b":23}"#), with(by, r#"{"b":23,"a":1,"id":1,"c":0}"#));
    assert_ne!(with(by, r#"{"id":1,"a":1,"b":23}"#), with(by, r#"{"id":1,"a":12,"b":3}"#));
    assert_ne!(with("", r#"{"id":1,"a":1}"#), with("", r#"{"id":1,"a":2}"#));
}

#[test]
fn an_identifier_that_cannot_be_kept_is_kept_by_its_digest() {
    let made = made(SMALL, "", r#"{"id":"ligação nº 1"}"#);
    let call = made.split(' ').nth(2).unwrap();
    assert!(call.len() == 32 && call.bytes().all(|b| b.is_ascii_hexdigit()), "{made}");
}

#[rstest]
#[case::truncated(r#"{"id":"#, "the request cannot be read: the body is not JSON")]
#[case::wrongly_encoded("{\"id\":\"\u{fffd}\"", "the request cannot be read: the body is not JSON")]
#[case::no_call("{}", "passed over: call-missing")]
#[case::a_list("[]", "passed over: call-missing")]
#[case::null("null", "passed over: call-missing")]
fn bad_input_is_refused_or_counted(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(made(SMALL, "", body), expected);
}

#[test]
fn mistakes_are_shown_at_their_place() {
    let broken = r#"
name = ""
verify = { scheme = "hmac-md5", header = "X" }
colour = "blue"
region = "Brasil"

[time]
format = "%d/%m/%Y %H:%M"

[[call]]
kind = "ringing"
from = "caller"
direction = { at = "/d", words = { in = "inwards" } }

[[call]]
kind = "ended"
call-id = "/id"
agent = "/agent"
when = { "/a" = 7, "b" = true }

[[message]]
reference = "/id"
channel = "fax"
contact = []
"#;
    insta::assert_snapshot!(Mapping::parse("acme.toml", broken).unwrap_err().to_string());
}

#[rstest]
#[case::no_rule("name = \"Acme\"\nverify = { scheme = \"ramal-signature\" }\n", "there is no rule")]
#[case::two_places_of_the_secret(
    "name = \"Acme\"\nverify = { scheme = \"secret\", header = \"A\", query = \"b\" }\n",
    "one of the two"
)]
#[case::no_proof("name = \"Acme\"\n", "lacks `verify`")]
#[case::local_times(
    "name = \"Acme\"\nverify = { scheme = \"ramal-signature\" }\ntime = { format = \"%d/%m/%Y\" }\n",
    "have no offset"
)]
fn a_file_says_what_it_lacks(#[case] text: &str, #[case] expected: &str) {
    let error = Mapping::parse("acme.toml", text).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn another_tenants_secret_proves_nothing() {
    let url = Url::parse("https://ramal.example/v1/channels/z/webhook").unwrap();
    let ours = Mapped::new(mapping(ZENVIA), vec![Clear::from(SECRET)], Region::BR);
    let theirs =
        Mapped::new(mapping(ZENVIA), vec![Clear::from("the secret of another tenant, 32 long")], Region::BR);
    let headers = [("x-ramal-key", SECRET)];
    let incoming = Incoming { url: &url, headers: &headers, body: b"{}", now: now() };
    assert!(ours.prove(&incoming).is_ok());
    assert!(theirs.prove(&incoming).is_err());
}

proptest! {
    #[test]
    fn no_file_and_no_body_is_a_defect(text in "\\PC{0,200}", body in any::<Vec<u8>>()) {
        let _ = Mapping::parse("acme.toml", &text);
        for (_, sample) in SAMPLES {
            let _ = mapping(sample).read("multipart/form-data; boundary=b", &body, Region::BR, now());
        }
    }

    #[test]
    fn a_payload_of_the_right_shape_with_anything_in_it(
        id in "\\PC{0,40}", status in "\\PC{0,12}", at in "\\PC{0,30}", from in "\\PC{0,30}",
    ) {
        let body = json!({"id": id, "data_criacao": at, "origem": {"numero": from, "tipo": status},
            "destino": {"numero": from, "status": status, "duracao_segundos": at}}).to_string();
        let first = mapping(TOTALVOICE).read("", body.as_bytes(), Region::BR, now());
        prop_assert_eq!(first, mapping(TOTALVOICE).read("", body.as_bytes(), Region::BR, now()));
    }
}
