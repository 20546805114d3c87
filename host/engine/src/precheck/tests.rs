use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// A component that imports and exports something, and holds a manifest, as `ramal build` makes it.
const PLUGIN: &str = r#"(component
    (import "ramal:crm/log@1.0.0" (instance (export "write" (func (param "text" string)))))
    (core module $m
        (memory 1) (table 1 funcref)
        (func (export "run") (param i32) (result i32)
            (block (loop (br_if 1 (local.get 0)) (br 0)))
            (local.get 0)))
    (core instance $i (instantiate $m))
    (func $run (param "x" s32) (result s32) (canon lift (core func $i "run")))
    (component $named (import "f" (func $f (param "x" s32) (result s32))) (export "run" (func $f)))
    (instance $api (instantiate $named (with "f" (func $run))))
    (export "ramal:crm/contacts@1.0.0" (instance $api))
    (@custom "ramal:manifest" "name = \"practice\"")
    (@custom "ramal:sdk" "0.1.0"))"#;

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn checked(wasm: &[u8]) -> Result<Checked<'_>, BadComponent> {
    check(wasm, &PrecheckLimits::default())
}

/// A component around a core module, which is all that most limits are about.
fn around(module: &str) -> Vec<u8> {
    wasm(&format!("(component (core module {module}))"))
}

#[test]
fn a_plugin_is_described_without_compiling_it() {
    let wasm = wasm(PLUGIN);
    let checked = checked(&wasm).unwrap();
    assert_eq!(checked.imports(), ["ramal:crm/log@1.0.0"]);
    assert_eq!(checked.exports(), ["ramal:crm/contacts@1.0.0"]);
    assert_eq!(checked.manifest(), Some(b"name = \"practice\"".as_slice()));
    assert_eq!(checked.sdk(), Some(b"0.1.0".as_slice()));
    let counts = checked.counts();
    assert_eq!((counts.functions, counts.modules, counts.core_instances, counts.components), (1, 1, 1, 1));
    assert_eq!((counts.memories, counts.tables, counts.memory_bytes), (1, 1, 65536));
    assert!(counts.work > 0 && counts.squared_blocks > 0);
}

#[test]
fn the_sdk_section_is_found_in_the_core_module_where_the_linker_puts_it() {
    let wasm = around("(@custom \"ramal:sdk\" \"0.1.0\")");
    assert_eq!(checked(&wasm).unwrap().sdk(), Some(b"0.1.0".as_slice()));
}

#[rstest]
#[case::empty(b"".to_vec(), "the file is empty; build the plugin again with `ramal build`")]
#[case::garbage(b"MZ\x90\0".to_vec(), "this is not a WebAssembly file; give the `.wasm` file that `ramal build` makes")]
#[case::cut_in_the_magic(b"\0as".to_vec(), "the file is cut off or damaged at byte 3; copy or download it again")]
#[case::cut_in_the_version(b"\0asm\x0d\0".to_vec(), "the file is cut off or damaged at byte 6; copy or download it again")]
#[case::text(b"(component)".to_vec(), "this is WebAssembly text; give the binary `.wasm` file that `ramal build` makes")]
#[case::machine_code(b"\x7fELF\x02".to_vec(), "this is compiled machine code, which is never accepted; give the `.wasm` file that it came from")]
#[case::core_module(
    wasm("(module)"),
    "this is a core module, not a component; run `ramal build`, which makes the component from it"
)]
#[case::other_version(b"\0asm\x0c\0\x01\0".to_vec(), "this component has format version 0xc and only 0xd is known; build it with the current SDK")]
#[case::other_layer(b"\0asm\x01\0\x02\0".to_vec(), "this WebAssembly file is of an unknown kind (layer 2); build it with the current SDK")]
fn a_file_of_another_kind_is_named(#[case] file: Vec<u8>, #[case] expected: &str) {
    assert_eq!(checked(&file).unwrap_err().to_string(), expected);
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let whole = wasm(PLUGIN);
    let all = checked(&whole).unwrap();
    for length in 0..whole.len() {
        let Ok(partly) = checked(&whole[..length]) else { continue };
        // A component may end after any section; then what came later is seen to be missing.
        assert_ne!(partly.counts(), all.counts(), "{length} of {} bytes passed for the whole", whole.len());
    }
    assert!(matches!(checked(&whole[..whole.len() - 1]), Err(BadComponent::Truncated { .. })));
}

#[rstest]
#[case::manifest(MANIFEST_SECTION)]
#[case::sdk(SDK_SECTION)]
fn a_section_that_counts_may_be_there_once(#[case] name: &'static str) {
    let wasm =
        wasm(&format!("(component (@custom \"{name}\" \"a\") (core module (@custom \"{name}\" \"b\")))"));
    assert_eq!(checked(&wasm).unwrap_err(), BadComponent::Twice { section: name });
}

/// Each case passes one limit, by one where that is possible.
#[rstest]
#[case::functions("the functions", around(&"(func)".repeat(20_001)))]
#[case::body("a function's body", around(&format!("(func {})", "(drop (i32.const 0))".repeat(50_000))))]
#[case::locals("a function's local variables", around(&format!("(func (local {}))", "i32 ".repeat(1_001))))]
#[case::parameters("a function's parameters", around(&format!("(func (param {}))", "i32 ".repeat(101))))]
#[case::results("a function's results", around(&format!("(func (result {}) unreachable)", "i32 ".repeat(17))))]
#[case::locals_times_jumps("the work of one function", around(&format!(
    "(func (local {}) {})", "i32 ".repeat(1_000), "(loop (br_if 0 (local.get 9)))".repeat(1_000)
)))]
#[case::operands_times_jumps("the work of one function", around(&format!(
    "(func {} {} {})", "i32.const 1 ".repeat(5_000), "block end ".repeat(1_000), "drop ".repeat(5_000)
)))]
#[case::wide_jumps("the work of one function", around(&format!(
    "(type $w (func (param {p}) (result {r}))) (func {c} (loop (type $w) {b} {d}) {e})",
    p = "i32 ".repeat(100), r = "i32 ".repeat(16), c = "i32.const 1 ".repeat(100),
    b = "(br_if 0 (i32.const 0)) ".repeat(16_000), d = "drop ".repeat(84), e = "drop ".repeat(16)
)))]
#[case::jump_table("the work of one function", around(&format!(
    "(func (local {}) (block (br_table {} (i32.const 0))))", "i32 ".repeat(100), "0 ".repeat(30_000)
)))]
#[case::calls("the work of one function", around(&format!(
    "(type $w (func (param {v}) (result {v}))) (func $f (type $w) unreachable) (func {c} {calls} {d})",
    v = "i32 ".repeat(16), c = "i32.const 1 ".repeat(16), calls = "call $f ".repeat(60_000), d = "drop ".repeat(16)
)))]
#[case::fixed_register("the squared basic blocks of all functions", around(
    &format!("(func (param i32) {})", "local.get 0 local.get 0 i32.rotl local.set 0 ".repeat(15_000))
))]
#[case::calls_into_the_runtime("the work of one function", around(&format!(
    "(memory 1) (func (param i32) (local {}) {})",
    "i32 ".repeat(900), "local.get 0 memory.grow local.set 0 ".repeat(2_000)
)))]
#[case::many_loops_in_loops("the squared basic blocks of all functions", around(
    &format!("(func {})", format!("{}{}", "loop ".repeat(99), "end ".repeat(99)).repeat(80))
))]
#[case::loops_in_loops("the loops in loops", around(
    &format!("(func {} {})", "loop ".repeat(101), "end ".repeat(101))
))]
#[case::quadratic_blocks("the squared basic blocks of all functions", around(
    &format!("(func {})", "(block (br_if 0 (i32.const 0)))".repeat(12_000))
))]
#[case::many_of_them("the work of all functions", around(
    &format!("(func (local {}) {})", "i32 ".repeat(900), "(block)".repeat(1_500)).repeat(8)
))]
#[case::modules("the core modules", wasm(&format!("(component {})", "(core module)".repeat(9))))]
#[case::core_instances("the core instances", wasm(&format!(
    "(component (core module $m) {})", "(core instance (instantiate $m))".repeat(4)
)))]
#[case::components("the components inside", wasm(&format!("(component {})", "(component)".repeat(101))))]
#[case::component_instances("the component instances", wasm(&format!(
    "(component (component $c) {})", "(instance (instantiate $c))".repeat(501)
)))]
#[case::items("the items of all lists", around(&"(global i32 (i32.const 0))".repeat(100_001)))]
#[case::border("the functions at the border", wasm(&format!(
    "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) {})",
    "(func (canon lift (core func $i \"f\")))".repeat(2_001)
)))]
#[case::memories("the memories", wasm("(component (core module (memory 1)) (core module (memory 1)))"))]
#[case::memory("the memory at the start", around("(memory 1025)"))]
#[case::tables("the tables", around("(table 0 funcref) (table 0 funcref) (table 0 funcref)"))]
#[case::table("a table at the start", around("(table 20001 funcref)"))]
#[case::imported_table("a table at the start", around("(import \"a\" \"b\" (table 20001 funcref))"))]
#[case::custom("the custom sections", around(&format!("(@custom \"debug\" \"{}\")", "x".repeat(8 << 20))))]
#[case::manifest("ramal:manifest", around(&format!("(@custom \"ramal:manifest\" \"{}\")", "x".repeat(262_145))))]
fn what_no_plugin_needs_is_refused(#[case] expected: &str, #[case] wasm: Vec<u8>) {
    let error = checked(&wasm).unwrap_err();
    let BadComponent::TooMuch { what, found, limit, .. } = error else { panic!("{error}") };
    assert_eq!(what, expected);
    assert!(found > limit);
}

#[test]
fn loops_one_after_the_other_are_not_loops_in_loops() {
    checked(&around(&format!("(func {})", "(loop (block))".repeat(200)))).unwrap();
}

#[test]
fn a_file_that_is_too_large_is_not_even_looked_at() {
    let limits = PrecheckLimits { file_bytes: 10, ..PrecheckLimits::default() };
    let error = check(b"not WebAssembly at all", &limits).unwrap_err();
    insta::assert_snapshot!(error, @"the file: 22 bytes and at most 10 are accepted; build with optimisation, drop what is not used, or split the plugin");
}

#[test]
fn data_must_fit_into_memory() {
    let limits = PrecheckLimits { memory_bytes: 65536, ..PrecheckLimits::default() };
    let wasm = around(&format!("(memory 1) (data \"{}\")", "x".repeat(65537)));
    assert!(matches!(check(&wasm, &limits), Err(BadComponent::TooMuch { what: "the data", .. })));
}

#[rstest]
#[case::component_in_component_in_component("(component (component (component)))")]
#[case::module_in_inner_component("(component (component (core module)))")]
fn instances_cannot_multiply_by_nesting(#[case] text: &str) {
    assert_eq!(checked(&wasm(text)).unwrap_err(), BadComponent::Nested);
}

#[rstest]
#[case::invalid_body("(component (core module (func (result i32))))")]
#[case::memory64("(component (core module (memory i64 1)))")]
#[case::multi_memory("(component (core module (import \"a\" \"b\" (memory 1)) (memory 1)))")]
#[case::tail_call("(component (core module (func $f (return_call $f))))")]
#[case::gc("(component (core module (type (struct))))")]
#[case::asynchronous("(component (type (func async)))")]
fn what_the_runtime_would_refuse_is_refused_before(#[case] text: &str) {
    let wasm = wasm(text);
    assert!(matches!(checked(&wasm), Err(BadComponent::Invalid { .. })), "{:?}", checked(&wasm));
    let engine = crate::config::compiling_engine().unwrap();
    assert!(engine.precompile_component(&wasm).is_err());
}

#[test]
fn limits_survive_the_way_to_the_worker() {
    let limits = PrecheckLimits { functions: 7, ..PrecheckLimits::default() };
    let json = serde_json::to_string(&limits).unwrap();
    assert_eq!(serde_json::from_str::<PrecheckLimits>(&json).unwrap(), limits);
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = checked(&bytes);
        let _ = checked(&[b"\0asm\x0d\0\x01\0".as_slice(), &bytes].concat());
    }

    /// One damaged byte is found, or is harmless: then the runtime accepts the component too.
    #[test]
    fn what_passes_is_valid(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = wasm(PLUGIN);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if checked(&bytes).is_ok() {
            let valid = wasmparser::Validator::new_with_features(FEATURES).validate_all(&bytes);
            prop_assert!(valid.is_ok());
        }
    }
}
