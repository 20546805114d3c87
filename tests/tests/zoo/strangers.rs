//! Files that are no plugin of this host: each is refused before any of it runs, with words that say what to do.

use ramal_capability::Digest;
use ramal_engine::compile::CompileLimits;
use rstest::rstest;

use super::host::{Cage, Host, With};
use super::{fixture, wasm_text};

/// A component that is a plugin but for what is put in front.
fn with(text: &str) -> Vec<u8> {
    wasm_text::component(&format!("(component {text})"), wasm_text::CHECK)
}

fn twice_the_manifest() -> Vec<u8> {
    let mut wasm = fixture::component().to_vec();
    fixture::append(&mut wasm, fixture::MANIFEST);
    wasm
}

fn core_with(fields: &str) -> Vec<u8> {
    with(&format!("(core module {fields})"))
}

#[rstest]
#[case::nothing(Vec::new(), "the file is empty; build the plugin again with `ramal build`")]
#[case::cut(fixture::component()[..5_000].to_vec(), "the file is cut off or damaged at byte ")]
#[case::core_module(wat::parse_str("(module)").unwrap(), "this is a core module, not a component; run `ramal build`, which makes the component from it")]
#[case::machine_code(b"\x7fELF\x02\x01\x01".to_vec(), "this is compiled machine code, which is never accepted; give the `.wasm` file that it came from")]
#[case::text(b"(component)".to_vec(), "this is WebAssembly text; give the binary `.wasm` file that `ramal build` makes")]
#[case::no_manifest(wat::parse_str("(component)").unwrap(), "the component has no manifest; build it with `ramal build`")]
#[case::two_manifests(
    twice_the_manifest(),
    "the section `ramal:manifest` occurs twice; run `ramal build` on the core module, not on a plugin that it already made"
)]
#[case::manifest_that_is_no_text({ let mut w = wat::parse_str("(component)").unwrap(); w.extend_from_slice(b"\0\x11\x0eramal:manifest\xff\xfe"); w }, "the component has no manifest; build it with `ramal build`")]
#[case::wasi(
    with("(import \"wasi:cli/environment@0.2.0\" (instance))"),
    "the component imports `wasi:cli/environment@0.2.0`, which no plugin may: it was built for a WASI target; build Rust with `ramal build` (wasm32-unknown-unknown), other languages with their WASI features off or stubbed"
)]
#[case::wasi_http(
    with("(import \"wasi:http/outgoing-handler@0.2.0\" (instance))"),
    "the component imports `wasi:http/outgoing-handler@0.2.0`, which no plugin may: it was built for a WASI target"
)]
#[case::wasi_sockets(
    with("(import \"wasi:sockets/tcp@0.2.0\" (instance))"),
    "the component imports `wasi:sockets/tcp@0.2.0`, which no plugin may: it was built for a WASI target"
)]
#[case::foreign_package(
    with("(import \"evil:pack/age@1.0.0\" (instance))"),
    "the component imports `evil:pack/age@1.0.0`, which no plugin may: a plugin imports only interfaces of ramal:crm"
)]
#[case::bare_import(
    with("(import \"open\" (func))"),
    "the component imports `open`, which no plugin may: a plugin imports only interfaces of ramal:crm"
)]
#[case::interface_that_is_none(
    with("(import \"ramal:crm/secrets@0.1.0\" (instance))"),
    "the component imports `ramal:crm/secrets@0.1.0`, which no plugin may: ramal:crm has no such interface"
)]
#[case::not_in_the_manifest(
    with("(import \"ramal:crm/egress@0.1.0\" (instance))"),
    "the component imports `egress`, which its manifest does not explain; add it to `uses`, so that an admin can see it"
)]
#[case::version_to_come(
    with("(import \"ramal:crm/log@0.2.0\" (instance))"),
    "built for ramal:crm 0.2.0, this host serves 0.1; rebuild it with a matching ramal-sdk"
)]
#[case::version_of_another_age(
    with("(import \"ramal:crm/log@1.0.0\" (instance))"),
    "built for ramal:crm 1.0.0, this host serves 0.1; rebuild it with a matching ramal-sdk"
)]
#[case::no_version(
    with("(import \"ramal:crm/log\" (instance))"),
    "built for ramal:crm , this host serves 0.1; rebuild it with a matching ramal-sdk"
)]
#[case::export_of_a_version_to_come(
    with(
        "(component $c) (instance $i (instantiate $c)) (export \"ramal:crm/connector@0.9.0\" (instance $i))"
    ),
    "built for ramal:crm 0.9.0, this host serves 0.1; rebuild it with a matching ramal-sdk"
)]
#[case::sdk_of_a_version_to_come(
    with(r#"(@custom "ramal:sdk" "{\"sdk\":\"0.9.0\",\"wit\":\"0.9.0\",\"lang\":\"rust\"}")"#),
    "the manifest says `interface = \"0.1\"`, but the component was built for ramal:crm 0.9; write what it was built for"
)]
#[case::sdk_that_says_nothing(
    with(r#"(@custom "ramal:sdk" "\1b[2Jof my own")"#),
    "the section `ramal:sdk` of the component names no version of ramal:crm; rebuild it with `ramal build`"
)]
#[case::another_world(
    with("(component $c) (instance $i (instantiate $c)) (export \"evil:world/run@0.1.0\" (instance $i))"),
    "the manifest lists `connector.check`, but the component has no such export; remove it from `provides` or rebuild it"
)]
#[case::exports_nothing(
    with(""),
    "the manifest lists `connector.check`, but the component has no such export; remove it from `provides` or rebuild it"
)]
#[case::export_that_is_empty(
    with(
        "(component $c) (instance $i (instantiate $c)) (export \"ramal:crm/connector@0.1.0\" (instance $i))"
    ),
    "the manifest lists `connector.check`, but the component has no such export; remove it from `provides` or rebuild it"
)]
#[case::memory_bomb(
    core_with("(memory 65536)"),
    "the memory at the start: 4294967296 bytes and at most 67108864 are accepted"
)]
#[case::two_memories(
    with("(core module (memory 1)) (core module (memory 1))"),
    "the memories: 2 and at most 1 are accepted"
)]
#[case::memory_of_64_bits(core_with("(memory i64 1)"), "the component is not valid at byte ")]
#[case::shared_memory(core_with("(memory 1 1 shared)"), "the component is not valid at byte ")]
#[case::table_bomb(
    core_with("(table 10000000 funcref)"),
    "a table at the start: 10000000 elements and at most 20000 are accepted"
)]
#[case::many_tables(
    core_with("(table 1 funcref) (table 1 funcref) (table 1 funcref)"),
    "the tables: 3 and at most 2 are accepted"
)]
#[case::instance_bomb(with(&format!("(core module $m) {}", "(core instance (instantiate $m))".repeat(100))), "the core instances: 100 and at most 3 are accepted")]
#[case::component_bomb(with(&format!("(component $c) {}", "(instance (instantiate $c))".repeat(1_000))), "the component instances: 1000 and at most 500 are accepted")]
#[case::nested_components(
    with("(component (component (component)))"),
    "the component is put together from components that hold others; give a plugin that was built alone, with `ramal build`"
)]
#[case::compile_bomb_functions(core_with(&"(func)".repeat(30_000)), "the functions: 30000 and at most 20000 are accepted")]
#[case::compile_bomb_locals(core_with(&format!("(func (local {}))", "i32 ".repeat(50_000))), "a function's local variables: 50000 and at most 1000 are accepted")]
#[case::compile_bomb_jumps(core_with(&format!("(func (local {}) {})", "i32 ".repeat(1_000), "(loop (br_if 0 (local.get 9)))".repeat(5_000))), "the work of one function: ")]
#[case::compile_bomb_blocks(core_with(&format!("(func {})", "(block (br_if 0 (i32.const 0)))".repeat(15_000))), "the squared basic blocks of all functions: ")]
#[tokio::test]
async fn what_is_no_plugin_is_refused(#[case] wasm: Vec<u8>, #[case] expected: &str) {
    let host = Host::open().await;
    let error = host.animal("none").wasm(wasm).granted(|g| g.routes.clear()).refused().await.to_string();
    assert!(error.starts_with(expected), "{error}");
    assert!(host.crm.asked().is_empty());
}

#[rstest]
#[case::import_missing_in_uses(
    "\"settings\", \"store\"",
    "\"settings\"",
    "the component imports `store`, which its manifest does not explain; add it to `uses`, so that an admin can see it"
)]
#[case::interface_to_come(
    "interface = \"0.1\"",
    "interface = \"0.9\"",
    "built for ramal:crm 0.9, this host serves 0.1; rebuild it with a matching ramal-sdk"
)]
#[case::host_from_a_parameter(
    "GET {setting.server}/api/later\"",
    "GET https://{who}.crm.example/later\"\nparams = { who = \"contact.name\" }",
    "the manifest in the component is wrong:"
)]
#[case::whole_address_from_a_parameter(
    "GET {setting.server}/api/later\"",
    "GET {who}/later\"\nparams = { who = \"id\" }",
    "the manifest in the component is wrong:"
)]
#[case::credential_as_parameter(
    "params = { id = \"id\" }\nreceive.\"/id\" = \"id\"\nreceive",
    "params = { id = \"id\" }\nheader.Authorization = \"Bearer {id}\"\nreceive.\"/id\" = \"id\"\nreceive",
    "the manifest in the component is wrong:"
)]
#[case::header_of_the_hosts("header.X-Who", "header.Host", "the manifest in the component is wrong:")]
#[case::class_that_nobody_asked(
    "receive.\"/items/*/born\" = \"date\"",
    "receive.\"/items/*/born\" = \"contact.birth\"",
    "the manifest in the component is wrong:"
)]
#[case::class_that_is_none(
    "receive.\"/items/*/born\" = \"date\"",
    "receive.\"/items/*/born\" = \"contact.borth\"",
    "the manifest in the component is wrong:"
)]
#[case::personal_text_in_an_error(
    "\"enum(gone|no-right)\"",
    "\"contact.name\"",
    "the manifest in the component is wrong:"
)]
#[case::destination_of_its_own(
    "GET {setting.server}/api/later\"",
    "GET https://evil.example/later\"",
    "the route `later` leads to https://evil.example, which the grant does not name"
)]
#[tokio::test]
async fn a_manifest_that_takes_too_much_is_refused(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let host = Host::open().await;
    let error = host.animal("tame").declaring(from, to).refused().await.to_string();
    assert!(error.starts_with(expected), "{error}");
    assert!(host.crm.asked().is_empty());
}

type Change = fn(Cage<'_>) -> Cage<'_>;

#[rstest]
#[case::other_bytes((|c| c.granted(|g| g.digest = Some(Digest([7; 32])))) as Change, "the grant is for the component sha256:0707")]
#[case::other_plugin((|c| c.granted(|g| g.plugin = "tame".parse().unwrap())) as Change, "the grant is for the plugin `tame`, the component is `zoo`; give the grant of `zoo`")]
#[case::route_that_is_none((|c| c.granted(|g| assert!(g.routes.insert("export-all".parse().unwrap())))) as Change, "the grant names the route `export-all`, which `zoo` does not have; remove it from `routes`")]
#[case::server_that_is_not_granted((|c| c.lured_to("https://evil.example")) as Change, "the route `")]
#[case::server_that_is_no_origin((|c| c.lured_to("https://evil.example/?")) as Change, "the settings do not fit: ")]
#[case::server_with_a_user((|c| c.lured_to("http://127.0.0.1@evil.example")) as Change, "the settings do not fit: ")]
#[tokio::test]
async fn a_grant_for_something_else_is_refused(#[case] change: Change, #[case] expected: &str) {
    let host = Host::open().await;
    let error = change(host.animal("tame")).refused().await.to_string();
    assert!(error.starts_with(expected), "{error}");
    assert!(host.crm.asked().is_empty());
}

#[tokio::test]
async fn a_compile_bomb_that_passes_the_checks_dies_in_its_worker() {
    // Seven functions near the limit of what is accepted, and a worker with a second to spare.
    let mut one = format!("(func (param i32) (local {}) ", "i32 ".repeat(900));
    for at in 0..600 {
        let local = 1 + at % 900;
        one.push_str(&format!(
            "loop local.get {local} i32.const 1 i32.add local.set {local} local.get 0 br_if 0 end "
        ));
    }
    for local in 1..=900 {
        one.push_str(&format!("local.get {local} drop "));
    }
    one.push(')');
    let bomb = wasm_text::check(&one.repeat(7), "i32.const 64");
    let limits = CompileLimits { cpu_seconds: 1, ..CompileLimits::default() };
    let host = Host::open_with(With { compile: limits, ..With::default() }).await;
    let error = host.animal("none").wasm(bomb).granted(|g| g.routes.clear()).refused().await;
    insta::assert_snapshot!(error, @"compiling the plugin took more than 1 s and was stopped; simplify its largest functions, or raise the limit");
}

#[tokio::test]
async fn what_a_refusal_quotes_of_the_file_is_short() {
    let host = Host::open().await;
    let name = format!("evil:{}/x@0.1.0", "a".repeat(5_000));
    let error = host
        .animal("none")
        .wasm(with(&format!("(import \"{name}\" (instance))")))
        .refused()
        .await
        .to_string();
    assert!(error.len() < 300, "{error}");
}
