//! What a CRM's journal is told of an interaction: the payload of a delivery to a plugin.
//!
//! It stands here because two crates must read the same text: who decides that something is to be told, and who
//! tells it. It mirrors `journal.entry` of the contract; the values are still in the clear and become seals when the
//! plugin is called.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{Channel, Clear, InteractionDirection, InteractionId, clear};

/// The version that this build writes.
const VERSION: u16 = 1;

words! {
    /// How an interaction ended, in the words of the contract.
    JournalOutcome {
        /// Somebody talked with the customer.
        Answered = "answered",
        /// Nobody took it.
        Missed = "missed",
        /// The line was busy.
        Busy = "busy",
        /// The called side did not take it.
        NoAnswer = "no-answer",
        /// A voicemail took it.
        Voicemail = "voicemail",
        /// The network or the exchange failed.
        Failed = "failed",
        /// The caller gave up.
        Abandoned = "abandoned",
    }
}

/// A record in a CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrmRecord {
    /// The CRM's kind of record: `contact`, `deal`, `task`.
    pub kind: String,
    /// The CRM's identifier.
    pub id: String,
    /// Where a person opens it.
    pub url: Option<String>,
}

/// The final facts of a call, or of one day of a conversation, as they are at one moment: those for which the contract
/// has a place, so that two entries that are equal tell a CRM the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    v: u16,
    /// Ramal's identifier of the call or conversation.
    pub interaction: InteractionId,
    /// For a conversation: the day that the entry is about, in the tenant's time zone.
    pub day: Option<Date>,
    /// The contact in this plugin's CRM, if one was matched.
    pub contact: Option<String>,
    /// By which channel.
    pub channel: Channel,
    /// Who began it.
    pub direction: InteractionDirection,
    /// How it ended.
    pub outcome: JournalOutcome,
    /// The customer's number or name on the channel; `None` when it was withheld.
    #[serde(with = "clear::option")]
    pub counterpart: Option<Clear>,
    /// Who handled it.
    #[serde(with = "clear::option")]
    pub agent: Option<Clear>,
    /// The queue's name.
    pub queue: Option<String>,
    /// When it began; for a conversation the first message of the day.
    pub started: Timestamp,
    /// When it was answered.
    pub answered: Option<Timestamp>,
    /// When it was over; for a conversation the last message of the day.
    pub ended: Option<Timestamp>,
    /// The disposition that the agent chose.
    pub disposition: Option<String>,
    /// The agents' notes, one after the other.
    #[serde(with = "clear::option")]
    pub notes: Option<Clear>,
    /// What was written, one line a message.
    #[serde(with = "clear::option")]
    pub transcript: Option<Clear>,
    /// The first recording that is ready, by Ramal's identifier: whoever tells makes the panel's link.
    pub recording: Option<String>,
    /// The deal or ticket that it was about.
    pub about: Option<CrmRecord>,
}

/// A payload that is no journal entry of a version that is known here. Says nothing of the payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a delivery's payload cannot be read by this version: {what}; run the version that wrote it, or report it"
)]
pub struct BadPayload {
    /// What is wrong.
    pub what: &'static str,
}

impl JournalEntry {
    /// An entry with the facts that every one has.
    pub fn new(
        interaction: InteractionId,
        channel: Channel,
        direction: InteractionDirection,
        outcome: JournalOutcome,
        started: Timestamp,
    ) -> Self {
        Self {
            v: VERSION,
            interaction,
            day: None,
            contact: None,
            channel,
            direction,
            outcome,
            counterpart: None,
            agent: None,
            queue: None,
            started,
            answered: None,
            ended: None,
            disposition: None,
            notes: None,
            transcript: None,
            recording: None,
            about: None,
        }
    }

    /// The entry as a delivery's payload. Holds customers' data.
    ///
    /// # Errors
    /// Never in practice: every field has a form in JSON.
    pub fn to_payload(&self) -> Result<String, BadPayload> {
        serde_json::to_string(self).map_err(|_| BadPayload { what: "it has no form in JSON" })
    }

    /// Reads a delivery's payload.
    ///
    /// # Errors
    /// When it is of a later version or no entry at all.
    pub fn from_payload(text: &str) -> Result<Self, BadPayload> {
        // serde's own words would quote what they found.
        let entry: Self =
            serde_json::from_str(text).map_err(|_| BadPayload { what: "it is no journal entry" })?;
        if entry.v == VERSION { Ok(entry) } else { Err(BadPayload { what: "it is of a later version" }) }
    }
}
