//! A panic of a plugin that is built as vendors build theirs: with the SDK, by `ramal build`. The operator's log names
//! the plugin, its version and the line of its code, or nobody finds the fault.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use ramal_capability::{Grant, Purpose};
use ramal_egress::Egress;
use ramal_engine::{CallError, Check, Compiler, PoolSize, Runtime, Stop};
use ramal_pack::{Options, build};
use serde_json::json;

use super::fixture;
use super::host::{Host, TENANT, person};

const CODE: &str = r#"use ramal_sdk::prelude::*;

struct Panicker;

impl Crm for Panicker {
    type Settings = NoSettings;

    fn check(_: &Cx<NoSettings>) -> Result<Account> {
        let account: Option<Account> = None;
        Ok(account.expect("no account for ana.lima@example.invalid"))
    }
}

ramal_sdk::register!(Panicker);
"#;

const MANIFEST: &str = r#"
[plugin]
id = "panicker"
version = "0.3.1"
name = "Panics (made up)"
vendor = "Ramal"
interface = "0.1"
verification = "docs-only"
dedup = "none"
purposes = ["diagnostics"]
provides = ["connector.check"]
uses = ["settings", "log"]
"#;

/// Builds the plugin, in a folder that is kept so that the SDK is compiled once.
fn component() -> Vec<u8> {
    let folder = fixture::folder().join("panicker");
    fs::create_dir_all(folder.join("src")).unwrap();
    // Each test is a process of its own, and cargo lets one build at a time into a folder.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let root = fixture::workspace();
    let cargo = format!(
        "[package]\nname = \"panicker\"\nversion = \"0.3.1\"\nedition = \"2024\"\n[lib]\n\
         crate-type = [\"cdylib\", \"rlib\"]\n[dependencies]\n\
         ramal-sdk = {{ path = \"{}\" }}\n[workspace]\n",
        root.join("guest-sdk/rust").display()
    );
    put(&folder.join("Cargo.toml"), &cargo);
    put(&folder.join("plugin.toml"), MANIFEST);
    put(&folder.join("src/lib.rs"), CODE);
    // The versions of the workspace, so that nothing is looked up.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let out = folder.join("panicker.wasm");
    let options =
        Options { out: Some(out.clone()), target_dir: Some(folder.join("target")), ..Options::default() };
    build(&folder, &options).unwrap_or_else(|e| panic!("{e}"));
    fs::read(&out).unwrap()
}

/// Writes what is not there yet: cargo goes by the time of a change.
fn put(path: &Path, text: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap();
    }
}

#[tokio::test]
async fn a_panic_names_plugin_version_and_place_in_the_hosts_log() {
    let wasm = component();
    let host = Host::open().await;
    let egress = Arc::new(Egress::builder().build().unwrap());
    // Without a log of its own, as a host has it: the words of plugins go where the host's own go.
    let runtime = Runtime::builder(fixture::folder().join("zoo-code"), egress)
        .compiler(Compiler::program(env!("CARGO_BIN_EXE_zoo-compile-worker")))
        .pool(PoolSize { instances: 1, ..PoolSize::default() })
        .build()
        .unwrap();
    let grant = format!(
        "[grant]\ntenant = \"{TENANT}\"\nplugin = \"panicker\"\ndigest = \"any\"\nrevision = 1\n\
         approved-by = \"bia@example.invalid\"\napproved-at = \"2026-11-23\"\nexpires = \"2027-11-23\"\n\
         reason = \"tests\"\npurposes = [\"diagnostics\"]\nroutes = []\n"
    );
    let grant = Grant::parse("grant.toml", &grant).unwrap_or_else(|e| panic!("{e}"));
    let plugin = runtime.load(&wasm, &grant, &json!({})).await.unwrap_or_else(|e| panic!("{e}"));
    let outcome = plugin.call(person(Purpose::Diagnostics), Check).await.outcome;
    let Err(CallError::Stopped { stop: Stop::Panic, said: Some(said) }) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(said.starts_with("panicked at ") && said.contains("src/lib.rs:10:"), "{said}");
    assert!(said.ends_with("no account for [e-mail]"), "{said}");
    let log = host.traces.text();
    let line =
        log.lines().find(|line| line.contains("ERROR ramal::plugin")).unwrap_or_else(|| panic!("{log}"));
    for part in [&*said, "plugin=panicker", "version=\"0.3.1\"", &format!("tenant={TENANT}")] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}
