//! The exchange itself with the shipped configuration: what every other test here stands on, and what an integrator
//! pastes. Each is told twice, by SIPp's exit code and by Asterisk's own record.

use std::time::Duration;

use ramal_tests::asterisk::{Disposition, Release};
use rstest::rstest;

use crate::exchange;

const CUSTOMER: &str = "5511987654321";
/// Goes straight to the queue.
const QUEUE_LINE: &str = "551130005000";
/// Goes to Ramal.
const RAMAL_LINE: &str = "551130001000";
const MOMENT: Duration = Duration::from_millis(300);
/// Long enough for an agent to answer on a busy machine: a queue answers the caller first.
const TALK: Duration = Duration::from_secs(3);

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn an_agent_logs_in_and_takes_a_call_of_the_queue(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "an agent takes a call").await else { return };
    let agent = pbx.phones().register("2001").await.unwrap();
    agent.dials("*45").await.unwrap();
    let taken = agent.takes("answers", MOMENT, 1).await.unwrap();
    let call = pbx.phones().customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, TALK).await.unwrap();

    let (call, taken) = (call.end().await.unwrap(), taken.end().await.unwrap());
    assert!(call.is_as_planned(1) && taken.is_as_planned(1), "{call:?} {taken:?}");
    let records = pbx.cdrs_once(2).await.unwrap();
    let record = records.iter().find(|record| record.source == CUSTOMER).unwrap();
    assert_eq!((&*record.application, &record.disposition), ("Queue", &Disposition::Answered));
    assert!(record.destination_channel.starts_with("PJSIP/2001-"), "{record:?}");
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn without_ramal_a_call_rings_the_queue_and_where_nobody_is_there_the_reception(
    #[case] release: Release,
) {
    let Some(pbx) = exchange(release, &[], "the fallback").await else { return };
    let reception = pbx.phones().register("2000").await.unwrap();
    let agent = pbx.phones().register("2001").await.unwrap();

    // Nobody has logged in to the queue.
    let taken = reception.takes("answers", MOMENT, 1).await.unwrap();
    let call = pbx.phones().customer("caller-hangs-up", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let (call, taken) = (call.end().await.unwrap(), taken.end().await.unwrap());
    assert!(call.is_as_planned(1) && taken.is_as_planned(1), "{call:?} {taken:?}");

    agent.dials("*45").await.unwrap();
    let taken = agent.takes("answers", MOMENT, 1).await.unwrap();
    let call = pbx.phones().customer("caller-hangs-up", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let (call, taken) = (call.end().await.unwrap(), taken.end().await.unwrap());
    assert!(call.is_as_planned(1) && taken.is_as_planned(1), "{call:?} {taken:?}");

    assert!(pbx.log().contains("Ramal is not there"));
    let records = pbx.cdrs_once(3).await.unwrap();
    let answered: Vec<_> = records
        .iter()
        .filter(|record| record.source == CUSTOMER)
        .map(|record| &*record.application)
        .collect();
    assert_eq!(answered, ["Dial", "Queue"]);
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn customers_who_give_up_and_lines_that_are_busy_stand_in_its_records(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "the records").await else { return };
    let agent = pbx.phones().register("2001").await.unwrap();
    agent.dials("*45").await.unwrap();
    let mut rings = agent.takes("rings", MOMENT, 1).await.unwrap();
    let call = pbx.phones().customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, TALK).await.unwrap();
    rings.until("ringing", 1).await.unwrap();
    let (call, rings) = (call.end().await.unwrap(), rings.end().await.unwrap());
    assert!(call.is_as_planned(1) && rings.is_as_planned(1), "{call:?} {rings:?}");

    // To the outside, where it is busy.
    let outside = pbx.phones().carrier("is-busy", MOMENT, 1).await.unwrap();
    let call = agent.calls("phone-finds-it-busy", "05511955554444", MOMENT).await.unwrap();
    let (call, outside) = (call.end().await.unwrap(), outside.end().await.unwrap());
    assert!(call.is_as_planned(1) && outside.is_as_planned(1), "{call:?} {outside:?}");

    let records = pbx.cdrs_once(3).await.unwrap();
    // Of a line that is busy there may be a second one, of the caller who hears it.
    let (given_up, busy) = records[1..].split_first().unwrap();
    assert_eq!(given_up.disposition, Disposition::NoAnswer, "{records:#?}");
    assert!(busy.iter().all(|record| record.disposition == Disposition::Busy), "{records:#?}");
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn an_agent_hands_a_call_on_to_a_colleague(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "a transfer").await else { return };
    let agent = pbx.phones().register("2001").await.unwrap();
    let colleague = pbx.phones().register("2002").await.unwrap();
    agent.dials("*45").await.unwrap();
    let hands_on = agent.transfers_to("2002", TALK).await.unwrap();
    let takes = colleague.takes("answers", MOMENT, 1).await.unwrap();
    let call = pbx.phones().customer("caller-hangs-up", CUSTOMER, QUEUE_LINE, TALK * 3).await.unwrap();
    let (call, hands_on, takes) =
        (call.end().await.unwrap(), hands_on.end().await.unwrap(), takes.end().await.unwrap());
    assert!(call.is_as_planned(1), "{call:?}");
    assert!(hands_on.is_as_planned(1) && takes.is_as_planned(1), "{hands_on:?} {takes:?}");
}

#[tokio::test]
async fn exchanges_are_apart_and_come_back_after_a_power_cut() {
    let Some(mut one) = exchange(Release::Sixteen, &[], "a power cut").await else { return };
    let Some(other) = exchange(Release::Sixteen, &[], "a power cut").await else { return };
    assert!(one.sip != other.sip && one.ami != other.ami && one.http != other.http);
    let reception = one.phones().register("2000").await.unwrap();
    let taken = reception.takes("answers", MOMENT, 1).await.unwrap();
    let mut cut = one.phones().customer("caller-stays", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    cut.until("answered", 1).await.unwrap();
    one.kill();
    // Nobody tells the phones.
    drop((cut, taken));
    one.restart().await.unwrap();
    assert_eq!(one.cdrs().unwrap(), []);

    // What it had just learnt may be lost with the power; a phone says it again from time to time.
    let reception = one.phones().register("2000").await.unwrap();
    let taken = reception.takes("answers", MOMENT, 1).await.unwrap();
    let call = one.phones().customer("caller-hangs-up", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let (call, taken) = (call.end().await.unwrap(), taken.end().await.unwrap());
    assert!(call.is_as_planned(1) && taken.is_as_planned(1), "{call:?} {taken:?}");
    one.stop().await.unwrap();
    assert_eq!(one.cdrs().unwrap().len(), 1);
    assert_eq!(other.cdrs().unwrap(), []);
}
