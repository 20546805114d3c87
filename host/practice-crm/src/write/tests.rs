//! What no address of the API shows: what is left inside after a deletion.

use super::*;
use crate::seed;

#[test]
fn nothing_of_a_deleted_person_is_left_in_any_record() {
    let mut book = seed::book();
    let id: ContactId = "c-0006".parse().unwrap();
    let draft = ActivityDraft {
        external_id: Some("call-1".to_owned()),
        contact_id: Some(id),
        kind: Some(ActivityKind::Call),
        started_ms: Some(1),
        ..ActivityDraft::default()
    };
    book.record_activity(draft).unwrap();
    let deals: Vec<_> = book.deals_of(id, None).map(|deal| deal.id).collect();
    assert!(!deals.is_empty() && book.notes_of(id).count() > 0 && book.activities_of(id).count() > 1);

    book.delete_contact(id).unwrap();
    assert_eq!((book.notes_of(id).count(), book.activities_of(id).count()), (0, 0));
    assert!(book.by_external_id.is_empty());
    for deal in deals.iter().map(|deal| &book.deals[deal]) {
        assert_eq!((deal.contact_id, deal.title.as_str()), (None, "(anonymised)"));
    }
    assert_eq!(book.delete_contact(id), Err(Refusal::NotFound("contact")));
}
