//! A provider that posts to us: the one small trait of all adapters that are called.

use jiff::Timestamp;
use url::Url;

use crate::{Heard, Setback};

/// One request of a provider, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// The address as the provider calls it: the host's public one with path and query. Some sign it.
    pub url: &'a Url,
    /// The headers, names in lower case; those whose values are not text are left out.
    pub headers: &'a [(&'a str, &'a str)],
    /// The raw bytes: what is signed is never read before it is proved.
    pub body: &'a [u8],
    /// Now, by this host's clock.
    pub now: Timestamp,
}

impl<'a> Incoming<'a> {
    /// The value of a header, by its name in lower case; `None` when it is missing or stands there twice.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut all = self.headers.iter().filter(|(n, _)| *n == name).map(|(_, value)| *value);
        let first = all.next();
        if all.next().is_some() { None } else { first }
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }
}

/// What is read of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What was told, in the order of the request.
    pub heard: Vec<Heard>,
    /// What the adapter does not know or cannot place.
    pub passed_over: Vec<PassedOver>,
}

impl Reading {
    /// Counts something that is not understood.
    pub(crate) fn pass_over(&mut self, why: &'static str) {
        self.passed_over.push(PassedOver { why: Setback(why) });
    }
}

/// Something in a request that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOver {
    /// Why.
    pub why: Setback,
}

/// Why a request is refused. Nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The sender did not prove who it is.
    #[error("the sender is not proved: {0}")]
    Unproved(&'static str),
    /// The bytes are not what the provider sends.
    #[error("the request cannot be read: {0}")]
    Unreadable(&'static str),
    /// The provider never asks this.
    #[error("nothing is at this address for this request")]
    Unknown,
}

/// What a provider is answered when all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// 200 with this text.
    Text(String),
    /// 200 with this XML document.
    Xml(String),
}

/// A provider that posts to us.
pub trait Webhook: Send + Sync + 'static {
    /// The most bytes that a request may have.
    fn most_bytes(&self) -> usize;

    /// Answers the provider's question whether this address is ours (a GET).
    ///
    /// # Errors
    /// When the provider never asks, or does not prove itself.
    fn challenge(&self, incoming: &Incoming<'_>) -> Result<Reply, Refusal> {
        let _ = incoming;
        Err(Refusal::Unknown)
    }

    /// Proves the sender, over the raw bytes and in constant time.
    ///
    /// # Errors
    /// When it is not proved.
    fn prove(&self, incoming: &Incoming<'_>) -> Result<(), Refusal>;

    /// Reads what was told. Pure: the same bytes say the same thing again.
    ///
    /// # Errors
    /// When the whole request is none of the provider's. What is odd in a part of it is passed over instead, so
    /// that the rest is not lost with it.
    fn read(&self, incoming: &Incoming<'_>) -> Result<Reading, Refusal>;

    /// What the provider wants to hear when all is stored.
    fn reply(&self) -> Reply {
        Reply::Text(String::new())
    }
}
