//! Imports that no plugin gets, and who probably wants them.
//!
//! A component with such an import is refused by every host, with a name (`__wbindgen_throw`) that tells the
//! author nothing. Here, where the build is at hand, it can be traced to a dependency.

use wasmparser::{Parser, Payload};

use crate::PackError;
use crate::section::SectionError;

/// The one package whose imports a plugin may have.
const OURS: &str = "ramal:crm/";

/// The first import of a core module that is not the contract's.
///
/// `suspects` are packages of the build that link foreign code, to name when the import's name tells nothing.
pub(crate) fn refuse(core: &[u8], suspects: &[String]) -> Result<(), PackError> {
    for payload in Parser::new(0).parse_all(core) {
        let payload = payload.map_err(|e| SectionError::NotWasm(e.message().to_owned()))?;
        let Payload::ImportSection(imports) = payload else { continue };
        for import in imports.into_imports() {
            let import = import.map_err(|e| SectionError::NotWasm(e.message().to_owned()))?;
            if !import.module.starts_with(OURS) {
                return Err(foreign(import.module, import.name, suspects));
            }
        }
    }
    Ok(())
}

pub(crate) fn foreign(module: &str, name: &str, suspects: &[String]) -> PackError {
    PackError::ForeignImport {
        module: module.to_owned(),
        name: name.to_owned(),
        probably: probably(module, name, suspects),
    }
}

/// C libraries by the prefix of their symbols.
const LIBRARIES: &[(&str, &str)] = &[
    ("sqlite3_", "`libsqlite3-sys` (of rusqlite or sqlx) wants SQLite; keep state with `cx.store()`"),
    ("ring_core_", "`ring` wants its assembly; the host does TLS and signatures"),
    ("GFp_", "`ring` wants its assembly; the host does TLS and signatures"),
    ("aws_lc_", "`aws-lc-sys` wants its C code; the host does TLS and signatures"),
    ("SSL_", "`openssl-sys` wants OpenSSL; the host does TLS"),
    ("EVP_", "`openssl-sys` wants OpenSSL; the host does TLS and signatures"),
    ("ZSTD_", "`zstd-sys` wants its C code; the host reads compressed answers"),
    ("deflate", "`libz-sys` wants zlib; the host reads compressed answers"),
    ("inflate", "`libz-sys` wants zlib; the host reads compressed answers"),
    (
        "__getrandom",
        "`getrandom` was given a custom backend; a plugin has no randomness, use the entry's idempotency key",
    ),
];

fn probably(module: &str, name: &str, suspects: &[String]) -> String {
    if module.starts_with("__wbindgen") || name.starts_with("__wbindgen") {
        return "`wasm-bindgen` is for browsers; a dependency has it switched on, often `getrandom` (feature \
                `js` or `wasm_js`), `chrono` (`wasmbind`), `uuid` (`js`) or `reqwest`: find it with \
                `cargo tree -i wasm-bindgen --target wasm32-unknown-unknown`"
            .to_owned();
    }
    if module.starts_with("wasi") {
        return "it was built for a WASI target; use `wasm32-unknown-unknown`, as `ramal build` does"
            .to_owned();
    }
    if let Some((_, text)) = LIBRARIES.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        return (*text).to_owned();
    }
    match suspects {
        [] => "some code declares it as an `extern` function; remove that code".to_owned(),
        some => format!(
            "some code declares it as an `extern` function; of this build's crates, these link foreign code: {}",
            some.join(", ")
        ),
    }
}

/// The symbol that the linker missed, if that is why it failed.
pub(crate) fn undefined_symbol(linker_output: &str) -> Option<&str> {
    let rest = linker_output.split("undefined symbol: ").nth(1)?;
    rest.split(|c: char| c.is_whitespace()).next().filter(|symbol| !symbol.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::wasm_bindgen("__wbindgen_placeholder__", "__wbindgen_throw", "`wasm-bindgen` is for browsers")]
    #[case::wasi("wasi_snapshot_preview1", "fd_write", "it was built for a WASI target")]
    #[case::sqlite("env", "sqlite3_open_v2", "`libsqlite3-sys` (of rusqlite or sqlx)")]
    #[case::random("env", "__getrandom_v03_custom", "`getrandom` was given a custom backend")]
    #[case::unknown(
        "env",
        "frobnicate",
        "some code declares it as an `extern` function; of this build's crates, these link foreign code: acme-sys 1.0.0"
    )]
    fn a_foreign_import_is_traced_to_a_crate(#[case] module: &str, #[case] name: &str, #[case] text: &str) {
        let wasm = wat::parse_str(format!(
            r#"(module (import "ramal:crm/log@0.1.0" "write" (func)) (import "{module}" "{name}" (func)))"#
        ))
        .unwrap();
        let error = refuse(&wasm, &["acme-sys 1.0.0".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the plugin would import `{module}` `{name}`")), "{error}");
        assert!(error.contains(text), "{error}");
    }

    #[test]
    fn the_contract_is_no_foreign_import() {
        let wasm = wat::parse_str(r#"(module (import "ramal:crm/log@0.1.0" "write" (func)))"#).unwrap();
        assert!(refuse(&wasm, &[]).is_ok());
    }

    #[rstest]
    #[case::lld("rust-lld: error: x.o: undefined symbol: frobnicate\n", Some("frobnicate"))]
    #[case::other("error: linking failed", None)]
    fn the_linkers_complaint_names_the_symbol(#[case] output: &str, #[case] symbol: Option<&str>) {
        assert_eq!(undefined_symbol(output), symbol);
    }
}
