//! Words for the operator.

use crate::host::Backend;
#[cfg(target_family = "wasm")]
use crate::host::Host as _;

/// How much an operator needs to know a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// Worth keeping.
    Info,
    /// Somebody should look at it some day.
    Warn,
    /// Something failed.
    Error,
}

/// The host's log. From [`Cx::log`](crate::Cx::log).
///
/// The host adds the plugin's name and version, masks what is or looks personal, cuts long lines and counts
/// them against a limit.
#[derive(Clone, Copy)]
pub struct Log<'a> {
    host: &'a Backend,
}

impl<'a> Log<'a> {
    pub(crate) fn new(host: &'a Backend) -> Self {
        Self { host }
    }
    /// A line of the given level.
    pub fn write(&self, level: Level, message: impl AsRef<str>) {
        self.host.log(level, message.as_ref());
    }
    /// For the plugin's author.
    pub fn debug(&self, message: impl AsRef<str>) {
        self.write(Level::Debug, message);
    }
    /// Worth keeping.
    pub fn info(&self, message: impl AsRef<str>) {
        self.write(Level::Info, message);
    }
    /// Somebody should look at it some day.
    pub fn warn(&self, message: impl AsRef<str>) {
        self.write(Level::Warn, message);
    }
    /// Something failed.
    pub fn error(&self, message: impl AsRef<str>) {
        self.write(Level::Error, message);
    }
}
