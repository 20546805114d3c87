//! The receiver of webhooks, which `tests/webhooks/install.sh` installs: signatures are verified by the Python package
//! `standardwebhooks`, events read by `cloudevents`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The exit status by which the install script says "this machine lacks something".
const LACKING: i32 = 3;

/// A running receiver. It ends with this value.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Receiver {
    /// Installs the receiver if need be and starts it: it verifies by this secret and answers with these statuses, then
    /// with 204. `None` after saying on stderr which test is skipped and why, which on a build server is an error.
    pub(crate) async fn start(test: &str, secret: &str, statuses: &[&str]) -> Option<Self> {
        let folder = install(test).await?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/webhooks/receiver.py");
        let mut process = Command::new(folder.join("venv/bin/python"))
            .arg(script)
            .arg(secret)
            .args(statuses)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("the receiver listens").parse().unwrap();
        Some(Self { port, lines, _process: process })
    }

    /// What the next request was, by the receiver's own judgement.
    pub(crate) async fn next(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().expect("the receiver runs");
        serde_json::from_str(&line).unwrap()
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so where people look")]
async fn install(test: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/webhooks/install.sh");
    let output = Command::new("bash").arg(script).stdin(Stdio::null()).output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Some(PathBuf::from(stdout.lines().last().unwrap()));
    }
    let reason = stderr.lines().last().unwrap_or_default();
    assert!(
        output.status.code() == Some(LACKING) && std::env::var_os("CI").is_none(),
        "the receiver of webhooks cannot be installed: {stderr}"
    );
    eprintln!("SKIPPED {test}: {reason}");
    None
}
