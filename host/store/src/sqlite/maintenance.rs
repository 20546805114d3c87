//! What an operator does with the database file: check it, copy it while it is in use, put a copy back.

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{SqliteSettings, SqliteStore, failed, fault, make_private, opening};
use crate::{Checking as _, Fault, Store as _, StoreError};

const CHECKING: &str = "check";
const COPYING: &str = "copy";

/// Why a copy was not made or not put back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// There is a file where the copy should go.
    #[error("{} is there already; name a file that is not", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The copy is not sound.
    #[error("{} is not sound: {what}; use another backup", path.display())]
    Unsound {
        /// Which file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Somebody uses the database.
    #[error("{} is in use; stop ramal first", path.display())]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SqliteStore {
    /// What SQLite finds wrong with the file.
    pub(super) async fn database_faults(&self) -> Result<Vec<String>, StoreError> {
        let mut found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_all(&self.readers)
            .await
            .map_err(|e| failed(CHECKING, e))?;
        found.retain(|line| line != "ok");
        let orphans = sqlx::query("PRAGMA foreign_key_check")
            .fetch_all(&self.readers)
            .await
            .map_err(|e| failed(CHECKING, e))?;
        if !orphans.is_empty() {
            found.push(format!("{} rows belong to no interaction", orphans.len()));
        }
        Ok(found)
    }

    /// Writes a copy of one moment of a database, which may be in use, and checks it. Only its owner may read it. The
    /// database stays as it is, of whatever version: a backup comes before an upgrade.
    ///
    /// # Errors
    /// When the file is there, cannot be written, or the copy is not sound.
    pub async fn backup(of: &Path, to: &Path) -> Result<(), MaintenanceError> {
        if to.exists() {
            return Err(MaintenanceError::Exists { path: to.to_owned() });
        }
        let name = to.to_str().ok_or_else(|| MaintenanceError::Io {
            path: to.to_owned(),
            source: std::io::Error::other("its name is no text"),
        })?;
        make_private(to)?;
        // A connection of its own: a long copy must not hold up the writer.
        let mut from = SqliteConnectOptions::new()
            .filename(of)
            .create_if_missing(false)
            .connect()
            .await
            .map_err(|e| opening(of, e))?;
        sqlx::query("VACUUM INTO $1").bind(name).execute(&mut from).await.map_err(|e| failed(COPYING, e))?;
        from.close().await.map_err(|e| failed(COPYING, e))?;
        durable(to)?;
        let found = damage(to).await?;
        if found.is_empty() {
            return Ok(());
        }
        Err(MaintenanceError::Unsound { path: to.to_owned(), what: found.join("; ") })
    }

    /// Puts a backup in the place of the database at `to`, which nobody may use meanwhile. The backup is copied,
    /// brought up to date and checked first, with its histories. What was there is kept beside it: the answer is its
    /// new name, if there was one.
    ///
    /// # Errors
    /// When the backup is not sound, the database is in use, or a file cannot be written. The database is then as it
    /// was.
    pub async fn restore(backup: &Path, to: &Path) -> Result<Option<PathBuf>, MaintenanceError> {
        let found = damage(backup).await?;
        if !found.is_empty() {
            return Err(MaintenanceError::Unsound { path: backup.to_owned(), what: found.join("; ") });
        }
        let new = beside(to, "restoring");
        remove(&new)?;
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| MaintenanceError::Io { path, source }
        };
        make_private(&new)?;
        std::fs::copy(backup, &new).map_err(io(&new))?;
        let store = Self::open(&SqliteSettings::new(&new)).await?;
        let mut sound = true;
        for tenant in store.tenants().await? {
            sound &= store.check(&tenant).await?.is_sound();
        }
        store.close().await?;
        if !sound {
            remove(&new)?;
            let what = "its rows are not what their events make".to_owned();
            return Err(MaintenanceError::Unsound { path: backup.to_owned(), what });
        }
        // The last connection has written the log into the file; what may be left of it is empty.
        remove_log(&new)?;
        durable(&new)?;
        let old = set_aside(to).await?;
        std::fs::rename(&new, to).map_err(io(to))?;
        durable(to)?;
        Ok(old)
    }
}

/// Moves the database out of the way, if nobody uses it.
async fn set_aside(path: &Path) -> Result<Option<PathBuf>, MaintenanceError> {
    if !path.exists() {
        return Ok(None);
    }
    // Leaving WAL needs the file for oneself alone, and writes what is in the log into it.
    let alone = async {
        let mut conn = SqliteConnectOptions::new().filename(path).create_if_missing(false).connect().await?;
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode = DELETE").fetch_one(&mut conn).await?;
        conn.close().await?;
        Ok::<_, sqlx::Error>(mode.eq_ignore_ascii_case("delete"))
    };
    match alone.await {
        Ok(true) => {}
        Ok(false) => return Err(MaintenanceError::InUse { path: path.to_owned() }),
        Err(error) => match opening(path, error) {
            error if error.fault() == Fault::Locked => {
                return Err(MaintenanceError::InUse { path: path.to_owned() });
            }
            // A damaged file is why somebody restores.
            error if matches!(error.fault(), Fault::Corrupt | Fault::NotADatabase) => {}
            error => return Err(error.into()),
        },
    }
    let old = beside(path, &format!("before-{}", Timestamp::now().as_second()));
    let io = |source| MaintenanceError::Io { path: path.to_owned(), source };
    std::fs::rename(path, &old).map_err(io)?;
    remove_log(path)?;
    Ok(Some(old))
}

async fn damage(path: &Path) -> Result<Vec<String>, StoreError> {
    if let Err(error) = File::open(path) {
        let fault = fault::of_io(&error);
        return Err(StoreError::Open { path: path.to_owned(), fault, source: Some(Box::new(error)) });
    }
    let check = async {
        let mut conn =
            SqliteConnectOptions::new().filename(path).read_only(true).immutable(true).connect().await?;
        let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut conn).await?;
        conn.close().await?;
        Ok::<_, sqlx::Error>(found)
    };
    match check.await {
        Ok(mut found) => {
            found.retain(|line| line != "ok");
            Ok(found)
        }
        Err(error) => Err(opening(path, error)),
    }
}

fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), MaintenanceError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(MaintenanceError::Io { path: path.to_owned(), source }),
    }
}

fn remove_log(path: &Path) -> Result<(), MaintenanceError> {
    for suffix in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        remove(Path::new(&name))?;
    }
    Ok(())
}

/// The file and its name are on the disk, not only in memory.
fn durable(path: &Path) -> Result<(), MaintenanceError> {
    let io = |source| MaintenanceError::Io { path: path.to_owned(), source };
    File::open(path).and_then(|file| file.sync_all()).map_err(io)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}
