//! What PostgreSQL's error codes mean to a person. <https://www.postgresql.org/docs/15/errcodes-appendix.html>

use sqlx::migrate::MigrateError;

use crate::{Fault, StoreError};

fn fault(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(db) => of_code(db.code().as_deref().unwrap_or_default()),
        sqlx::Error::PoolTimedOut => Fault::Busy,
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Fault::Closed,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => Fault::Unreachable,
        sqlx::Error::Configuration(_) => Fault::BadAddress,
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

fn of_code(code: &str) -> Fault {
    match code {
        "25006" => Fault::Standby,
        "42501" => Fault::NoRight,
        "53100" => Fault::DiskFull,
        "53300" | "40001" | "40P01" | "55P03" => Fault::Busy,
        "58030" => Fault::Io,
        _ if code.starts_with("28") || code == "3D000" => Fault::Refused,
        _ if code.starts_with("08") || code.starts_with("57P") => Fault::Unreachable,
        _ if code.starts_with("XX") => Fault::Corrupt,
        _ => Fault::Other,
    }
}

pub(crate) fn not_reached(place: &str, fault: Fault, source: Option<sqlx::Error>) -> StoreError {
    StoreError::Reach { place: place.to_owned(), fault, source: source.map(|e| Box::new(e) as _) }
}

pub(crate) fn reaching(place: &str, error: sqlx::Error) -> StoreError {
    not_reached(place, fault(&error), Some(error))
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::wrong_password("28P01", Fault::Refused)]
    #[case::no_such_database("3D000", Fault::Refused)]
    #[case::no_right("42501", Fault::NoRight)]
    #[case::full("53100", Fault::DiskFull)]
    #[case::deadlock("40P01", Fault::Busy)]
    #[case::shutting_down("57P01", Fault::Unreachable)]
    #[case::damaged("XX001", Fault::Corrupt)]
    #[case::standby("25006", Fault::Standby)]
    #[case::syntax("42601", Fault::Other)]
    fn a_code_has_a_cure(#[case] code: &str, #[case] then: Fault) {
        assert_eq!(of_code(code), then);
    }
}
