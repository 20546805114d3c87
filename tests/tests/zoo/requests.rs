//! Animals that want to send what no route allows, or more than they may.

use rstest::rstest;
use serde_json::{Value, json};

use super::host::{Host, With, rule_in};
use super::people;

fn params(route: &str, params: &[(&str, &str)]) -> Value {
    json!({"route": route, "params": params})
}

fn body(body: &str) -> Value {
    json!({"route": "note", "body": body})
}

#[rstest]
#[case::route_that_is_none(params("export-everything", &[]), "unknown-route")]
#[case::route_with_a_path(params("find/../secret", &[("phone", "x")]), "unknown-route")]
#[case::route_that_is_not_granted(params("secret", &[]), "route")]
#[case::route_for_another_purpose(params("later", &[]), "route-purpose")]
#[case::no_parameter(params("find", &[]), "params")]
#[case::parameter_twice(params("find", &[("phone", "$0"), ("phone", "$0")]), "params")]
#[case::parameter_more(params("find", &[("phone", "$0"), ("host", "evil.example")]), "params")]
#[case::parameter_of_another_name(params("find", &[("Phone", "$0")]), "params")]
#[case::body_where_none_is(json!({"route": "find", "params": [["phone", "$0"]], "body": "{}"}), "body")]
#[case::no_body(json!({"route": "note"}), "body")]
#[case::body_that_is_no_json(body("text=x"), "body")]
#[case::two_bodies(body(r#"{"text":"x"}{"text":"y"}"#), "body")]
#[case::cut_body(body(r#"{"text":"x""#), "body")]
#[case::key_that_is_not_listed(body(r#"{"admin":true}"#), "body-place")]
#[case::key_twice(body(r#"{"kind":"call","kind":"message"}"#), "body-place")]
#[case::key_twice_escaped(body(r#"{"kind":"call","\u006bind":"message"}"#), "body-place")]
#[case::key_with_a_pointer(body(r#"{"who/0/phone":"x"}"#), "body-place")]
#[case::key_of_a_prototype(body(r#"{"__proto__":{"admin":true}}"#), "body-place")]
#[case::object_as_a_text(body(r#"{"text":{"$ne":""}}"#), "body-place")]
#[case::list_as_a_text(body(r#"{"text":["x"]}"#), "body-place")]
#[case::body_that_is_a_text(body(r#""text""#), "body-place")]
#[case::word_of_no_enum(body(r#"{"kind":"call\",\"admin\":\"true"}"#), "bounded")]
#[case::number_out_of_range(body(r#"{"seconds":86401}"#), "bounded")]
#[case::number_that_is_none(body(r#"{"seconds":"7 or 1=1"}"#), "bounded")]
#[case::something_where_nothing_may_be(body(r#"{"options":{"notify":"everybody"}}"#), "body-place")]
#[case::id_with_a_slash(params("get", &[("id", "../../admin")]), "bounded")]
#[case::id_encoded(params("get", &[("id", "..%2F..%2Fadmin")]), "bounded")]
#[case::id_with_a_query(params("get", &[("id", "x?admin=1")]), "bounded")]
#[case::id_of_dots(params("get", &[("id", "..")]), "bounded")]
#[case::id_with_a_line_break(params("get", &[("id", "x\r\nHost: evil.example")]), "bounded")]
#[case::path_with_a_slash(params("by-name", &[("name", "../../admin")]), "unencodable")]
#[case::path_with_a_backslash(params("by-name", &[("name", "..\\admin")]), "unencodable")]
#[case::path_of_dots(params("by-name", &[("name", "..")]), "unencodable")]
#[case::path_with_a_line_break(params("by-name", &[("name", "x HTTP/1.1\r\nHost: evil.example")]), "unencodable")]
#[case::path_with_a_null(params("by-name", &[("name", "x\0")]), "unencodable")]
#[case::path_that_is_empty(params("by-name", &[("name", "")]), "unencodable")]
#[case::header_with_a_line_break(params("who", &[("who", "x\r\nX-Admin: true")]), "unencodable")]
#[case::header_with_a_line_feed(params("who", &[("who", "x\nX-Admin: true")]), "unencodable")]
#[case::header_with_a_letter_of_no_header(params("who", &[("who", "Zoë")]), "unencodable")]
#[tokio::test]
async fn what_no_route_allows_is_denied_before_anything_leaves(#[case] request: Value, #[case] rule: &str) {
    let host = Host::open().await;
    let visited = host.animal("parrot").asked_to(&request).let_out().await;
    assert_eq!(visited.rule(), Some(rule), "{}", visited.error());
    assert_eq!(rule_in(&visited.took("answer")), Some(rule), "the animal must be told as well");
    assert!(visited.lines().is_empty(), "{:?}", visited.lines());
}

/// What is allowed leaves in its place and opens nothing around it.
#[rstest]
#[case::query(params("find", &[("phone", "1&limit=1000#x")]), "GET /api/contacts?phone=1%26limit%3D1000%23x")]
#[case::query_with_a_line_break(params("find", &[("phone", "1\r\nHost: evil")]), "GET /api/contacts?phone=1%0D%0AHost%3A%20evil")]
#[case::query_encoded_before(params("find", &[("phone", "%0d%0a")]), "GET /api/contacts?phone=%250d%250a")]
#[case::path_encoded_before(params("by-name", &[("name", "..%2f..%2fadmin")]), "GET /api/people/..%252f..%252fadmin/card")]
#[case::path_with_a_query(params("by-name", &[("name", "x?admin=1")]), "GET /api/people/x%3Fadmin%3D1/card")]
#[case::path_with_a_host(params("by-name", &[("name", "@evil.example:80")]), "GET /api/people/%40evil.example%3A80/card")]
#[case::path_with_parameters(params("by-name", &[("name", "x;admin=1")]), "GET /api/people/x%3Badmin%3D1/card")]
#[case::three_dots(params("by-name", &[("name", "...")]), "GET /api/people/.../card")]
#[case::name_of_the_other_parameter(params("pair", &[("a", "{b}"), ("b", "$0"), ("n", "7"), ("id", "x")]), "GET /api/pair?a=%7Bb%7D&b=%2B5511900000021&n=7&id=x")]
#[tokio::test]
async fn a_parameter_stays_in_its_place(#[case] request: Value, #[case] expected: &str) {
    let host = Host::open().await;
    let visited = host.animal("parrot").asked_to(&request).let_out().await;
    assert_eq!(visited.lines(), [expected], "{}", visited.error());
    assert_eq!(visited.asked[0].header("host"), Some(host.crm.origin().trim_start_matches("http://")));
}

#[tokio::test]
async fn a_text_of_a_body_stays_a_text() {
    let host = Host::open().await;
    let text = r#"{"text":"\",\"kind\":\"message\",\"x\":\"\u2028\u0000\\ $0"}"#;
    let visited = host.animal("parrot").asked_to(&body(text)).let_out().await;
    let sent: Value = serde_json::from_str(&visited.asked[0].body).unwrap();
    let text = format!("\",\"kind\":\"message\",\"x\":\"\u{2028}\0\\ {}", people::PHONE);
    assert_eq!(sent, json!({ "text": text }));
}

#[tokio::test]
async fn the_host_says_who_it_is_and_nothing_more() {
    let host = Host::open().await;
    let visited = host.animal("parrot").asked_to(&params("who", &[("who", "$0 x-admin: 1")])).let_out().await;
    let mut names: Vec<&str> = visited.asked[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    insta::assert_snapshot!(names.join(" "), @"accept accept-encoding host user-agent x-who");
    assert_eq!(visited.asked[0].header("x-who"), Some(format!("{} x-admin: 1", people::PHONE).as_str()));
    // The route has no credential; the one that has gets it in its slot.
    let visited = host.animal("parrot").asked_to(&params("find", &[("phone", "$0")])).let_out().await;
    assert_eq!(visited.asked[0].header("authorization"), Some(format!("Bearer {}", people::TOKEN).as_str()));
}

#[tokio::test]
async fn without_a_ledger_nothing_leaves() {
    let denying =
        Host::open_with(With { ledger: Some(std::sync::Arc::new(ramal_ledger::Deny)), ..With::default() })
            .await;
    let plugin = denying.animal("parrot").asked_to(&params("find", &[("phone", "$0")])).load().await.unwrap();
    let called = plugin.call(super::host::authority(), super::host::ask(&[people::PHONE.into()])).await;
    let error = called.outcome.unwrap_err().to_string();
    assert!(error.contains("the host cannot record what leaves at the moment"), "{error}");
    assert!(denying.crm.asked().is_empty());
}

#[tokio::test]
async fn a_secret_that_is_not_stored_is_told_without_names_of_others() {
    let host = Host::open().await;
    let other = host.animal("parrot").asked_to(&params("find", &[("phone", "$0")])).granted(|g| {
        g.tenant = ramal_capability::TenantId::new("another-tenant").unwrap();
    });
    let plugin = other.load().await.unwrap();
    let mut authority = super::host::authority();
    authority.tenant = ramal_capability::TenantId::new("another-tenant").unwrap();
    let called = plugin.call(authority, super::host::ask(&[people::PHONE.into()])).await;
    let visited = host.watched(called).await;
    insta::assert_snapshot!(visited.error(), @"the credential is missing or no longer accepted; renew it");
    assert!(visited.lines().is_empty());
}
