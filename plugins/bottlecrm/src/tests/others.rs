//! The connection, open deals and tickets, the company's own people, and what never arrives.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::TestCx;
use rstest::rstest;
use serde_json::{Value, json};

use super::{MARIA, SERGIO, host, not_accepted, page, without_scope};
use crate::BottleCrm;
use crate::settings::Settings;

#[test]
fn a_good_connection_asks_for_nobody_and_changes_nothing() {
    let cx = host("diagnostics")
        .answer("try-contacts", 200, json!({"duplicates": []}))
        .answer("try-entries", 400, json!({"error": true}))
        .answer("try-change", 404, json!({"detail": "No Contact matches the given query."}))
        .cx();
    let account = BottleCrm::check(&cx).unwrap();
    assert_eq!(account.name, "BottleCRM at http://127.0.0.1:8000");
    let sent: Vec<_> = cx
        .all_sent()
        .into_iter()
        .map(|sent| format!("{} {} {}", sent.method, sent.url.split_once("/api/").unwrap().1, sent.body))
        .collect();
    assert_eq!(
        sent,
        [
            "POST contacts/duplicates/ {}",
            "GET interactions/ null",
            "PATCH contacts/00000000-0000-0000-0000-000000000000/ {}",
            "PATCH interactions/00000000-0000-0000-0000-000000000000/ {}",
        ]
    );
}

#[test]
fn a_token_that_is_not_accepted_is_no_missing_right() {
    let cx = host("diagnostics").answer("try-contacts", 403, not_accepted()).cx();
    assert_eq!(BottleCrm::check(&cx), Err(Error::AuthExpired));
}

#[rstest]
#[case::contacts("try-contacts", "contacts:read")]
#[case::log("try-entries", "interactions:read")]
#[case::changes("try-change", "interactions:write")]
fn a_missing_scope_is_named(#[case] route: &str, #[case] scope: &str) {
    let others = ["try-contacts", "try-entries", "try-change"].into_iter().filter(|other| *other != route);
    let host = others.fold(host("diagnostics"), |host, other| {
        let status = if other == "try-contacts" { 200 } else { 404 };
        host.answer(other, status, json!({}))
    });
    let cx = host.answer(route, 403, without_scope()).cx();
    let refused = BottleCrm::check(&cx);
    assert!(matches!(&refused, Err(Error::Denied(text)) if text.contains(scope)), "{refused:?}");
}

fn deals() -> Value {
    let deal = |id: &str, name: &str, stage: &str, kind: &str, amount: Value| {
        json!({"id": id, "name": name, "stage": stage, "stage_label": stage, "stage_kind": kind,
            "amount": amount, "currency": "BRL", "closed_on": null})
    };
    let mut page = page();
    page["opportunities"] = json!([
        deal("148479fa-e46a-4cbd-b93f-772c0ef3ca08", "Aparelho", "CLOSED_LOST", "lost", json!(2500.0)),
        deal("69446404-f2bd-44df-8b0f-d4061cbb2267", "Segunda linha", "NEGOTIATION", "open", json!(480.5)),
        deal("f367371d-547b-4fa4-b796-9652404dd2e1", "Plano anual", "PROSPECTING", "open", Value::Null),
    ]);
    page["open_deals"] = json!({"amount": "1680.50", "count": 2});
    page["cases"] = json!([
        {"id": "c844a4d2-cdf0-4bbe-8673-667eae8046b9", "name": "Fatura antiga", "status": "Closed", "priority": "Normal"},
        {"id": "211a8cb1-e8df-46c8-8172-921fa1b1d5a4", "name": "Segunda via", "status": "New", "priority": "Normal",
            "created_at": "2026-11-23T22:50:46.142417Z"}]);
    page
}

#[test]
fn what_is_open_comes_from_the_contacts_own_page() {
    let cx = host("screen-pop").answer("open-items", 200, deals()).cx();
    let items = cx.opened(BottleCrm::open_items(&cx, &MARIA.into()).unwrap());
    let told: Vec<_> = items
        .iter()
        .map(|item| {
            let amount = item.amount.as_ref().map(Text::as_str).unwrap_or_default();
            format!("{} {} {} {amount}", item.kind, item.stage.as_deref().unwrap(), item.title.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            "deal NEGOTIATION Segunda linha BRL 480.5",
            "deal PROSPECTING Plano anual ",
            "ticket New Segunda via "
        ]
    );
    assert!(cx.logged().is_empty());
}

#[test]
fn more_open_deals_than_the_page_shows_are_said() {
    let mut many = deals();
    many["open_deals"]["count"] = json!(12);
    let cx = host("screen-pop").answer("open-items", 200, many).cx();
    BottleCrm::open_items(&cx, &MARIA.into()).unwrap();
    assert!(cx.logged()[0].1.contains("more open deals"));
}

/// The countries, the members' e-mail addresses and the colleagues' names: none of it is for the plugin.
#[rstest]
#[case::card("get", "screen-pop")]
#[case::deals("open-items", "screen-pop")]
#[case::subject("subject-contact", "subject-request")]
fn what_bottlecrm_tells_beyond_the_question_never_arrives(#[case] route: &str, #[case] purpose: &str) {
    let cx: TestCx<Settings> = host(purpose).answer(route, 200, page()).cx();
    let reply = cx.egress().send(route, params! { "id" => MARIA }).unwrap();
    for word in [
        "countries",
        "Brazil",
        "users_mention",
        "user__email",
        "colleagues",
        SERGIO,
        "\"org\"",
        "\"role\"",
        "phone_e164",
    ] {
        assert!(!reply.body().contains(word), "`{word}` in {}", reply.body());
    }
    assert!(!reply.body().contains("Maria"), "{}", reply.body());
}

#[test]
fn members_are_listed_page_by_page() {
    let member = |id: &str, name: &str| json!({"id": id, "user_details": {"email": "a@example.invalid", "name": name, "id": SERGIO}, "role": "ADMIN"});
    let all = json!({"teams": [], "profiles": [member(MARIA, "Bia Administradora"), member(SERGIO, "")]});
    let cx = host("sync").answer("users", 200, all).cx();
    let list = |cursor: Option<&str>| {
        let page = Page { limit: 1, cursor: cursor.map(str::to_owned) };
        let users = BottleCrm::list_users(&cx, &page).unwrap();
        let names: Vec<_> = users.items.iter().map(|user| cx.shown(&user.name)).collect();
        (names, users.next)
    };
    assert_eq!(list(None), (vec!["Bia Administradora".to_owned()], Some("1".to_owned())));
    assert_eq!(
        list(Some("1")),
        (vec!["a@example.invalid".to_owned()], None),
        "who was invited has no name yet"
    );
}
