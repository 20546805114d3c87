//! Everything that can happen to an interaction, each with a word that carries its version.
//!
//! The words stand in databases for years. A change that an older reader would misread gets a new word (`held.2`) and
//! the old one stays readable; a new optional field needs none.

use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Channel, ContactIdentity, CrmLink, EndCause, InteractionDirection, JournalResult, Message, MessageId,
    MessageStatus, RecordingId,
};
use crate::{CallId, Clear, EventId, JournalOutcome, PluginId, SourceId, UserId, clear};

/// How an interaction begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Who told of it.
    pub source: SourceId,
    /// The provider's identifier of the call.
    pub reference: Option<CallId>,
    /// By which channel.
    pub channel: Channel,
    /// Who began it.
    pub direction: InteractionDirection,
    /// The calling or writing number in E.164.
    #[serde(with = "clear::option")]
    pub from: Option<Clear>,
    /// The number that was called or written to.
    #[serde(with = "clear::option")]
    pub to: Option<Clear>,
    /// The customer.
    pub contacts: Vec<ContactIdentity>,
    /// The queue that it waits in.
    pub queue: Option<String>,
    /// The plugins that are asked for the card.
    pub asked: Vec<PluginId>,
    /// The protocol number, when it is known from the start.
    pub protocol: Option<String>,
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident $body:tt = $word:literal),+ $(,)?) => {
        /// One thing that happened.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "event")]
        pub enum InteractionEvent {
            $($(#[$doc])* #[serde(rename = $word)] $variant $body),+
        }

        impl InteractionEvent {
            /// The words of all kinds.
            pub const KINDS: &'static [&'static str] = &[$($word),+];
            /// The word of its kind, with the version.
            pub fn kind(&self) -> &'static str {
                match self { $(events!(@pattern $variant $body) => $word),+ }
            }
        }
    };
    (@pattern $variant:ident { $($body:tt)* }) => { Self::$variant { .. } };
    (@pattern $variant:ident ( $($body:tt)* )) => { Self::$variant(..) };
}

events! {
    /// It began.
    Started(Box<Started>) = "started.1",
    /// Somebody took the call.
    Answered {
        /// Who, by the exchange's name.
        #[serde(with = "clear::option")]
        agent: Option<Clear>,
    } = "answered.1",
    /// It is over.
    Ended {
        /// Why.
        cause: EndCause,
        /// Why, in the provider's own word or number.
        provider_cause: Option<String>,
    } = "ended.1",
    /// The call was handed on.
    Transferred {
        /// To whom, by the exchange's name.
        #[serde(with = "clear::option")]
        agent: Option<Clear>,
        /// To which queue.
        queue: Option<String>,
    } = "transferred.1",
    /// The other side was asked to wait on the line.
    Held {} = "held.1",
    /// The talk goes on.
    Resumed {} = "resumed.1",
    /// It went to another queue.
    QueueChanged {
        /// Which.
        queue: Option<String>,
    } = "queue-changed.1",
    /// A device joined.
    LegOpened {
        /// The provider's identifier.
        leg: CallId,
        /// Whose device.
        #[serde(with = "clear::option")]
        agent: Option<Clear>,
        /// Which number.
        #[serde(with = "clear::option")]
        number: Option<Clear>,
    } = "leg-opened.1",
    /// A device left.
    LegClosed {
        /// The provider's identifier.
        leg: CallId,
        /// Why, in the provider's own word.
        provider_cause: Option<String>,
    } = "leg-closed.1",
    /// A message was written.
    MessageAdded {
        /// As it is at this moment.
        message: Message,
        /// The day that it belongs to, in the tenant's time zone.
        date: Date,
    } = "message-added.1",
    /// A message came further.
    MessageStatus {
        /// Which.
        message: MessageId,
        /// How far.
        status: MessageStatus,
        /// Why it failed.
        provider_cause: Option<String>,
    } = "message-status.1",
    /// A day of a conversation is over.
    DayClosed {
        /// Which.
        date: Date,
    } = "day-closed.1",
    /// A recording began.
    RecordingStarted {
        /// Which.
        recording: RecordingId,
    } = "recording-started.1",
    /// A recording stands still.
    RecordingPaused {
        /// Which.
        recording: RecordingId,
    } = "recording-paused.1",
    /// A recording goes on.
    RecordingResumed {
        /// Which.
        recording: RecordingId,
    } = "recording-resumed.1",
    /// A recording can be heard.
    RecordingReady {
        /// Which.
        recording: RecordingId,
        /// How long it is.
        duration_ms: u64,
        /// The digest of the sound.
        digest: Option<String>,
    } = "recording-ready.1",
    /// A recording was deleted.
    RecordingDeleted {
        /// Which.
        recording: RecordingId,
    } = "recording-deleted.1",
    /// A disposition was chosen; `None` takes it back.
    DispositionSet {
        /// Which.
        disposition: Option<String>,
    } = "disposition-set.1",
    /// The notes were written; `None` empties them.
    NoteSet {
        /// All of them.
        #[serde(with = "clear::option")]
        notes: Option<Clear>,
    } = "note-set.1",
    /// The protocol number was given.
    ProtocolGiven {
        /// Which.
        protocol: String,
    } = "protocol-given.1",
    /// The customer is also this one.
    ContactLinked {
        /// By this name.
        contact: ContactIdentity,
    } = "contact-linked.1",
    /// It belongs to this record of a CRM, in place of another of the same kind in that CRM.
    CrmLinked(CrmLink) = "crm-linked.1",
    /// A CRM was told, or was not.
    Journaled {
        /// By which plugin.
        plugin: PluginId,
        /// Which step.
        step: String,
        /// What became of it.
        result: JournalResult,
        /// What was told.
        outcome: Option<JournalOutcome>,
    } = "journaled.1",
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Ramal itself, by a rule.
    System,
    /// An exchange or provider told it.
    Source(SourceId),
    /// A person in the panel.
    User(UserId),
    /// A plugin.
    Plugin(PluginId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Source(source) => write!(f, "source:{source}"),
            Self::User(user) => write!(f, "user:{user}"),
            Self::Plugin(plugin) => write!(f, "plugin:{plugin}"),
        }
    }
}

impl FromStr for Actor {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            None if text == "system" => Ok(Self::System),
            Some(("source", name)) => SourceId::new(name).map(Self::Source).map_err(|_| ()),
            Some(("user", name)) => UserId::new(name).map(Self::User).map_err(|_| ()),
            Some(("plugin", name)) => PluginId::new(name).map(Self::Plugin).map_err(|_| ()),
            _ => Err(()),
        }
    }
}

/// Why it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// An event of a provider, by its identifier.
    Event(EventId),
    /// A request of a client, by its identifier.
    Request(EventId),
    /// A rule of Ramal's, by its name.
    Rule(String),
}

impl Cause {
    /// The cause as one text. A provider's identifier may be personal: not for logs.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Event(id) => format!("event:{}", id.as_str()),
            Self::Request(id) => format!("request:{}", id.as_str()),
            Self::Rule(name) => format!("rule:{name}"),
        }
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "event" => EventId::new(rest).ok().map(Self::Event),
            "request" => EventId::new(rest).ok().map(Self::Request),
            "rule" => Some(Self::Rule(rest.to_owned())),
            _ => None,
        }
    }
}

/// Something that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What happened.
    pub event: InteractionEvent,
}

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Its own identifier.
    pub id: Uuid,
    /// Its number within the interaction, from 1 and without a gap.
    pub seq: u32,
    /// When it happened, by the clock of who told it.
    pub at: Timestamp,
    /// When it was written, by this host's clock.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What happened.
    pub event: InteractionEvent,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_word_in_the_text_is_the_word_of_the_kind() {
        let event = InteractionEvent::DispositionSet { disposition: Some("sold".to_owned()) };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(text, r#"{"event":"disposition-set.1","disposition":"sold"}"#);
        assert_eq!(serde_json::from_str::<InteractionEvent>(&text).unwrap(), event);
    }

    #[test]
    fn every_word_carries_its_version_and_comes_once() {
        let mut words = InteractionEvent::KINDS.to_vec();
        assert!(words.iter().all(|w| w.ends_with(".1")), "{words:?}");
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), InteractionEvent::KINDS.len());
    }

    #[rstest]
    #[case(Actor::System)]
    #[case(Actor::Source(SourceId::new("pbx").unwrap()))]
    #[case(Actor::User(UserId::new("bruna").unwrap()))]
    #[case(Actor::Plugin(PluginId::new("odoo").unwrap()))]
    fn an_actor_reads_back(#[case] actor: Actor) {
        assert_eq!(actor.to_string().parse(), Ok(actor));
    }

    #[rstest]
    #[case(Cause::Event(EventId::new("a:b").unwrap()))]
    #[case(Cause::Request(EventId::new("r1").unwrap()))]
    #[case(Cause::Rule("idle".to_owned()))]
    fn a_cause_reads_back(#[case] cause: Cause) {
        assert_eq!(Cause::from_text(&cause.to_text()), Some(cause));
    }
}
