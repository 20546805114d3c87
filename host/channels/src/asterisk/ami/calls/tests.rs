//! Which calls a manager interface tells of, and when each is over.

use super::super::census::Counted;
use super::super::event;
use super::super::message::{Decoder, Message};
use super::*;
use proptest::prelude::*;
use ramal_numbers::Region;
use rstest::rstest;

/// As both releases sent it, without what is of no interest: an agent logs in; a customer is answered, put on hold, and
/// hangs up; another waits while a phone rings in vain, and gives up; a third is handed on to a colleague. The numbers are
/// invented.
const SIXTEEN: &str = include_str!("../fixtures/queue-16.txt");
const TWENTY_TWO: &str = include_str!("../fixtures/queue-22.txt");
const JOIN: &str = "Event: QueueCallerJoin\nQueue: support\nPosition: 1\nUniqueid: 1.1\nLinkedid: 1.1\nCallerIDNum: 5511987654321";
const CONNECT: &str = "Event: AgentConnect\nQueue: support\nUniqueid: 1.1\nLinkedid: 1.1\nDestUniqueid: 1.2\nDestLinkedid: 1.1\nInterface: PJSIP/2001\nMemberName: 2001";
const LEAVE: &str = "Event: QueueCallerLeave\nQueue: support\nUniqueid: 1.1\nLinkedid: 1.1";
const HANGUP: &str = "Event: Hangup\nUniqueid: 1.1\nLinkedid: 1.1\nCause: 16";

fn calls() -> Calls {
    Calls::new(Home::new(Region::BR), vec!["PJSIP/gsm".to_owned()])
}

fn now() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

fn messages(text: &str) -> Vec<Message> {
    Decoder::default().feed(text.as_bytes()).unwrap()
}

fn one(text: &str) -> Event {
    Event::read(&messages(&format!("Asterisk Call Manager/1\n{text}\n\n"))[0]).unwrap()
}

fn feed(calls: &mut Calls, texts: &[&str]) -> Vec<CallEvent> {
    texts.iter().flat_map(|text| calls.apply(&one(text), now())).collect()
}

/// What is told, in words that a person can compare.
fn told(events: &[CallEvent]) -> Vec<String> {
    let agent = |agent: &Option<Clear>| agent.as_ref().map(|a| a.expose().to_owned()).unwrap_or_default();
    events
        .iter()
        .map(|event| match &event.kind {
            EventKind::Ringing { channel, direction, from, to, queue } => {
                let from = match from {
                    Caller::Number(number) => number.e164(),
                    Caller::Withheld => "nobody".to_owned(),
                };
                let to = to.as_ref().map(PhoneNumber::e164).unwrap_or_default();
                let queue = queue.clone().unwrap_or_default();
                format!("ringing {channel} {direction} {from} > {to} {queue}")
            }
            EventKind::Answered { agent: a } => format!("answered {}", agent(a)),
            EventKind::Transferred { agent: a, queue } => {
                format!("transferred {} {}", agent(a), queue.clone().unwrap_or_default())
            }
            EventKind::Queued { queue } => format!("queued {}", queue.clone().unwrap_or_default()),
            EventKind::LegOpened { agent: a, .. } => format!("leg {}", agent(a)),
            EventKind::LegClosed { provider_cause, .. } => {
                format!("leg closed {}", provider_cause.clone().unwrap_or_default())
            }
            EventKind::Ended { cause, provider_cause } => {
                format!("ended {cause} {}", provider_cause.clone().unwrap_or_default())
            }
            other => other.word().to_owned(),
        })
        .collect()
}

#[rstest]
#[case::sixteen(SIXTEEN, "ended abandoned 16")]
#[case::twenty_two(TWENTY_TWO, "ended abandoned 0")]
fn what_asterisk_sent_becomes_three_calls(#[case] stream: &str, #[case] abandoned: &str) {
    let mut calls = calls();
    let mut events = Vec::new();
    for message in messages(stream) {
        if let Some(event) = Event::read(&message) {
            events.extend(calls.apply(&event, event::at(&message).unwrap_or_else(now)));
        }
    }
    let rings = "ringing fixed inbound +5511987654321 > +551130005000 support";
    assert_eq!(
        told(&events),
        [
            rings,
            "leg 2001",
            "answered 2001",
            "held",
            "resumed",
            "leg closed 16",
            "ended completed 16",
            rings,
            "leg 2001",
            "leg closed ring-no-answer",
            "leg 2001",
            "leg closed 0",
            abandoned,
            rings,
            "leg 2001",
            "answered 2001",
            "leg closed 16",
            "leg 2002",
            "transferred 2002 ",
            "leg closed 16",
            "ended completed 16",
        ]
    );
    assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert!(calls.calls.is_empty() && calls.dialled.is_empty());
}

#[rstest]
#[case::gives_up(&["Event: QueueCallerAbandon\nUniqueid: 1.1\nLinkedid: 1.1", LEAVE, HANGUP], &["ended abandoned 16"])]
#[case::time_is_up(&[LEAVE, HANGUP], &["ended missed 16"])]
#[case::rings_in_vain(
    &["Event: AgentCalled\nUniqueid: 1.1\nLinkedid: 1.1\nDestUniqueid: 1.2\nInterface: PJSIP/2001\nMemberName: 2001",
      "Event: AgentRingNoAnswer\nUniqueid: 1.1\nLinkedid: 1.1\nDestUniqueid: 1.2\nInterface: PJSIP/2001",
      "Event: Hangup\nUniqueid: 1.2\nLinkedid: 1.1\nCause: 0"],
    &["leg 2001", "leg closed ring-no-answer"]
)]
#[case::reception(
    &[LEAVE, "Event: DialEnd\nDialStatus: ANSWER\nUniqueid: 1.1\nLinkedid: 1.1\nDestUniqueid: 1.3\nDestLinkedid: 1.1\nDestChannel: PJSIP/2000-00000007", HANGUP],
    &["leg 2000", "answered 2000", "leg closed 16", "ended completed 16"]
)]
#[case::handed_on(
    &[LEAVE, CONNECT, "Event: BlindTransfer\nResult: Success\nTransfereeLinkedid: 1.1",
      "Event: DialEnd\nDialStatus: ANSWER\nUniqueid: 1.1\nLinkedid: 1.1\nDestUniqueid: 1.3\nDestLinkedid: 1.1\nDestChannel: PJSIP/2002-00000007", HANGUP],
    &["leg 2001", "answered 2001", "leg 2002", "transferred 2002 ", "leg closed 16", "leg closed 16", "ended completed 16"]
)]
#[case::another_queue(
    &[LEAVE, CONNECT, "Event: QueueCallerJoin\nQueue: sales\nPosition: 1\nUniqueid: 1.1\nLinkedid: 1.1",
      "Event: AgentConnect\nQueue: sales\nUniqueid: 1.1\nLinkedid: 1.1\nDestUniqueid: 1.5\nInterface: PJSIP/2002\nMemberName: 2002"],
    &["leg 2001", "answered 2001", "queued sales", "leg 2002", "transferred 2002 sales"]
)]
#[case::hold_while_waiting(&["Event: Hold\nUniqueid: 1.1\nLinkedid: 1.1"], &[])]
fn a_call_that_waits_goes_on(#[case] then: &[&str], #[case] expected: &[&str]) {
    let mut calls = calls();
    assert_eq!(told(&feed(&mut calls, &[JOIN])), ["ringing fixed inbound +5511987654321 >  support"]);
    assert_eq!(told(&feed(&mut calls, then)), expected);
}

#[rstest]
#[case::gsm(
    "Channel: PJSIP/gsm1-00000001\nCallerIDNum: 5511987654321",
    "ringing mobile inbound +5511987654321 >  support"
)]
#[case::colleague("CallerIDNum: 2001", "ringing fixed internal nobody >  support")]
#[case::withheld("CallerIDNum: <unknown>", "ringing fixed inbound nobody >  support")]
#[case::word("CallerIDNum: anonymous", "ringing fixed inbound nobody >  support")]
fn who_calls_is_read(#[case] fields: &str, #[case] expected: &str) {
    let join = format!("Event: QueueCallerJoin\nQueue: support\nPosition: 1\nUniqueid: 1.1\n{fields}");
    assert_eq!(told(&feed(&mut calls(), &[&join])), [expected]);
}

#[test]
fn calls_that_never_waited_are_none_of_ours() {
    assert_eq!(feed(&mut calls(), &[CONNECT, LEAVE, HANGUP]), []);
}

// === after the connection was lost ===

fn census(channels: &str, entries: &str) -> Census {
    let text = format!(
        "Asterisk Call Manager/1\n{channels}Event: CoreShowChannelsComplete\nActionID: ramal-channels\n\n\
         {entries}Event: QueueStatusComplete\nActionID: ramal-queues\n\n"
    );
    let mut census = Census::default();
    let taken: Vec<Counted> = messages(&text).iter().map(|message| census.take(message)).collect();
    assert!(matches!(taken.last(), Some(Counted::Done)));
    census
}

const CALLER_LIVES: &str = "Event: CoreShowChannel\nActionID: ramal-channels\nUniqueid: 1.1\nLinkedid: 1.1\nChannel: PJSIP/trunk-00000001\nBridgeId: b\n\n";
const AGENT_LIVES: &str = "Event: CoreShowChannel\nActionID: ramal-channels\nUniqueid: 1.2\nLinkedid: 1.1\nChannel: PJSIP/2001-00000002\nBridgeId: b\n\n";
const STILL_WAITS: &str = "Event: QueueEntry\nActionID: ramal-queues\nQueue: support\nPosition: 1\nUniqueid: 1.1\nCallerIDNum: 5511987654321\nWait: 7\n\n";

#[rstest]
#[case::still_waits(&[JOIN], CALLER_LIVES, STILL_WAITS, &["queued support"])]
#[case::gone(&[JOIN], "", "", &["ended failed unseen"])]
#[case::was_answered_and_is_over(&[JOIN, LEAVE, CONNECT], "", "", &["leg closed unseen", "ended completed unseen"])]
#[case::was_answered_meanwhile(&[JOIN], "both", "", &["leg 2001", "answered 2001"])]
#[case::talks_on(&[JOIN, LEAVE, CONNECT], "both", "", &[])]
#[case::new(&[], CALLER_LIVES, STILL_WAITS, &["ringing fixed inbound +5511987654321 >  support"])]
#[case::talks_but_never_waited_here(&[], "both", "", &[])]
fn what_happened_meanwhile_is_found_out(
    #[case] before: &[&str],
    #[case] channels: &str,
    #[case] entries: &str,
    #[case] expected: &[&str],
) {
    let both = format!("{CALLER_LIVES}{AGENT_LIVES}");
    let channels = if channels == "both" { &both } else { channels };
    let mut calls = calls();
    feed(&mut calls, before);
    calls.doubt();
    let events = calls.set(&census(channels, entries), now());
    assert_eq!(told(&events), expected);
    // What is certain now is not ended by the same answer.
    assert!(calls.set(&census("", ""), now()).is_empty());
}

#[test]
fn what_is_heard_while_the_answers_come_is_certain() {
    let mut calls = calls();
    calls.doubt();
    feed(&mut calls, &[JOIN]);
    assert_eq!(told(&calls.set(&census("", ""), now())), Vec::<String>::new());
    assert_eq!(told(&feed(&mut calls, &[LEAVE, HANGUP])), ["ended missed 16"]);
}

#[test]
fn the_same_step_has_the_same_name_before_and_after() {
    let mut seen = calls();
    let live = feed(&mut seen, &[JOIN, LEAVE, CONNECT, HANGUP]);
    let mut resynced = calls();
    let after = resynced.set(&census(CALLER_LIVES, STILL_WAITS), now());
    assert_eq!(live[0].event_id, after[0].event_id);
    resynced.doubt();
    let ended = resynced.set(&census("", ""), now());
    assert_eq!(live.last().unwrap().event_id, ended[0].event_id);
    assert_eq!(after[0].at, now() - SignedDuration::from_secs(7));
}

// === anything ===

fn any_event() -> impl Strategy<Value = String> {
    let names = [
        "Newchannel",
        "QueueCallerJoin",
        "QueueCallerLeave",
        "QueueCallerAbandon",
        "AgentCalled",
        "AgentRingNoAnswer",
        "AgentConnect",
        "DialEnd",
        "Hold",
        "Unhold",
        "BlindTransfer",
        "Hangup",
    ];
    (prop::sample::select(names.to_vec()), 1..4_u8, 1..3_u8, 1..6_u8).prop_map(|(name, unique, linked, leg)| {
        format!(
            "Event: {name}\nQueue: support\nPosition: 1\nUniqueid: 1.{unique}\nLinkedid: 1.{linked}\nDestUniqueid: 1.{leg}\n\
             DestChannel: PJSIP/2001-1\nDialStatus: ANSWER\nResult: Success\nTransfereeLinkedid: 1.{linked}\n\
             Interface: PJSIP/2001\nMemberName: 2001\nCause: 16"
        )
    })
}

proptest! {
    /// Whatever comes in whatever order: each call begins with `ringing`, ends at most once before it begins again, and
    /// says nothing in between.
    #[test]
    fn a_call_begins_and_ends_once(events in prop::collection::vec(any_event(), 0..60)) {
        let mut calls = calls();
        let mut open = std::collections::HashSet::new();
        for event in &events {
            for told in calls.apply(&one(event), now()) {
                let id = told.call_id.as_str().to_owned();
                match told.kind {
                    EventKind::Ringing { .. } => prop_assert!(open.insert(id)),
                    EventKind::Ended { .. } => prop_assert!(open.remove(&id)),
                    _ => prop_assert!(open.contains(&id)),
                }
            }
        }
        calls.doubt();
        let ended = calls.set(&Census::default(), now());
        let ended = ended.iter().filter(|told| matches!(told.kind, EventKind::Ended { .. })).count();
        prop_assert_eq!(ended, open.len());
        prop_assert!(calls.calls.is_empty());
    }
}
