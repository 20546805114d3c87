//! Every body is read, or every fault of it is named and nothing of it quoted.

use super::*;
use rstest::rstest;

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn faults(body: &str) -> String {
    match read(body.as_bytes(), Region::BR, now()) {
        Ok(event) => format!("ok: {:?} {}", event.kind, event.at),
        Err(problem) => {
            let json = serde_json::to_value(&problem).unwrap();
            let list = json["errors"].as_array().cloned().unwrap_or_default();
            let list = list.iter().map(|e| e["detail"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
            format!("{}: {}", problem.code().as_str(), list.join("; "))
        }
    }
}

#[rstest]
#[case::ringing(r#"{"event_id":"e","call_id":"c","type":"ringing","from":"+5511987654321","to":"(11) 3333-4444","queue":"sales"}"#, "ok: ringing 2026-11-23T12:00:00Z")]
#[case::national(
    r#"{"event_id":"e","call_id":"c","type":"ringing","from":"11 98765-4321"}"#,
    "ok: ringing 2026-11-23T12:00:00Z"
)]
#[case::withheld(
    r#"{"event_id":"e","call_id":"c","type":"ringing","from":null}"#,
    "ok: ringing 2026-11-23T12:00:00Z"
)]
#[case::answered(
    r#"{"event_id":"e","call_id":"c","type":"answered","agent":"Bruna"}"#,
    "ok: answered 2026-11-23T12:00:00Z"
)]
#[case::ended(
    r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","at":"2026-11-23T11:59:00-03:00"}"#,
    "invalid: `at` is more than 5 minutes ahead: check the sender's clock"
)]
#[case::ended_in_time(
    r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","at":"2026-11-23T08:59:00-03:00"}"#,
    "ok: ended 2026-11-23T11:59:00Z"
)]
#[case::no_from(
    r#"{"event_id":"e","call_id":"c","type":"ringing"}"#,
    "invalid: `from` is missing: give the caller's number, or null when it was withheld"
)]
#[case::nothing("{}", "invalid: `event_id` is missing; `call_id` is missing; `type` is missing")]
#[case::no_cause(r#"{"event_id":"e","call_id":"c","type":"ended"}"#, "invalid: `cause` is missing")]
#[case::bad_cause(
    r#"{"event_id":"e","call_id":"c","type":"ended","cause":"bored"}"#,
    "invalid: `cause` is one of completed, missed, abandoned, busy, rejected, failed, no-answer, voicemail"
)]
#[case::bad_type(
    r#"{"event_id":"e","call_id":"c","type":"hold"}"#,
    "invalid: `type` is one of ringing, answered, held, resumed, queued, transferred, recording-started, recording-paused, recording-resumed, recording-ready, recording-deleted, ended"
)]
#[case::number_as_number(
    r#"{"event_id":"e","call_id":"c","type":"ringing","from":5511987654321}"#,
    "invalid: `from` must be a text in quotes"
)]
#[case::bad_time(
    r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","at":"yesterday"}"#,
    "invalid: `at` is no time: write it as in RFC 3339, such as 2026-01-31T12:00:00Z"
)]
#[case::misspelt(
    r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","form":"x"}"#,
    "invalid: `form` is no field of this type of event"
)]
#[case::value_as_field(
    r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","+5511987654321":"x"}"#,
    "invalid: there is a field that no event has"
)]
#[case::field_of_another_type(
    r#"{"event_id":"e","call_id":"c","type":"answered","cause":"missed"}"#,
    "invalid: `cause` is no field of this type of event"
)]
#[case::control_character(
    r#"{"event_id":"e","call_id":"c","type":"answered","agent":"a\u0007"}"#,
    "invalid: `agent` is a text of 1 to 128 characters without control characters"
)]
#[case::spaces_in_an_id(
    r#"{"event_id":"e 1","call_id":"c","type":"answered"}"#,
    "invalid: `event_id` not a event id: use 1 to 128 visible ASCII characters without spaces"
)]
#[case::outbound(
    r#"{"event_id":"e","call_id":"c","type":"ringing","from":"11 3333-4444","to":"11 98765-4321","channel":"mobile","direction":"outbound"}"#,
    "ok: ringing 2026-11-23T12:00:00Z"
)]
#[case::no_line(
    r#"{"event_id":"e","call_id":"c","type":"ringing","from":null,"channel":"whatsapp","direction":"in"}"#,
    "invalid: `channel` is one of fixed, mobile; `direction` is one of inbound, outbound, internal"
)]
#[case::held(r#"{"event_id":"e","call_id":"c","type":"held"}"#, "ok: held 2026-11-23T12:00:00Z")]
#[case::resumed(r#"{"event_id":"e","call_id":"c","type":"resumed"}"#, "ok: resumed 2026-11-23T12:00:00Z")]
#[case::queued(
    r#"{"event_id":"e","call_id":"c","type":"queued","queue":"sales"}"#,
    "ok: queued 2026-11-23T12:00:00Z"
)]
#[case::transferred(
    r#"{"event_id":"e","call_id":"c","type":"transferred","agent":"Bruna","queue":"sales"}"#,
    "ok: transferred 2026-11-23T12:00:00Z"
)]
#[case::recording(
    r#"{"event_id":"e","call_id":"c","type":"recording-ready","recording":"0198b2f2-aaaa-7aaa-8aaa-aaaaaaaaaaaa","duration_ms":9000,"digest":"sha512-V-q4"}"#,
    "ok: recording 2026-11-23T12:00:00Z"
)]
#[case::recording_without_length(
    r#"{"event_id":"e","call_id":"c","type":"recording-ready","recording":"rec-1","digest":"a b"}"#,
    "invalid: `duration_ms` is missing; `digest` is a digest such as `sha512-` and its value in base64url; `recording` is the recording's identifier, a UUID"
)]
#[case::length_as_text(
    r#"{"event_id":"e","call_id":"c","type":"recording-ready","recording":"0198b2f2-aaaa-7aaa-8aaa-aaaaaaaaaaaa","duration_ms":"9"}"#,
    "invalid: `duration_ms` is a whole number of milliseconds, without quotes"
)]
#[case::a_list("[]", "invalid: the body must be one JSON object")]
#[case::not_json("{", "not-json: ")]
#[case::empty("", "not-json: ")]
fn an_event_is_read_or_every_fault_is_named(#[case] body: &str, #[case] then: &str) {
    assert_eq!(faults(body), then);
}

#[rstest]
#[case::not_a_number(r#"{"event_id":"e","call_id":"c","type":"ringing","from":"98765CANARY"}"#)]
#[case::in_the_wrong_place(r#"{"event_id":"e","call_id":"c","type":"98765CANARY"}"#)]
#[case::in_the_cause(r#"{"event_id":"e","call_id":"c","type":"ended","cause":"98765CANARY"}"#)]
#[case::in_an_id(r#"{"event_id":"e","call_id":"98765 CANARY","type":"ended","cause":"missed"}"#)]
#[case::as_a_field(r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","98765CANARY":1}"#)]
#[case::outside_of_json("98765CANARY")]
fn no_error_quotes_what_was_sent(#[case] body: &str) {
    let problem = read(body.as_bytes(), Region::BR, now()).unwrap_err();
    let json = serde_json::to_string(&problem).unwrap();
    assert!(!json.contains("98765") && !json.contains("CANARY"), "{json}");
}
