//! SQLite: the embedded default.
//!
//! WAL with `synchronous = FULL`: an event that was acknowledged survives a power cut. One writer connection,
//! because SQLite has one write lock: a pool of writers would only meet as "database is locked". Readers have
//! connections of their own and never wait for the writer.

mod calls;
mod fault;
mod live;
mod plugins;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use crate::{Answer, Fault, StoreError, StoreHealth};
pub(crate) use fault::{failed, opening, unreadable};

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct SqliteSettings {
    /// The database file; made when it is not there, its folder not.
    pub path: PathBuf,
    /// Connections for reading.
    pub readers: u32,
    /// Live events kept for each tenant; older ones are pruned.
    pub live_events: u32,
    /// How long a write waits for another process that holds the lock.
    pub busy: Duration,
}

impl SqliteSettings {
    /// The usual settings for a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4, live_events: 10_000, busy: Duration::from_secs(5) }
    }
}

/// The SQLite store. Cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    live_events: u32,
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

impl SqliteStore {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, written or migrated: the text says what to do.
    pub async fn open(settings: &SqliteSettings) -> Result<Self, StoreError> {
        let path: &Path = &settings.path;
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(settings.busy);
        let writer = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(|e| opening(path, e))?;
        MIGRATIONS.run(&writer).await.map_err(|e| opening(path, e.into()))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(settings.readers.max(1))
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(|e| opening(path, e))?;
        let store = Self { writer, readers, live_events: settings.live_events.max(1) };
        // A read-only file opens without complaint and fails at the first call: better to say so now.
        store.check_writable().await.map_err(|e| match e {
            StoreError::Failed { fault, source, .. } => {
                StoreError::Open { path: path.to_owned(), fault, source }
            }
            open => open,
        })?;
        Ok(store)
    }

    /// Closes every connection after the work in hand.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    // Taken with the write lock from the start: a transaction that reads first and asks for the lock later can be
    // refused in the middle.
    async fn write(&self, doing: &'static str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(|e| failed(doing, e))
    }

    // Several reads of one moment.
    async fn read(&self, doing: &'static str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers.begin().await.map_err(|e| failed(doing, e))
    }
}

/// Makes a new file readable by its owner only: it holds customers' data. SQLite gives its companions (`-wal`, `-shm`)
/// the same rights. A file that is there keeps the rights that an administrator gave it.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let fault = match error.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    Fault::ReadOnly
                }
                std::io::ErrorKind::StorageFull => Fault::DiskFull,
                _ => Fault::CannotOpen,
            };
            Err(StoreError::Open { path: path.to_owned(), fault, source: Some(Box::new(error)) })
        }
    }
}

impl StoreHealth for SqliteStore {
    fn check_writable(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            const DOING: &str = "take the write lock of";
            let mut tx = self.write(DOING).await?;
            // An update of no row still needs a writable file, which the lock alone does not.
            sqlx::query("UPDATE live_heads SET last_id = last_id WHERE 0")
                .execute(&mut *tx)
                .await
                .map_err(|e| failed(DOING, e))?;
            tx.rollback().await.map_err(|e| failed(DOING, e))
        })
    }
}
