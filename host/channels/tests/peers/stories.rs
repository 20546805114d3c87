//! Whole calls through the adapters into the center: twice, in every order, and by a record at the end only.

use jiff::Timestamp;
use ramal_center::{Channel, Clear, EndCause, Interaction, InteractionState, Origin, Region};
use ramal_channels::{Incoming, Mapped, Mapping, Reading, Taken, Twilio, TwilioKeys, Webhook, take};
use ramal_store::{CallId, EventId, InteractionStore};
use rstest::rstest;
use url::Url;

use crate::installed::{center, origin};

fn twilio() -> Twilio {
    let keys = TwilioKeys { tokens: vec![Clear::from("12345")], shared: Vec::new() };
    Twilio::new("AC1", keys, Channel::Mobile, Region::BR)
}

/// What a callback of a call says; the number is made up.
fn callback(more: &str) -> Reading {
    let body = format!(
        "AccountSid=AC1&CallSid=CA1&Direction=inbound&From=%2B5511987654321&To=%2B551132100000&{more}"
    );
    let url = Url::parse("https://ramal.example/v1/channels/tw/webhook").unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let now: Timestamp = "2026-11-23T12:05:00Z".parse().unwrap();
    twilio().read(&Incoming { url: &url, headers: &headers, body: body.as_bytes(), now }).unwrap()
}

const RINGING: &str = "CallStatus=ringing&SequenceNumber=0&Timestamp=Mon%2C+23+Nov+2026+12%3A00%3A00+%2B0000";
const ANSWERED: &str =
    "CallStatus=in-progress&SequenceNumber=1&Timestamp=Mon%2C+23+Nov+2026+12%3A00%3A05+%2B0000";
const COMPLETED: &str =
    "CallStatus=completed&SequenceNumber=2&CallDuration=60&Timestamp=Mon%2C+23+Nov+2026+12%3A01%3A05+%2B0000";
const RECORDED: &str = "RecordingSid=RE1&RecordingStatus=completed&RecordingDuration=55&CallStatus=completed";

/// The history that some callbacks make, and how many of them changed nothing.
async fn history(callbacks: &[&str]) -> (Interaction, usize) {
    let (center, store) = center();
    let origin = origin("tw");
    let mut idle = 0;
    for more in callbacks {
        for heard in callback(more).heard {
            match take(&center, &origin, heard).await.unwrap() {
                Taken::Stored(_) => {}
                Taken::Repeated(_) => idle += 1,
                Taken::PassedOver(why) => panic!("{more}: {}", why.0),
            }
        }
    }
    (call(&*store, &origin, "CA1").await, idle)
}

async fn call(store: &impl InteractionStore, origin: &Origin, id: &str) -> Interaction {
    let nothing = EventId::new("nothing").unwrap();
    let call = CallId::new(id).unwrap();
    let known = store.situation(&origin.tenant, &origin.source, &call, &nothing).await.unwrap();
    known.interaction.expect("the call has a history")
}

#[rstest]
#[case::in_order(&[RINGING, ANSWERED, COMPLETED], "12:00:00")]
#[case::each_twice(&[RINGING, RINGING, ANSWERED, ANSWERED, COMPLETED, COMPLETED], "12:00:00")]
#[case::all_again(&[RINGING, ANSWERED, COMPLETED, RINGING, ANSWERED, COMPLETED], "12:00:00")]
#[case::ringing_last(&[ANSWERED, COMPLETED, RINGING], "12:00:05")]
#[case::backwards(&[COMPLETED, ANSWERED, RINGING], "12:00:05")]
#[case::end_in_the_middle(&[RINGING, COMPLETED, ANSWERED], "12:00:00")]
#[case::only_the_end(&[COMPLETED], "12:00:05")]
#[tokio::test]
async fn every_order_makes_one_call(#[case] callbacks: &[&str], #[case] began: &str) {
    let (call, _) = history(callbacks).await;
    assert_eq!((call.state, call.cause), (InteractionState::Ended, Some(EndCause::Completed)));
    let time = |at: Timestamp| at.strftime("%H:%M:%S").to_string();
    assert_eq!(time(call.started_at), began);
    assert_eq!(call.answered_at.map(time).as_deref(), Some("12:00:05"));
    assert_eq!(call.ended_at.map(time).as_deref(), Some("12:01:05"));
    assert_eq!(call.from.as_ref().map(Clear::expose), Some("+5511987654321"));
}

#[tokio::test]
async fn what_is_sent_again_changes_nothing() {
    let (once, _) = history(&[RINGING, ANSWERED, COMPLETED, RECORDED]).await;
    let (twice, idle) = history(&[RINGING, ANSWERED, COMPLETED, RECORDED, COMPLETED, RECORDED]).await;
    assert_eq!((once.seq, once.recordings.len()), (twice.seq, 1));
    assert!(idle >= 4, "{idle}");
}

#[tokio::test]
async fn whoever_takes_the_dialled_leg_is_the_agent() {
    let leg = "ParentCallSid=CA1&CallSid=CA2&To=client%3Abruno&Direction=outbound-dial&";
    let body = |status: &str| format!("{leg}CallStatus={status}");
    let (center, store) = center();
    let origin = origin("tw");
    for more in [RINGING, ANSWERED] {
        for heard in callback(more).heard {
            take(&center, &origin, heard).await.unwrap();
        }
    }
    let url = Url::parse("https://ramal.example/").unwrap();
    let now: Timestamp = "2026-11-23T12:05:00Z".parse().unwrap();
    for status in ["ringing", "in-progress", "completed"] {
        let body = body(status);
        let incoming = Incoming { url: &url, headers: &[], body: body.as_bytes(), now };
        for heard in twilio().read(&incoming).unwrap().heard {
            assert!(
                !matches!(take(&center, &origin, heard).await.unwrap(), Taken::PassedOver(_)),
                "{status}"
            );
        }
    }
    let call = call(&*store, &origin, "CA1").await;
    assert_eq!(call.agent.as_ref().map(Clear::expose), Some("bruno"));
    assert_eq!((call.legs.len(), call.state), (1, InteractionState::Answered));
    assert!(call.legs[0].span.until.is_some());
}

#[tokio::test]
async fn a_record_at_the_end_is_a_whole_history_and_again_nothing() {
    let mapping = include_str!("../../../../docs/channels/rustpbx.toml");
    let mapping = Mapping::parse("rustpbx.toml", mapping).unwrap();
    let rustpbx = Mapped::new(mapping, vec![Clear::from("x")], Region::BR);
    let cdr = r#"{"callId":"c1","startTime":"2026-11-23T12:00:00Z","answerTime":"2026-11-23T12:00:05Z","endTime":"2026-11-23T12:01:05Z","caller":"sip:+5511987654321@10.0.0.1","callee":"sip:+551132100000@10.0.0.2","direction":"inbound","status":"completed","hangupReason":"byCaller"}"#;
    let body =
        format!("--b\r\nContent-Disposition: form-data; name=\"calllog.json\"\r\n\r\n{cdr}\r\n--b--\r\n");
    let url = Url::parse("https://ramal.example/").unwrap();
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    let now: Timestamp = "2026-11-23T12:05:00Z".parse().unwrap();
    let incoming = Incoming { url: &url, headers: &headers, body: body.as_bytes(), now };
    let (center, store) = center();
    let origin = origin("rustpbx");
    let mut taken = Vec::new();
    for _ in 0..2 {
        for heard in rustpbx.read(&incoming).unwrap().heard {
            taken.push(match take(&center, &origin, heard).await.unwrap() {
                Taken::Stored(_) => "stored",
                Taken::Repeated(_) => "repeated",
                Taken::PassedOver(why) => why.0,
            });
        }
    }
    assert_eq!(taken, ["stored", "stored", "stored", "repeated", "repeated", "repeated"]);
    let call = call(&*store, &origin, "c1").await;
    assert_eq!((call.state, call.cause), (InteractionState::Ended, Some(EndCause::Completed)));
}
