//! Calls and conversations: written once, read back as they were.

use crate::support::*;
use ramal_store::*;
use rstest::rstest;
use uuid::Uuid;

async fn situation(store: &dyn TestStore, whose: &str, call: &str, event: &str) -> Situation {
    store.situation(&tenant(whose), &source(), &call_id(call), &event_id(event)).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn what_was_recorded_reads_back(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let first = ringing("a", "c1", 0, &["practice"]);
    assert_eq!(
        situation(&*o.store, "a", "c1", "c1-ringing").await,
        Situation { interaction: None, seen_for: None, seen_asked: None }
    );
    assert_eq!(o.store.append(first.clone()).await.unwrap(), Recorded::Stored(Some(LiveId(1))));
    let known = situation(&*o.store, "a", "c1", "c1-ringing").await;
    assert_eq!(known.interaction.as_ref(), Some(first.after()));
    assert_eq!(known.seen_for, Some(first.id()));

    let second = change(first.after(), answered(), 3);
    assert_eq!(o.store.append(second.clone()).await.unwrap(), Recorded::Stored(Some(LiveId(2))));
    let snapshot = o.store.interaction(&tenant("a"), first.id()).await.unwrap().unwrap();
    assert_eq!(&snapshot.interaction, second.after());
    let history = o.store.history(&tenant("a"), first.id(), 0, 10).await.unwrap();
    assert_eq!(history, [first.events(), second.events()].concat());
    let rest = o.store.history(&tenant("a"), first.id(), 1, 10).await.unwrap();
    assert_eq!(rest, second.events());
    assert_eq!(o.store.history(&tenant("a"), first.id(), 0, 1).await.unwrap(), first.events());
}

#[rstest]
#[tokio::test]
async fn an_event_id_counts_once_for_its_source(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let write = ringing("a", "c1", 0, &[]);
    stored(&*o.store, write.clone()).await;
    assert_eq!(o.store.append(write).await.unwrap(), Recorded::Repeated);
    // The same ids from another source and for another tenant are other events.
    let mut elsewhere = started(Channel::Fixed, Some("c1"), &[]);
    elsewhere.source = SourceId::new("other-pbx").unwrap();
    let mut elsewhere = begin("a", elsewhere, 0);
    elsewhere.receipt = Some(Receipt {
        source: SourceId::new("other-pbx").unwrap(),
        event_id: event_id("c1-ringing"),
        asked: None,
    });
    stored(&*o.store, elsewhere).await;
    stored(&*o.store, ringing("b", "c1", 0, &[])).await;
}

#[rstest]
#[tokio::test]
async fn a_change_of_what_is_no_longer_so_writes_nothing(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let first = stored(&*o.store, ringing("a", "c1", 0, &[])).await;
    stored(&*o.store, change(&first, answered(), 1)).await;
    let mut late = change(&first, answered(), 2);
    late.receipt = Some(Receipt { source: source(), event_id: event_id("another"), asked: None });
    assert_eq!(o.store.append(late).await.unwrap(), Recorded::Conflict);
    let page = o.store.live_after(&tenant("a"), LiveId(0), 10).await.unwrap();
    assert_eq!(page.last, LiveId(2), "the refused change must not have told anything");
    // The receipt was not kept either, so that it can be tried again on what is so now.
    assert_eq!(situation(&*o.store, "a", "c1", "another").await.seen_for, None);
    assert_eq!(o.store.history(&tenant("a"), first.id, 0, 10).await.unwrap().len(), 2);
}

#[rstest]
#[tokio::test]
async fn a_call_begins_once(#[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(o) = open(backend).await else { return };
    stored(&*o.store, ringing("a", "c1", 0, &[])).await;
    let mut again = ringing("a", "c1", 1, &[]);
    again.receipt = Some(Receipt { source: source(), event_id: event_id("another"), asked: None });
    assert_eq!(o.store.append(again).await.unwrap(), Recorded::Conflict);
}

#[rstest]
#[tokio::test]
async fn the_first_answer_of_a_plugin_stands(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let call = stored(&*o.store, ringing("a", "c1", 0, &["one", "two"])).await;
    let open = |store: std::sync::Arc<dyn TestStore>| async move {
        store.unanswered(&tenant("a"), 10).await.unwrap()
    };
    assert_eq!(open(o.store.clone()).await.len(), 1);
    stored(&*o.store, finding(&call, "one", 1)).await;
    assert_eq!(o.store.append(finding(&call, "one", 2)).await.unwrap(), Recorded::Repeated);
    let left = open(o.store.clone()).await;
    assert_eq!(left[0].findings, [finding(&call, "one", 1).finding.unwrap()]);
    assert_eq!(left[0].interaction.asked, [plugin("one"), plugin("two")]);
    stored(&*o.store, finding(&call, "two", 3)).await;
    assert!(open(o.store.clone()).await.is_empty());
    let snapshot = o.store.interaction(&tenant("a"), call.id).await.unwrap().unwrap();
    assert_eq!(snapshot.findings.len(), 2);
}

#[rstest]
#[tokio::test]
async fn a_finding_does_not_fail_an_event_that_is_being_decided(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let call = stored(&*o.store, ringing("a", "c1", 0, &["one"])).await;
    stored(&*o.store, finding(&call, "one", 1)).await;
    stored(&*o.store, change(&call, answered(), 2)).await;
    assert!(o.store.unanswered(&tenant("a"), 10).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn recent_calls_come_newest_first_with_their_findings(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    for (i, call) in ["c1", "c2", "c3"].iter().enumerate() {
        let call = stored(&*o.store, ringing("a", call, i as i64, &["one"])).await;
        stored(&*o.store, finding(&call, "one", i as i64)).await;
    }
    // A conversation is no call.
    stored(&*o.store, begin("a", started(Channel::Whatsapp, None, &[bsuid("BR.1")]), 9)).await;
    let recent = o.store.recent(&tenant("a"), 2).await.unwrap();
    let ids: Vec<&str> =
        recent.calls.iter().map(|c| c.interaction.reference.as_ref().unwrap().as_str()).collect();
    assert_eq!(ids, ["c3", "c2"]);
    assert!(recent.calls.iter().all(|c| c.findings.len() == 1));
    assert_eq!(recent.last, LiveId(6));
}

#[rstest]
#[tokio::test]
async fn a_conversation_is_found_by_any_name_while_it_goes_on(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let find = async |contact: ContactIdentity| {
        o.store
            .conversation(&tenant("a"), &source(), &[contact], &event_id("m9"))
            .await
            .unwrap()
            .interaction
            .map(|i| i.id)
    };
    // The number is not told at first.
    let begun = stored(&*o.store, begin("a", started(Channel::Whatsapp, None, &[bsuid("BR.1")]), 0)).await;
    assert_eq!(find(bsuid("BR.1")).await, Some(begun.id));
    assert_eq!(find(phone("+5511987654321")).await, None);
    let link = InteractionEvent::ContactLinked { contact: phone("+5511987654321") };
    let linked = stored(&*o.store, change(&begun, link, 1)).await;
    assert_eq!(find(phone("+5511987654321")).await, Some(begun.id));
    // Only one at a time.
    let second = begin("a", started(Channel::Whatsapp, None, &[bsuid("BR.1")]), 2);
    assert_eq!(o.store.append(second.clone()).await.unwrap(), Recorded::Conflict);
    let end = InteractionEvent::Ended { cause: EndCause::Closed, provider_cause: None };
    stored(&*o.store, change(&linked, end, 3)).await;
    assert_eq!(find(bsuid("BR.1")).await, None);
    assert_eq!(find(phone("+5511987654321")).await, None);
    stored(&*o.store, second.clone()).await;
    assert_eq!(find(bsuid("BR.1")).await, Some(second.id()));
}

#[rstest]
#[tokio::test]
async fn messages_read_back_with_how_far_they_came(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let a = tenant("a");
    let begun =
        stored(&*o.store, begin("a", started(Channel::Sms, None, &[phone("+5511987654321")]), 0)).await;
    let first = change(&begun, message("m1", InteractionDirection::Inbound, 1), 1);
    let after = stored(&*o.store, first.clone()).await;
    let second = change(&after, message("m2", InteractionDirection::Outbound, 2), 2);
    let after = stored(&*o.store, second.clone()).await;
    assert_eq!((after.messages_in, after.messages_out), (1, 1));

    let (of, sent) = o.store.message(&a, &source(), &event_id("m2")).await.unwrap().unwrap();
    assert_eq!((of, &sent), (begun.id, &second.messages()[0]));
    let read = new(
        InteractionEvent::MessageStatus {
            message: sent.id,
            status: MessageStatus::Read,
            provider_cause: None,
        },
        3,
    );
    let third = InteractionWrite::change(&after, vec![sent], vec![read], at(3)).unwrap();
    stored(&*o.store, third.clone()).await;
    let all = o.store.messages(&a, begun.id, 0, 10).await.unwrap();
    assert_eq!(all, [first.messages(), third.messages()].concat());
    assert_eq!(all[1].status, MessageStatus::Read);
    assert_eq!(o.store.messages(&a, begun.id, all[0].seq, 10).await.unwrap(), all[1..]);
    assert_eq!(o.store.message(&a, &source(), &event_id("m3")).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn the_last_messages_of_a_time_are_read_in_their_order(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let mut of =
        stored(&*o.store, begin("a", started(Channel::Sms, None, &[phone("+5511987654321")]), 0)).await;
    // The one of second 15 came late.
    for second in [10, 20, 30, 15, 40] {
        let written = message(&format!("m{second}"), InteractionDirection::Inbound, second);
        of = stored(&*o.store, change(&of, written, second)).await;
    }
    let between = async |from: i64, until: i64, limit: u32| {
        let found = o.store.messages_between(&tenant("a"), of.id, at(from), at(until), limit).await.unwrap();
        found.iter().map(|m| m.reference.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(between(0, 99, 9).await, ["m10", "m20", "m30", "m15", "m40"]);
    assert_eq!(between(15, 40, 9).await, ["m20", "m30", "m15"], "from the first on and before the last");
    assert_eq!(between(0, 99, 2).await, ["m30", "m40"], "the last ones by when they were written");
    assert!(between(41, 99, 9).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn conversations_that_rest_are_found_oldest_first(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let mut begun = Vec::new();
    for (second, name) in [(10, "BR.1"), (5, "BR.2"), (20, "BR.3")] {
        let how = started(Channel::Whatsapp, None, &[bsuid(name)]);
        begun.push(stored(&*o.store, begin("a", how, second)).await);
    }
    stored(&*o.store, ringing("a", "c1", 1, &[])).await;
    let found = o.store.open_conversations(&tenant("a"), at(15), 10).await.unwrap();
    assert_eq!(found, [begun[1].clone(), begun[0].clone()]);
    assert_eq!(o.store.open_conversations(&tenant("a"), at(15), 1).await.unwrap().len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_list_is_what_fits_page_by_page(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    for i in 0..5 {
        stored(&*o.store, ringing("a", &format!("c{i}"), i, &[])).await;
    }
    let mobile = started(Channel::Mobile, Some("m"), &[]);
    let mobile = stored(&*o.store, begin("a", mobile, 2)).await;
    let ended = InteractionEvent::Ended { cause: EndCause::Missed, provider_cause: None };
    stored(&*o.store, change(&mobile, ended, 3)).await;

    let count = async |filter: Filter| {
        let page = o.store.list(&tenant("a"), &filter, None, 100).await.unwrap();
        assert_eq!(page.next, None);
        page.items.len()
    };
    assert_eq!(count(Filter::default()).await, 6);
    assert_eq!(count(Filter { channel: Some(Channel::Mobile), ..Filter::default() }).await, 1);
    assert_eq!(count(Filter { state: Some(InteractionState::Ended), ..Filter::default() }).await, 1);
    assert_eq!(count(Filter { queue: Some("sales".into()), ..Filter::default() }).await, 6);
    assert_eq!(count(Filter { queue: Some("other".into()), ..Filter::default() }).await, 0);
    let (state, queue) = (Some(InteractionState::Ended), Some("sales".into()));
    assert_eq!(count(Filter { state, queue, ..Filter::default() }).await, 1);
    let (state, queue) = (Some(InteractionState::Ended), Some("other".into()));
    assert_eq!(count(Filter { state, queue, ..Filter::default() }).await, 0);
    let outbound = Some(InteractionDirection::Outbound);
    assert_eq!(count(Filter { direction: outbound, ..Filter::default() }).await, 0);
    let between = Filter { from: Some(at(1)), until: Some(at(3)), ..Filter::default() };
    assert_eq!(count(between).await, 3);

    // Pages of two, also where two began at the same moment.
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = o.store.list(&tenant("a"), &Filter::default(), cursor, 2).await.unwrap();
        seen.extend(page.items.iter().map(|i| (i.started_at, i.id)));
        let Some(next) = page.next else { break };
        cursor = Some(next.to_string().parse().unwrap());
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.windows(2).all(|w| w[0] > w[1]), "{seen:?}");
}

#[rstest]
#[case::empty("")]
#[case::no_number("x.018f")]
#[case::no_id("17.xyz")]
fn a_text_that_is_no_cursor_is_refused(#[case] text: &str) {
    assert_eq!(text.parse::<PageCursor>(), Err(BadCursor));
}

#[rstest]
#[tokio::test]
async fn a_healthy_store_is_writable(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    o.store.check_writable().await.unwrap();
    assert!(o.store.faults().await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn receipts_of_one_source_are_forgotten_by_their_age(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let call = stored(&*o.store, ringing("a", "c1", 0, &[])).await;
    let clients = SourceId::new("clients").unwrap();
    for (number, second) in [(1, 10), (2, 20), (3, 30)] {
        let mut request = InteractionWrite::change(&call, Vec::new(), Vec::new(), at(second)).unwrap();
        request.receipt = Some(Receipt {
            source: clients.clone(),
            event_id: event_id(&format!("r{number}")),
            asked: Some(Uuid::from_u128(number)),
        });
        stored(&*o.store, request).await;
    }
    let third = o.store.conversation(&tenant("a"), &clients, &[], &event_id("r3")).await.unwrap();
    assert_eq!((third.seen_for, third.seen_asked), (Some(call.id), Some(Uuid::from_u128(3))));
    let seen = async |request: &str| {
        let found = o.store.conversation(&tenant("a"), &clients, &[], &event_id(request)).await.unwrap();
        found.seen_for.is_some()
    };
    assert_eq!(o.store.forget_receipts(&tenant("a"), &clients, at(30), 1).await.unwrap(), 1, "so many");
    assert_eq!(o.store.forget_receipts(&tenant("a"), &clients, at(30), 9).await.unwrap(), 1);
    assert_eq!((seen("r1").await, seen("r2").await, seen("r3").await), (false, false, true));
    // What the exchange sent is another source's.
    assert!(situation(&*o.store, "a", "c1", "c1-ringing").await.seen_for.is_some());
}
