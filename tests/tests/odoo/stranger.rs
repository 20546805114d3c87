//! A call in Odoo stands in the chatter of a contact.

use parking_lot::Mutex;
use ramal_tests::odoo_plugin::TENANT;
use ramal_tests::weather::{Proxy, Weather};
use serde_json::json;

use super::desk::odoo_or_skip;
use super::journal::entries;
use crate::composed::Whole;
use crate::composed::stranger::{Known, calls, known_later};
use crate::desk::delivered::Delivered as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_call_is_told_once_somebody_says_whose_it_is() {
    let odoo = odoo_or_skip!("a_strangers_call_is_told_once_somebody_says_whose_it_is");
    let maria = odoo.partners["Maria da Silva"];
    let files = odoo.files(&odoo.origin);
    let customer = Known { id: maria.to_string(), number: "+5511987654321" };
    calls("odoo", TENANT, files, customer, async || entries(&odoo, "res.partner", maria).await).await;
}

/// The first searches find the server down, and so does the look-up: the customer is added while it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_an_agent_adds_to_the_crm_is_found_for_the_journal() {
    let odoo = odoo_or_skip!("whom_an_agent_adds_to_the_crm_is_found_for_the_journal");
    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    proxy.turn(Weather::BadGateway);
    let files = odoo.files(&proxy.origin);
    let new = Mutex::new(0);
    let added = async |_: &Whole| {
        let values = json!({"name": "Nova Inventada", "phone": "+55 11 90000-0033"});
        *new.lock() = odoo.create("res.partner", &values).await.unwrap();
        proxy.turn(Weather::Fair);
    };
    known_later(TENANT, files, "+5511900000033", added).await;
    let new = *new.lock();
    assert_eq!(entries(&odoo, "res.partner", new).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_called_while_the_crm_was_down_is_found_afterwards() {
    let odoo = odoo_or_skip!("a_customer_who_called_while_the_crm_was_down_is_found_afterwards");
    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    proxy.turn(Weather::BadGateway);
    let files = odoo.files(&proxy.origin);
    known_later(TENANT, files, "+5511987654321", async |_: &Whole| proxy.turn(Weather::Fair)).await;
    assert_eq!(entries(&odoo, "res.partner", odoo.partners["Maria da Silva"]).await.len(), 1);
}
