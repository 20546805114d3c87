//! Whether code and manifest say the same.
//!
//! A host refuses a file whose manifest does not explain an import. Said at the build, it costs the author a
//! line; said at the installation, it costs a release.

use ramal_capability::{Import, InterfaceVersion, Manifest};
use wasmparser::{Parser, Payload};

use crate::section::SectionError;
use crate::{PackError, Sdk};

/// Compares a core module and its SDK's word with the manifest.
pub(crate) fn check(core: &[u8], sdk: &Sdk, manifest: &Manifest) -> Result<(), PackError> {
    let spoken = sdk.wit.rsplit_once('.').and_then(|(minor, _)| minor.parse::<InterfaceVersion>().ok());
    if spoken != Some(manifest.interface) {
        return Err(PackError::OtherInterface { manifest: manifest.interface, sdk: sdk.wit.clone() });
    }
    for payload in Parser::new(0).parse_all(core) {
        let payload = payload.map_err(|e| SectionError::NotWasm(e.message().to_owned()))?;
        let Payload::ImportSection(imports) = payload else { continue };
        for import in imports.into_imports() {
            let import = import.map_err(|e| SectionError::NotWasm(e.message().to_owned()))?;
            if let Some(interface) = interface(import.module)
                && !manifest.uses.contains(&interface)
            {
                return Err(PackError::UnlistedInterface(interface));
            }
        }
    }
    Ok(())
}

/// The interface in `ramal:crm/store@0.1.0`, if it is one that a manifest lists.
fn interface(module: &str) -> Option<Import> {
    module.strip_prefix("ramal:crm/")?.split('@').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
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
            uses = ["log"]
        "#;
        Manifest::parse("plugin.toml", text).unwrap()
    }
    fn sdk(wit: &str) -> Sdk {
        Sdk { sdk: "0.1.0".into(), wit: wit.into(), lang: "rust".into() }
    }
    fn importing(interface: &str) -> Vec<u8> {
        wat::parse_str(format!(r#"(module (import "ramal:crm/{interface}@0.1.0" "f" (func)))"#)).unwrap()
    }

    #[test]
    fn code_may_use_what_the_manifest_lists() {
        assert!(check(&importing("log"), &sdk("0.1.0"), &manifest()).is_ok());
        assert!(check(&importing("types"), &sdk("0.1.7"), &manifest()).is_ok());
    }

    #[test]
    fn an_unlisted_interface_is_named_with_the_line_to_add() {
        let error = check(&importing("store"), &sdk("0.1.0"), &manifest()).unwrap_err();
        insta::assert_snapshot!(error, @"the plugin's code uses the interface `store` and plugin.toml does not list it, so every host would refuse the file; add \"store\" to `uses` in [plugin]");
    }

    #[test]
    fn another_contract_than_the_sdks_is_refused() {
        let error = check(&importing("log"), &sdk("0.4.0"), &manifest()).unwrap_err();
        insta::assert_snapshot!(error, @"plugin.toml says `interface = \"0.1\"`, the SDK speaks ramal:crm 0.4.0; write the SDK's version, or use an SDK for 0.1");
    }
}
