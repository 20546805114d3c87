//! What has changed since the last tick, against the real rows of a BottleCRM, whose list knows no order of changes.

use std::collections::BTreeSet;

use ramal_engine::CrmFact;
use serde_json::json;

use super::desk::{Desk, bottlecrm_or_skip};
use crate::desk::changes::Listener;

fn changed(id: &str) -> CrmFact {
    CrmFact::ContactChanged(id.to_owned())
}

#[tokio::test]
async fn each_change_of_a_contact_is_told_wherever_it_stands_in_the_list() {
    let bottlecrm = bottlecrm_or_skip!("each_change_of_a_contact_is_told_wherever_it_stands_in_the_list");
    // Enough for three pages, made long ago and in order: the list begins with the latest.
    let make = "INSERT INTO contacts (id, created_at, updated_at, first_name, last_name, phone_e164, do_not_call, is_active,
            is_sample, auto_created, source, source_detail, source_ref, org_id, custom_fields)
        SELECT gen_random_uuid(), timestamptz '2020-01-01' + n * interval '1 minute', timestamptz '2020-01-01', 'Inventada',
            n::text, '', false, true, false, false, '', '', '', (SELECT org_id FROM contacts LIMIT 1), '{}'
        FROM generate_series(1, 120) AS n;";
    bottlecrm.execute(make).await.unwrap();
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let mut listener = Listener::new(&desk);
    assert_eq!(listener.round().await, [], "what was there before is no news");
    listener.catch_up().await;

    let row = async |n: u32| {
        let query = format!("SELECT id FROM contacts WHERE first_name = 'Inventada' AND last_name = '{n}'");
        bottlecrm.rows(&query).await.unwrap()[0]["id"].as_str().unwrap().to_owned()
    };
    // The last one of the list, one in the middle, and one that is new.
    let (last, middle) = (row(1).await, row(60).await);
    for id in [&last, &middle] {
        let change = json!({"phone": "+55 11 98765-0000"});
        let (status, said) =
            bottlecrm.rest("PATCH", &format!("/contacts/{id}/"), Some(&change)).await.unwrap();
        assert_eq!(status, 200, "{said}");
    }
    let draft = json!({"first_name": "Nova", "last_name": "Inventada", "phone": "+5511987650001"});
    let (_, made) = bottlecrm.rest("POST", "/contacts/", Some(&draft)).await.unwrap();
    let new = made["id"].as_str().unwrap();
    listener.hears(&[changed(&last), changed(&middle), changed(new)]).await;

    // Two at one moment, of which one is shown only after the round that told the other.
    let stamp = async |id: &str| {
        let set = format!(
            "UPDATE contacts SET updated_at = timestamptz '2031-01-01 12:00:05.123456' WHERE id = '{id}';"
        );
        bottlecrm.execute(&set).await.unwrap();
    };
    stamp(&last).await;
    assert_eq!(listener.round().await, [changed(&last)]);
    stamp(&middle).await;
    let told: BTreeSet<String> = listener.round().await.into_iter().map(|fact| format!("{fact:?}")).collect();
    assert!(told.contains(&format!("{:?}", changed(&middle))), "{told:?}");
    listener.catch_up().await;
}
