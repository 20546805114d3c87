//! Disclosures in a file of JSON lines, written by one thread that commits in groups: what came within a few
//! milliseconds is written and made safe with one `fdatasync`, and while the disk works the next group gathers. So
//! the caller never waits for a disk, wakes nobody for most rows, and a busy host pays one sync for many of them.
//!
//! A row is promised to be on disk some milliseconds after it was recorded, not at once; [`JsonLines::flush`]
//! waits for it. When the disk fails, rows are kept in memory, writing is tried again each second, and
//! [`DisclosureSink::ready`] refuses until it succeeds.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::disclosure::Disclosure;
use crate::file::{LedgerFile, Medium};
use crate::sink::{DisclosureSink, SinkError};

/// Rows that may wait for the disk before nothing more is let out. At 400 bytes each, 4 MB.
const MAX_WAITING: u64 = 10_000;
/// How long a group gathers, unless somebody waits for it.
const GATHER: Duration = Duration::from_millis(5);
/// How long to wait after a failed write.
const RETRY: Duration = Duration::from_secs(1);

/// A ledger in a file of JSON lines. One process writes a file at a time (it is locked). Dropping it writes
/// what waits.
#[derive(Debug)]
pub struct JsonLines {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    path: String,
    state: Mutex<State>,
    /// A first row came, or the ledger closes.
    work: Condvar,
    /// Somebody waits for the group that gathers.
    hurry: Condvar,
    /// A group was written, or failed.
    settled: Condvar,
    retry: Duration,
}

#[derive(Debug, Default)]
struct State {
    queue: Vec<Disclosure>,
    /// Rows taken since the start.
    recorded: u64,
    /// Rows on disk since the start.
    durable: u64,
    /// Rows that somebody waits for.
    wanted: u64,
    /// What the system said when the last group failed.
    failure: Option<String>,
    closing: bool,
}

impl JsonLines {
    /// Opens or creates the file, readable by its owner only. A last line that was torn by a crash is cut off,
    /// with a warning.
    ///
    /// # Errors
    /// When the file cannot be opened or repaired, or another process writes it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SinkError> {
        let path = path.as_ref();
        let shown = path.display().to_string();
        LedgerFile::open(path)
            .and_then(|file| Self::over(file, shown.clone(), RETRY))
            .map_err(|e| SinkError::NotWritable { path: shown, reason: e.to_string() })
    }

    fn over(medium: impl Medium, path: String, retry: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            path,
            state: Mutex::default(),
            work: Condvar::new(),
            hurry: Condvar::new(),
            settled: Condvar::new(),
            retry,
        });
        let theirs = shared.clone();
        let writer =
            std::thread::Builder::new().name("ledger".to_owned()).spawn(move || theirs.write_all(medium))?;
        Ok(Self { shared, writer: Some(writer) })
    }
}

impl DisclosureSink for JsonLines {
    fn ready(&self) -> Result<(), SinkError> {
        let state = self.shared.state.lock();
        self.shared.failure(&state)?;
        let waiting = state.recorded - state.durable;
        if waiting >= MAX_WAITING { Err(SinkError::Full { waiting }) } else { Ok(()) }
    }

    fn record(&self, row: Disclosure) -> Result<(), SinkError> {
        let mut state = self.shared.state.lock();
        state.queue.push(row);
        state.recorded += 1;
        if state.queue.len() == 1 {
            self.shared.work.notify_one();
        }
        self.shared.failure(&state)
    }

    fn flush(&self) -> Result<(), SinkError> {
        let mut state = self.shared.state.lock();
        let target = state.recorded;
        state.wanted = target;
        self.shared.hurry.notify_one();
        while state.durable < target {
            self.shared.failure(&state)?;
            self.shared.settled.wait(&mut state);
        }
        Ok(())
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        self.shared.state.lock().closing = true;
        self.shared.work.notify_one();
        self.shared.hurry.notify_one();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(path = %self.shared.path, "the ledger's writer ended badly; rows may be missing");
        }
    }
}

impl Shared {
    fn failure(&self, state: &State) -> Result<(), SinkError> {
        match &state.failure {
            None => Ok(()),
            Some(reason) => Err(SinkError::NotWritable { path: self.path.clone(), reason: reason.clone() }),
        }
    }

    /// The writer: takes what waits, writes it as one group, and tries again what failed.
    fn write_all(&self, mut medium: impl Medium) {
        let mut lines = Vec::new();
        let mut rows = 0;
        loop {
            let closing = {
                let mut state = self.state.lock();
                while state.queue.is_empty() && rows == 0 && !state.closing {
                    self.work.wait(&mut state);
                }
                if !state.closing && state.wanted <= state.durable {
                    self.hurry.wait_for(&mut state, GATHER);
                }
                rows += render(&mut lines, &std::mem::take(&mut state.queue));
                state.closing
            };
            if rows == 0 {
                return;
            }
            let written = medium.append(&lines);
            let mut state = self.state.lock();
            match written {
                Ok(()) => {
                    state.durable += rows;
                    if state.failure.take().is_some() {
                        tracing::warn!(path = %self.path, rows, "the ledger can be written again");
                    }
                    lines.clear();
                    rows = 0;
                    self.settled.notify_all();
                }
                Err(error) => {
                    if state.failure.replace(error.to_string()).is_none() {
                        tracing::error!(path = %self.path, %error, "the ledger cannot be written; nothing leaves");
                    }
                    self.settled.notify_all();
                    if closing {
                        tracing::error!(path = %self.path, rows, "the ledger closes with rows unwritten");
                        return;
                    }
                    if !state.closing {
                        self.work.wait_for(&mut state, self.retry);
                    }
                }
            }
        }
    }
}

/// Appends the rows as lines; answers how many.
fn render(lines: &mut Vec<u8>, rows: &[Disclosure]) -> u64 {
    for row in rows {
        // Names and numbers only: there is nothing in a row that JSON cannot hold. Should that change, the
        // place of the row is kept, so that its loss is seen.
        if let Err(error) = serde_json::to_writer(&mut *lines, row) {
            tracing::error!(%error, "a row of the ledger could not be written as JSON");
        }
        lines.push(b'\n');
    }
    rows.len() as u64
}

/// Reads a ledger, oldest row first. A line that is no row is an error in its place, and reading goes on.
///
/// # Errors
/// When the file cannot be opened.
pub fn read(path: impl AsRef<Path>) -> io::Result<impl Iterator<Item = io::Result<Disclosure>>> {
    let lines = BufReader::new(File::open(path)?).lines();
    Ok(lines.enumerate().map(|(i, line)| {
        serde_json::from_str(&line?)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {e}", i + 1)))
    }))
}

#[cfg(test)]
mod tests;
