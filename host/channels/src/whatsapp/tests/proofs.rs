//! Who is let in, and that no bytes are a defect.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use url::Url;

use super::payloads::inbound;
use super::{heard, whatsapp};
use crate::{Incoming, Reply, Webhook};

const BASE: &str = "https://ramal.example/v1/channels/wa/webhook";

fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", HEXLOWER.encode(hmac::sign(&key, body).as_ref()))
}

fn proved(headers: &[(&str, &str)], body: &[u8]) -> String {
    let url = Url::parse(BASE).unwrap();
    let incoming = Incoming { url: &url, headers, body, now: Timestamp::UNIX_EPOCH };
    whatsapp().prove(&incoming).map_or_else(|refusal| refusal.to_string(), |()| "proved".to_owned())
}

fn asked(query: &str) -> Result<Reply, String> {
    let url = Url::parse(&format!("{BASE}?{query}")).unwrap();
    let incoming = Incoming { url: &url, headers: &[], body: b"", now: Timestamp::UNIX_EPOCH };
    whatsapp().challenge(&incoming).map_err(|refusal| refusal.to_string())
}

#[rstest]
#[case::right("hub.mode=subscribe&hub.verify_token=made-up-word&hub.challenge=1158201444", Ok("1158201444"))]
#[case::other_word("hub.mode=subscribe&hub.verify_token=guessed&hub.challenge=1", Err("verify_token"))]
#[case::no_word("hub.mode=subscribe&hub.challenge=1", Err("verify_token"))]
#[case::other_mode("hub.mode=unsubscribe&hub.verify_token=made-up-word&hub.challenge=1", Err("hub.mode"))]
#[case::nothing("", Err("hub.mode"))]
#[case::markup(
    "hub.mode=subscribe&hub.verify_token=made-up-word&hub.challenge=%3Cb%3E",
    Err("none that Meta sends")
)]
#[case::no_challenge("hub.mode=subscribe&hub.verify_token=made-up-word", Err("none that Meta sends"))]
fn the_address_is_verified_by_a_word(#[case] query: &str, #[case] expected: Result<&str, &str>) {
    match (asked(query), expected) {
        (Ok(reply), Ok(text)) => assert_eq!(reply, Reply::Text(text.to_owned())),
        (Err(refusal), Err(part)) => assert!(refusal.contains(part), "{refusal}"),
        (got, _) => panic!("{got:?}"),
    }
}

#[rstest]
#[case::this_secret("made-up-app-secret", "", "proved")]
#[case::the_one_before("previous", "", "proved")]
#[case::guessed("guessed", "", "the signature does not fit")]
#[case::one_more_byte("made-up-app-secret", " ", "the signature does not fit")]
fn only_meta_is_meta(#[case] secret: &str, #[case] added: &str, #[case] expected: &str) {
    // As Meta writes it: what is no ASCII is escaped, and that is what is signed.
    let body = "{\"object\":\"whatsapp_business_account\",\"entry\":[],\"x\":\"\\u00e9\"}";
    let signature = sign(secret, body.as_bytes());
    let sent = format!("{body}{added}");
    let told = proved(&[("x-hub-signature-256", &signature)], sent.as_bytes());
    assert!(told.ends_with(expected), "{told}");
}

#[rstest]
#[case::missing(&[], "or two")]
#[case::twice(&[("x-hub-signature-256", "sha256=00"), ("x-hub-signature-256", "sha256=00")], "or two")]
#[case::older(&[("x-hub-signature", "sha1=00")], "or two")]
#[case::other_hash(&[("x-hub-signature-256", "sha1=00")], "is no SHA-256")]
#[case::no_hex(&[("x-hub-signature-256", "sha256=zz")], "is not hexadecimal")]
#[case::short(&[("x-hub-signature-256", "sha256=00")], "does not fit")]
#[case::empty(&[("x-hub-signature-256", "sha256=")], "does not fit")]
fn a_signature_is_needed(#[case] headers: &[(&str, &str)], #[case] expected: &str) {
    let told = proved(headers, b"{}");
    assert!(told.ends_with(expected), "{told}");
}

proptest! {
    #[test]
    fn no_bytes_are_a_defect(body in any::<Vec<u8>>(), signature in "\\PC{0,80}") {
        prop_assert_ne!(proved(&[("x-hub-signature-256", &signature)], &body), "proved");
        let _ = heard(&body);
    }

    #[test]
    fn one_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let mut body = inbound(json!({"type": "text", "text": {"body": "até já"}})).to_string().into_bytes();
        let signature = sign("made-up-app-secret", &body);
        prop_assert_eq!(proved(&[("x-hub-signature-256", &signature)], &body), "proved");
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        prop_assert_ne!(proved(&[("x-hub-signature-256", &signature)], &body), "proved");
    }

    /// Whatever stands where a message's content should, the message is kept and the rest is read.
    #[test]
    fn no_shape_of_a_message_is_a_defect(
        kind in prop::sample::select(&["text", "image", "location", "contacts", "reaction", "interactive", "order",
            "system", "edit", "revoke", "unsupported", "button", "hologram"][..]),
        inner in json_value(),
    ) {
        let mut part = json!({"type": kind});
        part[kind] = inner;
        let told = heard(inbound(part).to_string().as_bytes());
        prop_assert!(told.starts_with("wamid.IN1 whatsapp inbound"), "{}", told);
        prop_assert_eq!(told.lines().filter(|line| line.starts_with("passed over")).count(), 0);
    }
}

/// Any JSON, with the names that are looked for.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let names = prop::sample::select(
        &[
            "id",
            "type",
            "body",
            "message",
            "name",
            "phones",
            "phone",
            "latitude",
            "button_reply",
            "title",
            "wa_id",
            "product_items",
            "errors",
            "code",
        ][..],
    );
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(name, v)| (name.to_owned(), v)).collect()
            )),
        ]
    })
}
