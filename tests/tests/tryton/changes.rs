//! What has changed since the last tick, against the real rows and clock of a Tryton.

use std::collections::BTreeSet;

use ramal_capability::Purpose;
use ramal_engine::{CrmFact, HandleEvent, News};
use serde_json::json;

use super::desk::{Desk, tryton_or_skip};

/// All that one tick tells, page by page.
async fn tick(desk: &Desk, cursor: &mut Option<String>) -> Vec<CrmFact> {
    let mut facts = Vec::new();
    loop {
        let ask = HandleEvent::Tick { cursor: cursor.clone() };
        let News { facts: told, next, more } = desk.call(Purpose::Sync, ask).await.unwrap();
        facts.extend(told);
        *cursor = next.or(cursor.take());
        if !more {
            return facts;
        }
    }
}

#[tokio::test]
async fn each_change_of_a_party_is_told_once() {
    let tryton = tryton_or_skip!("each_change_of_a_party_is_told_once");
    let desk = Desk::tryton(&tryton).await;
    let mut cursor = None;
    assert!(tick(&desk, &mut cursor).await.is_empty(), "what was there before is no news");
    assert!(tick(&desk, &mut cursor).await.is_empty());

    let (maria, joao) = (tryton.parties["Maria da Silva"], tryton.parties["João Souza"]);
    tryton.write("party.party", maria, &json!({"name": "Maria da Silva Inventada"})).await.unwrap();
    let new = tryton.create("party.party", &json!({"name": "Nova Inventada"})).await.unwrap();
    let told: BTreeSet<String> = tick(&desk, &mut cursor).await.into_iter().map(changed).collect();
    assert_eq!(told, BTreeSet::from([maria.to_string(), new.to_string()]));
    assert!(tick(&desk, &mut cursor).await.is_empty(), "told once");

    tryton.write("party.party", joao, &json!({"active": false})).await.unwrap();
    assert_eq!(tick(&desk, &mut cursor).await, [CrmFact::ContactDeleted(joao.to_string())]);
}

#[tokio::test]
async fn an_import_in_one_moment_is_told_whole() {
    let tryton = tryton_or_skip!("an_import_in_one_moment_is_told_whole");
    let desk = Desk::tryton(&tryton).await;
    let mut cursor = None;
    tick(&desk, &mut cursor).await;
    let many: Vec<_> = (0..230).map(|n| json!({"name": format!("Pessoa inventada {n}")})).collect();
    let made = tryton.rpc("model.party.party.create", json!([many, {}])).await.unwrap();
    let made: BTreeSet<String> = made.as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(made.len(), 230);
    let told: Vec<String> = tick(&desk, &mut cursor).await.into_iter().map(changed).collect();
    assert_eq!(told.len(), 230, "each once");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), made);
}

fn changed(fact: CrmFact) -> String {
    match fact {
        CrmFact::ContactChanged(id) => id,
        other => panic!("{other:?}"),
    }
}
