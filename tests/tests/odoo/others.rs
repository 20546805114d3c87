//! The connection, open deals, the company's own people.

use ramal_capability::Purpose;
use ramal_engine::{Check, GetContact, ListUsers, OpenWorkItems, Page};
use serde_json::json;

use super::desk::{Desk, odoo_or_skip};

#[tokio::test]
async fn a_good_connection_shows_open_deals_and_the_companys_own_people() {
    let odoo = odoo_or_skip!("a_good_connection_shows_open_deals_and_the_companys_own_people");
    let desk = Desk::odoo(&odoo).await;
    let account = desk.call(Purpose::Diagnostics, Check).await.unwrap();
    assert!(account.name.starts_with("Odoo, database crm, user "), "{}", account.name);

    let deals = async |name: &str| {
        let contact = odoo.partners[name].to_string();
        let items = desk.call(Purpose::ScreenPop, OpenWorkItems { contact }).await.unwrap();
        let told = items.into_iter().map(|item| {
            let [amount, owner] =
                [item.amount, item.owner].map(|shown| shown.unwrap().value.expose().to_owned());
            format!("{} {} | {amount} | {owner}", item.stage.unwrap(), item.title.value.expose())
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        told
    };
    assert_eq!(
        deals("Maria da Silva").await,
        [
            "opportunity Plano anual · New | BRL 1200 | Vera Vendedora",
            "opportunity Segunda linha · Proposition | BRL 480.5 | Vera Vendedora"
        ],
        "a won one is not open"
    );
    assert!(deals("João Souza").await.is_empty(), "a lost one is not open");

    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = Page { limit: 2, cursor };
        let listed = desk.call(Purpose::Sync, ListUsers { page }).await.unwrap();
        for user in &listed.items {
            let email = user.email.as_ref().map(|email| email.value.expose());
            names.push(format!("{} {}", user.name.value.expose(), email.unwrap_or("-")));
        }
        cursor = listed.next;
        if cursor.is_none() {
            break;
        }
    }
    // Customers with access to the portal are users of Odoo too, and none of ours; and `false` is no e-mail.
    assert_eq!(
        names,
        [
            "Administrator -",
            "Telephony panel panel@example.invalid",
            "Telephony panel without sales panel-without-sales@example.invalid",
            "Vera Vendedora vera@example.invalid"
        ]
    );
}

/// A reference comes with the number and the name of what it refers to, a search with the name of each lead's owner.
#[tokio::test]
async fn what_odoo_tells_beyond_the_question_never_reaches_the_plugin() {
    let odoo = odoo_or_skip!("what_odoo_tells_beyond_the_question_never_reaches_the_plugin");
    let desk = Desk::odoo(&odoo).await;
    let carla = odoo.partners["Carla Dias"];
    let bakery = odoo.partners["Padaria Estrela Ltda"];
    let ask = json!({"domain": [["id", "=", carla]], "fields": ["parent_id", "email"]});
    let (_, told) = odoo.ask(&odoo.key, "res.partner/search_read", &ask).await.unwrap();
    assert_eq!(told, json!([{"id": carla, "parent_id": [bakery, "Padaria Estrela Ltda"], "email": false}]));

    let called = desk.called(Purpose::ScreenPop, GetContact { id: carla.to_string() }).await;
    called.outcome.unwrap();
    let mut seen: Vec<_> =
        called.report.rules.seen.iter().map(|seen| format!("{} × {}", seen.class, seen.count)).collect();
    seen.sort();
    // Two names, two of the company (one is `false`), a number and the field that is never one, no e-mail (`false`). Not
    // the company's own record, and not whoever made and changed hers.
    assert_eq!(
        seen,
        ["contact.email × 1", "contact.name × 2", "contact.organization × 2", "contact.phone × 2"]
    );
}
