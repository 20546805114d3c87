//! Tables that repeat what code says, compared with the code: a limit that grew, a rule that came, a class that a
//! page forgot.

use std::collections::BTreeMap;

use ramal_capability::{
    CredentialKind, DataClass, Digest, Export, FieldSpec, Import, InteractionId, Language, Level, LimitName,
    Limits, Manifest, PluginId, Purpose, RouteId, Rule, TenantId, UserId,
};
use ramal_ledger::{DisclosedBy, Disclosure, Outcome};
use ramal_tests::docs::{Block, blocks, table};

use crate::page;

/// The first columns of a table.
fn columns<const N: usize>(name: &str, first: &str) -> Vec<[String; N]> {
    let rows = table(&page(name), first);
    assert!(!rows.is_empty(), "docs/{name}.md has no table `{first}`");
    let cut =
        |row: Vec<String>| <[String; N]>::try_from(row.into_iter().take(N).collect::<Vec<_>>()).unwrap();
    rows.into_iter().map(cut).collect()
}

fn names(name: &str, first: &str) -> Vec<String> {
    columns::<1>(name, first).into_iter().map(|[name]| name).collect()
}

/// A number as people read it: `32 MiB`, `20 000`.
fn readable(number: u64, unit: &str) -> String {
    let binary = [(1024 * 1024, "MiB"), (1024, "KiB")];
    if unit == "bytes"
        && let Some((size, word)) =
            binary.into_iter().find(|(size, _)| number >= *size && number.is_multiple_of(*size))
    {
        return format!("{} {word}", number / size);
    }
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    if unit == "ms" { format!("{grouped} ms") } else { grouped }
}

fn join<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_limits_are_those_of_the_code() {
    let row = |limit: &LimitName| {
        [
            limit.name.replace('_', "-"),
            readable(limit.default, limit.unit),
            readable(limit.ceiling, limit.unit),
        ]
    };
    let expected: Vec<[String; 3]> = Limits::ALL.iter().map(row).collect();
    assert_eq!(columns::<3>("vendor", "limit"), expected);
}

#[test]
fn the_functions_and_their_purposes_are_those_of_the_code() {
    let expected: Vec<[String; 2]> =
        Export::ALL.iter().map(|export| [export.to_string(), join(export.purposes())]).collect();
    assert_eq!(columns::<2>("vendor", "function"), expected);
}

#[test]
fn the_interfaces_are_those_of_the_code() {
    assert_eq!(names("vendor", "interface"), Import::ALL.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn the_rules_are_those_of_the_code() {
    let expected: Vec<String> = Rule::ALL.iter().map(|rule| rule.code().to_owned()).collect();
    assert_eq!(names("vendor", "rule"), expected);
}

#[test]
fn the_bounded_types_are_those_of_the_code() {
    let listed = names("vendor", "type");
    for text in &listed {
        assert!(matches!(text.parse(), Ok(FieldSpec::Bounded(_))), "`{text}` is no bounded type");
    }
    // The host's own list, as it tells somebody who wrote another word.
    let told = "no such type".parse::<FieldSpec>().unwrap_err().to_string();
    let told = told.split_once("bounded types are ").unwrap().1.replace(" and ", ", ");
    let kind = |text: &str| text.split('(').next().unwrap_or_default().to_owned();
    for word in told.split(", ").map(kind) {
        assert!(
            listed.iter().any(|text| kind(text) == word),
            "docs/vendor.md lacks the bounded type `{word}`"
        );
    }
}

#[test]
fn the_place_languages_are_those_of_the_code() {
    use Language::{Header, Json, Odata, Path, Query, Soql, Text};
    let all = [Path, Query, Header, Json, Soql, Odata, Text];
    // A new language stops this from compiling.
    all.iter().for_each(|language| match language {
        Path | Query | Header | Json | Soql | Odata | Text => {}
    });
    assert_eq!(names("vendor", "language"), all.map(|language| language.to_string()));
}

#[test]
fn the_reference_manifest_shows_every_kind_of_credential() {
    let files = blocks(&page("vendor")).unwrap();
    let text = files.into_iter().find_map(|block| match block {
        Block::File { path, text } if path == "reference/plugin.toml" => Some(text),
        _ => None,
    });
    let manifest =
        Manifest::parse("plugin.toml", &text.expect("docs/vendor.md has reference/plugin.toml")).unwrap();
    let mut shown: Vec<&str> =
        manifest.credentials.iter().map(|credential| credential.kind.as_str()).collect();
    manifest.credentials.iter().for_each(|credential| match &credential.kind {
        CredentialKind::Bearer
        | CredentialKind::Header { .. }
        | CredentialKind::Basic
        | CredentialKind::Query { .. }
        | CredentialKind::Session(_)
        | CredentialKind::OAuth2(_)
        | CredentialKind::Hook => {}
    });
    let mut kinds = names("vendor", "kind");
    shown.sort_unstable();
    kinds.sort_unstable();
    assert_eq!(shown, kinds);
}

#[test]
fn the_classes_are_those_of_the_code() {
    assert_eq!(names("admin", "class"), DataClass::ALL.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn the_levels_are_those_of_the_code() {
    let all = [Level::None, Level::Exists, Level::Masked, Level::Sealed, Level::Clear];
    all.iter().for_each(|level| match level {
        Level::None | Level::Exists | Level::Masked | Level::Sealed | Level::Clear => {}
    });
    assert_eq!(names("admin", "level"), all.map(|level| level.to_string()));
}

#[test]
fn the_purposes_and_what_they_need_are_those_of_the_code() {
    let needs = |purpose: &Purpose| match (purpose.needs_interaction(), purpose.needs_user()) {
        (true, false) => "a call",
        (false, true) => "a person",
        (false, false) => "neither",
        (true, true) => "both",
    };
    let expected: Vec<[String; 2]> =
        Purpose::ALL.iter().map(|purpose| [purpose.to_string(), needs(purpose).to_owned()]).collect();
    assert_eq!(columns::<2>("admin", "purpose"), expected);
}

#[test]
fn the_fields_of_a_disclosure_are_those_of_the_code() {
    let row = Disclosure {
        at: "2026-11-23T12:00:00Z".parse().unwrap(),
        tenant: TenantId::new("acme").unwrap(),
        by: DisclosedBy::Plugin {
            plugin: PluginId::new("practice").unwrap(),
            version: "0.1.0".into(),
            digest: Digest([7; 32]),
            grant_revision: 3,
            route: RouteId::new("find-by-phone").unwrap(),
        },
        purpose: Purpose::ScreenPop,
        interaction: Some(InteractionId(uuid::Uuid::nil())),
        user: Some(UserId::new("ana").unwrap()),
        subject: Some("s-4f2a".to_owned()),
        classes: BTreeMap::from([(DataClass::ContactPhone, 2)]),
        origin: "https://crm.example".into(),
        method: "POST".to_owned(),
        bytes_out: 1,
        bytes_in: 2,
        status: Some(200),
        outcome: Outcome::SentAnswered,
    };
    let told = Disclosure { by: DisclosedBy::Webhook { webhook: "erp".into() }, ..row.clone() };
    let json = [row, told].map(|row| serde_json::to_value(&row).unwrap());
    let [plugins, webhooks] = json.each_ref().map(|row| row.as_object().unwrap().keys().collect::<Vec<_>>());
    let listed = names("admin", "field");
    let of_plugins: Vec<&String> = listed.iter().filter(|field| *field != "webhook").collect();
    assert_eq!(of_plugins, plugins);
    assert!(webhooks.iter().all(|field| listed.contains(field)), "{webhooks:?}");
}
