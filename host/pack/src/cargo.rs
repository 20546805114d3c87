//! Questions to cargo and rustc: which package, which folders, which artefact.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Options, PackError, foreign};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The profile of every plugin, whatever its Cargo.toml says: small, in one piece, the same everywhere.
const PROFILE: &[&str] = &[
    "profile.release.opt-level=\"s\"",
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
    "profile.release.panic=\"abort\"",
    "profile.release.debug=false",
    "profile.release.strip=\"debuginfo\"",
    "profile.release.incremental=false",
];

/// A package, as `cargo metadata` tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) id: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) source: Option<String>,
    links: Option<String>,
    targets: Vec<Target>,
}

impl Package {
    pub(crate) fn root(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
    fn has_library(&self) -> bool {
        self.targets.iter().any(Target::is_library)
    }
    /// Whether it links code that is not Rust, or JavaScript's.
    fn links_foreign_code(&self) -> bool {
        // rayon-core and prettyplease and their like use `links` for uniqueness only; naming one too many
        // does no harm here.
        self.links.is_some() || matches!(self.name.as_str(), "wasm-bindgen" | "js-sys" | "getrandom")
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Target {
    fn is_library(&self) -> bool {
        self.kind
            .iter()
            .any(|kind| matches!(kind.as_str(), "lib" | "rlib" | "cdylib" | "dylib" | "staticlib"))
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
    resolve: Option<Resolve>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// The plugin's package and what it is built from.
pub(crate) struct Project {
    pub(crate) plugin: Package,
    /// Dependencies that are no members of the workspace, direct and not, without those of tests.
    pub(crate) dependencies: Vec<Package>,
    pub(crate) workspace_root: PathBuf,
    pub(crate) target_directory: PathBuf,
    /// Whether the workspace is Ramal's own, whose `target` is busy with the host.
    pub(crate) with_host: bool,
}

impl Project {
    /// Asks cargo about the crate in a folder. Fetches what is not there yet, unless offline.
    pub(crate) fn load(crate_dir: &Path, options: &Options) -> Result<Self, PackError> {
        let manifest_path = crate_dir.join("Cargo.toml");
        let mut command = cargo(crate_dir, options);
        command.args(["metadata", "--format-version", "1", "--filter-platform", TARGET, "--manifest-path"]);
        command.arg(&manifest_path);
        lock_flags(&mut command, options);
        let output = run(&mut command, "metadata")?;
        let metadata: Metadata = parse("metadata", &output.stdout)?;

        let same = |package: &Package| {
            package.manifest_path.canonicalize().ok() == manifest_path.canonicalize().ok()
        };
        let Some(plugin) = metadata.packages.iter().find(|p| same(p)).cloned() else {
            return Err(PackError::NoPackage(crate_dir.to_owned()));
        };
        if !plugin.has_library() {
            return Err(PackError::NoLibrary(plugin.name));
        }
        let members: BTreeSet<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
        let built = reachable(metadata.resolve.map(|r| r.nodes).unwrap_or_default(), &plugin.id);
        let with_host =
            metadata.packages.iter().any(|p| p.name == "ramal-pack" && members.contains(p.id.as_str()));
        let dependencies = metadata
            .packages
            .iter()
            .filter(|p| built.contains(&p.id) && !members.contains(p.id.as_str()))
            .cloned()
            .collect();
        Ok(Self {
            plugin,
            dependencies,
            workspace_root: metadata.workspace_root,
            target_directory: metadata.target_directory,
            with_host,
        })
    }

    /// Packages to name when an import's origin is unclear.
    pub(crate) fn suspects(&self) -> Vec<String> {
        let foreign = self.dependencies.iter().filter(|p| p.links_foreign_code());
        foreign.map(|p| format!("{} {}", p.name, p.version)).collect()
    }
}

/// What a package needs to be built, itself included.
fn reachable(nodes: Vec<Node>, start: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<String, Vec<Edge>> = nodes.into_iter().map(|n| (n.id, n.deps)).collect();
    let mut seen = BTreeSet::new();
    let mut todo = vec![start.to_owned()];
    while let Some(id) = todo.pop() {
        let edges = nodes.get(&id).map(Vec::as_slice).unwrap_or_default();
        let built = edges.iter().filter(|e| e.dep_kinds.iter().any(|k| k.kind.as_deref() != Some("dev")));
        todo.extend(built.map(|e| e.pkg.clone()).filter(|id| !seen.contains(id)));
        seen.insert(id);
    }
    seen
}

/// The compiler that will build.
pub(crate) struct Toolchain {
    sysroot: PathBuf,
    pub(crate) commit: String,
}

impl Toolchain {
    /// Asks rustc, in the crate's folder, since a `rust-toolchain.toml` there may choose another.
    pub(crate) fn load(crate_dir: &Path) -> Result<Self, PackError> {
        let ask = |args: &[&str]| -> Result<String, PackError> {
            let program = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
            let output = run(Command::new(program).args(args).current_dir(crate_dir), "rustc")?;
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let libraries = ask(&["--print", "target-libdir", "--target", TARGET])?;
        if !Path::new(libraries.trim()).is_dir() {
            return Err(PackError::NoTarget);
        }
        let version = ask(&["-vV"])?;
        let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
        Ok(Self { sysroot: PathBuf::from(ask(&["--print", "sysroot"])?.trim()), commit: commit.to_owned() })
    }
    /// Where the component `rust-src` puts the standard library's source. With it installed, paths of that
    /// folder would stand for the `/rustc/<commit>` that everybody else's build has.
    pub(crate) fn source(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust")
    }
}

/// One line of cargo's messages.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Builds the library and answers where its module is.
pub(crate) fn build_module(
    project: &Project,
    target_dir: &Path,
    rustflags: &[String],
    options: &Options,
) -> Result<PathBuf, PackError> {
    let mut command = cargo(project.plugin.root(), options);
    // `rustc` and not `build`: with `--crate-type`, link-time optimisation works for crates that are also
    // an rlib (for their tests).
    command.args(["rustc", "--release", "--lib", "--crate-type", "cdylib", "--target", TARGET]);
    command.arg("--message-format=json-render-diagnostics");
    command.arg("--manifest-path").arg(&project.plugin.manifest_path);
    command.arg("--target-dir").arg(target_dir);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    lock_flags(&mut command, options);
    // This variable goes before every other source of flags, so that neither a `RUSTFLAGS` of the machine nor
    // a config in the home folder changes the plugin.
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\u{1f}"));
    if options.show_cargo {
        command.stderr(Stdio::inherit());
    }
    let output = match run(&mut command, "rustc") {
        Err(PackError::Cargo { step, output }) => {
            return Err(match foreign::undefined_symbol(&output) {
                Some(symbol) => foreign::foreign("env", symbol, &project.suspects()),
                None => PackError::Cargo { step, output },
            });
        }
        other => other?,
    };
    let is_ours = |m: &Message| {
        m.reason == "compiler-artifact"
            && m.package_id.as_deref() == Some(&project.plugin.id)
            && m.target.as_ref().is_some_and(Target::is_library)
    };
    let mut modules = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
        .filter(is_ours)
        .flat_map(|m| m.filenames)
        .filter(|file| file.extension().is_some_and(|e| e == "wasm"));
    modules.next_back().ok_or_else(|| PackError::CargoAnswer {
        step: "rustc",
        what: format!("no .wasm file for package `{}`", project.plugin.name),
    })
}

fn cargo(dir: &Path, options: &Options) -> Command {
    let program = options.cargo.clone().map(PathBuf::into_os_string);
    let program = program.or_else(|| std::env::var_os("CARGO")).unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(dir).stdin(Stdio::null());
    command
}

fn lock_flags(command: &mut Command, options: &Options) {
    if options.locked {
        command.arg("--locked");
    }
    if options.offline {
        command.arg("--offline");
    }
}

fn run(command: &mut Command, step: &'static str) -> Result<Output, PackError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| PackError::NoCargo { program, source })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let end = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
    Err(PackError::Cargo { step, output: end.join("\n") })
}

fn parse<T: DeserializeOwned>(step: &'static str, json: &[u8]) -> Result<T, PackError> {
    serde_json::from_slice(json).map_err(|e| PackError::CargoAnswer { step, what: e.to_string() })
}
