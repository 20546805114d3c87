//! Why the store failed, and what a person does about it.

use std::fmt;
use std::path::PathBuf;

/// The kinds of failure that have a cure of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Somebody else holds the write lock.
    Locked,
    /// The file or its folder cannot be written.
    ReadOnly,
    /// The disk is full.
    DiskFull,
    /// The file is damaged.
    Corrupt,
    /// The file is something else.
    NotADatabase,
    /// The file cannot be opened.
    CannotOpen,
    /// The disk failed.
    Io,
    /// A newer Ramal has changed the schema.
    NewerSchema,
    /// A migration differs from the one that was applied.
    ChangedSchema,
    /// The store is closing.
    Closed,
    /// The database server does not answer.
    Unreachable,
    /// The database server refused the login.
    Refused,
    /// The address of the database server cannot be read.
    BadAddress,
    /// The role of the database lacks a right.
    NoRight,
    /// The role of the database could pass over row-level security.
    Privileged,
    /// A table has no wall between tenants.
    NoWall,
    /// The database server takes no writes: it follows another one.
    Standby,
    /// Too many want the database at the same moment.
    Busy,
    /// A change in the same commit failed in a way that undid the whole commit.
    Undone,
    /// A row holds what this version cannot read.
    UnreadableRow,
    /// Anything else: the source says.
    Other,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "another process holds the write lock; stop the other `ramal` or tool that uses this file",
            Self::ReadOnly => "it is not writable; give the user that runs ramal write access to the file and its folder",
            Self::DiskFull => "the disk is full; free some space, then try again",
            Self::Corrupt => "the file is damaged; stop ramal, keep a copy of the file, then restore the latest backup",
            Self::NotADatabase => "the file is no SQLite database; check the data folder in the configuration",
            Self::CannotOpen => "it cannot be opened; check that its folder exists and may be read and written",
            Self::Io => "the disk reported an error; check the disk and the system log",
            Self::NewerSchema => "a newer ramal has written it; run that version or restore a backup from before",
            Self::ChangedSchema => "its schema is not the one that this version made; restore a backup or run the build that wrote it",
            Self::Closed => "the store is closing; try again when ramal has started",
            Self::Unreachable => "the server does not answer; check that it runs and can be reached from here",
            Self::Refused => "the server refused the login; check role, password and database in the address",
            Self::BadAddress => "the address cannot be read; write `postgres://role:password@host:5432/database`",
            Self::NoRight => "its role lacks a right; make it the owner of the database and its schema",
            Self::Privileged => "its role could pass over row-level security, the wall between tenants; use a role made with `CREATE ROLE ramal LOGIN NOSUPERUSER NOBYPASSRLS` that owns the database",
            Self::NoWall => "a table has no row-level security, the wall between tenants; the log names it: remove it, or give it one with `wall_off`",
            Self::Standby => "the server takes no writes; give the address of the primary",
            Self::Busy => "too many want it at the same moment; try again",
            Self::Undone => "a change in the same commit failed and this one was undone with it; try again",
            Self::UnreadableRow => "a row holds something that this version cannot read; report it, the log names the column",
            Self::Other => "the database refused; the log holds its answer",
        })
    }
}

/// A failure of the store. The text names no value; the chain of sources holds the database's own words.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened or brought up to date.
    #[error("could not open the database {}: {fault}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// What kind of failure.
        fault: Fault,
        /// The database's own words.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The database server could not be used.
    #[error("could not use the database {place}: {fault}")]
    Reach {
        /// Which server and database, without role and password.
        place: String,
        /// What kind of failure.
        fault: Fault,
        /// The database's own words.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Something could not be read or written.
    #[error("could not {doing} the database: {fault}")]
    Failed {
        /// What was tried: "read calls from", "write a call to".
        doing: &'static str,
        /// What kind of failure.
        fault: Fault,
        /// The database's own words.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl StoreError {
    /// What kind of failure it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Open { fault, .. } | Self::Reach { fault, .. } | Self::Failed { fault, .. } => *fault,
        }
    }
}
