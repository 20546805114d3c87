//! What a webhook is told: the payload of a delivery to one.
//!
//! It stands here because two crates must read the same text: who decides that something is to be told, and who
//! sends it. The body is kept byte for byte as it goes out: every try signs the same bytes, so that a receiver which
//! compares two tries of one event sees one event.

use std::collections::BTreeMap;
use std::fmt;

use ramal_capability::DataClass;
use serde::{Deserialize, Serialize};

use crate::{BadPayload, Clear, clear};

/// The version that this build writes.
const VERSION: u16 = 1;

/// One event for one webhook.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookMessage {
    v: u16,
    /// The event as it is sent: JSON.
    #[serde(with = "clear")]
    pub body: Clear,
    /// Which kinds of personal facts stand in it, and how many of each. Empty: none, so it is no disclosure.
    pub classes: BTreeMap<DataClass, u32>,
    /// Whom it is about, if personal facts stand in it and somebody is known.
    #[serde(with = "clear::option")]
    pub subject: Option<Clear>,
}

impl WebhookMessage {
    /// An event without personal facts.
    pub fn new(body: impl Into<Clear>) -> Self {
        Self { v: VERSION, body: body.into(), classes: BTreeMap::new(), subject: None }
    }

    /// The message as a delivery's payload. May hold customers' data.
    ///
    /// # Errors
    /// Never in practice: every field has a form in JSON.
    pub fn to_payload(&self) -> Result<String, BadPayload> {
        serde_json::to_string(self).map_err(|_| BadPayload { what: "it has no form in JSON" })
    }

    /// Reads a delivery's payload.
    ///
    /// # Errors
    /// When it is of a later version or no message at all.
    pub fn from_payload(text: &str) -> Result<Self, BadPayload> {
        // serde's own words would quote what they found.
        let message: Self =
            serde_json::from_str(text).map_err(|_| BadPayload { what: "it is no webhook's message" })?;
        if message.v == VERSION { Ok(message) } else { Err(BadPayload { what: "it is of a later version" }) }
    }
}

// The body may hold customers' data.
impl fmt::Debug for WebhookMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookMessage").field("classes", &self.classes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_message_reads_back_byte_for_byte() {
        let mut message = WebhookMessage::new("{\"a\": 1,\n\"b\":\"ç\"}");
        message.classes.insert(DataClass::ContactPhone, 2);
        message.subject = Some(Clear::new("+5511987654321"));
        let text = message.to_payload().unwrap();
        assert_eq!(WebhookMessage::from_payload(&text), Ok(message));
    }

    #[rstest]
    #[case::no_message(r#"{"phone":"+5511987654321"}"#)]
    #[case::later(r#"{"v":2,"body":"+5511987654321","classes":{},"subject":null}"#)]
    #[case::not_json("+5511987654321")]
    fn a_payload_that_is_none_is_refused_without_its_words(#[case] text: &str) {
        let error = WebhookMessage::from_payload(text).unwrap_err().to_string();
        assert!(!error.contains("98765"), "{error}");
    }

    #[test]
    fn what_is_told_is_not_printed() {
        assert!(!format!("{:?}", WebhookMessage::new("+5511987654321")).contains("98765"));
    }
}
