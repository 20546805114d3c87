//! Removing somebody: the copies first.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::{Host, When};
use serde_json::json;

use super::subject::subject;
use super::{host, refusal, tells_nothing};
use crate::Odoo;

/// An Odoo that does what it is asked.
fn willing() -> Host {
    subject("privacy.erase-subject")
        .answer("same-number", 200, json!([]))
        .answer("delete", 200, json!(true))
        .answer("empty-messages", 200, json!(true))
        .answer("empty-lead", 200, json!(true))
        .answer("empty-event", 200, json!(true))
        .answer("empty-bank", 200, json!(true))
        .answer("empty-contact", 200, json!(true))
}

fn refs(records: &[Ref]) -> Vec<String> {
    records.iter().map(|record| format!("{} {}", record.kind, record.id)).collect()
}

fn kept(receipt: &Receipt) -> Vec<String> {
    receipt.kept.iter().map(|(record, _)| format!("{} {}", record.kind, record.id)).collect()
}

#[test]
fn the_copies_go_first_and_the_contact_last() {
    let cx = willing().cx();
    let receipt = Odoo::erase_subject(&cx, &"8".into(), Erasure::Erase).unwrap();
    let changes: Vec<String> = cx
        .all_sent()
        .into_iter()
        .filter(|sent| !sent.url.ends_with("search_read"))
        .map(|sent| format!("{} {}", sent.url.rsplit_once("/2/").unwrap().1, sent.body["ids"]))
        .collect();
    assert_eq!(
        changes,
        [
            "mail.message/unlink [60,90]",
            "mail.message/write [80]",
            "mail.activity/unlink [1]",
            "ir.attachment/unlink [34]",
            "crm.lead/write [3]",
            "calendar.event/write [2]",
            "res.partner.bank/write [9]",
            "res.partner/unlink [8,4]",
        ]
    );
    // Taking a value away must not add it to what Odoo remembers of former values.
    for route in ["empty-lead", "empty-event"] {
        let body = &cx.sent(route)[0].body;
        assert_eq!(body["context"]["tracking_disable"], json!(true), "{route}");
        assert_eq!(body["vals"]["name"], json!("Anonimizado"), "{route}");
    }
    let lead = &cx.sent("empty-lead")[0].body["vals"];
    for field in ["partner_id", "contact_name", "email_from", "phone", "description"] {
        assert!(lead[field].is_null() && lead.get(field).is_some(), "{field}");
    }
    assert_eq!(
        refs(&receipt.removed),
        [
            "mail.message 60",
            "mail.message 90",
            "mail.activity 1",
            "ir.attachment 34",
            "res.partner 8",
            "res.partner 4"
        ]
    );
    assert_eq!(
        refs(&receipt.anonymised),
        ["mail.message 80", "crm.lead 3", "calendar.event 2", "res.partner.bank 9"]
    );
    assert_eq!(kept(&receipt), ["mail.message 80", "res.partner 8"]);
}

#[test]
fn leads_of_nobody_with_the_same_number_are_named_and_not_touched() {
    let by_phone =
        When::body(json!({"domain": [["partner_id", "=", false], ["phone", "=", "(11) 98765-4321"]]}));
    let cx = subject("privacy.erase-subject")
        .answer_when("same-number", by_phone, 200, json!([{"id": 33}]))
        .answer("same-number", 200, json!([{"id": 33}]))
        .answer("delete", 200, json!(true))
        .answer("empty-messages", 200, json!(true))
        .answer("empty-lead", 200, json!(true))
        .answer("empty-event", 200, json!(true))
        .answer("empty-bank", 200, json!(true))
        .cx();
    let receipt = Odoo::erase_subject(&cx, &"8".into(), Erasure::Erase).unwrap();
    assert_eq!(
        kept(&receipt),
        ["crm.lead 33", "mail.message 80", "res.partner 8"],
        "once, though number and e-mail find it"
    );
    assert_eq!(cx.sent("same-number").len(), 2, "an address without a number asks for none");
    assert_eq!(cx.sent("empty-lead")[0].body["ids"], json!([3]));
}

#[test]
fn to_anonymise_keeps_the_contact_without_what_says_who_it_was() {
    let cx = willing().cx();
    let receipt = Odoo::erase_subject(&cx, &"8".into(), Erasure::Anonymise).unwrap();
    let sent = &cx.sent("empty-contact")[0].body;
    assert_eq!((&sent["ids"], &sent["vals"]["name"]), (&json!([8, 4]), &json!("Anonimizado")));
    assert_eq!(sent["context"]["tracking_disable"], json!(true));
    for field in ["phone", "email", "vat", "street", "comment", "image_1920", "barcode"] {
        assert!(sent["vals"][field].is_null() && sent["vals"].get(field).is_some(), "{field}");
    }
    assert!(refs(&receipt.anonymised).ends_with(&["res.partner 8".to_owned(), "res.partner 4".to_owned()]));
    assert!(!refs(&receipt.removed).iter().any(|record| record.starts_with("res.partner ")));
}

#[test]
fn a_contact_that_odoo_needs_is_made_anonymous_and_the_receipt_says_so() {
    let cx = subject("privacy.erase-subject")
        .answer("same-number", 200, json!([]))
        .answer_when(
            "delete",
            When::url("/res.partner/unlink"),
            422,
            refusal("odoo.exceptions.ValidationError"),
        )
        .answer("delete", 200, json!(true))
        .answer("empty-messages", 200, json!(true))
        .answer("empty-lead", 200, json!(true))
        .answer("empty-event", 200, json!(true))
        .answer("empty-bank", 200, json!(true))
        .answer("empty-contact", 200, json!(true))
        .cx();
    let receipt = Odoo::erase_subject(&cx, &"8".into(), Erasure::Erase).unwrap();
    assert!(kept(&receipt).contains(&"res.partner 8".to_owned()));
    assert!(refs(&receipt.anonymised).contains(&"res.partner 8".to_owned()));
}

#[test]
fn a_meeting_of_somebody_else_is_named_and_the_rest_goes_on() {
    let cx = subject("privacy.erase-subject")
        .answer("same-number", 200, json!([]))
        .answer("delete", 200, json!(true))
        .answer("empty-messages", 200, json!(true))
        .answer("empty-lead", 200, json!(true))
        .answer("empty-event", 403, refusal("odoo.exceptions.AccessError"))
        .answer("empty-bank", 200, json!(true))
        .cx();
    let receipt = Odoo::erase_subject(&cx, &"8".into(), Erasure::Erase).unwrap();
    assert!(kept(&receipt).contains(&"calendar.event 2".to_owned()));
    assert!(refs(&receipt.removed).contains(&"res.partner 8".to_owned()));
}

#[test]
fn what_may_not_be_deleted_stops_before_the_contact_is_touched() {
    let cx = subject("privacy.erase-subject")
        .answer("same-number", 200, json!([]))
        .answer_when("delete", When::url("/mail.message/unlink"), 403, refusal("odoo.exceptions.AccessError"))
        .cx();
    let error = Odoo::erase_subject(&cx, &"8".into(), Erasure::Erase).unwrap_err();
    tells_nothing(&error);
    assert!(matches!(&error, Error::Denied(text) if text.contains("mail.message")), "{error}");
    assert_eq!(cx.all_sent().last().unwrap().route, "delete");
}

#[test]
fn what_somebody_deletes_meanwhile_is_worth_another_try() {
    let cx = subject("privacy.erase-subject")
        .answer("same-number", 200, json!([]))
        .answer("delete", 404, refusal("odoo.exceptions.MissingError"))
        .cx();
    let error = Odoo::erase_subject(&cx, &"8".into(), Erasure::Erase).unwrap_err();
    assert!(matches!(error, Error::Transient(_)), "{error}");
}

#[test]
fn a_contact_that_is_not_there_is_gone() {
    let cx = host("subject-request").answer("subject", 200, json!([])).cx();
    let receipt = Odoo::erase_subject(&cx, &"8".into(), Erasure::Anonymise).unwrap();
    assert_eq!(refs(&receipt.removed), ["res.partner 8"]);
}
