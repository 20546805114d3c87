//! A call or a conversation as it stands: what its events make of it.
//!
//! Nothing here is ever set by hand. An [`Interaction`] begins with its first event and changes by
//! [`Interaction::apply`] alone ([`fold()`] is that, over all of them), so the row in the database and the history that
//! it stands for cannot tell different things.

mod contact;
mod event;
mod fold;
mod message;
mod record;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::words::words;
use crate::{CallId, Clear, InteractionId, JournalOutcome, PluginId, SourceId, TenantId, clear};

pub use contact::{BadIdentity, ContactIdentity, ContactKind, Namespace};
pub use event::{Actor, Cause, EventRecord, InteractionEvent, NewEvent, Started};
pub use fold::{FoldError, fold, fold_messages};
pub use message::{Attachment, Message, MessageId, MessageStatus};
pub use record::{BadCursor, Finding, FindingKind};
pub use record::{
    Filter, InteractionStore, InteractionWrite, Page, PageCursor, Receipt, Recent, Recorded, Situation,
    Snapshot, WriteError,
};

words! {
    /// By which channel the customer and the company meet.
    Channel {
        /// A fixed line.
        Fixed = "fixed",
        /// A mobile line.
        Mobile = "mobile",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Short messages.
        Sms = "sms",
    }
}

impl Channel {
    /// Whether it carries calls; else it carries messages.
    pub fn is_voice(self) -> bool {
        matches!(self, Self::Fixed | Self::Mobile)
    }
}

words! {
    /// Who began it.
    InteractionDirection {
        /// The customer.
        Inbound = "inbound",
        /// The company.
        Outbound = "outbound",
        /// Both sides are the company's.
        Internal = "internal",
    }
}

words! {
    /// Where an interaction stands.
    InteractionState {
        /// A call rings; nobody has taken it.
        Ringing = "ringing",
        /// Somebody talks with the other side.
        Answered = "answered",
        /// The other side waits on the line.
        Held = "held",
        /// A conversation goes on.
        Open = "open",
        /// It is over.
        Ended = "ended",
    }
}

words! {
    /// Why an interaction is over.
    EndCause {
        /// It was answered and hung up in the normal way.
        Completed = "completed",
        /// It rang and nobody took it.
        Missed = "missed",
        /// The caller gave up before anybody took it.
        Abandoned = "abandoned",
        /// The line was busy.
        Busy = "busy",
        /// Somebody refused it.
        Rejected = "rejected",
        /// The network or the exchange failed.
        Failed = "failed",
        /// The called side did not take a call that the company made.
        NoAnswer = "no-answer",
        /// A voicemail took it.
        Voicemail = "voicemail",
        /// Somebody closed the conversation.
        Closed = "closed",
        /// Nobody wrote for long.
        Idle = "idle",
    }
}

/// One call or conversation, as its events made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Whose.
    pub tenant: TenantId,
    /// Ramal's identifier.
    pub id: InteractionId,
    /// Who told of it first.
    pub source: SourceId,
    /// The provider's identifier of the call; a conversation need not have one.
    pub reference: Option<CallId>,
    /// By which channel.
    pub channel: Channel,
    /// Who began it.
    pub direction: InteractionDirection,
    /// Where it stands.
    pub state: InteractionState,
    /// The calling or writing number in E.164; `None` when it was withheld or is not known.
    #[serde(with = "clear::option")]
    pub from: Option<Clear>,
    /// The number that was called or written to.
    #[serde(with = "clear::option")]
    pub to: Option<Clear>,
    /// The customer, by every name that is known: the first is the one that the conversation is kept by.
    pub contacts: Vec<ContactIdentity>,
    /// The queue, by the exchange's name.
    pub queue: Option<String>,
    /// Who handles it, or did at the end, by the exchange's name.
    #[serde(with = "clear::option")]
    pub agent: Option<Clear>,
    /// When it began, by the provider's clock.
    pub started_at: Timestamp,
    /// When it was answered; for a conversation the first answer of the company.
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// When its state changed last: what is older comes late.
    pub changed_at: Timestamp,
    /// Why it is over.
    pub cause: Option<EndCause>,
    /// Why, in the provider's own word or number.
    pub provider_cause: Option<String>,
    /// The disposition that the agent chose.
    pub disposition: Option<String>,
    /// The agent's notes.
    #[serde(with = "clear::option")]
    pub notes: Option<Clear>,
    /// The protocol number that the customer is given.
    pub protocol: Option<String>,
    /// The plugins that were asked for the card.
    pub asked: Vec<PluginId>,
    /// The ways to single devices.
    pub legs: Vec<Leg>,
    /// When the other side waited on the line.
    pub holds: Vec<Span>,
    /// How often it was handed on.
    pub transfers: u32,
    /// What was recorded.
    pub recordings: Vec<Recording>,
    /// The CRM's records that it belongs to.
    pub links: Vec<CrmLink>,
    /// What became of telling each CRM, the latest for each step.
    pub journal: Vec<Journaled>,
    /// Messages from the customer.
    pub messages_in: u32,
    /// Messages to the customer.
    pub messages_out: u32,
    /// When the last message was written.
    pub last_message_at: Option<Timestamp>,
    /// The day of a conversation that goes on, in the tenant's time zone.
    pub day: Option<Date>,
    /// The last day of the conversation that is over.
    pub closed_day: Option<Date>,
    /// The number of its last event, from 1.
    pub seq: u32,
}

/// Part of a time; open while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` while it goes on.
    pub until: Option<Timestamp>,
}

/// One way to one device: an agent's telephone, the customer's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The provider's identifier, unique within the call.
    pub id: CallId,
    /// Whose device, by the exchange's name.
    #[serde(with = "clear::option")]
    pub agent: Option<Clear>,
    /// Which number.
    #[serde(with = "clear::option")]
    pub number: Option<Clear>,
    /// From when until when.
    pub span: Span,
    /// Why it is over, in the provider's own word.
    pub provider_cause: Option<String>,
}

words! {
    /// Where a recording stands.
    RecordingState {
        /// It runs.
        Running = "running",
        /// It is paused, as while a card number is read out.
        Paused = "paused",
        /// It can be heard.
        Ready = "ready",
        /// It was deleted.
        Deleted = "deleted",
    }
}

/// A recording, by Ramal's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordingId(pub Uuid);

/// That something was recorded: not the sound itself, which is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Which one.
    pub id: RecordingId,
    /// Where it stands.
    pub state: RecordingState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it stood still.
    pub pauses: Vec<Span>,
    /// How long it is.
    pub duration_ms: Option<u64>,
    /// The digest of the sound, by which the vault has it.
    pub digest: Option<String>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A record in a CRM that the interaction belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrmLink {
    /// By which plugin.
    pub plugin: PluginId,
    /// The CRM's kind of record: `contact`, `deal`, `activity`.
    pub kind: String,
    /// The CRM's identifier.
    pub id: String,
    /// Where a person opens it.
    pub url: Option<String>,
}

words! {
    /// What became of telling a CRM.
    JournalResult {
        /// The CRM has it.
        Written = "written",
        /// It was given up; a person may try it again.
        Dead = "dead",
        /// The rules say that it is not told.
        Withheld = "withheld",
    }
}

/// What became of telling one CRM one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journaled {
    /// By which plugin.
    pub plugin: PluginId,
    /// Which step: `journal`, `amend:3`, `journal:2026-11-23`.
    pub step: String,
    /// What became of it.
    pub result: JournalResult,
    /// How the interaction was said to have ended.
    pub outcome: Option<JournalOutcome>,
    /// When.
    pub at: Timestamp,
}

impl EndCause {
    /// Those by which a call ends.
    pub const OF_CALLS: &'static [Self] = &[
        Self::Completed,
        Self::Missed,
        Self::Abandoned,
        Self::Busy,
        Self::Rejected,
        Self::Failed,
        Self::NoAnswer,
        Self::Voicemail,
    ];
}

impl Interaction {
    /// What a conversation that goes on is found by: its first identity. `None` for calls and when it is over.
    pub fn open_key(&self) -> Option<String> {
        if self.channel.is_voice() || self.state == InteractionState::Ended {
            return None;
        }
        self.contacts.first().map(ContactIdentity::key)
    }
}
