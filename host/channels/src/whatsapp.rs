//! WhatsApp by Meta's own Cloud API: what users write, how far our messages came, and calls that only tell.
//!
//! Meta posts batches, at least once, in no promised order, and repeats for a week what is not thanked for. So each part
//! is read by itself: what is odd in one message loses neither the others nor the thanks, and a kind of message that
//! nobody knew yet is kept as a message with a mark ([`kind`]), never dropped.
//!
//! A user has up to four names. The identifier within the business (BSUID, `BR.1349…`) lasts longest and comes first; the
//! `wa_id` is kept as it came, because Meta sends to those very digits; the number is what contacts are matched by, and
//! may be absent. A *username* is none of them: it can be given up, and be somebody else's tomorrow.
//!
//! Payloads: <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components>.

mod call;
mod content;
mod envelope;
mod failure;
pub mod kind;
mod limit;
mod media;
mod message;
mod proof;
mod send;
mod status;
mod user;

use ramal_center::{EventId, Region};

use crate::{Incoming, Reading, Refusal, Reply, Webhook};

pub use media::{MediaError, MediaFile, WhatsAppMedia};
pub use proof::WhatsAppKeys;
pub use send::{GRAPH_API, GRAPH_FILES, GRAPH_VERSION, WhatsAppSender};

/// What Meta says that a request has at most.
const MOST_BYTES: usize = 3 * 1024 * 1024;

/// Which number of which business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatsAppNumber {
    /// The WhatsApp Business Account (WABA).
    pub account: String,
    /// Meta's identifier of the number; not the number itself.
    pub phone_number_id: String,
    /// Within what user identifiers are unique: the business portfolio, else the account.
    pub portfolio: String,
}

/// One number of a business on WhatsApp.
#[derive(Debug)]
pub struct WhatsApp {
    number: WhatsAppNumber,
    keys: WhatsAppKeys,
    region: Region,
}

impl WhatsApp {
    /// The adapter of a number.
    pub fn new(number: WhatsAppNumber, keys: WhatsAppKeys, region: Region) -> Self {
        Self { number, keys, region }
    }
}

impl Webhook for WhatsApp {
    fn most_bytes(&self) -> usize {
        MOST_BYTES
    }

    fn challenge(&self, incoming: &Incoming<'_>) -> Result<Reply, Refusal> {
        self.keys.challenge(incoming)
    }

    fn prove(&self, incoming: &Incoming<'_>) -> Result<(), Refusal> {
        self.keys.prove(incoming)
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Reading, Refusal> {
        envelope::read(self, incoming.body, incoming.now)
    }
}

/// An identifier of Meta's, with what tells several events of one thing apart. One that is too long to be kept is kept by
/// its digest: it is the same again when it comes again.
fn event_id(id: &str, suffix: &str) -> Result<EventId, &'static str> {
    if id.is_empty() {
        return Err("bad-id");
    }
    EventId::new(&format!("{id}{suffix}")).or_else(|_| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
        let text = format!("sha256:{}{suffix}", data_encoding::HEXLOWER.encode(digest.as_ref()));
        EventId::new(&text).map_err(|_| "bad-id")
    })
}

#[cfg(test)]
mod tests;
