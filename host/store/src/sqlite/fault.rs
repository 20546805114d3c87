//! What SQLite's result codes mean to a person. <https://sqlite.org/rescode.html>

use std::path::Path;

use sqlx::migrate::MigrateError;

use crate::{Fault, StoreError};

fn fault(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(db) => {
            // The low byte is the primary code.
            match db.code().and_then(|c| c.parse::<u32>().ok()).map(|c| c & 0xff) {
                Some(5 | 6) => Fault::Locked,
                Some(8) => Fault::ReadOnly,
                Some(10) => Fault::Io,
                Some(11) => Fault::Corrupt,
                Some(13) => Fault::DiskFull,
                Some(14) => Fault::CannotOpen,
                Some(26) => Fault::NotADatabase,
                _ => Fault::Other,
            }
        }
        sqlx::Error::PoolTimedOut => Fault::Locked,
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Fault::Closed,
        sqlx::Error::Io(_) => Fault::Io,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Fault::UnreadableRow,
        sqlx::Error::Migrate(migrate) => match migrate.as_ref() {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => Fault::NewerSchema,
            MigrateError::VersionMismatch(_) | MigrateError::Dirty(_) => Fault::ChangedSchema,
            MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => fault(inner),
            _ => Fault::Other,
        },
        _ => Fault::Other,
    }
}

/// What a failure of the file system means.
pub(crate) fn of_io(error: &std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly,
        std::io::ErrorKind::StorageFull => Fault::DiskFull,
        _ => Fault::CannotOpen,
    }
}

pub(crate) fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), fault: fault(&error), source: Some(Box::new(error)) }
}

pub(crate) fn failed(doing: &'static str, error: sqlx::Error) -> StoreError {
    StoreError::Failed { doing, fault: fault(&error), source: Some(Box::new(error)) }
}

/// A row that breaks a rule of the types, with the column for the log.
pub(crate) fn unreadable(doing: &'static str, column: &'static str) -> StoreError {
    StoreError::Failed {
        doing,
        fault: Fault::UnreadableRow,
        source: Some(format!("column `{column}` holds no known value").into()),
    }
}
