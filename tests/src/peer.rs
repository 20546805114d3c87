//! Real servers that tests talk to, and what to do where one cannot be had.
//!
//! A developer without Python must still be able to run the tests, so a peer that is not there is
//! [`Peer::Missing`], and the test says so by name and ends. On a build server the same is an error: a suite
//! that skips its only proof and stays green is the failure that this prevents.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The exit status by which an install script says "this machine lacks something".
const LACKING: i32 = 3;
/// How often a server that is starting is asked.
const POLL: Duration = Duration::from_millis(50);

/// A server for a test, or the reason why there is none.
#[derive(Debug)]
pub enum Peer<T> {
    /// It runs.
    Ready(T),
    /// What is missing, by name and with what to do.
    Missing(String),
}

impl<T> Peer<T> {
    /// The server, or `None` after saying on stderr which test is skipped and why.
    #[expect(clippy::print_stderr, reason = "a skipped test must say so where people look")]
    pub fn or_skip(self, test: &str) -> Option<T> {
        match self {
            Peer::Ready(peer) => Some(peer),
            Peer::Missing(reason) => {
                eprintln!("SKIPPED {test}: {reason}");
                None
            }
        }
    }
}

/// Why a peer that should be there did not come up.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The machine lacks something, and this is a build server.
    #[error("a peer is required where CI is set, but {0}")]
    Required(String),
    /// The install script has a bug, or the machine has a problem that it does not know.
    #[error("cannot install the peer with {script}; the end of its output: {output}")]
    Install {
        /// The script.
        script: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// A program of the peer could not be run.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server ended, or did not answer in time.
    #[error("the server did not come up: {reason}; the end of its log: {log}")]
    Start {
        /// What was seen.
        reason: String,
        /// The end of its log.
        log: String,
    },
    /// A file of the peer is not there or not readable.
    #[error("cannot use {path}; remove the folder and install the peer again")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A question to the peer did not succeed.
    #[error("asking the peer for {what} failed: {reason}")]
    Ask {
        /// What was asked.
        what: String,
        /// What came back.
        reason: String,
    },
}

/// Run an install script; the folder of the peer is the last line that it prints. The script waits for
/// another one that is at work, so tests may all call this.
pub(crate) async fn install(script: &Path) -> Result<Peer<PathBuf>, PeerError> {
    install_with(script, &[]).await
}

/// The same, for a script that is told which of several peers is meant.
pub(crate) async fn install_with(script: &Path, args: &[&str]) -> Result<Peer<PathBuf>, PeerError> {
    let output = tokio::process::Command::new("bash")
        .arg(script)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|source| PeerError::Run { program: script.to_path_buf(), source })?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(Peer::Ready(PathBuf::from(stdout.lines().last().unwrap_or_default())));
    }
    if output.status.code() == Some(LACKING) {
        let reason = stderr.lines().last().unwrap_or("the install script did not say what is missing");
        return missing(reason.to_owned(), std::env::var_os("CI").is_some());
    }
    Err(PeerError::Install { script: script.to_path_buf(), output: tail(&stderr) })
}

fn missing<T>(reason: String, required: bool) -> Result<Peer<T>, PeerError> {
    if required { Err(PeerError::Required(reason)) } else { Ok(Peer::Missing(reason)) }
}

/// A loopback port that was free a moment ago. Another process may take it before the server does: start
/// again with another one then.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A child process that does not outlive the test.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Start the command with its output in `log`.
    pub(crate) fn spawn(mut command: Command, log: PathBuf) -> Result<Self, PeerError> {
        let file = std::fs::File::create(&log)
            .and_then(|out| Ok((out.try_clone()?, out)))
            .map_err(|source| PeerError::File { path: log.clone(), source })?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.0)
            .stderr(file.1)
            .spawn()
            .map_err(|source| PeerError::Run { program: command.get_program().into(), source })?;
        Ok(Self { child, log })
    }

    /// Ask again and again until `answers` says yes. An error when the server ended or `limit` has passed.
    pub(crate) async fn ready(
        &mut self,
        limit: Duration,
        mut answers: impl AsyncFnMut() -> bool,
    ) -> Result<(), PeerError> {
        let deadline = Instant::now() + limit;
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failure(format!("it ended with {status}")));
            }
            if answers().await {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.failure(format!("no answer in {} seconds", limit.as_secs())));
            }
        }
    }

    /// Its status once it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ask it to end, and wait until it has.
    pub(crate) async fn stop(mut self, limit: Duration) -> Result<(), PeerError> {
        let deadline = Instant::now() + limit;
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Fails where it has ended already.
            let _ = kill_process(pid, Signal::TERM);
        }
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.ended().is_none() {
            if Instant::now() > deadline {
                return Err(self.failure(format!("it did not stop in {} seconds", limit.as_secs())));
            }
            ticks.tick().await;
        }
        Ok(())
    }

    fn failure(&self, reason: String) -> PeerError {
        PeerError::Start { reason, log: tail(&std::fs::read_to_string(&self.log).unwrap_or_default()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Neither can fail in a way that a test could mend: the process is ours, or it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a long output.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

/// One bare request, with a body of JSON where one is given. The status and the JSON of the answer, `Null` if it is none.
pub(crate) async fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<(u16, Value), String> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let bytes = body.map(Value::to_string).unwrap_or_default();
    let request = request.body(Full::from(bytes)).map_err(|error| error.to_string())?;
    let answer = client.request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
}

#[cfg(test)]
mod tests;
