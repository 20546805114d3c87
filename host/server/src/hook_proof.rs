//! Who sends to a hook: a keyed hash over the raw bytes, or a secret in the address, as the manifest says.
//!
//! What can be refused by the headers alone is refused before the body is read, and nothing is parsed before its
//! sender is known. Comparisons take the same time whatever they find.

use std::time::Duration;

use aws_lc_rs::{constant_time, digest, hmac};
use axum::http::HeaderMap;
use jiff::Timestamp;
use ramal_capability::{Clear, HmacAlgorithm, HmacProof, SignatureEncoding, SignedPart};

use crate::problem::{Problem, ProblemCode};

/// Signatures that may stand in one header, while a sender changes its secret.
const MOST_SIGNATURES: usize = 5;
const LONGEST_HEADER: usize = 1024;
/// Unix times from here on are milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// How long the same bytes are one delivery, where the sender gives it no name.
const SAME_BYTES: Duration = Duration::from_secs(600);
/// How long a sender's name for a delivery is remembered.
const SAME_NAME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// By what a repetition is known, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) digest: [u8; 32],
    pub(crate) within: Duration,
}

/// The headers of a signed request, well formed and in time, not yet compared with a body.
#[derive(Debug)]
pub(crate) struct Claim<'h> {
    proof: &'h HmacProof,
    tags: Vec<Vec<u8>>,
    time: &'h str,
    delivery: Option<&'h str>,
}

impl<'h> Claim<'h> {
    pub(crate) fn read(
        proof: &'h HmacProof,
        delivery: Option<&'h str>,
        headers: &'h HeaderMap,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let signature = one(headers, &proof.header)?.ok_or_else(|| {
            Problem::new(ProblemCode::SignatureMissing, "the request lacks the signature's header")
                .hint("sign the raw body as the plugin's documentation says")
        })?;
        let tags = tags(proof, signature)?;
        let time = match &proof.time {
            None => "",
            Some(signed) => {
                let text = one(headers, &signed.header)?
                    .ok_or_else(|| malformed("the header with the time is missing"))?;
                in_time(text, signed.tolerance, now)?;
                text
            }
        };
        Ok(Self { proof, tags, time, delivery })
    }

    /// Compares with the body, and says by what a repetition is known.
    pub(crate) fn verify(&self, secrets: &[Clear], body: &[u8]) -> Result<Identity, Problem> {
        let message = self.message(body);
        let algorithm = match self.proof.algorithm {
            HmacAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            HmacAlgorithm::Sha256 => hmac::HMAC_SHA256,
            HmacAlgorithm::Sha512 => hmac::HMAC_SHA512,
        };
        let fits = secrets.iter().any(|secret| {
            let key = hmac::Key::new(algorithm, secret.expose().as_bytes());
            self.tags.iter().any(|tag| hmac::verify(&key, &message, tag).is_ok())
        });
        if !fits {
            return Err(Problem::new(
                ProblemCode::SignatureWrong,
                "the signature does not fit the body and this hook's secret",
            )
            .hint(
                "sign the bytes exactly as they are sent, with the secret that `ramal credential set` stored",
            ));
        }
        // The time is in the message, so what is old enough to be forgotten is too old to come in.
        let longest = self.proof.time.as_ref().map_or(SAME_BYTES, |time| SAME_BYTES.max(time.tolerance * 2));
        Ok(identity(self.delivery, &message, longest))
    }

    fn message(&self, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(body.len() + 128);
        for part in &self.proof.signed {
            message.extend_from_slice(match part {
                SignedPart::Text(text) => text.as_bytes(),
                SignedPart::Time => self.time.as_bytes(),
                SignedPart::DeliveryId => self.delivery.unwrap_or_default().as_bytes(),
                SignedPart::Body => body,
            });
        }
        message
    }
}

/// Whether the address ends with the hook's secret.
pub(crate) fn is_secret(given: &str, secrets: &[Clear]) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    let given = hash(given);
    // No short way out: how many secrets there are, and which one fits, shows in no time.
    secrets.iter().fold(false, |fits, secret| {
        constant_time::verify_slices_are_equal(given.as_ref(), hash(secret.expose()).as_ref()).is_ok() | fits
    })
}

/// By what a repetition of a request with a secret address is known.
pub(crate) fn unsigned(delivery: Option<&str>, body: &[u8]) -> Identity {
    identity(delivery, body, SAME_BYTES)
}

fn identity(delivery: Option<&str>, message: &[u8], within: Duration) -> Identity {
    let mut context = digest::Context::new(&digest::SHA256);
    let within = match delivery {
        Some(name) => {
            context.update(b"name\n");
            context.update(name.as_bytes());
            SAME_NAME
        }
        None => {
            context.update(b"bytes\n");
            context.update(message);
            within
        }
    };
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    Identity { digest: out, within }
}

/// The sender's name for the delivery, if the hook wants one.
pub(crate) fn delivery<'h>(header: Option<&str>, headers: &'h HeaderMap) -> Result<Option<&'h str>, Problem> {
    let Some(name) = header else { return Ok(None) };
    let text = one(headers, name)?.filter(|text| (1..=200).contains(&text.len()));
    text.map(Some).ok_or_else(|| {
        Problem::new(
            ProblemCode::Invalid,
            "the header with the delivery's name is missing, empty or too long",
        )
        .hint("every delivery of this hook has a name of its own, which stays when it is sent again")
    })
}

/// A header that stands there once, or not at all.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Problem> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(malformed("a header of the signature is given twice")),
        (Some(value), None) => {
            let text = value.to_str().ok().filter(|text| text.len() <= LONGEST_HEADER);
            text.map(|text| Some(text.trim()))
                .ok_or_else(|| malformed("a header of the signature cannot be read"))
        }
    }
}

fn tags(proof: &HmacProof, header: &str) -> Result<Vec<Vec<u8>>, Problem> {
    let decode = |text: &str| {
        let text = text.strip_prefix(proof.prefix.as_str())?;
        match proof.encoding {
            SignatureEncoding::Hex => data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
            SignatureEncoding::Base64 => data_encoding::BASE64.decode(text.as_bytes()).ok(),
        }
    };
    let texts: Vec<&str> = header.split_ascii_whitespace().collect();
    if texts.len() > MOST_SIGNATURES {
        return Err(malformed("the signature's header has more than 5 signatures"));
    }
    // One of another kind beside a good one is a later scheme of the sender's.
    let tags: Vec<Vec<u8>> = texts.into_iter().filter_map(decode).filter(|tag| !tag.is_empty()).collect();
    if tags.is_empty() {
        return Err(malformed("the signature is not written as this hook wants it"));
    }
    Ok(tags)
}

fn in_time(text: &str, tolerance: Duration, now: Timestamp) -> Result<(), Problem> {
    let plain = !text.is_empty() && text.len() <= 16 && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<i64>().ok().filter(|_| plain);
    let number = number.ok_or_else(|| malformed("the time is not a number of seconds or milliseconds"))?;
    let seconds = if number >= MILLISECONDS_FROM { number / 1000 } else { number };
    let off = i128::from(now.as_second()) - i128::from(seconds);
    if off.unsigned_abs() <= u128::from(tolerance.as_secs()) {
        return Ok(());
    }
    let detail = if off > 0 { "the signature is too old" } else { "the signature's time is in the future" };
    Err(Problem::new(
        ProblemCode::SignatureExpired,
        format!("{detail}: it may be {} seconds off, either way", tolerance.as_secs()),
    )
    .hint("sign at the moment of sending, also when it is sent again; check both clocks"))
}

fn malformed(what: &str) -> Problem {
    Problem::new(ProblemCode::SignatureMalformed, what).hint("sign as the plugin's documentation says")
}

#[cfg(test)]
mod tests;
