use super::*;
use crate::bounded::Bounded;
use crate::class::{ClassSet, DataClass};
use rstest::rstest;
use serde_json::json;

fn scope_test<R>(parts: &[(&str, Language, &str)], test: impl FnOnce(&Scope<'_>) -> R) -> R {
    let phone: ClassSet = [DataClass::ContactPhone].into_iter().collect();
    let values = [
        ("phone".to_owned(), FieldSpec::Classes(phone)),
        ("id".to_owned(), FieldSpec::Bounded(Bounded::Id)),
        ("page".to_owned(), FieldSpec::Bounded(Bounded::Int { min: 0, max: 100 })),
    ];
    let settings = json!({"server": "https://crm.example", "label": "acme", "company": 1, "bad": [1], "sneaky": "x/../y", "host": "evil.example/x"});
    let parts = parts
        .iter()
        .map(|(name, language, text)| ((*name).to_owned(), (*language, Template::parse(text).unwrap())))
        .collect();
    test(&Scope { values: &values, settings: &settings, parts: &parts, raw: false })
}

const VALUES: [&str; 3] = ["+5511900000021", "c-7", "3"];

fn rendered(url: &str, parts: &[(&str, Language, &str)]) -> Result<String, CompileError> {
    scope_test(parts, |scope| {
        let (origin, target) = scope.address(&Template::parse(url).unwrap())?;
        let values = VALUES.map(Clear::from);
        Ok(format!("{origin} {}", target.render(&values).unwrap()))
    })
}

#[rstest]
#[case::plain("https://crm.example/a/b?x=1", &[], "https://crm.example /a/b?x=1")]
#[case::setting_origin("{setting.server}/c/{id}", &[], "https://crm.example /c/c-7")]
#[case::label("https://{setting.label}.crm.example/c", &[], "https://acme.crm.example /c")]
#[case::no_path("https://crm.example", &[], "https://crm.example /")]
#[case::query_only("https://crm.example?x={page}", &[], "https://crm.example /?x=3")]
#[case::query_value("https://crm.example/c?phone={phone}", &[], "https://crm.example /c?phone=%2B5511900000021")]
#[case::soql("https://crm.example/q?q={q}", &[("q", Language::Soql, "SELECT Id WHERE Phone = {phone} LIMIT {page}")], "https://crm.example /q?q=SELECT%20Id%20WHERE%20Phone%20%3D%20%27%2B5511900000021%27%20LIMIT%203")]
#[case::odata("https://crm.example/c?$filter={f}", &[("f", Language::Odata, "phone eq {phone}")], "https://crm.example /c?$filter=phone%20eq%20%27%2B5511900000021%27")]
#[case::json_number("https://crm.example/c?d={d:base64url-nopad}", &[("d", Language::Json, r#"{"p":{page},"c":{setting.company}}"#)], "https://crm.example /c?d=eyJwIjozLCJjIjoxfQ")]
#[case::nested_parts("https://crm.example/c?d={outer}", &[("inner", Language::Json, "[{id}]"), ("outer", Language::Json, r#"{"j":{inner}}"#)], r#"https://crm.example /c?d=%7B%22j%22%3A%22%5B%5C%22c-7%5C%22%5D%22%7D"#)]
#[case::text_part("https://crm.example/c?d={t}", &[("t", Language::Text, "x-{id}")], "https://crm.example /c?d=x-c-7")]
fn addresses_compile(#[case] url: &str, #[case] parts: &[(&str, Language, &str)], #[case] expected: &str) {
    assert_eq!(rendered(url, parts).unwrap(), expected);
}

#[rstest]
#[case::host_from_value("https://{id}.crm.example/c", &[], "stands in the host name")]
#[case::origin_from_value("{phone}/c", &[], "stands in the host name")]
#[case::host_with_path("https://{setting.host}.crm.example/c", &[], "does not start with an exact origin")]
#[case::no_scheme("crm.example/c", &[], "does not start with an exact origin")]
#[case::user("https://a:b@crm.example/c", &[], "does not start with an exact origin")]
#[case::fragment("https://crm.example/c#x", &[], "a fragment")]
#[case::double_slash("https://crm.example//c", &[], "an empty segment")]
#[case::dots("https://crm.example/a/../c", &[], "a dot segment")]
#[case::percent("https://crm.example/%2e%2e/c", &[], "a percent sign")]
#[case::space("https://crm.example/a b", &[], "belongs percent-encoded")]
#[case::stray_brace("https://crm.example/{Phone}", &[], "belongs percent-encoded")]
#[case::undeclared("https://crm.example/{nope}", &[], "is not declared")]
#[case::no_setting("https://crm.example/{setting.nope}", &[], "has no value")]
#[case::setting_kind("https://crm.example/{setting.bad}", &[], "not a text, a number")]
#[case::setting_slash("https://crm.example/{setting.sneaky}", &[], "cannot be written into path")]
#[case::circle("https://crm.example/c?x={a}", &[("a", Language::Json, "[{b}]"), ("b", Language::Json, "[{a}]")], "uses itself")]
#[case::raw_value("https://crm.example/c?x={t}", &[("t", Language::Text, "x{phone}")], "cannot stand in a `text` part")]
#[case::part_quoted("https://crm.example/c?x={a}", &[("a", Language::Json, "[\"{id}\"]")], "stands within quotes")]
fn wrong_addresses_are_refused_when_the_grant_is_loaded(
    #[case] url: &str,
    #[case] parts: &[(&str, Language, &str)],
    #[case] part: &str,
) {
    let error = rendered(url, parts).unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
}
