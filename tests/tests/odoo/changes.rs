//! What has changed since the last tick, against the real rows and clock of an Odoo.

use std::time::Duration;

use ramal_engine::CrmFact;
use serde_json::json;

use super::desk::{Desk, odoo_or_skip};
use crate::desk::changes::Listener;

fn changed(id: impl ToString) -> CrmFact {
    CrmFact::ContactChanged(id.to_string())
}

/// Rounds of a test follow each other within a second, which is as fine as Odoo tells time; those of a host are far apart.
async fn next_second() {
    let now = jiff::Timestamp::now();
    let left = 1_000 - u64::try_from(now.as_millisecond().rem_euclid(1_000)).unwrap();
    tokio::time::sleep(Duration::from_millis(left + 20)).await;
}

#[tokio::test]
async fn each_change_of_a_contact_is_told_and_none_that_shares_its_time_is_lost() {
    let odoo = odoo_or_skip!("each_change_of_a_contact_is_told_and_none_that_shares_its_time_is_lost");
    let desk = Desk::odoo(&odoo).await;
    let mut listener = Listener::new(&desk);
    assert_eq!(listener.round().await, [], "what was there before is no news");
    listener.catch_up().await;

    let (maria, joao) = (odoo.partners["Maria da Silva"], odoo.partners["João Souza"]);
    let write = async |id: i64, values: serde_json::Value| {
        next_second().await;
        odoo.call("res.partner/write", &json!({"ids": [id], "vals": values})).await.unwrap();
    };
    write(maria, json!({"phone": "+55 11 98765-0000"})).await;
    let new = odoo.create("res.partner", &json!({"name": "Nova Inventada"})).await.unwrap();
    listener.hears(&[changed(maria), changed(new)]).await;
    // Odoo's own deletion, which an undo takes back.
    write(joao, json!({"active": false})).await;
    listener.hears(&[CrmFact::ContactDeleted(joao.to_string())]).await;
    write(joao, json!({"active": true})).await;
    listener.hears(&[changed(joao)]).await;

    // An import: more than two pages, all at one moment.
    let many: Vec<_> = (0..430).map(|n| json!({"name": format!("Pessoa inventada {n}")})).collect();
    next_second().await;
    let made = odoo.call("res.partner/create", &json!({"vals_list": many})).await.unwrap();
    let made: Vec<CrmFact> = made.as_array().unwrap().iter().map(changed).collect();
    assert_eq!(made.len(), 430);
    listener.hears(&made).await;
}

/// A transaction that takes long has the time of its beginning, and is shown at its end.
#[tokio::test]
async fn what_is_shown_late_is_told_all_the_same() {
    let odoo = odoo_or_skip!("what_is_shown_late_is_told_all_the_same");
    let desk = Desk::odoo(&odoo).await;
    let (maria, joao) = (odoo.partners["Maria da Silva"], odoo.partners["João Souza"]);
    let mut listener = Listener::new(&desk);
    listener.catch_up().await;
    let stamp = async |id: i64, time: &str| {
        let set = format!("UPDATE res_partner SET write_date = '{time}' WHERE id = {id};");
        odoo.execute(&set).await.unwrap();
    };
    stamp(maria, "2031-01-01 12:00:05.4").await;
    assert_eq!(listener.round().await, [changed(maria)]);
    // Written in the same second, and before it; both seen only now.
    stamp(joao, "2031-01-01 12:00:05.9").await;
    let new = odoo.create("res.partner", &json!({"name": "Nova Inventada"})).await.unwrap();
    stamp(new, "2031-01-01 12:00:01").await;
    let told = listener.round().await;
    for contact in [changed(joao), changed(new)] {
        assert!(told.contains(&contact), "{contact:?} is not in {told:?}");
    }
    listener.catch_up().await;
}
