//! Plugins written as WebAssembly text: what no compiler of a guest language would make.

use ramal_pack::componentize;
use wit_component::StringEncoding;
use wit_parser::Resolve;

use super::fixture;

/// A manifest for a plugin with `connector.check` and nothing else.
pub(crate) const CHECK: &str = r#"
[plugin]
id = "zoo"
version = "0.1.0"
name = "An animal in text form"
vendor = "Ramal"
interface = "0.1"
verification = "docs-only"
dedup = "none"
purposes = ["diagnostics"]
provides = ["connector.check"]
uses = ["log"]
[settings]
type = "object"
[settings.properties.server]
type = "string"
title = "Unused"
[settings.properties.animal]
type = "string"
title = "Unused"
"#;

/// The same for a plugin with `contacts.find-by-phone`.
pub(crate) fn find() -> String {
    CHECK.replace("\"diagnostics\"", "\"screen-pop\"").replace("connector.check", "contacts.find-by-phone")
        + "\n[ask.\"contact.phone\"]\nto-plugin = \"sealed\"\nreason = \"to be handed one\"\n"
}

/// A plugin with one interface, made of a core module.
pub(crate) fn plugin(export: &str, core: &str, manifest: &str) -> Vec<u8> {
    plugin_of(&format!("export ramal:crm/{export}@0.1.0;"), core, manifest)
}

fn plugin_of(exports: &str, core: &str, manifest: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(fixture::workspace().join("wit")).unwrap();
    let world = format!(
        "package zoo:animals@0.1.0;\n\
         world animal {{ import ramal:crm/log@0.1.0; {exports} }}"
    );
    let package = resolve.push_source("animal.wit", &world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut core = wat::parse_str(core).unwrap();
    wit_component::embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    componentize(&core, manifest, None).unwrap()
}

/// A plugin whose `connector.check` runs these instructions, which leave the address of a result.
pub(crate) fn check(fields: &str, body: &str) -> Vec<u8> {
    let core = format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
            {fields}
            (func (export "ramal:crm/connector@0.1.0#check") (result i32) (local i32) {body}))"#
    );
    plugin("connector", &core, CHECK)
}

/// The same for one that has a resource of its own, of which `$new` makes a handle and `$drop` gives one back.
pub(crate) fn check_with_resource(body: &str) -> Vec<u8> {
    let core = format!(
        r#"(module
            (import "[export]hoard" "[resource-new]thing" (func $new (param i32) (result i32)))
            (import "[export]hoard" "[resource-drop]thing" (func $drop (param i32)))
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
            (func (export "hoard#[constructor]thing") (result i32) (call $new (i32.const 0)))
            (func (export "ramal:crm/connector@0.1.0#check") (result i32) (local i32) {body}))"#
    );
    let exports =
        "export ramal:crm/connector@0.1.0; export hoard: interface { resource thing { constructor(); } }";
    plugin_of(exports, &core, CHECK)
}

/// A plugin with `find-by-phone` and an allocator that runs these instructions.
pub(crate) fn find_with_realloc(fields: &str, realloc: &str) -> Vec<u8> {
    let takes = |many: usize| format!("(param {}) (result i32) unreachable", "i32 ".repeat(many));
    let functions = [
        ("find-by-phone", "(param i32 i32) (result i32) i32.const 64".to_owned()),
        ("search", takes(6)),
        ("get", takes(2)),
        ("create", takes(12)),
        ("update", takes(14)),
    ];
    let functions: String = functions
        .iter()
        .map(|(name, body)| format!("(func (export \"ramal:crm/contacts@0.1.0#{name}\") {body})\n"))
        .collect();
    let core = format!(
        r#"(module
            {fields}
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
            {functions})"#
    );
    plugin("contacts", &core, &find())
}

/// Any component as text, with a manifest.
pub(crate) fn component(text: &str, manifest: &str) -> Vec<u8> {
    let mut wasm = wat::parse_str(text).unwrap();
    fixture::append(&mut wasm, manifest);
    wasm
}
