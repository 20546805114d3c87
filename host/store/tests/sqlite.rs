//! What only a file can do: survive, be damaged, be locked. All people and numbers here are invented.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use ramal_store::*;
use rstest::rstest;
use support::*;

#[allow(dead_code, reason = "shared with the conformance suite")]
#[path = "conformance/support.rs"]
mod support;

async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    let mut settings = SqliteSettings::new(path);
    settings.busy = Duration::from_millis(20);
    SqliteStore::open(&settings).await
}

#[rstest]
#[case::not_a_database(b"this is a letter, not a database, and it is long enough to be read as a header......".to_vec(), Fault::NotADatabase)]
#[tokio::test]
async fn a_wrong_file_is_named_with_what_to_do(#[case] content: Vec<u8>, #[case] fault: Fault) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    std::fs::write(&path, content).unwrap();
    let error = open(&path).await.unwrap_err();
    assert_eq!(error.fault(), fault);
    assert!(error.to_string().contains("check the data folder in the configuration"), "{error}");
    assert!(error.to_string().contains("ramal.db"), "{error}");
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = open(&dir.path().join("no/such/ramal.db")).await.unwrap_err();
    assert_eq!(error.fault(), Fault::CannotOpen);
    assert!(error.to_string().contains("check that its folder exists"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    open(&path).await.unwrap().close().await.unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[200..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(open(&path).await.unwrap_err().fault(), Fault::Corrupt);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    open(&path).await.unwrap().close().await.unwrap();
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    assert_eq!(open(&path).await.unwrap_err().fault(), Fault::NewerSchema);
}

#[tokio::test]
async fn a_writer_elsewhere_is_reported_as_a_lock_and_heals() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    let store = open(&path).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let held = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = store.check_writable().await.unwrap_err();
    assert_eq!(error.fault(), Fault::Locked);
    assert!(error.to_string().contains("stop the other `ramal`"), "{error}");
    held.rollback().await.unwrap();
    store.check_writable().await.unwrap();
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    open(&path).await.unwrap().close().await.unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    // Root may write everything, so there is nothing to see for it.
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        return;
    }
    assert_eq!(open(&path).await.unwrap_err().fault(), Fault::ReadOnly);
}

#[tokio::test]
async fn live_ids_go_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    for round in 1..=3_u64 {
        let store = open(&path).await.unwrap();
        let write = ringing("a", &format!("c{round}"), 0, &[]);
        assert_eq!(store.append(write).await.unwrap(), Recorded::Stored(Some(LiveId(round))));
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn only_the_owner_may_read_a_new_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    let _store = open(&path).await.unwrap();
    for name in ["ramal.db", "ramal.db-wal", "ramal.db-shm"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

// === group commit ===

#[tokio::test]
async fn a_lock_elsewhere_fails_every_change_that_waits_and_heals() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    let store = std::sync::Arc::new(open(&path).await.unwrap());
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let held = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let many = async || {
        let tasks: Vec<_> = (0..20)
            .map(|i| {
                let store = store.clone();
                tokio::spawn(async move { store.append(ringing("a", &format!("c{i}"), i, &[])).await })
            })
            .collect();
        let mut done = Vec::new();
        for task in tasks {
            done.push(task.await.unwrap().map_err(|e| e.fault()));
        }
        done
    };
    assert!(many().await.iter().all(|done| *done == Err(Fault::Locked)));
    held.rollback().await.unwrap();
    assert!(many().await.iter().all(|done| matches!(done, Ok(Recorded::Stored(_)))));
    assert_eq!(store.check(&tenant("a")).await.unwrap().interactions, 20);
}

#[tokio::test]
async fn a_full_disk_refuses_changes_and_keeps_what_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    let store = std::sync::Arc::new(open(&path).await.unwrap());
    // SQLite's own limit of pages says "full" as a disk does, in the middle of a transaction.
    store.limit_pages(120).await;
    let tasks: Vec<_> = (0..400)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut write = ringing("a", &format!("c{i}"), i, &[]);
                write.live = vec![NewLive { kind: "call".into(), interaction: None, body: "x".repeat(2000) }];
                (format!("c{i}"), store.append(write).await)
            })
        })
        .collect();
    let (mut kept, mut refused, mut full) = (Vec::new(), 0, 0);
    for task in tasks {
        match task.await.unwrap() {
            (call, Ok(_)) => kept.push(call),
            (_, Err(error)) => {
                // Or it was in one commit with such a change.
                assert!([Fault::DiskFull, Fault::Undone].contains(&error.fault()), "{error}");
                full += usize::from(error.fault() == Fault::DiskFull);
                refused += 1;
            }
        }
    }
    assert!(full > 0 && !kept.is_empty(), "{} kept, {refused} refused, {full} full", kept.len());
    let checked = store.check(&tenant("a")).await.unwrap();
    assert_eq!((checked.interactions, checked.is_sound()), (kept.len() as u64, true));
    store.limit_pages(1_000_000).await;
    assert!(matches!(store.append(ringing("a", "late", 1, &[])).await, Ok(Recorded::Stored(_))));
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("ramal.db")).await.unwrap();
    store.close().await.unwrap();
    let error = store.append(ringing("a", "c1", 0, &[])).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Closed);
}

// === copies ===

#[tokio::test]
async fn a_backup_is_of_one_moment_private_and_can_be_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("ramal.db"), dir.path().join("copy.db"));
    let store = open(&path).await.unwrap();
    store.append(ringing("a", "c1", 0, &[])).await.unwrap();
    SqliteStore::backup(&path, &copy).await.unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let again = SqliteStore::backup(&path, &copy).await.unwrap_err();
    assert!(again.to_string().contains("is there already"), "{again}");

    // What came after the copy is not in it.
    store.append(ringing("a", "c2", 1, &[])).await.unwrap();
    let used = SqliteStore::restore(&copy, &path).await.unwrap_err();
    assert!(matches!(used, MaintenanceError::InUse { .. }), "{used}");
    assert_eq!(store.check(&tenant("a")).await.unwrap().interactions, 2);
    store.close().await.unwrap();
    let old = SqliteStore::restore(&copy, &path).await.unwrap().unwrap();
    let store = open(&path).await.unwrap();
    assert_eq!(store.check(&tenant("a")).await.unwrap().interactions, 1);
    store.close().await.unwrap();
    let before = open(&old).await.unwrap();
    assert_eq!(before.check(&tenant("a")).await.unwrap().interactions, 2);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_backup_before_an_upgrade_leaves_the_schema_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("ramal.db"), dir.path().join("copy.db"));
    open(&path).await.unwrap().close().await.unwrap();
    let last = async |of: &Path| {
        let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", of.display())).await.unwrap();
        let last = sqlx::query_scalar::<_, i64>("SELECT max(version) FROM _sqlx_migrations");
        let last = last.fetch_one(&pool).await.unwrap();
        pool.close().await;
        last
    };
    // As the version before the last migration left it.
    let newest = last(&path).await;
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = $1").bind(newest).execute(&pool).await.unwrap();
    pool.close().await;
    let before = last(&path).await;
    SqliteStore::backup(&path, &copy).await.unwrap();
    assert!(before < newest);
    assert_eq!((last(&path).await, last(&copy).await), (before, before));
}

#[tokio::test]
async fn a_backup_that_is_not_sound_is_not_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("ramal.db"), dir.path().join("copy.db"));
    let store = open(&path).await.unwrap();
    store.append(ringing("a", "c1", 0, &[])).await.unwrap();
    SqliteStore::backup(&path, &copy).await.unwrap();
    store.close().await.unwrap();

    // A row that somebody changed by hand.
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", copy.display())).await.unwrap();
    sqlx::query("UPDATE interactions SET body = replace(body, 'sales', 'other')")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let error = SqliteStore::restore(&copy, &path).await.unwrap_err();
    assert!(error.to_string().contains("its rows are not what their events make"), "{error}");

    let whole = std::fs::read(&copy).unwrap();
    std::fs::write(&copy, &whole[..whole.len() / 2]).unwrap();
    SqliteStore::restore(&copy, &path).await.unwrap_err();
    SqliteStore::restore(&dir.path().join("none.db"), &path).await.unwrap_err();
    let store = open(&path).await.unwrap();
    assert_eq!(store.check(&tenant("a")).await.unwrap().interactions, 1);
    assert!(store.faults().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_row_that_its_events_do_not_make_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    let store = open(&path).await.unwrap();
    let call = ringing("a", "c1", 0, &[]);
    let (id, after) = (call.id(), call.after().clone());
    store.append(call).await.unwrap();
    store.append(change(&after, answered(), 1)).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query("UPDATE interactions SET body = replace(body, 'sales', 'other')")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(store.check(&tenant("a")).await.unwrap().mismatches, [Mismatch::Row { interaction: id }]);
    sqlx::query("DELETE FROM interaction_events WHERE seq = 1").execute(&pool).await.unwrap();
    let error = FoldError::NotBegun { seq: 2 };
    assert_eq!(
        store.check(&tenant("a")).await.unwrap().mismatches,
        [Mismatch::History { interaction: id, error }]
    );
}

#[tokio::test]
async fn an_interaction_that_is_on_nobodys_timeline_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    let store = open(&path).await.unwrap();
    let call = ringing("a", "c1", 0, &[]);
    let id = call.id();
    store.append(call).await.unwrap();
    assert!(store.check(&tenant("a")).await.unwrap().is_sound());
    // As a version kept it that did not know that both forms are one line.
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    for sql in [
        "UPDATE interaction_contacts SET contact = replace(contact, '+55119', '+5511')",
        "UPDATE interactions SET body = replace(body, '+55119', '+5511')",
        "UPDATE interaction_events SET body = replace(body, '+55119', '+5511')",
    ] {
        assert_eq!(sqlx::query(sql).execute(&pool).await.unwrap().rows_affected(), 1);
    }
    assert_eq!(store.check(&tenant("a")).await.unwrap().mismatches, [Mismatch::Timeline { interaction: id }]);
}
