//! Writing and reading interactions: the seam to the databases.
//!
//! There is one way to write: an [`InteractionWrite`] takes what was read and the new events, makes the projection
//! itself, and carries along all that must be true together with it: the receipt of the provider's event, what the
//! panel is told, what the CRMs are to be told. A store writes all of it or nothing.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Channel, ContactIdentity, EventRecord, FoldError, Interaction, InteractionDirection, InteractionState,
    Message, NewEvent,
};
use crate::words::words;
use crate::{
    Answer, CallId, EventId, InteractionId, LiveId, NewDelivery, NewLive, PluginId, SourceId, TenantId,
};

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

/// That something from outside was taken: the same identifier of the same source is taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Who sent it.
    pub source: SourceId,
    /// Its identifier there.
    pub event_id: EventId,
    /// What it asked for, by a digest, where the same identifier may come with something else.
    pub asked: Option<Uuid>,
}

/// Events that do not fit what was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// They are no history.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// Nothing was read and nothing begins.
    #[error("there is no interaction to change, and no event begins one")]
    Nothing,
}

/// One change and all that follows from it: stored in one transaction or not at all.
#[derive(Debug, Clone)]
pub struct InteractionWrite {
    tenant: TenantId,
    id: InteractionId,
    before: Option<Interaction>,
    after: Interaction,
    events: Vec<EventRecord>,
    messages: Vec<Message>,
    /// What came from outside.
    pub receipt: Option<Receipt>,
    /// What a plugin answered: the first answer stands.
    pub finding: Option<Finding>,
    /// What the panel is told.
    pub live: Vec<NewLive>,
    /// What the CRMs and webhooks are to be told.
    pub outbox: Vec<NewDelivery>,
    /// Now, by this host's clock.
    pub at: Timestamp,
}

impl InteractionWrite {
    /// A new interaction.
    ///
    /// # Errors
    /// When the first event does not begin one.
    pub fn begin(
        tenant: &TenantId,
        id: InteractionId,
        events: Vec<NewEvent>,
        at: Timestamp,
    ) -> Result<Self, WriteError> {
        let records = numbered(events, 0, at);
        let after = super::fold(tenant, id, &records)?.ok_or(WriteError::Nothing)?;
        Ok(Self::new(None, after, records, Vec::new(), at))
    }

    /// A change of an interaction as it was read. `messages` are those that the events are about, as they were read.
    ///
    /// # Errors
    /// When an event would begin it a second time.
    pub fn change(
        before: &Interaction,
        messages: Vec<Message>,
        events: Vec<NewEvent>,
        at: Timestamp,
    ) -> Result<Self, WriteError> {
        let records = numbered(events, before.seq, at);
        let mut after = before.clone();
        for record in &records {
            after.apply(record)?;
        }
        Ok(Self::new(Some(before.clone()), after, records, messages, at))
    }

    fn new(
        before: Option<Interaction>,
        after: Interaction,
        events: Vec<EventRecord>,
        known: Vec<Message>,
        at: Timestamp,
    ) -> Self {
        let mut messages = known;
        for record in &events {
            messages.iter_mut().for_each(|message| message.apply(record));
            messages.extend(Message::begun_by(record));
        }
        Self {
            tenant: after.tenant.clone(),
            id: after.id,
            before,
            after,
            events,
            messages,
            receipt: None,
            finding: None,
            live: Vec::new(),
            outbox: Vec::new(),
            at,
        }
    }

    /// Adds what follows from the change itself.
    ///
    /// # Errors
    /// When the event would begin the interaction a second time; nothing is added then.
    pub fn and_then(&mut self, event: NewEvent) -> Result<(), WriteError> {
        for record in numbered(vec![event], self.after.seq, self.at) {
            self.after.apply(&record)?;
            self.messages.iter_mut().for_each(|message| message.apply(&record));
            self.messages.extend(Message::begun_by(&record));
            self.events.push(record);
        }
        Ok(())
    }

    /// Whose.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// Which interaction.
    pub fn id(&self) -> InteractionId {
        self.id
    }
    /// The interaction as it was read; `None` for a new one.
    pub fn before(&self) -> Option<&Interaction> {
        self.before.as_ref()
    }
    /// The interaction as the events leave it.
    pub fn after(&self) -> &Interaction {
        &self.after
    }
    /// The events with their numbers.
    pub fn events(&self) -> &[EventRecord] {
        &self.events
    }
    /// The messages that the events are about, as they leave them.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }
    /// The number of the last event that was read; 0 for a new interaction.
    pub(crate) fn read_at(&self) -> u32 {
        self.after.seq.saturating_sub(u32::try_from(self.events.len()).unwrap_or(u32::MAX))
    }
}

fn numbered(events: Vec<NewEvent>, last: u32, recorded_at: Timestamp) -> Vec<EventRecord> {
    let number = |(i, new): (usize, NewEvent)| EventRecord {
        id: Uuid::now_v7(),
        seq: last.saturating_add(u32::try_from(i).unwrap_or(u32::MAX)).saturating_add(1),
        at: micros(new.at),
        recorded_at: micros(recorded_at),
        actor: new.actor,
        cause: new.cause,
        event: new.event,
    };
    events.into_iter().enumerate().map(number).collect()
}

/// What the databases keep of a time: a finer one would read back as another.
fn micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// What became of an [`InteractionWrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// All of it is stored; the last live event, if there was one, has this id.
    Stored(Option<LiveId>),
    /// The source has sent this before, or the plugin has answered before: nothing was written.
    Repeated,
    /// The interaction is no longer what was read: nothing was written; read it again.
    Conflict,
}

/// What is known when something comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The interaction that it names.
    pub interaction: Option<Interaction>,
    /// When its identifier was seen before: the interaction that it was about.
    pub seen_for: Option<InteractionId>,
    /// When its identifier was seen before: [`Receipt::asked`] of then.
    pub seen_asked: Option<Uuid>,
}

/// An interaction with what was found for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The interaction.
    pub interaction: Interaction,
    /// What the plugins answered so far.
    pub findings: Vec<Finding>,
}

/// The latest calls, with the place in the live log up to which they are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// The newest first.
    pub calls: Vec<Snapshot>,
    /// Follow the live events after this one and nothing is missed or told twice.
    pub last: LiveId,
}

/// A place in a list that is sorted by time, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor {
    /// The time of the last one that was seen.
    pub at: Timestamp,
    /// The last one that was seen.
    pub id: InteractionId,
}

impl PageCursor {
    /// Before everything.
    pub(crate) const START: Self = Self { at: Timestamp::MAX, id: InteractionId(Uuid::from_u128(u128::MAX)) };

    pub(crate) fn of(interaction: &Interaction) -> Self {
        Self { at: interaction.started_at, id: interaction.id }
    }
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_microsecond(), self.id.0.simple())
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: use the one that came with the page before, unchanged")]
pub struct BadCursor;

impl FromStr for PageCursor {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (at, id) = text.split_once('.').ok_or(BadCursor)?;
        let at = at.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let id = Uuid::try_parse(id).map_err(|_| BadCursor)?;
        Ok(Self { at: at.ok_or(BadCursor)?, id: InteractionId(id) })
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C = PageCursor> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when there is none.
    pub next: Option<C>,
}

/// Which interactions are wanted: those that fit everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Where they stand.
    pub state: Option<InteractionState>,
    /// By which channel they came.
    pub channel: Option<Channel>,
    /// Who began them.
    pub direction: Option<InteractionDirection>,
    /// Their queue.
    pub queue: Option<String>,
    /// Begun at this time or later.
    pub from: Option<Timestamp>,
    /// Begun before this time.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Where a list begins: after what was seen, and not before what is wanted.
    pub(crate) fn first_place(&self, before: Option<PageCursor>) -> PageCursor {
        let before = before.unwrap_or(PageCursor::START);
        match self.until {
            // Nothing begun at that time itself.
            Some(until) if until <= before.at => PageCursor { at: until, id: InteractionId(Uuid::nil()) },
            _ => before,
        }
    }
}

/// Interactions, their events, and what was found for them. Every question names the tenant whose data it is about.
pub trait InteractionStore: Send + Sync + 'static {
    /// The call that an event names, and whether the event was seen before.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn situation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        reference: &'a CallId,
        event_id: &'a EventId,
    ) -> Answer<'a, Situation>;

    /// The conversation that goes on with somebody who has one of these names, and whether the event was seen before.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn conversation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        contacts: &'a [ContactIdentity],
        event_id: &'a EventId,
    ) -> Answer<'a, Situation>;

    /// One interaction.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn interaction<'a>(&'a self, tenant: &'a TenantId, id: InteractionId) -> Answer<'a, Option<Snapshot>>;

    /// Stores a change and all that follows from it, in one transaction.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is stored then.
    fn append(&self, write: InteractionWrite) -> Answer<'_, Recorded>;

    /// The events of one interaction after a number, in order, at most so many.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn history<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Answer<'a, Vec<EventRecord>>;

    /// The messages of one conversation after an event's number, in order, at most so many.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn messages<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Answer<'a, Vec<Message>>;

    /// The messages of one conversation that were written from a time on and before another one, the last so many of
    /// them, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn messages_between<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Message>>;

    /// The message with a provider's identifier, and its conversation.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn message<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        reference: &'a EventId,
    ) -> Answer<'a, Option<(InteractionId, Message)>>;

    /// What happened with one customer on all channels, the newest first. Names that ever stood in one interaction
    /// together are one customer's.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn timeline<'a>(
        &'a self,
        tenant: &'a TenantId,
        contact: &'a ContactIdentity,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Interaction>>;

    /// The interactions that fit, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list<'a>(
        &'a self,
        tenant: &'a TenantId,
        filter: &'a Filter,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Interaction>>;

    /// The latest calls with what was found for them.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn recent<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Recent>;

    /// The calls for which a plugin that was asked has not answered, oldest first, with what was found: where the
    /// work goes on after a restart.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn unanswered<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Vec<Snapshot>>;

    /// The conversations that go on and whose last change is older than the given time, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn open_conversations<'a>(
        &'a self,
        tenant: &'a TenantId,
        changed_before: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Interaction>>;

    /// The calls that are not over and of which nothing was heard, by this host's clock: those that ring since the
    /// one time, those that somebody took since the other. The longest quiet first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn quiet_calls<'a>(
        &'a self,
        tenant: &'a TenantId,
        ringing_since: Timestamp,
        talking_since: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Interaction>>;

    /// Forgets, of what a source sent, that it was taken before a moment: at most `limit`; says how many. The same
    /// identifier would be taken again, so a source is only named that does not repeat after so long.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn forget_receipts<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        before: Timestamp,
        limit: u32,
    ) -> Answer<'a, u64>;
}
