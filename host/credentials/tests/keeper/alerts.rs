//! A person is told before a dead end, once, and again when the trouble comes back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use ramal_credentials::{Alert, Clock, Entered, Expiring, Reason};

use crate::world::*;

#[tokio::test]
async fn the_end_of_a_refresh_token_is_told_a_week_before_and_once() {
    let world = World::new().await;
    world.server.rotates.store(false, Ordering::SeqCst);
    world.server.refresh_lifetime.store(30 * DAY.as_secs(), Ordering::SeqCst);
    let keeper = world.connected().await;
    let at = world.clock.now().checked_add(30 * DAY).unwrap();
    world.clock.advance(22 * DAY);
    keeper.tend().await;
    assert_eq!(*world.heard.alerts.lock(), []);
    world.clock.advance(DAY);
    for _ in 0..3 {
        keeper.tend().await;
        world.clock.advance(HOUR);
    }
    let soon = Alert::ExpiresSoon { what: Expiring::RefreshToken, at };
    assert_eq!(*world.heard.alerts.lock(), std::slice::from_ref(&soon));
    world.clock.advance(7 * DAY);
    keeper.tend().await;
    assert_eq!(*world.heard.alerts.lock(), [soon, Alert::NeedsReconnect { reason: Reason::RefreshExpired }]);
    let count = world.server.count();
    assert!(token(&keeper).await.is_err());
    assert_eq!(world.server.count(), count, "a token whose end is known is not sent");
}

#[tokio::test]
async fn the_end_of_a_stored_key_is_told_before() {
    let world = World::new().await;
    let keeper = world.node();
    keeper.declare_one(key(), None);
    let until: Timestamp = world.clock.now().checked_add(6 * DAY).unwrap();
    let mut secret: Entered = entered(&[("token", "canary")]);
    secret.until = Some(until);
    keeper.set(&key(), secret).await.unwrap();
    assert_eq!(*world.heard.alerts.lock(), [Alert::ExpiresSoon { what: Expiring::Secret, at: until }]);
    world.clock.advance(7 * DAY);
    assert_eq!(token(&keeper).await.unwrap(), "canary", "whether it has ended the CRM decides");
}

#[tokio::test]
async fn failures_are_told_from_the_third_on_and_once() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.server.set(Mood::Unreachable);
    world.clock.advance(HOUR);
    let since = world.clock.now();
    for failures in 1..=5 {
        token(&keeper).await.unwrap_err();
        let told = world.heard.alerts.lock().clone();
        match failures {
            1 | 2 => assert_eq!(told, []),
            _ => assert_eq!(told, [Alert::Failing { failures: 3, since }]),
        }
        world.clock.advance(Duration::from_secs(300));
    }
    world.server.set(Mood::Good);
    token(&keeper).await.unwrap();
    world.server.set(Mood::Unreachable);
    world.clock.advance(HOUR);
    for _ in 0..3 {
        token(&keeper).await.unwrap_err();
        world.clock.advance(Duration::from_secs(300));
    }
    assert_eq!(world.heard.alerts.lock().len(), 2, "told again when it came back");
}
