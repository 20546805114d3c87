mod hooks;
mod journal;

use std::fmt::Write;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::class::Level;

const TRYTON: &str = include_str!("tests/tryton.toml");
const HUBSPOT: &str = include_str!("tests/hubspot.toml");

fn wrong(text: &str) -> SourceError {
    Manifest::parse("plugin.toml", text).expect_err("the manifest must be refused")
}

/// The sample with one text replaced; a case whose text is not in the sample tests nothing and fails.
fn edited(sample: &str, from: &str, to: &str) -> String {
    assert!(sample.contains(from), "`{from}` is not in the sample");
    sample.replacen(from, to, 1)
}

#[test]
fn a_rest_and_session_manifest_parses() {
    let manifest = Manifest::parse("plugin.toml", TRYTON).unwrap();
    assert_eq!(manifest.id.as_str(), "tryton");
    assert_eq!(manifest.version.to_string(), "0.1.0");
    assert_eq!(manifest.interface.to_string(), "0.1");
    assert_eq!(manifest.asked().get(DataClass::ContactPhone, Direction::ToPlugin), Level::Sealed);
    assert_eq!(manifest.asked().get(DataClass::ContactName, Direction::ToPlugin), Level::None);
    assert_eq!(manifest.limits.requests, Some(8));
    let find = manifest.route(&RouteId::new("find-by-phone").unwrap()).unwrap();
    assert_eq!(
        find.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["X-Tryton-Context", "Range"]
    );
    assert_eq!(find.parts.len(), 2);
    assert_eq!(find.sends().to_string(), "contact.phone");
    assert_eq!(find.receives().to_string(), "contact.name|contact.phone|contact.email");
    let login = manifest.credential(&CredentialId::new("login").unwrap()).unwrap();
    let CredentialKind::Session(session) = &login.kind else { panic!("not a session") };
    assert_eq!(
        session.take,
        [("uid".to_owned(), "/result/0".to_owned()), ("key".to_owned(), "/result/1".to_owned())]
    );
    assert!(session.encode_base64);
    assert_eq!(session.lifetime, Some(std::time::Duration::from_secs(600)));
}

#[test]
fn a_json_body_manifest_parses_in_the_order_of_the_file() {
    let manifest = Manifest::parse("plugin.toml", HUBSPOT).unwrap();
    let find = &manifest.routes[0];
    let places: Vec<String> = find.send.iter().map(|(place, spec)| format!("{place} = {spec}")).collect();
    assert_eq!(
        places,
        [
            "/filterGroups/*/filters/*/propertyName = enum(phone|mobilephone)",
            "/filterGroups/*/filters/*/operator = enum(EQ)",
            "/filterGroups/*/filters/*/value = contact.phone",
            "/limit = int(1..10)",
        ]
    );
    assert!(matches!(&find.target, Target::Fixed(origin) if origin.to_string() == "https://api.hubapi.com"));
    assert_eq!(manifest.targets().len(), 1);
}

#[test]
fn a_plugin_without_routes_needs_no_egress() {
    let text = r#"
        [plugin]
        id = "quiet"
        version = "0.1.0"
        name = "Quiet"
        vendor = "Ramal"
        interface = "0.1"
        verification = "docs-only"
        dedup = "none"
        purposes = ["diagnostics"]
        provides = ["connector.check"]
        uses = []
    "#;
    let manifest = Manifest::parse("plugin.toml", text).unwrap();
    insta::assert_snapshot!(manifest.sentences().join("\n"), @r"
    May read in clear: nothing.
    May pass on sealed: nothing.
    Sends to: nowhere.
    For: diagnostics.
    Nothing keeps a repeated journal entry from being written twice.
    Written from documents and never tried, says its author.
    ");
}

#[test]
fn the_ask_is_said_in_plain_sentences() {
    let tryton = Manifest::parse("plugin.toml", TRYTON).unwrap();
    let hubspot = Manifest::parse("plugin.toml", HUBSPOT).unwrap();
    insta::assert_snapshot!(tryton.sentences().join("\n"), @r"
    May read in clear: nothing.
    May pass on sealed: name, phone, e-mail (optional), what was said or written.
    Sends to: the address in the setting `server`.
    For: screen pop, search, journal, requests of data subjects, diagnostics.
    Needs from you: Application key, User for erasure.
    Tried against a real server, says its author.
    ");
    insta::assert_snapshot!(hubspot.sentences().join("\n"), @r"
    May read in clear: nothing.
    May pass on sealed: phone, e-mail, link to the recording.
    Sends to: api.hubapi.com.
    For: screen pop, search, journal.
    Needs from you: Private app token.
    Tried against the vendor's specification only, says its author.
    ");
}

/// What is wrong, the text of the sample, and what stands there instead.
const WRONG: &[(&str, &str, &str)] = &[
    // [plugin]
    ("no plugin table", "[plugin]", "[plug]"),
    (
        "mistyped key",
        "purposes = [\"screen-pop\", \"search\", \"journal\", \"s",
        "purpose = [\"screen-pop\", \"search\", \"journal\", \"s",
    ),
    ("unknown key", "vendor = \"Ramal\"", "vendor = \"Ramal\"\nhomepage = \"https://x.example\""),
    ("missing version", "version = \"0.1.0\"\n", ""),
    ("version with a word", "\"0.1.0\"", "\"0.1.0-beta\""),
    ("version as a number", "\"0.1.0\"", "1"),
    ("interface of another major", "interface = \"0.1\"", "interface = \"1.0\""),
    ("id in upper case", "id = \"tryton\"", "id = \"Tryton\""),
    ("empty name", "name = \"Tryton\"", "name = \"\""),
    ("name with a line break", "name = \"Tryton\"", "name = \"Try\\nton\""),
    ("name turned around", "name = \"Tryton\"", "name = \"Try\\u202Eton\""),
    ("unknown verification", "\"real-server\"", "\"real-servers\""),
    ("unknown dedup", "\"search-before-create\"", "\"pray\""),
    (
        "unknown purpose",
        "\"screen-pop\", \"search\", \"journal\",",
        "\"screenpop\", \"search\", \"journal\",",
    ),
    ("purpose twice", "\"diagnostics\"]", "\"search\"]"),
    (
        "nothing provided",
        "provides = [\"connector.check\", \"contacts.find-by-phone\", \"journal.write\", \"privacy.erase-subject\"]",
        "provides = []",
    ),
    ("unknown function", "\"contacts.find-by-phone\"", "\"contacts.find-by-fone\""),
    ("function without its purpose", "\"subject-request\", \"diagnostics\"]", "\"diagnostics\"]"),
    ("function twice", "\"privacy.erase-subject\"]", "\"privacy.erase-subject\", \"journal.write\"]"),
    ("unknown interface", "\"text\", \"settings\"", "\"sockets\", \"settings\""),
    ("routes without egress", "uses = [\"egress\", \"text\"", "uses = [\"text\""),
    // [ask]
    ("unknown class", "[ask.\"contact.name\"]", "[ask.\"contact.nam\"]"),
    ("class without quotes", "[ask.\"contact.name\"]", "[ask.contact.name]"),
    (
        "unknown level",
        "to-plugin = \"sealed\"\nreason = \"to write",
        "to-plugin = \"seal\"\nreason = \"to write",
    ),
    ("no reason", "reason = \"to show who is calling\"\n", ""),
    ("short reason", "\"to show who is calling\"", "\"name\""),
    (
        "clear for a short reason",
        "from-crm = \"sealed\"\nreason = \"to show who",
        "from-crm = \"clear\"\nreason = \"to show who",
    ),
    (
        "ask for nothing",
        "to-plugin = \"sealed\"\nreason = \"to write the note of the call\"",
        "reason = \"to write the note of the call\"",
    ),
    ("wrong direction", "to-plugin = \"sealed\"\nfrom-crm", "to-guest = \"sealed\"\nfrom-crm"),
    ("optional as a text", "optional = true", "optional = \"yes\""),
    // [settings]
    ("settings are no object", "type = \"object\"\nrequired", "type = \"array\"\nrequired"),
    ("settings without type", "type = \"object\"\nrequired", "required"),
    ("secret as a setting", "[settings.properties.database]", "[settings.properties.api-key]"),
    ("password as a setting", "[settings.properties.database]", "[settings.properties.dbpassword]"),
    ("mistyped schema keyword", "minimum = 1", "minimun = 1"),
    ("reference in a schema", "minimum = 1", "\"$ref\" = \"#\""),
    ("open settings", "additionalProperties = false", "additionalProperties = true"),
    (
        "required setting that is none",
        "required = [\"server\", \"database\"]",
        "required = [\"server\", \"databse\"]",
    ),
    ("default that does not fit", "minimum = 1\ndefault = 1", "minimum = 1\ndefault = 0"),
    ("unknown format", "format = \"label\"", "format = \"lable\""),
    ("schema of the wrong kind", "minimum = 1\n", "minimum = \"one\"\n"),
    ("pattern that is none", "format = \"label\"", "pattern = \"(\""),
    // [[credential]]
    ("credential of no kind", "kind = \"bearer\"", "kind = \"barer\""),
    ("credential twice", "id = \"login\"", "id = \"key\""),
    ("header credential without a name", "kind = \"bearer\"", "kind = \"header\""),
    ("credential in a host header", "kind = \"bearer\"", "kind = \"header\"\nname = \"Host\""),
    ("credential that nothing uses", "credential = \"login\"", "credential = \"key\""),
    (
        "session key on a bearer",
        "label = \"Application key\"",
        "label = \"Application key\"\nlifetime-seconds = 5",
    ),
    ("session body that is no JSON", "body = '{\"id\":1,", "body = '{\"id\":1"),
    ("secret within quotes", "\"params\":[{user},", "\"params\":[\"{user}\","),
    ("unknown secret", "\"params\":[{user},", "\"params\":[{login},"),
    ("taken with a star", "take.uid = \"/result/0\"", "take.uid = \"/result/*\""),
    ("unknown name in the token", "value = \"{user}:{uid}:{key}\"", "value = \"{user}:{uid}:{token}\""),
    ("token for ever", "lifetime-seconds = 600", "lifetime-seconds = 99999999"),
    // [[route]]
    ("route twice", "id = \"note\"", "id = \"find-by-phone\""),
    (
        "purpose that the plugin lacks",
        "purposes = [\"screen-pop\", \"search\"]\nreason",
        "purposes = [\"screen-pop\", \"sync\"]\nreason",
    ),
    ("route without a purpose", "purposes = [\"journal\"]", "purposes = []"),
    ("unknown credential", "credential = \"key\"\nparams", "credential = \"kex\"\nparams"),
    ("unknown method", "request = \"GET {", "request = \"FETCH {"),
    ("no method", "request = \"GET {setting.server}", "request = \"{setting.server}"),
    ("address without origin", "request = \"GET {setting.server}/", "request = \"GET /"),
    (
        "parameter in the host",
        "request = \"GET {setting.server}/",
        "request = \"GET https://{phone}.example.com/",
    ),
    (
        "free text in the host",
        "request = \"GET {setting.server}/",
        "request = \"GET https://{setting.company}.example.com/",
    ),
    (
        "host goes on after the setting",
        "request = \"GET {setting.server}/",
        "request = \"GET {setting.server}.example.com/",
    ),
    ("odd address", "request = \"GET {setting.server}/", "request = \"GET http://2130706433/"),
    (
        "unknown setting",
        "request = \"GET {setting.server}/{setting.database}",
        "request = \"GET {setting.server}/{setting.databse}",
    ),
    ("fragment", "&f=name\"", "&f=name#x\""),
    ("unknown encoder", "{domain:base64url}", "{domain:rot13}"),
    ("undeclared placeholder", "{domain:base64url}", "{domain:base64url}{more}"),
    (
        "parameter that nothing uses",
        "params = { phone = \"contact.phone\" }",
        "params = { phone = \"contact.phone\", name = \"id\" }",
    ),
    ("parameter of no class", "params = { phone = \"contact.phone\" }", "params = { phone = \"phone\" }"),
    (
        "class that nothing asks for",
        "params = { phone = \"contact.phone\" }",
        "params = { phone = \"contact.document\" }",
    ),
    (
        "body class that nothing asks for",
        "\"interaction.text|contact.phone\"",
        "\"interaction.text|contact.note\"",
    ),
    (
        "class comes back unasked",
        "receive.\"/*/name\" = \"contact.name\"",
        "receive.\"/*/name\" = \"contact.birth\"",
    ),
    (
        "class comes back in the other direction",
        "receive.\"/*/name\" = \"contact.name\"",
        "receive.\"/*/name\" = \"interaction.text\"",
    ),
    (
        "two classes come back",
        "receive.\"/*/name\" = \"contact.name\"",
        "receive.\"/*/name\" = \"contact.name|contact.email\"",
    ),
    ("class in an error", "\"enum(UserError|AccessError)\"", "\"contact.name\""),
    ("text in an error", "\"enum(UserError|AccessError)\"", "\"text\""),
    ("place without a slash", "receive.\"/*/name\"", "receive.\"*/name\""),
    (
        "switch without a case",
        "case = { phone = \"contact.phone\", email = \"contact.email\" }",
        "case = { }",
    ),
    ("switch with a strange key", "{ switch = \"type\", case", "{ swich = \"type\", case"),
    (
        "switch on an element",
        "receive.\"/*/contact_mechanisms/*/value\"",
        "receive.\"/*/contact_mechanisms/*\"",
    ),
    ("part in no language", "part.domain.json", "part.domain.xml"),
    (
        "part that is no JSON",
        "'[[\"contact_mechanisms.value_compact\",\"=\",{phone}]]'",
        "'[[\"contact_mechanisms.value_compact\",\"=\",{phone}]'",
    ),
    ("part with quotes around the value", "{phone}]]'", "\"{phone}\"]]'"),
    ("authorization as a header", "header.Range", "header.Authorization"),
    ("host as a header", "header.Range", "header.hOST"),
    ("method override as a header", "header.Range", "header.X-HTTP-Method-Override"),
    ("header twice", "header.Range", "header.x-tryton-context"),
    ("header with a line break", "\"records=0-10\"", "\"records=0-10\\r\\nX: y\""),
    ("body of a GET", "receive.\"/*/id\" = \"int\"", "receive.\"/*/id\" = \"int\"\nsend.\"/x\" = \"id\""),
    // [limits] and the file
    ("limit above the ceiling", "requests = 8", "requests = 9999"),
    ("negative limit", "requests = 8", "requests = -1"),
    ("unknown limit", "requests = 8", "request = 8"),
    ("unknown table", "[limits]", "[limit]"),
    ("broken line", "vendor = \"Ramal\"", "vendor = Ramal"),
    ("key twice", "vendor = \"Ramal\"", "vendor = \"Ramal\"\nvendor = \"Other\""),
];

#[test]
fn each_mistake_is_told_with_its_place_and_what_to_do() {
    let mut page = String::new();
    for (name, from, to) in WRONG {
        let error = wrong(&edited(TRYTON, from, to));
        writeln!(page, "# {name}\n{error}\n").unwrap();
    }
    insta::assert_snapshot!(page);
}

#[test]
fn mistakes_are_shown_in_the_source() {
    let mut page = String::new();
    for name in
        ["mistyped key", "unknown class", "class comes back unasked", "missing version", "broken line"]
    {
        let (_, from, to) = WRONG.iter().find(|(case, ..)| *case == name).unwrap();
        writeln!(page, "{}\n", wrong(&edited(TRYTON, from, to)).render(false)).unwrap();
    }
    insta::assert_snapshot!(page);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = edited(TRYTON, "\"real-server\"", "\"real\"");
    let text = edited(&text, "kind = \"bearer\"", "kind = \"barer\"");
    let text = edited(&text, "requests = 8", "requests = 9999");
    assert_eq!(wrong(&text).findings().len(), 3);
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let error = wrong(&edited(TRYTON, "kind = \"bearer\"", "kind = \"barer\""));
    assert!(error.render(true).contains('\u{1b}'));
    assert!(!error.render(false).contains('\u{1b}'));
}

#[test]
fn a_huge_file_is_not_read() {
    let error = wrong(&format!("{TRYTON}\n#{}", "x".repeat(300_000)));
    assert!(error.to_string().contains("at most 262144 are read"), "{error}");
    assert!(error.render(false).len() < 1000);
}

#[rstest]
#[case::sensitive("sensitive")]
#[case::audio("recording.audio")]
fn weighty_classes_need_a_long_reason(#[case] class: &str) {
    let table = |reason: &str| {
        format!("{TRYTON}\n[ask.\"{class}\"]\nto-plugin = \"exists\"\nreason = \"{reason}\"\n")
    };
    assert!(wrong(&table("because we want it")).to_string().contains("at least 30 characters"));
    Manifest::parse("plugin.toml", &table("because the law of the state of affairs demands it")).unwrap();
}

#[rstest]
#[case::label("label", "https://{setting.account}.example.com", "https://practice.example.com")]
#[case::host("host", "https://{setting.account}:8443", "https://practice:8443")]
fn a_setting_may_stand_in_the_host(#[case] format: &str, #[case] address: &str, #[case] made: &str) {
    let text = edited(
        TRYTON,
        "[settings.properties.company]",
        &format!(
            "[settings.properties.account]\ntype = \"string\"\nformat = \"{format}\"\n[settings.properties.company]"
        ),
    );
    let text = edited(&text, "\"GET {setting.server}/", &format!("\"GET {address}/"));
    let manifest = Manifest::parse("plugin.toml", &text).unwrap();
    let target = &manifest.routes[0].target;
    assert_eq!(target.resolve(None), Err(UnknownTarget::NoSetting("account".to_owned())));
    let settings = serde_json::json!({ "account": "practice" });
    assert_eq!(target.resolve(Some(&settings)).unwrap().to_string(), made);
    assert!(target.resolve(Some(&serde_json::json!({ "account": "evil.example/?" }))).is_err());
}

/// Lines of the samples, cut, doubled and changed: closer to what parsers break on than random text.
fn mutilated() -> impl Strategy<Value = String> {
    let edits =
        prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[ -~é\n\"'{}\\[\\]]{0,6}"), 1..6);
    (prop::sample::select(vec![TRYTON, HUBSPOT]), edits).prop_map(|(sample, edits)| {
        let mut chars: Vec<char> = sample.chars().collect();
        for (index, cut, insert) in edits {
            let at = index.index(chars.len());
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, insert.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[a-z\\[\\]\"=.{}\n]{0,200}") {
        if let Err(error) = Manifest::parse("plugin.toml", &text) {
            prop_assert!(!error.findings().is_empty());
            prop_assert_eq!(error.to_string().lines().count(), error.findings().len());
            error.render(false);
        }
    }

    #[test]
    fn no_changed_manifest_makes_the_reader_panic(text in mutilated()) {
        match Manifest::parse("plugin.toml", &text) {
            Ok(manifest) => prop_assert!(!manifest.sentences().is_empty()),
            Err(error) => {
                error.render(true);
            }
        }
    }
}
