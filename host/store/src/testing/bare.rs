//! What a durable insert costs by itself, for benchmarks to divide by: one row, one commit, the same settings of the
//! database as the store's.

use std::io;
use std::path::Path;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

/// A table of bytes in a database of its own.
#[derive(Debug, Clone)]
pub struct BareInserts(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl BareInserts {
    /// In a new SQLite file: WAL, `synchronous = FULL`, one writer.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn sqlite(path: &Path) -> io::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .map_err(io::Error::other)?;
        sqlx::query("CREATE TABLE bare (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
            .execute(&pool)
            .await
            .map_err(io::Error::other)?;
        Ok(Self(Kind::Sqlite(pool)))
    }

    /// In a database of PostgreSQL, with as many connections as the store has.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn postgres(url: &str) -> io::Result<Self> {
        let connections = crate::PostgresSettings::new(url).connections;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false)
            .connect(url)
            .await
            .map_err(io::Error::other)?;
        sqlx::query("CREATE TABLE bare (id BIGSERIAL PRIMARY KEY, body BYTEA NOT NULL)")
            .execute(&pool)
            .await
            .map_err(io::Error::other)?;
        Ok(Self(Kind::Postgres(pool)))
    }

    /// One row in a commit of its own; on disk when this returns.
    ///
    /// # Errors
    /// When it is not.
    pub async fn insert(&self, bytes: &[u8]) -> io::Result<()> {
        const SQL: &str = "INSERT INTO bare (body) VALUES ($1)";
        match &self.0 {
            Kind::Sqlite(pool) => sqlx::query(SQL).bind(bytes).execute(pool).await.map(drop),
            Kind::Postgres(pool) => sqlx::query(SQL).bind(bytes).execute(pool).await.map(drop),
        }
        .map_err(io::Error::other)
    }
}
