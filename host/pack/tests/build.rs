//! Real builds of small plugins, with the real cargo. Those that need the SDK share one folder of artefacts, so
//! that it is compiled once; the others have no dependencies and a folder of their own, since cargo lets only one
//! build at a time into a folder.

use std::fs;
use std::path::{Path, PathBuf};

use ramal_pack::{Options, PackError, Packed, build};
use wasmparser::{Parser, Payload};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Uses every function that the SDK has.
const EVERYTHING: &str = r##"
use ramal_sdk::prelude::*;

struct Everything;

impl Crm for Everything {
    type Settings = NoSettings;

    fn check(cx: &Cx<NoSettings>) -> Result<Account> {
        cx.log().warn("checking");
        let name: String = cx.egress().send("me", params! {})?.json()?;
        Ok(Account { name, id: None })
    }
    fn find_by_phone(cx: &Cx<NoSettings>, candidates: &[Text]) -> Result<Vec<Contact>> {
        let mut all = Vec::new();
        for phone in candidates {
            all.push(cx.text().phone_format(phone, PhoneStyle::National)?);
            all.extend(cx.text().phone_variants(phone));
            all.push(cx.text().given_name(phone));
            all.push(cx.text().family_name(phone));
            all.push(cx.text().lower(phone));
            if cx.text().same(phone, &all[0])? {
                panic!("a number that is its own national form");
            }
        }
        for answer in cx.egress().send_all(all.iter().map(|p| Call::new("me", params! { "p" => p })).collect()) {
            answer?;
        }
        cx.store().set("key", "value")?;
        cx.store().delete("key")?;
        cx.store().get("key")?;
        Err(Error::NotFound)
    }
}

ramal_sdk::register!(Everything);
"##;

const USES_ALL: &str = r#"["egress", "text", "settings", "store", "log"]"#;

/// A plugin's folder, without dependencies.
fn bare(folder: &Path, code: &str) -> Options {
    plugin(folder, "bare", USES_ALL, code);
    let cargo = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let without = cargo.lines().filter(|line| !line.contains("ramal-sdk")).collect::<Vec<_>>().join("\n");
    fs::write(folder.join("Cargo.toml"), without).unwrap();
    Options { target_dir: Some(folder.join("target")), ..options(folder) }
}

/// A plugin's folder.
fn plugin(folder: &Path, name: &str, uses: &str, code: &str) {
    fs::create_dir_all(folder.join("src")).unwrap();
    let cargo = format!(
        r#"
            [package]
            name = "{name}"
            version = "0.1.0"
            edition = "2024"
            [lib]
            crate-type = ["cdylib", "rlib"]
            [dependencies]
            ramal-sdk = {{ path = "{ROOT}/guest-sdk/rust" }}
            [workspace]
        "#
    );
    let route = r#"
            [[route]]
            id = "me"
            purposes = ["diagnostics"]
            request = "GET https://crm.example/me"
            receive."" = "id"
    "#;
    let manifest = format!(
        r#"
            [plugin]
            id = "{name}"
            version = "0.1.0"
            name = "Test"
            vendor = "Ramal"
            interface = "0.1"
            verification = "docs-only"
            dedup = "none"
            purposes = ["screen-pop", "diagnostics"]
            provides = ["connector.check", "contacts.find-by-phone"]
            uses = {uses}
            {}
        "#,
        if uses.contains("egress") { route } else { "" }
    );
    fs::write(folder.join("Cargo.toml"), cargo).unwrap();
    fs::write(folder.join("plugin.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), code).unwrap();
    // The versions of the workspace, so that nothing is looked up.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

fn options(folder: &Path) -> Options {
    Options {
        target_dir: Some(Path::new(ROOT).join("target/pack-tests")),
        out: Some(folder.join("out").join("plugin.wasm")),
        ..Options::default()
    }
}

fn packed(folder: &Path) -> Packed {
    build(folder, &options(folder)).unwrap()
}

/// What a component imports: interfaces, and the functions that its modules want of them.
fn imports(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut interfaces, mut functions, mut depth) = (Vec::new(), Vec::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                interfaces.extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            // An empty name of a module, or one of a function that is a number, is wit-component's own: between
            // the modules of one component.
            Payload::ImportSection(section) => functions.extend(
                section
                    .into_imports()
                    .map(|import| import.unwrap())
                    .filter(|import| !import.module.is_empty())
                    .map(|import| format!("{} {}", import.module, import.name)),
            ),
            _ => {}
        }
    }
    functions.sort();
    interfaces.sort();
    (interfaces, functions)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_plugin_imports_the_contract_and_nothing_else_and_is_the_same_from_every_folder() {
    let folder = tempfile::tempdir().unwrap();
    plugin(folder.path(), "everything", USES_ALL, EVERYTHING);
    let packed = packed(folder.path());
    let bytes = fs::read(&packed.path).unwrap();

    assert_eq!(packed.id.as_str(), "everything");
    assert_eq!(packed.bytes_len, bytes.len());
    let (interfaces, functions) = imports(&bytes);
    insta::assert_snapshot!(interfaces.join("\n"), @r"
    ramal:crm/egress@0.1.0
    ramal:crm/log@0.1.0
    ramal:crm/settings@0.1.0
    ramal:crm/store@0.1.0
    ramal:crm/text@0.1.0
    ramal:crm/types@0.1.0
    ");
    insta::assert_snapshot!(functions.join("\n"), @r"
    ramal:crm/egress@0.1.0 send
    ramal:crm/egress@0.1.0 send-all
    ramal:crm/log@0.1.0 write
    ramal:crm/settings@0.1.0 all
    ramal:crm/store@0.1.0 delete
    ramal:crm/store@0.1.0 get
    ramal:crm/store@0.1.0 set
    ramal:crm/text@0.1.0 family-name
    ramal:crm/text@0.1.0 given-name
    ramal:crm/text@0.1.0 lower
    ramal:crm/text@0.1.0 phone-format
    ramal:crm/text@0.1.0 phone-variants
    ramal:crm/text@0.1.0 same
    ");

    let sections = ramal_pack::read(&bytes).unwrap();
    assert_eq!(sections.manifest, fs::read_to_string(folder.path().join("plugin.toml")).unwrap());
    assert_eq!((sections.sdk.wit.as_str(), sections.sdk.lang.as_str()), ("0.1.0", "rust"));
    assert_eq!(sections.sdk, packed.sdk);

    // Built by somebody else, elsewhere: the same file, and nothing in it of the machine.
    let elsewhere = tempfile::tempdir().unwrap();
    let deeper = elsewhere.path().join("some/where/else");
    plugin(&deeper, "everything", USES_ALL, EVERYTHING);
    assert_eq!(self::packed(&deeper).digest, packed.digest);
    assert!(holds(&bytes, "src/lib.rs"), "the place of the panic is there, relative to the plugin");
    let root = fs::canonicalize(ROOT).unwrap();
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).unwrap();
    for private in [folder.path(), &root, &cargo_home] {
        let private = private.display().to_string();
        assert!(!holds(&bytes, &private), "`{private}` is in the component");
    }
}

#[test]
fn an_interface_that_is_not_used_is_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    let code = "
        struct Quiet;
        impl ramal_sdk::Crm for Quiet { type Settings = ramal_sdk::NoSettings; }
        ramal_sdk::register!(Quiet);
    ";
    plugin(folder.path(), "quiet", r#"["settings", "log"]"#, code);
    let packed = packed(folder.path());
    insta::assert_snapshot!(imports(&fs::read(&packed.path).unwrap()).0.join("\n"), @r"
    ramal:crm/log@0.1.0
    ramal:crm/settings@0.1.0
    ramal:crm/types@0.1.0
    ");
    assert!(packed.bytes_len < 110_000, "a plugin that does nothing has {} bytes", packed.bytes_len);
}

#[test]
fn a_foreign_import_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let code = "
        #[link(wasm_import_module = \"env\")]
        unsafe extern \"C\" { fn sqlite3_open_v2() -> i32; }
        #[unsafe(no_mangle)] pub extern \"C\" fn f() -> i32 { unsafe { sqlite3_open_v2() } }";
    let options = bare(folder.path(), code);
    let error = build(folder.path(), &options).unwrap_err();
    insta::assert_snapshot!(error, @"the plugin would import `env` `sqlite3_open_v2`, and the host gives a plugin nothing but ramal:crm: `libsqlite3-sys` (of rusqlite or sqlx) wants SQLite; keep state with `cx.store()`");
    assert!(!folder.path().join("out").exists(), "nothing is written");
}

#[test]
fn code_that_cargo_refuses_comes_back_in_cargos_words() {
    let folder = tempfile::tempdir().unwrap();
    let options = bare(folder.path(), "fn f() -> u8 { \"text\" }");
    let error = build(folder.path(), &options).unwrap_err();
    let PackError::Cargo { step: "rustc", output } = error else { panic!("{error}") };
    assert!(output.contains("mismatched types"), "{output}");
}

#[test]
fn a_library_that_registers_nothing_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let options = bare(folder.path(), "#[unsafe(no_mangle)] pub extern \"C\" fn f() {}");
    let error = build(folder.path(), &options).unwrap_err();
    assert!(matches!(error, PackError::NotRegistered), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| build(path, &Options::default()).unwrap_err();
    assert!(matches!(error(folder.path()), PackError::NoCrate(_)));

    plugin(folder.path(), "missing", USES_ALL, "");
    fs::remove_file(folder.path().join("plugin.toml")).unwrap();
    assert!(matches!(error(&folder.path().join("Cargo.toml")), PackError::NoManifest(_)));

    fs::write(folder.path().join("plugin.toml"), "[plugin]\nid = 1\n").unwrap();
    let PackError::Manifest { source, .. } = error(folder.path()) else { panic!("not the manifest") };
    assert!(!source.findings().is_empty());
}

#[test]
fn a_program_is_no_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let options = bare(folder.path(), "");
    fs::rename(folder.path().join("src/lib.rs"), folder.path().join("src/main.rs")).unwrap();
    let cargo = fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
    let cargo = cargo.replace("[lib]", "").replace("crate-type = [\"cdylib\", \"rlib\"]", "");
    fs::write(folder.path().join("Cargo.toml"), cargo).unwrap();
    fs::write(folder.path().join("src/main.rs"), "fn main() {}").unwrap();
    let error = build(folder.path(), &options).unwrap_err();
    assert!(matches!(error, PackError::NoLibrary(_)), "{error}");
}
