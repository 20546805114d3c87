//! A plugin's file: read, checked as the host would check it, and every refusal turned into words and an exit
//! code.

use std::path::Path;

use ramal_capability::PlanError;
use ramal_engine::cache::CacheError;
use ramal_engine::compile::CompileError;
use ramal_engine::precheck::PrecheckLimits;
use ramal_engine::{Inspected, LoadError, inspect};

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;

/// A plugin's file that the host would take.
pub(crate) struct Component {
    /// The name of the file, as the user wrote it.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) wasm: Vec<u8>,
    /// What it says of itself.
    pub(crate) inspected: Inspected,
}

/// Reads a plugin's file and refuses what the host would refuse.
pub(crate) fn open(path: &Path) -> Outcome<Component> {
    let name = files::name(path);
    let wasm = files::read("component", path, PrecheckLimits::default().file_bytes)?;
    let inspected = inspect(&wasm).map_err(|error| refused(error, &name))?;
    Ok(Component { name, wasm, inspected })
}

/// Why a component was not taken.
pub(crate) fn refused(error: LoadError, name: &str) -> Failure {
    let context = format!("the host does not take {name}");
    let exit = match &error {
        LoadError::Compile(error) | LoadError::Cache(CacheError::Compile(error)) => of_compiling(error),
        LoadError::Cache(_) => Exit::Environment,
        _ => Exit::Input,
    };
    match error {
        LoadError::Manifest(source) => Failure::source(format!("the manifest in {name}"), source),
        LoadError::Plan(error) => unfit(error),
        error if exit == Exit::Environment => {
            Failure::new(exit, error).context(format!("cannot load {name}"))
        }
        error => Failure::new(exit, error).context(context),
    }
}

/// Why manifest, grant and settings do not fit together.
pub(crate) fn unfit(error: PlanError) -> Failure {
    match error {
        PlanError::Settings(error) => {
            Failure::input(anyhow::Error::msg("the settings do not fit the plugin"))
                .list(error.problems().iter().map(ToString::to_string).collect())
        }
        error => Failure::input(error),
    }
}

fn of_compiling(error: &CompileError) -> Exit {
    match error {
        CompileError::NoSandbox { .. } | CompileError::WorkerMissing { .. } | CompileError::ShuttingDown => {
            Exit::Environment
        }
        _ => Exit::Input,
    }
}
