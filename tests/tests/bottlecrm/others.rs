//! The connection, open deals and tickets, the company's own people, and what never reaches the plugin.

use ramal_capability::Purpose;
use ramal_engine::{Check, GetContact, ListUsers, OpenWorkItems, Page};

use super::desk::{Desk, bottlecrm_or_skip};

#[tokio::test]
async fn a_good_connection_is_said_to_be_good_and_leaves_no_row() {
    let bottlecrm = bottlecrm_or_skip!("a_good_connection_is_said_to_be_good_and_leaves_no_row");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let done = "SELECT count(*) AS changes FROM activity";
    let before = bottlecrm.rows(done).await.unwrap();
    let account = desk.call(Purpose::Diagnostics, Check).await.unwrap();
    assert_eq!(account.name, format!("BottleCRM at {}", bottlecrm.origin));
    assert_eq!(bottlecrm.rows(done).await.unwrap(), before, "nothing was changed");
}

#[tokio::test]
async fn what_is_open_for_a_caller_comes_with_amounts_and_is_the_callers_own() {
    let bottlecrm = bottlecrm_or_skip!("what_is_open_for_a_caller_comes_with_amounts_and_is_the_callers_own");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let open = async |name: &str| {
        let contact = bottlecrm.contacts[name].clone();
        let items = desk.call(Purpose::ScreenPop, OpenWorkItems { contact }).await.unwrap();
        let told = items.into_iter().map(|item| {
            let amount = item.amount.map(|shown| shown.value.expose().to_owned()).unwrap_or_default();
            format!("{} {} | {} | {amount}", item.kind, item.stage.unwrap(), item.title.value.expose())
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(
        open("Maria da Silva").await,
        [
            "deal NEGOTIATION | Segunda linha | BRL 480.5",
            "deal PROSPECTING | Plano anual | BRL 1200",
            "ticket New | Segunda via | "
        ]
    );
    // BottleCRM's list of deals would have given Maria's for any contact.
    assert!(open("João Souza").await.is_empty());
}

#[tokio::test]
async fn the_companys_people_are_listed_page_by_page() {
    let bottlecrm = bottlecrm_or_skip!("the_companys_people_are_listed_page_by_page");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = Page { limit: 1, cursor };
        let listed = desk.call(Purpose::Sync, ListUsers { page }).await.unwrap();
        assert_eq!(listed.items.len(), 1);
        names.extend(listed.items.iter().map(|user| user.name.value.expose().to_owned()));
        cursor = listed.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["Bia Administradora", "Vendedora Exemplo"], "and nobody of another company");
}

/// A contact's page names every member's e-mail address and all countries, 8 kB in all.
#[tokio::test]
async fn what_bottlecrm_tells_beyond_the_question_never_reaches_the_plugin() {
    let bottlecrm = bottlecrm_or_skip!("what_bottlecrm_tells_beyond_the_question_never_reaches_the_plugin");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let maria = bottlecrm.contacts["Maria da Silva"].clone();
    let (_, page) = bottlecrm.rest("GET", &format!("/contacts/{maria}/"), None).await.unwrap();
    assert!(
        page["countries"].as_array().unwrap().len() > 200
            && page["users_mention"].as_array().unwrap().len() == 2
    );

    let called = desk.called(Purpose::ScreenPop, GetContact { id: maria }).await;
    called.outcome.unwrap();
    // First and last name, company, e-mail address, number; one owner. Not the members, not the colleagues.
    let mut seen: Vec<_> =
        called.report.rules.seen.iter().map(|seen| format!("{} × {}", seen.class, seen.count)).collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "agent × 1",
            "contact.email × 1",
            "contact.name × 2",
            "contact.organization × 1",
            "contact.phone × 1"
        ]
    );
}
