use std::io::Write;
use std::sync::mpsc;

use rstest::rstest;

use super::*;
use crate::disclosure::tests::row;

fn sizes(path: &Path) -> Vec<u64> {
    read(path).unwrap().map(|r| r.unwrap().bytes_out).collect()
}

#[test]
fn rows_are_on_disk_after_a_flush_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let ledger = JsonLines::open(&path).unwrap();
    for i in 0..500 {
        ledger.record(row(i)).unwrap();
    }
    ledger.flush().unwrap();
    assert_eq!(sizes(&path), (0..500).collect::<Vec<_>>());
}

#[test]
fn a_dropped_ledger_writes_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let ledger = JsonLines::open(&path).unwrap();
    ledger.record(row(1)).unwrap();
    drop(ledger);
    assert_eq!(sizes(&path), [1]);
}

#[test]
fn an_opened_ledger_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    for i in 0..3 {
        JsonLines::open(&path).unwrap().record(row(i)).unwrap();
    }
    assert_eq!(sizes(&path), [0, 1, 2]);
}

#[rstest]
#[case::half_a_row(br#"{"at":"2026"#)]
#[case::zeros(&[0; 9000])]
#[case::one_brace(b"{")]
fn a_torn_last_line_is_cut_off(#[case] torn: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    JsonLines::open(&path).unwrap().record(row(1)).unwrap();
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(torn).unwrap();
    JsonLines::open(&path).unwrap().record(row(2)).unwrap();
    assert_eq!(sizes(&path), [1, 2]);
}

#[test]
fn a_file_that_is_one_torn_line_becomes_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    std::fs::write(&path, "{\"at\"").unwrap();
    drop(JsonLines::open(&path).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), b"");
}

#[test]
fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let _ledger = JsonLines::open(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn two_writers_of_one_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let _first = JsonLines::open(&path).unwrap();
    let error = JsonLines::open(&path).unwrap_err().to_string();
    assert!(error.contains("another process writes this ledger"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
    let error = JsonLines::open("/nonexistent/ledger.jsonl").unwrap_err().to_string();
    assert!(error.starts_with("the ledger /nonexistent/ledger.jsonl cannot be written: "), "{error}");
}

/// A disk whose answers the test gives one by one; each try is announced with what it wrote.
struct Disk {
    answers: mpsc::Receiver<io::Result<()>>,
    tries: mpsc::Sender<usize>,
}

impl Medium for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tries.send(bytes.iter().filter(|b| **b == b'\n').count()).unwrap();
        self.answers.recv().unwrap()
    }
}

fn disk() -> (JsonLines, mpsc::Sender<io::Result<()>>, mpsc::Receiver<usize>) {
    let ((give, answers), (tries, seen)) = (mpsc::channel(), mpsc::channel());
    let ledger = JsonLines::over(Disk { answers, tries }, "test".to_owned(), Duration::ZERO).unwrap();
    (ledger, give, seen)
}

#[test]
fn a_full_disk_closes_the_way_out_until_it_has_room_and_no_row_is_lost() {
    let (ledger, give, seen) = disk();
    ledger.record(row(1)).unwrap();
    assert_eq!(seen.recv(), Ok(1));
    give.send(Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"))).unwrap();
    let error = ledger.flush().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger test cannot be written: no space left; free space or repair the disk, nothing leaves until then"
    );
    assert_eq!(ledger.ready(), Err(error.clone()));
    assert_eq!(ledger.record(row(2)), Err(error), "told, and kept");

    // The second try may have begun before the second row came.
    let first_try = seen.recv().unwrap();
    give.send(Ok(())).unwrap();
    if first_try == 1 {
        assert_eq!(seen.recv(), Ok(1));
        give.send(Ok(())).unwrap();
    }
    drop(give);
    while ledger.ready().is_err() {
        std::thread::yield_now();
    }
    ledger.flush().unwrap();
}

#[test]
fn while_the_disk_works_the_next_group_gathers() {
    let (ledger, give, seen) = disk();
    ledger.record(row(0)).unwrap();
    assert_eq!(seen.recv(), Ok(1));
    for i in 0..40 {
        ledger.record(row(i)).unwrap();
    }
    give.send(Ok(())).unwrap();
    assert_eq!(seen.recv(), Ok(40), "one sync for forty rows");
    give.send(Ok(())).unwrap();
    ledger.flush().unwrap();
}

#[test]
fn too_many_waiting_rows_close_the_way_out_and_none_is_refused() {
    let (ledger, give, seen) = disk();
    for i in 0..MAX_WAITING {
        assert_eq!(ledger.ready(), Ok(()));
        ledger.record(row(i)).unwrap();
    }
    assert_eq!(ledger.ready(), Err(SinkError::Full { waiting: MAX_WAITING }));
    ledger.record(row(0)).unwrap();
    let mut written = 0;
    while written < MAX_WAITING + 1 {
        written += seen.recv().unwrap() as u64;
        give.send(Ok(())).unwrap();
    }
    ledger.flush().unwrap();
    assert_eq!(ledger.ready(), Ok(()));
}

#[test]
fn a_line_that_is_no_row_is_an_error_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    JsonLines::open(&path).unwrap().record(row(1)).unwrap();
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{}\n").unwrap();
    JsonLines::open(&path).unwrap().record(row(2)).unwrap();
    let read: Vec<_> = read(&path).unwrap().collect();
    assert!(read[0].is_ok() && read[2].is_ok());
    assert!(read[1].as_ref().unwrap_err().to_string().starts_with("line 2: "));
}
