//! A worker for tests, which can try what a worker must not be able to do.
//!
//! Only the program `ramal-compile-worker` has this; the server's own worker
//! ([`intercept_worker`](super::intercept_worker)) knows no way to leave a layer out.

use std::{fs, io, net, process::Command, process::ExitCode, thread};

use serde::{Deserialize, Serialize};

use super::{Failure, Layers, Report, compile, finish, input, output, ready, tell};
use crate::config;

/// What came of an attempt that the process survived.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::compile) struct Finding {
    attempt: String,
    /// The operating system's refusal; nothing if the attempt succeeded.
    errno: Option<i32>,
    detail: String,
}

type Attempt = fn() -> Result<(), Refusal>;

struct Refusal {
    errno: Option<i32>,
    detail: String,
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self { errno: error.raw_os_error(), detail: error.to_string() }
    }
}

const ATTEMPTS: &[(&str, Attempt)] = &[
    ("nothing", || Ok(())),
    ("read-file", || fs::File::open("/etc/passwd").map(drop).map_err(Refusal::from)),
    ("write-file", || {
        fs::File::create("/tmp/ramal-compile-worker-was-here").map(drop).map_err(Refusal::from)
    }),
    ("list-directory", || fs::read_dir("/").map(drop).map_err(Refusal::from)),
    ("connect", || net::TcpStream::connect((net::Ipv4Addr::LOCALHOST, 9)).map(drop).map_err(Refusal::from)),
    ("datagram", || net::UdpSocket::bind((net::Ipv4Addr::LOCALHOST, 0)).map(drop).map_err(Refusal::from)),
    ("run-program", || Command::new("/bin/true").status().map(|_| ()).map_err(Refusal::from)),
    ("start-thread", || thread::Builder::new().spawn(|| {}).map(drop).map_err(Refusal::from)),
    ("other-descriptor", || {
        rustix::io::read(io::stderr(), &mut [0_u8; 1]).map_err(io::Error::from)?;
        Ok(())
    }),
    ("run-own-code", || {
        const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";
        let refused = |error: &dyn std::fmt::Display| Refusal { errno: None, detail: format!("{error:#}") };
        let engine = config::compiling_engine().map_err(|error| refused(&error))?;
        // Compiling is allowed; making the result executable is not.
        let code = engine.precompile_module(MODULE).map_err(|error| refused(&error))?;
        drop(code);
        wasmtime::Module::from_binary(&engine, MODULE).map(drop).map_err(|error| refused(&error))
    }),
];

/// The names of the attempts that can be asked for.
#[must_use]
pub fn probe_names() -> Vec<&'static str> {
    ATTEMPTS.iter().map(|(name, _)| *name).collect()
}

/// A compile worker that also takes, after the limits:
/// `--no-precheck`, `--without landlock|seccomp`, and `--attempt <name>`.
#[must_use]
pub fn probe_main() -> ExitCode {
    ExitCode::from(finish(run()))
}

fn run() -> Result<(), Failure> {
    let mut layers = Layers::ALL;
    let mut checked = true;
    let mut attempt = None;
    let mut arguments = std::env::args().skip(3);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--no-precheck" => checked = false,
            "--attempt" => attempt = arguments.next(),
            "--without" => match arguments.next().as_deref() {
                Some("landlock") => layers.landlock = false,
                Some("seccomp") => layers.seccomp = false,
                other => return Err(Failure::Sandbox(format!("no layer {other:?}"))),
            },
            other => return Err(Failure::Sandbox(format!("unknown argument {other}"))),
        }
    }
    let (limits, _) = ready(layers)?;
    if let Some(name) = attempt {
        return attempt_by_name(&name);
    }
    let wasm = input(&limits)?;
    output(&compile(&wasm, checked.then_some(&limits.precheck))?)
}

fn attempt_by_name(name: &str) -> Result<(), Failure> {
    let Some((_, attempt)) = ATTEMPTS.iter().find(|(known, _)| *known == name) else {
        return Err(Failure::Sandbox(format!("no attempt {name}")));
    };
    let (errno, detail) = match attempt() {
        Ok(()) => (None, "it succeeded".to_owned()),
        Err(refusal) => (refusal.errno, refusal.detail),
    };
    tell(&Report::Probe(Finding { attempt: name.to_owned(), errno, detail }));
    Ok(())
}
