//! No question of one tenant is answered with anything of another: every method of every trait is tried.

use crate::support::*;
use futures_util::future::BoxFuture;
use ramal_store::*;
use rstest::rstest;

/// What stands in tenant `a` before tenant `b` asks.
struct Prey {
    call: Interaction,
    chat: Interaction,
}

const LIMITS: PluginLimits = PluginLimits { entries: 9, bytes: 999 };

/// Asks as tenant `b`; says what it got that it should not have, or changed.
type Try = for<'a> fn(&'a dyn TestStore, &'a Prey) -> BoxFuture<'a, Option<String>>;

macro_rules! tries {
    ($($method:literal => |$store:ident, $prey:ident| $body:expr),+ $(,)?) => {
        &[$(($method, (|$store, $prey| Box::pin(async move { $body })) as Try)),+]
    };
}

fn leak<T: std::fmt::Debug>(found: &T, empty: bool) -> Option<String> {
    (!empty).then(|| format!("{found:?}"))
}

const TRIES: &[(&str, Try)] = tries! {
    "situation" => |store, _prey| {
        let found = store
            .situation(&tenant("b"), &source(), &call_id("c1"), &event_id("c1-ringing")).await.unwrap();
        leak(&found, found.interaction.is_none() && found.seen_for.is_none())
    },
    "conversation" => |store, prey| {
        let found = store
            .conversation(&tenant("b"), &source(), &prey.chat.contacts, &event_id("c1-ringing"))
            .await.unwrap();
        leak(&found, found.interaction.is_none() && found.seen_for.is_none())
    },
    "interaction" => |store, prey| {
        let found = store.interaction(&tenant("b"), prey.call.id).await.unwrap();
        leak(&found, found.is_none())
    },
    "append" => |store, prey| {
        // A change of the other tenant's call, by its own identifier.
        let mut stolen = prey.call.clone();
        stolen.tenant = tenant("b");
        let done = store.append(change(&stolen, answered(), 9)).await.unwrap();
        let kept = store.interaction(&tenant("a"), prey.call.id).await.unwrap().unwrap();
        leak(&done, done == Recorded::Conflict && kept.interaction == prey.call)
    },
    "rebuild" => |store, prey| {
        let done = store.rebuild(&tenant("b"), prey.call.id).await.unwrap();
        leak(&done, !done)
    },
    "history" => |store, prey| {
        let found = store.history(&tenant("b"), prey.call.id, 0, 9).await.unwrap();
        leak(&found, found.is_empty())
    },
    "messages" => |store, prey| {
        let found = store.messages(&tenant("b"), prey.chat.id, 0, 9).await.unwrap();
        leak(&found, found.is_empty())
    },
    "messages_between" => |store, prey| {
        let found = store.messages_between(&tenant("b"), prey.chat.id, at(0), at(9999), 9).await.unwrap();
        leak(&found, found.is_empty())
    },
    "message" => |store, _prey| {
        let found = store.message(&tenant("b"), &source(), &event_id("m1")).await.unwrap();
        leak(&found, found.is_none())
    },
    "timeline" => |store, prey| {
        let found = store.timeline(&tenant("b"), &prey.call.contacts[0], None, 9).await.unwrap();
        leak(&found, found.items.is_empty() && found.next.is_none())
    },
    "list" => |store, _prey| {
        let found = store.list(&tenant("b"), &Filter::default(), None, 9).await.unwrap();
        leak(&found, found.items.is_empty() && found.next.is_none())
    },
    "recent" => |store, _prey| {
        let found = store.recent(&tenant("b"), 9).await.unwrap();
        leak(&found, found.calls.is_empty() && found.last == LiveId(0))
    },
    "unanswered" => |store, _prey| {
        let found = store.unanswered(&tenant("b"), 9).await.unwrap();
        leak(&found, found.is_empty())
    },
    "open_conversations" => |store, _prey| {
        let found = store.open_conversations(&tenant("b"), at(9999), 9).await.unwrap();
        leak(&found, found.is_empty())
    },
    "forget_receipts" => |store, _prey| {
        let done = store.forget_receipts(&tenant("b"), &source(), at(9999), 9).await.unwrap();
        leak(&done, done == 0)
    },
    "live_after" => |store, _prey| {
        let found = store.live_after(&tenant("b"), LiveId(0), 9).await.unwrap();
        leak(&found, found.events.is_empty() && found.last == LiveId(0))
    },
    "tell" => |store, _prey| {
        let news = NewLive { kind: "channel.silent".into(), interaction: None, body: "{}".into() };
        let before = store.live_after(&tenant("a"), LiveId(0), 99).await.unwrap();
        let done = store.tell(&tenant("b"), news, at(9)).await.unwrap();
        let after = store.live_after(&tenant("a"), LiveId(0), 99).await.unwrap();
        leak(&done, done == LiveId(1) && before == after)
    },
    "sources" => |store, _prey| {
        let found = store.sources(&tenant("b")).await.unwrap();
        leak(&found, found.is_empty())
    },
    "activity" => |store, _prey| {
        let found = store.activity(&tenant("b"), &source(), at(0)).await.unwrap();
        leak(&found, found == Activity::default())
    },
    "carried" => |store, _prey| {
        let found = store.carried(&tenant("b"), &source(), at(0), 9).await.unwrap();
        leak(&found, found == Carried::default())
    },
    "quiet_calls" => |store, _prey| {
        let found = store.quiet_calls(&tenant("b"), at(9999), at(9999), 9).await.unwrap();
        leak(&found, found.is_empty())
    },
    "entry" => |store, _prey| {
        let found = store.entry(&tenant("b"), &plugin("p"), "k", at(0)).await.unwrap();
        leak(&found, found.is_none())
    },
    "set_entry" => |store, _prey| {
        let entry = PluginEntry { key: "k".into(), value: b"theirs".to_vec(), expires_at: None };
        store.set_entry(&tenant("b"), &plugin("p"), entry, LIMITS, at(0)).await.unwrap();
        store.delete_all_entries(&tenant("b"), &plugin("p")).await.unwrap();
        let kept = store.entry(&tenant("a"), &plugin("p"), "k", at(0)).await.unwrap();
        leak(&kept, kept.as_deref() == Some(b"v"))
    },
    "delete_entry" => |store, _prey| {
        let done = store.delete_entry(&tenant("b"), &plugin("p"), "k").await.unwrap();
        leak(&done, !done)
    },
    "delete_all_entries" => |store, _prey| {
        let done = store.delete_all_entries(&tenant("b"), &plugin("p")).await.unwrap();
        leak(&done, done == 0)
    },
    "check" => |store, _prey| {
        let found = store.check(&tenant("b")).await.unwrap();
        leak(&found, found.interactions == 0)
    },
};

#[rstest]
#[tokio::test]
async fn no_question_crosses_from_one_tenant_to_another(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let call = stored(&*o.store, ringing("a", "c1", 0, &["one", "two"])).await;
    stored(&*o.store, finding(&call, "one", 1)).await;
    let chat = begin("a", started(Channel::Whatsapp, None, &[bsuid("BR.1"), phone("+5511987654321")]), 1);
    let chat = stored(&*o.store, chat).await;
    let chat = stored(&*o.store, change(&chat, message("m1", InteractionDirection::Inbound, 2), 2)).await;
    let entry = PluginEntry { key: "k".into(), value: b"v".to_vec(), expires_at: None };
    o.store.set_entry(&tenant("a"), &plugin("p"), entry, LIMITS, at(0)).await.unwrap();
    let prey = Prey { call, chat };
    for (method, attempt) in TRIES {
        assert_eq!(attempt(&*o.store, &prey).await, None, "{method}");
    }
}

/// The methods of the traits in a source text.
fn methods(source: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in source.lines() {
        inside = (inside || line.starts_with("pub trait ")) && line != "}";
        let name = line.trim_start().strip_prefix("fn ").filter(|_| inside);
        found.extend(name.and_then(|rest| rest.split(['<', '(']).next()).map(str::to_owned));
    }
    found
}

#[test]
fn every_method_is_tried() {
    let mut missing: Vec<String> = [
        include_str!("../../src/interaction/record.rs"),
        include_str!("../../src/activity.rs"),
        include_str!("../../src/live.rs"),
        include_str!("../../src/plugin.rs"),
        include_str!("../../src/store.rs"),
    ]
    .into_iter()
    .flat_map(methods)
    .collect();
    assert!(missing.len() > 15, "the traits were not found: {missing:?}");
    // They are about no tenant, or about all of them.
    let about_all = ["close", "tenants", "faults", "live_bell"];
    missing.retain(|m| !about_all.contains(&m.as_str()) && !TRIES.iter().any(|(tried, _)| tried == m));
    assert!(missing.is_empty(), "add a try to TRIES for: {missing:?}");
}

/// What the memory has not, the databases are asked in tests of its own.
#[rstest]
#[case::inbound(include_str!("../../src/inbound.rs"), include_str!("../inbound.rs"))]
#[case::credential(include_str!("../../src/credential.rs"), include_str!("../credential.rs"))]
fn every_method_of_the_databases_own_is_tried(#[case] source: &str, #[case] tests: &str) {
    let named = tests.split_once("async fn no_question_crosses_from_one_tenant_to_another(");
    let tries = named.and_then(|(_, rest)| rest.split_once("\n}\n")).map_or("", |(body, _)| body);
    let mut missing = methods(source);
    assert!(missing.len() > 7, "the trait was not found: {missing:?}");
    missing.retain(|method| !tries.contains(&format!(".{method}(")));
    assert!(missing.is_empty(), "ask in the test of crossing tenants: {missing:?}");
}

#[test]
fn the_scanner_sees_a_method_that_is_new() {
    let text = "pub trait X {\n    /// Doc.\n    fn fresh<'a>(&'a self) -> A;\n}\nfn outside() {}\n";
    assert_eq!(methods(text), ["fresh"]);
}
