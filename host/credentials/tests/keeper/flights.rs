//! One renewal at a time: among callers, and among nodes.

use std::time::Duration;

use futures_util::future::join_all;
use ramal_credentials::KeeperError;

use crate::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_that_ask_at_once_wait_for_one_renewal() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(Mood::Holds);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let keeper = keeper.clone();
            tokio::spawn(async move { token(&keeper).await.unwrap() })
        })
        .collect();
    world.server.holding.notified().await;
    world.server.set(Mood::Good);
    world.server.go_on.notify_one();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "canary-access-2");
    }
    assert_eq!(world.server.count(), 2, "the code and one renewal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_with_one_refused_token_wait_for_one_renewal() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(Duration::from_secs(60));
    let refused = keeper.secret(&key()).await.unwrap();
    let all = (0..50).map(|_| async { keeper.refused(&key(), &refused).await });
    assert!(join_all(all).await.into_iter().all(|another| another));
    assert_eq!(world.server.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_over_one_store_renew_once_and_both_get_the_token() {
    let world = World::new().await;
    let one = world.connected().await;
    let two = world.node_over(world.second_store().await);
    assert_eq!(token(&two).await.unwrap(), "canary-access-1");
    world.clock.advance(HOUR);
    world.server.set(Mood::Holds);
    let ask = |keeper: &ramal_credentials::Keeper| {
        let keeper = keeper.clone();
        tokio::spawn(async move { join_all((0..20).map(|_| token(&keeper))).await })
    };
    let (first, second) = (ask(&one), ask(&two));
    world.server.holding.notified().await;
    world.server.set(Mood::Good);
    world.server.go_on.notify_one();
    for token in first.await.unwrap().into_iter().chain(second.await.unwrap()) {
        assert_eq!(token.unwrap(), "canary-access-2");
    }
    assert_eq!(world.server.count(), 2);
}

#[tokio::test]
async fn a_node_that_died_while_it_renewed_holds_the_others_up_no_longer_than_its_lease() {
    let world = World::new().await;
    let one = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(Mood::Holds);
    let asking = tokio::spawn({
        let one = one.clone();
        async move { token(&one).await }
    });
    world.server.holding.notified().await;
    asking.abort();
    // The first node holds its lease and never comes back.
    let two = world.node_over(world.second_store().await);
    world.server.set(Mood::Good);
    let early = tokio::time::timeout(Duration::from_millis(300), token(&two)).await;
    assert!(early.is_err(), "while the lease lasts the second one waits");
    assert_eq!(world.server.count(), 2);
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(token(&two).await.unwrap(), "canary-access-2");
}

#[tokio::test]
async fn who_waits_for_another_node_in_vain_is_told_so() {
    let world = World::new().await;
    let one = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(Mood::Holds);
    let asking = tokio::spawn(async move { token(&one).await });
    world.server.holding.notified().await;
    let two = world.node_with(world.second_store().await, Duration::from_millis(200));
    let error = token(&two).await.unwrap_err();
    assert!(matches!(error, KeeperError::Later { .. }), "{error}");
    insta::assert_snapshot!(
        error,
        @"the credential acme/crm/api cannot be renewed now: another node is renewing it and has not finished"
    );
    asking.abort();
}

#[tokio::test]
async fn a_caller_whose_time_is_up_does_not_take_the_new_token_with_it() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(Mood::Holds);
    let caller = tokio::spawn({
        let keeper = keeper.clone();
        async move { token(&keeper).await }
    });
    world.server.holding.notified().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    world.server.set(Mood::Good);
    world.server.go_on.notify_one();
    keeper.close().await;
    // Another process finds what the dropped call brought.
    assert_eq!(token(&world.node()).await.unwrap(), "canary-access-2");
    assert_eq!(world.server.count(), 2);
}
