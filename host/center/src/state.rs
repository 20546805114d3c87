//! How a call goes from state to state: pure, so that the whole table is tested.
//!
//! Providers deliver at least once and in any order. So an event that says what is known already changes nothing,
//! and one that is *older* than the call's last change only fills in what it adds (a late `answered` gives an ended
//! call its time of answer). Only a *newer* event that contradicts the state is an error. Without the difference
//! every retried delivery after an outage would be refused, and the provider would retry it for ever.

use jiff::Timestamp;
use ramal_store::InteractionState::{Answered, Ended, Held, Open, Ringing};
use ramal_store::{
    Clear, EndCause, Interaction, InteractionEvent as Event, InteractionState, RecordingId, RecordingState,
};

use crate::{CenterError, EventKind, RecordingStep};

/// What an exchange's event makes happen; `None` when it adds nothing.
pub(crate) fn decide(
    call: &Interaction,
    event: &EventKind,
    at: Timestamp,
) -> Result<Option<Event>, CenterError> {
    if call.state == Open || !call.channel.is_voice() {
        return Err(CenterError::WrongKind { kind: event.word() });
    }
    let late = at <= call.changed_at;
    // What contradicts the state: harmless when it is old news.
    let contradicts = |to: InteractionState| {
        if late { Ok(None) } else { Err(CenterError::WrongTransition { from: call.state, to }) }
    };
    Ok(match (call.state, event) {
        (Ringing, EventKind::Ringing { .. }) | (Ended, EventKind::Ended { .. }) => None,
        (_, EventKind::Ringing { .. }) => return contradicts(Ringing),

        (Ringing, EventKind::Answered { agent }) => Some(Event::Answered { agent: agent.clone() }),
        (Ended, EventKind::Answered { .. }) if !late => return contradicts(Answered),
        (_, EventKind::Answered { agent }) => adds_to_answer(call, agent),

        (Answered, EventKind::Held) if !late => Some(Event::Held {}),
        (Answered | Held, EventKind::Held) => None,
        (_, EventKind::Held) => return contradicts(Held),

        (Held, EventKind::Resumed) if !late => Some(Event::Resumed {}),
        (Answered | Held, EventKind::Resumed) => None,
        (_, EventKind::Resumed) => return contradicts(Answered),

        (Ended, EventKind::Transferred { .. } | EventKind::Queued { .. }) => return contradicts(Answered),
        (_, EventKind::Transferred { agent, queue }) => {
            let known =
                call.transfers > 0 && call.agent == *agent && (queue.is_none() || call.queue == *queue);
            (!known).then(|| Event::Transferred { agent: agent.clone(), queue: queue.clone() })
        }
        (_, EventKind::Queued { queue }) => {
            (call.queue != *queue && !late).then(|| Event::QueueChanged { queue: queue.clone() })
        }

        (_, EventKind::LegOpened { leg, agent, number }) => {
            (!call.legs.iter().any(|l| l.id == *leg)).then(|| Event::LegOpened {
                leg: leg.clone(),
                agent: agent.clone(),
                number: number.as_ref().map(|n| Clear::new(n.e164())),
            })
        }
        (_, EventKind::LegClosed { leg, provider_cause }) => call
            .legs
            .iter()
            .any(|l| l.id == *leg && l.span.until.is_none())
            .then(|| Event::LegClosed { leg: leg.clone(), provider_cause: provider_cause.clone() }),
        (_, EventKind::Recording { recording, step }) => decide_recording(call, *recording, step),

        (Answered | Held, EventKind::Ended { cause, .. })
            if !matches!(cause, EndCause::Completed | EndCause::Failed) =>
        {
            // That it was missed, told before it was answered: another telephone's news, or one that was taken back.
            return if late {
                Ok(None)
            } else {
                Err(CenterError::WrongCause { from: call.state, cause: *cause })
            };
        }
        // Any cause: when a call that rings is `completed`, its `answered` is lost or still on its way.
        (_, EventKind::Ended { cause, provider_cause }) => {
            Some(Event::Ended { cause: *cause, provider_cause: provider_cause.clone() })
        }
    })
}

fn adds_to_answer(call: &Interaction, agent: &Option<Clear>) -> Option<Event> {
    let adds = call.answered_at.is_none() || (call.agent.is_none() && agent.is_some());
    adds.then(|| Event::Answered { agent: agent.clone() })
}

fn decide_recording(call: &Interaction, recording: RecordingId, step: &RecordingStep) -> Option<Event> {
    let known = call.recordings.iter().find(|r| r.id == recording).map(|r| r.state);
    match (known, step) {
        (Some(RecordingState::Deleted), _) | (Some(_), RecordingStep::Started) => None,
        (None, RecordingStep::Started) => Some(Event::RecordingStarted { recording }),
        (Some(RecordingState::Running) | None, RecordingStep::Paused) => {
            Some(Event::RecordingPaused { recording })
        }
        (Some(RecordingState::Paused), RecordingStep::Resumed) => Some(Event::RecordingResumed { recording }),
        (_, RecordingStep::Paused | RecordingStep::Resumed) => None,
        (Some(RecordingState::Ready), RecordingStep::Ready { .. }) => None,
        (_, RecordingStep::Ready { duration_ms, digest }) => {
            Some(Event::RecordingReady { recording, duration_ms: *duration_ms, digest: digest.clone() })
        }
        (_, RecordingStep::Deleted) => Some(Event::RecordingDeleted { recording }),
    }
}

#[cfg(test)]
mod tests;
