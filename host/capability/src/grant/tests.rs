use std::fmt::Write;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::class::Level;

const GRANT: &str = include_str!("tests/tryton.toml");
const TRYTON: &str = include_str!("../manifest/tests/tryton.toml");
const HUBSPOT: &str = include_str!("../manifest/tests/hubspot.toml");

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn a_grant_gives_what_it_names_and_nothing_else() {
    let grant = Grant::parse("grant.toml", GRANT).unwrap();
    assert_eq!(grant.revision, 3);
    assert_eq!(grant.classes.get(DataClass::ContactPhone, Direction::ToPlugin), Level::Sealed);
    assert_eq!(grant.classes.get(DataClass::ContactName, Direction::FromCrm), Level::Clear);
    assert_eq!(grant.classes.get(DataClass::ContactName, Direction::ToPlugin), Level::None);
    assert_eq!(grant.classes.get(DataClass::ContactEmail, Direction::FromCrm), Level::None);
    assert_eq!(grant.purposes, BTreeSet::from([Purpose::ScreenPop, Purpose::Search]));
    assert_eq!(grant.destinations[0].private, ["127.0.0.1/32".parse::<ipnet::IpNet>().unwrap()]);
    assert!(grant.destinations[1].private.is_empty());
    assert_eq!(grant.limits.requests, Some(4));
    assert!(grant.pins_digest());
}

#[test]
fn empty_lists_are_a_grant_of_nothing() {
    let text = r#"
        [grant]
        tenant = "practice"
        plugin = "tryton"
        digest = "any"
        revision = 1
        approved-by = "ana@example.invalid"
        approved-at = 2026-11-23
        expires = 2026-12-23
        reason = "to look at it"
        purposes = []
        routes = []
    "#;
    let grant = Grant::parse("grant.toml", text).unwrap();
    assert!(grant.purposes.is_empty() && grant.routes.is_empty() && grant.destinations.is_empty());
    assert_eq!(grant.classes, LevelTable::default());
    assert!(!grant.pins_digest());
}

#[rstest]
#[case::before("2027-11-22", false)]
#[case::last_day("2027-11-23", false)]
#[case::after("2027-11-24", true)]
fn a_grant_holds_through_its_last_day(#[case] today: &str, #[case] expired: bool) {
    assert_eq!(Grant::parse("grant.toml", GRANT).unwrap().has_expired(day(today)), expired);
}

/// What is wrong, the text of the sample, and what stands there instead.
const WRONG: &[(&str, &str, &str)] = &[
    ("no person", "approved-by = \"ana@example.invalid\"", "approved-by = \" \""),
    ("no one named", "approved-by = \"ana@example.invalid\"\n", ""),
    ("no end", "expires = \"2027-11-23\"\n", ""),
    ("ends before it begins", "\"2027-11-23\"", "\"2026-11-22\""),
    ("three years", "\"2027-11-23\"", "\"2029-11-23\""),
    ("no such day", "\"2027-11-23\"", "\"2027-02-30\""),
    ("day in another order", "\"2027-11-23\"", "\"23/11/2027\""),
    ("time with the day", "\"2027-11-23\"", "2027-11-23T10:00:00Z"),
    ("revision zero", "revision = 3", "revision = 0"),
    ("negative revision", "revision = 3", "revision = -1"),
    ("short digest", "digest = \"sha256:0707", "digest = \"sha256:07"),
    ("digest of another kind", "digest = \"sha256:", "digest = \"md5:"),
    ("unknown purpose", "\"screen-pop\", \"search\"]", "\"screen-pop\", \"seach\"]"),
    ("route twice", "[\"find-by-phone\"]", "[\"find-by-phone\", \"find-by-phone\"]"),
    ("all routes by a star", "[\"find-by-phone\"]", "[\"*\"]"),
    ("routes as a text", "[\"find-by-phone\"]", "\"find-by-phone\""),
    ("unknown class", "\"contact.phone\" =", "\"contact.phon\" ="),
    ("class without quotes", "\"contact.name\" =", "contact.name ="),
    ("unknown level", "from-crm = \"clear\"", "from-crm = \"open\""),
    ("unknown direction", "{ from-crm = \"clear\" }", "{ from-crn = \"clear\" }"),
    ("level for both at once", "{ from-crm = \"clear\" }", "\"clear\""),
    ("legal basis of an ungranted purpose", "screen-pop = \"LGPD", "journal = \"LGPD"),
    ("legal basis without words", "\"LGPD art. 7, V (contract)\"", "\"\""),
    ("plain http in public", "origin = \"https://crm", "origin = \"http://crm"),
    ("destination with a path", "\"https://crm.example.com\"", "\"https://crm.example.com/api\""),
    ("destination with a star", "\"https://crm.example.com\"", "\"https://*.example.com\""),
    ("odd address", "\"http://127.0.0.1:7788\"", "\"http://0x7f.1:7788\""),
    (
        "destination twice",
        "\"https://crm.example.com\"",
        "\"http://127.0.0.1:7788\"\nprivate = [\"127.0.0.1/32\"]\nreason = \"again\"",
    ),
    ("private without a reason", "reason = \"the practice CRM runs on this machine\"\n", ""),
    ("private without a length", "[\"127.0.0.1/32\"]", "[\"127.0.0.1\"]"),
    ("private range that begins elsewhere", "[\"127.0.0.1/32\"]", "[\"127.0.0.1/8\"]"),
    ("everything private", "[\"127.0.0.1/32\"]", "[\"0.0.0.0/0\"]"),
    ("metadata service", "[\"127.0.0.1/32\"]", "[\"169.254.169.254/32\"]"),
    ("private address without its range", "\"https://crm.example.com\"", "\"https://10.1.2.3\""),
    ("limit above the ceiling", "requests = 4", "requests = 4000"),
    ("unknown table", "[legal-basis]", "[legal-base]"),
    ("unknown key", "reason = \"the front", "note = \"x\"\nreason = \"the front"),
];

#[test]
fn each_mistake_is_told_with_its_place_and_what_to_do() {
    let mut page = String::new();
    for (name, from, to) in WRONG {
        assert!(GRANT.contains(from), "`{from}` is not in the sample");
        let error = Grant::parse("grant.toml", &GRANT.replacen(from, to, 1)).expect_err(name);
        writeln!(page, "# {name}\n{error}\n").unwrap();
    }
    insta::assert_snapshot!(page);
}

fn proposal(manifest: &str, settings: Option<&serde_json::Value>) -> (Manifest, String) {
    let manifest = Manifest::parse("plugin.toml", manifest).unwrap();
    let tenant = TenantId::new("practice").unwrap();
    let text = Grant::propose(
        &manifest,
        Digest([7; 32]),
        &tenant,
        "ana@example.invalid",
        day("2026-11-23"),
        settings,
    );
    (manifest, text)
}

fn gives_exactly_what_is_asked(manifest: &Manifest, grant: &Grant) {
    assert_eq!(grant.plugin, manifest.id);
    assert_eq!(grant.digest, Some(Digest([7; 32])));
    assert_eq!(grant.classes, manifest.asked());
    assert_eq!(grant.purposes, manifest.purposes);
    assert_eq!(grant.routes, manifest.routes.iter().map(|route| route.id.clone()).collect());
    assert_eq!(grant.limits, manifest.limits);
    assert_eq!(grant.expires, day("2027-11-23"));
}

#[test]
fn a_proposal_for_a_fixed_host_parses_and_gives_what_is_asked() {
    let (manifest, text) = proposal(HUBSPOT, None);
    let grant = Grant::parse("grant.toml", &text).unwrap();
    gives_exactly_what_is_asked(&manifest, &grant);
    assert_eq!(grant.destinations[0].origin.to_string(), "https://api.hubapi.com");
    insta::assert_snapshot!(text);
}

#[test]
fn a_proposal_without_settings_leaves_the_destination_to_be_filled_in() {
    let (manifest, text) = proposal(TRYTON, None);
    let grant = Grant::parse("grant.toml", &text).unwrap();
    gives_exactly_what_is_asked(&manifest, &grant);
    assert!(grant.destinations.is_empty());
    insta::assert_snapshot!(text);
}

#[rstest]
#[case::https("https://crm.example.com", Some(vec![]))]
#[case::loopback("http://127.0.0.1:8000", Some(vec!["127.0.0.1/32"]))]
#[case::loopback_ipv6("http://[::1]:8000", Some(vec!["::1/128"]))]
#[case::localhost("http://localhost:8000", Some(vec!["127.0.0.1/32", "::1/128"]))]
#[case::private("https://10.1.2.3", Some(vec!["10.1.2.3/32"]))]
#[case::unknown_network("http://crm.intern", None)]
#[case::public_http("http://192.0.2.7", None)]
fn a_proposal_with_settings_names_the_destination(#[case] server: &str, #[case] private: Option<Vec<&str>>) {
    let (manifest, text) = proposal(TRYTON, Some(&json!({ "server": server })));
    let grant = Grant::parse("grant.toml", &text).unwrap();
    gives_exactly_what_is_asked(&manifest, &grant);
    match private {
        None => assert!(grant.destinations.is_empty() && text.contains("# private = ["), "{text}"),
        Some(private) => {
            let named = &grant.destinations[0];
            assert_eq!(named.origin.to_string(), server);
            assert_eq!(named.private.iter().map(ToString::to_string).collect::<Vec<_>>(), private);
        }
    }
}

#[test]
fn a_proposal_by_nobody_is_no_grant() {
    let manifest = Manifest::parse("plugin.toml", HUBSPOT).unwrap();
    let tenant = TenantId::new("practice").unwrap();
    let text = Grant::propose(&manifest, Digest([7; 32]), &tenant, "", day("2026-11-23"), None);
    let error = Grant::parse("grant.toml", &text).unwrap_err();
    assert!(error.to_string().contains("a grant is made by a person"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[a-z\\[\\]\"=.{}\n]{0,200}") {
        if let Err(error) = Grant::parse("grant.toml", &text) {
            error.render(true);
        }
    }

    #[test]
    fn whoever_approves_can_be_named(by in "[ -~é]{1,60}") {
        prop_assume!(!by.trim().is_empty());
        let manifest = Manifest::parse("plugin.toml", HUBSPOT).unwrap();
        let tenant = TenantId::new("practice").unwrap();
        let text = Grant::propose(&manifest, Digest([7; 32]), &tenant, &by, day("2026-11-23"), None);
        prop_assert_eq!(Grant::parse("grant.toml", &text).unwrap().approved_by, by.trim());
    }
}
