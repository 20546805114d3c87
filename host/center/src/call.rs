//! The road of a call's event: read what is known, decide, store it with all that follows, start the look-ups.

use std::sync::Arc;

use jiff::Timestamp;
use ramal_numbers::PhoneNumber;
use ramal_store::{
    Actor, Cause, Clear, ContactIdentity, EventRecord, Interaction, InteractionDirection, InteractionEvent,
    InteractionId, InteractionWrite, NewEvent, NewLive, Receipt, Recorded, Started,
};
use tokio::time::Instant;

use crate::center::{ATTEMPTS, Inner, time_ordered};
use crate::pop;
use crate::running::Ticket;
use crate::view;
use crate::{CallEvent, Caller, CenterError, Directory, EventKind, Handled, Origin, state};

/// What is to be written, and whom to ask.
struct Decided {
    write: InteractionWrite,
    look_up: Option<PhoneNumber>,
    directories: Vec<Arc<dyn Directory>>,
}

impl Inner {
    pub(crate) async fn take_call(
        self: &Arc<Self>,
        origin: &Origin,
        event: &CallEvent,
        ticket: &Ticket,
    ) -> Result<Handled, CenterError> {
        let deadline = Instant::now() + self.settings.deadline;
        for _ in 0..ATTEMPTS {
            let known = self
                .interactions
                .situation(&origin.tenant, &origin.source, &event.call_id, &event.event_id)
                .await?;
            if let Some(seen_for) = known.seen_for {
                let call =
                    known.interaction.filter(|c| c.id == seen_for).ok_or(CenterError::EventIdReused)?;
                return Ok(Handled { interaction: call.id, state: call.state, repeated: true });
            }
            let mut decided = self.decide(origin, event, known.interaction.as_ref())?;
            self.with_deliveries(&mut decided.write).await?;
            let call = decided.write.after().clone();
            let changed = !decided.write.events().is_empty();
            let agent_came = known.interaction.is_some() && decided.write.events().iter().any(names_an_agent);
            match self.interactions.append(decided.write).await? {
                // Whichever was quicker is now known: read again.
                Recorded::Repeated | Recorded::Conflict => {}
                Recorded::Stored(live) => {
                    self.told(&call.tenant, live);
                    tracing::info!(
                        tenant = %call.tenant, source = %origin.source, interaction = %call.id,
                        state = %call.state, kind = event.kind.word(), changed, "call event"
                    );
                    if let Some(number) = decided.look_up {
                        self.look_up(&call.tenant, call.id, &number, deadline, &decided.directories, ticket);
                    }
                    if agent_came {
                        pop::agent_came(self, &call, ticket.follow_up());
                    }
                    return Ok(Handled { interaction: call.id, state: call.state, repeated: !changed });
                }
            }
        }
        Err(CenterError::Contended)
    }

    fn decide(
        &self,
        origin: &Origin,
        event: &CallEvent,
        known: Option<&Interaction>,
    ) -> Result<Decided, CenterError> {
        let now = self.clock.now();
        let mut decided = match known {
            None => self.begin(origin, event, now)?,
            Some(call) => {
                let happened = state::decide(call, &event.kind, event.at)?;
                let events = happened.into_iter().map(|happened| of(origin, event, happened)).collect();
                let write = InteractionWrite::change(call, Vec::new(), events, now)
                    .map_err(|_| CenterError::Broken)?;
                Decided { write, look_up: None, directories: Vec::new() }
            }
        };
        let write = &mut decided.write;
        write.receipt =
            Some(Receipt { source: origin.source.clone(), event_id: event.event_id.clone(), asked: None });
        if !write.events().is_empty() {
            write.live.push(call_event(write.after())?);
        }
        Ok(decided)
    }

    fn begin(&self, origin: &Origin, event: &CallEvent, now: Timestamp) -> Result<Decided, CenterError> {
        let EventKind::Ringing { channel, direction, from, to, queue } = &event.kind else {
            return Err(CenterError::UnknownCall { kind: event.kind.word() });
        };
        if !channel.is_voice() {
            return Err(CenterError::WrongKind { kind: event.kind.word() });
        }
        let from = match from {
            Caller::Number(number) => Some(*number),
            Caller::Withheld => None,
        };
        let customer = match direction {
            InteractionDirection::Inbound => from.as_ref(),
            InteractionDirection::Outbound => to.as_ref(),
            InteractionDirection::Internal => None,
        };
        let directories = if customer.is_some() { self.directories_of(&origin.tenant) } else { Vec::new() };
        let clear = |number: &PhoneNumber| Clear::new(number.e164());
        let started = Started {
            source: origin.source.clone(),
            reference: Some(event.call_id.clone()),
            channel: *channel,
            direction: *direction,
            from: from.as_ref().map(clear),
            to: to.as_ref().map(clear),
            contacts: customer.and_then(|n| ContactIdentity::phone(&n.e164()).ok()).into_iter().collect(),
            queue: queue.clone(),
            asked: directories.iter().map(|d| d.plugin().clone()).collect(),
            protocol: None,
        };
        let events = vec![of(origin, event, InteractionEvent::Started(Box::new(started)))];
        let id = InteractionId(time_ordered(now));
        let write =
            InteractionWrite::begin(&origin.tenant, id, events, now).map_err(|_| CenterError::Broken)?;
        Ok(Decided { write, look_up: customer.cloned(), directories })
    }
}

fn names_an_agent(record: &EventRecord) -> bool {
    let agent = match &record.event {
        InteractionEvent::Answered { agent } | InteractionEvent::Transferred { agent, .. } => agent,
        _ => return false,
    };
    agent.is_some()
}

fn of(origin: &Origin, event: &CallEvent, happened: InteractionEvent) -> NewEvent {
    NewEvent {
        at: event.at,
        actor: Actor::Source(origin.source.clone()),
        cause: Cause::Event(event.event_id.clone()),
        event: happened,
    }
}

pub(crate) fn call_event(call: &Interaction) -> Result<NewLive, CenterError> {
    view::live("call", call.id, &view::CallView::from(call))
}
