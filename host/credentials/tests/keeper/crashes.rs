//! The process is killed between any two steps, the store fails at any write, answers are lost: a rotated token is
//! never lost where the server allows it, and where it does not, a person is told the truth.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ramal_credentials::{Alert, CredentialState, KeeperError, Reason, Trouble};
use rstest::rstest;

use crate::world::*;

/// Runs a renewal in a process that is killed around its `write`th write, and gives what a new process then has.
async fn killed(before: bool, write: usize, forgives: bool) -> (World, Result<String, KeeperError>) {
    let world = World::new().await;
    world.connected().await;
    world.server.forgives.store(forgives, Ordering::SeqCst);
    world.clock.advance(HOUR);
    let dying = world.second_store().await;
    let stop = if before { &dying.stop_before } else { &dying.stop_after };
    stop.store(write, Ordering::SeqCst);
    let keeper = world.node_over(Arc::clone(&dying));
    let caller = tokio::spawn(async move { token(&keeper).await });
    dying.stopped.notified().await;
    // The task that renews hangs for ever in the store: the process is as good as dead. Its lease runs out.
    caller.abort();
    world.clock.advance(Duration::from_secs(61));
    let reborn = world.node();
    let got = token(&reborn).await;
    (world, got)
}

#[rstest]
#[case::before_it_is_noted_that_a_request_goes(true, 0, 1)]
#[case::after_that_before_the_request(false, 0, 1)]
#[tokio::test]
async fn killed_before_the_request_nothing_happened(
    #[case] before: bool,
    #[case] write: usize,
    #[case] requests_before: usize,
) {
    let (world, got) = killed(before, write, false).await;
    assert_eq!(got.unwrap(), "canary-access-2");
    assert_eq!(world.server.count(), requests_before + 1);
}

#[tokio::test]
async fn killed_between_answer_and_store_a_forgiving_server_gives_another() {
    let (_world, got) = killed(true, 1, true).await;
    assert_eq!(got.unwrap(), "canary-access-3", "2 was answered and died with the process");
}

#[tokio::test]
async fn killed_between_answer_and_store_a_strict_server_ends_it_and_the_person_learns_why() {
    let (world, got) = killed(true, 1, false).await;
    let error = got.unwrap_err();
    assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::AnswerLost, .. }), "{error}");
    let told = [Alert::InDoubt, Alert::NeedsReconnect { reason: Reason::AnswerLost }];
    assert_eq!(*world.heard.alerts.lock(), told);
}

#[tokio::test]
async fn killed_after_the_store_the_next_process_has_the_new_token() {
    let (world, got) = killed(false, 1, false).await;
    assert_eq!((got.unwrap().as_str(), world.server.count()), ("canary-access-2", 2));
    world.clock.advance(HOUR);
    assert_eq!(token(&world.node()).await.unwrap(), "canary-access-3", "and its refresh token");
}

#[tokio::test]
async fn a_new_token_that_cannot_be_stored_is_kept_and_given_to_nobody_until_it_is() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    let writes = world.store.writes.load(Ordering::SeqCst);
    // After the note that a request goes, the disk is full for longer than the tries.
    world.store.fail_from.store(writes + 1, Ordering::SeqCst);
    world.store.fail_to.store(writes + 9, Ordering::SeqCst);
    let error = token(&keeper).await.unwrap_err();
    assert!(matches!(error, KeeperError::Later { why: Trouble::NotStored, .. }), "{error}");
    assert_eq!(world.server.count(), 2);
    // There is room again during the next tries: stored without another request.
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    assert_eq!(world.server.count(), 2);
    assert_eq!(token(&world.node()).await.unwrap(), "canary-access-2", "in another process too");
}

#[tokio::test]
async fn a_new_token_that_could_not_be_stored_is_stored_by_the_care_and_at_the_end() {
    for at_the_end in [false, true] {
        let world = World::new().await;
        let keeper = world.connected().await;
        world.clock.advance(HOUR);
        let writes = world.store.writes.load(Ordering::SeqCst);
        world.store.fail_from.store(writes + 1, Ordering::SeqCst);
        world.store.fail_to.store(writes + 6, Ordering::SeqCst);
        token(&keeper).await.unwrap_err();
        if at_the_end {
            keeper.close().await
        } else {
            keeper.tend().await
        }
        assert_eq!(token(&world.node()).await.unwrap(), "canary-access-2");
        assert_eq!(world.server.count(), 2);
    }
}

#[tokio::test]
async fn a_write_that_was_done_and_reported_as_failed_is_not_done_twice() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.store.done_anyway.store(true, Ordering::SeqCst);
    let writes = world.store.writes.load(Ordering::SeqCst);
    world.store.fail_from.store(writes + 1, Ordering::SeqCst);
    world.store.fail_to.store(writes + 2, Ordering::SeqCst);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    world.clock.advance(HOUR);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-3");
}

#[tokio::test]
async fn without_a_note_that_a_request_goes_none_goes() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.store.fail_next(1);
    assert!(matches!(token(&keeper).await.unwrap_err(), KeeperError::Store(_)));
    assert_eq!(world.server.count(), 1);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
}

#[rstest]
#[case::forgiving(true)]
#[case::strict(false)]
#[tokio::test]
async fn a_lost_answer_is_shown_as_in_doubt_and_tried_again_with_the_old_token(#[case] forgives: bool) {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.server.forgives.store(forgives, Ordering::SeqCst);
    world.clock.advance(HOUR);
    world.server.set(Mood::Lost);
    token(&keeper).await.unwrap_err();
    let state = keeper.state(&key()).await.unwrap();
    assert!(matches!(state, CredentialState::Refreshing { in_doubt: true, failures: 1, .. }), "{state:?}");
    assert_eq!(*world.heard.alerts.lock(), [Alert::InDoubt]);
    world.server.set(Mood::Good);
    world.clock.advance(Duration::from_secs(3));
    let got = token(&keeper).await;
    assert_eq!(world.server.asked.lock()[2]["refresh_token"], "canary-refresh-1");
    if forgives {
        assert_eq!(got.unwrap(), "canary-access-3");
        assert_eq!(keeper.state(&key()).await.unwrap().as_str(), "valid");
    } else {
        let error = got.unwrap_err();
        assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::AnswerLost, .. }), "{error}");
    }
}

#[tokio::test]
async fn what_never_reached_the_server_is_not_in_doubt() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(Mood::Unreachable);
    token(&keeper).await.unwrap_err();
    let state = keeper.state(&key()).await.unwrap();
    assert!(matches!(state, CredentialState::Refreshing { in_doubt: false, failures: 1, .. }), "{state:?}");
}

#[tokio::test]
async fn an_account_that_was_removed_or_connected_anew_during_a_renewal_stays_so() {
    for remove in [true, false] {
        let world = World::new().await;
        let keeper = world.connected().await;
        world.clock.advance(HOUR);
        world.server.set(Mood::Holds);
        let caller = tokio::spawn({
            let keeper = keeper.clone();
            async move { token(&keeper).await }
        });
        world.server.holding.notified().await;
        world.server.set(Mood::Good);
        let admin = world.node_over(world.second_store().await);
        if remove {
            assert!(admin.remove(&key()).await.unwrap());
        } else {
            connect(&admin).await;
        }
        world.server.go_on.notify_one();
        let got = caller.await.unwrap();
        if remove {
            assert!(matches!(got.unwrap_err(), KeeperError::Missing(_)));
            assert_eq!(keeper.state(&key()).await.unwrap(), CredentialState::Missing);
        } else {
            assert_eq!(got.unwrap(), "canary-access-2", "of the new consent, not of the old one's renewal");
        }
    }
}

#[tokio::test]
async fn a_secret_that_was_changed_during_a_renewal_and_the_new_token_are_both_kept() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(Mood::Holds);
    let caller = tokio::spawn({
        let keeper = keeper.clone();
        async move { token(&keeper).await }
    });
    world.server.holding.notified().await;
    world.server.set(Mood::Good);
    let admin = world.node_over(world.second_store().await);
    admin.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "newer")])).await.unwrap();
    world.server.go_on.notify_one();
    assert_eq!(caller.await.unwrap().unwrap(), "canary-access-2");
    world.clock.advance(HOUR);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-3");
    let asked = world.server.asked.lock().clone();
    assert_eq!(
        (asked[2]["client_secret"].as_str(), asked[2]["refresh_token"].as_str()),
        ("newer", "canary-refresh-2")
    );
}
