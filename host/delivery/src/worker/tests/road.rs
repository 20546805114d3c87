//! What becomes of deliveries: order, retries, dead letters, pauses, circuits, budgets.

use std::time::Duration;

use jiff::SignedDuration;
use ramal_store::{
    Actor, Cause, Channel, DeliveryState, InteractionDirection, InteractionEvent, InteractionId,
    InteractionStore, InteractionWrite, JournalResult, NewEvent, OutboxStore, SourceId, Started,
};
use uuid::Uuid;

use super::crm::Answer;
use super::{World, about, delivery, noon, parts, target, tenant};
use crate::{Class, Courier as _, Rate, Worker, WorkerSettings};

fn minutes(minutes: i64) -> jiff::Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

/// Where days go by, a look every half minute would be many.
fn seldom() -> WorkerSettings {
    WorkerSettings { tick: Duration::from_secs(3600), ..WorkerSettings::default() }
}

#[tokio::test]
async fn a_lane_is_delivered_in_its_order_and_one_by_one() {
    let mut world = World::new().await;
    world.crm.answers("ana", [Answer::Fails, Answer::Fails]);
    world.enqueue(&[delivery("ana", "1"), delivery("ana", "2"), delivery("ana", "3")]).await;
    world.work().await;
    assert_eq!(world.crm.steps(), ["1"], "the second waits for the first");
    world.work_until(minutes(5)).await;
    assert_eq!(world.crm.steps(), ["1", "1", "1", "2", "3"]);
    assert_eq!(world.crm.made(), ["1", "2", "3"]);
    assert_eq!(world.backlog().await.open, 0);
}

#[tokio::test]
async fn a_poisoned_lane_holds_nobody_else() {
    let mut world = World::new().await;
    // One that fails for ever, one that the CRM refuses, one whose delivery is a defect.
    world.crm.always("poison", Some(Answer::Fails));
    world.crm.answers("refused", [Answer::Refuses]);
    world.crm.answers("defect", [Answer::Panics]);
    let lanes = ["poison", "refused", "defect", "ana", "bia", "caio"];
    for step in ["1", "2"] {
        world.enqueue(&lanes.map(|lane| delivery(lane, &format!("{step} {lane}")))).await;
    }
    world.work().await;
    let mut made = world.crm.made();
    made.sort();
    assert_eq!(made, ["1 ana", "1 bia", "1 caio", "2 ana", "2 bia", "2 caio", "2 refused"]);
    // The defect is tried again when its lease has ended.
    world.work_until(minutes(2)).await;
    assert!(world.crm.made().contains(&"2 defect".to_owned()));
}

#[tokio::test]
async fn every_try_carries_the_same_key_and_a_lying_answer_makes_no_second_record() {
    let mut world = World::new().await;
    world.crm.answers("ana", [Answer::DoneButFails, Answer::DoneButFails]);
    world.enqueue(&[delivery("ana", "1")]).await;
    world.work_until(minutes(5)).await;
    let tries = world.crm.tries.lock().clone();
    assert_eq!(tries.iter().map(|t| t.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(tries.iter().all(|t| t.key == tries[0].key));
    assert_eq!(world.crm.made(), ["1"]);
}

#[tokio::test]
async fn a_step_that_was_enqueued_before_is_not_enqueued_again() {
    let mut world = World::new().await;
    world.enqueue(&[delivery("ana", "1")]).await;
    world.work().await;
    assert_eq!(world.store.enqueue(&tenant(), &[delivery("ana", "1")]).await.unwrap(), 0);
    world.worker.look_at(&tenant());
    world.work().await;
    assert_eq!(world.crm.steps(), ["1"]);
}

#[tokio::test]
async fn after_a_day_of_failures_it_is_given_up_and_the_next_goes() {
    let mut world = World::new().await;
    world.crm.always("ana", Some(Answer::Fails));
    world.enqueue(&[delivery("ana", "1"), delivery("ana", "2")]).await;
    world.work_until(minutes(24 * 60 - 1)).await;
    assert_eq!(world.backlog().await.dead, 0);
    // The last try and the next delivery may have to wait for the circuit.
    world.work_until(minutes(24 * 60 + 30)).await;
    assert_eq!(
        world.states().await,
        [("1".to_owned(), DeliveryState::Dead), ("2".to_owned(), DeliveryState::Open)]
    );
    assert!(world.crm.steps().contains(&"2".to_owned()));
}

#[tokio::test]
async fn what_this_host_holds_back_keeps_nobody_from_the_account_and_costs_no_try() {
    let mut world = World::new().await;
    world.crm.answers("ana", [Answer::HeldBack(700)]);
    world.enqueue(&[delivery("ana", "1")]).await;
    world.work().await;
    let upstreams = &world.worker.shared.parts.upstreams;
    let road = world.crm.road(&tenant(), &target()).unwrap();
    assert!(upstreams.enter(&road.upstream, road.rate, Class::Interactive, world.clock.now()).is_ok());
    world.work_until(minutes(11)).await;
    assert_eq!(world.crm.steps(), ["1"], "it waits as long as it was told to");
    world.work_until(minutes(12)).await;
    let numbers: Vec<u32> = world.crm.tries.lock().iter().map(|t| t.number).collect();
    assert_eq!((numbers.as_slice(), world.crm.made().len()), ([1, 1].as_slice(), 1));
}

#[tokio::test]
async fn what_was_given_up_is_delivered_after_a_replay() {
    let mut world = World::new().await;
    for lane in ["ana", "bia", "caio"] {
        world.crm.answers(lane, [Answer::Refuses]);
        world.enqueue(&[delivery(lane, lane)]).await;
    }
    world.work().await;
    assert_eq!((world.backlog().await.dead, world.crm.made().len()), (3, 0));

    let dead = world.store.deliveries(&tenant(), &Default::default(), None, 1).await.unwrap().remove(0);
    let now = world.clock.now();
    assert!(world.store.replay(&tenant(), dead.id, now).await.unwrap());
    assert!(!world.store.replay(&tenant(), dead.id, now).await.unwrap(), "it is open already");
    world.worker.look_at(&tenant());
    world.work().await;
    assert_eq!(world.crm.made(), std::slice::from_ref(&dead.step.0));

    assert_eq!(world.store.replay_all(&tenant(), &target(), now).await.unwrap(), 2);
    world.worker.look_at(&tenant());
    world.work().await;
    assert_eq!((world.backlog().await.dead, world.crm.made().len()), (0, 3));
    // The tries before and after had one key each.
    let mut keys: Vec<Uuid> = world.crm.tries.lock().iter().map(|t| t.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[rstest::rstest]
#[case::credential(Answer::Expired, "auth-expired")]
#[case::grant(Answer::Denied, "denied")]
#[tokio::test]
async fn what_a_person_must_mend_pauses_the_target_and_costs_no_day(
    #[case] answer: Answer,
    #[case] code: &str,
) {
    let mut world = World::with(seldom()).await;
    *world.crm.at_once.lock() = 1;
    world.crm.always("ana", Some(answer));
    world.enqueue(&[delivery("ana", "1"), delivery("bia", "2")]).await;
    world.work_until(minutes(3 * 24 * 60)).await;
    assert_eq!(world.crm.tries.lock().len(), 1, "a paused target is not tried");
    let paused = world.backlog().await;
    assert_eq!((paused.open, paused.dead, paused.paused.unwrap().reason.code.as_str()), (2, 0, code));

    // Three days later the first try fails for another reason: it has its whole day still.
    world.crm.always("ana", None);
    world.crm.answers("ana", [Answer::Fails]);
    assert!(world.store.resume(&tenant(), &target(), world.clock.now()).await.unwrap());
    world.worker.look_at(&tenant());
    let end = world.clock.now() + SignedDuration::from_mins(1);
    world.work_until(end).await;
    assert_eq!((world.backlog().await.open, world.crm.made().len()), (0, 2));
}

#[tokio::test]
async fn a_plugin_that_is_not_connected_loses_no_try() {
    let mut world = World::with(seldom()).await;
    *world.crm.connected.lock() = false;
    world.enqueue(&[delivery("ana", "1")]).await;
    world.work_until(minutes(3 * 24 * 60)).await;
    assert!(world.crm.tries.lock().is_empty());
    *world.crm.connected.lock() = true;
    let end = world.clock.now() + SignedDuration::from_hours(2);
    world.work_until(end).await;
    assert_eq!((world.crm.tries.lock()[0].number, world.crm.made().len()), (1, 1));
}

#[tokio::test]
async fn an_outage_does_not_burn_the_tries_of_what_waits() {
    let mut world = World::new().await;
    *world.crm.at_once.lock() = 4;
    let lanes: Vec<String> = (0..200).map(|n| format!("lane-{n:03}")).collect();
    for lane in &lanes {
        world.crm.always(lane, Some(Answer::Fails));
    }
    let all: Vec<_> = lanes.iter().map(|lane| delivery(lane, lane)).collect();
    world.enqueue(&all).await;
    world.work_until(minutes(60)).await;
    // A few until the circuit opened, then one probe every five minutes at most.
    let tries = world.crm.tries.lock().len();
    assert!((5..40).contains(&tries), "{tries} tries in an hour of outage");
    for lane in &lanes {
        world.crm.always(lane, None);
    }
    world.work_until(minutes(70)).await;
    assert_eq!((world.crm.made().len(), world.backlog().await.open), (200, 0));
}

#[tokio::test]
async fn an_account_that_asks_to_wait_is_left_alone_by_every_lane() {
    let mut world = World::new().await;
    *world.crm.at_once.lock() = 1;
    world.crm.answers("ana", [Answer::Limited(Some(300))]);
    world.enqueue(&[delivery("ana", "1"), delivery("bia", "2"), delivery("caio", "3")]).await;
    world.work_until(noon() + SignedDuration::from_secs(299)).await;
    assert_eq!(world.crm.tries.lock().len(), 1);
    world.work_until(minutes(6)).await;
    assert_eq!(world.crm.made().len(), 3);
}

#[tokio::test]
async fn deliveries_go_no_faster_than_the_account_takes() {
    let mut world = World::new().await;
    *world.crm.rate.lock() = Rate { every: Duration::from_secs(1), burst: 5, kept: 2 };
    let all: Vec<_> = (0..20).map(|n| delivery(&format!("lane-{n}"), &n.to_string())).collect();
    world.enqueue(&all).await;
    world.work().await;
    assert_eq!(world.crm.made().len(), 3, "the burst without what is kept for people");
    world.work_until(noon() + SignedDuration::from_secs(10)).await;
    assert_eq!(world.crm.made().len(), 13);
    world.work_until(minutes(1)).await;
    assert_eq!(world.crm.made().len(), 20);
}

#[tokio::test]
async fn what_a_dead_worker_held_is_delivered_by_another() {
    let mut world = World::new().await;
    let never = std::sync::Arc::new(tokio::sync::Notify::new());
    world.crm.answers("ana", [Answer::Holds(never)]);
    world.enqueue(&[delivery("ana", "1"), delivery("ana", "2")]).await;
    world.worker.round().await;
    world.crm.called(1).await;
    // The worker dies in the middle of the call.
    world.worker = Worker::new(parts(&world.store, &world.crm, &world.clock), [tenant()]);
    world.work_until(noon() + SignedDuration::from_secs(59)).await;
    assert!(world.crm.made().is_empty(), "the lease still holds");
    world.work_until(minutes(2)).await;
    assert_eq!(world.crm.made(), ["1", "2"]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_nothing_back() {
    let mut world = World::new().await;
    world.crm.answers("ana", [Answer::Fails]);
    world.enqueue(&[delivery("ana", "1"), delivery("ana", "2")]).await;
    world.work().await;
    assert!(world.crm.made().is_empty());
    world.clock.back(SignedDuration::from_hours(1));
    let soon = world.clock.now() + SignedDuration::from_secs(90);
    world.work_until(soon).await;
    assert_eq!(world.crm.made(), ["1", "2"]);
}

#[tokio::test]
async fn a_clock_that_was_set_back_between_two_processes_holds_nothing_back() {
    let mut world = World::new().await;
    let never = std::sync::Arc::new(tokio::sync::Notify::new());
    world.crm.answers("ana", [Answer::Holds(never)]);
    world.enqueue(&[delivery("ana", "1")]).await;
    world.worker.round().await;
    world.crm.called(1).await;
    world.clock.back(SignedDuration::from_hours(48));
    world.worker = Worker::new(parts(&world.store, &world.crm, &world.clock), [tenant()]);
    let soon = world.clock.now() + SignedDuration::from_secs(90);
    world.work_until(soon).await;
    assert_eq!(world.crm.made(), ["1"]);
}

#[tokio::test]
async fn two_tries_of_one_key_never_run_side_by_side() {
    let mut world = World::new().await;
    let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
    world.crm.answers("ana", [Answer::Holds(go_on.clone())]);
    world.enqueue(&[delivery("ana", "1")]).await;
    world.worker.round().await;
    world.crm.called(1).await;
    // The lease runs out under the call, and the lane is leased again.
    world.clock.forward(SignedDuration::from_secs(120));
    world.worker.look_at(&tenant());
    world.worker.round().await;
    assert_eq!(world.worker.jobs.len(), 2);
    go_on.notify_one();
    world.worker.finish().await;
    assert_eq!((world.crm.tries.lock().len(), *world.crm.side_by_side.lock()), (2, 1));
    assert_eq!((world.crm.made().len(), world.backlog().await.open), (1, 0));
}

#[tokio::test]
async fn no_target_has_more_under_way_than_its_road_takes() {
    let mut world = World::new().await;
    let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
    *world.crm.at_once.lock() = 2;
    for lane in ["a", "b", "c"] {
        world.crm.answers(lane, [Answer::Holds(go_on.clone())]);
    }
    world.enqueue(&["a", "b", "c"].map(|lane| delivery(lane, lane))).await;
    world.worker.round().await;
    assert_eq!(world.worker.jobs.len(), 2);
    // Each that ends makes room for the next.
    world.crm.called(2).await;
    go_on.notify_one();
    world.work_one().await;
    world.crm.called(3).await;
}

#[tokio::test]
async fn a_later_step_knows_the_record_of_the_first() {
    let mut world = World::new().await;
    let interaction = Some(InteractionId(Uuid::from_u128(7)));
    for step in ["journal", "amend:1", "journal:2026-11-24", "amend:2026-11-24:2"] {
        world.enqueue(&[about(interaction, "ana", step)]).await;
    }
    world.work().await;
    let known: Vec<_> =
        world.crm.tries.lock().iter().map(|t| t.record.clone().map(|record| record.id)).collect();
    let known: Vec<_> = known.iter().map(Option::as_deref).collect();
    assert_eq!(known, [None, Some("n-1"), None, Some("n-3")]);
}

/// A call that begins.
fn begun(id: InteractionId) -> InteractionWrite {
    let started = Started {
        source: SourceId::new("pbx").unwrap(),
        reference: None,
        channel: Channel::Fixed,
        direction: InteractionDirection::Inbound,
        from: None,
        to: None,
        contacts: Vec::new(),
        queue: None,
        asked: Vec::new(),
        protocol: None,
    };
    let event = NewEvent {
        at: noon(),
        actor: Actor::System,
        cause: Cause::Rule("test".to_owned()),
        event: InteractionEvent::Started(Box::new(started)),
    };
    InteractionWrite::begin(&tenant(), id, vec![event], noon()).unwrap()
}

#[tokio::test]
async fn an_interactions_history_says_what_became_of_its_deliveries() {
    let mut world = World::new().await;
    let id = InteractionId(Uuid::now_v7());
    let mut write = begun(id);
    write.outbox = vec![about(Some(id), "ana", "journal"), about(Some(id), "bia", "amend:1")];
    world.store.append(write).await.unwrap();
    world.crm.answers("ana", [Answer::Fails]);
    world.crm.answers("bia", [Answer::Refuses]);
    world.work_until(minutes(1)).await;

    let interaction = world.store.interaction(&tenant(), id).await.unwrap().unwrap().interaction;
    let mut told: Vec<_> = interaction.journal.iter().map(|j| (j.step.as_str(), j.result)).collect();
    told.sort();
    assert_eq!(told, [("amend:1", JournalResult::Dead), ("journal", JournalResult::Written)]);
    // Begun, written, dead: the try between is the outbox's own business, and so is the CRM's record.
    assert_eq!((interaction.seq, interaction.links.len()), (3, 0));
    let record = world.store.crm_record(&tenant(), &target(), id, "").await.unwrap();
    assert_eq!(record.unwrap().id, "n-1");
}

#[tokio::test]
async fn an_older_account_that_is_replayed_is_not_written_over_a_newer_one() {
    let mut world = World::new().await;
    let id = InteractionId(Uuid::now_v7());
    let mut write = begun(id);
    write.outbox = ["journal", "amend:5", "amend:6"].map(|step| about(Some(id), "ana", step)).into();
    world.store.append(write).await.unwrap();
    world.crm.answers("ana", [Answer::Done, Answer::Refuses, Answer::Done]);
    world.work_until(minutes(1)).await;
    assert_eq!(world.crm.steps(), ["journal", "amend:5", "amend:6"]);
    assert_eq!(world.backlog().await.dead, 1);

    assert_eq!(world.store.replay_all(&tenant(), &target(), world.clock.now()).await.unwrap(), 1);
    world.worker.look_at(&tenant());
    world.work_until(minutes(2)).await;
    assert_eq!(world.crm.steps(), ["journal", "amend:5", "amend:6"], "the CRM hears nothing of it");
    let backlog = world.backlog().await;
    assert_eq!((backlog.open, backlog.dead), (0, 0));
    let all = world.store.deliveries(&tenant(), &Default::default(), None, 9).await.unwrap();
    let replayed = all.into_iter().find(|d| d.step.0 == "amend:5").unwrap();
    assert_eq!(replayed.state, DeliveryState::Done);
    let failure = replayed.failure.unwrap();
    assert_eq!(failure.code, "superseded");
    assert!(failure.text.contains("`amend:6` was delivered"), "{}", failure.text);
    let interaction = world.store.interaction(&tenant(), id).await.unwrap().unwrap().interaction;
    assert!(
        interaction.journal.iter().all(|j| j.result == JournalResult::Written),
        "nothing is dead any more"
    );
}
