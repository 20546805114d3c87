//! What every store promises about sealed secrets, on both databases. Everything in them is made up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use ramal_store::testing::TestPostgres;
use ramal_store::*;
use rstest::rstest;
use uuid::Uuid;

struct Opened {
    store: Arc<dyn CredentialStore>,
    _dir: Option<tempfile::TempDir>,
    _postgres: Option<TestPostgres>,
}

#[derive(Debug, Clone, Copy)]
enum Backend {
    Sqlite,
    Postgres,
}

/// A store; `None` where PostgreSQL is not to be had, which was said then.
async fn open(backend: Backend) -> Option<Opened> {
    match backend {
        Backend::Sqlite => {
            let dir = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(&SqliteSettings::new(dir.path().join("ramal.db"))).await.unwrap();
            Some(Opened { store: Arc::new(store), _dir: Some(dir), _postgres: None })
        }
        Backend::Postgres => {
            let postgres = TestPostgres::start("credentials").await.unwrap()?;
            let settings = PostgresSettings::new(postgres.database().await.unwrap());
            let store = PostgresStore::open(&settings).await.unwrap();
            Some(Opened { store: Arc::new(store), _dir: None, _postgres: Some(postgres) })
        }
    }
}

fn key(tenant: &str, credential: &str) -> CredentialKey {
    CredentialKey {
        tenant: tenant.parse().unwrap(),
        plugin: "crm".parse().unwrap(),
        credential: credential.parse().unwrap(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn sealed(text: &str) -> Sealed {
    Sealed { key_id: "k1".into(), wrapped: vec![0, 255, 1], bytes: text.as_bytes().to_vec() }
}

fn row(key: &CredentialKey, revision: u64, text: Option<&str>) -> CredentialRow {
    CredentialRow { key: key.clone(), revision, sealed: text.map(sealed), updated_at: at(5) }
}

#[rstest]
#[tokio::test]
async fn a_row_is_written_only_over_the_one_that_was_read(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let k = key("a", "api");
    assert_eq!(o.store.credential(&k).await.unwrap(), None);
    let first = row(&k, 1, Some("one"));
    assert!(!o.store.put_credential(&row(&k, 8, Some("x")), 7).await.unwrap(), "there is none to replace");
    assert!(o.store.put_credential(&first, 0).await.unwrap());
    assert!(!o.store.put_credential(&row(&k, 1, Some("other")), 0).await.unwrap());
    assert_eq!(o.store.credential(&k).await.unwrap(), Some(first));
    let second = row(&k, 2, Some("two"));
    assert!(!o.store.put_credential(&row(&k, 3, Some("x")), 2).await.unwrap());
    assert!(o.store.put_credential(&second, 1).await.unwrap());
    assert_eq!(o.store.credential(&k).await.unwrap(), Some(second));
}

#[rstest]
#[tokio::test]
async fn of_many_writers_over_one_row_one_wins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let k = key("a", "api");
    for before in [0, 1] {
        let rows: Vec<_> = (0..20).map(|number| row(&k, before + 1, Some(&format!("by {number}")))).collect();
        let won = join_all(rows.iter().map(|row| o.store.put_credential(row, before))).await;
        assert_eq!(won.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
    }
}

#[rstest]
#[tokio::test]
async fn a_removed_secret_leaves_its_number_and_is_not_listed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (one, two) = (key("a", "one"), key("a", "two"));
    for k in [&two, &one] {
        assert!(o.store.put_credential(&row(k, 1, Some("x")), 0).await.unwrap());
    }
    let names =
        |rows: Vec<CredentialRow>| rows.into_iter().map(|r| r.key.credential.to_string()).collect::<Vec<_>>();
    assert_eq!(names(o.store.credentials(&one.tenant).await.unwrap()), ["one", "two"]);
    assert!(o.store.put_credential(&row(&one, 2, None), 1).await.unwrap());
    assert_eq!(names(o.store.credentials(&one.tenant).await.unwrap()), ["two"]);
    assert_eq!(o.store.credential(&one).await.unwrap(), Some(row(&one, 2, None)));
    assert!(!o.store.rewrap_credential(&one, 2, "k2", &[1]).await.unwrap(), "there is no key to wrap");
}

#[rstest]
#[tokio::test]
async fn a_new_wrapping_leaves_the_rest_and_comes_only_over_the_row_that_was_read(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let k = key("a", "api");
    o.store.put_credential(&row(&k, 1, Some("x")), 0).await.unwrap();
    assert!(!o.store.rewrap_credential(&k, 2, "k2", &[9]).await.unwrap());
    assert!(o.store.rewrap_credential(&k, 1, "k2", &[9]).await.unwrap());
    let now = o.store.credential(&k).await.unwrap().unwrap();
    let expected = Sealed { key_id: "k2".into(), wrapped: vec![9], bytes: b"x".to_vec() };
    assert_eq!((now.revision, now.sealed), (1, Some(expected)));
}

#[rstest]
#[tokio::test]
async fn one_holds_the_lease_until_it_ends_or_is_given_back(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (k, one, two, minute) =
        (key("a", "api"), Uuid::from_u128(1), Uuid::from_u128(2), Duration::from_secs(60));
    let lease =
        async |holder, second| o.store.lease_credential(&k, holder, at(second), minute).await.unwrap();
    assert_eq!(lease(one, 0).await, Lease::Granted);
    assert_eq!(lease(two, 10).await, Lease::Held(at(60)));
    assert_eq!(lease(one, 20).await, Lease::Granted, "again, and longer");
    assert_eq!(lease(two, 79).await, Lease::Held(at(80)));
    assert_eq!(lease(two, 80).await, Lease::Granted, "it has ended");
    o.store.release_credential(&k, one).await.unwrap();
    assert_eq!(lease(one, 81).await, Lease::Held(at(140)), "only the holder gives it back");
    o.store.release_credential(&k, two).await.unwrap();
    assert_eq!(lease(one, 82).await, Lease::Granted);
    assert_eq!(
        o.store.lease_credential(&key("a", "other"), two, at(82), minute).await.unwrap(),
        Lease::Granted,
        "another credential is another lease"
    );
}

#[rstest]
#[tokio::test]
async fn of_many_that_ask_at_once_one_gets_the_lease(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let k = key("a", "api");
    let asks =
        (0..20).map(|n| o.store.lease_credential(&k, Uuid::from_u128(n), at(0), Duration::from_secs(9)));
    let granted = join_all(asks).await.into_iter().filter(|lease| *lease.as_ref().unwrap() == Lease::Granted);
    assert_eq!(granted.count(), 1);
}

fn consent(tenant: &str, state: u8, expires: i64) -> ConsentRow {
    ConsentRow {
        state: [state; 32],
        key: key(tenant, "api"),
        admin: "ana".parse().unwrap(),
        sealed: sealed("verifier"),
        expires_at: at(expires),
    }
}

#[rstest]
#[tokio::test]
async fn a_consent_is_given_once_also_to_many(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let row = consent("a", 7, 600);
    o.store.begin_consent(&row, at(0)).await.unwrap();
    let takes = (0..10).map(|_| o.store.take_consent(&row.key.tenant, &row.state));
    let taken: Vec<ConsentRow> =
        join_all(takes).await.into_iter().filter_map(|taken| taken.unwrap()).collect();
    assert_eq!(taken, [row]);
}

#[rstest]
#[tokio::test]
async fn void_consents_are_forgotten_when_the_next_one_begins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (old, new) = (consent("a", 1, 600), consent("a", 2, 1_200));
    o.store.begin_consent(&old, at(0)).await.unwrap();
    o.store.begin_consent(&new, at(600)).await.unwrap();
    assert_eq!(o.store.take_consent(&old.key.tenant, &old.state).await.unwrap(), None);
    assert_eq!(o.store.take_consent(&new.key.tenant, &new.state).await.unwrap(), Some(new));
}

#[rstest]
#[tokio::test]
async fn no_question_crosses_from_one_tenant_to_another(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (a, b) = (key("a", "api"), key("b", "api"));
    let theirs = row(&a, 1, Some("theirs"));
    o.store.put_credential(&theirs, 0).await.unwrap();
    let begun = consent("a", 7, 600);
    o.store.begin_consent(&begun, at(0)).await.unwrap();
    let minute = Duration::from_secs(60);
    o.store.lease_credential(&a, Uuid::from_u128(1), at(0), minute).await.unwrap();

    assert_eq!(o.store.credential(&b).await.unwrap(), None);
    assert!(o.store.credentials(&b.tenant).await.unwrap().is_empty());
    assert!(!o.store.put_credential(&row(&b, 2, None), 1).await.unwrap());
    assert!(!o.store.rewrap_credential(&b, 1, "k9", &[9]).await.unwrap());
    assert_eq!(
        o.store.lease_credential(&b, Uuid::from_u128(2), at(0), minute).await.unwrap(),
        Lease::Granted
    );
    o.store.release_credential(&b, Uuid::from_u128(1)).await.unwrap();
    assert_eq!(o.store.take_consent(&b.tenant, &begun.state).await.unwrap(), None);
    o.store.begin_consent(&consent("b", 9, 9_999), at(9_000)).await.unwrap();

    assert_eq!(o.store.credential(&a).await.unwrap(), Some(theirs));
    assert_eq!(
        o.store.lease_credential(&a, Uuid::from_u128(2), at(0), minute).await.unwrap(),
        Lease::Held(at(60))
    );
    assert_eq!(o.store.take_consent(&a.tenant, &begun.state).await.unwrap(), Some(begun));
}
