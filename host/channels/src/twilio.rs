//! Twilio, and whoever posts in its form (SignalWire, Telnyx TeXML): calls, recordings and messages.
//!
//! One address takes every kind of callback; which one it is shows in the parameters. Callbacks come at least once, in
//! any order, and for a number without a *voice URL* of ours only at the end. So each one says what it says by itself:
//! a call that is over also tells that it began and was answered, under identifiers that are the same whoever tells it,
//! and the center keeps what is new of that.
//!
//! The answer is an empty document of instructions, which *hangs up* a call that waits for some. So this address is for
//! status callbacks; the voice URL stays with whoever answers the call.

mod call;
mod form;
mod message;
mod recording;
mod send;
mod signature;

use ramal_center::{Channel, Clear, Region};

use crate::{Incoming, Reading, Refusal, Reply, Webhook};
use form::Form;

pub use send::{TWILIO_API, TwilioSender};
pub use signature::{SharedKey, TwilioKeys};

/// Twilio's own requests have some kilobytes; a message has at most 1600 characters and ten files.
const MOST_BYTES: usize = 64 * 1024;

/// One account at Twilio.
#[derive(Debug)]
pub struct Twilio {
    account: String,
    keys: TwilioKeys,
    line: Channel,
    region: Region,
}

impl Twilio {
    /// The adapter of an account (`AC…`). Its calls are calls of a `line` of this kind; numbers without a country are
    /// of this region.
    pub fn new(account: impl Into<String>, keys: TwilioKeys, line: Channel, region: Region) -> Self {
        Self { account: account.into(), keys, line, region }
    }
}

impl Webhook for Twilio {
    fn most_bytes(&self) -> usize {
        MOST_BYTES
    }

    fn prove(&self, incoming: &Incoming<'_>) -> Result<(), Refusal> {
        self.keys.prove(incoming)
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Reading, Refusal> {
        let form = Form::read(incoming)?;
        // A key is one account's: this is a key that was given to two, or a body that was put together.
        if form.get("AccountSid").is_some_and(|sid| sid != self.account) {
            return Err(Refusal::Unproved("the request is of another account"));
        }
        let mut reading = Reading::default();
        if form.get("RecordingSid").is_some() {
            recording::read(&form, incoming.now, &mut reading);
        } else if form.get("CallSid").is_some() {
            call::read(&form, self, incoming.now, &mut reading);
        } else if form.message().is_some() {
            let ours = incoming.query("reference");
            message::read(&form, self, ours.as_deref(), incoming.now, &mut reading);
        } else {
            reading.pass_over("unknown-kind");
        }
        Ok(reading)
    }

    fn reply(&self) -> Reply {
        Reply::Xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>".to_owned())
    }
}

fn clear(text: Option<&str>) -> Option<Clear> {
    text.map(Clear::from)
}

#[cfg(test)]
pub(crate) mod tests;
