//! Check, open leads, users.

use ramal_sdk::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::{host, refusal, tells_nothing};
use crate::Odoo;

#[test]
fn a_good_connection_tells_whose_it_is() {
    let cx = host("diagnostics")
        .answer("account", 200, json!({"lang": "pt_BR", "tz": false, "uid": 5}))
        .answer("try", 200, json!(0))
        .cx();
    let account = cx.opened(Odoo::check(&cx).unwrap());
    assert_eq!(account.name, "Odoo, database crm, user 5");
    assert_eq!(cx.sent("try").len(), 2);
    assert_eq!(cx.sent("try")[1].url, "http://127.0.0.1:8069/json/2/crm.lead/search_count");
}

#[test]
fn a_missing_right_is_named_with_the_group_that_gives_it() {
    let cx = host("diagnostics")
        .answer("account", 200, json!({"uid": 5}))
        .answer("try", 200, json!(0))
        .answer("try", 403, refusal("odoo.exceptions.AccessError"))
        .cx();
    let error = Odoo::check(&cx).unwrap_err();
    tells_nothing(&error);
    assert_eq!(
        error,
        Error::Denied(
            "the key's user may not read crm.lead; put the user into Odoo's group \"Sales / User: All Documents\"".into()
        )
    );
}

fn lead() -> Value {
    json!({"id": 3, "name": "Plano anual", "type": "opportunity", "stage_id": [1, "Em negociação"],
        "expected_revenue": 1200.0, "company_currency": [6, "BRL"], "user_id": [7, "Vera Vendedora"],
        "write_date": "2026-11-23 20:01:38", "partner_id": [8, "Maria da Silva"], "phone": "+5511987654321"})
}

#[test]
fn open_leads_have_title_stage_amount_and_owner() {
    let cx = host("screen-pop").answer("open-leads", 200, json!([lead()])).cx();
    let items = Odoo::open_items(&cx, &"8".into()).unwrap();
    let item = &cx.opened(items)[0];
    assert_eq!(
        (item.kind.as_str(), item.id.as_str(), item.stage.as_deref()),
        ("deal", "3", Some("opportunity"))
    );
    assert_eq!(item.title.as_str(), "Plano anual · Em negociação");
    assert_eq!(item.amount.as_ref().unwrap().as_str(), "BRL 1200");
    assert_eq!(item.owner.as_ref().unwrap().as_str(), "Vera Vendedora");
    assert_eq!(item.updated.unwrap().to_string(), "2026-11-23T20:01:38Z");
    assert_eq!(item.url.as_deref(), Some("http://127.0.0.1:8069/odoo/crm.lead/3"));
    assert_eq!(
        cx.sent("open-leads")[0].body["domain"],
        json!([["partner_id", "=", 8], ["won_status", "=", "pending"]])
    );
}

#[rstest]
#[case::bare(json!({"id": 3}), "#3", None)]
#[case::false_everywhere(
    json!({"id": 3, "name": "X", "stage_id": false, "expected_revenue": 480.5, "company_currency": false,
        "user_id": false}),
    "X", Some("480.5"),
)]
fn a_lead_may_lack_almost_all(#[case] row: Value, #[case] title: &str, #[case] amount: Option<&str>) {
    let cx = host("screen-pop").answer("open-leads", 200, json!([row])).cx();
    let items = cx.opened(Odoo::open_items(&cx, &"8".into()).unwrap());
    assert_eq!(items[0].title.as_str(), title);
    assert_eq!(items[0].amount.as_ref().map(Text::as_str), amount);
    assert_eq!(items[0].owner, None);
}

#[test]
fn only_the_companys_own_people_are_asked_for_and_false_is_no_address() {
    let users = json!([
        {"id": 2, "name": "Administrator", "email": false, "phone_mobile_search": false, "login": "admin"},
        {"id": 7, "name": "Vera Vendedora", "email": "vera@example.invalid", "phone_mobile_search": false},
    ]);
    let cx = host("sync").calling("users.list").answer("users", 200, users).cx();
    let listed = cx.opened(Odoo::list_users(&cx, &Page { limit: 200, cursor: None }).unwrap());
    let names: Vec<_> = listed.items.iter().map(|user| (user.name.as_str(), user.email.is_some())).collect();
    assert_eq!(names, [("Administrator", false), ("Vera Vendedora", true)]);
    let sent = &cx.sent("users")[0].body;
    assert_eq!((&sent["domain"], &sent["limit"]), (&json!([["share", "=", false]]), &json!(61)));
}
