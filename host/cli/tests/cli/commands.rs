//! What goes well: inspecting, granting and calling a small plugin.

use crate::support::{Place, plugin};

const CALL: [&str; 6] =
    ["call", "sample.wasm", "find-by-phone", "--grant", "grant.toml", "--arg=phone=(11) 98765-4321"];

fn place() -> Place {
    let place = Place::new();
    place.put("sample.wasm", plugin::sample());
    place.put("grant.toml", plugin::GRANT);
    place.put("rich.wasm", plugin::with(include_str!("support/rich.toml")));
    place.put("settings.json", r#"{"server": "http://127.0.0.1:7788"}"#);
    place
}

#[test]
fn a_plugin_is_shown_with_all_that_it_asks() {
    insta::assert_snapshot!(place().run(&["inspect", "rich.wasm"]).told());
}

#[test]
fn a_script_gets_the_same_as_a_document() {
    let (code, document) = place().json(&["inspect", "rich.wasm", "--json"]);
    assert_eq!(code, 0);
    assert_eq!(document["id"], "rich");
    assert_eq!(document["asks"][0]["class"], "contact.name");
    assert_eq!(document["asks"][2]["from_crm"], "clear");
    assert_eq!(document["routes"][0]["sends"], serde_json::json!(["contact.phone"]));
    assert_eq!(document["credentials"][0]["secrets"], serde_json::json!(["token"]));
    assert_eq!(document["settings"]["required"], serde_json::json!(["server"]));
    assert_eq!(document["manifest"], include_str!("support/rich.toml"));
}

#[test]
fn a_script_that_fails_gets_a_document_too() {
    let place = place();
    place.put("bad.wasm", "nothing");
    let (code, document) = place.json(&["inspect", "bad.wasm", "--json"]);
    assert_eq!((code, &document["error"]["kind"]), (3, &"input".into()));
    assert!(document["error"]["hints"][0].as_str().unwrap().contains("ramal build"), "{document}");
}

#[test]
fn a_proposal_names_the_digest_and_waits_for_a_person() {
    let place = place();
    let ran =
        place.run(&["grant", "propose", "rich.wasm", "--settings", "settings.json", "--out", "new.toml"]);
    insta::assert_snapshot!(ran.told());
    let text = place.read("new.toml");
    assert!(text.contains("approved-by = \"\"") && text.contains("private = [\"127.0.0.1/32\"]"), "{text}");
    let refused = place.run(&["grant", "check", "new.toml", "rich.wasm", "--settings", "settings.json"]);
    assert_eq!(refused.code, 3, "{}", refused.err);
}

#[test]
fn a_proposal_that_a_person_signed_fits() {
    let place = place();
    let sign =
        ["grant", "propose", "rich.wasm", "--settings", "settings.json", "--by", "ana@example.invalid"];
    let printed = place.run(&sign);
    place.put("signed.toml", &printed.out);
    let ran = place.run(&["grant", "check", "signed.toml", "rich.wasm", "--settings", "settings.json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("nothing: the grant gives all that it asks"), "{}", ran.out);
}

#[test]
fn a_narrowed_grant_is_told_in_words_of_its_effect() {
    let place = place();
    let narrow = r#"
        [grant]
        tenant = "acme"
        plugin = "rich"
        digest = "any"
        revision = 7
        approved-by = "ana@example.invalid"
        approved-at = "2026-11-23"
        expires = "2028-11-22"
        reason = "the front desk sees who is calling"
        purposes = ["screen-pop"]
        routes = ["find-by-phone"]
        [classes]
        "contact.phone" = { to-plugin = "sealed" }
        "contact.name" = { from-crm = "masked" }
        [[destination]]
        origin = "http://127.0.0.1:7788"
        private = ["127.0.0.1/32"]
        reason = "the practice CRM"
    "#;
    place.put("narrow.toml", narrow);
    let ran = place.run(&["grant", "check", "narrow.toml", "rich.wasm", "--settings", "settings.json"]);
    insta::assert_snapshot!(ran.told());
}

#[test]
fn force_overwrites_and_nothing_else_does() {
    let place = place();
    place.put("old.toml", "mine");
    assert_eq!(place.run(&["grant", "propose", "sample.wasm", "--out", "old.toml"]).code, 5);
    assert_eq!(place.read("old.toml"), "mine");
    assert_eq!(place.run(&["grant", "propose", "sample.wasm", "--out", "old.toml", "--force"]).code, 0);
    assert!(place.read("old.toml").contains("plugin = \"sample\""));
}

#[test]
fn a_call_is_reported_and_shows_no_value() {
    let place = place();
    let (code, document) = place.json(&[&CALL[..], &["--json"]].concat());
    assert_eq!(code, 0, "{document}");
    let contact = &document["result"][0];
    assert_eq!(contact["id"], "7");
    assert_eq!(contact["phones"][0], serde_json::json!({ "classes": ["contact.phone"], "value": null }));
    assert_eq!(document["report"]["seen"][0]["level"], "sealed");
    assert_eq!(document["report"]["seen"][0]["count"], 2);
    assert_eq!(document["disclosures"], serde_json::json!([]));
    assert_eq!((&document["purpose"], &document["outcome"]), (&"screen-pop".into(), &"ok".into()));

    let ran = place.run(&CALL);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("contact.phone  from the panel  sealed       2"), "{}", ran.out);
    assert!(ran.err.contains("for development only"), "{}", ran.err);
    for value in ["98765", "Made-up name"] {
        assert!(!ran.out.contains(value) && !ran.err.contains(value), "{}{}", ran.out, ran.err);
        assert!(!document.to_string().contains(value), "{document}");
    }
}

#[test]
fn values_are_shown_when_asked_for() {
    let ran = place().run(&[&CALL[..], &["--show-values"]].concat());
    assert!(ran.out.contains("+5511987654321") && ran.out.contains("Made-up name"), "{}", ran.out);
}

#[test]
fn no_level_of_the_log_tells_a_number() {
    let place = place();
    let mut command = place.ramal(&CALL);
    let done = command.env("RAMAL_LOG", "trace,rlibphonenumber=trace").output().unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && text.contains("WARN"), "{text}");
    assert!(!text.contains("98765"), "{text}");
}

#[test]
fn a_plugin_that_breaks_is_the_plugins_fault_and_reported() {
    let place = place();
    let ran = place.run(&["call", "sample.wasm", "get", "--grant", "grant.toml", "--arg", "id=7"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("outcome    panic"), "{}", ran.out);
    insta::assert_snapshot!(ran.err, @r#"
    note: the grant holds for any build of this plugin (digest = "any"): for development only
    error: the plugin was stopped (panic)
    hint: this is a defect of the plugin; its author needs the report and the plugin's log lines
    "#);
}

#[test]
fn a_plugin_that_computes_too_long_is_stopped_and_the_limit_named() {
    let place = place();
    place.put(
        "search.toml",
        plugin::GRANT.replace("\"screen-pop\"", "\"search\"").replace("contact.phone", "contact.name"),
    );
    let call = [
        "call",
        "sample.wasm",
        "search",
        "--grant",
        "search.toml",
        "--arg",
        "query=x",
        "--user",
        "ana",
        "-q",
    ];
    let ran = place.run(&call);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    insta::assert_snapshot!(ran.err, @r"
    error: the plugin was stopped (cpu-time)
    hint: the limit is 20 ms: `cpu-ms` in [limits] of the grant
    ");
}

#[test]
fn a_purpose_that_needs_a_person_asks_for_one() {
    let place = place();
    place.put("search.toml", plugin::GRANT.replace("\"screen-pop\"", "\"search\""));
    let ran =
        place.run(&["call", "sample.wasm", "search", "--grant", "search.toml", "--arg", "query=x", "-q"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("hint: say who acts: --user NAME"), "{}", ran.err);
}

#[test]
fn colours_are_for_those_who_see_them() {
    let place = place();
    assert!(!place.run(&["inspect", "sample.wasm"]).out.contains('\u{1b}'));
    let colored = place.run(&["inspect", "sample.wasm", "--color", "always"]);
    assert!(colored.out.contains("\u{1b}[1m"), "{}", colored.out);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    use std::process::Stdio;
    let place = place();
    let mut child =
        place.ramal(&["inspect", "rich.wasm"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), String::from_utf8(done.stderr).unwrap()), (Some(0), String::new()));
}

#[test]
fn the_variable_that_names_the_fixtures_does_not_ask_for_the_practice_setup() {
    let place = place();
    let done = place.ramal(&["run"]).env("RAMAL_FIXTURES", "somewhere").output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(3) && told.contains("ramal.toml"), "{told}");
}
