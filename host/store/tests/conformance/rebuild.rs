//! What follows from events is made from them again: the rows, what they are searched by, and the timelines.

use crate::support::*;
use ramal_store::*;
use rstest::rstest;

/// A call with everything that can be spoilt, and a conversation of the same customer.
async fn filled(o: &Opened) -> (Interaction, Interaction) {
    let ana = phone("+5511987654321");
    let mut how = started(Channel::Fixed, Some("c1"), std::slice::from_ref(&ana));
    how.asked = vec![plugin("crm")];
    let call = stored(&*o.store, begin("a", how, 0)).await;
    let call = stored(&*o.store, change(&call, answered(), 1)).await;
    let chat = begin("a", started(Channel::Whatsapp, None, &[bsuid("BR.1"), ana]), 2);
    let chat = stored(&*o.store, chat).await;
    let chat = stored(&*o.store, change(&chat, message("m1", InteractionDirection::Inbound, 3), 3)).await;
    (call, chat)
}

async fn timeline(o: &Opened, of: &ContactIdentity) -> Vec<InteractionId> {
    let page = o.store.timeline(&tenant("a"), of, None, 10).await.unwrap();
    page.items.iter().map(|i| i.id).collect()
}

#[rstest]
#[case::row("UPDATE interactions SET body = replace(body, 'sales', 'other') WHERE channel = 'fixed'", &["row"])]
#[case::no_json("UPDATE interactions SET body = 'x' WHERE channel = 'fixed'", &["unreadable"])]
#[case::state("UPDATE interactions SET state = 'ended' WHERE channel = 'fixed'", &["columns"])]
#[case::queue("UPDATE interactions SET queue = NULL WHERE channel = 'fixed'", &["columns"])]
#[case::time("UPDATE interactions SET started_at = started_at + 1 WHERE channel = 'fixed'", &["columns"])]
#[case::asked("UPDATE interactions SET pending = 0 WHERE channel = 'fixed'", &["columns"])]
#[case::key("UPDATE interactions SET open_key = NULL WHERE channel = 'whatsapp'", &["columns"])]
#[case::message("UPDATE messages SET body = replace(body, '\"received\"', '\"read\"')", &["messages"])]
#[case::no_message("DELETE FROM messages", &["messages"])]
#[case::no_timeline("DELETE FROM interaction_contacts", &["timeline", "timeline"])]
#[case::other_timeline("UPDATE interaction_contacts SET contact = 'phone/e164/+5511900000000' WHERE contact LIKE 'phone%'", &["timeline", "timeline"])]
#[case::strangers("DELETE FROM contact_aliases", &["timeline"])]
#[tokio::test]
async fn what_is_not_what_the_events_make_is_found_and_made_anew(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] spoil: &str,
    #[case] found: &[&str],
) {
    let Some(o) = open(backend).await else { return };
    let (call, chat) = filled(&o).await;
    let sound = o.store.check(&tenant("a")).await.unwrap();
    assert!(sound.is_sound(), "{:?}", sound.mismatches);

    o.spoil(spoil).await;
    let checked = o.store.check(&tenant("a")).await.unwrap();
    let words: Vec<&str> = checked
        .mismatches
        .iter()
        .map(|mismatch| match mismatch {
            Mismatch::History { .. } => "history",
            Mismatch::Row { .. } => "row",
            Mismatch::Messages { .. } => "messages",
            Mismatch::Columns { .. } => "columns",
            Mismatch::Timeline { .. } => "timeline",
            Mismatch::Unreadable { .. } => "unreadable",
        })
        .collect();
    assert_eq!(words, found);
    assert_eq!(checked.interactions, 2, "the others are checked all the same");

    for mismatch in &checked.mismatches {
        assert!(o.store.rebuild(&tenant("a"), mismatch.interaction()).await.unwrap());
    }
    let mended = o.store.check(&tenant("a")).await.unwrap();
    assert!(mended.is_sound(), "{:?}", mended.mismatches);
    for (of, id) in [(&call, call.id), (&chat, chat.id)] {
        assert_eq!(&o.store.interaction(&tenant("a"), id).await.unwrap().unwrap().interaction, of);
    }
    assert_eq!(timeline(&o, &phone("+5511987654321")).await, [chat.id, call.id]);
    assert_eq!(timeline(&o, &bsuid("BR.1")).await, [chat.id, call.id]);
    assert!(timeline(&o, &phone("+5511900000000")).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn where_there_is_no_history_nothing_is_made(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (call, _) = filled(&o).await;
    assert!(!o.store.rebuild(&tenant("b"), call.id).await.unwrap(), "another tenant's");
    assert!(o.store.rebuild(&tenant("a"), call.id).await.unwrap());
    assert!(o.store.check(&tenant("a")).await.unwrap().is_sound());
}
