//! The one function that makes an interaction from its events.
//!
//! It decides nothing: whether an event may happen was decided before it was written (`ramal-center`), and what was
//! written is true. So it takes every event in every state; what adds nothing leaves all but the number as it was.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    EndCause, EventRecord, Interaction, InteractionDirection, InteractionEvent, InteractionState, Journaled,
    Leg, Message, MessageId, Recording, RecordingId, RecordingState, Span,
};
use crate::{InteractionId, TenantId};

/// Events that are no history of one interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first event is not that it began, or a later one is.
    #[error("event {seq}: a history begins with `started` and has it once")]
    NotBegun {
        /// The event.
        seq: u32,
    },
    /// A number is missing or comes twice.
    #[error("event {seq} stands where event {expected} belongs")]
    Gap {
        /// The number that was found.
        seq: u32,
        /// The number that belongs there.
        expected: u32,
    },
}

/// The interaction that the events make. `None` when there is none.
///
/// # Errors
/// When the events are no complete history.
pub fn fold(
    tenant: &TenantId,
    id: InteractionId,
    events: &[EventRecord],
) -> Result<Option<Interaction>, FoldError> {
    let mut made: Option<Interaction> = None;
    for record in events {
        match &mut made {
            Some(interaction) => interaction.apply(record)?,
            None => made = Some(Interaction::begin(tenant, id, record)?),
        }
    }
    Ok(made)
}

/// The messages that the events make, in the order in which they came.
pub fn fold_messages(events: &[EventRecord]) -> Vec<Message> {
    let mut made: BTreeMap<MessageId, Message> = BTreeMap::new();
    for record in events {
        if let Some(message) = Message::begun_by(record) {
            made.entry(message.id).or_insert(message);
        } else if let InteractionEvent::MessageStatus { message, .. } = &record.event
            && let Some(message) = made.get_mut(message)
        {
            message.apply(record);
        }
    }
    let mut messages: Vec<Message> = made.into_values().collect();
    messages.sort_by_key(|m| m.seq);
    messages
}

impl Interaction {
    /// The interaction after its first event.
    ///
    /// # Errors
    /// When the event is not the first one of an interaction.
    pub fn begin(tenant: &TenantId, id: InteractionId, record: &EventRecord) -> Result<Self, FoldError> {
        let InteractionEvent::Started(started) = &record.event else {
            return Err(FoldError::NotBegun { seq: record.seq });
        };
        if record.seq != 1 {
            return Err(FoldError::Gap { seq: record.seq, expected: 1 });
        }
        let voice = started.channel.is_voice();
        Ok(Self {
            tenant: tenant.clone(),
            id,
            source: started.source.clone(),
            reference: started.reference.clone(),
            channel: started.channel,
            direction: started.direction,
            state: if voice { InteractionState::Ringing } else { InteractionState::Open },
            from: started.from.clone(),
            to: started.to.clone(),
            contacts: started.contacts.clone(),
            queue: started.queue.clone(),
            agent: None,
            started_at: record.at,
            answered_at: None,
            ended_at: None,
            changed_at: record.at,
            cause: None,
            provider_cause: None,
            disposition: None,
            notes: None,
            protocol: started.protocol.clone(),
            asked: started.asked.clone(),
            legs: Vec::new(),
            holds: Vec::new(),
            transfers: 0,
            recordings: Vec::new(),
            links: Vec::new(),
            journal: Vec::new(),
            messages_in: 0,
            messages_out: 0,
            last_message_at: None,
            day: None,
            closed_day: None,
            seq: 1,
        })
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When the event is not the next one; nothing is changed then.
    pub fn apply(&mut self, record: &EventRecord) -> Result<(), FoldError> {
        let expected = self.seq.saturating_add(1);
        if record.seq != expected {
            return Err(FoldError::Gap { seq: record.seq, expected });
        }
        if matches!(record.event, InteractionEvent::Started(_)) {
            return Err(FoldError::NotBegun { seq: record.seq });
        }
        self.seq = expected;
        self.take(record);
        Ok(())
    }

    fn take(&mut self, record: &EventRecord) {
        let at = record.at;
        match &record.event {
            // Refused above.
            InteractionEvent::Started(_) => {}
            InteractionEvent::Answered { agent } => {
                if self.state == InteractionState::Ringing {
                    self.enter(InteractionState::Answered, at);
                }
                // An answer that came late keeps the end and fills in what it adds.
                self.answered_at = self.answered_at.or(Some(at));
                self.agent = self.agent.take().or_else(|| agent.clone());
            }
            InteractionEvent::Ended { cause, provider_cause } => {
                self.end(*cause, at);
                self.provider_cause.clone_from(provider_cause);
            }
            InteractionEvent::Transferred { agent, queue } => {
                self.transfers = self.transfers.saturating_add(1);
                if queue.is_some() {
                    self.queue.clone_from(queue);
                }
                self.agent.clone_from(agent);
            }
            InteractionEvent::Held {} => {
                self.enter(InteractionState::Held, at);
                self.holds.push(Span { from: at, until: None });
            }
            InteractionEvent::Resumed {} => {
                self.enter(InteractionState::Answered, at);
                close(self.holds.last_mut(), at);
            }
            InteractionEvent::QueueChanged { queue } => self.queue.clone_from(queue),
            InteractionEvent::LegOpened { leg, agent, number } => {
                if !self.legs.iter().any(|l| l.id == *leg) {
                    self.legs.push(Leg {
                        id: leg.clone(),
                        agent: agent.clone(),
                        number: number.clone(),
                        span: Span { from: at, until: None },
                        provider_cause: None,
                    });
                }
            }
            InteractionEvent::LegClosed { leg, provider_cause } => {
                if let Some(leg) = self.legs.iter_mut().find(|l| l.id == *leg && l.span.until.is_none()) {
                    leg.span.until = Some(at);
                    leg.provider_cause.clone_from(provider_cause);
                }
            }
            InteractionEvent::MessageAdded { message, date } => {
                let inbound = message.direction == InteractionDirection::Inbound;
                let count = if inbound { &mut self.messages_in } else { &mut self.messages_out };
                *count = count.saturating_add(1);
                if !inbound {
                    self.answered_at = self.answered_at.or(Some(message.at));
                    self.agent = message.agent.clone().or_else(|| self.agent.take());
                }
                self.last_message_at = self.last_message_at.max(Some(message.at));
                // A message that came late belongs to a day that is told already.
                if self.closed_day.is_none_or(|closed| *date > closed) {
                    self.day = self.day.max(Some(*date));
                }
            }
            // The message's own: see `Message::apply`.
            InteractionEvent::MessageStatus { .. } => {}
            InteractionEvent::DayClosed { date } => {
                if self.day.is_some_and(|day| day <= *date) {
                    self.day = None;
                }
                self.closed_day = self.closed_day.max(Some(*date));
            }
            InteractionEvent::RecordingStarted { recording } => {
                self.recording(*recording, at);
            }
            InteractionEvent::RecordingPaused { recording } => {
                let recording = self.recording(*recording, at);
                if recording.state == RecordingState::Running {
                    recording.state = RecordingState::Paused;
                    recording.pauses.push(Span { from: at, until: None });
                }
            }
            InteractionEvent::RecordingResumed { recording } => {
                let recording = self.recording(*recording, at);
                if recording.state == RecordingState::Paused {
                    recording.state = RecordingState::Running;
                    close(recording.pauses.last_mut(), at);
                }
            }
            InteractionEvent::RecordingReady { recording, duration_ms, digest } => {
                let recording = self.recording(*recording, at);
                if recording.state != RecordingState::Deleted {
                    recording.state = RecordingState::Ready;
                    recording.duration_ms = Some(*duration_ms);
                    recording.digest.clone_from(digest);
                }
            }
            InteractionEvent::RecordingDeleted { recording } => {
                let recording = self.recording(*recording, at);
                recording.state = RecordingState::Deleted;
                recording.deleted_at = recording.deleted_at.or(Some(at));
            }
            InteractionEvent::DispositionSet { disposition } => self.disposition.clone_from(disposition),
            InteractionEvent::NoteSet { notes } => self.notes.clone_from(notes),
            InteractionEvent::ProtocolGiven { protocol } => self.protocol = Some(protocol.clone()),
            InteractionEvent::ContactLinked { contact } => {
                if !self.contacts.contains(contact) {
                    self.contacts.push(contact.clone());
                }
            }
            InteractionEvent::CrmLinked(link) => {
                self.links.retain(|l| l.plugin != link.plugin || l.kind != link.kind);
                self.links.push(link.clone());
            }
            InteractionEvent::Journaled { plugin, step, result, outcome } => {
                self.journal.retain(|j| j.plugin != *plugin || j.step != *step);
                self.journal.push(Journaled {
                    plugin: plugin.clone(),
                    step: step.clone(),
                    result: *result,
                    outcome: *outcome,
                    at,
                });
            }
        }
    }

    fn enter(&mut self, state: InteractionState, at: Timestamp) {
        self.state = state;
        self.changed_at = self.changed_at.max(at);
    }

    fn end(&mut self, cause: EndCause, at: Timestamp) {
        self.enter(InteractionState::Ended, at);
        self.cause = Some(cause);
        self.ended_at = Some(at);
        close(self.holds.last_mut(), at);
        for leg in &mut self.legs {
            close(Some(&mut leg.span), at);
        }
        for recording in &mut self.recordings {
            close(recording.pauses.last_mut(), at);
        }
    }

    /// The recording; begun now when its start was not told.
    fn recording(&mut self, id: RecordingId, at: Timestamp) -> &mut Recording {
        let place = self.recordings.iter().position(|r| r.id == id).unwrap_or(self.recordings.len());
        if place == self.recordings.len() {
            self.recordings.push(Recording {
                id,
                state: RecordingState::Running,
                started_at: at,
                pauses: Vec::new(),
                duration_ms: None,
                digest: None,
                deleted_at: None,
            });
        }
        #[expect(clippy::indexing_slicing, reason = "it was found or put there in the lines above")]
        &mut self.recordings[place]
    }
}

fn close(span: Option<&mut Span>, at: Timestamp) {
    if let Some(span) = span
        && span.until.is_none()
    {
        span.until = Some(at.max(span.from));
    }
}
