//! How Twilio proves itself: a keyed hash over the address as it calls it and the sorted parameters.
//!
//! Two schemes are in use. The classic one signs with the account's auth token and SHA-1 (as a keyed hash it still
//! stands). Requests signed with a *shared key* say so in `X-Twilio-Webhooks-Signature-Settings: key=…,algorithm=…` and
//! use SHA-256; the two kinds of secret are never tried for each other. A body that is no form is signed by its SHA-256
//! in the address (`bodySHA256`).
//!
//! Twilio signs some addresses with the port and some without, so both are tried; and an apostrophe in the query may
//! have been escaped on its way here.

use aws_lc_rs::{constant_time, digest, hmac};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ramal_center::Clear;

use super::form::Form;
use crate::{Incoming, Refusal};

const SIGNATURE: &str = "x-twilio-signature";
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

/// The secrets of an account. Each may be there twice while it is changed over.
#[derive(Debug, Default)]
pub struct TwilioKeys {
    /// Auth tokens, for the classic scheme.
    pub tokens: Vec<Clear>,
    /// Shared keys, for the newer one.
    pub shared: Vec<SharedKey>,
}

/// A secret made for signing webhooks only.
#[derive(Debug)]
pub struct SharedKey {
    /// Its identifier, which stands in the request.
    pub id: String,
    /// The secret.
    pub secret: Clear,
}

/// Which hash, and with which secrets.
struct Scheme<'k> {
    algorithm: hmac::Algorithm,
    secrets: Vec<&'k Clear>,
}

impl TwilioKeys {
    /// Proves the sender of a request.
    pub(super) fn prove(&self, incoming: &Incoming<'_>) -> Result<(), Refusal> {
        let signature =
            incoming.header(SIGNATURE).ok_or(Refusal::Unproved("there is no X-Twilio-Signature, or two"))?;
        let tag = BASE64
            .decode(signature.as_bytes())
            .map_err(|_| Refusal::Unproved("X-Twilio-Signature is no base64"))?;
        let scheme = self.scheme(incoming)?;
        let params = if Form::is_form(incoming) {
            Form::read(incoming)?.signed()
        } else {
            body_fits(incoming)?;
            String::new()
        };
        let addresses = addresses(incoming.url);
        let fits = scheme.secrets.iter().any(|secret| {
            let key = hmac::Key::new(scheme.algorithm, secret.expose().as_bytes());
            addresses.iter().any(|address| {
                let mut message = address.clone();
                message.push_str(&params);
                hmac::verify(&key, message.as_bytes(), &tag).is_ok()
            })
        });
        if fits { Ok(()) } else { Err(Refusal::Unproved("the signature does not fit")) }
    }

    fn scheme(&self, incoming: &Incoming<'_>) -> Result<Scheme<'_>, Refusal> {
        let classic = || Scheme {
            algorithm: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            secrets: self.tokens.iter().collect(),
        };
        let Some(settings) = incoming.header(SETTINGS) else {
            let twice = incoming.headers.iter().any(|(name, _)| *name == SETTINGS);
            return if twice { Err(Refusal::Unproved("two signature settings")) } else { Ok(classic()) };
        };
        let part = |name: &str| {
            settings.split(',').filter_map(|part| part.split_once('=')).find_map(|(key, value)| {
                (key.trim() == name && !value.trim().is_empty()).then(|| value.trim())
            })
        };
        let algorithm = match part("algorithm").map(str::to_ascii_uppercase).as_deref() {
            Some("HMAC_SHA256") => hmac::HMAC_SHA256,
            Some("HMAC_SHA1") => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            None if part("key").is_none() => return Ok(classic()),
            None => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Some(_) => return Err(Refusal::Unproved("the signature's algorithm is not known")),
        };
        let named = part("key");
        let fitting = self.shared.iter().filter(|key| named.is_none_or(|id| id == key.id));
        Ok(Scheme { algorithm, secrets: fitting.map(|key| &key.secret).collect() })
    }
}

fn body_fits(incoming: &Incoming<'_>) -> Result<(), Refusal> {
    let given = incoming.query("bodySHA256").ok_or(Refusal::Unproved("the body is not signed"))?;
    let given = HEXLOWER_PERMISSIVE.decode(given.as_bytes()).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, incoming.body);
    constant_time::verify_slices_are_equal(hash.as_ref(), &given)
        .map_err(|_| Refusal::Unproved("the body is another than the one that was signed"))
}

/// Every way in which Twilio may have written the address.
fn addresses(url: &url::Url) -> Vec<String> {
    let host = url.host_str().unwrap_or_default();
    let scheme = url.scheme();
    let user = match (url.username(), url.password()) {
        ("", _) => String::new(),
        (user, None) => format!("{user}@"),
        (user, Some(password)) => format!("{user}:{password}@"),
    };
    let rest = url.query().map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
    let port = url.port_or_known_default().map_or_else(String::new, |port| format!(":{port}"));
    let mut all = Vec::with_capacity(4);
    for rest in [rest.replace("%27", "'"), rest] {
        all.push(format!("{scheme}://{user}{host}{rest}"));
        all.push(format!("{scheme}://{user}{host}{port}{rest}"));
    }
    all
}
