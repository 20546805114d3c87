//! The signature of an event: `Ramal-Signature: t=<unix seconds>,v1=<hex>`, where `v1` is HMAC-SHA256 over
//! `<t>.<raw body>` with the source's secret.
//!
//! The time is inside what is signed, so an old request cannot be sent again later with a new time. Several `v1` may
//! stand there while a sender changes its secret; one that fits is enough. The raw bytes are signed, so nothing is
//! parsed before its sender is known.

use aws_lc_rs::hmac;

use crate::problem::{Problem, ProblemCode};
use crate::secret::Secret;

/// The header's name.
pub(crate) const HEADER: &str = "ramal-signature";
/// How far the sender's clock may be off, either way, in seconds.
pub(crate) const TOLERANCE: i64 = 300;
const MOST_SIGNATURES: usize = 5;
const LONGEST_HEADER: usize = 1024;

/// The header of a signed event: what a sender computes.
pub fn sign(secret: &Secret, unix_seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    format!("t={unix_seconds},v1={}", data_encoding::HEXLOWER.encode(tag(&key, unix_seconds, body).as_ref()))
}

fn tag(key: &hmac::Key, t: i64, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(t.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    context.sign()
}

/// A header that is well formed and in time, not yet compared with a body.
#[derive(Debug)]
pub(crate) struct Signature {
    t: i64,
    tags: Vec<Vec<u8>>,
}

impl Signature {
    /// Reads the header; `now` in unix seconds.
    pub(crate) fn read(header: Option<&str>, now: i64) -> Result<Self, Problem> {
        let Some(header) = header else {
            return Err(Problem::new(ProblemCode::SignatureMissing, "the request has no `Ramal-Signature` header")
                .hint("sign the raw body: `Ramal-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, \"<t>.\" + body)>`"));
        };
        let signature = Self::parse(header).map_err(|what| {
            Problem::new(ProblemCode::SignatureMalformed, what)
                .hint("write `t=<unix seconds>,v1=<64 hexadecimal digits>`, with at most 5 `v1`")
        })?;
        let age = i128::from(now) - i128::from(signature.t);
        let (detail, hint) = if age > i128::from(TOLERANCE) {
            (
                "the signature is too old",
                "sign at the moment of sending, also when an event is sent again; check the sender's clock",
            )
        } else if age < -i128::from(TOLERANCE) {
            ("the signature's time is in the future", "check the sender's clock and this host's")
        } else {
            return Ok(signature);
        };
        Err(Problem::new(
            ProblemCode::SignatureExpired,
            format!("{detail}: `t` may be {TOLERANCE} seconds off, either way"),
        )
        .hint(hint))
    }

    fn parse(header: &str) -> Result<Self, &'static str> {
        if header.len() > LONGEST_HEADER {
            return Err("the signature header is longer than 1024 characters");
        }
        let (mut t, mut tags) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", digits)) => {
                    // Only digits: "+5" would be signed as "5".
                    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                    let seconds = digits.parse::<i64>().ok().filter(|_| plain && !digits.starts_with("00"));
                    if t.replace(seconds.ok_or("`t` is not a number of seconds")?).is_some() {
                        return Err("the signature header has two `t`");
                    }
                }
                Some(("v1", hex)) => {
                    let tag = data_encoding::HEXLOWER_PERMISSIVE
                        .decode(hex.as_bytes())
                        .ok()
                        .filter(|t| t.len() == 32);
                    tags.push(tag.ok_or("a `v1` is not 64 hexadecimal digits")?);
                }
                // Room for a v2 beside it.
                Some(_) => {}
                None => return Err("a part of the signature header has no `=`"),
            }
        }
        if tags.len() > MOST_SIGNATURES {
            return Err("the signature header has more than 5 `v1`");
        }
        if tags.is_empty() {
            return Err("the signature header has no `v1`");
        }
        Ok(Self { t: t.ok_or("the signature header has no `t`")?, tags })
    }

    /// Compares with the body, in constant time.
    pub(crate) fn verify(&self, keys: &[hmac::Key], body: &[u8]) -> Result<(), Problem> {
        let mut message = self.t.to_string().into_bytes();
        message.push(b'.');
        message.extend_from_slice(body);
        let fits =
            keys.iter().any(|key| self.tags.iter().any(|tag| hmac::verify(key, &message, tag).is_ok()));
        if fits {
            return Ok(());
        }
        Err(Problem::new(
            ProblemCode::SignatureWrong,
            "the signature does not fit the body and this source's secret",
        )
        .hint("sign the bytes exactly as they are sent, with this source's secret"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NOW: i64 = 1_780_000_000;
    const BODY: &[u8] = br#"{"event_id":"e1"}"#;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }
    fn keys(texts: &[&str]) -> Vec<hmac::Key> {
        texts.iter().map(|t| hmac::Key::new(hmac::HMAC_SHA256, t.as_bytes())).collect()
    }
    fn check(header: Option<&str>, keys: &[hmac::Key], body: &[u8]) -> String {
        match Signature::read(header, NOW).and_then(|s| s.verify(keys, body)) {
            Ok(()) => "ok".to_owned(),
            Err(problem) => problem.code().as_str().to_owned(),
        }
    }
    fn v1(secret_text: &str, t: i64, body: &[u8]) -> String {
        sign(&secret(secret_text), t, body).split_once("v1=").unwrap().1.to_owned()
    }

    #[test]
    fn the_signature_is_the_documented_one() {
        // Computed with: printf '%s' '1780000000.{"event_id":"e1"}' | openssl dgst -sha256 -hmac new
        assert_eq!(
            sign(&secret("new"), NOW, BODY),
            "t=1780000000,v1=35db552b895d7bcd846117ce4567f1cfcf5aeac21d6f13c9af29c789f138e4db"
        );
    }

    #[rstest]
    #[case::right(sign(&secret("new"), NOW, BODY), "ok")]
    #[case::upper_case_hex(format!("t={NOW},v1={}", v1("new", NOW, BODY).to_uppercase()), "ok")]
    #[case::spaces(format!("t={NOW}, v1={}", v1("new", NOW, BODY)), "ok")]
    #[case::at_the_edge_of_old(sign(&secret("new"), NOW - 300, BODY), "ok")]
    #[case::at_the_edge_of_future(sign(&secret("new"), NOW + 300, BODY), "ok")]
    #[case::signed_with_the_previous_secret(sign(&secret("old"), NOW, BODY), "ok")]
    #[case::rotated_by_the_sender(format!("t={NOW},v1={},v1={}", v1("next", NOW, BODY), v1("new", NOW, BODY)), "ok")]
    #[case::a_later_scheme_beside_it(format!("{},v2=zz", sign(&secret("new"), NOW, BODY)), "ok")]
    #[case::too_old(sign(&secret("new"), NOW - 301, BODY), "signature-expired")]
    #[case::future(sign(&secret("new"), NOW + 301, BODY), "signature-expired")]
    #[case::other_secret(sign(&secret("other"), NOW, BODY), "signature-wrong")]
    #[case::other_body(sign(&secret("new"), NOW, b"{}"), "signature-wrong")]
    #[case::time_was_changed(format!("t={},v1={}", NOW + 1, v1("new", NOW, BODY)), "signature-wrong")]
    #[case::empty(String::new(), "signature-malformed")]
    #[case::garbage("garbage".to_owned(), "signature-malformed")]
    #[case::no_time(format!("v1={}", v1("new", NOW, BODY)), "signature-malformed")]
    #[case::no_tag(format!("t={NOW}"), "signature-malformed")]
    #[case::two_times(format!("t={NOW},{}", sign(&secret("new"), NOW, BODY)), "signature-malformed")]
    #[case::signed_time(format!("t=+{NOW},v1={}", v1("new", NOW, BODY)), "signature-malformed")]
    #[case::negative_time(format!("t=-5,v1={}", v1("new", -5, BODY)), "signature-malformed")]
    #[case::huge_time(format!("t=99999999999999999999,v1={}", v1("new", NOW, BODY)), "signature-malformed")]
    #[case::greatest_time(format!("t={},v1={}", i64::MAX, v1("new", i64::MAX, BODY)), "signature-expired")]
    #[case::short_tag(format!("t={NOW},v1=abcd"), "signature-malformed")]
    #[case::not_hex(format!("t={NOW},v1={}", "z".repeat(64)), "signature-malformed")]
    #[case::too_many_tags(format!("t={NOW}{}", format!(",v1={}", "0".repeat(64)).repeat(6)), "signature-malformed")]
    #[case::too_long(format!("t={NOW},v1={}", "0".repeat(2000)), "signature-malformed")]
    fn only_a_fresh_and_fitting_signature_passes(#[case] header: String, #[case] then: &str) {
        assert_eq!(check(Some(&header), &keys(&["new", "old"]), BODY), then);
    }

    #[test]
    fn no_signature_and_no_key_are_refused() {
        assert_eq!(check(None, &keys(&["new"]), BODY), "signature-missing");
        assert_eq!(check(Some(&sign(&secret("new"), NOW, BODY)), &[], BODY), "signature-wrong");
    }
}
