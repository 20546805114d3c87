use rstest::rstest;
use serde_json::json;

use super::*;
use crate::source::read;

const SCHEMA: &str = r#"
[settings]
type = "object"
required = ["server"]
[settings.properties.server]
type = "string"
format = "origin"
title = "Server address"
[settings.properties.account]
type = "string"
format = "label"
[settings.properties.proxy]
type = "string"
format = "host"
[settings.properties.company]
type = "integer"
minimum = 1
maximum = 9
default = 1
title = "Company number"
[settings.properties.code]
type = "string"
pattern = "^[A-Z]{3}$"
maxLength = 3
[settings.properties.mode]
type = "string"
enum = ["fast", "safe"]
default = "safe"
[settings.properties.lines]
type = "array"
items = { type = "string", minLength = 1 }
maxItems = 2
uniqueItems = true
title = "Lines"
[settings.properties.journal]
type = "object"
title = "Journal"
[settings.properties.journal.properties.open]
type = "boolean"
default = true
"#;

fn schema() -> SettingsSchema {
    read("plugin.toml", SCHEMA, |top, _| SettingsSchema::read(&top.get("settings")?)).unwrap()
}

#[test]
fn defaults_are_filled_in_and_the_order_is_the_authors() {
    let schema = schema();
    assert_eq!(
        schema.names().collect::<Vec<_>>(),
        ["server", "account", "proxy", "company", "code", "mode", "lines", "journal"]
    );
    let settings = schema.check(&json!({ "server": "https://crm.example.com", "journal": {} })).unwrap();
    assert_eq!(
        settings,
        json!({ "server": "https://crm.example.com", "journal": { "open": true }, "company": 1, "mode": "safe" })
    );
}

#[test]
fn a_plugin_without_settings_takes_none() {
    let schema = SettingsSchema::empty();
    assert_eq!(schema.check(&json!({})), Ok(json!({})));
    let error = schema.check(&json!({ "server": "x" })).unwrap_err();
    assert_eq!(error.to_string(), "`server`: is no setting of this plugin; this plugin has no settings");
}

#[rstest]
#[case::missing(json!({}), "`server` (Server address): is missing; enter it")]
#[case::path(
    json!({ "server": "https://crm.example.com/app" }),
    "`server` (Server address): the address ends after host and port; leave out the path, the query and a last `/`"
)]
#[case::no_scheme(
    json!({ "server": "crm.example.com" }),
    "`server` (Server address): an address starts with https:// or http://, such as https://crm.example.com"
)]
#[case::number(json!({ "server": 1 }), "`server` (Server address): must be a text")]
#[case::whole(json!([1]), "the settings are an object of names and values")]
#[case::unknown(
    json!({ "server": "https://a.example", "acount": "x" }),
    "`acount`: is no setting of this plugin; did you mean `account`?"
)]
#[case::label(
    json!({ "server": "https://a.example", "account": "evil.example/?" }),
    "`account`: may hold a-z, 0-9 and `-` only, as one part of a host name does"
)]
#[case::host(
    json!({ "server": "https://a.example", "proxy": "http://b" }),
    "`proxy`: is no host name; enter it alone and in lower case, such as crm.example.com"
)]
#[case::small(json!({ "server": "https://a.example", "company": 0 }), "`company` (Company number): must be at least 1")]
#[case::large(json!({ "server": "https://a.example", "company": 10 }), "`company` (Company number): must be at most 9")]
#[case::fraction(json!({ "server": "https://a.example", "company": 1.5 }), "`company` (Company number): must be a whole number")]
#[case::choice(
    json!({ "server": "https://a.example", "mode": "reckless" }),
    "`mode`: must be one of [\"fast\",\"safe\"]"
)]
#[case::pattern(json!({ "server": "https://a.example", "code": "ab" }), "`code`: must match the pattern `^[A-Z]{3}$`")]
#[case::element(json!({ "server": "https://a.example", "lines": ["a", ""] }), "`lines.1` (Lines): must not be empty")]
#[case::too_many(json!({ "server": "https://a.example", "lines": ["a", "b", "c"] }), "`lines` (Lines): must list at most 2")]
#[case::twice(json!({ "server": "https://a.example", "lines": ["a", "a"] }), "`lines` (Lines): lists something twice")]
#[case::nested(
    json!({ "server": "https://a.example", "journal": { "open": "yes" } }),
    "`journal.open` (Journal): must be true or false"
)]
#[case::nested_unknown(
    json!({ "server": "https://a.example", "journal": { "opened": true } }),
    "`journal.opened` (Journal): is no setting of this plugin; did you mean `open`?"
)]
#[case::two(
    json!({ "company": 0, "mode": "x" }),
    "`company` (Company number): must be at least 1; `mode`: must be one of [\"fast\",\"safe\"]; \
     `server` (Server address): is missing; enter it"
)]
fn wrong_settings_are_told_by_their_name(#[case] entered: Value, #[case] expected: &str) {
    assert_eq!(schema().check(&entered).unwrap_err().to_string(), expected);
}

#[rstest]
#[case::format("server")]
#[case::label("account")]
#[case::host("proxy")]
#[case::pattern("code")]
#[case::choice("mode")]
#[case::kind("company")]
#[case::list("lines")]
#[case::object("journal")]
fn what_was_entered_is_never_repeated(#[case] name: &str) {
    let pasted = "hunter2 hunter2 hunter2";
    let error = schema().check(&json!({ name: pasted })).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[rstest]
#[case("token", true)]
#[case("api-key", true)]
#[case("client_secret", true)]
#[case("dbpassword", true)]
#[case("senha", true)]
#[case("access-token-url", true)]
#[case("keyboard", false)]
#[case("monkey", false)]
#[case("server", false)]
fn names_of_secrets_are_known(#[case] name: &str, #[case] secret: bool) {
    let text = format!("[settings]\ntype = \"object\"\n[settings.properties.{name}]\ntype = \"string\"\n");
    let taken = read("plugin.toml", &text, |top, _| SettingsSchema::read(&top.get("settings")?));
    assert_eq!(taken.is_err(), secret);
}
