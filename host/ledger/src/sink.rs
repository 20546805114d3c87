//! Where disclosures go. The sink is asked before anything leaves and told afterwards: a sink that fails
//! closes the way out instead of losing rows.

use parking_lot::Mutex;

use crate::disclosure::Disclosure;

/// Why rows cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The file cannot be written. Writing is tried again by itself.
    #[error(
        "the ledger {path} cannot be written: {reason}; free space or repair the disk, nothing leaves until then"
    )]
    NotWritable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Rows come faster than the disk takes them.
    #[error("{waiting} rows of the ledger wait for the disk; nothing more leaves until they are written")]
    Full {
        /// Rows not yet on disk.
        waiting: u64,
    },
    /// There is no ledger.
    #[error("no ledger is set up, so nothing may leave; name its file")]
    None,
}

/// Where disclosures go.
pub trait DisclosureSink: Send + Sync {
    /// Whether a row could be recorded now. The way out asks before it sends and denies when this fails.
    ///
    /// # Errors
    /// When rows cannot be written, or too many wait already.
    fn ready(&self) -> Result<(), SinkError>;

    /// Takes a row. Does not wait for the disk, and keeps the row even when it returns an error and even
    /// beyond the bound that [`ready`](Self::ready) watches: what has left cannot be refused any more.
    ///
    /// # Errors
    /// When the sink is failing; the row is kept and written when it recovers, if it can be.
    fn record(&self, row: Disclosure) -> Result<(), SinkError>;

    /// Waits until every row recorded so far is safe. Blocks the thread.
    ///
    /// # Errors
    /// When they cannot be written.
    fn flush(&self) -> Result<(), SinkError>;
}

/// Keeps rows in memory, for tests.
#[derive(Debug, Default)]
pub struct Recording(Mutex<Vec<Disclosure>>);

impl Recording {
    /// The rows so far, oldest first.
    pub fn rows(&self) -> Vec<Disclosure> {
        self.0.lock().clone()
    }
}

impl DisclosureSink for Recording {
    fn ready(&self) -> Result<(), SinkError> {
        Ok(())
    }
    fn record(&self, row: Disclosure) -> Result<(), SinkError> {
        self.0.lock().push(row);
        Ok(())
    }
    fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Never ready: nothing leaves.
#[derive(Debug, Default, Clone, Copy)]
pub struct Deny;

impl DisclosureSink for Deny {
    fn ready(&self) -> Result<(), SinkError> {
        Err(SinkError::None)
    }
    fn record(&self, _: Disclosure) -> Result<(), SinkError> {
        Err(SinkError::None)
    }
    fn flush(&self) -> Result<(), SinkError> {
        Err(SinkError::None)
    }
}
