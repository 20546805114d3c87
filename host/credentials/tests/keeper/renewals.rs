//! When a token is renewed, with what, and what comes of a refusal.

use rstest::rstest;

use crate::world::*;
use ramal_credentials::{CredentialState, KeeperError, Reason, Trouble};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn a_token_is_used_as_long_as_it_is_good() {
    let world = World::new().await;
    let keeper = world.connected().await;
    for _ in 0..3 {
        assert_eq!(token(&keeper).await.unwrap(), "canary-access-1");
        world.clock.advance(Duration::from_secs(600));
    }
    assert_eq!(world.server.count(), 1, "the code, and nothing else");
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed_before_it_is_handed_out() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    world.clock.advance(HOUR);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-3");
    let asked = world.server.asked.lock().clone();
    assert_eq!(asked[1]["refresh_token"], "canary-refresh-1");
    assert_eq!(asked[2]["refresh_token"], "canary-refresh-2");
    assert_eq!(asked[2]["client_id"], "client-7");
}

#[tokio::test]
async fn a_token_that_ends_soon_is_handed_out_while_the_next_one_is_fetched() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.server.set(Mood::Holds);
    world.clock.advance(HOUR - Duration::from_secs(60));
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-1", "nobody waits");
    world.server.holding.notified().await;
    assert_eq!(keeper.state(&key()).await.unwrap().as_str(), "refreshing");
    world.server.set(Mood::Good);
    world.server.go_on.notify_one();
    keeper.close().await;
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    assert_eq!(world.server.count(), 2);
}

#[tokio::test]
async fn what_nobody_uses_is_renewed_ahead_all_the_same() {
    let world = World::new().await;
    let keeper = world.connected().await;
    keeper.tend().await;
    assert_eq!(world.server.count(), 1);
    world.clock.advance(HOUR - Duration::from_secs(200));
    keeper.tend().await;
    assert_eq!((world.server.count(), token(&keeper).await.unwrap().as_str()), (2, "canary-access-2"));
}

#[tokio::test]
async fn a_client_asks_for_itself_when_its_token_has_ended() {
    let world = World::new().await;
    let keeper = world.node();
    keeper.declare_one(key(), Some(client_plan()));
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-1");
    world.clock.advance(HOUR);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    assert_eq!(world.server.asked.lock()[1]["scope"], "contacts.read");
}

#[tokio::test]
async fn a_wrong_client_secret_waits_for_a_person_and_a_new_one_mends_it() {
    let world = World::new().await;
    let keeper = world.node();
    keeper.declare_one(key(), Some(client_plan()));
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "wrong")])).await.unwrap();
    for _ in 0..3 {
        let error = token(&keeper).await.unwrap_err();
        assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::ClientRefused, .. }), "{error}");
    }
    assert_eq!(world.server.count(), 1, "a wrong secret that is repeated locks the client");
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-1");
}

#[tokio::test]
async fn a_consent_that_was_taken_back_waits_for_a_person_and_goes_on_when_connected_again() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.server.revoke();
    world.clock.advance(HOUR);
    for _ in 0..3 {
        let error = token(&keeper).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the credential acme/crm/api waits for a person: the server no longer takes the consent; connect the account again"
        );
    }
    assert_eq!(world.server.count(), 2);
    let state = keeper.state(&key()).await.unwrap();
    assert!(matches!(state, CredentialState::NeedsReconnect { reason: Reason::GrantRefused, .. }), "{state}");
    assert!(state.waits_for_person());
    connect(&keeper).await;
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    assert_eq!(
        *world.heard.states.lock(),
        ["needs-reconnect", "valid", "refreshing", "needs-reconnect", "valid"]
    );
}

#[rstest]
#[case::unreachable(Mood::Unreachable, Trouble::Unreachable)]
#[case::server_error(Mood::Says(400, r#"{"error":"temporarily_unavailable"}"#), Trouble::Busy)]
#[case::no_token(Mood::Says(200, "{}"), Trouble::BadAnswer)]
#[case::asks_to_wait(Mood::Busy(2), Trouble::Busy)]
#[tokio::test]
async fn a_failure_that_time_mends_is_not_repeated_at_once_and_then_mends(
    #[case] mood: Mood,
    #[case] expected: Trouble,
) {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(mood);
    let first = token(&keeper).await.unwrap_err();
    assert!(matches!(first, KeeperError::Later { why, retry_at: Some(_), .. } if why == expected), "{first}");
    let count = world.server.count();
    assert!(matches!(token(&keeper).await.unwrap_err(), KeeperError::Later { .. }));
    assert_eq!(world.server.count(), count, "it rests");
    world.server.set(Mood::Good);
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    assert_eq!(keeper.state(&key()).await.unwrap().as_str(), "valid");
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_obeyed() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    world.server.set(Mood::Busy(120));
    token(&keeper).await.unwrap_err();
    world.server.set(Mood::Good);
    world.clock.advance(Duration::from_secs(119));
    token(&keeper).await.unwrap_err();
    assert_eq!(world.server.count(), 2);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
}

#[tokio::test]
async fn a_failed_renewal_ahead_of_time_leaves_the_good_token_in_use() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.server.set(Mood::Unreachable);
    world.clock.advance(HOUR - Duration::from_secs(60));
    for _ in 0..3 {
        assert_eq!(token(&keeper).await.unwrap(), "canary-access-1");
        keeper.close().await;
    }
}

#[tokio::test]
async fn a_token_that_the_crm_refuses_is_renewed_once() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(Duration::from_secs(60));
    let refused = keeper.secret(&key()).await.unwrap();
    assert!(keeper.refused(&key(), &refused).await);
    let next = keeper.secret(&key()).await.unwrap();
    assert_eq!((token_of(&next).as_str(), world.server.count()), ("canary-access-2", 2));
    assert!(keeper.refused(&key(), &refused).await, "there is another one than that already");
    assert!(!keeper.refused(&key(), &next).await, "one that is refused at once is not renewed for ever");
    assert_eq!(world.server.count(), 2);
}

#[tokio::test]
async fn a_stored_key_cannot_be_renewed_and_is_handed_out_as_it_was_entered() {
    let world = World::new().await;
    let keeper = world.node();
    keeper.declare_one(key(), None);
    keeper.set(&key(), entered(&[("user", "panel"), ("password", "canary-password")])).await.unwrap();
    let secret = keeper.secret(&key()).await.unwrap();
    assert_eq!(secret.fields()["password"].expose(), "canary-password");
    assert!(!keeper.refused(&key(), &secret).await);
}

#[tokio::test]
async fn a_server_that_does_not_rotate_keeps_its_refresh_token() {
    let world = World::new().await;
    world.server.rotates.store(false, Ordering::SeqCst);
    let keeper = world.connected().await;
    for number in 2..5 {
        world.clock.advance(HOUR);
        assert_eq!(token(&keeper).await.unwrap(), format!("canary-access-{number}"));
    }
}

#[tokio::test]
async fn a_secret_that_is_not_whole_says_so_and_sends_nothing() {
    let world = World::new().await;
    let keeper = world.node();
    keeper.declare_one(key(), Some(client_plan()));
    keeper.set(&key(), entered(&[("client_id", "client-7")])).await.unwrap();
    let error = token(&keeper).await.unwrap_err();
    assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::SecretIncomplete, .. }), "{error}");
    assert_eq!(world.server.count(), 0);
}
