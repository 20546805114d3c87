//! The file under [`JsonLines`](crate::JsonLines): opened once, locked, repaired, appended to in groups.
//!
//! A group is on disk whole or not at all: after a failed write the file is cut back to the last good length
//! before the next try, and a line that a power cut tore is cut off when the file is opened. Without that, the
//! first row after the tear would be glued to half a row and both would be lost to every reader.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Something that takes groups of lines and keeps them. A seam for tests: a disk that fills up and empties.
pub(crate) trait Medium: Send + 'static {
    /// Appends the bytes and makes them safe; on error none of them stay.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A local file.
pub(crate) struct LedgerFile {
    file: File,
    /// Where the last whole group ends.
    good: u64,
    /// Whether bytes of a failed group may lie beyond `good`.
    torn: bool,
}

impl LedgerFile {
    /// Opens or creates the file (mode 600), takes its lock, and cuts off a torn last line.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        file.try_lock().map_err(|_| {
            io::Error::new(io::ErrorKind::ResourceBusy, "another process writes this ledger; stop it first")
        })?;
        let length = file.metadata()?.len();
        let good = end_of_last_line(&mut file, length)?;
        if good < length {
            tracing::warn!(
                path = %path.display(), bytes = length - good,
                "the ledger ended in half a line, cut it off: the process or the machine stopped while writing"
            );
            file.set_len(good)?;
        }
        file.sync_all()?;
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(Self { file, good, torn: false })
    }
}

impl Medium for LedgerFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.good)?;
            self.torn = false;
        }
        if let Err(error) = self.file.write_all(bytes).and_then(|()| self.file.sync_data()) {
            self.torn = self.file.set_len(self.good).is_err();
            return Err(error);
        }
        self.good += bytes.len() as u64;
        Ok(())
    }
}

/// The length of the file up to and with its last line feed.
fn end_of_last_line(file: &mut File, length: u64) -> io::Result<u64> {
    const BLOCK: u64 = 8192;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|b| *b == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
