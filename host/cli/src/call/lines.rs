//! What the plugin says while it is called, kept for the report.

use std::sync::{Mutex, PoisonError};

use ramal_engine::{GuestLine, GuestLog, LogLevel};

/// Keeps the lines. They are masked, cut and counted before they come here.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl Lines {
    /// The lines so far, oldest first; none are left.
    pub(crate) fn take(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl GuestLog for Lines {
    fn line(&self, line: GuestLine<'_>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((line.level, line.text.to_owned()));
    }
}

/// The level as a word.
pub(crate) fn word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}
