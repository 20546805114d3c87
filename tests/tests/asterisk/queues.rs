//! The queues of a real exchange, watched: what the host tells of each call is compared with SIPp's exit code and with
//! Asterisk's own records.

use std::collections::BTreeSet;
use std::time::Duration;

use ramal_tests::asterisk::{AMI_SECRET, AMI_USER, Asterisk, Disposition, Release};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::exchange;
use crate::host::Host;

const CUSTOMER: &str = "5511987654321";
/// Goes straight to the queue.
const QUEUE_LINE: &str = "551130005000";
/// A phone rings for two seconds, and again after one.
const IMPATIENT: &[(&str, &str, &str)] =
    &[("queues.conf", "timeout=15", "timeout=2"), ("queues.conf", "retry=3", "retry=1")];
const MOMENT: Duration = Duration::from_millis(300);

fn members(board: &Value) -> Vec<(String, bool)> {
    let members = board["queues"][0]["members"].as_array().cloned().unwrap_or_default();
    let member = |m: &Value| (m["agent"].as_str().unwrap().to_owned(), m["paused"].as_bool().unwrap());
    members.iter().map(member).collect()
}

fn waiting(board: &Value) -> usize {
    board["queues"][0]["waiting"].as_array().map_or(0, Vec::len)
}

/// The words of a history without their versions: `answered`.
fn words(history: &[Value]) -> Vec<String> {
    let word = |what: &Value| what["event"].as_str().unwrap().split('.').next().unwrap().to_owned();
    history.iter().map(word).collect()
}

fn ended(calls: &[Value], count: usize) -> bool {
    calls.iter().filter(|call| call["state"] == "ended").count() == count
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn a_queue_is_watched_from_the_agents_login_to_the_last_caller(#[case] release: Release) {
    let Some(pbx) = exchange(release, IMPATIENT, "a queue is watched").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(&pbx, folder.path()).await;
    let phones = pbx.phones();
    host.board("the queue", |board| board["link"] == "up" && board["queues"][0]["name"] == "support").await;

    // Agents come, pause and go on.
    let agent = phones.register("2001").await.unwrap();
    agent.dials("*45").await.unwrap();
    host.board("the agent", |board| members(board) == [("2001".to_owned(), false)]).await;
    agent.dials("*47").await.unwrap();
    let board = host.board("the pause", |board| members(board) == [("2001".to_owned(), true)]).await;
    assert_eq!(board["queues"][0]["members"][0]["pause_reason"], "pause");
    agent.dials("*48").await.unwrap();
    host.board("the end of the pause", |board| members(board) == [("2001".to_owned(), false)]).await;

    // One call is answered, put on hold, taken again.
    let taken = agent.takes("answers-and-holds", Duration::from_secs(2), 1).await.unwrap();
    let talk = Duration::from_secs(8);
    let call = phones.customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, talk).await.unwrap();
    let (call, taken) = (call.end().await.unwrap(), taken.end().await.unwrap());
    assert!(call.is_as_planned(1) && taken.is_as_planned(1), "{call:?} {taken:?}");
    let calls = host.calls("the answered call", |calls| ended(calls, 1)).await;
    assert_eq!(
        (&calls[0]["cause"], &calls[0]["agent"], &calls[0]["queue"], &calls[0]["direction"]),
        (&json!("completed"), &json!("2001"), &json!("support"), &json!("inbound"))
    );
    assert_eq!(calls[0]["from"]["e164"], json!(format!("+{CUSTOMER}")));
    assert_eq!(calls[0]["to"]["e164"], json!(format!("+{QUEUE_LINE}")));
    let history = host.history(&calls[0]).await;
    assert_eq!(
        words(&history),
        ["started", "leg-opened", "answered", "held", "resumed", "leg-closed", "ended"]
    );

    // One caller waits while a phone rings in vain, and gives up.
    let mut rings = agent.takes("rings", MOMENT, 2).await.unwrap();
    let patience = Duration::from_millis(4500);
    let call = phones.customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, patience).await.unwrap();
    let board = host.board("the caller", |board| waiting(board) == 1).await;
    assert_eq!(board["queues"][0]["waiting"][0]["position"], 1);
    host.board("the ringing phone", |board| board["queues"][0]["members"][0]["state"] == "ringing").await;
    rings.until("ringing", 2).await.unwrap();
    let (call, rings) = (call.end().await.unwrap(), rings.end().await.unwrap());
    assert!(call.is_as_planned(1) && rings.is_as_planned(2), "{call:?} {rings:?}");
    let calls = host.calls("the caller who gave up", |calls| ended(calls, 2)).await;
    assert_eq!((&calls[1]["cause"], &calls[1]["agent"]), (&json!("abandoned"), &Value::Null));
    let history = host.history(&calls[1]).await;
    assert_eq!(words(&history), ["started", "leg-opened", "leg-closed", "leg-opened", "leg-closed", "ended"]);
    assert_eq!(history[2]["provider_cause"], "ring-no-answer");
    host.board("an empty queue", |board| waiting(board) == 0).await;

    // One call is handed on to a colleague.
    let colleague = phones.register("2002").await.unwrap();
    let hands_on = agent.transfers_to("2002", Duration::from_secs(3)).await.unwrap();
    let takes = colleague.takes("answers", MOMENT, 1).await.unwrap();
    let talk = Duration::from_secs(8);
    let call = phones.customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, talk).await.unwrap();
    let (call, hands_on) = (call.end().await.unwrap(), hands_on.end().await.unwrap());
    let takes = takes.end().await.unwrap();
    assert!(call.is_as_planned(1) && hands_on.is_as_planned(1), "{call:?} {hands_on:?}");
    assert!(takes.is_as_planned(1), "{takes:?}");
    let calls = host.calls("the call that was handed on", |calls| ended(calls, 3)).await;
    assert_eq!(
        (&calls[2]["cause"], &calls[2]["agent"], &calls[2]["transfers"]),
        (&json!("completed"), &json!("2002"), &json!(1))
    );

    agent.dials("*46").await.unwrap();
    host.board("nobody", |board| members(board).is_empty()).await;
    assert_records(&pbx, &calls).await;
    host.stop().await;
}

/// What Asterisk wrote of the customers' calls: as many, and each ended alike.
async fn assert_records(pbx: &Asterisk, calls: &[Value]) {
    let records = pbx.cdrs().unwrap();
    let records: Vec<_> = records.iter().filter(|record| record.source == CUSTOMER).collect();
    let of_queue = |answered: bool| {
        let wanted = |disposition: &Disposition| (*disposition == Disposition::Answered) == answered;
        let ids =
            records.iter().filter(|record| record.application == "Queue" && wanted(&record.disposition));
        ids.map(|record| record.unique_id.clone()).collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<_> = records.iter().map(|record| record.unique_id.clone()).collect();
    assert_eq!(all.len(), calls.len(), "{records:#?}");
    let (answered, unanswered) = (of_queue(true), of_queue(false));
    let told = |cause: &str| calls.iter().filter(|call| call["cause"] == cause).count();
    assert_eq!(answered.len(), told("completed"), "{records:#?}");
    assert_eq!(unanswered.difference(&answered).count(), told("abandoned"), "{records:#?}");
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn what_happened_while_the_host_was_away_is_found_out(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "the host was away").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let phones = pbx.phones();
    let agent = phones.register("2001").await.unwrap();
    agent.dials("*45").await.unwrap();

    let host = Host::start(&pbx, folder.path()).await;
    host.board("the agent", |board| members(board).len() == 1).await;
    let mut taken = agent.takes("answers", Duration::from_secs(2), 1).await.unwrap();
    let talk = Duration::from_secs(12);
    let mut call = phones.customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, talk).await.unwrap();
    host.calls("the call", |calls| calls.len() == 1).await;
    host.stop().await;

    // The agent answers while nobody watches; the talk goes on when the host is back.
    call.until("answered", 1).await.unwrap();
    taken.until("answered", 1).await.unwrap();
    let host = Host::start(&pbx, folder.path()).await;
    host.calls("that it was answered", |calls| calls[0]["state"] == "answered").await;
    let (call, taken) = (call.end().await.unwrap(), taken.end().await.unwrap());
    assert!(call.is_as_planned(1) && taken.is_as_planned(1), "{call:?} {taken:?}");
    let calls = host.calls("its end", |calls| ended(calls, 1)).await;
    assert_eq!((&calls[0]["cause"], &calls[0]["agent"]), (&json!("completed"), &json!("2001")));
    assert_eq!(calls.len(), 1);
    host.stop().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn no_call_outlives_an_exchange_that_died(#[case] release: Release) {
    let Some(mut pbx) = exchange(release, &[], "the exchange died").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(&pbx, folder.path()).await;
    let agent = pbx.phones().register("2001").await.unwrap();
    agent.dials("*45").await.unwrap();
    host.board("the agent", |board| members(board).len() == 1).await;
    let rings = agent.takes("rings", MOMENT, 1).await.unwrap();
    let talk = Duration::from_secs(60);
    let call = pbx.phones().customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, talk).await.unwrap();
    host.board("the caller", |board| waiting(board) == 1).await;

    pbx.kill();
    drop((call, rings));
    let board = host.board("that it is down", |board| board["link"] == "down").await;
    assert_eq!(waiting(&board), 1, "as it was last seen");
    pbx.restart().await.unwrap();
    host.board("what there is now", |board| board["link"] == "up" && waiting(board) == 0).await;
    let calls = host.calls("the end of the call", |calls| ended(calls, 1)).await;
    assert_eq!(calls[0]["cause"], "failed");
    let last = host.history(&calls[0]).await.pop().unwrap();
    assert_eq!(last["provider_cause"], "unseen");
    host.stop().await;
}

#[tokio::test]
async fn a_wrong_secret_is_said_and_not_tried_again_at_once() {
    let Some(pbx) = exchange(Release::Sixteen, &[], "a wrong secret").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start_at(pbx.ami, "wrong-secret-0123456789abcdef012345", folder.path()).await;
    host.board("the refusal", |board| board["link"] == "refused").await;
    assert_eq!(pbx.log().matches("failed to authenticate").count(), 1, "{}", pbx.log());
    host.stop().await;
}

/// The shipped user is the host's hand at the exchange: it must not be able to do anything.
#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn the_shipped_user_can_ask_and_do_nothing(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "the shipped user").await else { return };
    let mut stream = TcpStream::connect(("127.0.0.1", pbx.ami)).await.unwrap();
    let mut said = format!("Action: Login\r\nUsername: {AMI_USER}\r\nSecret: {AMI_SECRET}\r\n\r\n");
    let deeds = [
        "Originate\r\nChannel: Local/2001@from-phones\r\nApplication: Wait\r\nData: 1",
        "Command\r\nCommand: core show version",
        "Hangup\r\nChannel: /.*/",
        "Redirect\r\nChannel: x\r\nContext: from-phones\r\nExten: 2001\r\nPriority: 1",
        "QueueAdd\r\nQueue: support\r\nInterface: PJSIP/2001",
        "QueuePause\r\nInterface: PJSIP/2001\r\nPaused: true",
        "Setvar\r\nVariable: A\r\nValue: b",
        "GetConfig\r\nFilename: manager.conf",
        "DBPut\r\nFamily: a\r\nKey: b\r\nVal: c",
    ];
    for (number, deed) in deeds.iter().enumerate() {
        let (name, fields) = deed.split_once("\r\n").unwrap();
        said += &format!("Action: {name}\r\nActionID: deed-{number}\r\n{fields}\r\n\r\n");
    }
    said += "Action: CoreShowChannels\r\nActionID: asks\r\n\r\nAction: Logoff\r\n\r\n";
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    let answer = |id: &str| {
        let mut messages = heard.split("\r\n\r\n");
        let of =
            |message: &&str| message.contains("Response: ") && message.contains(&format!("ActionID: {id}"));
        messages.find(of).unwrap_or_default().to_owned()
    };
    for (number, deed) in deeds.iter().enumerate() {
        let answer = answer(&format!("deed-{number}"));
        assert!(answer.contains("Permission denied"), "{deed}: {answer}");
    }
    assert!(answer("asks").contains("Response: Success"));
}
