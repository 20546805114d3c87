//! What the board of queues says after each message of the exchange.

use super::super::census::Counted;
use super::super::message::{Decoder, Message};
use super::*;

fn messages(text: &str) -> Vec<Message> {
    Decoder::default().feed(format!("Asterisk Call Manager/11.0.0\n{text}\n\n").as_bytes()).unwrap()
}

fn now() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

fn census(text: &str) -> Census {
    let mut census = Census::default();
    let taken: Vec<Counted> = messages(text).iter().map(|message| census.take(message)).collect();
    assert!(matches!(taken.last(), Some(Counted::Done)));
    census
}

/// Of two queues: one caller for ten seconds, one for three, in the wrong order; one agent.
const TOLD: &str = "Response: Success\nActionID: ramal-channels\n\n\
    Event: CoreShowChannel\nActionID: ramal-channels\nUniqueid: 1.9\nLinkedid: 1.1\nChannel: PJSIP/trunk-00000001\n\n\
    Event: CoreShowChannelsComplete\nActionID: ramal-channels\n\n\
    Event: QueueParams\nActionID: ramal-queues\nQueue: sales\n\n\
    Event: QueueParams\nActionID: ramal-queues\nQueue: support\n\n\
    Event: QueueMember\nActionID: ramal-queues\nQueue: support\nName: 2001\nLocation: PJSIP/2001\nStatus: 1\nPaused: 0\n\n\
    Event: QueueEntry\nActionID: ramal-queues\nQueue: support\nPosition: 2\nUniqueid: 1.5\nWait: 3\n\n\
    Event: QueueEntry\nActionID: ramal-queues\nQueue: support\nPosition: 1\nUniqueid: 1.9\nWait: 10\n\n\
    Event: QueueStatusComplete\nActionID: ramal-queues";

fn waiting(board: &QueueBoard, queue: &str) -> Vec<(String, String)> {
    let waiting = board.queues[queue].waiting.iter();
    waiting.map(|w| (w.call.as_str().to_owned(), w.since.to_string())).collect()
}

fn event(text: &str) -> Event {
    Event::read(&messages(text)[0]).unwrap()
}

#[test]
fn what_the_exchange_has_takes_the_place_of_what_was_there() {
    let mut board = QueueBoard::new(now());
    let old = "Event: QueueCallerJoin\nQueue: gone\nUniqueid: 0.1\nPosition: 1";
    assert!(board.apply(&event(old), now()));
    board.set(&census(TOLD), now());
    assert_eq!(board.queues.keys().collect::<Vec<_>>(), ["sales", "support"]);
    assert_eq!(
        waiting(&board, "support"),
        [("1.1", "2026-12-01T11:59:50Z"), ("1.5", "2026-12-01T11:59:57Z")].map(|(a, b)| (a.into(), b.into()))
    );
    let member = &board.queues["support"].members[0];
    assert_eq!((member.agent.expose(), member.state, member.paused), ("2001", MemberState::Free, false));
}

#[test]
fn callers_come_and_go_and_the_others_move_up() {
    let mut board = QueueBoard::new(now());
    board.set(&census(TOLD), now());
    // In front of all: a queue may let somebody in first.
    let first = "Event: QueueCallerJoin\nQueue: support\nUniqueid: 2.1\nPosition: 1";
    assert!(board.apply(&event(first), now()));
    // Told again, late.
    assert!(board.apply(&event(first), now()));
    let calls =
        |board: &QueueBoard| waiting(board, "support").into_iter().map(|(call, _)| call).collect::<Vec<_>>();
    assert_eq!(calls(&board), ["2.1", "1.1", "1.5"]);
    let left = "Event: QueueCallerLeave\nQueue: support\nUniqueid: 1.9";
    assert!(board.apply(&event(left), now()));
    assert!(!board.apply(&event(left), now()));
    assert_eq!(calls(&board), ["2.1", "1.5"]);
}

#[test]
fn agents_log_in_pause_and_log_out() {
    let mut board = QueueBoard::new(now());
    board.set(&census(TOLD), now());
    let added = "Event: QueueMemberAdded\nQueue: support\nInterface: PJSIP/2000\nMemberName: 2000\nStatus: 1\nPaused: 0";
    assert!(board.apply(&event(added), now()));
    assert!(!board.apply(&event(added), now()), "nothing new");
    let paused = "Event: QueueMemberPause\nQueue: support\nInterface: PJSIP/2000\nMemberName: 2000\nStatus: 1\nPaused: 1\nPausedReason: lunch";
    assert!(board.apply(&event(paused), now()));
    let members = |board: &QueueBoard| {
        let members = board.queues["support"].members.iter();
        members.map(|m| (m.agent.expose().to_owned(), m.paused)).collect::<Vec<_>>()
    };
    assert_eq!(members(&board), [("2000".to_owned(), true), ("2001".to_owned(), false)]);
    let gone = "Event: QueueMemberRemoved\nQueue: support\nInterface: PJSIP/2001\nMemberName: 2001";
    assert!(board.apply(&event(gone), now()));
    assert_eq!(members(&board), [("2000".to_owned(), true)]);
}

#[test]
fn the_link_turns_once() {
    let mut board = QueueBoard::new(now());
    assert!(!board.turn(QueueLink::Down, now()));
    assert!(board.turn(QueueLink::Up, now() + SignedDuration::from_secs(1)));
    assert_eq!(board.since, now() + SignedDuration::from_secs(1));
}

#[test]
fn a_board_prints_nobody() {
    let mut board = QueueBoard::new(now());
    board.set(&census(TOLD), now());
    let printed = format!("{board:?}");
    assert!(!printed.contains("2001"), "{printed}");
}
