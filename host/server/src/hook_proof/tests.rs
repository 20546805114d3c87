use axum::http::{HeaderName, HeaderValue};
use ramal_capability::SignedTime;
use rstest::rstest;

use super::*;

const NOW: i64 = 1_780_000_000;
const BODY: &[u8] = br#"{"event":"contact.changed"}"#;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn proof() -> HmacProof {
    HmacProof {
        algorithm: HmacAlgorithm::Sha256,
        header: "x-signature".into(),
        encoding: SignatureEncoding::Hex,
        prefix: "v1=".into(),
        signed: vec![SignedPart::Time, SignedPart::Text(".".into()), SignedPart::Body],
        time: Some(SignedTime { header: "x-time".into(), tolerance: Duration::from_secs(300) }),
    }
}

fn signed(secret: &str, time: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let message = [time.as_bytes(), b".", body].concat();
    format!("v1={}", data_encoding::HEXLOWER.encode(hmac::sign(&key, &message).as_ref()))
}

fn headers(all: &[(&str, &str)]) -> HeaderMap {
    all.iter()
        .map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        })
        .collect()
}

fn secrets() -> Vec<Clear> {
    vec!["new".into(), "old".into()]
}

fn check(proof: &HmacProof, given: &[(&str, &str)], body: &[u8]) -> String {
    let headers = headers(given);
    let verified = Claim::read(proof, None, &headers, now()).and_then(|claim| claim.verify(&secrets(), body));
    verified.map_or_else(|problem| problem.code().as_str().to_owned(), |_| "ok".to_owned())
}

#[rstest]
#[case::right("1780000000", signed("new", "1780000000", BODY), "ok")]
#[case::previous_secret("1780000000", signed("old", "1780000000", BODY), "ok")]
#[case::milliseconds("1780000000000", signed("new", "1780000000000", BODY), "ok")]
#[case::two_signatures("1780000000", format!("{} {}", signed("next", "1780000000", BODY), signed("new", "1780000000", BODY)), "ok")]
#[case::a_later_scheme_beside_it("1780000000", format!("v2=zz {}", signed("new", "1780000000", BODY)), "ok")]
#[case::upper_case("1780000000", format!("v1={}", signed("new", "1780000000", BODY)[3..].to_uppercase()), "ok")]
#[case::at_the_edge("1779999700", signed("new", "1779999700", BODY), "ok")]
#[case::too_old("1779999699", signed("new", "1779999699", BODY), "signature-expired")]
#[case::future("1780000301", signed("new", "1780000301", BODY), "signature-expired")]
#[case::other_secret("1780000000", signed("other", "1780000000", BODY), "signature-wrong")]
#[case::other_body("1780000000", signed("new", "1780000000", b"{}"), "signature-wrong")]
#[case::time_was_changed("1780000001", signed("new", "1780000000", BODY), "signature-wrong")]
#[case::no_prefix("1780000000", signed("new", "1780000000", BODY)[3..].to_owned(), "signature-malformed")]
#[case::not_hex("1780000000", "v1=zz".to_owned(), "signature-malformed")]
#[case::empty_tag("1780000000", "v1=".to_owned(), "signature-malformed")]
#[case::short_tag("1780000000", "v1=abcd".to_owned(), "signature-wrong")]
#[case::empty("1780000000", String::new(), "signature-malformed")]
#[case::many("1780000000", "v1=00 ".repeat(6), "signature-malformed")]
#[case::long("1780000000", format!("v1={}", "0".repeat(2_000)), "signature-malformed")]
#[case::signed_number("+1780000000", signed("new", "+1780000000", BODY), "signature-malformed")]
#[case::no_number("now", signed("new", "now", BODY), "signature-malformed")]
#[case::huge_number(
    "99999999999999999999",
    signed("new", "99999999999999999999", BODY),
    "signature-malformed"
)]
fn only_a_fresh_and_fitting_signature_passes(#[case] time: &str, #[case] tag: String, #[case] then: &str) {
    assert_eq!(check(&proof(), &[("x-signature", &tag), ("x-time", time)], BODY), then);
}

#[test]
fn what_is_missing_or_doubled_is_told() {
    let (time, tag) = ("1780000000", signed("new", "1780000000", BODY));
    assert_eq!(check(&proof(), &[("x-time", time)], BODY), "signature-missing");
    assert_eq!(check(&proof(), &[("x-signature", &tag)], BODY), "signature-malformed");
    let twice = [("x-signature", tag.as_str()), ("x-signature", &tag), ("x-time", time)];
    assert_eq!(check(&proof(), &twice, BODY), "signature-malformed");
}

#[rstest]
// Computed with: printf '%s' '{"event":"contact.changed"}' | openssl dgst -sha1 -hmac new -binary | base64, and so on.
#[case::sha1(HmacAlgorithm::Sha1, "I6BBfIM5djE9jxYsl3Bvf9xuYUc=")]
#[case::sha256(HmacAlgorithm::Sha256, "fv7jD3UBmn3rFDnSmVJZ9zOc9ZWZGEQCzGryq3D15N8=")]
#[case::sha512(
    HmacAlgorithm::Sha512,
    "QZ9Aepp/af+6in7bHYv3lMe8WL2AOgVwN1tkoiR71T5RMBj5FKAVJxq/Emb/D6fJhVv3PlSpS8niS9k32mLlpQ=="
)]
fn each_algorithm_is_the_standard_one(#[case] algorithm: HmacAlgorithm, #[case] tag: &str) {
    let proof = HmacProof {
        algorithm,
        encoding: SignatureEncoding::Base64,
        prefix: String::new(),
        signed: vec![SignedPart::Body],
        time: None,
        ..proof()
    };
    assert_eq!(check(&proof, &[("x-signature", tag)], BODY), "ok");
}

#[test]
fn a_repetition_is_known_by_its_name_or_by_its_bytes() {
    let proof = proof();
    let of = |delivery: Option<&str>, time: &str, body: &[u8]| {
        let tag = signed("new", time, body);
        let headers = headers(&[("x-signature", &tag), ("x-time", time)]);
        Claim::read(&proof, delivery, &headers, now()).unwrap().verify(&secrets(), body).unwrap()
    };
    assert_eq!(of(None, "1780000000", BODY), of(None, "1780000000", BODY));
    assert_ne!(of(None, "1780000000", BODY), of(None, "1780000001", BODY), "the time is signed");
    assert_eq!(of(Some("d1"), "1780000000", BODY).digest, of(Some("d1"), "1780000001", b"{}").digest);
    assert_ne!(of(Some("d1"), "1780000000", BODY).digest, of(Some("d2"), "1780000000", BODY).digest);
    assert!(of(None, "1780000000", BODY).within >= Duration::from_secs(600));
    assert_ne!(unsigned(Some("x"), b"").digest, unsigned(None, b"x").digest);
}

#[rstest]
#[case::right("new", true)]
#[case::previous("old", true)]
#[case::longer("newer", false)]
#[case::shorter("ne", false)]
#[case::empty("", false)]
fn a_secret_address_is_the_whole_secret(#[case] given: &str, #[case] fits: bool) {
    assert_eq!(is_secret(given, &secrets()), fits);
}
