//! What exchanges and providers tell, in Ramal's own terms.

use jiff::Timestamp;
use ramal_numbers::PhoneNumber;
use ramal_store::{
    Actor, Attachment, CallId, Channel, Clear, ContactIdentity, EndCause, EventId, InteractionDirection,
    InteractionId, InteractionState, MessageStatus, RecordingId, SourceId, TenantId,
};

/// Who sent an event, after that was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whose calls these are.
    pub tenant: TenantId,
    /// Which exchange or provider.
    pub source: SourceId,
}

/// Who calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Caller {
    /// This number.
    Number(PhoneNumber),
    /// Somebody who withheld the number: there is nothing to look up.
    Withheld,
}

// A caller's number is personal.
impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Number(_) => "Number(<personal>)",
            Self::Withheld => "Withheld",
        })
    }
}

/// What happened to the call.
#[derive(Clone, PartialEq, Eq)]
pub enum EventKind {
    /// It rings.
    Ringing {
        /// On which kind of line.
        channel: Channel,
        /// Who began it.
        direction: InteractionDirection,
        /// Who calls.
        from: Caller,
        /// The number that was called.
        to: Option<PhoneNumber>,
        /// The queue that it waits in.
        queue: Option<String>,
    },
    /// Somebody took it.
    Answered {
        /// Who, by the exchange's name.
        agent: Option<Clear>,
    },
    /// The other side was asked to wait on the line.
    Held,
    /// The talk goes on.
    Resumed,
    /// It was handed on.
    Transferred {
        /// To whom.
        agent: Option<Clear>,
        /// To which queue.
        queue: Option<String>,
    },
    /// It waits in another queue.
    Queued {
        /// Which.
        queue: Option<String>,
    },
    /// A device joined.
    LegOpened {
        /// The provider's identifier.
        leg: CallId,
        /// Whose device.
        agent: Option<Clear>,
        /// Which number.
        number: Option<PhoneNumber>,
    },
    /// A device left.
    LegClosed {
        /// The provider's identifier.
        leg: CallId,
        /// Why, in the provider's own word.
        provider_cause: Option<String>,
    },
    /// Something about a recording.
    Recording {
        /// Which.
        recording: RecordingId,
        /// What.
        step: RecordingStep,
    },
    /// It is over.
    Ended {
        /// Why.
        cause: EndCause,
        /// Why, in the provider's own word or number.
        provider_cause: Option<String>,
    },
}

/// What happened to a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingStep {
    /// It began.
    Started,
    /// It stands still.
    Paused,
    /// It goes on.
    Resumed,
    /// It can be heard.
    Ready {
        /// How long it is.
        duration_ms: u64,
        /// The digest of the sound.
        digest: Option<String>,
    },
    /// It was deleted.
    Deleted,
}

impl EventKind {
    /// A fixed word for errors, logs and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ringing { .. } => "ringing",
            Self::Answered { .. } => "answered",
            Self::Held => "held",
            Self::Resumed => "resumed",
            Self::Transferred { .. } => "transferred",
            Self::Queued { .. } => "queued",
            Self::LegOpened { .. } => "leg-opened",
            Self::LegClosed { .. } => "leg-closed",
            Self::Recording { .. } => "recording",
            Self::Ended { .. } => "ended",
        }
    }
}

// Numbers and agents are personal.
impl std::fmt::Debug for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// One event of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEvent {
    /// The provider's identifier of the event: the same id is the same event.
    pub event_id: EventId,
    /// The provider's identifier of the call.
    pub call_id: CallId,
    /// What happened.
    pub kind: EventKind,
    /// When, by the provider's clock.
    pub at: Timestamp,
}

/// One message of one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEvent {
    /// The provider's identifier of the message: the same id is the same message.
    pub reference: EventId,
    /// WhatsApp or short messages.
    pub channel: Channel,
    /// Who wrote: `inbound` is the customer.
    pub direction: InteractionDirection,
    /// The customer by every name that came along, the one that lasts longest first: a WhatsApp user's identifier
    /// before a number, which may be absent.
    pub contacts: Vec<ContactIdentity>,
    /// The company's number or account.
    pub line: Option<Clear>,
    /// The text.
    pub text: Option<Clear>,
    /// The files.
    pub attachments: Vec<Attachment>,
    /// The agent who wrote it.
    pub agent: Option<Clear>,
    /// When it was written, by the provider's clock.
    pub at: Timestamp,
}

/// That a message came further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStatusEvent {
    /// The provider's identifier of this notice; where it has none, one made of the message's and the status.
    pub event_id: EventId,
    /// The provider's identifier of the message.
    pub reference: EventId,
    /// How far.
    pub status: MessageStatus,
    /// Why it failed, in the provider's own words or number.
    pub provider_cause: Option<String>,
    /// When, by the provider's clock.
    pub at: Timestamp,
}

/// Who asks for a change of an interaction, after that was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose interaction.
    pub tenant: TenantId,
    /// Who.
    pub actor: Actor,
    /// The client's identifier of the request: the same id is the same request.
    pub id: EventId,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// Ramal's identifier of the call or conversation.
    pub interaction: InteractionId,
    /// Where it stands now.
    pub state: InteractionState,
    /// The event was known: nothing changed.
    pub repeated: bool,
}
