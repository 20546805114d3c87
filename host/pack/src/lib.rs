//! From a plugin's source to one component file: cargo, componentise, embed the manifest.
//!
//! One `.wasm` file is a plugin: code, manifest and the versions that it was built for, under one digest,
//! which is what a grant is bound to. So the file must be the same wherever it is built: a build from another
//! folder, or by another person, that gave another digest could not be checked against the source, and one
//! that holds the builder's paths tells customers who that is.
//!
//! ```text
//! Cargo.toml + src ─cargo rustc (cdylib, wasm32-unknown-unknown)─▶ core module
//!   ─ imports other than ramal:crm? refused, with the crate that probably wants them
//!   ─ wit-component ─▶ component ─ + ramal:manifest (plugin.toml) + ramal:sdk ─▶ target/ramal/<id>.wasm
//! ```
#![deny(missing_docs)]

mod agree;
mod build;
mod cargo;
mod componentize;
mod error;
mod foreign;
mod remap;
mod section;

pub use build::{Options, Packed, build};
pub use componentize::componentize;
pub use error::PackError;
pub use section::{MANIFEST_SECTION, SDK_SECTION, Sdk, SectionError, Sections, read};
