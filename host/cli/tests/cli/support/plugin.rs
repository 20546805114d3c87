//! A plugin written in WebAssembly text. It answers `check`, gives back for any number one contact that has the
//! number, computes without end in `search`, and breaks in `get`.

use std::path::Path;

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The manifest of the small plugin.
pub(crate) const MANIFEST: &str = r#"
[plugin]
id = "sample"
version = "0.1.0"
name = "Sample (made up)"
vendor = "Ramal"
interface = "0.1"
verification = "docs-only"
dedup = "none"
purposes = ["screen-pop", "search", "diagnostics"]
provides = ["connector.check", "contacts.find-by-phone", "contacts.search", "contacts.get"]
uses = []

[ask."contact.phone"]
to-plugin = "sealed"
reason = "to look the caller up"

[ask."contact.name"]
to-plugin = "sealed"
reason = "to search by name"

[limits]
cpu-ms = 20
"#;

/// The grant that fits it.
pub(crate) const GRANT: &str = r#"
[grant]
tenant = "practice"
plugin = "sample"
digest = "any"
revision = 3
approved-by = "ana@example.invalid"
approved-at = "2026-11-23"
expires = "2028-11-22"
reason = "to try it"
purposes = ["screen-pop", "diagnostics"]
routes = []

[classes]
"contact.phone" = { to-plugin = "sealed" }
"#;

/// Where a contact of 96 bytes is put together: strings are pointer and length, an option begins with a tag.
const CORE: &str = r#"(module
    (memory (export "memory") 2)
    ;; The answer of `check`: ok, a name at 256, no id.
    (data (i32.const 16) "\00\00\00\00\00\01\00\00\17\00\00\00\00\00\00\00")
    (data (i32.const 256) "Made-up account (sample)")
    ;; The answer of `find-by-phone`: ok, one contact at 512.
    (data (i32.const 64) "\00\00\00\00\00\02\00\00\01\00\00\00")
    ;; The contact: id at 640, name at 648; its telephone numbers are the ones that came in.
    (data (i32.const 512) "\80\02\00\00\01\00\00\00\88\02\00\00\0c\00\00\00")
    (data (i32.const 640) "7")
    (data (i32.const 648) "Made-up name")
    (global $next (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get 3)))
        (local.get $at))
    (func (export "ramal:crm/connector@0.1.0#check") (result i32) (i32.const 16))
    (func (export "ramal:crm/contacts@0.1.0#find-by-phone") (param i32 i32) (result i32)
        (i32.store (i32.const 540) (local.get 0))
        (i32.store (i32.const 544) (local.get 1))
        (i32.const 64))
    (func (export "ramal:crm/contacts@0.1.0#search") (param i32 i32 i32 i32 i32 i32) (result i32)
        (loop $again (br $again)) (unreachable))
    (func (export "ramal:crm/contacts@0.1.0#get") (param i32 i32) (result i32) (unreachable))
    (func (export "ramal:crm/contacts@0.1.0#create")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (unreachable))
    (func (export "ramal:crm/contacts@0.1.0#update")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (unreachable)))"#;

/// The core module, as a compiler would leave it.
pub(crate) fn core() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    resolve.push_dir(wit).unwrap();
    let world = "package test:sample; world sample { export ramal:crm/connector@0.1.0; export ramal:crm/contacts@0.1.0; }";
    let package = resolve.push_str("sample.wit", world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut core = wat::parse_str(CORE).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    core
}

/// The plugin with a manifest, good or bad.
pub(crate) fn with(manifest: &str) -> Vec<u8> {
    built_for("0.1.0", manifest)
}

/// The plugin as if an SDK for another version of the contract had built it.
pub(crate) fn built_for(wit: &str, manifest: &str) -> Vec<u8> {
    let sdk = format!(r#"{{"sdk":"0.1.0","wit":"{wit}","lang":"wat"}}"#);
    ramal_pack::componentize(&core(), manifest, Some(&sdk)).unwrap()
}

/// The plugin.
pub(crate) fn sample() -> Vec<u8> {
    with(MANIFEST)
}
