//! Compiling plugins in a child process that can do nothing else.
//!
//! The runtime's authors do not promise that compilation ends, or fits in memory: a hostile plugin
//! of 290 KiB would take the whole server down with it. So the server has no compiler
//! ([`serving_engine`](crate::config::serving_engine)); a child gets the bytes on its standard
//! input, gives machine code on its standard output, and has limits on memory and time, no files,
//! no network, no children and no way to make its own code executable. When it dies, one plugin was
//! not installed.
//!
//! What this does *not* defend against: a compiler that a hostile plugin has taken over could
//! hand out machine code of the attacker's choice, and the server would run it. The child keeps
//! such an attacker from everything else, and the [precheck](crate::precheck) keeps odd code away
//! from the compiler.

mod error;
mod sandbox;
mod worker;

use std::{
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

pub use error::CompileError;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::Semaphore,
};
pub use worker::{intercept_worker, worker_main};
#[doc(hidden)]
pub use worker::{probe_main, probe_names};

use crate::precheck::PrecheckLimits;

/// The argument by which a program is asked to be a compile worker.
pub const WORKER_ARGUMENT: &str = "compile-worker";

/// Set in a worker's environment, which is empty but for this. A program that does not know
/// [`WORKER_ARGUMENT`] would otherwise start as usual, compile, and so start itself without end.
const WORKER_VARIABLE: &str = "RAMAL_COMPILE_WORKER";

/// Workers at once. Each may use all of [`CompileLimits::address_space_bytes`].
const WORKERS: usize = 2;

/// Most that is read of a worker's standard error, in bytes.
const STDERR_BYTES: u64 = 64 * 1024;

/// What one compilation may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompileLimits {
    /// Address space of the worker, in bytes; its own program takes some of it.
    pub address_space_bytes: u64,
    /// Processor time, in seconds.
    pub cpu_seconds: u64,
    /// Time by the clock, which also ends a worker that waits.
    pub wall: Duration,
    /// Machine code, in bytes.
    pub output_bytes: u64,
    /// What the file must be to be compiled at all.
    pub precheck: PrecheckLimits,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            address_space_bytes: 1024 * 1024 * 1024,
            cpu_seconds: 60,
            wall: Duration::from_secs(120),
            output_bytes: 256 * 1024 * 1024,
            precheck: PrecheckLimits::default(),
        }
    }
}

/// Starts a worker for each compilation, two at most at a time. Clones share that bound.
#[derive(Debug, Clone)]
pub struct Compiler {
    worker: Worker,
    limits: CompileLimits,
    permits: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
struct Worker {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Compiler {
    /// Compiles with this very program, which must call [`intercept_worker`] first of all in its
    /// `main`. The right choice where it is possible: both ends are then the same build.
    ///
    /// # Errors
    /// [`CompileError::WorkerMissing`] if the program's own file cannot be found.
    pub fn this_executable() -> Result<Self, CompileError> {
        // The link still leads to the running program when its file has been replaced by an
        // upgrade; its path would lead to another version, whose code does not load here.
        let link = PathBuf::from("/proc/self/exe");
        if link.exists() {
            return Ok(Self::program(link));
        }
        std::env::current_exe().map(Self::program).map_err(|error| CompileError::WorkerMissing {
            program: "this program".to_owned(),
            reason: error.to_string(),
        })
    }

    /// Compiles with the program at `path`, which must call [`worker_main`] or [`intercept_worker`].
    #[must_use]
    pub fn program(path: impl Into<PathBuf>) -> Self {
        Self::new(Worker { path: path.into(), arguments: Vec::new() })
    }

    fn new(worker: Worker) -> Self {
        Self { worker, limits: CompileLimits::default(), permits: Arc::new(Semaphore::new(WORKERS)) }
    }

    /// Sets what one compilation may use.
    #[must_use]
    pub fn with_limits(mut self, limits: CompileLimits) -> Self {
        self.limits = limits;
        self
    }

    /// What one compilation may use.
    #[must_use]
    pub fn limits(&self) -> &CompileLimits {
        &self.limits
    }

    /// Gives the worker further arguments: only the test worker knows any.
    #[doc(hidden)]
    #[must_use]
    pub fn with_arguments(mut self, more: &[&str]) -> Self {
        self.worker.arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Compiles a component to machine code for
    /// [`serving_engine`](crate::config::serving_engine) on this machine.
    ///
    /// Dropping the future kills the worker.
    ///
    /// # Errors
    /// [`CompileError`]; whatever happens to the worker is one.
    pub async fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, CompileError> {
        // Never closed, so this cannot fail; if it did, compiling unbounded would be wrong.
        let _permit = self.permits.acquire().await.map_err(|_| CompileError::ShuttingDown)?;
        self.in_child(&self.worker.path, &self.worker.arguments, wasm).await
    }

    async fn in_child(
        &self,
        path: &PathBuf,
        arguments: &[String],
        wasm: &[u8],
    ) -> Result<Vec<u8>, CompileError> {
        let missing =
            |reason: String| CompileError::WorkerMissing { program: path.display().to_string(), reason };
        if std::env::var_os(WORKER_VARIABLE).is_some() {
            return Err(missing("it was started as a worker and acts as a server".to_owned()));
        }
        let limits = serde_json::to_string(&self.limits)
            .map_err(|error| CompileError::Failed { reason: error.to_string() })?;
        let mut child = Command::new(path)
            .arg(WORKER_ARGUMENT)
            .arg(limits)
            .args(arguments)
            .env_clear()
            .env(WORKER_VARIABLE, "1")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| missing(error.to_string()))?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(missing("it has no standard streams".to_owned()));
        };

        // All three at once: a worker that is not read from would wait for us for ever.
        let send = async move {
            // It may well die, or refuse, before it has read all; its exit status tells why.
            let _ = stdin.write_all(wasm).await;
            let _ = stdin.shutdown().await;
        };
        let streams = async {
            let ((), code, words) =
                tokio::join!(send, read(stdout, self.limits.output_bytes), read(stderr, STDERR_BYTES));
            (code, words)
        };
        let work = async {
            let (code, words) = streams.await;
            (child.wait().await, code, words)
        };
        let Ok((status, code, words)) = tokio::time::timeout(self.limits.wall, work).await else {
            return Err(CompileError::TooLong { limit: self.limits.wall });
        };
        let status = status.map_err(|error| CompileError::Failed { reason: error.to_string() })?;
        self.outcome(status, code, &String::from_utf8_lossy(&words.bytes), missing)
    }

    fn outcome(
        &self,
        status: ExitStatus,
        code: Output,
        words: &str,
        missing: impl Fn(String) -> CompileError,
    ) -> Result<Vec<u8>, CompileError> {
        let mut confined = None;
        let mut failure = None;
        for line in words.lines() {
            match serde_json::from_str(line) {
                Ok(worker::Report::Confined(how)) => confined = Some(how),
                Ok(worker::Report::Failed(why)) => failure = Some(why),
                Ok(worker::Report::Probe(_)) | Err(_) => {}
            }
        }
        if let Some(why) = failure {
            return Err(self.failure(why));
        }
        if let Some(signal) = status.signal() {
            return Err(self.signal(signal, words));
        }
        let Some(confined) = confined else {
            return Err(missing(format!("it ended with {status} and did not answer as a compile worker")));
        };
        if !status.success() {
            return Err(CompileError::Failed { reason: format!("the worker ended with {status}") });
        }
        if code.over {
            return Err(CompileError::TooLarge { limit: self.limits.output_bytes });
        }
        if !confined.landlock {
            tracing::warn!("this kernel has no Landlock: the compile worker is confined by seccomp alone");
        }
        Ok(code.bytes)
    }

    fn signal(&self, signal: i32, words: &str) -> CompileError {
        match signal {
            libc::SIGXCPU => CompileError::TooLong { limit: Duration::from_secs(self.limits.cpu_seconds) },
            // What the standard library prints before it gives up.
            libc::SIGABRT if words.contains("memory allocation of") => {
                CompileError::TooMuchMemory { limit: self.limits.address_space_bytes }
            }
            other => CompileError::Killed { signal: error::signal_name(other) },
        }
    }

    fn failure(&self, failure: worker::Failure) -> CompileError {
        match failure {
            worker::Failure::Refused(message) => CompileError::Refused { message },
            worker::Failure::Memory => CompileError::TooMuchMemory { limit: self.limits.address_space_bytes },
            worker::Failure::Sandbox(reason) => CompileError::NoSandbox { reason },
            worker::Failure::Compiler(reason) => CompileError::Failed { reason },
        }
    }
}

/// What came out of a pipe, and whether it was more than was read.
struct Output {
    bytes: Vec<u8>,
    over: bool,
}

/// Reads up to `limit` bytes, then closes the pipe, which ends whoever writes on.
async fn read(pipe: impl AsyncRead + Unpin, limit: u64) -> Output {
    let mut bytes = Vec::new();
    // A broken pipe is an early end; the worker's exit status tells the rest.
    let _ = pipe.take(limit.saturating_add(1)).read_to_end(&mut bytes).await;
    let over = bytes.len() as u64 > limit;
    Output { bytes, over }
}
