//! One message of a conversation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EventRecord, InteractionDirection, InteractionEvent};
use crate::words::words;
use crate::{Clear, EventId, clear};

/// A message, by Ramal's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub Uuid);

words! {
    /// How far a message came. The order is the order of the words; `failed` is final.
    MessageStatus {
        /// It came in.
        Received = "received",
        /// It waits to be sent.
        Queued = "queued",
        /// The provider has it.
        Sent = "sent",
        /// The customer's device has it.
        Delivered = "delivered",
        /// The customer saw it.
        Read = "read",
        /// It cannot be delivered.
        Failed = "failed",
    }
}

/// A file that came with a message; the file itself is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its media type: `image/jpeg`.
    pub media_type: String,
    /// The provider's or the vault's identifier.
    pub reference: String,
}

/// One message as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Ramal's identifier.
    pub id: MessageId,
    /// The provider's identifier.
    pub reference: EventId,
    /// Who wrote: `inbound` is the customer.
    pub direction: InteractionDirection,
    /// When it was written, by the provider's clock.
    pub at: Timestamp,
    /// The text.
    #[serde(with = "clear::option")]
    pub text: Option<Clear>,
    /// The files.
    pub attachments: Vec<Attachment>,
    /// The agent who wrote it, by name.
    #[serde(with = "clear::option")]
    pub agent: Option<Clear>,
    /// How far it came.
    pub status: MessageStatus,
    /// Why it failed, in the provider's own words or number.
    pub provider_cause: Option<String>,
    /// The event that brought it: messages are told in this order.
    pub seq: u32,
}

impl Message {
    /// The message that an event begins, if it does.
    pub fn begun_by(record: &EventRecord) -> Option<Self> {
        let InteractionEvent::MessageAdded { message, .. } = &record.event else { return None };
        let mut message = message.clone();
        message.seq = record.seq;
        Some(message)
    }

    /// Takes an event. What is not about this message, or is older than what is known, changes nothing.
    pub fn apply(&mut self, record: &EventRecord) {
        let InteractionEvent::MessageStatus { message, status, provider_cause } = &record.event else {
            return;
        };
        if *message != self.id || *status <= self.status {
            return;
        }
        self.status = *status;
        self.provider_cause.clone_from(provider_cause);
    }
}
