//! The order of an erasure, and what happens when it breaks off.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::{Host, TestCx};
use serde_json::{Value, json};

use super::subject::SUBJECT;
use super::{context, host};
use crate::Tryton;
use crate::settings::Settings;

/// A Tryton that lets all of it happen.
fn willing() -> Host {
    host("subject-request")
        .calling("privacy.erase-subject")
        .recorded(SUBJECT)
        .answer("erase-begin", 200, json!({"id": 1, "result": [77, "ask", "end"]}))
        .answer("delete-records", 200, json!({"id": 1, "result": null}))
        .answer("empty-opportunity", 200, json!({"id": 1}))
        .answer("move-opportunity", 200, json!({"id": 4}))
        .answer("empty-party", 200, json!({"id": 2}))
        .answer("erase-end", 200, json!({"id": 1, "result": null}))
}

fn refusal() -> Value {
    json!({"id": 1, "error": ["UserError", ["Party \"Maria da Silva\" cannot be erased because ...", "", null]]})
}

/// Method, the end of the address and the body of each request that changes something.
fn changes(cx: &TestCx<Settings>) -> Vec<String> {
    cx.all_sent()
        .into_iter()
        .filter(|sent| !sent.route.starts_with("subject"))
        .map(|sent| format!("{} {} {}", sent.method, sent.url.rsplit("/crm/").next().unwrap(), sent.body))
        .collect()
}

fn refs(all: &[Ref]) -> Vec<String> {
    all.iter().map(|record| format!("{} {}", record.kind, record.id)).collect()
}

#[test]
fn what_trytons_own_erasure_would_leave_goes_first() {
    let cx = willing().answer("erase-execute", 200, json!({"id": 1, "result": {}})).cx();
    let receipt = cx.opened(Tryton::erase_subject(&cx, &"2".into(), Erasure::Erase).unwrap());
    assert_eq!(
        changes(&cx),
        [
            r#"POST rpc/ {"id":1,"method":"wizard.party.erase.create","params":[{}]}"#,
            r#"POST rpc/ {"id":1,"method":"model.ir.note.delete","params":[[11,12],{}]}"#,
            r#"POST rpc/ {"id":1,"method":"model.ir.attachment.delete","params":[[21],{}]}"#,
            r#"PUT rest/model/sale.opportunity/1 {"description":null,"comment":null,"lost_reason":null,"contact":null}"#,
            r#"POST rest/model/sale.opportunity/4/lead {}"#,
            r#"PUT rest/model/sale.opportunity/4 {"description":null,"comment":null,"lost_reason":null,"contact":null}"#,
            r#"POST rest/model/sale.opportunity/4/lost {}"#,
            r#"PUT rest/model/party.party/2 {"active":false,"contact_mechanisms":[["delete",[1,2]]],"identifiers":[["delete",[6]]]}"#,
            r#"POST rpc/ {"id":1,"method":"wizard.party.erase.execute","params":[77,{"ask":{"party":2}},"erase",{}]}"#,
            r#"POST rpc/ {"id":1,"method":"wizard.party.erase.delete","params":[77,{}]}"#,
        ]
    );
    assert_eq!(context(&cx.sent("empty-party")[0])["active_test"], false);
    assert_eq!(
        refs(&receipt.removed),
        [
            "ir.note 11",
            "ir.note 12",
            "ir.attachment 21",
            "party.contact_mechanism 1",
            "party.contact_mechanism 2",
            "party.identifier 6"
        ]
    );
    assert_eq!(refs(&receipt.anonymised), ["sale.opportunity 1", "sale.opportunity 4", "party.party 2"]);
    let kept: Vec<Ref> = receipt.kept.iter().map(|(record, _)| record.clone()).collect();
    assert_eq!(
        refs(&kept),
        ["sale.opportunity.history 1", "sale.opportunity 3", "sale.opportunity.history 4", "sale.sale 9"]
    );
    assert_eq!(cx.stored("reopened/4"), None);
}

#[test]
fn an_erased_party_is_erased_again_without_harm() {
    let empty =
        json!([{"id": 2, "name": null, "contact_mechanisms.": [], "identifiers.": [], "addresses.": []}]);
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .answer("subject", 200, empty)
        .answer(
            "subject-opportunities",
            200,
            json!([{"id": 4, "state": "lost", "description": null, "comment": ""}]),
        )
        .answer("subject-sales", 200, json!([]))
        .answer("subject-notes", 200, json!([]))
        .answer("subject-attachments", 200, json!([]))
        .answer("erase-begin", 200, json!({"result": [78, "ask", "end"]}))
        .answer("empty-party", 200, json!({"id": 2}))
        .answer("erase-execute", 200, json!({"result": {}}))
        .answer("erase-end", 200, json!({"result": null}))
        .cx();
    let receipt = Tryton::erase_subject(&cx, &"2".into(), Erasure::Erase).unwrap();
    assert_eq!(cx.sent("empty-party")[0].body, json!({"active": false}));
    assert_eq!(refs(&receipt.anonymised), ["sale.opportunity 4", "party.party 2"]);
    assert!(receipt.removed.is_empty());
}

#[test]
fn a_party_that_is_not_there_is_gone() {
    let cx = host("subject-request").answer("subject", 200, json!([])).cx();
    let receipt = Tryton::erase_subject(&cx, &"2".into(), Erasure::Anonymise).unwrap();
    assert_eq!(refs(&receipt.removed), ["party.party 2"]);
}

#[test]
fn an_unfinished_sale_stops_it_before_anything_is_touched() {
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .recorded(&SUBJECT.replace(r#""state": "done""#, r#""state": "processing""#))
        .cx();
    let Err(Error::Invalid(text)) = Tryton::erase_subject(&cx, &"2".into(), Erasure::Erase) else {
        panic!("it must be refused")
    };
    assert!(text.contains("1 unfinished sales"), "{text}");
    assert!(changes(&cx).is_empty());
}

#[test]
fn a_user_who_may_not_erase_stops_it_before_anything_is_touched() {
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .recorded(SUBJECT)
        .answer("erase-begin", 200, refusal())
        .cx();
    let refused = Tryton::erase_subject(&cx, &"2".into(), Erasure::Erase);
    assert!(matches!(refused, Err(Error::Denied(text)) if text.contains("Party Administration")));
    assert_eq!(changes(&cx).len(), 1);
}

#[test]
fn a_wrong_password_stops_it_before_anything_is_touched() {
    let cx = host("subject-request")
        .calling("privacy.erase-subject")
        .recorded(SUBJECT)
        .fails("erase-begin", Failure::AuthExpired)
        .cx();
    assert_eq!(Tryton::erase_subject(&cx, &"2".into(), Erasure::Erase), Err(Error::AuthExpired));
    assert!(cx.sent("empty-party").is_empty());
}

#[test]
fn trytons_refusal_says_what_to_do_and_nothing_of_the_person() {
    let cx = willing().answer("erase-execute", 200, refusal()).cx();
    let Err(Error::Invalid(text)) = Tryton::erase_subject(&cx, &"2".into(), Erasure::Erase) else {
        panic!("it must be refused")
    };
    assert!(text.contains("unfinished") && !text.contains("Maria"), "{text}");
}

#[test]
fn a_lost_deal_that_stayed_open_in_between_is_closed_by_the_next_try() {
    let first = host("subject-request")
        .calling("privacy.erase-subject")
        .recorded(SUBJECT)
        .answer("erase-begin", 200, json!({"result": [77, "ask", "end"]}))
        .answer("delete-records", 200, json!({"result": null}))
        .answer("empty-opportunity", 200, json!({"id": 1}))
        .answer("move-opportunity", 200, json!({"id": 4}))
        .answer("empty-opportunity", 503, json!({}))
        .cx();
    assert!(matches!(Tryton::erase_subject(&first, &"2".into(), Erasure::Erase), Err(Error::Transient(_))));
    let left = first.stored("reopened/4").expect("it is remembered");
    assert_eq!(left, "lost");

    let reopened = SUBJECT.replace(r#""state": "lost""#, r#""state": "lead""#);
    let second = host("subject-request")
        .calling("privacy.erase-subject")
        .stored("reopened/4", &left)
        .recorded(&reopened)
        .answer("erase-begin", 200, json!({"result": [78, "ask", "end"]}))
        .answer("delete-records", 200, json!({"result": null}))
        .answer("empty-opportunity", 200, json!({"id": 4}))
        .answer("move-opportunity", 200, json!({"id": 4}))
        .answer("empty-party", 200, json!({"id": 2}))
        .answer("erase-execute", 200, json!({"result": {}}))
        .answer("erase-end", 200, json!({"result": null}))
        .cx();
    Tryton::erase_subject(&second, &"2".into(), Erasure::Erase).unwrap();
    let moves: Vec<String> = second.sent("move-opportunity").into_iter().map(|sent| sent.url).collect();
    assert_eq!(moves, ["http://127.0.0.1:8000/crm/rest/model/sale.opportunity/4/lost"]);
    assert_eq!(second.stored("reopened/4"), None);
}
