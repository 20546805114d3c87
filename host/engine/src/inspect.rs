//! What is in a component's file, and whether it fits the contract: read without compiling or running any of it.

use ramal_capability::{Digest, Export, Import, InterfaceVersion, Manifest};
use serde::Deserialize;

use crate::cache::digest_of;
use crate::precheck::{Checked, PrecheckLimits, check};
use crate::runtime::{LoadError, SERVED};

/// A component that was read and found fit to be compiled, before anybody granted anything.
pub struct Inspected {
    /// What it asks for.
    pub manifest: Manifest,
    /// The manifest's text.
    pub manifest_text: String,
    /// The digest of the file.
    pub digest: Digest,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// The interfaces that it exports.
    pub exports: Vec<String>,
    /// What the SDK wrote about itself.
    pub sdk: Option<String>,
    /// The file's size in bytes.
    pub bytes: u64,
}

/// Reads a component without compiling or running any of it, and refuses what the host would refuse.
///
/// # Errors
/// As for loading, short of compiling.
pub fn inspect(wasm: &[u8]) -> Result<Inspected, LoadError> {
    read(&check(wasm, &PrecheckLimits::default())?, digest_of(wasm))
}

/// What a component says of itself, compared with the contract.
pub(crate) fn read(checked: &Checked<'_>, digest: Digest) -> Result<Inspected, LoadError> {
    let manifest_text =
        checked.manifest().and_then(|m| std::str::from_utf8(m).ok()).ok_or(LoadError::NoManifest)?;
    let manifest_text = manifest_text.to_owned();
    let manifest = Manifest::parse("plugin.toml", &manifest_text)?;
    if !SERVED.contains(&manifest.interface.minor) {
        return Err(LoadError::Interface { built: manifest.interface.to_string() });
    }
    let imports: Vec<String> = checked.imports().iter().map(|name| name.to_string()).collect();
    for import in &imports {
        allowed_import(import, &manifest)?;
    }
    if let Some(section) = checked.sdk() {
        built_for(section, manifest.interface)?;
    }
    let exports: Vec<String> = checked.exports().iter().map(|name| name.to_string()).collect();
    let interfaces = exports.iter().map(|name| interface(name)).collect::<Result<Vec<_>, _>>()?;
    for export in &manifest.provides {
        let wanted = export.as_str().split('.').next();
        let at = interfaces.iter().position(|name| name.is_some() && *name == wanted);
        let functions = checked.functions().unwrap_or_default();
        let whole = |at: usize| functions.get(at).is_none_or(|found| is_whole(wanted, found));
        if !at.is_some_and(whole) {
            return Err(LoadError::MissingExport(*export));
        }
    }
    Ok(Inspected {
        manifest,
        manifest_text,
        digest,
        imports,
        exports,
        sdk: checked.sdk().and_then(|s| std::str::from_utf8(s).ok()).map(str::to_owned),
        bytes: checked.wasm().len() as u64,
    })
}

/// The interface of ramal:crm that a name means, in a version that this host serves; `None` when it means none.
fn interface(name: &str) -> Result<Option<&str>, LoadError> {
    let Some(rest) = name.strip_prefix("ramal:crm/") else { return Ok(None) };
    let (name, version) = rest.split_once('@').unwrap_or((rest, ""));
    if !minor(version).is_some_and(|minor| SERVED.contains(&minor)) {
        return Err(LoadError::Interface { built: version.chars().take(20).collect() });
    }
    Ok(Some(name))
}

/// The N of `0.N.P`.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("0.")?.split('.').next()?.parse().ok()
}

/// Whether an interface has all its functions: the host binds it as a whole.
fn is_whole(interface: Option<&str>, found: &[String]) -> bool {
    let all = Export::ALL.iter().filter_map(|export| export.as_str().split_once('.'));
    all.filter(|(name, _)| Some(*name) == interface)
        .all(|(_, function)| found.iter().any(|found| found == function))
}

/// Compares what the SDK wrote about itself with what the manifest says.
fn built_for(section: &[u8], manifest: InterfaceVersion) -> Result<(), LoadError> {
    #[derive(Deserialize)]
    struct Sdk {
        wit: String,
    }
    let sdk: Option<Sdk> = serde_json::from_slice(section).ok();
    let minor = sdk.and_then(|sdk| minor(&sdk.wit)).ok_or(LoadError::Sdk)?;
    let built = InterfaceVersion { minor };
    if built == manifest { Ok(()) } else { Err(LoadError::Disagrees { manifest, built }) }
}

/// A component's imports are its ceiling: only the contract's interfaces, only those that the manifest names.
fn allowed_import(import: &str, manifest: &Manifest) -> Result<(), LoadError> {
    let foreign = |hint| LoadError::ForeignImport { import: import.chars().take(100).collect(), hint };
    let Some(name) = interface(import)? else {
        return Err(foreign(if import.starts_with("wasi:") {
            "it was built for a WASI target; build Rust with `ramal build` (wasm32-unknown-unknown), other languages \
             with their WASI features off or stubbed"
        } else {
            "a plugin imports only interfaces of ramal:crm; drop the library that wants it, and build again"
        }));
    };
    if name == "types" {
        return Ok(());
    }
    match name.parse::<Import>() {
        Ok(import) if manifest.uses.contains(&import) => Ok(()),
        Ok(import) => Err(LoadError::UnexplainedImport(import)),
        Err(_) => Err(foreign(
            "ramal:crm has no such interface; rebuild it with the ramal-sdk of this host's version",
        )),
    }
}
