//! The folders without smsd: what it would do is done by hand, and every place where a crash may come.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use parking_lot::Mutex;
use ramal_center::{CenterParts, CenterSettings, Silent, SourceId, SystemClock, TenantId};
use ramal_store::Fault;
use ramal_store::memory::MemoryStore;
use tempfile::TempDir;

use super::*;

const MESSAGE: &str = "[SMSBackup000]\nPDU = Deliver\nDateTime = 20261123T090000\nNumber = \"+5511987654321\"\nText00 = 006F0069\nCoding = Default_No_Compression\n";
const NAME: &str = "IN20261123_090000_00_+5511987654321_00.txt";

struct Desk {
    home: TempDir,
    center: Center,
    store: Arc<MemoryStore>,
}

impl Desk {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["inbox", "outbox", "sent", "error", "done"] {
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        let store = Arc::new(MemoryStore::new(1000));
        let center = Center::new(CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(Silent),
            clock: Arc::new(SystemClock),
            settings: CenterSettings::default(),
        });
        Self { home, center, store }
    }

    fn gammu(&self) -> Arc<Gammu> {
        let at = |name: &str| self.home.path().join(name);
        let folders = GammuFolders {
            inbox: at("inbox"),
            outbox: at("outbox"),
            sent: at("sent"),
            error: at("error"),
            done: at("done"),
            keep: SignedDuration::from_hours(24),
        };
        Arc::new(Gammu::new(folders, TimeZone::get("America/Sao_Paulo").unwrap(), Region::BR))
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::write(self.home.path().join(path), text).unwrap();
    }

    fn count(&self, folder: &str) -> usize {
        fs::read_dir(self.home.path().join(folder)).unwrap().count()
    }

    /// One look, so many seconds from now.
    async fn look(&self, seconds: i64) -> Result<Vec<&'static str>, GammuError> {
        let words = Mutex::new(Vec::new());
        let origin =
            Origin { tenant: TenantId::new("acme").unwrap(), source: SourceId::new("modem").unwrap() };
        let now = Timestamp::now() + SignedDuration::from_secs(seconds);
        self.gammu().pass(&self.center, &origin, &|word| words.lock().push(word), now).await?;
        Ok(words.into_inner())
    }
}

#[tokio::test]
async fn a_file_that_is_being_written_is_left_alone() {
    let desk = Desk::new();
    desk.put(&format!("inbox/{NAME}"), MESSAGE);
    assert_eq!(desk.look(0).await.unwrap(), [] as [&str; 0]);
    assert_eq!(desk.look(3).await.unwrap(), ["stored"]);
}

#[tokio::test]
async fn a_crash_between_storing_and_moving_doubles_nothing() {
    let desk = Desk::new();
    let file = format!("inbox/{NAME}");
    desk.put(&file, MESSAGE);
    let written = fs::metadata(desk.home.path().join(&file)).unwrap().modified().unwrap();
    assert_eq!(desk.look(3).await.unwrap(), ["stored"]);
    // As if it had never been moved: the same file, written at the same time.
    fs::rename(desk.home.path().join(format!("done/{NAME}")), desk.home.path().join(&file)).unwrap();
    assert_eq!(fs::metadata(desk.home.path().join(&file)).unwrap().modified().unwrap(), written);
    assert_eq!(desk.look(3).await.unwrap(), ["repeated"]);
    // And the same words under the same name later are another message.
    desk.put(&file, MESSAGE);
    assert_eq!(desk.look(3).await.unwrap(), ["stored"]);
    assert_eq!(desk.count("done"), 2);
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_stays_where_it_is() {
    let desk = Desk::new();
    desk.put(&format!("inbox/{NAME}"), MESSAGE);
    desk.store.break_with(Some(Fault::DiskFull));
    assert!(matches!(desk.look(3).await, Err(GammuError::Center(_))));
    assert_eq!(desk.count("inbox"), 1);
    desk.store.break_with(None);
    assert_eq!(desk.look(3).await.unwrap(), ["stored"]);
}

#[rstest::rstest]
#[case::truncated(&MESSAGE.as_bytes()[..20], "unreadable")]
#[case::wrongly_encoded(b"[SMSBackup000]\xff", "unreadable")]
#[case::report(b"[SMSBackup000]\nPDU = Status_Report\n", "delivery-report")]
#[case::oversized(&[b'x'; 1024 * 1024 + 1], "too-large")]
#[case::empty(b"", "unreadable")]
#[tokio::test]
async fn what_is_no_message_is_counted_and_kept_for_a_person(#[case] bytes: &[u8], #[case] word: &str) {
    let desk = Desk::new();
    desk.put(&format!("inbox/{NAME}"), bytes);
    assert_eq!(desk.look(3).await.unwrap(), [word]);
    assert_eq!((desk.count("inbox"), desk.count("done")), (0, 1));
}

#[tokio::test]
async fn other_programs_files_are_theirs() {
    let desk = Desk::new();
    for file in
        ["sent/OUTA20261201_123000_00_+5511987654321_other.txt", "inbox/notes.txt", "error/OUTramal-x.txt"]
    {
        desk.put(file, "x");
    }
    assert_eq!(desk.look(3).await.unwrap(), [] as [&str; 0]);
    assert_eq!((desk.count("sent"), desk.count("inbox"), desk.count("error")), (1, 1, 1));
}

#[tokio::test]
async fn a_status_of_a_message_that_nobody_knows_is_counted() {
    let desk = Desk::new();
    let note = "ramal-0123456789abcdef0123456789abcdef";
    desk.put(&format!("error/OUTM20261123_120000_00_+5511987654321_{note}.txt"), "x");
    assert_eq!(desk.look(3).await.unwrap(), ["message-unknown"]);
    assert_eq!(desk.count("done"), 1);
}

#[tokio::test]
async fn what_was_kept_for_long_enough_is_removed() {
    let desk = Desk::new();
    desk.put(&format!("inbox/{NAME}"), MESSAGE);
    assert_eq!(desk.look(3).await.unwrap(), ["stored"]);
    desk.look(60 * 60).await.unwrap();
    assert_eq!(desk.count("done"), 1);
    desk.look(25 * 60 * 60).await.unwrap();
    assert_eq!(desk.count("done"), 0);
}

#[tokio::test]
async fn a_missing_folder_is_an_error_that_names_no_number() {
    let desk = Desk::new();
    fs::remove_dir(desk.home.path().join("inbox")).unwrap();
    let error = desk.look(0).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot use the folder for inbox"), "{error}");
}

#[tokio::test]
async fn the_task_ends_when_it_is_told_to() {
    let desk = Desk::new();
    let gammu = Arc::into_inner(desk.gammu()).unwrap();
    let (stop, stopped) = watch::channel(false);
    let origin = Origin { tenant: TenantId::new("acme").unwrap(), source: SourceId::new("modem").unwrap() };
    let task = tokio::spawn(gammu.run(desk.center.clone(), origin, |_| {}, stopped));
    stop.send_replace(true);
    tokio::time::timeout(Duration::from_secs(30), task).await.unwrap().unwrap();
    assert!(Path::new(&desk.home.path().join("inbox")).is_dir());
}
