//! Find, search, get, create, update.

use ramal_sdk::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::{MARIA, SERGIO, hit, hits, host, host_with, not_accepted, page, without_scope};
use crate::BottleCrm;

#[test]
fn a_caller_is_asked_for_in_each_form_of_the_number() {
    let found = hits(&[hit(MARIA, "Maria da Silva", "(11) 98765-4321", &["phone"])]);
    let cx = host("screen-pop").answer("find-by-phone", 200, found).cx();
    let candidates = cx.text().phone_variants(&cx.sealed("contact.phone", "+5511987654321"));
    let found = BottleCrm::find_by_phone(&cx, &candidates).unwrap();
    assert_eq!(found.len(), 1, "found twice and shown once");
    assert!(found[0].name.is_sealed() && found[0].phones[0].is_sealed());
    let asked: Vec<_> = cx.all_sent().into_iter().map(|sent| sent.body).collect();
    assert_eq!(asked, [json!({"phone": "+5511987654321"}), json!({"phone": "+551187654321"})]);
    assert_eq!(cx.all_sent()[0].url, "http://127.0.0.1:8000/api/contacts/duplicates/");
    let shown = cx.opened(found);
    assert_eq!((shown[0].id.as_str(), shown[0].name.as_str()), (MARIA, "Maria da Silva"));
    assert_eq!((shown[0].emails.len(), shown[0].url.clone()), (0, None));
}

/// BottleCRM compares the last ten digits: nine of the number and one of the area.
#[test]
fn somebody_with_the_same_number_in_another_city_is_nobody() {
    let found = hits(&[
        hit(SERGIO, "Sérgio Prado", "+55 21 98765-4321", &["phone"]),
        hit(MARIA, "Maria da Silva", "(11) 98765-4321", &["phone"]),
    ]);
    let cx = host("screen-pop").answer("find-by-phone", 200, found).cx();
    let found = BottleCrm::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654321")]).unwrap();
    assert_eq!(found.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), [MARIA]);
}

#[test]
fn without_a_number_nothing_is_asked() {
    let cx = host("screen-pop").cx();
    assert_eq!(BottleCrm::find_by_phone(&cx, &[]), Ok(vec![]));
    assert!(cx.all_sent().is_empty());
}

#[rstest]
#[case::not_accepted(403, not_accepted(), Error::AuthExpired)]
#[case::throttled(429, json!({"detail": "Request was throttled."}), Error::RateLimited(None))]
#[case::page_for_people(500, json!({}), Error::Transient("the CRM answered 500".into()))]
fn a_refusal_says_what_is_to_be_done(
    #[case] status: u16,
    #[case] body: serde_json::Value,
    #[case] error: Error,
) {
    let cx = host("screen-pop").answer("find-by-phone", status, body).cx();
    let phone = cx.sealed("contact.phone", "+5511987654321");
    assert_eq!(BottleCrm::find_by_phone(&cx, &[phone]), Err(error));
}

#[test]
fn a_missing_scope_is_named() {
    let cx = host("screen-pop").answer("find-by-phone", 403, without_scope()).cx();
    let refused = BottleCrm::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654321")]);
    assert!(matches!(&refused, Err(Error::Denied(text)) if text.contains("contacts:read")), "{refused:?}");
}

#[test]
fn a_wrong_address_is_no_empty_list() {
    let cx = host("screen-pop").answer("find-by-phone", 404, json!({})).cx();
    let refused = BottleCrm::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654321")]);
    assert!(matches!(&refused, Err(Error::Invalid(text)) if text.contains("`server`")), "{refused:?}");
}

#[test]
fn a_card_has_the_owner_the_company_and_a_link() {
    let settings = json!({"server": "http://127.0.0.1:8000", "web": "http://127.0.0.1:8000"});
    let cx = host_with("screen-pop", settings).answer("get", 200, page()).cx();
    let card = cx.opened(BottleCrm::get_contact(&cx, &MARIA.into()).unwrap());
    assert_eq!(card.name.as_str(), "Maria da Silva");
    assert_eq!(card.organization.unwrap().as_str(), "Oficina Inventada");
    assert_eq!(card.owner.unwrap().as_str(), "Vendedora Exemplo");
    assert_eq!(card.url.unwrap(), format!("http://127.0.0.1:8000/contacts/{MARIA}"));
    assert_eq!(card.updated.unwrap().to_string(), "2026-11-23T22:50:46.059Z");
}

/// BottleCRM answers it with a page for people, not with a record that is not there.
#[test]
fn what_is_no_number_of_a_record_is_not_asked_for() {
    let cx = host("screen-pop").cx();
    assert_eq!(BottleCrm::get_contact(&cx, &"17".into()), Err(Error::NotFound));
    assert!(cx.all_sent().is_empty());
}

#[test]
fn a_list_tells_whether_there_is_more() {
    let list = json!({"count": 3, "results": [page()["contact_obj"]], "countries": [["BR", "Brazil"]],
        "users": [{"id": SERGIO, "user__email": "admin@example.invalid"}]});
    let cx = host("search").answer("search", 200, list).cx();
    let query = cx.sealed("contact.name", "silva");
    let found = BottleCrm::search(&cx, &query, &Page { limit: 1, cursor: Some("1".into()) }).unwrap();
    assert_eq!((found.items.len(), found.next.as_deref()), (1, Some("2")));
    assert!(cx.all_sent()[0].url.ends_with("/api/contacts/?search=silva&limit=1&offset=1"));
    let last = BottleCrm::search(&cx, &query, &Page { limit: 1, cursor: Some("2".into()) }).unwrap();
    assert_eq!(last.next, None);
}

/// BottleCRM looks for the query in the first name and in the last one, each by itself.
#[test]
fn a_whole_name_is_looked_for_in_its_parts() {
    let cx = host("search")
        .answer("search", 200, json!({"count": 0, "results": []}))
        .answer(
            "find-same",
            200,
            hits(&[
                hit(MARIA, "Maria da Silva", "(11) 98765-4321", &["name"]),
                hit(SERGIO, "Sérgio Prado", "", &["phone"]),
            ]),
        )
        .cx();
    let query = cx.sealed("contact.name", "maria da silva");
    let found = BottleCrm::search(&cx, &query, &Page { limit: 5, cursor: None }).unwrap();
    assert_eq!(found.items.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), [MARIA]);
    assert_eq!(cx.sent("find-same")[0].body, json!({"first_name": "maria", "last_name": "da silva"}));
}

fn draft(cx: &ramal_sdk::testing::TestCx<crate::settings::Settings>) -> ContactDraft {
    ContactDraft {
        name: Some(cx.sealed("contact.name", "João Carlos de Souza")),
        phones: vec![cx.sealed("contact.phone", "+5521912345678")],
        emails: vec![cx.sealed("contact.email", "jc@example.com")],
        ..ContactDraft::default()
    }
}

#[test]
fn a_new_contact_keeps_the_whole_name() {
    let cx = host("search")
        .answer("find-same", 200, hits(&[]))
        .answer("create", 200, json!({"error": false, "message": "Contact created Successfuly", "id": MARIA}))
        .answer("get", 200, page())
        .cx();
    assert_eq!(BottleCrm::create_contact(&cx, &draft(&cx)).unwrap().id, MARIA);
    assert_eq!(
        cx.sent("create")[0].body,
        json!({"first_name": "João Carlos de Souza", "last_name": "-", "phone": "+5521912345678",
            "email": "jc@example.com"})
    );
    let asked: Vec<_> = cx.sent("find-same").into_iter().map(|sent| sent.body).collect();
    assert_eq!(asked[0]["last_name"], "-");
    assert_eq!((&asked[1]["first_name"], &asked[1]["last_name"]), (&json!("João"), &json!("de Souza")));
}

#[rstest]
#[case::number_and_name("+55 21 91234-5678", &["phone", "name"])]
#[case::email_and_name("", &["email", "name"])]
fn somebody_who_is_there_already_is_not_made_again(#[case] phone: &str, #[case] matched_on: &[&str]) {
    let cx = host("search")
        .answer("find-same", 200, hits(&[hit(MARIA, "João Souza", phone, matched_on)]))
        .answer("get", 200, page())
        .cx();
    assert_eq!(BottleCrm::create_contact(&cx, &draft(&cx)).unwrap().id, MARIA);
    assert!(cx.sent("create").is_empty());
}

#[rstest]
#[case::a_relative_with_the_same_number("+55 21 91234-5678", &["phone"])]
#[case::a_namesake("+55 31 3456-7890", &["name"])]
#[case::a_namesake_without_a_number("", &["name"])]
#[case::a_namesake_in_another_city("+55 11 91234-5678", &["phone", "name"])]
fn somebody_else_is_no_reason_not_to_make_one(#[case] phone: &str, #[case] matched_on: &[&str]) {
    let cx = host("search")
        .answer("find-same", 200, hits(&[hit(SERGIO, "Outra Pessoa", phone, matched_on)]))
        .answer("create", 200, json!({"id": MARIA}))
        .answer("get", 200, page())
        .cx();
    assert_eq!(BottleCrm::create_contact(&cx, &draft(&cx)).unwrap().id, MARIA);
}

#[test]
fn an_address_of_somebody_else_waits_for_a_person() {
    let cx =
        host("search").answer("find-same", 200, hits(&[hit(SERGIO, "Outra Pessoa", "", &["email"])])).cx();
    let refused = BottleCrm::create_contact(&cx, &draft(&cx));
    assert!(matches!(&refused, Err(Error::Invalid(text)) if text.contains("e-mail")), "{refused:?}");
}

#[rstest]
#[case::error(Failure::Unavailable("the CRM answered 500".into()))]
#[case::no_answer(Failure::Timeout)]
fn an_error_after_the_contact_was_saved_makes_no_second_one(#[case] failure: Failure) {
    let saved = hits(&[hit(MARIA, "João Carlos de Souza -", "+5521912345678", &["phone", "name"])]);
    let cx = host("search")
        .answer("find-same", 200, hits(&[]))
        .answer("find-same", 200, hits(&[]))
        .answer("find-same", 200, saved)
        .fails("create", failure)
        .answer("get", 200, page())
        .cx();
    assert_eq!(BottleCrm::create_contact(&cx, &draft(&cx)).unwrap().id, MARIA);
    assert_eq!(cx.sent("create").len(), 1);
}

#[test]
fn an_error_before_the_contact_was_saved_stays_an_error() {
    let namesake = hits(&[hit(SERGIO, "João Carlos de Souza -", "", &["name"])]);
    let cx = host("search").answer("find-same", 200, namesake).answer("create", 500, json!({})).cx();
    assert!(matches!(BottleCrm::create_contact(&cx, &draft(&cx)), Err(Error::Transient(_))));
}

#[test]
fn a_nameless_draft_makes_nobody() {
    let cx = host("search").cx();
    let nameless = ContactDraft { name: None, ..draft(&cx) };
    assert!(matches!(BottleCrm::create_contact(&cx, &nameless), Err(Error::Invalid(_))));
    assert!(cx.all_sent().is_empty());
}

#[test]
fn a_company_without_a_person_gives_the_name() {
    let cx = host("search")
        .answer("find-same", 200, hits(&[]))
        .answer("create", 200, json!({"id": MARIA}))
        .answer("get", 200, page())
        .cx();
    let company = Some(cx.sealed("contact.organization", "Padaria Estrela"));
    let company = ContactDraft { organization: company, ..ContactDraft::default() };
    BottleCrm::create_contact(&cx, &company).unwrap();
    assert_eq!(
        cx.sent("create")[0].body,
        json!({"first_name": "Padaria Estrela", "last_name": "-", "organization": "Padaria Estrela"})
    );
}

#[test]
fn a_change_writes_what_it_has_and_nothing_else() {
    let cx = host("search").answer("update", 200, json!({"error": false})).answer("get", 200, page()).cx();
    let company = Some(cx.sealed("contact.organization", "Padaria Estrela"));
    let changes = ContactDraft { organization: company, ..ContactDraft::default() };
    BottleCrm::update_contact(&cx, &MARIA.into(), &changes).unwrap();
    assert_eq!(cx.sent("update")[0].body, json!({"organization": "Padaria Estrela"}));
    BottleCrm::update_contact(&cx, &MARIA.into(), &ContactDraft::default()).unwrap();
    assert_eq!(cx.sent("update").len(), 1);
}

#[test]
fn what_a_contact_has_no_place_for_is_said() {
    let cx = host("search").answer("update", 200, json!({})).answer("get", 200, page()).cx();
    let phones =
        vec![cx.sealed("contact.phone", "+5511987654321"), cx.sealed("contact.phone", "+551140028922")];
    BottleCrm::update_contact(&cx, &MARIA.into(), &ContactDraft { phones, ..ContactDraft::default() })
        .unwrap();
    assert_eq!(cx.sent("update")[0].body, json!({"phone": "+5511987654321"}));
    assert!(cx.logged()[0].1.contains("the first of each was kept"));
}
