//! Twilio's requests: proved, read, and answered.

use std::fmt::Write as _;

use jiff::Timestamp;
use proptest::prelude::*;
use ramal_center::{CallEvent, EventKind, InteractionDirection};
use rstest::rstest;
use url::Url;

use super::*;
use crate::{Heard, Incoming};

const TOKEN: &str = "12345";
const FORM: &str = "application/x-www-form-urlencoded";
const SETTINGS: &str = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256";

fn twilio() -> Twilio {
    let shared = SharedKey { id: "webhooks_sharedkey_1".to_owned(), secret: Clear::from(TOKEN) };
    let keys = TwilioKeys { tokens: vec![Clear::from(TOKEN), Clear::from("previous")], shared: vec![shared] };
    Twilio::new("AC1", keys, Channel::Mobile, Region::BR)
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn proved(url: &str, headers: &[(&str, &str)], body: &str) -> String {
    let url = Url::parse(url).unwrap();
    let incoming = Incoming { url: &url, headers, body: body.as_bytes(), now: now() };
    twilio().prove(&incoming).map_or_else(|refusal| refusal.to_string(), |()| "proved".to_owned())
}

fn heard(body: &str) -> String {
    let url = Url::parse("https://ramal.example/v1/channels/tw/webhook").unwrap();
    let incoming =
        Incoming { url: &url, headers: &[("content-type", FORM)], body: body.as_bytes(), now: now() };
    match twilio().read(&incoming) {
        Ok(reading) => told(&reading),
        Err(refusal) => refusal.to_string(),
    }
}

/// One line for each thing, without what is the same in all.
pub(crate) fn told(reading: &crate::Reading) -> String {
    let mut lines = String::new();
    for heard in &reading.heard {
        match heard {
            Heard::Call(event) => call(&mut lines, event),
            Heard::Message(m) => {
                let contacts: Vec<&str> = m.contacts.iter().map(|c| c.value().expose()).collect();
                let text = m.text.as_ref().map_or("", Clear::expose);
                let files: Vec<String> =
                    m.attachments.iter().map(|f| format!("{} {}", f.media_type, f.reference)).collect();
                let line = m.line.as_ref().map_or("", Clear::expose);
                writeln!(
                    lines,
                    "{} {} {} {contacts:?} to {line} {text:?} {files:?}",
                    m.reference.as_str(),
                    m.channel,
                    m.direction
                )
                .unwrap();
            }
            Heard::Status(s) => writeln!(
                lines,
                "{} {} {} {:?}",
                s.event_id.as_str(),
                s.reference.as_str(),
                s.status,
                s.provider_cause
            )
            .unwrap(),
        }
    }
    for odd in &reading.passed_over {
        writeln!(lines, "passed over: {}", odd.why.0).unwrap();
    }
    lines.trim_end().to_owned()
}

fn call(lines: &mut String, event: &CallEvent) {
    let number = |n: &ramal_center::PhoneNumber| n.e164();
    let name = |n: &Option<Clear>| n.as_ref().map_or("-".to_owned(), |n| n.expose().to_owned());
    let what = match &event.kind {
        EventKind::Ringing { channel, direction, from, to, queue } => {
            let from = match from {
                ramal_center::Caller::Number(n) => n.e164(),
                ramal_center::Caller::Withheld => "withheld".to_owned(),
            };
            let to = to.as_ref().map_or("-".to_owned(), number);
            let queue = queue.as_deref().map(|q| format!(" in {q}")).unwrap_or_default();
            format!("{channel} {direction} {from} to {to}{queue}")
        }
        EventKind::Answered { agent } => format!("by {}", name(agent)),
        EventKind::LegOpened { leg, agent, number: n } => {
            format!("{} {} {}", leg.as_str(), name(agent), n.as_ref().map_or("-".to_owned(), number))
        }
        EventKind::LegClosed { leg, provider_cause } => format!("{} {provider_cause:?}", leg.as_str()),
        EventKind::Ended { cause, provider_cause } => format!("{cause} {provider_cause:?}"),
        EventKind::Recording { step, .. } => format!("{step:?}"),
        _ => String::new(),
    };
    let at = event.at.strftime("%H:%M:%S");
    writeln!(
        lines,
        "{at} {} {} {} {what}",
        event.event_id.as_str(),
        event.call_id.as_str(),
        event.kind.word()
    )
    .unwrap();
}

const VOICE: &str = "https://example.com/voice?x=1";
const PARAMS: &str = "CallSid=CA1&From=%2B5511987654321&To=%2B551132100000";
/// Both were made by Twilio's own libraries, in Python and in JavaScript.
const SHA1: &str = "R4w2PnPrab+0VfvCN8qspVZRpA8=";
const SHA256: &str = "yMqKhzVQsvWdMz32SenyIbm/o0cMLRkEHPaSwVoJfQM=";

#[rstest]
#[case::classic(VOICE, PARAMS, SHA1, None, "proved")]
#[case::shared_key(VOICE, PARAMS, SHA256, Some(SETTINGS), "proved")]
#[case::address_with_its_port("https://example.com:443/voice?x=1", PARAMS, SHA1, None, "proved")]
#[case::other_order(VOICE, "To=%2B551132100000&From=%2B5511987654321&CallSid=CA1", SHA1, None, "proved")]
#[case::a_parameter_twice(
    VOICE,
    "CallSid=CA1&CallSid=CA1&From=%2B5511987654321&To=%2B551132100000",
    SHA1,
    None,
    "proved"
)]
#[case::empty_settings(VOICE, PARAMS, SHA1, Some(""), "proved")]
#[case::wrong_kind_of_secret(VOICE, PARAMS, SHA1, Some(SETTINGS), "the signature does not fit")]
#[case::sha256_with_the_token(VOICE, PARAMS, SHA256, None, "the signature does not fit")]
#[case::other_shared_key(
    VOICE,
    PARAMS,
    SHA256,
    Some("key=other,algorithm=HMAC_SHA256"),
    "the signature does not fit"
)]
#[case::other_algorithm(
    VOICE,
    PARAMS,
    SHA256,
    Some("key=webhooks_sharedkey_1,algorithm=NONE"),
    "the signature's algorithm is not known"
)]
#[case::other_path("https://example.com/voic?x=1", PARAMS, SHA1, None, "the signature does not fit")]
#[case::other_query("https://example.com/voice?x=2", PARAMS, SHA1, None, "the signature does not fit")]
#[case::other_scheme("http://example.com/voice?x=1", PARAMS, SHA1, None, "the signature does not fit")]
#[case::one_more_parameter(
    VOICE,
    "A=&CallSid=CA1&From=%2B5511987654321&To=%2B551132100000",
    SHA1,
    None,
    "the signature does not fit"
)]
#[case::truncated(
    VOICE,
    "CallSid=CA1&From=%2B5511987654321&To=%2B55113210000",
    SHA1,
    None,
    "the signature does not fit"
)]
#[case::wrongly_encoded(
    VOICE,
    "CallSid=CA1&From=%2B5511987654321&To=%FF",
    SHA1,
    None,
    "the signature does not fit"
)]
#[case::no_base64(VOICE, PARAMS, "§", None, "X-Twilio-Signature is no base64")]
#[case::short(VOICE, PARAMS, "R4w2", None, "the signature does not fit")]
fn only_twilio_is_twilio(
    #[case] url: &str,
    #[case] body: &str,
    #[case] signature: &str,
    #[case] settings: Option<&str>,
    #[case] expected: &str,
) {
    let mut headers = vec![("content-type", FORM), ("x-twilio-signature", signature)];
    headers.extend(settings.map(|s| ("x-twilio-webhooks-signature-settings", s)));
    assert!(proved(url, &headers, body).ends_with(expected), "{}", proved(url, &headers, body));
}

#[test]
fn a_signature_stands_there_once() {
    let none = proved(VOICE, &[("content-type", FORM)], PARAMS);
    let two = [("x-twilio-signature", SHA1), ("x-twilio-signature", SHA1)];
    assert_eq!(none, proved(VOICE, &two, PARAMS));
    assert!(none.contains("there is no X-Twilio-Signature, or two"));
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("AccountSid", "AC1").append_pair("CallSid", "CA1");
    form.append_pair("From", "+5511987654321").append_pair("To", "+551132100000");
    form.append_pair("Timestamp", "Mon, 23 Nov 2026 11:59:00 +0000").extend_pairs(pairs).finish()
}

#[rstest]
#[case::ringing(&[("CallStatus", "ringing"), ("Direction", "inbound")],
    "11:59:00 CA1.begun. CA1 ringing mobile inbound +5511987654321 to +551132100000")]
#[case::in_progress(&[("CallStatus", "in-progress"), ("Direction", "inbound"), ("SequenceNumber", "2")],
    "11:59:00 CA1.begun. CA1 ringing mobile inbound +5511987654321 to +551132100000\n\
     11:59:00 CA1.answered. CA1 answered by -")]
#[case::only_the_end(&[("CallStatus", "completed"), ("Direction", "inbound"), ("CallDuration", "75"), ("SequenceNumber", "3")],
    "11:57:45 CA1.begun. CA1 ringing mobile inbound +5511987654321 to +551132100000\n\
     11:57:45 CA1.answered. CA1 answered by -\n\
     11:59:00 CA1.completed.3 CA1 ended completed Some(\"completed\")")]
#[case::missed(&[("CallStatus", "no-answer"), ("Direction", "inbound")],
    "11:59:00 CA1.begun. CA1 ringing mobile inbound +5511987654321 to +551132100000\n\
     11:59:00 CA1.no-answer.0 CA1 ended missed Some(\"no-answer\")")]
#[case::no_answer(&[("CallStatus", "no-answer"), ("Direction", "outbound-api")],
    "11:59:00 CA1.begun. CA1 ringing mobile outbound +5511987654321 to +551132100000\n\
     11:59:00 CA1.no-answer.0 CA1 ended no-answer Some(\"no-answer\")")]
#[case::canceled(&[("CallStatus", "canceled"), ("Direction", "outbound-api")],
    "11:59:00 CA1.begun. CA1 ringing mobile outbound +5511987654321 to +551132100000\n\
     11:59:00 CA1.canceled.0 CA1 ended abandoned Some(\"canceled\")")]
#[case::absurd_length(&[("CallStatus", "completed"), ("CallDuration", "99999999999999")],
    "11:59:00 CA1.begun. CA1 ringing mobile inbound +5511987654321 to +551132100000\n\
     11:59:00 CA1.answered. CA1 answered by -\n\
     11:59:00 CA1.completed.0 CA1 ended completed Some(\"completed\")")]
#[case::leg_of_an_agent(&[("ParentCallSid", "CA0"), ("CallSid", "CA1"), ("CallStatus", "ringing"), ("Direction", "outbound-dial")],
    "11:59:00 CA1.leg. CA0 leg-opened CA1 - +551132100000")]
#[case::unknown_status(&[("CallStatus", "dreaming")], "passed over: unknown-status")]
#[case::recording_runs(&[("RecordingSid", "RE1"), ("RecordingStatus", "in-progress")],
    "12:00:00 RE1.in-progress CA1 recording Started")]
#[case::recording_is_there(&[("RecordingSid", "RE1"), ("RecordingStatus", "completed"), ("RecordingDuration", "7")],
    "11:59:00 RE1.completed CA1 recording Ready { duration_ms: 7000, digest: None }")]
#[case::recording_of_nothing(&[("RecordingSid", "RE1"), ("RecordingStatus", "absent")],
    "11:59:00 RE1.absent CA1 recording Deleted")]
fn a_callback_says_what_it_says_by_itself(#[case] pairs: &[(&str, &str)], #[case] expected: &str) {
    assert_eq!(heard(&form(pairs)), expected);
}

#[rstest]
#[case::softphone_answers(
    "ParentCallSid=CA0&CallSid=CA1&CallStatus=in-progress&To=client%3Abruno",
    "12:00:00 CA1.leg. CA0 leg-opened CA1 bruno -\n12:00:00 CA1.answered. CA0 answered by bruno"
)]
#[case::softphone_hangs_up(
    "ParentCallSid=CA0&CallSid=CA1&CallStatus=completed&To=client%3Abruno&CallDuration=30&SipResponseCode=200",
    "11:59:30 CA1.leg. CA0 leg-opened CA1 bruno -\n11:59:30 CA1.answered. CA0 answered by bruno\n\
     12:00:00 CA1.completed.0 CA0 leg-closed CA1 Some(\"completed 200\")"
)]
#[case::softphone_was_busy(
    "ParentCallSid=CA0&CallSid=CA1&CallStatus=busy&To=client%3Abruno&SipResponseCode=486",
    "12:00:00 CA1.leg. CA0 leg-opened CA1 bruno -\n12:00:00 CA1.busy.0 CA0 leg-closed CA1 Some(\"busy 486\")"
)]
#[case::withheld(
    "CallSid=CA1&CallStatus=ringing&From=%2B266696687&To=%2B551132100000",
    "12:00:00 CA1.begun. CA1 ringing mobile inbound withheld to +551132100000"
)]
#[case::sms(
    "MessageSid=SM1&SmsStatus=received&From=%2B5511987654321&To=%2B551132100000&Body=Ol%C3%A1%01&NumMedia=0",
    "SM1 sms inbound [\"+5511987654321\"] to +551132100000 \"Olá\u{fffd}\" []"
)]
#[case::old_name(
    "SmsSid=SM1&From=%2B5511987654321&Body=oi",
    "SM1 sms inbound [\"+5511987654321\"] to  \"oi\" []"
)]
#[case::whatsapp(
    "MessageSid=SM1&SmsStatus=received&From=whatsapp%3A%2B554787654321&WaId=554787654321&ProfileName=Ana&To=whatsapp%3A%2B551132100000&Body=&NumMedia=2&MediaUrl0=https%3A%2F%2Fx%2F0&MediaContentType0=image%2Fjpeg&MediaUrl1=https%3A%2F%2Fx%2F1",
    "SM1 whatsapp inbound [\"554787654321\", \"+5547987654321\"] to whatsapp:+551132100000 \"\" [\"image/jpeg https://x/0\", \"application/octet-stream https://x/1\"]"
)]
#[case::absurd_number_of_files(
    "MessageSid=SM1&From=28908&Body=x&NumMedia=99999999999",
    "SM1 sms inbound [\"28908\"] to  \"x\" []"
)]
#[case::nobody("MessageSid=SM1&SmsStatus=received&Body=x", "passed over: nobody")]
#[case::delivered(
    "MessageSid=SM1&MessageStatus=delivered&SmsStatus=delivered",
    "SM1.delivered SM1 delivered None"
)]
#[case::failed(
    "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005",
    "SM1.undelivered SM1 failed Some(\"30005\")"
)]
#[case::status_of_tomorrow("MessageSid=SM1&MessageStatus=dreamt", "passed over: unknown-status")]
#[case::something_else("AccountSid=AC1&FaxSid=FX1", "passed over: unknown-kind")]
#[case::nothing("", "passed over: unknown-kind")]
#[case::another_account(
    "AccountSid=AC2&CallSid=CA1&CallStatus=ringing",
    "the sender is not proved: the request is of another account"
)]
#[case::id_with_a_space("CallSid=CA+1&CallStatus=ringing", "passed over: bad-id")]
#[case::wrongly_encoded("CallSid=CA%FF&CallStatus=ringing", "passed over: bad-id")]
fn every_kind_of_callback(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(heard(body), expected);
}

#[rstest]
#[case::ours("?reference=ramal.m-1", "SM1.delivered ramal.m-1 delivered None")]
#[case::of_another_system("?reference=crm-1", "SM1.delivered SM1 delivered None")]
#[case::none("", "SM1.delivered SM1 delivered None")]
fn a_status_finds_its_message_by_our_own_reference(#[case] query: &str, #[case] expected: &str) {
    let url = Url::parse(&format!("https://ramal.example/v1/channels/tw/webhook{query}")).unwrap();
    let body = b"MessageSid=SM1&MessageStatus=delivered";
    let incoming = Incoming { url: &url, headers: &[("content-type", FORM)], body, now: now() };
    assert_eq!(told(&twilio().read(&incoming).unwrap()), expected);
}

#[test]
fn a_recording_is_the_same_whoever_tells_it() {
    let id = |status: &str| {
        let body = form(&[("RecordingSid", "RE1"), ("RecordingStatus", status)]);
        let url = Url::parse("https://ramal.example/").unwrap();
        let incoming = Incoming { url: &url, headers: &[], body: body.as_bytes(), now: now() };
        match twilio().read(&incoming).unwrap().heard.first() {
            Some(Heard::Call(CallEvent { kind: EventKind::Recording { recording, .. }, .. })) => *recording,
            _ => panic!("no recording"),
        }
    };
    assert_eq!(id("in-progress"), id("completed"));
}

#[test]
fn a_softphone_that_dials_is_an_outbound_call() {
    let direction = |body: &str| {
        let reading = heard(body);
        reading.split_whitespace().nth(5).unwrap().parse::<InteractionDirection>().unwrap()
    };
    let dials = "CallSid=CA1&CallStatus=ringing&Direction=inbound&From=client%3Abruno&To=%2B5511987654321";
    assert_eq!(direction(dials), InteractionDirection::Outbound);
    let talks = "CallSid=CA1&CallStatus=ringing&Direction=inbound&From=client%3Abruno&To=client%3Aana";
    assert_eq!(direction(talks), InteractionDirection::Internal);
}

#[test]
fn json_is_signed_by_its_digest_in_the_address() {
    let url = |hash: &str| format!("https://example.com/voice?bodySHA256={hash}");
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let sign = |url: &str| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
        data_encoding::BASE64.encode(aws_lc_rs::hmac::sign(&key, url.as_bytes()).as_ref())
    };
    let check = |url: &str, body: &str| {
        proved(url, &[("content-type", "application/json"), ("x-twilio-signature", &sign(url))], body)
    };
    assert_eq!(check(&url(hash), "{}"), "proved");
    assert!(check(&url(hash), "{ }").contains("another than the one"));
    assert!(check(&url("zz"), "{}").contains("another than the one"));
    assert!(check("https://example.com/voice", "{}").contains("is not signed"));
}

proptest! {
    #[test]
    fn no_body_is_a_defect(body in any::<Vec<u8>>(), json in any::<bool>()) {
        let url = Url::parse("https://ramal.example/v1/channels/tw/webhook").unwrap();
        let kind = if json { "application/json" } else { FORM };
        let headers = [("content-type", kind), ("x-twilio-signature", SHA1)];
        let incoming = Incoming { url: &url, headers: &headers, body: &body, now: now() };
        prop_assert!(twilio().prove(&incoming).is_err());
        let _ = twilio().read(&incoming);
    }

    #[test]
    fn the_same_callback_says_the_same_again(
        status in "[a-z-]{0,12}", sid in "CA[0-9a-f]{0,32}", duration in "[0-9]{0,20}", to in "\\PC{0,20}",
    ) {
        let body = form(&[("CallStatus", &status), ("CallSid", &sid), ("CallDuration", &duration), ("To", &to)]);
        prop_assert_eq!(heard(&body), heard(&body));
    }
}
