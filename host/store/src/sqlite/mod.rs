//! SQLite: the embedded default.
//!
//! WAL with `synchronous = FULL`: an event that was acknowledged survives a power cut. One writer connection,
//! because SQLite has one write lock: a pool of writers would only meet as "database is locked"; it commits in
//! groups, so that many writers share one flush of the disk. Readers have connections of their own and never wait for
//! the writer.
//!
//! The queries are in `src/sql/`, one text for both databases; here is what differs.

#[path = "../sql/activity.rs"]
mod activity;
#[path = "../sql/check.rs"]
mod check;
#[path = "../sql/credential.rs"]
mod credential;
mod fault;
#[path = "../sql/inbound.rs"]
mod inbound;
#[path = "../sql/interactions.rs"]
mod interactions;
#[path = "../sql/live.rs"]
mod live;
mod maintenance;
mod outbox;
#[path = "../sql/plugins.rs"]
mod plugins;
#[path = "../sql/reads.rs"]
mod reads;
#[path = "../sql/writer.rs"]
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use crate::{Answer, OutboxBell, Store, StoreError, StoreHealth, TenantId};
pub(crate) use fault::{failed, opening, unreadable};
pub use maintenance::MaintenanceError;
pub(crate) use writer::Writer;

// What the shared queries see of this backend.
pub(crate) type Backend = SqliteStore;
pub(crate) type Conn = sqlx::SqliteConnection;
pub(crate) type Pool = SqlitePool;
pub(crate) type Row = sqlx::sqlite::SqliteRow;
type Tx = Transaction<'static, Sqlite>;
type Held = sqlx::pool::PoolConnection<Sqlite>;
/// One file, one lock: changes of several tenants share a commit.
const MIXES_TENANTS: bool = true;
/// A full disk ends a transaction.
const ENDS_BY_ITSELF: bool = true;

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
    pub(crate) writer: Writer,
    pub(crate) bell: OutboxBell,
    pub(crate) live_bell: OutboxBell,
    writing: SqlitePool,
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
            .busy_timeout(settings.busy)
            // KiB: the upper pages of the indexes stay in memory, so that a write into a large database is no slower.
            .pragma("cache_size", "-65536");
        let writing = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await
            .map_err(|e| opening(path, e))?;
        MIGRATIONS.run(&writing).await.map_err(|e| opening(path, e.into()))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(settings.readers.max(1))
            .test_before_acquire(false)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(|e| opening(path, e))?;
        check_writable(&writing).await.map_err(|e| match e {
            // A read-only file opens without complaint and fails at the first call: better to say so now.
            StoreError::Failed { fault, source, .. } => {
                StoreError::Open { path: path.to_owned(), fault, source }
            }
            open => open,
        })?;
        Ok(Self {
            writer: Writer::start(writing.clone(), 1),
            bell: OutboxBell::default(),
            live_bell: OutboxBell::default(),
            writing,
            readers,
            live_events: settings.live_events.max(1),
        })
    }

    // Several reads of one moment. SQLite has no second wall between tenants, so the tenant is not needed here.
    pub(crate) async fn read(&self, _: &TenantId, doing: &'static str) -> Result<Tx, StoreError> {
        self.readers.begin().await.map_err(|e| failed(doing, e))
    }

    /// Lets the database grow to so many pages: for tests of a full disk.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: u32) {
        let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        // Best effort: the test sees whether it holds.
        let _ = sqlx::query(pragma).execute(&self.writing).await;
    }

    fn reading(&self) -> &Pool {
        &self.readers
    }
}

// Taken with the write lock from the start: a transaction that reads first and asks for the lock later can be
// refused in the middle.
async fn begin(pool: &Pool, _: &TenantId) -> Result<Held, sqlx::Error> {
    let mut conn = pool.acquire().await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
    Ok(conn)
}

async fn check_writable(pool: &Pool) -> Result<(), StoreError> {
    const DOING: &str = "take the write lock of";
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| failed(DOING, e))?;
    // An update of no row still needs a writable file, which the lock alone does not.
    sqlx::query("UPDATE live_heads SET last_id = last_id WHERE 0")
        .execute(&mut *tx)
        .await
        .map_err(|e| failed(DOING, e))?;
    tx.rollback().await.map_err(|e| failed(DOING, e))
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
            let fault = fault::of_io(&error);
            Err(StoreError::Open { path: path.to_owned(), fault, source: Some(Box::new(error)) })
        }
    }
}

impl StoreHealth for SqliteStore {
    fn check_writable(&self) -> Answer<'_, ()> {
        Box::pin(check_writable(&self.writing))
    }
}

impl Store for SqliteStore {
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.writer.close().await;
            self.readers.close().await;
            self.writing.close().await;
            Ok(())
        })
    }
}

/// Only this process has the file open for writing, and it rings its own bell.
async fn tell_live(_: &mut Conn, _: &TenantId, _: &'static str) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::all(reads::LIST, &["interactions_by_time"])]
    #[case::of_a_state(reads::LIST_OF_STATE, &["interactions_by_state"])]
    #[case::of_a_queue(reads::LIST_OF_QUEUE, &["interactions_by_queue"])]
    #[case::of_both(reads::LIST_OF_BOTH, &["interactions_by_state", "interactions_by_queue"])]
    #[tokio::test]
    async fn a_list_reads_no_more_than_it_shows(#[case] sql: &str, #[case] indexes: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&SqliteSettings::new(dir.path().join("ramal.db"))).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let mut plan = sqlx::query_as::<sqlx::Sqlite, (i64, i64, i64, String)>(sql);
        for _ in 0..10 {
            plan = plan.bind(None::<String>);
        }
        let plan = plan.fetch_all(&store.readers).await.unwrap();
        let steps: Vec<&str> = plan.iter().map(|(.., step)| step.as_str()).collect();
        assert!(indexes.iter().any(|index| steps[0].contains(&format!("USING INDEX {index} "))), "{steps:?}");
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "it is sorted by the index: {steps:?}"
        );
    }
}
