//! What every store promises about what CRMs tell by themselves, on both databases. Everything in it is made up.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use ramal_capability::Listed;
use ramal_store::testing::TestPostgres;
use ramal_store::*;
use rstest::rstest;

struct Opened {
    store: Arc<dyn Store>,
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
            let postgres = TestPostgres::start("inbound").await.unwrap()?;
            let settings = PostgresSettings::new(postgres.database().await.unwrap());
            let store = PostgresStore::open(&settings).await.unwrap();
            Some(Opened { store: Arc::new(store), _dir: None, _postgres: Some(postgres) })
        }
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}
fn plugin() -> PluginId {
    PluginId::new("crm").unwrap()
}
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}
fn came() -> Listed {
    Listed {
        headers: vec![("x-event".into(), "changed".into())],
        body: Clear::from(r#"{"name":"Ana \u0000 (invented)"}"#),
    }
}
fn new(who: &str, digest: u8, second: i64) -> NewHook {
    NewHook {
        tenant: tenant(who),
        plugin: plugin(),
        hook: "changes".parse().unwrap(),
        digest: [digest; 32],
        came: came(),
        at: at(second),
        repeats_since: at(second - 600),
    }
}
fn order(who: &str, second: i64) -> InboundOrder {
    InboundOrder { tenant: tenant(who), plugin: plugin(), now: at(second), until: at(second + 60) }
}
fn live(kind: &str) -> NewLive {
    NewLive { kind: kind.into(), interaction: None, body: "{}".into() }
}
fn failure() -> Failure {
    Failure::new("transient", "as the test decided")
}

#[rstest]
#[tokio::test]
async fn what_came_is_stored_once_and_comes_back_as_it_was(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    assert_eq!(o.store.take_hook(&new("a", 1, 0)).await.unwrap(), Taken::Stored);
    assert_eq!(o.store.take_hook(&new("a", 1, 599)).await.unwrap(), Taken::Repeated);
    assert_eq!(o.store.take_hook(&new("a", 2, 1)).await.unwrap(), Taken::Stored);
    assert_eq!(o.store.next_hook(&tenant("a"), &plugin()).await.unwrap(), Some(at(0)));
    let leased = o.store.lease_hooks(&order("a", 5), 9).await.unwrap();
    assert_eq!(leased.len(), 2);
    assert_eq!((&leased[0].came, leased[0].tries, leased[0].first_tried_at), (&came(), 1, at(5)));
    // Beyond the time it is another one.
    assert_eq!(o.store.take_hook(&new("a", 1, 601)).await.unwrap(), Taken::Stored);
}

#[rstest]
#[tokio::test]
async fn of_the_same_at_once_one_is_stored(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(o) = open(backend).await else { return };
    let same: Vec<_> = (0..20).map(|_| new("a", 7, 0)).collect();
    let taken = join_all(same.iter().map(|new| o.store.take_hook(new))).await;
    assert_eq!(taken.into_iter().filter(|t| *t.as_ref().unwrap() == Taken::Stored).count(), 1);
}

#[rstest]
#[tokio::test]
async fn a_lease_ends_by_itself_and_the_late_one_cannot_settle(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    o.store.take_hook(&new("a", 1, 0)).await.unwrap();
    let late = o.store.lease_hooks(&order("a", 1), 9).await.unwrap().remove(0);
    assert!(o.store.lease_hooks(&order("a", 2), 9).await.unwrap().is_empty());
    let second = o.store.lease_hooks(&order("a", 61), 9).await.unwrap().remove(0);
    assert_eq!((second.tries, second.first_tried_at), (2, at(1)));
    let told = vec![live("contact.changed")];
    let lost = o.store.settle_hook(&late, &HookSettlement::Done, told.clone(), at(62)).await.unwrap();
    assert_eq!(lost, Err(Lost));
    let last = o.store.settle_hook(&second, &HookSettlement::Done, told.clone(), at(62)).await.unwrap();
    assert_eq!(last, Ok(Some(LiveId(1))), "what follows is told once");
    let again = o.store.settle_hook(&second, &HookSettlement::Done, told, at(63)).await.unwrap();
    assert_eq!(again, Err(Lost));
    let page = o.store.live_after(&tenant("a"), LiveId(0), 9).await.unwrap();
    assert_eq!(page.events.len(), 1);
    assert_eq!(o.store.next_hook(&tenant("a"), &plugin()).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn what_fails_comes_again_at_its_time_and_what_is_dead_does_not(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    o.store.take_hook(&new("a", 1, 0)).await.unwrap();
    let first = o.store.lease_hooks(&order("a", 1), 9).await.unwrap().remove(0);
    let retry = HookSettlement::Retry { at: at(30), failure: failure() };
    assert_eq!(o.store.settle_hook(&first, &retry, vec![], at(2)).await.unwrap(), Ok(None));
    assert!(o.store.lease_hooks(&order("a", 29), 9).await.unwrap().is_empty());
    let second = o.store.lease_hooks(&order("a", 30), 9).await.unwrap().remove(0);
    assert_eq!(second.came, came(), "the body is there as long as it is needed");
    let dead = HookSettlement::Dead { failure: failure() };
    o.store.settle_hook(&second, &dead, vec![], at(31)).await.unwrap().unwrap();
    assert!(o.store.lease_hooks(&order("a", 9_999), 9).await.unwrap().is_empty());
    assert_eq!(o.store.prune_hooks(&tenant("a"), at(31), 9).await.unwrap(), 0);
    assert_eq!(o.store.prune_hooks(&tenant("a"), at(32), 9).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn a_cursor_moves_only_when_it_went_well(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    assert_eq!(o.store.next_sync(&tenant("a"), &plugin()).await.unwrap(), None);
    let first = o.store.lease_sync(&order("a", 0)).await.unwrap().unwrap();
    assert_eq!((first.cursor.as_deref(), first.tries), (None, 1));
    assert_eq!(o.store.lease_sync(&order("a", 1)).await.unwrap(), None, "it is held");
    let done = SyncSettlement::Done { cursor: Some("c1".into()), next: at(300) };
    let told = vec![live("contact.changed"), live("contact.deleted")];
    assert_eq!(o.store.settle_sync(&first, &done, told, at(2)).await.unwrap(), Ok(Some(LiveId(2))));
    assert_eq!(o.store.next_sync(&tenant("a"), &plugin()).await.unwrap(), Some(at(300)));
    let second = o.store.lease_sync(&order("a", 300)).await.unwrap().unwrap();
    assert_eq!((second.cursor.as_deref(), second.tries), (Some("c1"), 1));
    let retry = SyncSettlement::Retry { at: at(310), failure: failure() };
    o.store.settle_sync(&second, &retry, vec![], at(301)).await.unwrap().unwrap();
    let third = o.store.lease_sync(&order("a", 310)).await.unwrap().unwrap();
    assert_eq!((third.cursor.as_deref(), third.tries), (Some("c1"), 2));
    let none = SyncSettlement::Done { cursor: None, next: at(600) };
    assert_eq!(o.store.settle_sync(&second, &none, vec![], at(311)).await.unwrap(), Err(Lost));
    o.store.settle_sync(&third, &none, vec![], at(311)).await.unwrap().unwrap();
    let fourth = o.store.lease_sync(&order("a", 600)).await.unwrap().unwrap();
    assert_eq!((fourth.cursor.as_deref(), fourth.tries), (Some("c1"), 1));
}

#[rstest]
#[tokio::test]
async fn what_waits_for_a_person_goes_on_when_it_is_told_to(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let leased = o.store.lease_sync(&order("a", 0)).await.unwrap().unwrap();
    let stop = SyncSettlement::Stop { failure: Failure::new("auth-expired", "connect it again") };
    o.store.settle_sync(&leased, &stop, vec![], at(1)).await.unwrap().unwrap();
    assert_eq!(o.store.lease_sync(&order("a", 9_999)).await.unwrap(), None);
    assert_eq!(o.store.next_sync(&tenant("a"), &plugin()).await.unwrap(), None);
    assert!(o.store.resume_sync(&tenant("a"), &plugin(), at(10_000)).await.unwrap());
    assert!(!o.store.resume_sync(&tenant("a"), &plugin(), at(10_000)).await.unwrap());
    assert!(o.store.lease_sync(&order("a", 10_000)).await.unwrap().is_some());
}

#[rstest]
#[tokio::test]
async fn no_question_crosses_from_one_tenant_to_another(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let b = tenant("b");
    o.store.take_hook(&new("a", 1, 0)).await.unwrap();
    let sync = o.store.lease_sync(&order("a", 0)).await.unwrap().unwrap();
    let hook = o.store.lease_hooks(&order("a", 0), 9).await.unwrap().remove(0);
    assert!(o.store.lease_hooks(&order("b", 999), 9).await.unwrap().is_empty());
    assert_eq!(o.store.next_hook(&b, &plugin()).await.unwrap(), None);
    assert_eq!(o.store.next_sync(&b, &plugin()).await.unwrap(), None);
    assert_eq!(o.store.prune_hooks(&b, at(9_999), 9).await.unwrap(), 0);
    let stolen = LeasedHook { tenant: b.clone(), ..hook.clone() };
    assert_eq!(o.store.settle_hook(&stolen, &HookSettlement::Done, vec![], at(1)).await.unwrap(), Err(Lost));
    let done = SyncSettlement::Done { cursor: Some("theirs".into()), next: at(0) };
    let stolen = LeasedSync { tenant: b.clone(), ..sync.clone() };
    assert_eq!(o.store.settle_sync(&stolen, &done, vec![], at(1)).await.unwrap(), Err(Lost));
    assert!(!o.store.resume_sync(&b, &plugin(), at(1)).await.unwrap());
    assert_eq!(o.store.take_hook(&new("b", 1, 0)).await.unwrap(), Taken::Stored, "its own, not a repetition");
    o.store.settle_hook(&hook, &HookSettlement::Done, vec![], at(1)).await.unwrap().unwrap();
}
