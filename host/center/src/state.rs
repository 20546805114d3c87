//! How a call goes from state to state: pure, so that the whole table is tested.
//!
//! Providers deliver at least once and in any order. So an event that says what is known already changes nothing,
//! and one that is *older* than the call's last change only fills in what it adds (a late `answered` gives an ended
//! call its time of answer). Only a *newer* event that contradicts the state is an error. Without the difference
//! every retried delivery after an outage would be refused, and the provider would retry it for ever.

use jiff::Timestamp;
use ramal_store::{Call, CallState, EndCause};

use crate::{CenterError, EventKind};

/// The call after the event; `None` when the event adds nothing.
pub(crate) fn apply(call: &Call, event: &EventKind, at: Timestamp) -> Result<Option<Call>, CenterError> {
    let wrong = || CenterError::WrongTransition { from: call.state, to: event.leads_to() };
    let late = at <= last_change(call);
    let mut after = call.clone();
    match (call.state, event) {
        (CallState::Ringing, EventKind::Ringing { .. }) | (CallState::Ended, EventKind::Ended { .. }) => {
            return Ok(None);
        }
        (CallState::Answered | CallState::Ended, EventKind::Ringing { .. }) => {
            return if late { Ok(None) } else { Err(wrong()) };
        }
        (CallState::Ringing, EventKind::Answered { agent }) => {
            after.state = CallState::Answered;
            after.answered_at = Some(at);
            after.agent.clone_from(agent);
        }
        (CallState::Answered, EventKind::Answered { agent }) => {
            after.agent = call.agent.clone().or(agent.clone())
        }
        (CallState::Ended, EventKind::Answered { agent }) => {
            if !late {
                return Err(wrong());
            }
            after.answered_at = call.answered_at.or(Some(at));
            after.agent = call.agent.clone().or(agent.clone());
        }
        (CallState::Answered, EventKind::Ended { cause }) => {
            if !matches!(cause, EndCause::Completed | EndCause::Failed) {
                return Err(CenterError::WrongCause { cause: *cause });
            }
            end(&mut after, *cause, at);
        }
        // Any cause: when a call that rings is `completed`, its `answered` is lost or still on its way.
        (CallState::Ringing, EventKind::Ended { cause }) => end(&mut after, *cause, at),
    }
    Ok((after != *call).then_some(after))
}

fn end(call: &mut Call, cause: EndCause, at: Timestamp) {
    call.state = CallState::Ended;
    call.cause = Some(cause);
    call.ended_at = Some(at);
}

fn last_change(call: &Call) -> Timestamp {
    [call.answered_at, call.ended_at].into_iter().flatten().fold(call.ringing_at, Timestamp::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Caller;
    use ramal_store::{CallId, CallState::*, Clear, InteractionId, SourceId, TenantId};
    use rstest::rstest;
    use uuid::Uuid;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    /// Rings at 0, is answered at 10, ends at 20.
    fn call(state: CallState) -> Call {
        Call {
            tenant: TenantId::new("a").unwrap(),
            interaction: InteractionId(Uuid::nil()),
            source: SourceId::new("pbx").unwrap(),
            call_id: CallId::new("c1").unwrap(),
            state,
            from: None,
            to: None,
            queue: None,
            agent: None,
            cause: (state == Ended).then_some(EndCause::Missed),
            ringing_at: at(0),
            answered_at: (state == Answered).then(|| at(10)),
            ended_at: (state == Ended).then(|| at(20)),
            asked: Vec::new(),
            revision: 1,
        }
    }

    fn event(kind: CallState) -> EventKind {
        match kind {
            Ringing => EventKind::Ringing { from: Caller::Withheld, to: None, queue: None },
            Answered => EventKind::Answered { agent: None },
            Ended => EventKind::Ended { cause: EndCause::Completed },
        }
    }

    #[rstest]
    #[case::answered(Ringing, Answered, 5, "answered")]
    #[case::ended_unanswered(Ringing, Ended, 5, "ended")]
    #[case::ended(Answered, Ended, 15, "ended")]
    #[case::rings_again(Ringing, Ringing, 5, "nothing")]
    #[case::answered_again(Answered, Answered, 15, "nothing")]
    #[case::ended_again(Ended, Ended, 25, "nothing")]
    #[case::ringing_came_late(Answered, Ringing, 10, "nothing")]
    #[case::ringing_came_very_late(Ended, Ringing, 0, "nothing")]
    #[case::answered_came_late(Ended, Answered, 20, "ended")]
    #[case::rings_after_it_was_answered(
        Answered,
        Ringing,
        11,
        "the call is answered, it cannot become ringing"
    )]
    #[case::rings_after_it_ended(Ended, Ringing, 21, "the call is ended, it cannot become ringing")]
    #[case::answered_after_it_ended(Ended, Answered, 21, "the call is ended, it cannot become answered")]
    fn the_table_of_transitions(
        #[case] from: CallState,
        #[case] kind: CallState,
        #[case] second: i64,
        #[case] then: &str,
    ) {
        let result = match apply(&call(from), &event(kind), at(second)) {
            Ok(Some(after)) => after.state.to_string(),
            Ok(None) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(result.starts_with(then), "{result}");
    }

    #[rstest]
    fn an_answered_call_cannot_have_been_missed(
        #[values(EndCause::Missed, EndCause::Abandoned, EndCause::Busy, EndCause::Rejected)] cause: EndCause,
    ) {
        let error = apply(&call(Answered), &EventKind::Ended { cause }, at(15)).unwrap_err();
        assert_eq!(error.code(), "wrong-cause");
        assert!(error.to_string().contains(cause.as_str()));
    }

    #[rstest]
    fn a_ringing_call_may_end_for_any_cause(
        #[values(
            EndCause::Completed,
            EndCause::Missed,
            EndCause::Abandoned,
            EndCause::Busy,
            EndCause::Rejected,
            EndCause::Failed
        )]
        cause: EndCause,
    ) {
        let after = apply(&call(Ringing), &EventKind::Ended { cause }, at(5)).unwrap().unwrap();
        assert_eq!((after.cause, after.ended_at), (Some(cause), Some(at(5))));
    }

    #[test]
    fn a_late_answer_fills_in_and_keeps_the_end() {
        let agent = Some(Clear::new("Bruna (invented)"));
        let after =
            apply(&call(Ended), &EventKind::Answered { agent: agent.clone() }, at(10)).unwrap().unwrap();
        assert_eq!((after.state, after.answered_at, after.agent), (Ended, Some(at(10)), agent));
        assert_eq!((after.cause, after.ended_at), (Some(EndCause::Missed), Some(at(20))));
    }

    #[test]
    fn a_second_answer_may_name_the_agent_but_not_change_it() {
        let named = EventKind::Answered { agent: Some(Clear::new("Bruna (invented)")) };
        let after = apply(&call(Answered), &named, at(15)).unwrap().unwrap();
        assert_eq!(after.answered_at, Some(at(10)));
        let other = EventKind::Answered { agent: Some(Clear::new("Caio (invented)")) };
        assert_eq!(apply(&after, &other, at(16)).unwrap(), None);
    }
}
