//! Find, search, get, create, update.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::When;
use rstest::rstest;
use serde_json::{Value, json};

use super::{host, partner, refusal, tells_nothing};
use crate::Odoo;

#[test]
fn a_caller_is_found_in_every_spelling_by_one_request() {
    let cx = host("screen-pop").answer("find-by-phone", 200, json!([partner()])).cx();
    let candidates = cx.text().phone_variants(&cx.sealed("contact.phone", "+5511987654321"));
    let found = Odoo::find_by_phone(&cx, &candidates).unwrap();
    assert!(found[0].name.is_sealed() && found[0].phones[0].is_sealed() && found[0].emails[0].is_sealed());

    let sent = cx.all_sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].url, "http://127.0.0.1:8069/json/2/res.partner/search_read");
    assert_eq!(sent[0].headers, [("X-Odoo-Database".to_owned(), "crm".to_owned())]);
    let both = ["+5511987654321", "+551187654321"];
    let spelt = ["(11) 98765-4321", "(11) 8765-4321", "5511987654321", "551187654321"];
    let all: Vec<&str> = both.iter().chain(&spelt).copied().collect();
    assert_eq!(
        sent[0].body["domain"],
        json!([
            ["phone", "!=", false],
            "|",
            ["phone_sanitized", "in", both],
            ["phone_mobile_search", "in", all]
        ])
    );
    let shown = cx.opened(found);
    assert_eq!(shown[0].id, "8");
    assert_eq!(shown[0].name.as_str(), "Maria da Silva");
    assert_eq!(shown[0].organization.as_ref().map(Text::as_str), Some("Padaria Estrela Ltda"));
    assert_eq!(shown[0].phones, ["(11) 98765-4321".into()]);
    assert_eq!(shown[0].emails, ["maria@example.com".into()]);
    assert_eq!(shown[0].owner.as_ref().map(Text::as_str), Some("Vera Vendedora"));
    assert_eq!(shown[0].updated.unwrap().to_string(), "2026-11-23T20:05:07Z");
    assert_eq!(shown[0].url.as_deref(), Some("http://127.0.0.1:8069/odoo/res.partner/8"));
}

#[test]
fn what_odoo_calls_false_is_nothing() {
    let row = json!({"id": 9, "name": false, "display_name": "Padaria Estrela Ltda", "phone": "4002-8922",
        "email": false, "parent_id": false, "company_name": false, "user_id": false, "write_date": "2026-11-23 20:05:07",
        "phone_mobile_search": false});
    let cx = host("screen-pop").answer("get", 200, json!([row])).cx();
    let shown = cx.opened(Odoo::get_contact(&cx, &"9".into()).unwrap());
    assert_eq!(
        shown,
        Contact {
            id: "9".into(),
            name: "Padaria Estrela Ltda".into(),
            phones: vec!["4002-8922".into()],
            url: shown.url.clone(),
            updated: shown.updated,
            ..Contact::default()
        }
    );
}

#[test]
fn without_a_number_nothing_is_asked() {
    let cx = host("screen-pop").cx();
    // To Odoo an empty number is that of everybody who has none.
    assert_eq!(Odoo::find_by_phone(&cx, &[Text::default()]), Ok(vec![]));
    assert_eq!(Odoo::find_by_phone(&cx, &[]), Ok(vec![]));
    assert!(cx.all_sent().is_empty());
}

#[test]
fn a_number_that_odoo_finds_too_short_is_looked_for_as_it_is() {
    let cx = host("screen-pop")
        .answer("find-by-phone", 422, refusal("odoo.exceptions.UserError"))
        .answer("find-by-phone", 200, json!([]))
        .cx();
    assert_eq!(Odoo::find_by_phone(&cx, &[cx.sealed("contact.phone", "12")]), Ok(vec![]));
    let domain = &cx.sent("find-by-phone")[1].body["domain"];
    assert_eq!(
        *domain,
        json!([["phone", "!=", false], "|", ["phone_sanitized", "in", []], ["phone", "in", ["12"]]])
    );
}

#[test]
fn a_contact_is_read_by_a_search_so_that_an_unknown_one_is_no_missing_database() {
    let cx = host("screen-pop").answer("get", 200, json!([])).cx();
    assert_eq!(Odoo::get_contact(&cx, &"9999".into()), Err(Error::NotFound));
    assert_eq!(Odoo::get_contact(&cx, &"abc".into()), Err(Error::NotFound));
    assert_eq!(cx.sent("get").len(), 1, "a word is no number of a record");
    assert_eq!(cx.sent("get")[0].body["domain"], json!([["id", "=", 9999]]));
}

#[rstest]
#[case::no_database(404, json!({}), Error::Invalid(
    "Odoo has no database `crm` at this address; correct the settings `server` and `database`".into()))]
#[case::no_model(404, refusal("werkzeug.exceptions.NotFound"), Error::Invalid(
    "route `get`: Odoo has no such model or method; the plugin is for Odoo 19 with the app CRM".into()))]
#[case::gone(404, refusal("odoo.exceptions.MissingError"), Error::NotFound)]
#[case::no_right(403, refusal("odoo.exceptions.AccessError"), Error::Denied(
    "route `get`: Odoo does not let the key's user do this; put the user into the groups that the plugin's README \
     names".into()))]
#[case::wrong_data(422, refusal("odoo.exceptions.ValidationError"), Error::Invalid(
    "route `get`: Odoo refuses the data; its own log says why".into()))]
#[case::wrong_key(401, refusal("werkzeug.exceptions.Unauthorized"), Error::AuthExpired)]
#[case::own_error(500, refusal("builtins.ValueError"), Error::Transient("the CRM answered 500".into()))]
fn each_refusal_has_its_meaning_and_tells_nothing(
    #[case] status: u16,
    #[case] body: Value,
    #[case] expected: Error,
) {
    let cx = host("screen-pop").answer("get", status, body).cx();
    let error = Odoo::get_contact(&cx, &"8".into()).unwrap_err();
    tells_nothing(&error);
    assert_eq!(error, expected);
    assert!(cx.logged().is_empty());
}

#[test]
fn pages_follow_one_another_and_end() {
    let many = |ids: std::ops::Range<u32>| {
        Value::from(ids.map(|id| json!({"id": id, "name": "Ana Inventada"})).collect::<Vec<_>>())
    };
    let cx = host("search")
        .answer_when("search", When::body(json!({"offset": 0})), 200, many(1..4))
        .answer_when("search", When::body(json!({"offset": 2})), 200, many(3..4))
        .cx();
    let query = cx.sealed("contact.name", "ana");
    let first = Odoo::search(&cx, &query, &Page { limit: 2, cursor: None }).unwrap();
    assert_eq!((first.items.len(), first.next.as_deref()), (2, Some("2")));
    let second = Odoo::search(&cx, &query, &Page { limit: 2, cursor: first.next }).unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
    assert_eq!(
        cx.sent("search")[0].body["domain"],
        json!([
            "|",
            "|",
            "|",
            ["complete_name", "ilike", "ana"],
            ["email", "ilike", "ana"],
            ["phone", "ilike", "ana"],
            ["phone_sanitized", "ilike", "ana"]
        ])
    );
    let strange = Page { limit: 2, cursor: Some("two".into()) };
    assert!(matches!(Odoo::search(&cx, &query, &strange), Err(Error::Invalid(_))));
    // No page asks for more comparisons than any grant allows.
    Odoo::search(&cx, &query, &Page { limit: 200, cursor: None }).unwrap();
    assert_eq!(cx.sent("search").last().unwrap().body["limit"], json!(16));
}

#[test]
fn a_new_contact_is_told_without_reading_it_back() {
    let cx = host("search")
        .calling("contacts.create")
        .answer("find-same", 200, json!([]))
        .answer("create", 200, json!([17]))
        .cx();
    let draft = ContactDraft {
        name: Some(cx.sealed("contact.name", "Rita Alves")),
        organization: Some(cx.sealed("contact.organization", "Alves & Filhas")),
        phones: vec![
            cx.sealed("contact.phone", "+5511912345678"),
            cx.sealed("contact.phone", "+5511912345679"),
        ],
        ..ContactDraft::default()
    };
    let made = cx.opened(Odoo::create_contact(&cx, &draft).unwrap());
    assert_eq!((made.id.as_str(), made.name.as_str()), ("17", "Rita Alves"));
    assert_eq!(made.phones, ["+5511912345678".into()]);
    assert_eq!(
        cx.sent("create")[0].body,
        json!({"vals_list": [
            {"name": "Rita Alves", "company_name": "Alves & Filhas", "phone": "+5511912345678"}]})
    );
    assert_eq!(
        cx.sent("find-same")[0].body["domain"],
        json!([
            ["name", "=", "Rita Alves"],
            "|",
            "|",
            ["phone", "in", ["+5511912345678"]],
            ["phone_sanitized", "in", ["+5511912345678"]],
            ["email", "in", []]
        ])
    );
    assert_eq!(cx.all_sent().last().unwrap().route, "create", "it is told as it was written");
    assert!(cx.logged()[0].1.contains("the first of each is kept"));
}

#[test]
fn somebody_of_that_name_and_number_is_not_made_again() {
    let cx = host("search").calling("contacts.create").answer("find-same", 200, json!([partner()])).cx();
    let draft = ContactDraft {
        name: Some(cx.sealed("contact.name", "Maria da Silva")),
        emails: vec![cx.sealed("contact.email", "maria@example.com")],
        ..ContactDraft::default()
    };
    assert_eq!(Odoo::create_contact(&cx, &draft).unwrap().id, "8");
    assert!(cx.sent("create").is_empty());
    // A name alone may be somebody else's: such a draft is made.
    let cx = host("search").calling("contacts.create").answer("create", 200, json!([17])).cx();
    let namesake =
        ContactDraft { name: Some(cx.sealed("contact.name", "Maria da Silva")), ..ContactDraft::default() };
    assert_eq!(Odoo::create_contact(&cx, &namesake).unwrap().id, "17");
}

#[test]
fn a_company_alone_is_a_company_and_nobody_is_made_without_a_name() {
    let cx = host("search").calling("contacts.create").answer("create", 200, json!([17])).cx();
    let company = ContactDraft {
        organization: Some(cx.sealed("contact.organization", "Alves & Filhas")),
        ..ContactDraft::default()
    };
    Odoo::create_contact(&cx, &company).unwrap();
    assert_eq!(
        cx.sent("create")[0].body,
        json!({"vals_list": [{"name": "Alves & Filhas", "is_company": true}]})
    );
    assert!(matches!(Odoo::create_contact(&cx, &ContactDraft::default()), Err(Error::Invalid(_))));
    assert_eq!(cx.all_sent().len(), 1);
}

#[test]
fn only_what_is_said_is_changed() {
    let cx = host("search")
        .calling("contacts.update")
        .answer("update", 200, json!(true))
        .answer("get", 200, json!([partner()]))
        .cx();
    let changes =
        ContactDraft { emails: vec![cx.sealed("contact.email", "m@example.com")], ..ContactDraft::default() };
    Odoo::update_contact(&cx, &"8".into(), &changes).unwrap();
    assert_eq!(cx.sent("update")[0].body, json!({"ids": [8], "vals": {"email": "m@example.com"}}));
    Odoo::update_contact(&cx, &"8".into(), &ContactDraft::default()).unwrap();
    assert_eq!(cx.sent("update").len(), 1, "nothing said, nothing sent");
}
