//! Every kind of mistake: what a person reads, and the number that a script gets. The denied case is a golden file
//! like the allowed one.

use crate::support::{Place, plugin};
use rstest::{Context, rstest};

/// A folder with a good plugin, its grant, and files that are wrong in one way each.
fn place() -> Place {
    let place = Place::new();
    let good = plugin::sample();
    place.put("good.wasm", &good);
    place.put("good.toml", plugin::GRANT);

    place.put("text.wasm", "(component)");
    place.put("empty.wasm", "");
    place.put("core.wasm", plugin::core());
    place.put("truncated.wasm", &good[..good.len() / 2]);
    place.put("machine-code.wasm", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    place.put("no-manifest.wasm", wat::parse_str("(component)").unwrap());
    place.put("wasi.wasm", wasi());
    place.put("unexplained.wasm", importing("ramal:crm/egress@0.1.0"));
    place.put("other-version.wasm", importing("ramal:crm/egress@0.9.0"));
    place.put("other-export.wasm", exporting("ramal:crm/contacts@0.9.0"));
    place.put("other-sdk.wasm", plugin::built_for("0.9.0", plugin::MANIFEST));
    place.put("no-such-function.wasm", exporting("ramal:crm/connector@0.1.0"));
    place.put("bomb.wasm", bomb());
    place.put(
        "bad-manifest.wasm",
        plugin::with(&plugin::MANIFEST.replace("contact.name\"", "contact.nome\"")),
    );
    place.put(
        "no-such-export.wasm",
        plugin::with(
            &plugin::MANIFEST
                .replace("\"contacts.get\"", "\"journal.write\"")
                .replace("\"search\", ", "\"search\", \"journal\", "),
        ),
    );
    place.put("rich.wasm", plugin::with(include_str!("support/rich.toml")));

    place.put("bad.toml", plugin::GRANT.replace("screen-pop", "screen-top").replace("sealed", "seeled"));
    place.put("unsigned.toml", plugin::GRANT.replace("ana@example.invalid", ""));
    place.put(
        "wrong-digest.toml",
        plugin::GRANT.replace("\"any\"", &format!("\"sha256:{}\"", "07".repeat(32).replace("07", "77"))),
    );
    place.put("other-plugin.toml", plugin::GRANT.replace("\"sample\"", "\"tryton\""));
    place.put(
        "ended.toml",
        plugin::GRANT.replace("2026-11-23", "2020-01-01").replace("2028-11-22", "2021-01-01"),
    );
    place.put("without-phone.toml", plugin::GRANT.replace("\"contact.phone\"", "\"contact.email\""));
    place.put("rich.toml", RICH_GRANT);

    place.put("settings.toml", "servr = \"http://127.0.0.1:1\"\ncompany = \"one\"\n");
    place.put("settings.json", "{\"server\": ");
    place.put("right.toml", "server = \"http://127.0.0.1:1\"\n");
    place.put("open-credentials.toml", "[practice.sample.key]\ntoken = \"made-up\"\n");
    place.put("ramal.toml", "listen = \"127.0.0.1:0\"\nport = 1\n");
    place
}

const RICH_GRANT: &str = r#"
[grant]
tenant = "practice"
plugin = "rich"
digest = "any"
revision = 1
approved-by = "ana@example.invalid"
approved-at = "2026-11-23"
expires = "2028-11-22"
reason = "to try it"
purposes = ["screen-pop"]
routes = ["find-by-phone"]
"#;

fn manifest_section() -> String {
    let escaped: String = plugin::MANIFEST.bytes().map(|b| format!("\\{b:02x}")).collect();
    format!(r#"(@custom "ramal:manifest" "{escaped}")"#)
}

fn importing(interface: &str) -> Vec<u8> {
    wat::parse_str(format!(r#"(component (import "{interface}" (instance)) {})"#, manifest_section()))
        .unwrap()
}

/// A component with an interface in which there is no function.
fn exporting(interface: &str) -> Vec<u8> {
    let empty =
        format!(r#"(component $c) (instance $i (instantiate $c)) (export "{interface}" (instance $i))"#);
    wat::parse_str(format!("(component {empty} {})", manifest_section())).unwrap()
}

fn wasi() -> Vec<u8> {
    importing("wasi:cli/environment@0.2.0")
}

/// Some kilobytes that would keep a compiler busy for minutes.
fn bomb() -> Vec<u8> {
    let body = "(block ".repeat(3000) + &")".repeat(3000);
    let functions = format!("(func {body})").repeat(60);
    wat::parse_str(format!("(component (core module {functions}) {})", manifest_section())).unwrap()
}

#[rstest]
// 2: the command line
#[case::no_command(2, &["inspct"])]
#[case::no_such_function(2, &["call", "good.wasm", "find-by-fone", "--grant", "good.toml"])]
#[case::missing_argument(2, &["call", "good.wasm", "find-by-phone", "--grant", "good.toml"])]
#[case::no_number(2, &["call", "good.wasm", "find-by-phone", "--grant", "good.toml", "--arg", "phone=12"])]
#[case::not_of_this_machine(2, &["practice-crm", "--listen", "0.0.0.0:0"])]
#[case::short_key(2, &["practice-crm", "--listen", "127.0.0.1:0", "--key", "short"])]
// 3: files
#[case::missing_file(3, &["inspect", "nothing.wasm"])]
#[case::folder(3, &["inspect", "."])]
#[case::text(3, &["inspect", "text.wasm"])]
#[case::empty(3, &["inspect", "empty.wasm"])]
#[case::core_module(3, &["inspect", "core.wasm"])]
#[case::truncated(3, &["inspect", "truncated.wasm"])]
#[case::machine_code(3, &["inspect", "machine-code.wasm"])]
#[case::no_manifest(3, &["inspect", "no-manifest.wasm"])]
#[case::wasi(3, &["inspect", "wasi.wasm"])]
#[case::unexplained_import(3, &["inspect", "unexplained.wasm"])]
#[case::other_version(3, &["inspect", "other-version.wasm"])]
#[case::other_export(3, &["inspect", "other-export.wasm"])]
#[case::other_sdk(3, &["inspect", "other-sdk.wasm"])]
#[case::export_without_function(3, &["inspect", "no-such-function.wasm"])]
#[case::bomb(3, &["inspect", "bomb.wasm"])]
#[case::bad_manifest(3, &["inspect", "bad-manifest.wasm"])]
#[case::no_such_export(3, &["inspect", "no-such-export.wasm"])]
#[case::bad_grant(3, &["grant", "check", "bad.toml", "good.wasm"])]
#[case::unsigned_grant(3, &["grant", "check", "unsigned.toml", "good.wasm"])]
#[case::wrong_digest(3, &["grant", "check", "wrong-digest.toml", "good.wasm"])]
#[case::other_plugin(3, &["grant", "check", "other-plugin.toml", "good.wasm"])]
#[case::settings_missing(3, &["grant", "check", "rich.toml", "rich.wasm"])]
#[case::settings_wrong(3, &["grant", "check", "rich.toml", "rich.wasm", "--settings", "settings.toml"])]
#[case::settings_no_json(3, &["grant", "check", "rich.toml", "rich.wasm", "--settings", "settings.json"])]
#[case::no_destination(3, &["grant", "check", "rich.toml", "rich.wasm", "--settings", "right.toml"])]
#[case::open_credentials(3, &["call", "good.wasm", "check", "--grant", "good.toml", "--credentials", "open-credentials.toml"])]
#[case::bad_configuration(3, &["run"])]
#[case::no_plugin_folder(3, &["build", "."])]
// 4: denied
#[case::purpose_denied(4, &["call", "good.wasm", "search", "--grant", "good.toml", "--arg", "query=x"])]
#[case::class_denied(4, &["call", "good.wasm", "find-by-phone", "--grant", "without-phone.toml", "--arg", "phone=+5511987654321"])]
#[case::grant_ended(4, &["grant", "check", "ended.toml", "good.wasm"])]
// 5: this machine
#[case::cache_in_a_file(5, &["call", "good.wasm", "check", "--grant", "good.toml", "--cache-dir", "good.toml/code"])]
#[case::file_is_there(5, &["grant", "propose", "good.wasm", "--out", "good.toml"])]
fn a_mistake_is_told_with_what_to_do(
    #[context] context: Context,
    #[case] code: i32,
    #[case] arguments: &[&str],
) {
    let ran = place().run(arguments);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    assert!(ran.err.lines().any(|line| line.starts_with("error: ")), "{}", ran.err);
    let name = context.description.unwrap_or("case");
    insta::assert_snapshot!(name, ran.told());
}
