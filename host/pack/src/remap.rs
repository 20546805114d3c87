//! Names of folders as they stand in panic messages, made the same on every machine.
//!
//! Rust writes the source's path into each panic's place. Without this, a plugin's digest depends on where it
//! was built, and `panicked at /home/maria/acme/src/lib.rs` tells the customer who did it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cargo::{Package, Project, Toolchain};

/// The flags for rustc. Of several that fit a path, the last one counts, so they go from the general to the
/// particular.
pub(crate) fn flags(project: &Project, toolchain: &Toolchain, target_dir: &Path) -> Vec<String> {
    let mut flags = Vec::new();
    if let Some(home) = std::env::home_dir() {
        flags.push(flag(&home, "~"));
    }
    flags.push(flag(&toolchain.source(), &format!("/rustc/{}", toolchain.commit)));
    // Code that build scripts wrote.
    flags.push(flag(target_dir, "target"));

    // Crates from a registry or from git: all that lies in their common folder is `crates/`. A path
    // dependency outside of the workspace goes by its name.
    let mut shared = BTreeSet::new();
    let mut own = BTreeSet::new();
    for package in &project.dependencies {
        let root = package.root();
        match (package.is_from_registry(), root.parent()) {
            (true, Some(folder)) => shared.insert(flag(folder, "crates")),
            _ => own.insert(flag(root, &package.spec())),
        };
    }
    flags.extend(shared);
    flags.extend(own);

    // Members of the workspace: `src/lib.rs` for the plugin, which is where its author looks, and the path
    // from the workspace for the others. Cargo hands them over relative to the workspace.
    flags.push(flag(&project.workspace_root, ""));
    flags.push(flag(project.plugin.root(), ""));
    if let Ok(inside) = project.plugin.root().strip_prefix(&project.workspace_root)
        && !inside.as_os_str().is_empty()
    {
        flags.push(flag(inside, ""));
    }
    flags
}

fn flag(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}

impl Package {
    /// `name-1.2.3`, as registries name folders.
    fn spec(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
    /// Whether it lies in a folder that cargo made for it, with others.
    fn is_from_registry(&self) -> bool {
        self.source
            .as_deref()
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    }
}
