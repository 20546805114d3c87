//! Rounds of questions for what was written.

use ramal_sdk::prelude::*;
use serde_json::{Value, json};

use super::host;
use crate::Odoo;

fn partner(id: u32, second: u32) -> Value {
    json!({"id": id, "write_date": format!("2026-11-23 20:05:{second:02}"), "active": id != 13, "name": "Inventada"})
}

/// The bodies that a series of ticks sends when Odoo answers so, and what the ticks tell.
fn asked(newest: &[Value], pages: &[Vec<Value>]) -> (Vec<Value>, Vec<(Vec<Fact>, bool)>) {
    let begun = host("sync").answer("newest-change", 200, json!(newest));
    let cx = pages.iter().fold(begun, |host, page| host.answer("changes", 200, json!(page))).cx();
    let mut cursor = None;
    let mut tick = || {
        let news = Odoo::handle_event(&cx, &Occasion::Tick { cursor: cursor.clone() }).unwrap();
        cursor = news.next.or(cursor.take());
        (news.facts, news.more)
    };
    assert_eq!(tick(), (vec![], false), "what was there before is no news");
    let told = pages.iter().map(|_| tick()).collect();
    (cx.sent("changes").into_iter().map(|sent| sent.body.clone()).collect(), told)
}

#[test]
fn a_round_looks_from_where_the_one_before_the_last_ended() {
    let pages = [vec![partner(7, 9), partner(13, 20)], vec![partner(7, 9), partner(13, 20)], vec![], vec![]];
    let (bodies, told) = asked(&[partner(7, 9)], &pages);
    let since: Vec<&str> = bodies.iter().map(|body| body["domain"][0][2].as_str().unwrap()).collect();
    // Twice from the second of the newest, which may hold more, and then from the second after the last.
    assert_eq!(
        since,
        ["2026-11-23 20:05:09", "2026-11-23 20:05:09", "2026-11-23 20:05:21", "2026-11-23 20:05:21"]
    );
    assert!(bodies.iter().all(|body| body["context"]["active_test"] == false), "archived ones are asked for");
    let both = vec![Fact::ContactChanged("7".into()), Fact::ContactDeleted("13".into())];
    assert_eq!(told, [(both.clone(), false), (both, false), (vec![], false), (vec![], false)]);
}

#[test]
fn what_was_written_at_one_moment_comes_page_by_page() {
    let all: Vec<Value> = (101..=500).map(|id| partner(id, 30)).collect();
    let pages = [all[..200].to_vec(), all[200..].to_vec(), vec![]];
    let (bodies, told) = asked(&[], &pages);
    let after: Vec<&Value> = bodies.iter().map(|body| &body["domain"][1][2]).collect();
    assert_eq!(after, [0, 300, 500]);
    assert_eq!(
        told.iter().map(|(facts, more)| (facts.len(), *more)).collect::<Vec<_>>(),
        [(200, true), (200, true), (0, false)]
    );
}
