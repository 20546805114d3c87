//! The connection, open deals, the company's own people.

use ramal_capability::Purpose;
use ramal_engine::{Check, ListUsers, OpenWorkItems, Page};

use super::desk::{Desk, tryton_or_skip};

#[tokio::test]
async fn a_good_connection_is_said_to_be_good() {
    let tryton = tryton_or_skip!("a_good_connection_is_said_to_be_good");
    let account = Desk::tryton(&tryton).await.call(Purpose::Diagnostics, Check).await.unwrap();
    assert_eq!(account.name, "Tryton, database crm, company 1");
}

#[tokio::test]
async fn the_open_deals_of_a_caller_come_with_their_amounts() {
    let tryton = tryton_or_skip!("the_open_deals_of_a_caller_come_with_their_amounts");
    let desk = Desk::tryton(&tryton).await;
    let deals = async |name: &str| {
        let contact = tryton.parties[name].to_string();
        let items = desk.call(Purpose::ScreenPop, OpenWorkItems { contact }).await.unwrap();
        let told = items.into_iter().map(|item| {
            let [amount, owner] =
                [item.amount, item.owner].map(|shown| shown.unwrap().value.expose().to_owned());
            format!("{} {} | {amount} | {owner}", item.stage.unwrap(), item.title.value.expose())
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(
        deals("Maria da Silva").await,
        [
            "opportunity Segunda linha | BRL 480.50 | Vendedora Exemplo",
            "lead Plano anual | BRL 1200.00 | Vendedora Exemplo"
        ]
    );
    assert!(deals("João Souza").await.is_empty(), "a lost one is not open");
}

#[tokio::test]
async fn the_companys_people_are_listed_page_by_page() {
    let tryton = tryton_or_skip!("the_companys_people_are_listed_page_by_page");
    let desk = Desk::tryton(&tryton).await;
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
    names.sort();
    assert_eq!(names, ["Telephony panel", "Telephony panel without sales", "admin"]);
}
