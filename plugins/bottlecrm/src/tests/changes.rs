//! Rounds through the list of contacts.

use ramal_sdk::prelude::*;
use serde_json::{Value, json};

use super::host;
use crate::BottleCrm;

/// A page of a list of so many; contacts by their numbers, each last written in a second of one minute.
fn page(count: u32, contacts: &[(u32, u32)]) -> Value {
    let contact = |(id, second): &(u32, u32)| {
        json!({"id": format!("c-{id}"), "updated_at": format!("2026-11-23T19:50:{second:02}.059918-03:00"),
            "first_name": "Inventada"})
    };
    json!({"count": count, "results": contacts.iter().map(contact).collect::<Vec<_>>(), "countries": []})
}

/// What a series of ticks tells when the CRM answers so; each with whether there is more at once.
fn told(pages: &[Value]) -> Vec<(Vec<String>, bool)> {
    let cx = pages.iter().fold(host("sync"), |host, page| host.answer("changes", 200, page.clone())).cx();
    let mut cursor = None;
    let tick = |_: &Value| {
        let news = BottleCrm::handle_event(&cx, &Occasion::Tick { cursor: cursor.clone() }).unwrap();
        cursor = news.next.or(cursor.take());
        let name = |fact| match fact {
            Fact::ContactChanged(id) => id.into_string(),
            other => panic!("{other:?}"),
        };
        (news.facts.into_iter().map(name).collect(), news.more)
    };
    pages.iter().map(tick).collect()
}

fn names(contacts: &[u32]) -> Vec<String> {
    contacts.iter().map(|id| format!("c-{id}")).collect()
}

#[test]
fn a_change_is_told_wherever_it_stands_and_no_more_when_two_rounds_have_passed() {
    let first = page(60, &[(1, 10), (2, 9)]);
    let rounds = [
        first.clone(),
        // Of the second page, which the first tick did not read.
        first.clone(),
        page(60, &[(59, 3), (60, 20)]),
        first.clone(),
        page(60, &[(59, 3), (60, 20)]),
        first,
        page(60, &[(59, 3), (60, 20)]),
    ];
    let again = [(names(&[]), true), (names(&[60]), false)];
    let [one, two] = again.clone();
    let quiet = (names(&[]), false);
    assert_eq!(
        told(&rounds),
        [quiet.clone(), one, two, again[0].clone(), again[1].clone(), (names(&[]), true), quiet]
    );
}

/// One that moved from the second page to the first between the two was not seen: the next round looks for it.
#[test]
fn a_round_in_which_somebody_was_deleted_does_not_count() {
    let rounds = [
        page(60, &[(1, 10)]),
        // Two whole rounds in which the list shrinks, and in the end the one that was hidden.
        page(60, &[(1, 10)]),
        page(59, &[(60, 50)]),
        page(59, &[(1, 10)]),
        page(58, &[(60, 50)]),
        page(58, &[(1, 10)]),
        page(58, &[(51, 20), (60, 50)]),
    ];
    assert_eq!(told(&rounds).pop(), Some((names(&[51, 60]), false)));
}

#[test]
fn a_tick_reads_no_more_than_twenty_pages() {
    let many: Vec<Value> = (0..42).map(|_| page(100_000, &[(1, 10)])).collect();
    let at_once: Vec<bool> = told(&many).into_iter().map(|(_, more)| more).collect();
    // The first tick reads one page; then each ends after twenty.
    let ends: Vec<usize> =
        at_once.iter().enumerate().filter(|(_, more)| !**more).map(|(number, _)| number).collect();
    assert_eq!(ends, [0, 20, 40]);
}

#[test]
fn a_cursor_of_somebody_else_is_refused() {
    let cx = host("sync").cx();
    let tick = Occasion::Tick { cursor: Some("7".into()) };
    assert!(matches!(BottleCrm::handle_event(&cx, &tick), Err(Error::Permanent(_))));
}
