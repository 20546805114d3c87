//! What an exchange tells of a call, in Ramal's own terms.

use jiff::Timestamp;
use ramal_numbers::PhoneNumber;
use ramal_store::{CallId, CallState, Clear, EndCause, EventId, InteractionId, SourceId, TenantId};

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
    /// It is over.
    Ended {
        /// Why.
        cause: EndCause,
    },
}

impl EventKind {
    /// The state that the event leads to.
    pub fn leads_to(&self) -> CallState {
        match self {
            Self::Ringing { .. } => CallState::Ringing,
            Self::Answered { .. } => CallState::Answered,
            Self::Ended { .. } => CallState::Ended,
        }
    }
}

impl std::fmt::Debug for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.leads_to().as_str())
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

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// Ramal's identifier of the call.
    pub interaction: InteractionId,
    /// Where the call stands now.
    pub state: CallState,
    /// The event was known: nothing changed.
    pub repeated: bool,
}
