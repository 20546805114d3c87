//! How a provider proves itself, over the raw bytes and in constant time.

use aws_lc_rs::{constant_time, digest, hmac};
use ramal_center::Clear;

use crate::{Incoming, Refusal};

const SIGNATURE: &str = "ramal-signature";
/// How far the sender's clock may be off, either way, in seconds.
const TOLERANCE: u64 = 300;

/// How a provider proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// `Ramal-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, "<t>." + body)>`.
    Ramal,
    /// A keyed hash over the body in a header.
    Hmac {
        algorithm: Algorithm,
        /// In lower case.
        header: String,
        encoding: Encoding,
        /// What stands before it, such as `sha256=`.
        prefix: String,
    },
    /// The secret itself, in a header.
    Header {
        /// In lower case.
        name: String,
        /// What stands before it, such as `Bearer `.
        prefix: String,
    },
    /// The secret itself, in the address: for a provider that can do nothing else.
    Query(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

impl Proof {
    pub(super) fn check(&self, incoming: &Incoming<'_>, secrets: &[Clear]) -> Result<(), Refusal> {
        match self {
            Self::Ramal => signature(incoming, secrets),
            Self::Hmac { algorithm, header, encoding, prefix } => {
                let text = incoming.header(header).and_then(|text| text.strip_prefix(prefix.as_str()));
                let text =
                    text.ok_or(Refusal::Unproved("the signature's header is missing or has another form"))?;
                let tag = match encoding {
                    Encoding::Hex => data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
                    Encoding::Base64 => data_encoding::BASE64.decode(text.as_bytes()),
                };
                let tag =
                    tag.map_err(|_| Refusal::Unproved("the signature is not written as the mapping says"))?;
                fits(secrets, algorithm.of_ring(), incoming.body, &[tag])
            }
            Self::Header { name, prefix } => {
                let given = incoming.header(name).and_then(|text| text.strip_prefix(prefix.as_str()));
                is_secret(given, secrets)
            }
            Self::Query(name) => is_secret(incoming.query(name).as_deref(), secrets),
        }
    }
}

impl Algorithm {
    fn of_ring(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

fn fits(
    secrets: &[Clear],
    algorithm: hmac::Algorithm,
    message: &[u8],
    tags: &[Vec<u8>],
) -> Result<(), Refusal> {
    let fits = secrets.iter().any(|secret| {
        let key = hmac::Key::new(algorithm, secret.expose().as_bytes());
        tags.iter().any(|tag| hmac::verify(&key, message, tag).is_ok())
    });
    if fits { Ok(()) } else { Err(Refusal::Unproved("the signature does not fit")) }
}

fn is_secret(given: Option<&str>, secrets: &[Clear]) -> Result<(), Refusal> {
    let given = given.ok_or(Refusal::Unproved("the secret is missing"))?;
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    let given = hash(given);
    // No short way out: how many secrets there are, and which one fits, shows in no time.
    let fits = secrets.iter().fold(false, |fits, secret| {
        constant_time::verify_slices_are_equal(given.as_ref(), hash(secret.expose()).as_ref()).is_ok() | fits
    });
    if fits { Ok(()) } else { Err(Refusal::Unproved("the secret is another")) }
}

/// The house's own signature. The time is in what is signed, so that nothing can be sent again later.
fn signature(incoming: &Incoming<'_>, secrets: &[Clear]) -> Result<(), Refusal> {
    let header =
        incoming.header(SIGNATURE).ok_or(Refusal::Unproved("there is no Ramal-Signature, or two"))?;
    let (mut time, mut tags) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", digits)) if time.is_none() => time = Some(digits),
            Some(("v1", hex)) if tags.len() < 5 => {
                tags.extend(data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()));
            }
            // Room for a v2 beside it.
            Some((name, _)) if name != "t" && name != "v1" => {}
            _ => return Err(Refusal::Unproved("the Ramal-Signature is malformed")),
        }
    }
    let time = time.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let seconds = time.and_then(|digits| digits.parse::<i64>().ok());
    let (time, seconds) = time.zip(seconds).ok_or(Refusal::Unproved("the Ramal-Signature has no time"))?;
    if incoming.now.as_second().abs_diff(seconds) > TOLERANCE {
        return Err(Refusal::Unproved("the Ramal-Signature is more than 300 seconds off"));
    }
    let mut message = format!("{time}.").into_bytes();
    message.extend_from_slice(incoming.body);
    fits(secrets, hmac::HMAC_SHA256, &message, &tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use url::Url;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const NOW: i64 = 1_780_000_000;
    const BODY: &[u8] = br#"{"event_id":"e1"}"#;
    /// `printf '%s' '{"event_id":"e1"}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef`
    const HEX: &str = "59e6d8f28534b465e1372e3097ba396887a5413c4ad119553b6d0a975ba87dbc";

    fn check(proof: &Proof, url: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let url = Url::parse(url).unwrap();
        let now = jiff::Timestamp::from_second(NOW).unwrap();
        let incoming = Incoming { url: &url, headers, body, now };
        let secrets = [Clear::from("another secret of the same use"), Clear::from(SECRET)];
        proof.check(&incoming, &secrets).map_or_else(|refusal| refusal.to_string(), |()| "proved".to_owned())
    }

    fn sign(t: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let message = [t.to_string().as_bytes(), b".", body].concat();
        format!("t={t},v1={}", data_encoding::HEXLOWER.encode(hmac::sign(&key, &message).as_ref()))
    }

    const ADDRESS: &str = "https://ramal.example/v1/channels/x/webhook";

    #[rstest]
    #[case::right(sign(NOW, BODY), "proved")]
    #[case::old(sign(NOW - 301, BODY), "300 seconds off")]
    #[case::of_the_future(sign(NOW + 301, BODY), "300 seconds off")]
    #[case::other_body(sign(NOW, b"{}"), "does not fit")]
    #[case::moved_in_time(sign(NOW, BODY).replacen("t=1780000000", "t=1780000001", 1), "does not fit")]
    #[case::two_times(format!("t={NOW},{}", sign(NOW, BODY)), "malformed")]
    #[case::later_scheme(format!("{},v2=x", sign(NOW, BODY)), "proved")]
    #[case::no_time("v1=00".to_owned(), "has no time")]
    #[case::signed_time("t=+1780000000,v1=00".to_owned(), "has no time")]
    #[case::garbage("x".to_owned(), "malformed")]
    #[case::least_time(format!("t={},v1=00", i64::MIN), "has no time")]
    fn the_houses_signature(#[case] header: String, #[case] expected: &str) {
        let told = check(&Proof::Ramal, ADDRESS, &[(SIGNATURE, &header)], BODY);
        assert!(told.ends_with(expected) || told.contains(expected), "{told}");
    }

    fn hmac(encoding: Encoding, prefix: &str) -> Proof {
        let header = "x-acme-signature".to_owned();
        Proof::Hmac { algorithm: Algorithm::Sha256, header, encoding, prefix: prefix.to_owned() }
    }

    #[rstest]
    #[case::hex(hmac(Encoding::Hex, "sha256="), &format!("sha256={HEX}"), "proved")]
    #[case::upper_case(hmac(Encoding::Hex, ""), &HEX.to_uppercase(), "proved")]
    #[case::without_its_prefix(hmac(Encoding::Hex, "sha256="), HEX, "has another form")]
    #[case::base64(hmac(Encoding::Base64, ""), "WebY8oU0tGXhNy4wl7o5aIelQTxK0RlVO20Kl1uofbw=", "proved")]
    #[case::other_encoding(
        hmac(Encoding::Hex, ""),
        "WebY8oU0tGXhNy4wl7o5aIelQTxK0RlVO20Kl1uofbw=",
        "not written as the mapping says"
    )]
    #[case::cut(hmac(Encoding::Hex, ""), &HEX[..32], "does not fit")]
    fn a_keyed_hash_in_a_header(#[case] proof: Proof, #[case] header: &str, #[case] expected: &str) {
        let told = check(&proof, ADDRESS, &[("x-acme-signature", header)], BODY);
        assert!(told.ends_with(expected), "{told}");
        let forged = check(&proof, ADDRESS, &[("x-acme-signature", header)], b"{}");
        assert_ne!(forged, "proved");
    }

    #[rstest]
    #[case::header(Proof::Header { name: "x-token".into(), prefix: String::new() }, SECRET, "", "proved")]
    #[case::bearer(Proof::Header { name: "x-token".into(), prefix: "Bearer ".into() }, &format!("Bearer {SECRET}"), "", "proved")]
    #[case::longer(Proof::Header { name: "x-token".into(), prefix: String::new() }, &format!("{SECRET}0"), "", "another")]
    #[case::query(Proof::Query("k".into()), "", SECRET, "proved")]
    #[case::other_query(Proof::Query("k".into()), "", "x", "another")]
    #[case::no_query(Proof::Query("key".into()), "", "x", "missing")]
    fn a_secret_is_given(
        #[case] proof: Proof,
        #[case] header: &str,
        #[case] query: &str,
        #[case] expected: &str,
    ) {
        let told = check(&proof, &format!("{ADDRESS}?k={query}"), &[("x-token", header)], BODY);
        assert!(told.ends_with(expected), "{told}");
    }
}
