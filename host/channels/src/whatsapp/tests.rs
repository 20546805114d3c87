//! What is heard of payloads that were made up in Meta's form; all people and numbers are invented.

mod payloads;
mod proofs;

use jiff::Timestamp;
use ramal_center::Clear;
use rstest::rstest;
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::Incoming;
use crate::twilio::tests::told;
use payloads::*;

pub(crate) fn whatsapp() -> WhatsApp {
    let number = WhatsAppNumber {
        account: ACCOUNT.to_owned(),
        phone_number_id: NUMBER_ID.to_owned(),
        portfolio: "P1".to_owned(),
    };
    let keys = WhatsAppKeys {
        app_secrets: vec![Clear::from("made-up-app-secret"), Clear::from("previous")],
        verify_tokens: vec![Clear::from("made-up-word")],
    };
    WhatsApp::new(number, keys, Region::BR)
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn heard(body: &[u8]) -> String {
    let url = Url::parse("https://ramal.example/v1/channels/wa/webhook").unwrap();
    let incoming = Incoming { url: &url, headers: &[], body, now: now() };
    match whatsapp().read(&incoming) {
        Ok(reading) => told(&reading),
        Err(refusal) => refusal.to_string(),
    }
}

fn heard_of(value: &Value) -> String {
    heard(value.to_string().as_bytes())
}

#[rstest]
#[case::text(json!({"type": "text", "text": {"body": "Olá\u{1}"}}), "\"Olá\u{fffd}\" []")]
#[case::image(json!({"type": "image", "image": {"id": "90001", "mime_type": "image/jpeg", "sha256": "x", "caption": "a nota"}}),
    "\"a nota\" [\"image/jpeg 90001\"]")]
#[case::voice(json!({"type": "audio", "audio": {"id": "90002", "mime_type": "audio/ogg; codecs=opus", "voice": true}}),
    "\"\" [\"audio/ogg; codecs=opus 90002\"]")]
#[case::media_that_failed(json!({"type": "video", "video": {}}),
    "\"\" [\"whatsapp/unsupported media without an identifier\"]")]
#[case::location(json!({"type": "location", "location": {"latitude": -23.5, "longitude": -46.625, "name": "Loja", "address": "Rua A, 1"}}),
    "\"Loja\\nRua A, 1\\ngeo:-23.5,-46.625\" [\"whatsapp/location geo:-23.5,-46.625\"]")]
#[case::contacts(json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Rui"}, "phones": [{"phone": "+55 11 4002-8922"}]}, {}]}),
    "\"Rui, +55 11 4002-8922\\n?\" [\"whatsapp/contacts \"]")]
#[case::reaction(json!({"type": "reaction", "reaction": {"message_id": "wamid.OLD", "emoji": "👍"}}),
    "\"👍\" [\"whatsapp/reaction wamid.OLD\"]")]
#[case::reaction_taken_back(json!({"type": "reaction", "reaction": {"message_id": "wamid.OLD"}}),
    "\"\" [\"whatsapp/reaction wamid.OLD\"]")]
#[case::button(json!({"type": "button", "button": {"text": "Sim", "payload": "yes-1"}}), "\"Sim\" [\"whatsapp/button yes-1\"]")]
#[case::button_reply(json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "b1", "title": "Sim"}}}),
    "\"Sim\" [\"whatsapp/button b1\"]")]
#[case::list_reply(json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "r1", "title": "Plano", "description": "o maior"}}}),
    "\"Plano\\no maior\" [\"whatsapp/button r1\"]")]
#[case::form(json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{\"a\":1}"}}}),
    "\"{\\\"a\\\":1}\" [\"whatsapp/form flow\"]")]
#[case::interactive_of_tomorrow(json!({"type": "interactive", "interactive": {"type": "hologram_reply"}}),
    "\"\" [\"whatsapp/unsupported hologram_reply\"]")]
#[case::order(json!({"type": "order", "order": {"catalog_id": "c1", "text": "por favor", "product_items": [{"product_retailer_id": "sku1", "quantity": 2}]}}),
    "\"por favor\\n2 × sku1\" [\"whatsapp/order c1\"]")]
#[case::edit(json!({"type": "edit", "edit": {"original_message_id": "wamid.OLD", "message": {"type": "text", "text": {"body": "digo, olá"}}}}),
    "\"digo, olá\" [\"whatsapp/edit wamid.OLD\"]")]
#[case::revoke(json!({"type": "revoke", "revoke": {"original_message_id": "wamid.OLD"}}), "\"\" [\"whatsapp/revoked wamid.OLD\"]")]
#[case::unsupported(json!({"type": "unsupported", "errors": [{"code": 131051, "title": "x"}], "unsupported": {"type": "poll"}}),
    "\"\" [\"whatsapp/unsupported poll 131051\"]")]
#[case::kind_of_tomorrow(json!({"type": "hologram", "hologram": {"id": 7}}), "\"\" [\"whatsapp/unsupported hologram\"]")]
#[case::without_a_kind(json!({}), "\"\" [\"whatsapp/unsupported unknown\"]")]
#[case::of_the_wrong_shape(json!({"type": "text", "text": [1, 2]}), "\"\" []")]
#[case::answer_to_ours(json!({"type": "text", "text": {"body": "sim"}, "context": {"from": "551132100000", "id": "wamid.OURS"}}),
    "\"sim\" [\"whatsapp/reply wamid.OURS\"]")]
#[case::group(json!({"type": "text", "text": {"body": "x"}, "group_id": "g1"}), "passed over: group")]
fn every_kind_of_message_is_kept(#[case] part: Value, #[case] expected: &str) {
    let told = heard_of(&inbound(part));
    let bare = "wamid.IN1 whatsapp inbound [\"BR.13491208655302741918\", \"5511987654321\", \"+5511987654321\"] to +55 11 3210-0000 ";
    assert_eq!(told.strip_prefix(bare).unwrap_or(&told), expected);
}

#[rstest]
#[case::all_names(json!({"wa_id": "554787654321", "user_id": "BR.1", "parent_user_id": "BR.ENT.2", "profile": {"name": "Ana", "username": "ana"}}), Some("554787654321"), Some("BR.1"),
    &["BR.1", "BR.ENT.2", "554787654321", "+5547987654321"])]
#[case::before_identifiers(json!({"wa_id": "554787654321", "profile": {"name": "Ana"}}), Some("554787654321"), None,
    &["554787654321", "+5547987654321"])]
#[case::without_a_number(json!({"user_id": "BR.1", "profile": {"username": "ana"}}), None, Some("BR.1"), &["BR.1"])]
#[case::empty_digits(json!({"user_id": "BR.1", "wa_id": ""}), Some(""), Some("BR.1"), &["BR.1"])]
#[case::identifier_where_digits_were(json!({"user_id": "BR.1", "wa_id": "BR.1"}), Some("BR.1"), None, &["BR.1"])]
#[case::only_the_profile(json!({"user_id": "BR.1", "wa_id": "554787654321"}), None, None, &["BR.1", "554787654321", "+5547987654321"])]
#[case::of_another_user(json!({"user_id": "BR.9", "wa_id": "551140028922"}), Some("554787654321"), Some("BR.1"),
    &["BR.1", "554787654321", "+5547987654321"])]
fn the_name_that_lasts_comes_first(
    #[case] profile: Value,
    #[case] from: Option<&str>,
    #[case] user: Option<&str>,
    #[case] expected: &[&str],
) {
    let mut part =
        json!({"id": "wamid.IN1", "timestamp": "1763899140", "type": "text", "text": {"body": "oi"}});
    if let Some(from) = from {
        part["from"] = json!(from);
    }
    if let Some(user) = user {
        part["from_user_id"] = json!(user);
    }
    let value = json!({"metadata": metadata(), "contacts": [profile], "messages": [part]});
    assert_eq!(
        heard_of(&around("messages", value)),
        format!("wamid.IN1 whatsapp inbound {expected:?} to +55 11 3210-0000 \"oi\" []")
    );
}

#[rstest]
#[case::sent(json!({"status": "sent"}), "wamid.OUT.sent wamid.OUT sent None")]
#[case::ours(json!({"status": "delivered", "biz_opaque_callback_data": "ramal.0192"}), "wamid.OUT.delivered ramal.0192 delivered None")]
#[case::of_another_system(json!({"status": "read", "biz_opaque_callback_data": "crm:17"}), "wamid.OUT.read wamid.OUT read None")]
#[case::played(json!({"status": "played"}), "wamid.OUT.played wamid.OUT read None")]
#[case::failed(json!({"status": "failed", "errors": [{"code": 131047, "title": "Re-engagement message"}]}),
    "wamid.OUT.failed wamid.OUT failed Some(\"131047\")")]
#[case::failed_without_a_word(json!({"status": "failed"}), "wamid.OUT.failed wamid.OUT failed Some(\"failed\")")]
#[case::of_tomorrow(json!({"status": "dreamt"}), "passed over: unknown-status")]
fn a_status_finds_its_message(#[case] mut part: Value, #[case] expected: &str) {
    part["id"] = json!("wamid.OUT");
    part["timestamp"] = json!("1763899140");
    part["recipient_id"] = json!("5511987654321");
    let value = json!({"metadata": metadata(), "statuses": [part]});
    assert_eq!(heard_of(&around("messages", value)), expected);
}

#[rstest]
#[case::of_another_app(json!({"object": "page", "entry": []}), "passed over: other-object")]
#[case::of_another_account(json!({"object": OBJECT, "entry": [{"id": "7", "changes": []}]}), "passed over: other-account")]
#[case::of_another_number(around("messages", json!({"metadata": {"phone_number_id": "7"}, "messages": [{}]})), "passed over: other-number")]
#[case::of_another_field(around("account_update", json!({"event": "x"})), "passed over: other-field")]
#[case::error_of_the_number(around("messages", json!({"metadata": metadata(), "errors": [{"code": 130429}]})), "passed over: provider-error")]
#[case::nobody(around("messages", json!({"metadata": metadata(), "messages": [{"id": "m"}]})), "passed over: nobody")]
#[case::no_object(json!([1]), "passed over: other-object")]
#[case::nothing_in_it(json!({"object": OBJECT}), "")]
#[case::wrong_shapes(json!({"object": OBJECT, "entry": {"id": ACCOUNT}}), "")]
fn what_is_not_ours_is_counted(#[case] body: Value, #[case] expected: &str) {
    assert_eq!(heard_of(&body), expected);
}

#[test]
fn one_odd_message_does_not_take_the_others_with_it() {
    let one = |id: &str| json!({"id": id, "from": "5511987654321", "timestamp": "1763899140", "type": "text", "text": {"body": id}});
    let value = json!({"metadata": metadata(), "messages": [one("m1"), {"id": "m2"}, 7, one("m3")]});
    let told = heard_of(&around("messages", value));
    let firsts: Vec<&str> = told.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(firsts, ["m1", "m3", "passed", "passed"]);
}

// pywa read these where we did not.
#[rstest]
#[case::number_for_people(json!({"display_phone_number": 7, "phone_number_id": NUMBER_ID}), json!({"wa_id": "5511987654321", "user_id": "BR.1"}))]
#[case::name_of_the_writer(metadata(), json!({"wa_id": "5511987654321", "user_id": "BR.1", "parent_user_id": {}, "profile": 7}))]
fn one_odd_word_around_a_message_does_not_lose_it(#[case] metadata: Value, #[case] contact: Value) {
    let part = json!({"id": "m1", "from": "5511987654321", "type": "text", "text": {"body": "oi"}});
    let told = heard_of(&around(
        "messages",
        json!({"metadata": metadata, "contacts": [contact], "messages": [part]}),
    ));
    assert!(
        told.starts_with("m1 whatsapp inbound [\"BR.1\", \"5511987654321\", \"+5511987654321\"]"),
        "{told}"
    );
}

#[test]
fn a_changed_number_joins_the_names_that_were_known() {
    let system = json!({"type": "system", "system": {"type": "user_changed_number", "body": "mudou", "wa_id": "551140028922"}});
    let told = heard_of(&inbound(system));
    assert!(
        told.contains("\"5511987654321\", \"+5511987654321\", \"551140028922\", \"+551140028922\""),
        "{told}"
    );
}

#[test]
fn what_a_colleague_writes_on_the_telephone_is_ours() {
    let echo = json!({"id": "wamid.E", "from": "551132100000", "to": "5511987654321", "timestamp": "1763899140",
        "type": "text", "text": {"body": "já ligo"}});
    let value = json!({"metadata": metadata(), "message_echoes": [echo]});
    assert_eq!(
        heard_of(&around("smb_message_echoes", value)),
        "wamid.E whatsapp outbound [\"5511987654321\", \"+5511987654321\"] to +55 11 3210-0000 \"já ligo\" []"
    );
}

#[rstest]
#[case::comes(json!({"calls": [{"id": "wacid.1", "from": "5511987654321", "to": "551132100000", "event": "connect",
    "timestamp": "1763899140", "direction": "USER_INITIATED", "session": {"sdp_type": "offer", "sdp": "v=0"}}]}),
    "11:59:00 wacid.1.begun wacid.1 ringing mobile inbound +5511987654321 to +551132100000")]
#[case::was_talked(json!({"calls": [{"id": "wacid.1", "from": "5511987654321", "event": "terminate", "timestamp": "1763899140",
    "direction": "USER_INITIATED", "status": "COMPLETED", "start_time": "1763899080", "end_time": "1763899140", "duration": 60}]}),
    "11:58:00 wacid.1.begun wacid.1 ringing mobile inbound +5511987654321 to +551132100000\n\
     11:58:00 wacid.1.answered wacid.1 answered by -\n\
     11:59:00 wacid.1.terminate wacid.1 ended completed Some(\"completed\")")]
#[case::nobody_took_it(json!({"calls": [{"id": "wacid.1", "from": "5511987654321", "event": "terminate", "timestamp": "1763899140",
    "direction": "USER_INITIATED", "status": "FAILED"}]}),
    "11:59:00 wacid.1.begun wacid.1 ringing mobile inbound +5511987654321 to +551132100000\n\
     11:59:00 wacid.1.terminate wacid.1 ended missed Some(\"failed\")")]
#[case::rings_there(json!({"statuses": [{"id": "wacid.2", "type": "call", "status": "RINGING", "timestamp": "1763899140", "recipient_id": "5511987654321"}]}),
    "11:59:00 wacid.2.begun wacid.2 ringing mobile outbound +551132100000 to +5511987654321")]
#[case::was_rejected(json!({"statuses": [{"id": "wacid.2", "type": "call", "status": "REJECTED", "timestamp": "1763899140", "recipient_id": "5511987654321"}]}),
    "11:59:00 wacid.2.begun wacid.2 ringing mobile outbound +551132100000 to +5511987654321\n\
     11:59:00 wacid.2.rejected wacid.2 ended rejected Some(\"rejected\")")]
#[case::without_a_number(json!({"contacts": [{"user_id": "BR.1"}], "calls": [{"id": "wacid.3", "from_user_id": "BR.1", "event": "connect",
    "timestamp": "1763899140", "direction": "USER_INITIATED"}]}),
    "11:59:00 wacid.3.begun wacid.3 ringing mobile inbound withheld to +551132100000")]
#[case::of_tomorrow(json!({"calls": [{"id": "wacid.4", "event": "dreams", "direction": "USER_INITIATED"}]}), "passed over: unknown-call-event")]
fn a_call_is_told(#[case] mut value: Value, #[case] expected: &str) {
    value["metadata"] = metadata();
    assert_eq!(heard_of(&around("calls", value)), expected);
}

#[test]
fn an_identifier_that_is_too_long_is_the_same_again() {
    let long = format!("wamid.{}", "A".repeat(200));
    let first = event_id(&long, ".read").unwrap();
    assert_eq!(event_id(&long, ".read"), Ok(first.clone()));
    assert!(first.as_str().starts_with("sha256:") && first.as_str().ends_with(".read"));
    assert_ne!(event_id(&long, ".sent").unwrap(), first);
}
