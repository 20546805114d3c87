//! The whole way, from a folder to a file.

use std::fs;
use std::path::{Path, PathBuf};

use ramal_capability::{Digest, Manifest, PluginId};

use crate::cargo::{Project, Toolchain, build_module};
use crate::section::{NAMES_SECTION, SDK_SECTION, only, outermost, parse_sdk, without};
use crate::{PackError, Sdk, SectionError, agree, componentize, foreign, remap};

/// How to build. `Options::default()` is what `ramal build` does without flags.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where to write the plugin; `<target>/ramal/<id>.wasm` if not given.
    pub out: Option<PathBuf>,
    /// Where cargo keeps its artefacts; otherwise `CARGO_TARGET_DIR`, otherwise cargo's own choice.
    pub target_dir: Option<PathBuf>,
    /// Refuse to change `Cargo.lock`: for releases and CI.
    pub locked: bool,
    /// Refuse to use the network.
    pub offline: bool,
    /// Let cargo talk to the terminal. If not, what it says is in the error.
    pub show_cargo: bool,
    /// Which cargo; otherwise the one of the variable `CARGO`, otherwise the one on the PATH.
    pub cargo: Option<PathBuf>,
}

/// A plugin that was built.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Where it is.
    pub path: PathBuf,
    /// The plugin's name, from the manifest.
    pub id: PluginId,
    /// The file's size in bytes.
    pub bytes_len: usize,
    /// SHA-256 of the file: what grants are bound to.
    pub digest: Digest,
    /// The manifest that is inside.
    pub manifest_text: String,
    /// What it was built with.
    pub sdk: Sdk,
}

/// Builds the plugin in a folder, or beside a given Cargo.toml. Blocks for as long as cargo does.
///
/// # Errors
/// See [`PackError`]; each says what to do.
pub fn build(path: &Path, options: &Options) -> Result<Packed, PackError> {
    let crate_dir = crate_dir(path)?;
    let (manifest, manifest_text) = load_manifest(&crate_dir)?;
    let toolchain = Toolchain::load(&crate_dir)?;
    let project = Project::load(&crate_dir, options)?;

    let target_dir = target_dir(&project, options);
    let flags = remap::flags(&project, &toolchain, &target_dir);
    let module = build_module(&project, &target_dir, &flags, options)?;
    let core = read_file(&module)?;

    foreign::refuse(&core, &project.suspects())?;
    let (_, sections) = outermost(&core)?;
    let sdk_json = match only(&sections, SDK_SECTION) {
        Err(SectionError::Missing(_)) => return Err(PackError::NotRegistered),
        other => other?,
    };
    let sdk = parse_sdk(sdk_json)?;
    agree::check(&core, &sdk, &manifest)?;
    let sdk_text = String::from_utf8_lossy(sdk_json);
    // No host reads the names of functions: a trap is told by its kind, a panic by its place in the source.
    // They would be an eighth of the file.
    let component = componentize(&without(&core, NAMES_SECTION)?, &manifest_text, Some(&sdk_text))?;

    let out = match &options.out {
        Some(out) => out.clone(),
        None => {
            let target = options.target_dir.as_deref().unwrap_or(&project.target_directory);
            target.join("ramal").join(format!("{}.wasm", manifest.id))
        }
    };
    write_file(&out, &component)?;
    Ok(Packed {
        path: out,
        id: manifest.id,
        bytes_len: component.len(),
        digest: digest(&component),
        manifest_text,
        sdk,
    })
}

fn crate_dir(path: &Path) -> Result<PathBuf, PackError> {
    let dir = if path.file_name().is_some_and(|name| name == "Cargo.toml") {
        path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
    } else {
        path
    };
    if !dir.join("Cargo.toml").is_file() {
        return Err(PackError::NoCrate(dir.to_owned()));
    }
    // Cargo answers with real paths; comparing and remapping need the same.
    dir.canonicalize().map_err(|source| PackError::File { doing: "read", path: dir.to_owned(), source })
}

fn load_manifest(crate_dir: &Path) -> Result<(Manifest, String), PackError> {
    let path = crate_dir.join("plugin.toml");
    if !path.is_file() {
        return Err(PackError::NoManifest(crate_dir.to_owned()));
    }
    let text = fs::read_to_string(&path).map_err(|source| PackError::File {
        doing: "read",
        path: path.clone(),
        source,
    })?;
    match Manifest::parse("plugin.toml", &text) {
        Ok(manifest) => Ok((manifest, text)),
        Err(source) => Err(PackError::Manifest { path, source: Box::new(source) }),
    }
}

/// Where cargo works. In Ramal's own workspace not in `target` itself: a build of a plugin there would wait
/// for the host's build, and hold it up.
fn target_dir(project: &Project, options: &Options) -> PathBuf {
    let chosen = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match &options.target_dir {
        Some(dir) => dir.clone(),
        None if chosen("CARGO_TARGET_DIR") || chosen("CARGO_BUILD_TARGET_DIR") => {
            project.target_directory.clone()
        }
        None if project.with_host => project.target_directory.join("plugins"),
        None => project.target_directory.clone(),
    }
}

fn digest(bytes: &[u8]) -> Digest {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    Digest(out)
}

fn read_file(path: &Path) -> Result<Vec<u8>, PackError> {
    fs::read(path).map_err(|source| PackError::File { doing: "read", path: path.to_owned(), source })
}

/// Writes beside the place and renames, so that a host that watches the folder never reads half a plugin.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), PackError> {
    let failed = |source| PackError::File { doing: "write", path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    fs::write(&temporary, bytes).map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)
}
