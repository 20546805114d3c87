//! What people write into an entry stays when the plugin adds to it.

use http::Method;
use ramal_capability::Purpose;
use ramal_engine::{AmendJournal, CallOutcome, JournalEntry, WriteJournal};
use serde_json::json;

use super::desk::{Practice, entry};

#[tokio::test]
async fn what_is_known_later_goes_under_what_a_person_made_of_the_entry() {
    let practice = Practice::start().await;
    let desk = practice.desk_at(&practice.origin, "").await;
    let first = JournalEntry { notes: Some("asked for the price".into()), ..entry("0191a5f2-c001") };
    let record = desk.call(Purpose::Journal, WriteJournal { entry: first.clone() }).await.unwrap();
    let path = format!("/activities/{}", record.id);
    assert_eq!(practice.at(&path).await["body"], "Notes: asked for the price");

    let edit = json!({"body": "Wants two, and a spare part.", "outcome": "answered, sold"});
    practice.does(Method::PATCH, &path, &edit).await;
    let later = JournalEntry {
        idempotency_key: "0191a5f2-c002".into(),
        outcome: CallOutcome::Missed,
        disposition: Some("Venda".into()),
        notes: Some("the address has changed".into()),
        ..first
    };
    let amend = async |entry: &JournalEntry| {
        let (record, entry) = (record.clone(), entry.clone());
        desk.call(Purpose::Journal, AmendJournal { record, entry }).await.unwrap()
    };
    // Twice, as by a host that died before it could say that it was done.
    for _ in 0..2 {
        assert_eq!(amend(&later).await.id, record.id);
        let now = practice.at(&path).await;
        let body = "Wants two, and a spare part.\n\nAdded: missed\nNotes: the address has changed\nDisposition: Venda";
        assert_eq!((&now["body"], &now["outcome"]), (&json!(body), &json!("answered, sold")));
    }

    // And once more, after a second edit.
    practice.does(Method::PATCH, &path, &json!({"body": "Wants three."})).await;
    let last = JournalEntry { idempotency_key: "0191a5f2-c003".into(), disposition: None, ..later };
    amend(&last).await;
    assert_eq!(
        practice.at(&path).await["body"],
        "Wants three.\n\nAdded: missed\nNotes: the address has changed"
    );
}
