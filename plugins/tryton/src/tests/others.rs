//! Check, open opportunities, users.

use ramal_sdk::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::{host, moment};
use crate::Tryton;

fn preferences() -> Value {
    json!({"company": 1, "companies": [1, 4], "company.rec_name": "Loja Exemplo Ltda", "language": "en"})
}

#[test]
fn a_good_connection_tells_whose_it_is() {
    let cx = host("diagnostics")
        .answer("account", 200, preferences())
        .answer("try-parties", 200, json!(0))
        .answer("try-opportunities", 200, json!(0))
        .cx();
    let account = cx.opened(Tryton::check(&cx).unwrap());
    assert_eq!(account.name, "Tryton, database crm, company 1");
    assert_eq!(cx.sent("account")[0].body, json!({"context_only": true}));
}

#[test]
fn a_company_that_the_user_does_not_work_for_is_named() {
    let settings = json!({"server": "http://127.0.0.1:8000", "database": "crm", "company": 7});
    let cx = super::host_with("diagnostics", settings).answer("account", 200, preferences()).cx();
    assert_eq!(
        Tryton::check(&cx),
        Err(Error::Invalid(
            "the setting `company` is 7 and the key's user works for [1, 4]; correct the setting, or add the company \
             to the user"
                .into()
        ))
    );
}

#[test]
fn a_missing_right_is_named_with_the_group_that_gives_it() {
    let cx = host("diagnostics")
        .answer("account", 200, preferences())
        .answer("try-parties", 200, json!(0))
        .answer("try-opportunities", 403, json!({}))
        .cx();
    assert_eq!(
        Tryton::check(&cx),
        Err(Error::Denied(
            "the key's user may not read sale.opportunity; put the user into Tryton's group \"Sale Opportunity\""
                .into()
        ))
    );
}

#[test]
fn what_is_not_granted_is_not_missed() {
    let cx = host("diagnostics")
        .answer("account", 200, preferences())
        .answer("try-parties", 200, json!(0))
        .fails("try-opportunities", Failure::Denied("not granted".into()))
        .cx();
    assert!(Tryton::check(&cx).is_ok());
}

fn opportunity() -> Value {
    json!({
        "id": 1, "number": "1", "state": "lead", "description": "Plano anual",
        "amount": {"__class__": "Decimal", "decimal": "1200.00"}, "currency.": {"code": "BRL", "id": 1},
        "employee.": {"id": 1, "rec_name": "Vendedora Exemplo"},
        "create_date": moment(20, 1, 38), "write_date": null,
    })
}

#[test]
fn open_opportunities_have_title_amount_and_owner() {
    let cx = host("screen-pop").answer("opportunities", 200, json!([opportunity()])).cx();
    let items = cx.opened(Tryton::open_items(&cx, &"2".into()).unwrap());
    let item = &items[0];
    assert_eq!((item.kind.as_str(), item.id.as_str(), item.stage.as_deref()), ("deal", "1", Some("lead")));
    assert_eq!(item.title.as_str(), "Plano anual");
    assert_eq!(item.amount.as_ref().unwrap().as_str(), "BRL 1200.00");
    assert_eq!(item.owner.as_ref().unwrap().as_str(), "Vendedora Exemplo");
    assert_eq!(item.updated.unwrap().to_string(), "2026-11-23T20:01:38Z");
    assert_eq!(
        cx.sent("opportunities")[0].body["domain"],
        json!([["party", "=", 2], ["state", "in", ["lead", "opportunity"]]])
    );
}

#[rstest]
#[case::bare(json!({"id": 1, "number": "17"}), "#17", None)]
#[case::null(
    json!({"id": 1, "number": null, "description": null, "amount": null, "currency.": null, "employee.": null}),
    "#1", None,
)]
#[case::no_currency(
    json!({"id": 1, "description": "X", "amount": {"__class__": "Decimal", "decimal": "3.50"}, "currency.": null}),
    "X", Some("3.50"),
)]
fn an_opportunity_may_lack_almost_all(#[case] row: Value, #[case] title: &str, #[case] amount: Option<&str>) {
    let cx = host("screen-pop").answer("opportunities", 200, json!([row])).cx();
    let items = cx.opened(Tryton::open_items(&cx, &"2".into()).unwrap());
    assert_eq!(items[0].title.as_str(), title);
    assert_eq!(items[0].amount.as_ref().map(Text::as_str), amount);
}

#[test]
fn users_without_a_name_have_their_login() {
    let users = json!([
        {"id": 1, "name": null, "login": "admin", "email": ""},
        {"id": 2, "name": "Bia Inventada", "login": "bia", "email": "bia@example.invalid"},
    ]);
    let cx = host("sync").calling("users.list").answer("users", 200, users).cx();
    let listed = cx.opened(Tryton::list_users(&cx, &Page { limit: 50, cursor: None }).unwrap());
    let names: Vec<_> = listed.items.iter().map(|user| (user.name.as_str(), user.email.is_some())).collect();
    assert_eq!(names, [("admin", false), ("Bia Inventada", true)]);
    assert_eq!(cx.sent("users")[0].body["domain"], json!([]));
}
