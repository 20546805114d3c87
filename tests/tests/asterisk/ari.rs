//! Calls over ARI on a real exchange. What this host says of a call is compared with SIPp, who made it, and with
//! Asterisk's own records.

use std::time::Duration;

use ramal_center::*;
use ramal_channels::{CallControl, ControlError, Dial, LinkState, Order, RecordOrder, Transfer, TransferTo};
use ramal_tests::asterisk::{Disposition, Release};
use rstest::rstest;
use tokio::time::{Instant, sleep_until};

use crate::controller::{Host, Memory, Way};
use crate::exchange;

const CUSTOMER: &str = "5511987654321";
/// Handed to Ramal by the dialplan.
const RAMAL_LINE: &str = "551130001000";
/// Never handed to Ramal.
const QUEUE_LINE: &str = "551130005000";
const MOMENT: Duration = Duration::from_millis(300);
const TALK: Duration = Duration::from_secs(1);

fn is_answered(call: &Interaction) -> bool {
    call.state == InteractionState::Answered
}
fn is_over(call: &Interaction) -> bool {
    call.state == InteractionState::Ended
}
fn agent(call: &Interaction) -> Option<&str> {
    call.agent.as_ref().map(Clear::expose)
}
fn reference(call: &Interaction) -> CallId {
    call.reference.clone().unwrap()
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn a_call_that_the_dialplan_hands_over_rings_an_agent_and_is_told_as_it_went(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "a call by ARI").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;

    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-hangs-up", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let answered = memory.once(0, "answered", is_answered).await;
    assert_eq!(agent(&answered), Some("agent-2001"));
    let (customer, taken) = (customer.end().await.unwrap(), taken.end().await.unwrap());
    assert!(customer.is_as_planned(1) && taken.is_as_planned(1), "{customer:?} {taken:?}");

    let over = memory.once(0, "over", is_over).await;
    assert_eq!((over.cause, over.direction), (Some(EndCause::Completed), InteractionDirection::Inbound));
    assert_eq!(over.from.as_ref().map(Clear::expose), Some("+5511987654321"));
    assert_eq!(over.to.as_ref().map(Clear::expose), Some("+551130001000"));
    assert_eq!(over.legs.len(), 2, "{:?}", over.legs);
    assert!(over.legs.iter().all(|leg| leg.span.until.is_some()));
    // Asterisk's own record of the same call.
    let records = pbx.cdrs_once(1).await.unwrap();
    let record = records.iter().find(|record| record.unique_id == reference(&over).as_str()).unwrap();
    assert_eq!((&*record.source, &record.disposition), (CUSTOMER, &Disposition::Answered));
    assert_eq!((memory.calls().await.len(), host.counts.of("unreadable")), (1, 0));
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn a_caller_who_gives_up_has_abandoned(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "a caller gives up").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    let rings = phone.takes("rings", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-gives-up", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let (customer, rings) = (customer.end().await.unwrap(), rings.end().await.unwrap());
    assert!(customer.is_as_planned(1) && rings.is_as_planned(1), "{customer:?} {rings:?}");
    let over = memory.once(0, "over", is_over).await;
    assert_eq!((over.cause, over.answered_at), (Some(EndCause::Abandoned), None));
    let records = pbx.cdrs_once(1).await.unwrap();
    assert!(records.iter().all(|record| record.disposition != Disposition::Answered), "{records:?}");
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn where_no_agent_takes_it_the_dialplan_gets_the_call_back(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "a call goes back").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let reception = pbx.phones().register("2000").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    let busy = phone.takes("is-busy", MOMENT, 1).await.unwrap();
    let taken = reception.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-hangs-up", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let (customer, busy, taken) =
        (customer.end().await.unwrap(), busy.end().await.unwrap(), taken.end().await.unwrap());
    assert!(
        customer.is_as_planned(1) && busy.is_as_planned(1) && taken.is_as_planned(1),
        "{customer:?} {taken:?}"
    );
    let over = memory.once(0, "over", is_over).await;
    assert_eq!((over.cause, agent(&over)), (Some(EndCause::Completed), Some("agent-2000")));
    assert_eq!(memory.calls().await.len(), 1);
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn a_call_that_the_dialplan_keeps_is_watched_and_cannot_be_held(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "a call is watched").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    phone.dials("*45").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &[]).await;
    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-stays", CUSTOMER, QUEUE_LINE, TALK).await.unwrap();
    let answered = memory.once(0, "answered", |c| agent(c) == Some("agent-2001")).await;
    let call = reference(&answered);
    let held = host.control.act(call.clone(), Order::Hold).await;
    assert_eq!(held, Err(ControlError::NotOurs("hold")));
    // To end it is possible for every call.
    host.control.act(call.clone(), Order::HangUp).await.unwrap();
    let (customer, taken) = (customer.end().await.unwrap(), taken.end().await.unwrap());
    assert!(customer.is_as_planned(1) && taken.is_as_planned(1), "{customer:?} {taken:?}");
    let over = memory.once(0, "over", is_over).await;
    assert_eq!(over.cause, Some(EndCause::Completed));
    assert_eq!(host.control.act(call, Order::HangUp).await, Err(ControlError::Over));
    host.asterisk.close().await;
}

// Not on 16: there a call that was handed on cannot be held again yet.
#[rstest]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn a_customer_waits_goes_on_and_is_handed_to_a_colleague(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "hold and transfer").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let colleague = pbx.phones().register("2002").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    let first = phone.takes("answers", MOMENT, 1).await.unwrap();
    let second = colleague.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-stays", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let call = reference(&memory.once(0, "answered", is_answered).await);

    host.control.act(call.clone(), Order::Hold).await.unwrap();
    memory.once(0, "held", |c| c.state == InteractionState::Held).await;
    host.control.act(call.clone(), Order::Resume).await.unwrap();
    memory.once(0, "goes on", is_answered).await;
    host.control.act(call.clone(), Order::Mute).await.unwrap();
    host.control.act(call.clone(), Order::Unmute).await.unwrap();

    let to = TransferTo::Agent("agent-2002".into());
    host.control.act(call.clone(), Order::Transfer(Transfer::Blind(to))).await.unwrap();
    let first = first.end().await.unwrap();
    memory.once(0, "the colleague has it", |c| c.legs.len() == 3 && agent(c) == Some("agent-2002")).await;
    memory
        .once(0, "the colleague is there", |c| c.legs.iter().filter(|l| l.span.until.is_none()).count() == 2)
        .await;
    // Who is rung counts as a leg before anybody answers; that they talk shows in that holding works again.
    let held = until_done(|| host.control.act(call.clone(), Order::Hold)).await;
    assert_eq!(held, Ok(()));
    host.control.act(call.clone(), Order::HangUp).await.unwrap();
    let (customer, second) = (customer.end().await.unwrap(), second.end().await.unwrap());
    assert!(
        customer.is_as_planned(1) && first.is_as_planned(1) && second.is_as_planned(1),
        "{customer:?} {first:?} {second:?}"
    );
    let over = memory.once(0, "over", is_over).await;
    assert_eq!((over.cause, over.transfers, over.holds.len()), (Some(EndCause::Completed), 1, 2));
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn an_agent_asks_a_colleague_who_then_takes_the_customer(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "an attended transfer").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let colleague = pbx.phones().register("2002").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    let first = phone.takes("answers", MOMENT, 1).await.unwrap();
    let mut second = colleague.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-stays", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let call = reference(&memory.once(0, "answered", is_answered).await);
    let order = |transfer| host.control.act(call.clone(), Order::Transfer(transfer));

    order(Transfer::Ask(TransferTo::Agent("2002".into()))).await.unwrap();
    memory.once(0, "the customer waits", |c| c.state == InteractionState::Held).await;
    second.until("answered", 1).await.unwrap();
    assert_eq!(until_done(|| order(Transfer::Complete)).await, Ok(()));
    let taken =
        memory.once(0, "the colleague has it", |c| agent(c) == Some("agent-2002") && is_answered(c)).await;
    assert_eq!((taken.transfers, taken.holds.len()), (1, 1));
    let first = first.end().await.unwrap();
    host.control.act(call.clone(), Order::HangUp).await.unwrap();
    let (customer, second) = (customer.end().await.unwrap(), second.end().await.unwrap());
    assert!(
        customer.is_as_planned(1) && first.is_as_planned(1) && second.is_as_planned(1),
        "{customer:?} {first:?} {second:?}"
    );
    assert_eq!(memory.once(0, "over", is_over).await.cause, Some(EndCause::Completed));
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn what_is_said_in_a_pause_is_in_no_file_and_the_exchange_keeps_none(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "a recording").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-stays", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let call = reference(&memory.once(0, "answered", is_answered).await);
    let order = |record| host.control.act(call.clone(), Order::Record(record));

    // How long it is, is what is tested: so time has to pass.
    let begun = Instant::now();
    order(RecordOrder::Start).await.unwrap();
    sleep_until(begun + Duration::from_secs(2)).await;
    order(RecordOrder::Pause).await.unwrap();
    sleep_until(begun + Duration::from_secs(5)).await;
    order(RecordOrder::Resume).await.unwrap();
    sleep_until(begun + Duration::from_secs(6)).await;
    assert_eq!(order(RecordOrder::Start).await, Err(ControlError::WrongState("it is recorded already")));
    host.control.act(call.clone(), Order::HangUp).await.unwrap();
    let whole = begun.elapsed();
    let (customer, taken) = (customer.end().await.unwrap(), taken.end().await.unwrap());
    assert!(customer.is_as_planned(1) && taken.is_as_planned(1), "{customer:?} {taken:?}");

    let ready =
        memory.once(0, "the recording is there", |c| c.recordings.iter().any(|r| r.digest.is_some())).await;
    let [recording] = ready.recordings.as_slice() else { panic!("{:?}", ready.recordings) };
    let [pause] = recording.pauses.as_slice() else { panic!("{recording:?}") };
    let paused = pause.until.unwrap().duration_since(pause.from).as_millis();
    assert!((2500..4500).contains(&paused), "{pause:?}");
    let expected = i128::try_from(whole.as_millis()).unwrap() - paused;
    let found = i128::from(recording.duration_ms.unwrap());
    assert!((expected - found).abs() < 1000, "{expected} expected, {found} found, {paused} paused");
    // The file is here, of this very content, and gone there.
    let file = std::fs::read(memory.recordings().path(&crate::controller::tenant(), recording.id)).unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, &file);
    let digest = format!("sha512-{}", data_encoding::BASE64URL_NOPAD.encode(hash.as_ref()));
    assert_eq!(recording.digest.as_ref(), Some(&digest));
    until_true("the exchange keeps none", || host.counts.of("recording-kept") == 1).await;
    let left = std::fs::read_dir(pbx.home().join("spool/recording")).map(|files| files.count());
    assert_eq!(left.unwrap_or(0), 0);
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn a_call_that_this_host_makes_rings_the_agent_and_then_the_customer(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "click to call").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &[]).await;
    let dial = |id: &str, agent: &str| Dial {
        id: EventId::new(id).unwrap(),
        agent: agent.into(),
        to: PhoneNumber::parse("+5511955554444", Region::BR).unwrap(),
    };
    assert_eq!(host.control.dial(dial("0", "nobody")).await, Err(ControlError::UnknownAgent));

    // Both answer.
    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let outside = pbx.phones().carrier("answers", MOMENT, 1).await.unwrap();
    let made = host.control.dial(dial("1", "agent-2001")).await.unwrap();
    assert_eq!(
        host.control.dial(dial("1", "agent-2001")).await,
        Ok(made),
        "the same request is the same call"
    );
    let answered = memory.once(0, "answered", is_answered).await;
    assert_eq!((answered.id, agent(&answered)), (made, Some("agent-2001")));
    assert_eq!(answered.direction, InteractionDirection::Outbound);
    assert_eq!(answered.to.as_ref().map(Clear::expose), Some("+5511955554444"));
    host.control.act(reference(&answered), Order::HangUp).await.unwrap();
    let (taken, outside) = (taken.end().await.unwrap(), outside.end().await.unwrap());
    assert!(taken.is_as_planned(1) && outside.is_as_planned(1), "{taken:?} {outside:?}");
    assert_eq!(memory.once(0, "over", is_over).await.cause, Some(EndCause::Completed));

    // The line is busy.
    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let outside = pbx.phones().carrier("is-busy", MOMENT, 1).await.unwrap();
    host.control.dial(dial("2", "2001")).await.unwrap();
    let (taken, outside) = (taken.end().await.unwrap(), outside.end().await.unwrap());
    assert!(taken.is_as_planned(1) && outside.is_as_planned(1), "{taken:?} {outside:?}");
    let busy = memory.once(1, "over", is_over).await;
    assert_eq!((busy.cause, busy.answered_at), (Some(EndCause::Busy), None));
    assert_eq!(memory.calls().await.len(), 2);
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn a_call_goes_on_while_the_way_is_cut_and_one_that_ends_meanwhile_is_ended(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "the way is cut").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let memory = Memory::new();
    let way = Way::to(&pbx.http).await;
    let host = Host::start(&memory, &way.http, &["2001"]).await;
    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-hangs-up", CUSTOMER, RAMAL_LINE, 5 * TALK).await.unwrap();
    let call = reference(&memory.once(0, "answered", is_answered).await);

    // It goes on.
    way.cut();
    host.is(LinkState::Connecting).await;
    let refused = host.control.act(call.clone(), Order::Hold).await;
    assert_eq!(refused, Err(ControlError::Offline));
    way.mend();
    host.is(LinkState::Live).await;
    assert!(is_answered(&memory.calls().await[0]));
    // It can still be controlled.
    host.control.act(call.clone(), Order::Hold).await.unwrap();
    host.control.act(call.clone(), Order::Resume).await.unwrap();

    // It ends meanwhile.
    way.cut();
    let customer = customer.end().await.unwrap();
    assert!(customer.is_as_planned(1), "{customer:?}");
    way.mend();
    let over = memory.once(0, "over", is_over).await;
    assert_eq!((over.cause, over.provider_cause.as_deref()), (Some(EndCause::Completed), Some("resync")));
    // Whoever was left in it is let go.
    let taken = taken.end().await.unwrap();
    assert!(taken.is_as_planned(1), "{taken:?}");
    assert_eq!(memory.calls().await.len(), 1);
    host.asterisk.close().await;
}

#[rstest]
#[case::sixteen(Release::Sixteen)]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn calls_of_an_exchange_that_is_killed_have_failed(#[case] release: Release) {
    let Some(mut pbx) = exchange(release, &[], "the exchange is killed").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-stays", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    memory.once(0, "answered", is_answered).await;
    drop(phone);
    pbx.kill();
    // Nobody tells the phones.
    drop((customer, taken));
    pbx.restart().await.unwrap();
    let over = memory.once(0, "over", is_over).await;
    let why = over.provider_cause.as_deref();
    assert_eq!((over.cause, why), (Some(EndCause::Failed), Some("resync: the exchange was restarted")));
    host.is(LinkState::Live).await;
    assert_eq!(memory.calls().await.len(), 1);
    host.asterisk.close().await;
}

#[tokio::test]
async fn a_host_that_is_started_anew_goes_on_with_the_call() {
    let Some(pbx) = exchange(Release::Sixteen, &[], "a host started anew").await else { return };
    let phone = pbx.phones().register("2001").await.unwrap();
    let memory = Memory::new();
    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    let taken = phone.takes("answers", MOMENT, 1).await.unwrap();
    let customer = pbx.phones().customer("caller-stays", CUSTOMER, RAMAL_LINE, TALK).await.unwrap();
    let call = reference(&memory.once(0, "answered", is_answered).await);
    host.control.act(call.clone(), Order::Record(RecordOrder::Start)).await.unwrap();
    host.asterisk.close().await;

    let host = Host::start(&memory, &pbx.http, &["2001"]).await;
    host.control.act(call.clone(), Order::HangUp).await.unwrap();
    let (customer, taken) = (customer.end().await.unwrap(), taken.end().await.unwrap());
    assert!(customer.is_as_planned(1) && taken.is_as_planned(1), "{customer:?} {taken:?}");
    let over = memory.once(0, "over", is_over).await;
    assert_eq!((over.cause, memory.calls().await.len()), (Some(EndCause::Completed), 1));
    // The recording of the host before comes home, too.
    memory.once(0, "the recording is there", |c| c.recordings.iter().any(|r| r.digest.is_some())).await;
    host.asterisk.close().await;
}

// Not on 16: it keeps an application whose socket is closed, so the one that waits does not see that it is free.
#[rstest]
#[case::twenty_two(Release::TwentyTwo)]
#[tokio::test]
async fn another_controller_is_noticed_and_not_fought(#[case] release: Release) {
    let Some(pbx) = exchange(release, &[], "another controller").await else { return };
    let (memory, others) = (Memory::new(), Memory::new());
    let host = Host::start(&memory, &pbx.http, &[]).await;
    let other = Host::start(&others, &pbx.http, &[]).await;
    host.is(LinkState::Replaced).await;
    // The other one keeps it: this host looked more than once and did not take it back.
    assert_eq!(*other.control.state().borrow(), LinkState::Live);
    other.asterisk.close().await;
    host.is(LinkState::Live).await;
    host.asterisk.close().await;
}

#[tokio::test]
async fn a_password_that_is_not_right_is_said() {
    let Some(pbx) = exchange(Release::Sixteen, &[], "a wrong password").await else { return };
    let memory = Memory::new();
    let host = Host::begin(&memory, &pbx.http, &[], "not-the-password");
    host.is(LinkState::Refused).await;
    host.asterisk.close().await;
}

/// An order, again until it is no longer too early for it.
async fn until_done<F: Future<Output = Result<(), ControlError>>>(
    order: impl Fn() -> F,
) -> Result<(), ControlError> {
    let deadline = Instant::now() + crate::controller::LIMIT;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        match order().await {
            Err(ControlError::WrongState(_) | ControlError::Refused(_)) if Instant::now() < deadline => {}
            done => return done,
        }
    }
}

async fn until_true(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + crate::controller::LIMIT;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while !is() {
        ticks.tick().await;
        assert!(Instant::now() < deadline, "{what}");
    }
}
