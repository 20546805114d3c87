//! The child's side of compilation.
//!
//! Everything that can be prepared is prepared before the plugin's first byte is read; from then
//! on the process only reads its input, computes, and writes its output.

mod probe;

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

pub use probe::{probe_main, probe_names};
use serde::{Deserialize, Serialize};

use super::{
    CompileLimits, WORKER_ARGUMENT,
    sandbox::{self, Confinement, Layers},
};
use crate::{config, precheck};

/// The exit status of a worker that has said why it did not compile.
const FAILED: u8 = 2;

/// One line on the worker's standard error.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Report {
    Confined(Confinement),
    Failed(Failure),
    Probe(probe::Finding),
}

/// Why there is no machine code.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "message")]
pub(super) enum Failure {
    Refused(String),
    Memory,
    Sandbox(String),
    Compiler(String),
}

/// If this process was asked to be a compile worker, is one and ends. Call it first in `main`,
/// before anything is opened or any thread is started.
pub fn intercept_worker() {
    if std::env::args().nth(1).as_deref() == Some(WORKER_ARGUMENT) {
        std::process::exit(i32::from(run(Layers::ALL)));
    }
}

/// Is a compile worker: the whole `main` of a program that is nothing else.
#[must_use]
pub fn worker_main() -> ExitCode {
    ExitCode::from(run(Layers::ALL))
}

fn run(layers: Layers) -> u8 {
    finish(ready(layers).and_then(|(limits, _)| {
        let wasm = input(&limits)?;
        output(&compile(&wasm, Some(&limits.precheck))?)
    }))
}

/// Locks the process in.
fn ready(layers: Layers) -> Result<(CompileLimits, Confinement), Failure> {
    let argument = std::env::args().nth(2).unwrap_or_default();
    let limits: CompileLimits = serde_json::from_str(&argument)
        .map_err(|error| Failure::Sandbox(format!("the limits were not understood: {error}")))?;
    sandbox::limit(&limits).map_err(Failure::Sandbox)?;
    // The first engine asks the processor what it can do and installs signal handlers; afterwards
    // another one needs nothing that the filter forbids.
    config::compiling_engine().map_err(|error| Failure::Compiler(error.to_string()))?;
    let confinement = sandbox::confine(layers).map_err(Failure::Sandbox)?;
    tell(&Report::Confined(confinement));
    Ok((limits, confinement))
}

/// Reads the plugin, at most one byte more than is accepted.
fn input(limits: &CompileLimits) -> Result<Vec<u8>, Failure> {
    let most = (limits.precheck.file_bytes as u64).saturating_add(1);
    let mut wasm = Vec::new();
    io::stdin()
        .take(most)
        .read_to_end(&mut wasm)
        .map_err(|error| Failure::Compiler(format!("reading the plugin failed: {error}")))?;
    Ok(wasm)
}

/// Compiles, after the prechecks unless `limits` is `None`, which only a test asks for.
pub(super) fn compile(wasm: &[u8], limits: Option<&precheck::PrecheckLimits>) -> Result<Vec<u8>, Failure> {
    if let Some(limits) = limits {
        precheck::check(wasm, limits).map_err(|error| Failure::Refused(error.to_string()))?;
    }
    let engine = config::compiling_engine().map_err(|error| Failure::Compiler(error.to_string()))?;
    engine.precompile_component(wasm).map_err(|error| {
        if error.is::<wasmtime::error::OutOfMemory>() {
            return Failure::Memory;
        }
        Failure::Compiler(format!("{error:#}"))
    })
}

fn output(code: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(code)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::Compiler(format!("handing over the machine code failed: {error}")))
}

fn finish(result: Result<(), Failure>) -> u8 {
    let Err(failure) = result else { return 0 };
    tell(&Report::Failed(failure));
    FAILED
}

fn tell(report: &Report) {
    if let Ok(mut line) = serde_json::to_string(report) {
        line.push('\n');
        // Nobody is left to tell if this fails.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}
