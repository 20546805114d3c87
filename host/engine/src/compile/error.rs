//! Why a plugin could not be compiled.

use std::{borrow::Cow, time::Duration};

/// A compilation did not give machine code. None of these harms the server or another plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The file was refused before compilation: see [`BadComponent`](crate::precheck::BadComponent).
    #[error("the plugin was refused: {message}")]
    Refused {
        /// The refusal, with its hint.
        message: String,
    },
    /// It took too long, by the clock or in processor time.
    #[error("compiling the plugin took more than {} s and was stopped; simplify its largest functions, or raise the limit", limit.as_secs())]
    TooLong {
        /// The limit that was passed.
        limit: Duration,
    },
    /// It needed too much memory.
    #[error("compiling the plugin needed more than {} MiB and was stopped; simplify its largest functions, or raise the limit", limit / (1024 * 1024))]
    TooMuchMemory {
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// The machine code is too large.
    #[error("the plugin's machine code is larger than {} MiB; make the plugin smaller, or raise the limit", limit / (1024 * 1024))]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// The worker was killed, by itself or from outside.
    #[error(
        "the compile worker was killed by {signal}{}; do not install this plugin, and report it",
        signal_hint(signal)
    )]
    Killed {
        /// The signal's name.
        signal: Cow<'static, str>,
    },
    /// The compiler gave up on a component that passed all checks.
    #[error(
        "the plugin could not be compiled: {reason}; build it with the current SDK, and if that does not help report it"
    )]
    Failed {
        /// What the compiler or the operating system said.
        reason: String,
    },
    /// The worker could not lock itself in, and therefore did not compile.
    #[error("the compile worker could not be confined: {reason}; a Linux kernel with seccomp is needed")]
    NoSandbox {
        /// What the operating system said.
        reason: String,
    },
    /// There is no worker, or the program is not one.
    #[error(
        "no compile worker at {program}: {reason}; name a program that starts with `ramal_engine::compile::intercept_worker()`"
    )]
    WorkerMissing {
        /// The program that was started.
        program: String,
        /// What happened.
        reason: String,
    },
    /// The server is ending.
    #[error("the plugin was not compiled because the server is shutting down; try again once it is up")]
    ShuttingDown,
}

pub(super) fn signal_name(signal: i32) -> Cow<'static, str> {
    match signal {
        libc::SIGKILL => "SIGKILL".into(),
        libc::SIGSEGV => "SIGSEGV".into(),
        libc::SIGABRT => "SIGABRT".into(),
        libc::SIGBUS => "SIGBUS".into(),
        libc::SIGILL => "SIGILL".into(),
        libc::SIGSYS => "SIGSYS".into(),
        libc::SIGTERM => "SIGTERM".into(),
        libc::SIGXFSZ => "SIGXFSZ".into(),
        other => format!("signal {other}").into(),
    }
}

fn signal_hint(signal: &str) -> &'static str {
    match signal {
        "SIGSYS" => " (it tried what a compiler has no reason to do)",
        "SIGKILL" => " (the machine may be short of memory)",
        "SIGSEGV" => " (it overflowed its stack, or a defect of the compiler was hit)",
        _ => "",
    }
}
