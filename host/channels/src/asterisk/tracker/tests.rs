//! Whole calls, as the exchange tells them. All people, numbers and identifiers are made up; the shapes are Asterisk's.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use ramal_center::{CallEvent, CallId, EndCause, EventKind};
use ramal_numbers::{Home, Region};
use rstest::rstest;
use serde_json::{Value, json};

use super::Tracker;
use super::resync::Census;
use crate::asterisk::message::AriEvent;
use crate::asterisk::plan::LinePlan;

fn plan() -> LinePlan {
    let trunks = [("PJSIP/trunk".to_owned(), ramal_center::Channel::Fixed)].into();
    let agents =
        [("PJSIP/2001".to_owned(), "bruna".to_owned()), ("PJSIP/2002".to_owned(), "caio".to_owned())];
    LinePlan::new(trunks, agents.into(), Home::new(Region::BR))
}

fn time(second: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(second)
}

fn channel(id: &str, name: &str, state: &str) -> Value {
    json!({
        "id": id, "name": name, "state": state, "caller": {"name": "", "number": ""},
        "connected": {"name": "", "number": ""}, "accountcode": "", "language": "en",
        "dialplan": {"context": "c", "exten": "", "priority": 1, "app_name": "", "app_data": ""},
        "creationtime": "2026-11-23T12:00:00.000+0000",
    })
}

fn customer(state: &str) -> Value {
    let mut channel = channel("1.1", "PJSIP/trunk-00000001", state);
    channel["caller"]["number"] = json!("+5511987654321");
    channel["dialplan"]["exten"] = json!("551132100000");
    channel
}

fn agent(state: &str) -> Value {
    channel("1.2", "PJSIP/2001-00000002", state)
}

fn other(state: &str) -> Value {
    channel("1.3", "PJSIP/2002-00000003", state)
}

/// One message; `rest` is what its type has.
fn message(second: i64, kind: &str, rest: Value) -> Value {
    let mut message = json!({
        "type": kind, "timestamp": time(second).strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string(),
        "application": "ramal", "asterisk_id": "02:fc:00:00:00:01",
    });
    message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    message
}

fn created(second: i64, channel: Value) -> Value {
    message(second, "ChannelCreated", json!({"channel": channel}))
}

fn entered(second: i64, bridge: &str, channel: Value) -> Value {
    message(
        second,
        "ChannelEnteredBridge",
        json!({"bridge": {"id": bridge, "channels": []}, "channel": channel}),
    )
}

fn left(second: i64, bridge: &str, channel: Value) -> Value {
    message(
        second,
        "ChannelLeftBridge",
        json!({"bridge": {"id": bridge, "channels": []}, "channel": channel}),
    )
}

fn dial(second: i64, caller: Value, peer: Value, status: &str) -> Value {
    message(second, "Dial", json!({"caller": caller, "peer": peer, "dialstatus": status, "dialstring": ""}))
}

fn hangup(second: i64, channel: Value, cause: i64) -> Value {
    message(second, "ChannelHangupRequest", json!({"channel": channel, "cause": cause}))
}

fn destroyed(second: i64, channel: Value, cause: i64, text: &str) -> Value {
    message(second, "ChannelDestroyed", json!({"channel": channel, "cause": cause, "cause_txt": text}))
}

fn heard(tracker: &mut Tracker, messages: &[Value]) -> Vec<CallEvent> {
    let read = |message: &Value| AriEvent::read(&message.to_string()).unwrap();
    messages.iter().flat_map(|m| tracker.take(&read(m), time(3600))).collect()
}

/// What was told, in one line.
fn words(events: &[CallEvent]) -> String {
    let word = |event: &CallEvent| match &event.kind {
        EventKind::Ringing { direction, .. } => format!("ringing {direction}"),
        EventKind::Answered { agent } | EventKind::Transferred { agent, .. } => {
            let agent = agent.as_ref().map_or("nobody", |name| name.expose()).to_owned();
            format!("{} {agent}", event.kind.word())
        }
        EventKind::Ended { cause, provider_cause } => {
            format!("ended {cause} ({})", provider_cause.as_deref().unwrap_or_default())
        }
        EventKind::LegOpened { leg, .. } => format!("+{}", leg.as_str()),
        EventKind::LegClosed { leg, .. } => format!("-{}", leg.as_str()),
        other => other.word().to_owned(),
    };
    events.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn answered() -> Vec<Value> {
    vec![
        created(0, customer("Ring")),
        created(1, agent("Down")),
        dial(1, customer("Ring"), agent("Down"), ""),
        dial(2, customer("Ring"), agent("Ringing"), "RINGING"),
        message(4, "ChannelStateChange", json!({"channel": agent("Up")})),
        dial(4, customer("Ring"), agent("Up"), "ANSWER"),
        message(4, "ChannelStateChange", json!({"channel": customer("Up")})),
        entered(5, "b1", agent("Up")),
        entered(5, "b1", customer("Up")),
    ]
}

fn ended() -> Vec<Value> {
    vec![
        hangup(9, customer("Up"), 16),
        left(9, "b1", customer("Up")),
        left(9, "b1", agent("Up")),
        destroyed(9, agent("Up"), 16, "Normal Clearing"),
        destroyed(9, customer("Up"), 16, "Normal Clearing"),
    ]
}

fn outbound() -> Vec<Value> {
    let mut caller = channel("2.1", "PJSIP/2001-00000011", "Ring");
    caller["dialplan"]["exten"] = json!("011987654321");
    let mut up = caller.clone();
    up["state"] = json!("Up");
    let callee = |state| channel("2.2", "PJSIP/trunk-00000012", state);
    vec![
        created(0, caller.clone()),
        created(1, callee("Down")),
        dial(1, caller, callee("Down"), ""),
        dial(3, up.clone(), callee("Up"), "ANSWER"),
        entered(3, "b2", callee("Up")),
        entered(3, "b2", up.clone()),
        destroyed(8, callee("Up"), 16, "Normal Clearing"),
        destroyed(8, up, 16, "Normal Clearing"),
    ]
}

fn unanswered(dialled: &str, requested: Option<i64>, cause: i64, text: &str) -> Vec<Value> {
    let mut messages = vec![
        created(0, customer("Ring")),
        created(1, agent("Down")),
        dial(1, customer("Ring"), agent("Down"), ""),
    ];
    messages.extend(requested.map(|cause| hangup(6, customer("Ring"), cause)));
    messages.push(dial(7, customer("Ring"), agent("Ringing"), dialled));
    messages.push(destroyed(7, agent("Ringing"), 16, "Normal Clearing"));
    messages.push(destroyed(7, customer("Ring"), cause, text));
    messages
}

fn blind() -> Vec<Value> {
    let mut messages = answered();
    messages.extend([
        message(6, "BridgeBlindTransfer", json!({
            "channel": agent("Up"), "exten": "2002", "context": "c", "result": "Success", "is_external": true,
            "bridge": {"id": "b1", "channels": []},
        })),
        left(6, "b1", agent("Up")),
        left(6, "b1", customer("Up")),
        destroyed(6, agent("Up"), 16, "Normal Clearing"),
        created(6, other("Down")),
        dial(6, customer("Up"), other("Down"), ""),
        entered(8, "b3", other("Up")),
        entered(8, "b3", customer("Up")),
    ]);
    messages
}

fn attended() -> Vec<Value> {
    let mut messages = answered();
    let asking = |state| channel("1.4", "PJSIP/2001-00000004", state);
    messages.extend([
        message(6, "ChannelHold", json!({"channel": agent("Up"), "musicclass": "default"})),
        created(6, asking("Ring")),
        created(6, other("Down")),
        dial(6, asking("Ring"), other("Down"), ""),
        entered(7, "b4", other("Up")),
        entered(7, "b4", asking("Up")),
        message(8, "BridgeAttendedTransfer", json!({
            "transferer_first_leg": agent("Up"), "transferer_second_leg": asking("Up"), "result": "Success",
            "destination_type": "bridge", "is_external": true,
        })),
        left(8, "b4", other("Up")),
        left(8, "b1", agent("Up")),
        destroyed(8, agent("Up"), 16, "Normal Clearing"),
        destroyed(8, asking("Up"), 16, "Normal Clearing"),
        entered(8, "b1", other("Up")),
    ]);
    messages
}

fn by_local() -> Vec<Value> {
    let near = |state| channel("1.5", "Local/2001@agents-00000001;1", state);
    let far = |state| channel("1.6", "Local/2001@agents-00000001;2", state);
    vec![
        created(0, customer("Ring")),
        created(1, near("Down")),
        created(1, far("Down")),
        dial(1, customer("Ring"), near("Down"), ""),
        created(2, agent("Down")),
        dial(2, far("Ring"), agent("Down"), ""),
        entered(4, "b5", agent("Up")),
        entered(4, "b5", far("Up")),
        entered(5, "b6", near("Up")),
        entered(5, "b6", customer("Up")),
        // Asterisk takes the detour out.
        entered(6, "b6", agent("Up")),
        left(6, "b6", near("Up")),
        destroyed(6, near("Up"), 16, ""),
        destroyed(6, far("Up"), 16, ""),
        destroyed(9, customer("Up"), 16, "Normal Clearing"),
    ]
}

fn held() -> Vec<Value> {
    let mut messages = answered();
    messages.push(message(6, "ChannelHold", json!({"channel": agent("Up")})));
    messages.push(message(6, "ChannelHold", json!({"channel": customer("Up")})));
    messages.push(message(7, "ChannelUnhold", json!({"channel": agent("Up")})));
    messages
}

#[rstest]
#[case::answered(
    [answered(), ended()].concat(),
    "ringing inbound, +1.1, +1.2, answered bruna, -1.2, -1.1, ended completed (16 Normal Clearing)"
)]
#[case::outbound(
    outbound(),
    "ringing outbound, +2.1, +2.2, answered bruna, -2.2, ended completed (16 Normal Clearing)"
)]
#[case::gave_up(
    unanswered("CANCEL", Some(127), 127, "Interworking, unspecified"),
    "ringing inbound, +1.1, +1.2, -1.2, -1.1, ended abandoned (127 Interworking, unspecified)"
)]
#[case::busy(
    unanswered("BUSY", None, 17, "User busy"),
    "ringing inbound, +1.1, +1.2, -1.2, -1.1, ended busy (17 User busy)"
)]
#[case::nobody(
    unanswered("NOANSWER", None, 19, "User alerting, no answer"),
    "ringing inbound, +1.1, +1.2, -1.2, -1.1, ended missed (19 User alerting, no answer)"
)]
#[case::sent_away(
    unanswered("CANCEL", Some(32), 16, "Normal Clearing"),
    "ringing inbound, +1.1, +1.2, -1.2, -1.1, ended rejected (16 Normal Clearing)"
)]
#[case::blind(blind(), "ringing inbound, +1.1, +1.2, answered bruna, transferred caio, -1.2, +1.3")]
#[case::attended(
    attended(),
    "ringing inbound, +1.1, +1.2, answered bruna, held, ringing internal, +1.4, +1.3, answered caio, \
     ended completed (merged), +1.4, +1.3, -1.2, resumed, -1.4, transferred caio"
)]
#[case::by_local(
    by_local(),
    "ringing inbound, +1.1, +1.2, answered bruna, -1.1, ended completed (16 Normal Clearing)"
)]
#[case::held(held(), "ringing inbound, +1.1, +1.2, answered bruna, held, resumed")]
#[case::nobodys(
    vec![created(0, agent("Ring")), destroyed(2, agent("Up"), 16, "")],
    ""
)]
fn a_call_is_told_as_it_went(#[case] messages: Vec<Value>, #[case] expected: &str) {
    assert_eq!(words(&heard(&mut Tracker::new(plan()), &messages)), expected);
}

#[test]
fn who_called_whom_is_told() {
    let events = heard(&mut Tracker::new(plan()), &answered());
    let EventKind::Ringing { from: ramal_center::Caller::Number(from), to: Some(to), .. } = &events[0].kind
    else {
        panic!("{events:?}");
    };
    assert_eq!((from.e164(), to.e164()), ("+5511987654321".to_owned(), "+551132100000".to_owned()));
    assert_eq!((events[0].call_id.as_str(), events[0].at), ("1.1", time(0)));
}

#[test]
fn the_exchanges_own_reckoning_joins_channels_that_nothing_else_joins() {
    let mut tracker = Tracker::new(plan());
    let linked = |mut channel: Value| {
        channel["channelvars"] = json!({"CHANNEL(linkedid)": "1.1"});
        channel
    };
    let events =
        heard(&mut tracker, &[created(0, linked(customer("Ring"))), created(1, linked(agent("Down")))]);
    assert_eq!(words(&events), "ringing inbound, +1.1, +1.2");
    assert_eq!(tracker.calls().len(), 1);
}

#[test]
fn the_same_again_says_nothing() {
    let mut tracker = Tracker::new(plan());
    let all = [answered(), ended()].concat();
    let first = heard(&mut tracker, &all);
    assert_eq!(heard(&mut tracker, &all), []);
    // A host that was started anew says the same with the same identifiers.
    assert_eq!(heard(&mut Tracker::new(plan()), &all), first);
}

// === asking what lives ===

fn census(channels: Vec<Value>, bridge: &[&str], since: Option<i64>) -> Census {
    Census {
        channels: channels.into_iter().map(|c| serde_json::from_value(c).unwrap()).collect(),
        bridges: vec![serde_json::from_value(json!({"id": "b1", "channels": bridge})).unwrap()],
        since: since.map(time),
    }
}

#[rstest]
#[case::goes_on(answered(), census(vec![customer("Up"), agent("Up")], &["1.1", "1.2"], None), "")]
#[case::ended(
    answered(),
    census(vec![], &[], None),
    "-1.1, -1.2, ended completed (resync)"
)]
#[case::agent_left_alone(
    answered(),
    census(vec![agent("Up")], &[], None),
    "-1.1, ended completed (resync)"
)]
#[case::gave_up_unseen(answered()[..3].to_vec(), census(vec![], &[], None), "-1.1, -1.2, ended failed (resync)")]
#[case::restarted(
    answered(),
    census(vec![], &[], Some(20)),
    "-1.1, -1.2, ended failed (resync: the exchange was restarted)"
)]
#[case::began_unseen(
    vec![],
    census(vec![customer("Ring")], &[], None),
    "ringing inbound, +1.1"
)]
#[case::answered_unseen(
    answered()[..3].to_vec(),
    census(vec![customer("Up"), agent("Up")], &["1.1", "1.2"], None),
    "answered bruna"
)]
fn what_was_missed_is_made_up_for(
    #[case] before: Vec<Value>,
    #[case] census: Census,
    #[case] expected: &str,
) {
    let mut tracker = Tracker::new(plan());
    heard(&mut tracker, &before);
    let events = tracker.resync(&census, time(100));
    // In whatever order the channels of one call are gone through.
    let sorted = |text: &str| {
        let mut words: Vec<String> = text.split(", ").map(str::to_owned).collect();
        words.sort();
        words
    };
    assert_eq!(sorted(&words(&events)), sorted(expected));
    assert_eq!(tracker.resync(&census, time(101)), []);
}

#[test]
fn an_end_that_is_told_after_it_was_found_out_is_no_second_one() {
    let mut tracker = Tracker::new(plan());
    heard(&mut tracker, &answered());
    tracker.resync(&census(vec![], &[], None), time(100));
    assert_eq!(heard(&mut tracker, &ended()), []);
}

// === what this host does ===

#[test]
fn a_call_that_waits_at_our_word_is_held_until_it_goes_on() {
    let mut tracker = Tracker::new(plan());
    heard(&mut tracker, &answered());
    let call = CallId::new("1.1").unwrap();
    // This host's clock is behind the exchange's: the events come after what is known all the same.
    let held = tracker.park(&call, true, time(0));
    let went_on = tracker.park(&call, false, time(0));
    assert_eq!((words(&held), words(&went_on)), ("held".to_owned(), "resumed".to_owned()));
    assert!(held[0].at > time(5) && went_on[0].at > held[0].at);
}

#[test]
fn a_call_that_this_host_makes_is_one_call() {
    let mut tracker = Tracker::new(plan());
    let call = CallId::new("ramal-x").unwrap();
    tracker.declare(&call, time(0));
    tracker.expect("leg", &call);
    let (first, second) = (
        |state| channel("ramal-x", "PJSIP/2001-00000021", state),
        |state| channel("leg", "PJSIP/trunk-00000022", state),
    );
    let events = heard(
        &mut tracker,
        &[
            created(1, first("Down")),
            message(2, "StasisStart", json!({"channel": first("Up"), "args": ["ramal-first", "ramal-x"]})),
            created(3, second("Down")),
            entered(4, "ramal-x", first("Up")),
            entered(4, "ramal-x", second("Up")),
            destroyed(8, second("Up"), 16, "Normal Clearing"),
        ],
    );
    assert_eq!(words(&events), "+ramal-x, +leg, answered bruna, -leg, ended completed (16 Normal Clearing)");
    assert!(events.iter().all(|e| e.call_id == call));
}

// === any order ===

fn stories() -> impl Strategy<Value = Vec<Value>> {
    let all = [answered(), ended(), outbound(), blind(), attended(), by_local(), held()].concat();
    let picks = proptest::collection::vec(0..all.len(), 0..120);
    picks.prop_map(move |picks| picks.into_iter().map(|i| all[i].clone()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn in_any_order_and_as_often_as_you_like_a_call_begins_first_and_ends_once(messages in stories(), asked in 0..120_usize) {
        let mut tracker = Tracker::new(plan());
        let mut events = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            events.extend(heard(&mut tracker, std::slice::from_ref(message)));
            if at == asked {
                events.extend(tracker.resync(&census(vec![customer("Up"), agent("Up")], &["1.1", "1.2"], None), time(90)));
            }
        }
        events.extend(tracker.resync(&census(vec![], &[], None), time(100)));
        prop_assert_eq!(tracker.calls().len(), 0);
        let mut calls: Vec<&CallId> = events.iter().map(|e| &e.call_id).collect();
        calls.sort();
        calls.dedup();
        for call in calls {
            let of: Vec<&EventKind> = events.iter().filter(|e| e.call_id == *call).map(|e| &e.kind).collect();
            prop_assert!(matches!(of[0], EventKind::Ringing { .. }), "{:?}", of);
            let ends = of.iter().filter(|k| matches!(k, EventKind::Ended { .. })).count();
            prop_assert_eq!(ends, 1);
            let last = of.last().unwrap();
            prop_assert!(matches!(last, EventKind::Ended { .. }), "{:?}", of);
            // Whoever was answered cannot have been missed.
            let answered = of.iter().any(|k| matches!(k, EventKind::Answered { .. }));
            if let EventKind::Ended { cause, .. } = last {
                prop_assert!(!answered || matches!(cause, EndCause::Completed | EndCause::Failed));
            }
        }
        let mut ids = std::collections::HashMap::new();
        for event in &events {
            let first = ids.entry(event.event_id.as_str()).or_insert(event);
            prop_assert_eq!(*first, event, "two events have one identifier");
        }
    }
}
