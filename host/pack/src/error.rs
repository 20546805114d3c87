//! What can go wrong between a folder and a plugin, each with the way out.

use std::io;
use std::path::PathBuf;

use ramal_capability::{Import, InterfaceVersion, SourceError};

use crate::section::SectionError;

/// Why there is no plugin file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The folder holds no Rust crate.
    #[error("there is no Cargo.toml in {}; give the folder of a plugin, such as plugins/practice", .0.display())]
    NoCrate(PathBuf),
    /// The folder holds no manifest.
    #[error(
        "there is no plugin.toml in {}, beside Cargo.toml; it declares what the plugin is and asks for, \
         plugins/practice/plugin.toml is one to start from",
        .0.display()
    )]
    NoManifest(PathBuf),
    /// A file could not be read or written.
    #[error("cannot {doing} {}; make sure that it is there and that this user may {doing} it", .path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest has mistakes.
    #[error("{} has mistakes", .path.display())]
    Manifest {
        /// The plugin.toml.
        path: PathBuf,
        /// What is wrong where.
        source: Box<SourceError>,
    },
    /// `cargo` or `rustc` could not be started.
    #[error("cannot run `{program}`; is Rust installed and on the PATH? see https://rustup.rs")]
    NoCargo {
        /// Which program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The compiler cannot build for wasm yet.
    #[error("this Rust has no standard library for wasm; run `rustup target add wasm32-unknown-unknown`")]
    NoTarget,
    /// The crate has no library.
    #[error(
        "package `{0}` has no library; a plugin is one: move the code to src/lib.rs and write \
         `[lib]` `crate-type = [\"cdylib\"]` into Cargo.toml"
    )]
    NoLibrary(String),
    /// A workspace without a package at its root.
    #[error("{} is no package of its own; give the folder of the plugin, not of the workspace", .0.display())]
    NoPackage(PathBuf),
    /// Cargo found something to complain about.
    #[error("`cargo {step}` failed\n{output}")]
    Cargo {
        /// Which command.
        step: &'static str,
        /// The end of what it said, empty if it said it on the terminal already.
        output: String,
    },
    /// Cargo answered what this program cannot read.
    #[error("`cargo {step}` answered something unexpected: {what}; update Rust (`rustup update`)")]
    CargoAnswer {
        /// Which command.
        step: &'static str,
        /// What was missing or unreadable.
        what: String,
    },
    /// The library wants something that no plugin gets.
    #[error(
        "the plugin would import `{module}` `{name}`, and the host gives a plugin nothing but ramal:crm: {probably}"
    )]
    ForeignImport {
        /// The import's module, such as `env`.
        module: String,
        /// The import's name.
        name: String,
        /// Which crate probably wants it, and what to do.
        probably: String,
    },
    /// The library exports no plugin.
    #[error("the library registers no plugin; write `ramal_sdk::register!(YourType);` once, in src/lib.rs")]
    NotRegistered,
    /// The code uses an interface that the manifest does not list.
    #[error(
        "the plugin's code uses the interface `{0}` and plugin.toml does not list it, so every host would refuse the \
         file; add \"{0}\" to `uses` in [plugin]"
    )]
    UnlistedInterface(Import),
    /// The manifest was written for another version of the contract.
    #[error(
        "plugin.toml says `interface = \"{manifest}\"`, the SDK speaks ramal:crm {sdk}; write the SDK's version, or \
         use an SDK for {manifest}"
    )]
    OtherInterface {
        /// In the manifest.
        manifest: InterfaceVersion,
        /// In the section `ramal:sdk`.
        sdk: String,
    },
    /// The module could not be made a component.
    #[error("cannot make a component of the module: {0}; build it with the current ramal-sdk")]
    Component(String),
    /// The module's own sections are not what they should be.
    #[error(transparent)]
    Sections(#[from] SectionError),
}
