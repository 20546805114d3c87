//! How Meta proves itself: a keyed hash over the raw bytes with the app's secret, and once, before anything is sent, a
//! word that was agreed on.
//!
//! <https://developers.facebook.com/docs/graph-api/webhooks/getting-started>. Meta escapes what is not ASCII before it
//! signs; whoever parses first and signs what was parsed refuses every message with an accent.

use aws_lc_rs::{constant_time, digest, hmac};
use data_encoding::HEXLOWER;
use ramal_center::Clear;

use crate::{Incoming, Refusal, Reply};

const SIGNATURE: &str = "x-hub-signature-256";
/// Meta sends some ten digits. Nothing else is ever sent back.
const LONGEST_CHALLENGE: usize = 128;

/// The secrets of an app. Each may be there twice while it is changed over.
#[derive(Debug, Default)]
pub struct WhatsAppKeys {
    /// The app's secrets, which sign what is posted.
    pub app_secrets: Vec<Clear>,
    /// The words by which an address is verified.
    pub verify_tokens: Vec<Clear>,
}

impl WhatsAppKeys {
    pub(super) fn challenge(&self, incoming: &Incoming<'_>) -> Result<Reply, Refusal> {
        if incoming.query("hub.mode").as_deref() != Some("subscribe") {
            return Err(Refusal::Unproved("hub.mode is not subscribe"));
        }
        let given = incoming.query("hub.verify_token").unwrap_or_default();
        // Digests, so that not even the length shows.
        let of = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
        let given = of(&given);
        let fits = self.verify_tokens.iter().any(|token| {
            constant_time::verify_slices_are_equal(of(token.expose()).as_ref(), given.as_ref()).is_ok()
        });
        if !fits {
            return Err(Refusal::Unproved("hub.verify_token is not the one of this channel"));
        }
        let challenge = incoming.query("hub.challenge").unwrap_or_default();
        let plain = (1..=LONGEST_CHALLENGE).contains(&challenge.len())
            && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if plain {
            Ok(Reply::Text(challenge))
        } else {
            Err(Refusal::Unreadable("hub.challenge is none that Meta sends"))
        }
    }

    pub(super) fn prove(&self, incoming: &Incoming<'_>) -> Result<(), Refusal> {
        let given =
            incoming.header(SIGNATURE).ok_or(Refusal::Unproved("there is no X-Hub-Signature-256, or two"))?;
        let hex =
            given.strip_prefix("sha256=").ok_or(Refusal::Unproved("X-Hub-Signature-256 is no SHA-256"))?;
        let tag = HEXLOWER
            .decode(hex.as_bytes())
            .map_err(|_| Refusal::Unproved("X-Hub-Signature-256 is not hexadecimal"))?;
        let fits = self.app_secrets.iter().any(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
            hmac::verify(&key, incoming.body, &tag).is_ok()
        });
        if fits { Ok(()) } else { Err(Refusal::Unproved("the signature does not fit")) }
    }
}
