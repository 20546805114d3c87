//! Peers that scripts under `tests/` install, and the center that is told.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use ramal_center::{Center, CenterParts, CenterSettings, Origin, Silent, SourceId, SystemClock, TenantId};
use ramal_store::memory::MemoryStore;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The exit status by which an install script says "this machine lacks something".
const LACKING: i32 = 3;

pub(crate) fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

/// Installs a peer; `None` after saying on stderr which test is skipped and why, which on a build server is an error.
#[expect(clippy::print_stderr, reason = "a skipped test must say so where people look")]
pub(crate) async fn install(peer: &str, test: &str) -> Option<PathBuf> {
    let script = tests_folder().join(peer).join("install.sh");
    let output = Command::new("bash").arg(script).stdin(Stdio::null()).output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Some(PathBuf::from(stdout.lines().last().unwrap()));
    }
    let reason = stderr.lines().last().unwrap_or_default();
    assert!(
        output.status.code() == Some(LACKING) && std::env::var_os("CI").is_none(),
        "the peer {peer} cannot be installed: {stderr}"
    );
    eprintln!("SKIPPED {test}: {reason}");
    None
}

/// A program that answers each line with a line. It ends with this value.
pub(crate) struct Asked {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Asked {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { input: process.stdin.take().unwrap(), output, _process: process }
    }

    pub(crate) async fn ask(&mut self, question: &Value) -> Value {
        self.input.write_all(format!("{question}\n").as_bytes()).await.unwrap();
        let line = self.output.next_line().await.unwrap().expect("the library answers");
        serde_json::from_str(&line).unwrap()
    }
}

pub(crate) fn center() -> (Center, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new(1000));
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(Silent),
        clock: Arc::new(SystemClock),
        settings: CenterSettings::default(),
    });
    (center, store)
}

pub(crate) fn origin(source: &str) -> Origin {
    Origin { tenant: TenantId::new("acme").unwrap(), source: SourceId::new(source).unwrap() }
}
