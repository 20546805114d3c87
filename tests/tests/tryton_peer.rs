//! The Tryton test peer itself: what the plugin's tests stand on, and what the real server does that a
//! plugin must know. Where a new Tryton answers otherwise, this fails before the plugin's own tests puzzle
//! anybody. All people and numbers are invented.

use ramal_tests::tryton::Tryton;
use serde_json::{Value, json};

/// One server for a test, or the end of the test if it cannot be had.
macro_rules! tryton_or_skip {
    ($test:literal) => {
        match Tryton::start().await.unwrap().or_skip($test) {
            Some(tryton) => tryton,
            None => return,
        }
    };
}

fn names(answer: &Value) -> Vec<&str> {
    answer.as_array().unwrap().iter().map(|party| party["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_party_made_over_rest_is_seen_by_the_vendors_client() {
    let tryton = tryton_or_skip!("a_party_made_over_rest_is_seen_by_the_vendors_client");
    let draft = json!({"name": "Rita Alves", "contact_mechanisms": [["create", [
        {"type": "mobile", "value": "+5511912345678"}, {"type": "email", "value": "rita@example.com"}]]]});
    let (status, created) = tryton.rest("POST", "party.party?f=name", Some(&draft)).await.unwrap();
    assert_eq!((status, &created["name"]), (200, &json!("Rita Alves")));

    let party = tryton.party(created["id"].as_i64().unwrap()).await.unwrap();
    assert_eq!(party.name.as_deref(), Some("Rita Alves"));
    assert!(party.active && party.notes.is_empty());
    let seen: Vec<_> =
        party.mechanisms.iter().map(|m| (m.kind.as_str(), m.value_compact.as_deref())).collect();
    assert_eq!(seen, [("mobile", Some("+5511912345678")), ("email", Some("rita@example.com"))]);
}

#[tokio::test]
async fn tests_share_no_data() {
    let one = tryton_or_skip!("tests_share_no_data");
    let other = tryton_or_skip!("tests_share_no_data");
    let maria = one.parties["Maria da Silva"];
    one.write("party.party", maria, &json!({"name": "Maria Souza"})).await.unwrap();
    assert_eq!(one.party(maria).await.unwrap().name.as_deref(), Some("Maria Souza"));
    assert_eq!(other.party(maria).await.unwrap().name.as_deref(), Some("Maria da Silva"));
}

#[tokio::test]
async fn one_lookup_takes_many_spellings() {
    let tryton = tryton_or_skip!("one_lookup_takes_many_spellings");
    let body = |numbers: Value| {
        json!({"domain": [["contact_mechanisms.value_compact", "in", numbers]], "limit": 10,
            "order": [["name", "ASC"], ["id", "ASC"]], "fields_names": ["name"]})
    };
    for (numbers, found) in [
        (json!(["+5511987654321", "+551187654321"]), vec!["Maria da Silva"]),
        (json!(["+551140028922"]), vec!["Carla Dias", "Padaria Estrela Ltda"]),
        // Kept as typed: E.164 alone does not find it.
        (json!(["+553134567890"]), vec![]),
        (json!(["+553134567890", "(31) 3456-7890"]), vec!["Ana Lima"]),
        // Switched off.
        (json!(["+5511955554444"]), vec![]),
    ] {
        let (status, answer) =
            tryton.rest("POST", "party.party/search_read", Some(&body(numbers.clone()))).await.unwrap();
        assert_eq!((status, names(&answer)), (200, found), "{numbers}");
    }
}

#[tokio::test]
async fn a_note_can_be_written_but_not_amended() {
    let tryton = tryton_or_skip!("a_note_can_be_written_but_not_amended");
    let maria = tryton.parties["Maria da Silva"];
    let note = json!({"resource": format!("party.party,{maria}"), "message": "Chamada recebida"});
    let (status, created) = tryton.rest("POST", "ir.note", Some(&note)).await.unwrap();
    assert_eq!(status, 200);

    let path = format!("ir.note/{}", created["id"]);
    let (status, refusal) = tryton.rest("PUT", &path, Some(&json!({"message": "Outra"}))).await.unwrap();
    assert_eq!(
        (status, &refusal["message"]),
        (400, &json!("You are not allowed to search on the \"ir.note\" resource."))
    );
    let notes = tryton.party(maria).await.unwrap().notes;
    assert_eq!(notes.last().unwrap().message, "Chamada recebida");
}

#[tokio::test]
async fn a_key_without_the_right_gets_400_and_a_wrong_key_401() {
    let mut tryton = tryton_or_skip!("a_key_without_the_right_gets_400_and_a_wrong_key_401");
    tryton.key = tryton.key_without_sales.clone();
    let (status, refusal) = tryton.rest("GET", "sale.opportunity?f=number", None).await.unwrap();
    assert_eq!(
        (status, &refusal["message"]),
        (400, &json!("You are not allowed to access \"Sale Opportunity\"."))
    );
    // The same refusal of a method, rather than of the model's own path, is 403 without words.
    let all = json!({"domain": [], "fields_names": ["number"]});
    let answer = tryton.rest("POST", "sale.opportunity/search_read", Some(&all)).await.unwrap();
    assert_eq!(answer, (403, Value::Null));
    tryton.key = "wrong".to_owned();
    assert_eq!(tryton.rest("GET", "party.party?f=name", None).await.unwrap().0, 401);
}

#[tokio::test]
async fn traces_find_a_text_wherever_it_stands() {
    let tryton = tryton_or_skip!("traces_find_a_text_wherever_it_stands");
    let maria = tryton.parties["Maria da Silva"];
    let opportunity = tryton.party(maria).await.unwrap().opportunities[0].id;
    tryton.write("sale.opportunity", opportunity, &json!({"comment": "pergunta por zebra"})).await.unwrap();
    tryton.write("sale.opportunity", opportunity, &json!({"comment": null})).await.unwrap();
    // Tryton shows nothing any more; its history does.
    assert_eq!(tryton.traces(&["zebra"]).await.unwrap(), ["sale_opportunity__history.comment"]);
    assert!(tryton.traces(&["giraffe"]).await.unwrap().is_empty());
}

/// Why the plugin must delete the contact mechanisms itself before it asks Tryton to erase.
#[tokio::test]
async fn the_vendors_erasure_alone_leaves_number_and_email_behind() {
    let tryton = tryton_or_skip!("the_vendors_erasure_alone_leaves_number_and_email_behind");
    let maria = tryton.parties["Maria da Silva"];
    let erase = async |session: &Value| {
        tryton
            .rpc("wizard.party.erase.execute", json!([session, {"ask": {"party": maria}}, "erase", {}]))
            .await
    };
    let wizard = tryton.rpc("wizard.party.erase.create", json!([{}])).await.unwrap()[0].clone();
    let refusal = erase(&wizard).await.unwrap_err().to_string();
    assert!(refusal.contains("cannot be erased because they are still active"), "{refusal}");

    let path = format!("party.party/{maria}");
    let (status, _) = tryton.rest("PUT", &path, Some(&json!({"active": false}))).await.unwrap();
    assert_eq!(status, 200);
    erase(&wizard).await.unwrap();

    let party = tryton.party(maria).await.unwrap();
    assert_eq!((party.name, party.active, party.notes), (None, false, vec![]));
    assert!(party.mechanisms.iter().all(|m| m.value == "****"));
    let left = tryton.traces(&["98765", "maria.silva", "Maria"]).await.unwrap();
    assert_eq!(left, ["party_contact_mechanism.value_compact"]);
}
