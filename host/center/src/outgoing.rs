//! Messages that the company writes here: stored as `queued` before anything is sent.
//!
//! Whoever sends first and stores then has, after a crash between the two, a message at the customer's that nobody here
//! knows of, and sends it again. So the message stands in the history first, under the reference by which its provider
//! will tell of it; sending it is another's business, and what became of that comes back as a status.

use std::sync::Arc;

use jiff::Timestamp;
use ramal_store::{
    Attachment, Cause, Clear, EventId, Interaction, InteractionDirection, InteractionId, InteractionState,
    Message, Receipt, SourceId, TenantId,
};
use serde::Serialize;
use tokio::time::Instant;

use crate::center::{ATTEMPTS, Inner};
use crate::conversation::{By, LONGEST_TEXT};
use crate::request::{CLIENTS, digest};
use crate::running::Ticket;
use crate::text::checked;
use crate::{Center, CenterError, Handled, MessageEvent, Origin, Request, StoreError};

/// Conversations of one customer in which their last message is looked for.
const LATEST: u32 = 20;
/// Messages of one conversation among which it is looked for, the last ones.
const MOST_MESSAGES: u32 = 5000;

/// A message that is to be written to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// By which identifier its provider will tell of it.
    pub reference: EventId,
    /// The text.
    #[serde(serialize_with = "exposed")]
    pub text: Option<Clear>,
    /// The files.
    pub attachments: Vec<Attachment>,
    /// The agent who writes it.
    #[serde(serialize_with = "exposed")]
    pub agent: Option<Clear>,
}

fn exposed<S: serde::Serializer>(text: &Option<Clear>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_ref().map(Clear::expose).serialize(serializer)
}

/// A message that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// In which conversation; another than the one that was named, when that was over.
    pub handled: Handled,
    /// As it stands.
    pub message: Message,
}

impl Center {
    /// Stores a message to the customer of a conversation. One that is over is not opened again: the message joins the
    /// one that goes on with the same customer, or begins one. The same request again says how its message stands.
    ///
    /// # Errors
    /// When there is no such conversation, the text cannot be kept, or the store fails: nothing is stored then.
    pub async fn queue_message(
        &self,
        request: Request,
        id: InteractionId,
        draft: Draft,
    ) -> Result<Queued, CenterError> {
        let (tenant, reference) = (request.tenant.clone(), draft.reference.clone());
        let handled = self
            .to_the_end("message-out", move |inner, ticket| async move {
                inner.take_draft(&request, id, &draft, &ticket).await
            })
            .await?;
        let of = self.interaction(&tenant, handled.interaction).await?.ok_or(CenterError::Broken)?;
        let found = self.message(&tenant, &of.interaction.source, &reference).await?;
        let (_, message) = found.ok_or(CenterError::Broken)?;
        Ok(Queued { handled, message })
    }

    /// The message that a provider knows by this identifier, and its conversation.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn message(
        &self,
        tenant: &TenantId,
        source: &SourceId,
        reference: &EventId,
    ) -> Result<Option<(InteractionId, Message)>, StoreError> {
        self.0.interactions.message(tenant, source, reference).await
    }

    /// The customer's last message of a conversation, or of another one with the same customer on the same channel,
    /// that was written since a moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_heard(
        &self,
        conversation: &Interaction,
        since: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        if let Some(message) = self.heard_in(conversation, since).await? {
            return Ok(Some(message));
        }
        let Some(contact) = conversation.contacts.first() else { return Ok(None) };
        let page = self.timeline(&conversation.tenant, contact, None, LATEST).await?;
        for other in page.items {
            if other.id != conversation.id
                && other.source == conversation.source
                && let Some(message) = self.heard_in(&other, since).await?
            {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    async fn heard_in(
        &self,
        conversation: &Interaction,
        since: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        if conversation.messages_in == 0 || conversation.last_message_at.is_none_or(|last| last < since) {
            return Ok(None);
        }
        let messages = self
            .0
            .interactions
            .messages_between(&conversation.tenant, conversation.id, since, Timestamp::MAX, MOST_MESSAGES)
            .await?;
        Ok(messages.into_iter().filter(|m| m.direction == InteractionDirection::Inbound).max_by_key(|m| m.at))
    }
}

impl Inner {
    async fn take_draft(
        self: &Arc<Self>,
        request: &Request,
        id: InteractionId,
        draft: &Draft,
        ticket: &Ticket,
    ) -> Result<Handled, CenterError> {
        let deadline = Instant::now() + self.settings.deadline;
        checked("text", draft.text.as_ref().map(Clear::expose), LONGEST_TEXT)?;
        let clients = SourceId::new(CLIENTS).map_err(|_| CenterError::Broken)?;
        // Everything in a draft has a form in JSON.
        let asked = digest(id, &serde_json::to_string(draft).map_err(|_| CenterError::Broken)?);
        for _ in 0..ATTEMPTS {
            // The names of nobody: only whether the request was seen.
            let seen = self.interactions.conversation(&request.tenant, &clients, &[], &request.id).await?;
            if let Some(interaction) = seen.seen_for {
                if seen.seen_asked != Some(asked) {
                    return Err(CenterError::RequestIdReused);
                }
                let known = self.interactions.interaction(&request.tenant, interaction).await?;
                let state = known.ok_or(CenterError::Broken)?.interaction.state;
                return Ok(Handled { interaction, state, repeated: true });
            }
            let of = self.interactions.interaction(&request.tenant, id).await?;
            let of = of.ok_or(CenterError::UnknownInteraction)?.interaction;
            if of.channel.is_voice() {
                return Err(CenterError::WrongKind { kind: "message" });
            }
            let origin = Origin { tenant: request.tenant.clone(), source: of.source.clone() };
            let event = self.written(&of, draft);
            let known = if of.state == InteractionState::Ended {
                let going_on = self
                    .interactions
                    .conversation(&origin.tenant, &origin.source, &of.contacts, &draft.reference)
                    .await?;
                going_on.interaction
            } else {
                Some(of)
            };
            let by = By { actor: request.actor.clone(), cause: Cause::Request(request.id.clone()) };
            let (number, directories) = self.whom_to_ask(&origin, &event, known.as_ref());
            let mut write = self.decide_message(&origin, &event, known.as_ref(), &by, &directories)?;
            write.receipt =
                Some(Receipt { source: clients.clone(), event_id: request.id.clone(), asked: Some(asked) });
            self.with_deliveries(&mut write).await?;
            if let Some(handled) = self.store_conversation(write, "message-out").await? {
                if let Some(number) = number {
                    let id = handled.interaction;
                    self.look_up(&origin.tenant, id, &number, deadline, &directories, ticket);
                }
                return Ok(handled);
            }
        }
        Err(CenterError::Contended)
    }

    fn written(&self, of: &Interaction, draft: &Draft) -> MessageEvent {
        let ours = match of.direction {
            InteractionDirection::Inbound => &of.to,
            InteractionDirection::Outbound | InteractionDirection::Internal => &of.from,
        };
        MessageEvent {
            reference: draft.reference.clone(),
            channel: of.channel,
            direction: InteractionDirection::Outbound,
            contacts: of.contacts.clone(),
            line: ours.clone(),
            text: draft.text.clone(),
            attachments: draft.attachments.clone(),
            agent: draft.agent.clone(),
            at: self.clock.now(),
        }
    }
}
