//! What people and clients change: dispositions, notes, links, the end of a conversation.

use jiff::Timestamp;
use ramal_store::{
    Cause, Clear, ContactIdentity, CrmLink, EndCause, Interaction, InteractionEvent, InteractionId,
    InteractionState, InteractionWrite, NewEvent, PluginId, Receipt, Recorded, SourceId, TenantId,
};
use uuid::Uuid;

use crate::call::call_event;
use crate::center::{ATTEMPTS, Inner};
use crate::conversation::ending;
use crate::journal::CONTACT;
use crate::text::checked;
use crate::view::is_web;
use crate::{Center, CenterError, Handled, Request};

/// The source under which requests of clients are remembered.
pub(crate) const CLIENTS: &str = "ramal.clients";
/// The longest notes, in bytes.
const LONGEST_NOTES: usize = 64 * 1024;
/// The longest of the short texts, in bytes.
const LONGEST_NAME: usize = 128;
/// The longest address, in bytes.
const LONGEST_URL: usize = 2048;

impl Center {
    /// Sets the disposition; `None` takes it back.
    ///
    /// # Errors
    /// When there is no such interaction, the text cannot be kept, or the store fails.
    pub async fn set_disposition(
        &self,
        request: Request,
        id: InteractionId,
        disposition: Option<String>,
    ) -> Result<Handled, CenterError> {
        checked("disposition", disposition.as_deref(), LONGEST_NAME)?;
        let event = InteractionEvent::DispositionSet { disposition: disposition.clone() };
        self.change("disposition", request, id, event, move |of| of.disposition == disposition).await
    }

    /// Writes the notes, in place of those before (which the history keeps); `None` empties them.
    ///
    /// # Errors
    /// As [`Center::set_disposition`].
    pub async fn set_note(
        &self,
        request: Request,
        id: InteractionId,
        notes: Option<Clear>,
    ) -> Result<Handled, CenterError> {
        checked("notes", notes.as_ref().map(Clear::expose), LONGEST_NOTES)?;
        let event = InteractionEvent::NoteSet { notes: notes.clone() };
        self.change("note", request, id, event, move |of| of.notes == notes).await
    }

    /// Gives the protocol number.
    ///
    /// # Errors
    /// As [`Center::set_disposition`].
    pub async fn give_protocol(
        &self,
        request: Request,
        id: InteractionId,
        protocol: String,
    ) -> Result<Handled, CenterError> {
        checked("protocol", Some(&protocol), LONGEST_NAME)?;
        let event = InteractionEvent::ProtocolGiven { protocol: protocol.clone() };
        self.change("protocol", request, id, event, move |of| of.protocol.as_ref() == Some(&protocol)).await
    }

    /// Says that the customer is also this one: from now on both names have one timeline.
    ///
    /// # Errors
    /// As [`Center::set_disposition`].
    pub async fn link_contact(
        &self,
        request: Request,
        id: InteractionId,
        contact: ContactIdentity,
    ) -> Result<Handled, CenterError> {
        let event = InteractionEvent::ContactLinked { contact: contact.clone() };
        self.change("contact", request, id, event, move |of| of.contacts.contains(&contact)).await
    }

    /// Says to which record of a CRM it belongs, in place of another of the same kind in that CRM.
    ///
    /// # Errors
    /// As [`Center::set_disposition`].
    pub async fn link_crm(
        &self,
        request: Request,
        id: InteractionId,
        link: CrmLink,
    ) -> Result<Handled, CenterError> {
        checked("kind", Some(&link.kind), LONGEST_NAME)?;
        checked("id", Some(&link.id), LONGEST_NAME)?;
        let event = InteractionEvent::CrmLinked(link.clone());
        self.change("crm-link", request, id, event, move |of| of.links.contains(&link)).await
    }

    /// Says which contact of a CRM the customer is, where a look-up found several and nobody could tell. The CRM's
    /// journal is about that contact from then on.
    ///
    /// # Errors
    /// When the tenant has no such plugin that looks numbers up, the address is none of a web page, and as
    /// [`Center::set_disposition`].
    pub async fn choose_contact(
        &self,
        request: Request,
        id: InteractionId,
        plugin: PluginId,
        contact: String,
        url: Option<String>,
    ) -> Result<Handled, CenterError> {
        if !self.0.directories_of(&request.tenant).iter().any(|d| *d.plugin() == plugin) {
            return Err(CenterError::UnknownPlugin);
        }
        checked("url", url.as_deref(), LONGEST_URL)?;
        if url.as_deref().is_some_and(|url| !is_web(url)) {
            return Err(CenterError::NoWebPage);
        }
        let link = CrmLink { plugin, kind: CONTACT.to_owned(), id: contact, url };
        self.link_crm(request, id, link).await
    }

    /// Forgets requests that came before a moment, at most `limit`; says how many. One that comes again after that is
    /// taken for a new one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget_requests(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, CenterError> {
        let clients = SourceId::new(CLIENTS).map_err(|_| CenterError::Broken)?;
        Ok(self.0.interactions.forget_receipts(tenant, &clients, before, limit).await?)
    }

    /// Gives a conversation to an agent or a queue, in place of whoever had it; nobody puts it back among those that
    /// wait.
    ///
    /// # Errors
    /// As [`Center::set_disposition`]; a call is handed on at its exchange, and what is over is given to nobody.
    pub async fn assign_conversation(
        &self,
        request: Request,
        id: InteractionId,
        agent: Option<Clear>,
        queue: Option<String>,
    ) -> Result<Handled, CenterError> {
        checked("agent", agent.as_ref().map(Clear::expose), LONGEST_NAME)?;
        checked("queue", queue.as_deref(), LONGEST_NAME)?;
        let event = InteractionEvent::Transferred { agent: agent.clone(), queue: queue.clone() };
        self.to_the_end("assign", move |inner, _ticket| async move {
            let text = serde_json::to_string(&event).map_err(|_| CenterError::Broken)?;
            inner
                .take_request(&request, id, digest(id, &text), |of, at| {
                    if of.channel.is_voice() || of.state == InteractionState::Ended {
                        return Err(CenterError::WrongKind { kind: "assign" });
                    }
                    let is_so = of.agent == agent && (queue.is_none() || of.queue == queue);
                    let new = || NewEvent {
                        at,
                        actor: request.actor.clone(),
                        cause: Cause::Request(request.id.clone()),
                        event: event.clone(),
                    };
                    Ok((!is_so).then(new).into_iter().collect())
                })
                .await
        })
        .await
    }

    /// Ends a conversation.
    ///
    /// # Errors
    /// As [`Center::set_disposition`]; a call is ended by its exchange.
    pub async fn close_conversation(
        &self,
        request: Request,
        id: InteractionId,
    ) -> Result<Handled, CenterError> {
        self.to_the_end("close", move |inner, _ticket| async move {
            inner
                .take_request(&request, id, digest(id, "close"), |of, at| {
                    if of.channel.is_voice() {
                        return Err(CenterError::WrongKind { kind: "close" });
                    }
                    let why = Cause::Request(request.id.clone());
                    Ok(ending(of, EndCause::Closed, &request.actor, &why, at))
                })
                .await
        })
        .await
    }

    /// Writes what a request says, unless it `is_known` already.
    async fn change<F>(
        &self,
        kind: &'static str,
        request: Request,
        id: InteractionId,
        event: InteractionEvent,
        is_known: F,
    ) -> Result<Handled, CenterError>
    where
        F: Fn(&Interaction) -> bool + Send + Sync + 'static,
    {
        self.to_the_end(kind, move |inner, _ticket| async move {
            // Everything in an event has a form in JSON.
            let text = serde_json::to_string(&event).map_err(|_| CenterError::Broken)?;
            inner
                .take_request(&request, id, digest(id, &text), |of, at| {
                    let new = || NewEvent {
                        at,
                        actor: request.actor.clone(),
                        cause: Cause::Request(request.id.clone()),
                        event: event.clone(),
                    };
                    Ok((!is_known(of)).then(new).into_iter().collect())
                })
                .await
        })
        .await
    }
}

/// By what a request that comes again is told from another one that its client gave the same identifier.
pub(crate) fn digest(id: InteractionId, what: &str) -> Uuid {
    // Drawn once for this use.
    const SPACE: Uuid = Uuid::from_u128(0x9d0c_37e6_52ab_4f18_b6f4_0e83_1a95_c27d);
    Uuid::new_v5(&SPACE, format!("{id}\n{what}").as_bytes())
}

impl Inner {
    async fn take_request(
        self: &std::sync::Arc<Self>,
        request: &Request,
        id: InteractionId,
        asked: Uuid,
        decide: impl Fn(&Interaction, jiff::Timestamp) -> Result<Vec<NewEvent>, CenterError> + Send + Sync,
    ) -> Result<Handled, CenterError> {
        let clients = SourceId::new(CLIENTS).map_err(|_| CenterError::Broken)?;
        for _ in 0..ATTEMPTS {
            // The names of nobody: only whether the request was seen.
            let seen = self.interactions.conversation(&request.tenant, &clients, &[], &request.id).await?;
            let of = self.interactions.interaction(&request.tenant, id).await?;
            let before = of.ok_or(CenterError::UnknownInteraction)?.interaction;
            if seen.seen_for.is_some() {
                // One that an older version took did not say what it asked for.
                let same = seen.seen_for == Some(id) && seen.seen_asked.is_none_or(|before| before == asked);
                if !same {
                    return Err(CenterError::RequestIdReused);
                }
                return Ok(Handled { interaction: id, state: before.state, repeated: true });
            }
            let now = self.clock.now();
            let events = decide(&before, now)?;
            let mut write = InteractionWrite::change(&before, Vec::new(), events, now)
                .map_err(|_| CenterError::Broken)?;
            write.receipt =
                Some(Receipt { source: clients.clone(), event_id: request.id.clone(), asked: Some(asked) });
            self.with_deliveries(&mut write).await?;
            if before.channel.is_voice() {
                let changed = !write.events().is_empty();
                if changed {
                    write.live.push(call_event(write.after())?);
                }
                let state = write.after().state;
                if let Recorded::Stored(live) = self.interactions.append(write).await? {
                    self.told(&request.tenant, live);
                    return Ok(Handled { interaction: id, state, repeated: !changed });
                }
            } else if let Some(handled) = self.store_conversation(write, "request").await? {
                return Ok(handled);
            }
        }
        Err(CenterError::Contended)
    }
}
