//! Who may depend on what. The strongest rules of the house are edges that do not exist: a crate that cannot name
//! an HTTP client cannot send a customer's data anywhere.

use std::collections::BTreeSet;
use std::process::Command;

use rstest::rstest;
use toml::{Table, Value};

use crate::assert_none;
use crate::files::{Member, members, root};

/// A dependency that only some crates may have.
struct Reserved {
    dependency: &'static str,
    crates: &'static [&'static str],
    why: &'static str,
}

const fn reserved(dependency: &'static str, crates: &'static [&'static str], why: &'static str) -> Reserved {
    Reserved { dependency, crates, why }
}

const ONE_WAY_OUT: &str = "ramal-egress is the one way out: every request passes its rules";
const ONE_ENGINE: &str = "ramal-engine is the only crate that runs wasm";
const ONE_STORE: &str = "ramal-store is the only crate that writes SQL";

/// The workspace switches on hyper's client for whoever names hyper, so hyper itself is reserved.
const RESERVED: &[Reserved] = &[
    reserved("hyper", &["ramal-egress"], ONE_WAY_OUT),
    reserved("hyper-util", &["ramal-egress"], ONE_WAY_OUT),
    reserved("hyper-rustls", &[], ONE_WAY_OUT),
    reserved("rustls", &["ramal-egress"], ONE_WAY_OUT),
    reserved("rustls-pemfile", &["ramal-egress"], ONE_WAY_OUT),
    reserved("tokio-rustls", &["ramal-egress"], ONE_WAY_OUT),
    reserved("webpki-roots", &["ramal-egress"], ONE_WAY_OUT),
    reserved("h2", &[], ONE_WAY_OUT),
    reserved("reqwest", &[], ONE_WAY_OUT),
    reserved("ureq", &[], ONE_WAY_OUT),
    reserved("isahc", &[], ONE_WAY_OUT),
    reserved("curl", &[], ONE_WAY_OUT),
    reserved("socket2", &[], ONE_WAY_OUT),
    reserved("wasmtime", &["ramal-engine"], ONE_ENGINE),
    reserved("wasmtime-wasi", &[], "plugins import Ramal's interfaces only, there is no WASI"),
    reserved("wasmtime-wasi-http", &[], "plugins import Ramal's interfaces only, there is no WASI"),
    reserved("sqlx", &["ramal-store"], ONE_STORE),
    reserved("rusqlite", &[], ONE_STORE),
    reserved("ramal-tests", &[], "the tests are not part of the product"),
];

/// The tests talk to real servers, so they have a client of their own; nothing depends on them.
const TESTS: &str = "ramal-tests";

/// Every table of dependencies: what it is called, whether it is for tests only, what it holds.
fn tables(manifest: &Table) -> Vec<(String, bool, &Table)> {
    const KINDS: [(&str, bool); 3] =
        [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    let mut found = Vec::new();
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flatten().filter_map(|(name, target)| Some((name, target.as_table()?)));
    let places = std::iter::once((String::new(), manifest))
        .chain(targets.map(|(name, table)| (format!("target.{name}."), table)));
    for (place, table) in places {
        for (kind, dev) in KINDS {
            if let Some(dependencies) = table.get(kind).and_then(Value::as_table) {
                found.push((format!("{place}{kind}"), dev, dependencies));
            }
        }
    }
    found
}

/// The crate that an entry means: another one than its key when the entry renames.
fn real_name<'a>(key: &'a str, entry: &'a Value) -> &'a str {
    entry.get("package").and_then(Value::as_str).unwrap_or(key)
}

fn reserved_edges(members: &[Member]) -> Vec<String> {
    let mut violations = Vec::new();
    for member in members.iter().filter(|member| member.name != TESTS) {
        for (table, dev, dependencies) in tables(&member.manifest) {
            for (key, entry) in dependencies.iter().filter(|_| !dev) {
                let name = real_name(key, entry);
                let rule = RESERVED.iter().find(|rule| rule.dependency == name);
                if let Some(rule) = rule.filter(|rule| !rule.crates.contains(&member.name.as_str())) {
                    violations.push(format!("{}: [{table}] {name}: {}", member.name, rule.why));
                }
            }
        }
    }
    violations
}

fn stray_versions(members: &[Member]) -> Vec<String> {
    let mut violations = Vec::new();
    for member in members {
        for (table, _, dependencies) in tables(&member.manifest) {
            for (key, entry) in dependencies {
                if entry.get("workspace").and_then(Value::as_bool) != Some(true) {
                    violations.push(format!("{}: [{table}] {key}", member.name));
                }
            }
        }
    }
    violations
}

fn without_lints(members: &[Member]) -> Vec<String> {
    let inherits = |member: &&Member| {
        member.manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool)
            == Some(true)
    };
    let without = members.iter().filter(|member| !inherits(member));
    without.map(|member| format!("{}: add [lints] workspace = true", member.name)).collect()
}

/// Every package in a crate's build, without those of its tests, as `cargo tree` tells it.
fn tree(package: &str, more: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["tree", "--offline", "--package", package, "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}"])
        .args(more)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo tree: {}(is a dependency not downloaded? `make fixtures` gets them)",
        String::from_utf8_lossy(&output.stderr)
    );
    packages(&String::from_utf8_lossy(&output.stdout))
}

fn packages(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn among(tree: &BTreeSet<String>, forbidden: &[&str]) -> Vec<String> {
    forbidden.iter().filter(|name| tree.contains(**name)).map(|name| (*name).to_owned()).collect()
}

const NOT_PURE: &[&str] = &[
    "tokio",
    "hyper",
    "hyper-util",
    "axum",
    "mio",
    "socket2",
    "rustls",
    "tokio-rustls",
    "wasmtime",
    "sqlx",
    "sqlx-core",
    "ramal-egress",
    "ramal-engine",
    "ramal-store",
];

#[test]
fn only_egress_may_have_a_client_only_engine_wasmtime_only_store_sql() {
    assert_none("a dependency that is reserved", &reserved_edges(&members()));
}

#[test]
fn each_dependency_is_stated_once_in_the_workspace() {
    assert_none(
        "write `workspace = true`, and the version into the root's Cargo.toml",
        &stray_versions(&members()),
    );
}

#[test]
fn every_member_has_the_workspaces_lints() {
    assert_none("a crate without the house's lints", &without_lints(&members()));
}

#[rstest]
#[case::numbers("ramal-numbers")]
#[case::capability("ramal-capability")]
fn the_rules_are_pure_they_depend_on_no_runtime_network_or_wasm_even_far_away(#[case] package: &str) {
    assert_none("not pure", &among(&tree(package, &[]), NOT_PURE));
}

const GUEST: &[&str] = &["--target", "wasm32-unknown-unknown", "--all-features"];

#[rstest]
#[case::sdk("ramal-sdk")]
#[case::practice("ramal-plugin-practice")]
#[case::tryton("ramal-plugin-tryton")]
#[case::bottlecrm("ramal-plugin-bottlecrm")]
#[case::odoo("ramal-plugin-odoo")]
fn no_component_contains_the_hosts_rules(#[case] package: &str) {
    let host: Vec<String> = tree(package, GUEST)
        .into_iter()
        .filter(|name| {
            name.starts_with("ramal-") && name != "ramal-sdk" && !name.starts_with("ramal-plugin-")
        })
        .collect();
    assert_none("a crate of the host in a component", &host);
}

// === sabotage: each check sees what it is there to see ===

fn member(name: &str, rest: &str) -> Member {
    Member::parse("host/planted", &format!("[package]\nname = \"{name}\"\n{rest}"))
}

#[rstest]
#[case::client("[dependencies]\nhyper-util.workspace = true", true)]
#[case::renamed("[dependencies]\nweb = { package = \"reqwest\", version = \"0.13\" }", true)]
#[case::build_script("[build-dependencies]\nureq = \"3\"", true)]
#[case::one_target("[target.'cfg(unix)'.dependencies]\nwasmtime = \"48\"", true)]
#[case::sql("[dependencies]\nsqlx.workspace = true", true)]
#[case::roots("[dependencies]\nwebpki-roots.workspace = true", true)]
#[case::test_harness("[dependencies]\nramal-tests = { path = \"../../tests\" }", true)]
#[case::in_tests_only("[dev-dependencies]\nhyper-util.workspace = true", false)]
#[case::harmless("[dependencies]\nserde.workspace = true", false)]
fn a_planted_dependency_is_caught(#[case] rest: &str, #[case] caught: bool) {
    assert_eq!(!reserved_edges(&[member("ramal-center", rest)]).is_empty(), caught);
}

#[test]
fn the_owners_of_a_reserved_dependency_may_have_it() {
    let egress = member("ramal-egress", "[dependencies]\nhyper-util.workspace = true");
    assert_eq!(reserved_edges(&[egress]), [] as [String; 0]);
}

#[rstest]
#[case::version("[dependencies]\nserde = \"1\"")]
#[case::table("[dev-dependencies]\nserde = { version = \"1\", features = [\"derive\"] }")]
#[case::path("[target.'cfg(unix)'.build-dependencies]\nramal-numbers = { path = \"../numbers\" }")]
fn a_planted_version_is_caught(#[case] rest: &str) {
    assert_eq!(stray_versions(&[member("ramal-x", rest)]).len(), 1);
}

#[test]
fn a_planted_crate_without_lints_is_caught() {
    assert_eq!(
        without_lints(&[member("ramal-x", ""), member("ramal-y", "[lints]\nworkspace = true")]).len(),
        1
    );
}

#[test]
fn the_tree_shows_what_is_far_away() {
    // The same question asked of crates that do have them: an empty answer would pass every rule above.
    assert_eq!(
        among(&tree("ramal-engine", &[]), &["wasmtime", "tokio", "serde"]),
        ["wasmtime", "tokio", "serde"]
    );
    assert!(tree("ramal-sdk", &["--all-features"]).contains("ramal-capability"));
    assert!(tree("ramal-sdk", GUEST).contains("wit-bindgen"));
    let planted = packages("ramal-capability v0.1.0 (x)\nserde v1.0.0\ntokio v1.54.1 (*)\n");
    assert_eq!(among(&planted, NOT_PURE), ["tokio"]);
}
