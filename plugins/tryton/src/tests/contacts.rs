//! Find, search, get, create, update.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::When;
use rstest::rstest;
use serde_json::{Value, json};

use super::{context, domain, host, host_with, party, party_of_get};
use crate::Tryton;

#[test]
fn a_caller_is_found_in_every_spelling_by_one_request() {
    let cx = host("screen-pop").answer("find-by-phone", 200, json!([party()])).cx();
    let candidates = cx.text().phone_variants(&cx.sealed("contact.phone", "+5511987654321"));
    let found = Tryton::find_by_phone(&cx, &candidates).unwrap();
    assert!(found[0].name.is_sealed() && found[0].phones[0].is_sealed() && found[0].emails[0].is_sealed());

    let sent = cx.all_sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].url, "http://127.0.0.1:8000/crm/rest/model/party.party/search_read");
    assert_eq!(
        sent[0].body["domain"],
        json!([[
            "contact_mechanisms.value_compact",
            "in",
            [
                "+5511987654321",
                "+551187654321",
                "(11) 98765-4321",
                "(11) 8765-4321",
                "5511987654321",
                "551187654321",
                "+55 11 98765-4321",
                "+55 11 8765-4321"
            ]
        ]])
    );
    let shown = cx.opened(found);
    assert_eq!(shown[0].id, "2");
    assert_eq!(shown[0].name.as_str(), "Maria da Silva");
    assert_eq!(shown[0].phones, ["+55 11 98765-4321".into()]);
    assert_eq!(shown[0].emails, ["maria@example.com".into()]);
    assert_eq!(shown[0].updated.unwrap().to_string(), "2026-11-23T20:05:07Z");
    assert_eq!(shown[0].url, None);
}

#[rstest]
#[case::e164("+551176543210")]
#[case::national("(11) 7654-3210")]
#[case::digits("551176543210")]
#[case::international("+55 11 7654-3210")]
#[case::international_with_the_ninth_digit("+55 11 97654-3210")]
fn a_row_is_looked_for_as_somebody_typed_it(#[case] kept: &str) {
    let cx = host("screen-pop").answer("find-by-phone", 200, json!([])).cx();
    let candidates = cx.text().phone_variants(&cx.sealed("contact.phone", "+5511976543210"));
    Tryton::find_by_phone(&cx, &candidates).unwrap();
    let asked = &cx.sent("find-by-phone")[0].body["domain"][0][2];
    assert!(asked.as_array().unwrap().contains(&json!(kept)), "{asked}");
}

#[test]
fn what_is_no_number_is_looked_for_as_it_is() {
    let cx = host("screen-pop").answer("find-by-phone", 200, json!([])).cx();
    let found = Tryton::find_by_phone(&cx, &[cx.sealed("contact.phone", "maria on the channel")]);
    assert_eq!(found, Ok(vec![]));
    assert_eq!(cx.sent("find-by-phone")[0].body["domain"][0][2], json!(["maria on the channel"]));
}

#[test]
fn without_a_number_nothing_is_asked() {
    let cx = host("screen-pop").cx();
    assert_eq!(Tryton::find_by_phone(&cx, &[]), Ok(vec![]));
    assert!(cx.all_sent().is_empty());
}

#[test]
fn a_record_that_was_never_changed_dates_from_its_creation() {
    let mut fresh = party();
    fresh["write_date"] = Value::Null;
    let cx = host("screen-pop").answer("find-by-phone", 200, json!([fresh])).cx();
    let found = Tryton::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654321")]).unwrap();
    assert_eq!(found[0].updated.unwrap().to_string(), "2026-11-23T20:01:38Z");
}

#[test]
fn a_party_without_name_or_mechanisms_is_a_card_without_them() {
    let cx = host("screen-pop").answer("find-by-phone", 200, json!([{"id": 7, "name": null}])).cx();
    let found = Tryton::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654321")]).unwrap();
    assert_eq!(found, [Contact { id: "7".into(), ..Contact::default() }]);
}

#[test]
fn a_card_links_to_the_web_client_where_there_is_one() {
    let settings = json!({"server": "http://127.0.0.1:8000", "database": "crm", "web-client": true});
    let cx = host_with("screen-pop", settings).answer("get", 200, json!([party_of_get()])).cx();
    let contact = cx.opened(Tryton::get_contact(&cx, &"2".into()).unwrap());
    assert_eq!(contact.url.as_deref(), Some("http://127.0.0.1:8000/#crm/model/party.party/2"));
}

#[test]
fn a_party_is_read_by_a_search_so_that_an_unknown_one_is_no_403() {
    let cx =
        host("screen-pop").answer("get", 200, json!([party_of_get()])).answer("get", 200, json!([])).cx();
    let contact = cx.opened(Tryton::get_contact(&cx, &"2".into()).unwrap());
    assert_eq!(contact.phones, ["+55 11 98765-4321".into()]);
    assert_eq!(Tryton::get_contact(&cx, &"9999".into()), Err(Error::NotFound));
    assert_eq!(Tryton::get_contact(&cx, &"abc".into()), Err(Error::NotFound));

    let sent = cx.sent("get");
    assert_eq!(sent.len(), 2, "a word is no number of a record");
    assert_eq!(domain(&sent[0]), json!([["id", "=", 2]]));
    assert_eq!(context(&sent[0]), json!({"company": 1, "companies": [1]}));
    assert!(sent[0].url.contains("%3D&s=1&f=name"), "Tryton wants base64 padded: {}", sent[0].url);
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
    let first = Tryton::search(&cx, &query, &Page { limit: 2, cursor: None }).unwrap();
    assert_eq!((first.items.len(), first.next.as_deref()), (2, Some("2")));
    let second = Tryton::search(&cx, &query, &Page { limit: 2, cursor: first.next }).unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
    assert_eq!(
        cx.sent("search")[0].body["domain"],
        json!(["OR", ["rec_name", "ilike", "%ana%"], ["contact_mechanisms.value", "ilike", "%ana%"]])
    );
    let strange = Page { limit: 2, cursor: Some("two".into()) };
    assert!(matches!(Tryton::search(&cx, &query, &strange), Err(Error::Invalid(_))));
}

fn draft(cx: &ramal_sdk::testing::TestCx<crate::settings::Settings>) -> ContactDraft {
    ContactDraft {
        name: Some(cx.sealed("contact.name", "Rita Alves")),
        phones: vec![cx.sealed("contact.phone", "+5511912345678")],
        emails: vec![cx.sealed("contact.email", "rita@example.com")],
        ..ContactDraft::default()
    }
}

/// A Tryton that knows nobody like the draft.
fn new_to_tryton() -> ramal_sdk::testing::Host {
    host("search").answer("find-same", 200, json!([]))
}

#[test]
fn somebody_of_that_name_and_number_is_not_made_again() {
    let cx = host("search").calling("contacts.create").answer("find-same", 200, json!([party_of_get()])).cx();
    assert_eq!(Tryton::create_contact(&cx, &draft(&cx)).unwrap().id, "2");
    assert_eq!(
        cx.sent("find-same")[0].body["domain"],
        json!([
            ["name", "=", "Rita Alves"],
            [
                "contact_mechanisms.value_compact",
                "in",
                ["+5511912345678", "rita@example.com", "+5511912345678"]
            ]
        ])
    );
    assert!(cx.sent("create").is_empty());
}

#[test]
fn a_new_party_is_made_with_numbers_and_addresses_at_once() {
    let cx = new_to_tryton().answer("create", 200, party_of_get()).cx();
    let made = Tryton::create_contact(&cx, &draft(&cx)).unwrap();
    assert_eq!(made.id, "2");
    assert_eq!(
        cx.sent("create")[0].body,
        json!({"name": "Rita Alves", "contact_mechanisms": [["create", [
            {"type": "phone", "value": "+5511912345678"}, {"type": "email", "value": "rita@example.com"}]]]})
    );
}

#[test]
fn a_number_that_tryton_refuses_is_kept_as_text() {
    let refusal =
        json!({"status": 400, "message": "The phone number \"4004\" for party \"Rita\" is not valid."});
    let cx = new_to_tryton().answer("create", 400, refusal).answer("create", 200, party_of_get()).cx();
    Tryton::create_contact(&cx, &draft(&cx)).unwrap();
    let sent = cx.sent("create");
    assert_eq!(sent[1].body["contact_mechanisms"][0][1][0]["type"], "other");
    assert_eq!(sent[1].body["contact_mechanisms"][0][1][1]["type"], "email");
}

#[test]
fn a_second_refusal_is_final_and_says_nothing_of_the_person() {
    let refusal = json!({"status": 400, "message": "The e-mail \"rita@example.com\" is not valid."});
    let cx = new_to_tryton().answer("create", 400, refusal).cx();
    let Err(Error::Invalid(text)) = Tryton::create_contact(&cx, &draft(&cx)) else {
        panic!("it must be refused")
    };
    assert_eq!(cx.sent("create").len(), 2);
    assert_eq!(
        text,
        "route `create`: Tryton refuses it with 400; either the data do not fit or the key's user may not write this"
    );
}

#[test]
fn a_refusal_without_numbers_is_not_repeated() {
    let cx = new_to_tryton().answer("create", 400, json!({})).cx();
    let draft = ContactDraft { phones: vec![], ..draft(&cx) };
    assert!(matches!(Tryton::create_contact(&cx, &draft), Err(Error::Invalid(_))));
    assert_eq!(cx.sent("create").len(), 1);
}

#[test]
fn nobody_is_made_without_a_name() {
    let cx = host("search").cx();
    let nameless = ContactDraft { name: Some(Text::new()), ..draft(&cx) };
    assert!(matches!(Tryton::create_contact(&cx, &nameless), Err(Error::Invalid(_))));
    assert!(cx.all_sent().is_empty());
}

#[test]
fn a_company_alone_is_a_party_too() {
    let cx = host("search").answer("create", 200, party_of_get()).cx();
    let organization = Some(cx.sealed("contact.organization", "Padaria Inventada"));
    let company = ContactDraft { organization, ..ContactDraft::default() };
    Tryton::create_contact(&cx, &company).unwrap();
    assert_eq!(cx.sent("create")[0].body, json!({"name": "Padaria Inventada"}));
    assert!(cx.logged().is_empty());
}

#[test]
fn what_has_no_place_is_said_to_the_operator() {
    let cx = new_to_tryton().answer("create", 200, party_of_get()).cx();
    let organization = Some(cx.sealed("contact.organization", "Padaria Inventada"));
    Tryton::create_contact(&cx, &ContactDraft { organization, ..draft(&cx) }).unwrap();
    assert_eq!(cx.sent("create")[0].body["name"], "Rita Alves");
    assert_eq!(cx.logged().len(), 1);
}

#[rstest]
#[case::the_same(&["+5511987654321"], &[], None)]
#[case::another(&["+5511922223333"], &[], Some(json!([["write", [1], {"value": "+5511922223333"}]])))]
#[case::one_more(
    &["+5511987654321", "+551130001111"], &[],
    Some(json!([["create", [{"type": "phone", "value": "+551130001111"}]]])),
)]
#[case::another_mail(&[], &["m@example.com"], Some(json!([["write", [2], {"value": "m@example.com"}]])))]
#[case::a_second_mail_first(
    &[], &["m@example.com", "maria@example.com"],
    Some(json!([["create", [{"type": "email", "value": "m@example.com"}]]])),
)]
fn a_list_replaces_the_list_and_leaves_what_is_the_same(
    #[case] phones: &[&str],
    #[case] emails: &[&str],
    #[case] commands: Option<Value>,
) {
    let cx =
        host("search").answer("get", 200, json!([party_of_get()])).answer("update", 200, party_of_get()).cx();
    let changes = ContactDraft {
        phones: phones.iter().map(|phone| cx.sealed("contact.phone", phone)).collect(),
        emails: emails.iter().map(|email| cx.sealed("contact.email", email)).collect(),
        ..ContactDraft::default()
    };
    Tryton::update_contact(&cx, &"2".into(), &changes).unwrap();
    let sent = cx.sent("update").pop().map(|sent| sent.body["contact_mechanisms"].clone());
    assert_eq!(sent, commands);
}

#[test]
fn numbers_that_are_no_longer_wanted_go() {
    let mut many = party_of_get();
    many["contact_mechanisms"] = json!([
        {"id": 1, "type": "mobile", "value": "+55 11 98765-4321"},
        {"id": 5, "type": "phone", "value": "+55 11 3000-2222"},
        {"id": 6, "type": "fax", "value": "+55 11 3000-3333"},
        {"id": 7, "type": "other", "value": "@maria on a channel"},
        {"id": 8, "type": "other", "value": "+55 11 8765-4321"},
    ]);
    let cx = host("search").answer("get", 200, json!([many])).answer("update", 200, party_of_get()).cx();
    let phones = vec![cx.sealed("contact.phone", "+551130002222")];
    Tryton::update_contact(&cx, &"2".into(), &ContactDraft { phones, ..ContactDraft::default() }).unwrap();
    // The fax and what is no number are not telephone numbers of the card.
    assert_eq!(cx.sent("update")[0].body, json!({"contact_mechanisms": [["delete", [1, 8]]]}));
}

#[test]
fn a_changed_number_that_tryton_refuses_is_kept_as_text() {
    let cx = host("search")
        .answer("get", 200, json!([party_of_get()]))
        .answer("update", 400, json!({}))
        .answer("update", 200, party_of_get())
        .cx();
    let phones = vec![cx.sealed("contact.phone", "+551181234567")];
    Tryton::update_contact(&cx, &"2".into(), &ContactDraft { phones, ..ContactDraft::default() }).unwrap();
    assert_eq!(
        cx.sent("update")[1].body["contact_mechanisms"],
        json!([["write", [1], {"type": "other", "value": "+551181234567"}]])
    );
}

#[test]
fn a_name_changes_without_touching_the_rest() {
    let cx =
        host("search").answer("get", 200, json!([party_of_get()])).answer("update", 200, party_of_get()).cx();
    let name = Some(cx.sealed("contact.name", "Maria Souza"));
    Tryton::update_contact(&cx, &"2".into(), &ContactDraft { name, ..ContactDraft::default() }).unwrap();
    assert_eq!(cx.sent("update")[0].body, json!({"name": "Maria Souza"}));
    assert!(cx.sent("update")[0].url.contains("/party.party/2?f=name"));
}

#[test]
fn nothing_to_change_is_a_reading() {
    let cx = host("search").answer("get", 200, json!([party_of_get()])).cx();
    assert_eq!(Tryton::update_contact(&cx, &"2".into(), &ContactDraft::default()).unwrap().id, "2");
    assert!(cx.sent("update").is_empty());
}

#[rstest]
#[case::no_right(403, Error::Denied("route `find-by-phone`: the CRM answered 403".into()))]
#[case::wrong_key(401, Error::AuthExpired)]
#[case::wrong_database(404, Error::Invalid("Tryton has no database `crm` at this address; correct the settings `server` \
    and `database`".into()))]
#[case::broken(500, Error::Transient("the CRM answered 500".into()))]
fn a_status_is_an_error_that_delivery_understands(#[case] status: u16, #[case] error: Error) {
    let cx = host("screen-pop").answer("find-by-phone", status, json!({})).cx();
    assert_eq!(Tryton::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654321")]), Err(error));
}

#[rstest]
#[case::down(Failure::Unavailable("no connection".into()), Error::Transient("no connection".into()))]
#[case::slow(Failure::Timeout, Error::Transient("no answer in the time that the grant allows".into()))]
#[case::waiting(Failure::RateLimited(Some(7)), Error::RateLimited(Some(7)))]
fn a_failure_is_an_error_that_delivery_understands(#[case] failure: Failure, #[case] error: Error) {
    let cx = host("screen-pop").fails("find-by-phone", failure).cx();
    assert_eq!(Tryton::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654321")]), Err(error));
}
