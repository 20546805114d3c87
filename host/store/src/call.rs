//! Calls, the events that moved them, and what the plugins found for them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Answer, CallId, Clear, EventId, InteractionId, LiveId, NewLive, PluginId, SourceId, TenantId};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word in the database and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or(())
            }
        }
    };
}

words! {
    /// Where a call stands.
    CallState {
        /// It rings; nobody has taken it.
        Ringing = "ringing",
        /// Somebody talks with the caller.
        Answered = "answered",
        /// It is over.
        Ended = "ended",
    }
}

words! {
    /// Why a call is over.
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
    }
}

words! {
    /// How a plugin answered for a call.
    FindingKind {
        /// With at least one card.
        Card = "card",
        /// With none: the number is not in that CRM.
        None = "card-none",
        /// Not at all.
        Failed = "card-failed",
    }
}

/// One call as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose call.
    pub tenant: TenantId,
    /// Ramal's identifier.
    pub interaction: InteractionId,
    /// Who told of it.
    pub source: SourceId,
    /// The provider's identifier, unique within the source.
    pub call_id: CallId,
    /// Where it stands.
    pub state: CallState,
    /// The caller's number in E.164; `None` when it was withheld.
    pub from: Option<Clear>,
    /// The number that was called, in E.164.
    pub to: Option<Clear>,
    /// The queue that it waits in, by the exchange's name.
    pub queue: Option<String>,
    /// Who answered, by the exchange's name.
    pub agent: Option<Clear>,
    /// Why it is over.
    pub cause: Option<EndCause>,
    /// When it began to ring, by the provider's clock.
    pub ringing_at: Timestamp,
    /// When it was answered, by the provider's clock.
    pub answered_at: Option<Timestamp>,
    /// When it was over, by the provider's clock.
    pub ended_at: Option<Timestamp>,
    /// The plugins that were asked for the card.
    pub asked: Vec<PluginId>,
    /// Counts the changes, from 1.
    pub revision: u32,
}

/// What one plugin answered for one call.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose call.
    pub tenant: TenantId,
    /// Which call.
    pub interaction: InteractionId,
    /// Who answered.
    pub plugin: PluginId,
    /// How.
    pub kind: FindingKind,
    /// One JSON object, the same as in the live event. Holds customers' data.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("interaction", &self.interaction)
            .field("plugin", &self.plugin)
            .field("kind", &self.kind)
            .field("body", &"<personal>")
            .finish_non_exhaustive()
    }
}

/// The provider's event behind a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The provider's identifier of the event.
    pub event_id: EventId,
    /// `ringing`, `answered` or `ended`.
    pub kind: CallState,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// When it reached Ramal.
    pub received_at: Timestamp,
}

/// One event and all that follows from it.
#[derive(Debug, Clone)]
pub struct CallWrite {
    /// The call after the event, its revision one more than the one that was read (1 for a new call).
    pub call: Call,
    /// The event.
    pub event: EventRow,
    /// What the panel is told; `None` when the event changed nothing.
    pub live: Option<NewLive>,
}

/// What became of a [`CallWrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// All of it is stored; the live event, if there was one, has this id.
    Stored(Option<LiveId>),
    /// The source has sent this event id before: nothing was written.
    Repeated,
    /// The call is no longer what was read: nothing was written; read it again.
    Conflict,
}

/// What is known when an event comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The call that the event names.
    pub call: Option<Call>,
    /// When the event id was seen before: the call that it was about.
    pub seen_for: Option<CallId>,
}

/// A call with what was found for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSnapshot {
    /// The call.
    pub call: Call,
    /// What the plugins answered so far.
    pub findings: Vec<Finding>,
}

/// The latest calls, with the place in the live log up to which they are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// The newest first.
    pub calls: Vec<CallSnapshot>,
    /// Follow the live events after this one and nothing is missed or told twice.
    pub last: LiveId,
}

/// Calls and their findings.
pub trait CallStore: Send + Sync + 'static {
    /// The call that an event names, and whether the event was seen before.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn situation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        call_id: &'a CallId,
        event_id: &'a EventId,
    ) -> Answer<'a, Situation>;

    /// Stores an event, the call as it then is, and the live event, in one transaction.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is stored then.
    fn record<'a>(&'a self, write: &'a CallWrite) -> Answer<'a, Recorded>;

    /// Stores a plugin's answer and the live event that tells it, in one transaction. `None` when this plugin has
    /// answered for this call before: the first answer stands.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is stored then.
    fn record_finding<'a>(&'a self, finding: &'a Finding) -> Answer<'a, Option<LiveId>>;

    /// The latest calls of a tenant.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn recent<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Recent>;

    /// The calls of all tenants for which a plugin that was asked has not answered, oldest first, with what was
    /// found: where the work goes on after a restart.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn unanswered(&self, limit: u32) -> Answer<'_, Vec<CallSnapshot>>;
}
