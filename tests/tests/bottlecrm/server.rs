//! What the real server does that the plugin must know. Where a new BottleCRM answers otherwise, this fails before the
//! plugin's own tests puzzle anybody.

use serde_json::json;

use super::desk::bottlecrm_or_skip;

#[tokio::test]
async fn what_bottlecrm_does_that_a_plugin_must_know() {
    let bottlecrm = bottlecrm_or_skip!("what_bottlecrm_does_that_a_plugin_must_know");
    let maria = bottlecrm.contacts["Maria da Silva"].clone();

    // Ten digits from the right: two cities' numbers are one.
    let asked = json!({"phone": "+5511987654321"});
    let (_, hits) = bottlecrm.rest("POST", "/contacts/duplicates/", Some(&asked)).await.unwrap();
    let mut names: Vec<_> =
        hits["duplicates"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Maria da Silva", "Sérgio Prado"]);

    // A list of deals tells the names of all contacts, and the e-mail address of each deal's.
    let (status, deals) = bottlecrm.rest_as("deals-only", "GET", "/opportunities/", None).await.unwrap();
    assert_eq!((status, deals["contacts_list"].as_array().unwrap().len()), (200, bottlecrm.contacts.len()));
    assert!(deals.to_string().contains("maria.silva@example.com"));
    // And it ignores a filter by a contact.
    let filtered = format!("/opportunities/?contact={}", bottlecrm.nobody);
    let (_, filtered) = bottlecrm.rest_as("deals-only", "GET", &filtered, None).await.unwrap();
    assert_eq!(filtered["opportunities_count"], 4);

    // A token that it does not know and one that may not are both 403.
    let page = format!("/contacts/{maria}/");
    let (status, refusal) = bottlecrm.rest_as("deals-only", "GET", &page, None).await.unwrap();
    assert_eq!(status, 403);
    assert!(refusal["detail"].as_str().unwrap().contains("It needs the contacts:read scope"), "{refusal}");
    // Another company's token finds nothing.
    assert_eq!(bottlecrm.rest_as("rival", "GET", &page, None).await.unwrap().0, 404);

    // No outside key of ours is kept, and microseconds are.
    let entry = json!({"kind": "call", "contact": maria, "external_id": "of ours",
        "occurred_at": "2026-11-23T17:40:00.000042Z"});
    let (status, written) = bottlecrm.rest("POST", "/interactions/", Some(&entry)).await.unwrap();
    assert_eq!((status, &written["external_id"]), (201, &json!("")));
    assert_eq!(written["occurred_at"], "2026-11-23T14:40:00.000042-03:00");

    // An entry is of one of its kinds, and stands on one record.
    let deal = deals["opportunities"][0]["id"].clone();
    for wrong in [
        json!({"kind": "enquiry", "contact": maria}),
        json!({"kind": "call", "contact": maria, "opportunity": deal}),
        json!({"kind": "call"}),
    ] {
        let (status, _) = bottlecrm.rest("POST", "/interactions/", Some(&wrong)).await.unwrap();
        assert_eq!(status, 400, "{wrong}");
    }

    // A deletion takes what stands on the contact, and leaves comments and the name in the list of activities.
    let comment = json!({"comment": "Maria quer a zebra"});
    bottlecrm.rest("POST", &page, Some(&comment)).await.unwrap();
    assert_eq!(bottlecrm.rest("DELETE", &page, None).await.unwrap().0, 200);
    assert!(bottlecrm.rows("SELECT id FROM interaction").await.unwrap().is_empty());
    assert_eq!(
        bottlecrm.traces(&["Maria", "maria.silva", "zebra"]).await.unwrap(),
        ["activity.entity_name", "comment.comment"]
    );
}

#[tokio::test]
async fn without_packaging_a_contact_is_saved_and_the_answer_is_500() {
    let bottlecrm = bottlecrm_or_skip!(
        "without_packaging_a_contact_is_saved_and_the_answer_is_500",
        start_as_pip_installs_it
    );
    let draft = json!({"first_name": "Rita", "last_name": "Alves"});
    let (status, _) = bottlecrm.rest("POST", "/contacts/", Some(&draft)).await.unwrap();
    let rows = bottlecrm.rows("SELECT id FROM contacts WHERE first_name = 'Rita'").await.unwrap();
    assert_eq!((status, rows.len()), (500, 1));
}
