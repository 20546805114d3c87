//! The database in strange hands: rows moved, changed, put back, removed.

use std::time::Duration;

use ramal_credentials::{CredentialState, KeeperError};
use ramal_store::{CredentialRow, CredentialStore, Sealed};

use crate::world::*;

/// Writes a row as somebody with a database tool would.
async fn force(world: &World, row: &CredentialRow) {
    let now = world.store.inner.credential(&row.key).await.unwrap();
    let before = now.map_or(0, |now| now.revision);
    assert!(world.store.inner.put_credential(row, before).await.unwrap());
}

async fn row(world: &World) -> CredentialRow {
    world.store.inner.credential(&key()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_database_holds_no_word_of_a_secret() {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.clock.advance(HOUR);
    token(&keeper).await.unwrap();
    let mut checked = 0;
    for file in std::fs::read_dir(world.dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for word in ["canary", "s3cret", "client-7", "good-code"] {
            assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
        }
        checked += 1;
    }
    assert!(checked >= 2, "the database and the key file");
}

#[tokio::test]
async fn a_row_that_was_moved_to_another_tenant_gives_it_nothing() {
    let world = World::new().await;
    let keeper = world.connected().await;
    let theirs = key_of("other");
    keeper.declare_one(theirs.clone(), Some(code_plan()));
    keeper.set(&theirs, entered(&[("client_id", "client-8"), ("client_secret", "x")])).await.unwrap();
    let mut moved = row(&world).await;
    moved.key = theirs.clone();
    force(&world, &moved).await;
    let error = keeper.state(&theirs).await.unwrap_err();
    insta::assert_snapshot!(
        error,
        @"the credential other/crm/api cannot be opened: the wrapped key does not belong here; restore the row from a backup, or enter the secret again"
    );
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-1");
}

#[tokio::test]
async fn a_changed_row_opens_nowhere_and_a_person_can_mend_it() {
    let world = World::new().await;
    let keeper = world.connected().await;
    let mut bad = row(&world).await;
    bad.revision += 1;
    let Some(Sealed { bytes, .. }) = &mut bad.sealed else { panic!("no secret") };
    *bytes.last_mut().unwrap() ^= 1;
    force(&world, &bad).await;
    world.clock.advance(Duration::from_secs(10));
    assert!(matches!(token(&keeper).await.unwrap_err(), KeeperError::Sealed { .. }));
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
    connect(&keeper).await;
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
}

#[tokio::test]
async fn an_old_row_that_was_put_back_is_noticed_under_its_own_number_and_under_a_new_one() {
    let world = World::new().await;
    let keeper = world.connected().await;
    let old = row(&world).await;
    world.clock.advance(HOUR);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-2");
    let newest = row(&world).await.revision;
    force(&world, &old).await;
    world.clock.advance(Duration::from_secs(10));
    let error = token(&keeper).await.unwrap_err();
    assert!(
        matches!(error, KeeperError::RolledBack { seen, found, .. } if (seen, found) == (newest, old.revision)),
        "{error}"
    );
    assert_eq!(world.server.count(), 2, "the spent refresh token was not sent");
    let renamed = CredentialRow { revision: newest + 1, ..old };
    force(&world, &renamed).await;
    assert!(matches!(token(&keeper).await.unwrap_err(), KeeperError::Sealed { .. }));
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
    connect(&keeper).await;
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-3");
}

#[tokio::test]
async fn a_removed_secret_is_gone_and_its_return_is_no_old_row() {
    let world = World::new().await;
    let (keeper, other) = (world.connected().await, world.node_over(world.second_store().await));
    token(&other).await.unwrap();
    assert!(keeper.remove(&key()).await.unwrap());
    assert!(!keeper.remove(&key()).await.unwrap());
    assert!(row(&world).await.sealed.is_none());
    world.clock.advance(Duration::from_secs(10));
    assert!(matches!(token(&other).await.unwrap_err(), KeeperError::Missing(_)));
    assert_eq!(keeper.state(&key()).await.unwrap(), CredentialState::Missing);
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
    connect(&keeper).await;
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(token(&other).await.unwrap(), "canary-access-2");
}

#[tokio::test]
async fn one_node_sees_what_an_admin_entered_at_another_after_a_moment() {
    let world = World::new().await;
    let (one, two) = (world.node(), world.node_over(world.second_store().await));
    for keeper in [&one, &two] {
        keeper.declare_one(key(), None);
    }
    one.set(&key(), entered(&[("token", "canary-1")])).await.unwrap();
    assert_eq!(token(&two).await.unwrap(), "canary-1");
    one.set(&key(), entered(&[("token", "canary-2")])).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(token(&two).await.unwrap(), "canary-2");
}

#[tokio::test]
async fn a_new_wrapping_key_wraps_every_row_anew_and_every_process_goes_on() {
    let world = World::new().await;
    let (keeper, running) = (world.connected().await, world.node_over(world.second_store().await));
    token(&running).await.unwrap();
    let before = row(&world).await;
    assert_eq!(keeper.rotate_key(&[key().tenant]).await.unwrap(), 1);
    let after = row(&world).await;
    let (old, new) = (before.sealed.unwrap(), after.sealed.unwrap());
    assert_eq!((before.revision, &old.bytes), (after.revision, &new.bytes), "the secret was not touched");
    assert_ne!((&old.key_id, &old.wrapped), (&new.key_id, &new.wrapped));
    world.clock.advance(HOUR);
    assert_eq!(token(&running).await.unwrap(), "canary-access-2");
    assert_eq!(token(&world.node()).await.unwrap(), "canary-access-2");
}

#[tokio::test]
async fn fields_that_are_none_are_refused() {
    let world = World::new().await;
    let keeper = world.node();
    let long = "x".repeat(64 * 1024 + 1);
    for fields in [&[][..], &[("", "x")], &[("a b", "x")], &[("token", long.as_str())]] {
        assert!(matches!(keeper.set(&key(), entered(fields)).await.unwrap_err(), KeeperError::Field));
    }
    assert_eq!(keeper.state(&key()).await.unwrap(), CredentialState::Missing);
}

#[tokio::test]
async fn a_list_shows_names_and_states_and_what_is_missing() {
    let world = World::new().await;
    let keeper = world.connected().await;
    let mut unused = key();
    unused.credential = "zz-other".parse().unwrap();
    keeper.declare_one(unused, None);
    let listed: Vec<String> = keeper
        .list(&key().tenant)
        .await
        .unwrap()
        .into_iter()
        .map(|one| format!("{} [{}] {}", one.key, one.fields.join(","), one.state.unwrap().as_str()))
        .collect();
    assert_eq!(listed, ["acme/crm/api [client_id,client_secret] valid", "acme/crm/zz-other [] missing"]);
    assert!(keeper.list(&key_of("other").tenant).await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_that_can_be_printed_holds_a_secret() {
    let world = World::new().await;
    let keeper = world.connected().await;
    let secret = keeper.secret(&key()).await.unwrap();
    let shown = format!(
        "{keeper:?} {secret:?} {:?} {:?} {:?}",
        row(&world).await,
        keeper.list(&key().tenant).await.unwrap(),
        entered(&[("token", "canary")])
    );
    for word in ["canary", "s3cret", "client-7"] {
        assert!(!shown.contains(word), "{shown}");
    }
}
