//! Each event of a queue, read from the lines that an exchange sends.

use super::super::message::Decoder;
use super::*;
use rstest::rstest;

fn message(text: &str) -> Message {
    let stream = format!("Asterisk Call Manager/11.0.0\n{text}\n\n");
    Decoder::default().feed(stream.as_bytes()).unwrap().remove(0)
}

#[rstest]
#[case::plain("PJSIP/2001-0000000c", "2001", "PJSIP/2001")]
#[case::with_a_dash("PJSIP/desk-2-0000000c", "desk-2", "PJSIP/desk-2")]
#[case::local("Local/2001@from-queue-00000001;2", "2001", "Local/2001@from-queue")]
#[case::local_with_a_dash("Local/a-b@ctx-00000001;1", "a-b", "Local/a-b@ctx")]
#[case::odd("odd", "odd", "odd")]
fn a_channel_tells_whose_device_it_is(#[case] name: &str, #[case] device: &str, #[case] endpoint: &str) {
    let line = Line::read(&message(&format!("Uniqueid: 1.1\nChannel: {name}")), "").unwrap();
    assert_eq!((line.device(), line.endpoint(), &*line.linked), (device, endpoint, "1.1"));
}

#[rstest]
#[case::named("Interface: PJSIP/2001\nMemberName: Bruna", "Bruna")]
#[case::not_named("Interface: PJSIP/2001\nMemberName: PJSIP/2001", "2001")]
#[case::local("Interface: Local/2001@from-queue/n\nMemberName: Local/2001@from-queue/n", "2001")]
#[case::of_a_list("Location: PJSIP/2001\nName: Bruna", "Bruna")]
fn an_agent_has_the_exchanges_name_for_the_person(#[case] fields: &str, #[case] name: &str) {
    assert_eq!(agent(&message(fields)).as_deref(), Some(name));
}

#[test]
fn a_member_is_told_whole() {
    let text = "Event: QueueMemberStatus\nQueue: support\nMemberName: 2001\nInterface: PJSIP/2001\nStatus: 6\nPaused: 1\n\
                PausedReason: lunch\nInCall: 0\nCallsTaken: 3\nLastCall: 1796128536\nLoginTime: 0";
    let Some(Event::Member { queue, member }) = Event::read(&message(text)) else { panic!("no member") };
    assert_eq!(queue, "support");
    let reason = member.pause_reason.as_ref().map(|reason| reason.expose().to_owned());
    assert_eq!((member.state, member.paused, reason.as_deref()), (MemberState::Ringing, true, Some("lunch")));
    assert_eq!((member.calls_taken, member.in_call, member.since), (3, false, None));
    assert_eq!(member.last_call, Timestamp::from_second(1_796_128_536).ok());
}

#[rstest]
#[case::micros("Timestamp: 1796128559.588914", Some("2026-12-01T12:35:59.588914Z"))]
#[case::none("Event: Hangup", None)]
#[case::odd("Timestamp: soon", None)]
#[case::half("Timestamp: 17.5", None)]
fn the_exchanges_clock_counts_where_it_tells(#[case] text: &str, #[case] time: Option<&str>) {
    assert_eq!(at(&message(text)).map(|at| at.to_string()).as_deref(), time);
}

#[rstest]
#[case::other("Event: DeviceStateChange\nUniqueid: 1.1")]
#[case::without_channel("Event: Hangup\nCause: 16")]
#[case::dial_that_failed("Event: DialEnd\nUniqueid: 1.1\nDestUniqueid: 1.2\nDialStatus: CANCEL")]
#[case::transfer_that_failed("Event: BlindTransfer\nResult: Fail\nTransfereeLinkedid: 1.1")]
#[case::answer("Response: Success\nMessage: Queue status will follow")]
fn what_says_nothing_of_queues_is_passed_over(#[case] text: &str) {
    assert!(Event::read(&message(text)).is_none());
}
