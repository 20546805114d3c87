//! What only a file can do: survive, be damaged, be locked. All people and numbers here are invented.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use ramal_store::*;
use rstest::rstest;

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
    open(&path).await.unwrap().close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[200..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(open(&path).await.unwrap_err().fault(), Fault::Corrupt);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ramal.db");
    open(&path).await.unwrap().close().await;
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
    open(&path).await.unwrap().close().await;
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
    let tenant = TenantId::new("a").unwrap();
    for round in 1..=3_u64 {
        let store = open(&path).await.unwrap();
        let at = jiff::Timestamp::from_second(1_780_000_000).unwrap();
        let interaction = InteractionId(uuid::Uuid::now_v7());
        let finding = Finding {
            tenant: tenant.clone(),
            interaction,
            plugin: PluginId::new("p").unwrap(),
            kind: FindingKind::None,
            body: "{}".into(),
            at,
        };
        assert_eq!(store.record_finding(&finding).await.unwrap(), Some(LiveId(round)));
        store.close().await;
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
