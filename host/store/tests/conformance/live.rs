//! The log of live events: in the order of commit, without a gap.

use crate::support::*;
use ramal_store::*;
use rstest::rstest;

#[rstest]
#[tokio::test]
async fn live_ids_grow_by_one_and_survive_pruning(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
    // More than are removed at once.
    #[values(5, 200)] events: i64,
) {
    let Some(o) = open_with(backend, 3).await else { return };
    for i in 0..events {
        stored(&*o.store, ringing("a", &format!("c{i}"), i, &[])).await;
    }
    let last = events.unsigned_abs();
    let page = o.store.live_after(&tenant("a"), LiveId(0), 10).await.unwrap();
    assert_eq!(page.events.iter().map(|e| e.id.0).collect::<Vec<_>>(), [last - 2, last - 1, last]);
    assert_eq!((page.oldest, page.last), (LiveId(last - 2), LiveId(last)));
    let one = o.store.live_after(&tenant("a"), LiveId(last - 2), 1).await.unwrap();
    assert_eq!(one.events.iter().map(|e| e.id.0).collect::<Vec<_>>(), [last - 1]);
    let huge = o.store.live_after(&tenant("a"), LiveId(u64::MAX), 1).await.unwrap();
    assert!(huge.events.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_events_get_every_id_exactly_once_and_every_change_is_kept(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    // Two tenants side by side, and in each every fourth change one that must be undone.
    let tasks = (0..200).map(|i| {
        let store = o.store.clone();
        tokio::spawn(async move {
            let whose = if i % 2 == 0 { "a" } else { "b" };
            let call = if i % 8 < 2 { "same".to_owned() } else { format!("c{i}") };
            let mut write = ringing(whose, &call, i, &[]);
            write.receipt =
                Some(Receipt { source: source(), event_id: event_id(&format!("e{i}")), asked: None });
            (whose, store.append(write).await.unwrap())
        })
    });
    let (mut ids, mut refused) = (Vec::new(), 0);
    for task in tasks.collect::<Vec<_>>() {
        match task.await.unwrap() {
            (whose, Recorded::Stored(Some(id))) => ids.push((whose, id.0)),
            (_, Recorded::Conflict) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    ids.sort_unstable();
    // 25 in each tenant are the same call, and one of them is taken.
    let expected = |whose| (1..=76).map(move |id| (whose, id));
    assert_eq!(ids, expected("a").chain(expected("b")).collect::<Vec<_>>());
    assert_eq!(refused, 48);
    for whose in ["a", "b"] {
        let checked = o.store.check(&tenant(whose)).await.unwrap();
        assert_eq!((checked.interactions, checked.events, checked.is_sound()), (76, 76, true));
    }
    assert_eq!(o.store.tenants().await.unwrap(), [tenant("a"), tenant("b")]);
}
