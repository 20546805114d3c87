//! What a mapping makes of a payload. Numbers and texts are made up.

use crate::support::Place;

const SMALL: &str = include_str!("../../../../docs/channels/zenvia.toml");
const BODY: &str = r#"{"id":"e1","timestamp":"2026-11-23T19:00:00Z","type":"MESSAGE","channel":"sms","direction":"IN",
"message":{"id":"m1","from":"5511987654321","to":"28908","contents":[{"type":"text","text":"Olá"}]}}"#;

fn place(mapping: &str, body: &str) -> Place {
    let place = Place::new();
    place.put("mapping.toml", mapping);
    place.put("body.json", body);
    place
}

const TRY: [&str; 6] = ["channel", "try", "--mapping", "mapping.toml", "--body", "body.json"];

#[test]
fn a_payload_is_shown_as_it_would_be_told() {
    insta::assert_snapshot!(place(SMALL, BODY).run(&TRY).told());
}

#[test]
fn a_script_gets_the_same_as_a_document() {
    let mut arguments = TRY.to_vec();
    arguments.push("--json");
    let (code, document) = place(SMALL, BODY).json(&arguments);
    assert_eq!((code, &document["provider"]), (0, &"Zenvia".into()));
    assert_eq!(document["heard"][0]["text"], "Olá");
    assert_eq!(document["heard"][0]["contacts"], serde_json::json!(["+5511987654321 (e164)"]));
    let (code, document) = place(SMALL, "{}").json(&arguments);
    assert_eq!((code, &document["passed_over"][0]), (0, &"no-rule".into()));
}

#[test]
fn a_mistake_in_the_mapping_is_shown_at_its_place() {
    let wrong = SMALL.replacen("scheme = \"secret\"", "scheme = \"secrets\"", 1);
    insta::assert_snapshot!(place(&wrong, BODY).run(&TRY).told());
}

#[test]
fn a_payload_of_another_form_is_refused() {
    insta::assert_snapshot!(place(SMALL, "a=b").run(&TRY).told());
}
