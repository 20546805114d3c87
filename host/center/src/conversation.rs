//! The road of a message: it joins the conversation that goes on with the customer, or begins one. Who begins one with a
//! number is looked up as a caller is.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date};
use ramal_numbers::PhoneNumber;
use ramal_store::{
    Actor, Cause, EndCause, Interaction, InteractionDirection, InteractionEvent, InteractionId,
    InteractionState, InteractionWrite, Message, MessageId, MessageStatus, NewEvent, Receipt, Recorded,
    Started,
};
use tokio::time::Instant;

use crate::center::{ATTEMPTS, Inner, time_ordered};
use crate::journal::date;
use crate::number::customers_number;
use crate::running::Ticket;
use crate::text::checked;
use crate::view::{self, ConversationView, MessageView};
use crate::{Center, CenterError, Directory, Handled, MessageEvent, MessageStatusEvent, Origin, StoreError};

/// The longest text of a message, in bytes; WhatsApp's own limit is 4096 characters.
pub(crate) const LONGEST_TEXT: usize = 64 * 1024;
/// Conversations that one sweep looks at for each tenant.
const SWEEP: u32 = 500;

/// Who brought a message, and why.
pub(crate) struct By {
    pub(crate) actor: Actor,
    pub(crate) cause: Cause,
}

impl Center {
    /// Takes one message. When this returns, it is stored and the panel is told.
    ///
    /// # Errors
    /// When the message names nobody, has a text that cannot be kept, or the store fails: nothing is stored then.
    pub async fn record_message(&self, origin: Origin, event: MessageEvent) -> Result<Handled, CenterError> {
        self.to_the_end("message", move |inner, ticket| async move {
            inner.take_message(&origin, &event, &ticket).await
        })
        .await
    }

    /// Takes the notice that a message came further.
    ///
    /// # Errors
    /// When the message is not known or the store fails: nothing is stored then.
    pub async fn message_status(
        &self,
        origin: Origin,
        event: MessageStatusEvent,
    ) -> Result<Handled, CenterError> {
        self.to_the_end("message-status", move |inner, _ticket| async move {
            inner.take_status(&origin, &event).await
        })
        .await
    }

    /// Closes the days of conversations that are over, so that the CRMs are told, and ends conversations in which
    /// nobody wrote for long and calls that their provider forgot. Also drops answers of CRMs that are too old. Call
    /// it every minute or so. Says how many calls and conversations it changed.
    ///
    /// # Errors
    /// When the store fails; the next sweep goes on.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let Some(_ticket) = self.0.running.enter() else { return Ok(0) };
        self.0.look_ups.sweep();
        let mut changed = 0;
        for tenant in self.0.tenants() {
            let zone = self.0.rules_of(&tenant).zone.clone();
            let now = self.0.clock.now();
            changed += self.0.reap(&tenant, now).await?;
            let today = now.to_zoned_datetime(zone.clone()).start_of_day().map(|start| start.timestamp());
            // Whatever somebody wrote in today is not over yet.
            let Ok(today) = today else { continue };
            for conversation in self.0.interactions.open_conversations(&tenant, today, SWEEP).await? {
                changed += usize::from(self.0.sweep_one(conversation, date(now, &zone), now).await?);
            }
        }
        Ok(changed)
    }
}

impl Inner {
    async fn take_message(
        self: &Arc<Self>,
        origin: &Origin,
        event: &MessageEvent,
        ticket: &Ticket,
    ) -> Result<Handled, CenterError> {
        let deadline = Instant::now() + self.settings.deadline;
        if event.channel.is_voice() {
            return Err(CenterError::WrongKind { kind: "message" });
        }
        if event.contacts.is_empty() {
            return Err(CenterError::Nobody);
        }
        checked("text", event.text.as_ref().map(|t| t.expose()), LONGEST_TEXT)?;
        for _ in 0..ATTEMPTS {
            let known = self
                .interactions
                .conversation(&origin.tenant, &origin.source, &event.contacts, &event.reference)
                .await?;
            if let Some(seen_for) = known.seen_for {
                return self.repeated(origin, seen_for).await;
            }
            let (number, directories) = self.whom_to_ask(origin, event, known.interaction.as_ref());
            let by = By {
                actor: Actor::Source(origin.source.clone()),
                cause: Cause::Event(event.reference.clone()),
            };
            let mut write =
                self.decide_message(origin, event, known.interaction.as_ref(), &by, &directories)?;
            write.receipt = Some(Receipt {
                source: origin.source.clone(),
                event_id: event.reference.clone(),
                asked: None,
            });
            self.with_deliveries(&mut write).await?;
            if let Some(handled) = self.store_conversation(write, "message").await? {
                if let Some(number) = number {
                    let id = handled.interaction;
                    self.look_up(&origin.tenant, id, &number, deadline, &directories, ticket);
                }
                return Ok(handled);
            }
        }
        Err(CenterError::Contended)
    }

    /// What a message makes of the conversation that goes on, or of none.
    /// By what a customer is looked up whose conversation begins, and by whom.
    pub(crate) fn whom_to_ask(
        &self,
        origin: &Origin,
        event: &MessageEvent,
        known: Option<&Interaction>,
    ) -> (Option<PhoneNumber>, Vec<Arc<dyn Directory>>) {
        let number = customers_number(&event.contacts).filter(|_| known.is_none());
        (number, number.map(|_| self.directories_of(&origin.tenant)).unwrap_or_default())
    }

    pub(crate) fn decide_message(
        &self,
        origin: &Origin,
        event: &MessageEvent,
        known: Option<&Interaction>,
        by: &By,
        directories: &[Arc<dyn Directory>],
    ) -> Result<InteractionWrite, CenterError> {
        let now = self.clock.now();
        let day = date(event.at, &self.rules_of(&origin.tenant).zone);
        let inbound = event.direction == InteractionDirection::Inbound;
        let message = Message {
            id: MessageId(time_ordered(now)),
            reference: event.reference.clone(),
            direction: event.direction,
            at: event.at,
            text: event.text.clone(),
            attachments: event.attachments.clone(),
            agent: event.agent.clone(),
            status: if inbound { MessageStatus::Received } else { MessageStatus::Queued },
            provider_cause: None,
            seq: 0,
        };
        let told = |happened| NewEvent {
            at: event.at,
            actor: by.actor.clone(),
            cause: by.cause.clone(),
            event: happened,
        };
        let added = told(InteractionEvent::MessageAdded { message, date: day });
        let write = match known {
            Some(conversation) => {
                let mut events = Vec::new();
                // The first message of a new day closes the one before.
                if let Some(open) = conversation.day.filter(|open| *open < day) {
                    events.push(closed(open, now));
                }
                let new = event.contacts.iter().filter(|c| !conversation.contacts.contains(c));
                events.extend(new.map(|c| told(InteractionEvent::ContactLinked { contact: c.clone() })));
                events.push(added);
                InteractionWrite::change(conversation, Vec::new(), events, now)
            }
            None => {
                let phone = event.contacts.iter().find(|c| c.kind == ramal_store::ContactKind::Phone);
                let customer = phone.map(|c| c.value().clone());
                let (from, to) =
                    if inbound { (customer, event.line.clone()) } else { (event.line.clone(), customer) };
                let started = Started {
                    source: origin.source.clone(),
                    reference: None,
                    channel: event.channel,
                    direction: event.direction,
                    from,
                    to,
                    contacts: event.contacts.clone(),
                    queue: None,
                    asked: directories.iter().map(|d| d.plugin().clone()).collect(),
                    protocol: None,
                };
                let events = vec![told(InteractionEvent::Started(Box::new(started))), added];
                InteractionWrite::begin(&origin.tenant, InteractionId(time_ordered(now)), events, now)
            }
        }
        .map_err(|_| CenterError::Broken)?;
        Ok(write)
    }

    async fn take_status(
        self: &Arc<Self>,
        origin: &Origin,
        event: &MessageStatusEvent,
    ) -> Result<Handled, CenterError> {
        for _ in 0..ATTEMPTS {
            let found = self.interactions.message(&origin.tenant, &origin.source, &event.reference).await?;
            let (id, message) = found.ok_or(CenterError::UnknownMessage)?;
            let of = self.interactions.interaction(&origin.tenant, id).await?;
            let conversation = of.ok_or(CenterError::UnknownMessage)?.interaction;
            let further = event.status > message.status;
            let happened = InteractionEvent::MessageStatus {
                message: message.id,
                status: event.status,
                provider_cause: event.provider_cause.clone(),
            };
            let events = further.then(|| NewEvent {
                at: event.at,
                actor: Actor::Source(origin.source.clone()),
                cause: Cause::Event(event.event_id.clone()),
                event: happened,
            });
            let messages = if further { vec![message] } else { Vec::new() };
            let now = self.clock.now();
            let mut write =
                InteractionWrite::change(&conversation, messages, events.into_iter().collect(), now)
                    .map_err(|_| CenterError::Broken)?;
            write.receipt = Some(Receipt {
                source: origin.source.clone(),
                event_id: event.event_id.clone(),
                asked: None,
            });
            if let Some(handled) = self.store_conversation(write, "message-status").await? {
                return Ok(handled);
            }
            // Taken before, or somebody was quicker: the first shows in the receipts.
            let seen = self
                .interactions
                .conversation(&origin.tenant, &origin.source, &[], &event.event_id)
                .await?
                .seen_for;
            if let Some(seen) = seen {
                return if seen == id {
                    self.repeated(origin, seen).await
                } else {
                    Err(CenterError::EventIdReused)
                };
            }
        }
        Err(CenterError::Contended)
    }

    /// Stores a change of a conversation with what the panel is told; `None` when it must be decided anew.
    pub(crate) async fn store_conversation(
        self: &Arc<Self>,
        mut write: InteractionWrite,
        kind: &'static str,
    ) -> Result<Option<Handled>, CenterError> {
        let changed = !write.events().is_empty();
        let after = write.after().clone();
        if changed {
            write.live.push(view::live("conversation", after.id, &ConversationView::from(&after))?);
        }
        let messages = write.messages().iter();
        let told = messages.map(|m| view::live("message", after.id, &MessageView::of(after.id, m)));
        let told = told.collect::<Result<Vec<_>, _>>()?;
        write.live.extend(told);
        let Recorded::Stored(live) = self.interactions.append(write).await? else { return Ok(None) };
        self.told(&after.tenant, live);
        tracing::info!(
            tenant = %after.tenant, interaction = %after.id, state = %after.state, kind, changed, "conversation"
        );
        Ok(Some(Handled { interaction: after.id, state: after.state, repeated: !changed }))
    }

    async fn repeated(&self, origin: &Origin, id: InteractionId) -> Result<Handled, CenterError> {
        let known = self.interactions.interaction(&origin.tenant, id).await?;
        let state = known.ok_or(CenterError::Broken)?.interaction.state;
        Ok(Handled { interaction: id, state, repeated: true })
    }

    async fn sweep_one(
        self: &Arc<Self>,
        conversation: Interaction,
        today: Date,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let idle = SignedDuration::try_from(self.settings.idle).unwrap_or(SignedDuration::MAX);
        let is_idle =
            now.duration_since(conversation.last_message_at.unwrap_or(conversation.started_at)) >= idle;
        let events = if is_idle {
            ending(&conversation, EndCause::Idle, &Actor::System, &Cause::Rule("idle".to_owned()), now)
        } else {
            conversation.day.filter(|day| *day < today).map(|day| closed(day, now)).into_iter().collect()
        };
        if events.is_empty() {
            return Ok(false);
        }
        let Ok(mut write) = InteractionWrite::change(&conversation, Vec::new(), events, now) else {
            return Ok(false);
        };
        self.with_deliveries(&mut write).await?;
        // Somebody who was quicker wrote a message: the next sweep looks again.
        match self.store_conversation(write, "sweep").await {
            Ok(stored) => Ok(stored.is_some()),
            Err(CenterError::Store(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }
}

fn closed(day: Date, now: Timestamp) -> NewEvent {
    NewEvent {
        at: now,
        actor: Actor::System,
        cause: Cause::Rule("day".to_owned()),
        event: InteractionEvent::DayClosed { date: day },
    }
}

/// What ends a conversation: its day first, so that the CRMs are told.
pub(crate) fn ending(
    conversation: &Interaction,
    cause: EndCause,
    actor: &Actor,
    why: &Cause,
    now: Timestamp,
) -> Vec<NewEvent> {
    if conversation.state == InteractionState::Ended {
        return Vec::new();
    }
    let new = |event| NewEvent { at: now, actor: actor.clone(), cause: why.clone(), event };
    let day = conversation.day.map(|day| closed(day, now));
    day.into_iter().chain([new(InteractionEvent::Ended { cause, provider_cause: None })]).collect()
}
