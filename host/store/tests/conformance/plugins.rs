//! What plugins keep between calls.

use crate::support::*;
use jiff::{Timestamp, ToSpan};
use ramal_store::*;
use rstest::rstest;

const LIMITS: PluginLimits = PluginLimits { entries: 2, bytes: 20 };

fn entry(key: &str, value: &str, expires_at: Option<Timestamp>) -> PluginEntry {
    PluginEntry { key: key.into(), value: value.as_bytes().to_vec(), expires_at }
}

#[rstest]
#[tokio::test]
async fn a_plugins_entry_is_its_own(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (a, p, now) = (tenant("a"), plugin("p"), at(0));
    o.store.set_entry(&a, &p, entry("k", "one", None), LIMITS, now).await.unwrap();
    o.store.set_entry(&a, &p, entry("k", "two", None), LIMITS, now).await.unwrap();
    assert_eq!(o.store.entry(&a, &p, "k", now).await.unwrap(), Some(b"two".to_vec()));
    assert_eq!(o.store.entry(&a, &plugin("q"), "k", now).await.unwrap(), None);
    assert_eq!(o.store.entry(&tenant("b"), &p, "k", now).await.unwrap(), None);
    assert!(o.store.delete_entry(&a, &p, "k").await.unwrap());
    assert!(!o.store.delete_entry(&a, &p, "k").await.unwrap());
    o.store.set_entry(&a, &p, entry("k", "one", None), LIMITS, now).await.unwrap();
    assert_eq!(o.store.delete_all_entries(&a, &p).await.unwrap(), 1);
    assert_eq!(o.store.entry(&a, &p, "k", now).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn an_entry_is_gone_at_its_time_and_costs_nothing_then(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (a, p, now) = (tenant("a"), plugin("p"), at(0));
    let end = now.checked_add(60.seconds()).unwrap();
    o.store.set_entry(&a, &p, entry("k1", "x", Some(end)), LIMITS, now).await.unwrap();
    o.store.set_entry(&a, &p, entry("k2", "x", Some(end)), LIMITS, now).await.unwrap();
    assert!(o.store.entry(&a, &p, "k1", at(59)).await.unwrap().is_some());
    assert!(o.store.entry(&a, &p, "k1", end).await.unwrap().is_none());
    o.store.set_entry(&a, &p, entry("k3", "x", None), LIMITS, end).await.unwrap();
    o.store.set_entry(&a, &p, entry("k4", "x", None), LIMITS, end).await.unwrap();
}

#[rstest]
#[case::entries(
    entry("k3", "x", None),
    "the plugin's store is full: 2 entries are allowed; delete some or give them a time to live"
)]
#[case::bytes(
    entry("k1", "0123456789abcdefg", None),
    "the plugin's store is full: 22 bytes wanted, 20 allowed; keep less or delete some"
)]
#[tokio::test]
async fn a_full_plugin_store_refuses_and_keeps_what_it_has(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] extra: PluginEntry,
    #[case] text: &str,
) {
    let Some(o) = open(backend).await else { return };
    let (a, p, now) = (tenant("a"), plugin("p"), at(0));
    o.store.set_entry(&a, &p, entry("k1", "x", None), LIMITS, now).await.unwrap();
    o.store.set_entry(&a, &p, entry("k2", "x", None), LIMITS, now).await.unwrap();
    let error = o.store.set_entry(&a, &p, extra, LIMITS, now).await.unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(o.store.entry(&a, &p, "k1", now).await.unwrap(), Some(b"x".to_vec()));
}

#[rstest]
#[tokio::test]
async fn a_key_may_be_any_text(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (a, p, now) = (tenant("a"), plugin("p"), at(0));
    o.store.set_entry(&a, &p, entry("k\0é", "v\0", None), LIMITS, now).await.unwrap();
    assert_eq!(o.store.entry(&a, &p, "k\0é", now).await.unwrap(), Some(b"v\0".to_vec()));
}
