//! Ticks: the first gives a cursor alone, each later one what was made or written since.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::When;
use serde_json::{Value, json};

use super::{context, host, moment};
use crate::Tryton;

/// The party that is switched off.
const OFF: i64 = 3;

fn changed(id: i64, made: Value, written: Value) -> Value {
    json!({"id": id, "active": 1, "create_date": made, "write_date": written})
}

fn tick(cursor: Option<String>, written: Vec<Value>, made: Vec<Value>) -> (News, Vec<Value>) {
    let by = |field: &str| When::body(json!({"order": [[field, "ASC"], ["id", "ASC"]]}));
    let cx = host("sync")
        .answer_when("changes", by("write_date"), 200, json!(written))
        .answer_when("changes", by("create_date"), 200, json!(made))
        .answer(
            "still-there",
            200,
            json!((1..=200).filter(|id| *id != OFF).map(|id| json!({"id": id})).collect::<Vec<_>>()),
        )
        .answer("newest-change", 200, json!([changed(9, moment(1, 0, 0), moment(2, 0, 0))]))
        .cx();
    let news = cx.opened(Tryton::handle_event(&cx, &Occasion::Tick { cursor }).unwrap());
    for sent in cx.all_sent().into_iter().filter(|sent| sent.route != "still-there") {
        assert_eq!(context(&sent)["active_test"], false, "what is switched off is told too");
    }
    (news, cx.all_sent().into_iter().map(|sent| sent.body).collect())
}

fn first() -> String {
    tick(None, Vec::new(), Vec::new()).0.next.unwrap()
}

#[test]
fn what_was_there_before_the_first_tick_is_no_news() {
    let (news, asked) = tick(None, Vec::new(), Vec::new());
    assert!(news.facts.is_empty() && !news.more);
    assert_eq!(asked[0]["domain"], json!([["write_date", "!=", null]]));
    assert_eq!(asked[1]["order"], json!([["create_date", "DESC"], ["id", "DESC"]]));
    assert!(news.next.unwrap().len() < 500);
}

#[test]
fn parties_that_were_written_or_made_are_told_once() {
    let written = vec![
        changed(2, moment(1, 0, 0), moment(3, 0, 0)),
        changed(OFF, moment(1, 0, 0), moment(3, 0, 0)),
        changed(11, moment(4, 0, 0), moment(5, 0, 0)),
    ];
    let made =
        vec![changed(10, moment(3, 30, 0), Value::Null), changed(11, moment(4, 0, 0), moment(5, 0, 0))];
    let (news, asked) = tick(Some(first()), written, made);
    let id = |id: i64| Id::from(id);
    assert_eq!(
        news.facts,
        [
            Fact::ContactChanged(id(2)),
            Fact::ContactDeleted(id(3)),
            Fact::ContactChanged(id(11)),
            Fact::ContactChanged(id(10)),
        ]
    );
    assert_eq!(asked[0]["domain"][1], json!([["write_date", ">", moment(2, 0, 0)]]));
    assert_eq!(asked[0]["domain"][2], json!([["write_date", "=", moment(2, 0, 0)], ["id", ">", 9]]));
    assert!(!news.more);
}

#[test]
fn a_full_page_says_that_there_is_more_and_goes_on_after_its_last() {
    let many = (1..=101).map(|id| changed(id, moment(1, 0, 0), moment(3, 0, 0))).collect();
    let (news, _) = tick(Some(first()), many, Vec::new());
    assert_eq!((news.facts.len(), news.more), (100, true));
    let (_, asked) = tick(news.next, Vec::new(), Vec::new());
    assert_eq!(asked[0]["domain"][2], json!([["write_date", "=", moment(3, 0, 0)], ["id", ">", 100]]));
}

#[test]
fn nothing_new_leaves_the_cursor_where_it_was() {
    let (news, _) = tick(Some(first()), Vec::new(), Vec::new());
    assert_eq!((news.facts.len(), news.next), (0, Some(first())));
}

#[test]
fn a_cursor_of_somebody_else_is_no_reason_to_try_again() {
    let cx = host("sync").cx();
    let tick = Occasion::Tick { cursor: Some("17".into()) };
    assert!(matches!(Tryton::handle_event(&cx, &tick), Err(Error::Permanent(_))));
}
