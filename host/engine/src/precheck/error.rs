//! Why a file is not a plugin that can be compiled, in words for the person who handed it over.

use crate::precheck::MANIFEST_SECTION;

/// A file was refused before compilation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadComponent {
    /// There are no bytes.
    #[error("the file is empty; build the plugin again with `ramal build`")]
    Empty,
    /// The file ends in the middle of something.
    #[error("the file is cut off or damaged at byte {offset}; copy or download it again")]
    Truncated {
        /// Where reading stopped, in bytes from the start.
        offset: usize,
    },
    /// Something else altogether.
    #[error("this is not a WebAssembly file; give the `.wasm` file that `ramal build` makes")]
    NotWasm,
    /// WebAssembly in its text form.
    #[error("this is WebAssembly text; give the binary `.wasm` file that `ramal build` makes")]
    Text,
    /// Already compiled, by whomever: running it would mean to trust its machine code.
    #[error(
        "this is compiled machine code, which is never accepted; give the `.wasm` file that it came from"
    )]
    MachineCode,
    /// What `cargo build` makes.
    #[error("this is a core module, not a component; run `ramal build`, which makes the component from it")]
    CoreModule,
    /// A component in another binary format.
    #[error(
        "this component has format version {found:#x} and only {expected:#x} is known; build it with the current SDK"
    )]
    Version {
        /// The version in the file.
        found: u16,
        /// The version that is understood.
        expected: u16,
    },
    /// Neither a module nor a component.
    #[error("this WebAssembly file is of an unknown kind (layer {found}); build it with the current SDK")]
    Layer {
        /// The kind in the file.
        found: u16,
    },
    /// Validation failed, or a feature is used that plugins do not have.
    #[error(
        "the component is not valid at byte {offset}: {reason}; build it with the current SDK for wasm32-unknown-unknown"
    )]
    Invalid {
        /// Where, in bytes from the start.
        offset: usize,
        /// The validator's words. They may quote names from the file.
        reason: String,
    },
    /// A count or a size over its limit.
    #[error("{what}: {found}{}{unit} and at most {limit} are accepted; build with optimisation, drop what is not used, or split the plugin", if unit.is_empty() { "" } else { " " })]
    TooMuch {
        /// What was counted.
        what: &'static str,
        /// How many or how much.
        found: u64,
        /// The most that is accepted.
        limit: u64,
        /// Unit of both; empty for a count.
        unit: &'static str,
    },
    /// A component in a component in a component, or a module in an inner component.
    #[error(
        "the component is put together from components that hold others; give a plugin that was built alone, with `ramal build`"
    )]
    Nested,
    /// A section that must be unique is not.
    #[error("the section `{section}` occurs twice; {}", hint_twice(section))]
    Twice {
        /// Its name.
        section: &'static str,
    },
}

fn hint_twice(section: &str) -> &'static str {
    if section == MANIFEST_SECTION {
        "run `ramal build` on the core module, not on a plugin that it already made"
    } else {
        "link one version of the SDK only (see `cargo tree -d`)"
    }
}

impl From<wasmparser::Error> for BadComponent {
    fn from(error: wasmparser::Error) -> Self {
        let (offset, reason) = (error.offset(), error.message());
        // The parser's words for any read beyond the end of what it was given.
        if reason.starts_with("unexpected end") {
            return Self::Truncated { offset };
        }
        Self::Invalid { offset, reason: reason.to_owned() }
    }
}
