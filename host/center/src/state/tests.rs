use super::*;
use crate::Caller;
use ramal_store::{
    Actor, CallId, Cause, Channel, InteractionDirection, InteractionId, InteractionWrite, NewEvent, SourceId,
    Started, TenantId,
};
use rstest::rstest;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn new(event: Event, second: i64) -> NewEvent {
    NewEvent { at: at(second), actor: Actor::System, cause: Cause::Rule("test".to_owned()), event }
}

fn begun(channel: Channel) -> Interaction {
    let started = Started {
        source: SourceId::new("pbx").unwrap(),
        reference: Some(CallId::new("c1").unwrap()),
        channel,
        direction: InteractionDirection::Inbound,
        from: None,
        to: None,
        contacts: Vec::new(),
        queue: None,
        asked: Vec::new(),
        protocol: None,
    };
    let tenant = TenantId::new("a").unwrap();
    let events = vec![new(Event::Started(Box::new(started)), 0)];
    InteractionWrite::begin(&tenant, InteractionId(Uuid::nil()), events, at(0)).unwrap().after().clone()
}

fn then(call: &Interaction, event: Event, second: i64) -> Interaction {
    InteractionWrite::change(call, Vec::new(), vec![new(event, second)], at(second)).unwrap().after().clone()
}

/// Rings at 0, is answered at 10, held at 15, ends at 20.
fn call(state: InteractionState) -> Interaction {
    let rings = begun(Channel::Fixed);
    match state {
        Ringing => rings,
        Answered => then(&rings, Event::Answered { agent: None }, 10),
        Held => then(&call(Answered), Event::Held {}, 15),
        Ended => then(&rings, Event::Ended { cause: EndCause::Missed, provider_cause: None }, 20),
        Open => begun(Channel::Whatsapp),
    }
}

fn event(kind: &str) -> EventKind {
    match kind {
        "ringing" => EventKind::Ringing {
            channel: Channel::Fixed,
            direction: InteractionDirection::Inbound,
            from: Caller::Withheld,
            to: None,
            queue: None,
        },
        "answered" => EventKind::Answered { agent: None },
        "held" => EventKind::Held,
        "resumed" => EventKind::Resumed,
        "transferred" => EventKind::Transferred { agent: Some(Clear::new("Caio (invented)")), queue: None },
        "queued" => EventKind::Queued { queue: Some("sales".to_owned()) },
        _ => EventKind::Ended { cause: EndCause::Completed, provider_cause: None },
    }
}

/// The state afterwards, "nothing", or the error.
fn applied(call: &Interaction, kind: &EventKind, second: i64) -> String {
    match decide(call, kind, at(second)) {
        Ok(Some(event)) => then(call, event, second).state.to_string(),
        Ok(None) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[rstest]
#[case::answered(Ringing, "answered", 5, "answered")]
#[case::ended_unanswered(Ringing, "ended", 5, "ended")]
#[case::ended(Answered, "ended", 15, "ended")]
#[case::rings_again(Ringing, "ringing", 5, "nothing")]
#[case::answered_again(Answered, "answered", 15, "nothing")]
#[case::ended_again(Ended, "ended", 25, "nothing")]
#[case::ringing_came_late(Answered, "ringing", 10, "nothing")]
#[case::ringing_came_very_late(Ended, "ringing", 0, "nothing")]
#[case::answered_came_late(Ended, "answered", 20, "ended")]
#[case::rings_after_it_was_answered(
    Answered,
    "ringing",
    11,
    "the call is answered, it cannot become ringing"
)]
#[case::rings_after_it_ended(Ended, "ringing", 21, "the call is ended, it cannot become ringing")]
#[case::answered_after_it_ended(Ended, "answered", 21, "the call is ended, it cannot become answered")]
#[case::held(Answered, "held", 12, "held")]
#[case::held_again(Held, "held", 18, "nothing")]
#[case::held_before_it_was_answered(Ringing, "held", 5, "the call is ringing, it cannot become held")]
#[case::held_after_it_ended(Ended, "held", 21, "the call is ended, it cannot become held")]
#[case::held_came_late(Ended, "held", 15, "nothing")]
#[case::resumed(Held, "resumed", 18, "answered")]
#[case::resumed_again(Answered, "resumed", 18, "nothing")]
#[case::resumed_came_before_its_hold(Held, "resumed", 14, "nothing")]
#[case::resumed_before_it_was_answered(
    Ringing,
    "resumed",
    5,
    "the call is ringing, it cannot become answered"
)]
#[case::ended_while_held(Held, "ended", 20, "ended")]
#[case::answered_while_held(Held, "answered", 18, "nothing")]
#[case::transferred(Answered, "transferred", 12, "answered")]
#[case::transferred_while_held(Held, "transferred", 18, "held")]
#[case::transferred_after_it_ended(Ended, "transferred", 21, "the call is ended, it cannot become answered")]
#[case::transfer_came_late(Ended, "transferred", 12, "nothing")]
#[case::queued(Ringing, "queued", 5, "ringing")]
#[case::calls_do_not_happen_to_conversations(Open, "answered", 5, "`answered` cannot happen to this kind")]
fn the_table_of_transitions(
    #[case] from: InteractionState,
    #[case] kind: &str,
    #[case] second: i64,
    #[case] then: &str,
) {
    let result = applied(&call(from), &event(kind), second);
    assert!(result.starts_with(then), "{result}");
}

#[rstest]
fn an_answered_call_cannot_have_been_missed(
    #[values(EndCause::Missed, EndCause::Abandoned, EndCause::Busy, EndCause::Rejected)] cause: EndCause,
    #[values(Answered, Held)] state: InteractionState,
) {
    let kind = EventKind::Ended { cause, provider_cause: None };
    let error = decide(&call(state), &kind, at(16)).unwrap_err();
    assert_eq!(error.code(), "wrong-cause");
    let text = error.to_string();
    assert!(text.contains(&format!("the call is {state}, it cannot become ended as `{cause}`")), "{text}");
}

#[rstest]
fn that_it_was_missed_is_old_news_when_it_was_answered_since(
    #[values(EndCause::Missed, EndCause::Abandoned, EndCause::Busy, EndCause::Rejected)] cause: EndCause,
    #[values((Answered, 10), (Held, 15))] (state, changed): (InteractionState, i64),
) {
    let kind = EventKind::Ended { cause, provider_cause: None };
    for second in [0, changed] {
        assert_eq!(decide(&call(state), &kind, at(second)).unwrap(), None);
    }
    assert!(decide(&call(state), &kind, at(changed + 1)).is_err());
}

#[rstest]
fn a_ringing_call_may_end_for_any_cause(#[values(0, 1, 2, 3, 4, 5, 6, 7)] which: usize) {
    let cause = EndCause::OF_CALLS[which];
    let kind = EventKind::Ended { cause, provider_cause: Some("17".to_owned()) };
    let event = decide(&call(Ringing), &kind, at(5)).unwrap().unwrap();
    let after = then(&call(Ringing), event, 5);
    assert_eq!((after.cause, after.ended_at), (Some(cause), Some(at(5))));
    assert_eq!(after.provider_cause.as_deref(), Some("17"));
}

#[test]
fn a_late_answer_fills_in_and_keeps_the_end() {
    let agent = Some(Clear::new("Bruna (invented)"));
    let ended = call(Ended);
    let event = decide(&ended, &EventKind::Answered { agent: agent.clone() }, at(10)).unwrap().unwrap();
    let after = then(&ended, event, 10);
    assert_eq!((after.state, after.answered_at, after.agent), (Ended, Some(at(10)), agent));
    assert_eq!((after.cause, after.ended_at), (Some(EndCause::Missed), Some(at(20))));
}

#[test]
fn a_second_answer_may_name_the_agent_but_not_change_it() {
    let named = EventKind::Answered { agent: Some(Clear::new("Bruna (invented)")) };
    let answered = call(Answered);
    let event = decide(&answered, &named, at(15)).unwrap().unwrap();
    let after = then(&answered, event, 15);
    assert_eq!(after.answered_at, Some(at(10)));
    let other = EventKind::Answered { agent: Some(Clear::new("Caio (invented)")) };
    assert_eq!(decide(&after, &other, at(16)).unwrap(), None);
}

#[test]
fn a_hold_that_no_resume_ended_ends_with_the_call() {
    let held = call(Held);
    let event = decide(&held, &event("ended"), at(30)).unwrap().unwrap();
    assert_eq!(then(&held, event, 30).holds[0].until, Some(at(30)));
}

#[rstest]
#[case::pause_and_resume(&["started", "paused", "resumed"], "running", 1)]
#[case::told_twice(&["started", "started", "paused", "paused", "resumed", "resumed"], "running", 1)]
#[case::resume_without_a_pause(&["started", "resumed"], "running", 0)]
#[case::pause_without_a_start(&["paused"], "paused", 1)]
#[case::ready_twice(&["started", "ready", "ready"], "ready", 0)]
#[case::nothing_comes_after_its_deletion(&["ready", "deleted", "ready", "started"], "deleted", 0)]
fn what_is_told_of_a_recording_may_come_twice_or_not_at_all(
    #[case] steps: &[&str],
    #[case] state: &str,
    #[case] pauses: usize,
) {
    let recording = RecordingId(Uuid::nil());
    let mut made = call(Answered);
    for (second, step) in (20..).zip(steps) {
        let step = match *step {
            "started" => RecordingStep::Started,
            "paused" => RecordingStep::Paused,
            "resumed" => RecordingStep::Resumed,
            "ready" => RecordingStep::Ready { duration_ms: 1000, digest: None },
            _ => RecordingStep::Deleted,
        };
        if let Some(event) = decide(&made, &EventKind::Recording { recording, step }, at(second)).unwrap() {
            made = then(&made, event, second);
        }
    }
    let kept = &made.recordings[0];
    assert_eq!((kept.state.as_str(), kept.pauses.len(), made.recordings.len()), (state, pauses, 1));
}
