//! What sources told and when, and which calls are not over.

use std::collections::BTreeMap;

use crate::support::*;
use ramal_store::*;
use rstest::rstest;

/// The beginning of the hour of a second.
fn hour(second: i64) -> jiff::Timestamp {
    let unix = at(second).as_second();
    jiff::Timestamp::from_second(unix - unix % 3600).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_source_is_heard_by_what_it_sent(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let ask = async |since: i64| o.store.activity(&tenant("a"), &source(), at(since)).await.unwrap();
    assert_eq!(ask(0).await, Activity::default());
    assert_eq!(o.store.sources(&tenant("a")).await.unwrap(), []);

    for (call, second) in [("c1", 0), ("c2", 1), ("c3", 7200), ("c4", 7300), ("c5", 7400)] {
        stored(&*o.store, ringing("a", call, second, &[])).await;
    }
    let mut elsewhere = started(Channel::Mobile, Some("c1"), &[]);
    elsewhere.source = SourceId::new("a-gateway").unwrap();
    stored(&*o.store, begin("a", elsewhere, 3)).await;

    let heard = ask(0).await;
    assert_eq!((heard.first, heard.last), (Some(at(0)), Some(at(7400))));
    let mut by_hour = BTreeMap::new();
    for second in [0, 1, 7200, 7300, 7400] {
        *by_hour.entry(hour(second)).or_insert(0) += 1;
    }
    assert_eq!(heard.by_hour, by_hour);
    assert_eq!(ask(7300).await.by_hour.values().sum::<u64>(), 2, "only since then");
    assert_eq!(ask(7300).await.first, Some(at(0)), "the first is the first of all");
    let sources = o.store.sources(&tenant("a")).await.unwrap();
    assert_eq!(sources, [SourceId::new("a-gateway").unwrap(), source()]);
}

#[rstest]
#[tokio::test]
async fn what_came_by_a_source_is_counted_by_channel_with_the_latest(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    for (call, second) in [("c1", 0), ("c2", 10), ("c3", 20)] {
        stored(&*o.store, ringing("a", call, second, &[])).await;
    }
    let chat = begin("a", started(Channel::Sms, None, &[phone("+5511987654321")]), 30);
    let chat = stored(&*o.store, chat).await;
    let carried = o.store.carried(&tenant("a"), &source(), at(10), 2).await.unwrap();
    assert_eq!(carried.by_channel, BTreeMap::from([(Channel::Fixed, 2), (Channel::Sms, 1)]));
    assert_eq!(carried.latest.len(), 2);
    assert_eq!(carried.latest[0], chat);
}

#[rstest]
#[tokio::test]
async fn calls_that_are_not_over_are_found_by_their_silence(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let rings = stored(&*o.store, ringing("a", "c1", 0, &[])).await;
    let talks = stored(&*o.store, ringing("a", "c2", 1, &[])).await;
    let talks = stored(&*o.store, change(&talks, answered(), 500)).await;
    let over = stored(&*o.store, ringing("a", "c3", 2, &[])).await;
    let ended = InteractionEvent::Ended { cause: EndCause::Missed, provider_cause: None };
    stored(&*o.store, change(&over, ended, 3)).await;
    stored(&*o.store, begin("a", started(Channel::Sms, None, &[phone("+5511987654321")]), 4)).await;

    let quiet = async |ringing: i64, talking: i64, limit: u32| {
        let found = o.store.quiet_calls(&tenant("a"), at(ringing), at(talking), limit).await.unwrap();
        found.into_iter().map(|call| call.id).collect::<Vec<_>>()
    };
    assert_eq!(quiet(9000, 9000, 9).await, [rings.id, talks.id]);
    assert_eq!(quiet(9000, 9000, 1).await, [rings.id]);
    assert_eq!(quiet(9000, 500, 9).await, [rings.id], "what was heard at the moment itself is not quiet");
    assert_eq!(quiet(0, 9000, 9).await, [talks.id]);
}

#[rstest]
#[tokio::test]
async fn something_about_no_interaction_can_be_told(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let news = NewLive { kind: "channel.silent".into(), interaction: None, body: "{}".into() };
    assert_eq!(o.store.tell(&tenant("a"), news.clone(), at(1)).await.unwrap(), LiveId(1));
    stored(&*o.store, ringing("a", "c1", 2, &[])).await;
    let page = o.store.live_after(&tenant("a"), LiveId(0), 9).await.unwrap();
    let told: Vec<_> = page.events.iter().map(|e| (e.id, e.kind.as_str(), e.interaction.is_some())).collect();
    assert_eq!(told, [(LiveId(1), "channel.silent", false), (LiveId(2), "call", true)]);
    assert_eq!(page.events[0].at, at(1));
}
