//! The trace of a call or a conversation.

use crate::{Id, Instant, Ref, Text};

/// Who called whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// The customer called.
    #[default]
    Inbound,
    /// The company called.
    Outbound,
    /// Within the company.
    Internal,
}

/// How it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody answered.
    #[default]
    Answered,
    /// Nobody answered a call to the company.
    Missed,
    /// The other side was busy.
    Busy,
    /// The other side did not answer.
    NoAnswer,
    /// A message was left.
    Voicemail,
    /// It could not be connected.
    Failed,
    /// The caller gave up in the queue.
    Abandoned,
}

/// What happened. `Entry::default()` is for tests: an answered inbound call at the epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The same for every try of the same step: what the CRM or the plugin recognises a repetition by.
    pub idempotency_key: String,
    /// The contact that it belongs to, if one was matched.
    pub contact: Option<Id>,
    /// `fixed`, `mobile`, `whatsapp` or `sms`.
    pub channel: String,
    /// Who called whom.
    pub direction: Direction,
    /// How it ended.
    pub outcome: Outcome,
    /// The customer's number or name on the channel. Class `contact.phone`.
    pub counterpart: Option<Text>,
    /// Who answered. Class `agent`.
    pub agent: Option<Text>,
    /// The queue's name.
    pub queue: Option<String>,
    /// When it began.
    pub started: Instant,
    /// When somebody answered.
    pub answered: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
    /// The disposition that the agent chose.
    pub disposition: Option<String>,
    /// The agent's notes. Class `interaction.text`.
    pub notes: Option<Text>,
    /// What was said or written. Class `interaction.text`.
    pub transcript: Option<Text>,
    /// A link to the recording, opened only after login and permission. Class `recording.link`.
    pub recording: Option<Text>,
    /// The deal or ticket that it was about.
    pub about: Option<Ref>,
}

impl Entry {
    /// Seconds of conversation: from the answer to the end; 0 if nobody answered or it has not ended.
    pub fn talk_seconds(&self) -> u64 {
        match (self.answered, self.ended) {
            (Some(answered), Some(ended)) => ended.seconds_since(answered),
            _ => 0,
        }
    }
}
