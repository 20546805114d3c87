//! The folders: what lies in them, and where it goes when it is done with.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ramal_center::{
    Channel, Clear, EventId, InteractionDirection, MessageEvent, MessageStatus, MessageStatusEvent, Region,
};

use super::GammuError;
use super::backup;
use super::outbox::note;
use crate::{Heard, party, text};

/// How long a file must have rested: smsd writes one in milliseconds, in place.
const REST: SignedDuration = SignedDuration::from_secs(2);
/// A message of 255 parts has some 300 kilobytes in this form.
const MOST_BYTES: u64 = 1024 * 1024;
/// Files that are handled in one pass; the rest waits for the next.
const AT_ONCE: usize = 500;

/// Where smsd and Ramal meet. All lie on one file system.
#[derive(Debug, Clone)]
pub struct GammuFolders {
    /// smsd's `InboxPath`.
    pub inbox: PathBuf,
    /// smsd's `OutboxPath`.
    pub outbox: PathBuf,
    /// smsd's `SentSMSPath`.
    pub sent: PathBuf,
    /// smsd's `ErrorSMSPath`.
    pub error: PathBuf,
    /// Where Ramal puts what it is done with.
    pub done: PathBuf,
    /// How long that is kept.
    pub keep: SignedDuration,
}

/// A file, and what it tells.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: PathBuf,
    /// Or why it tells nothing.
    pub(super) heard: Result<Heard, &'static str>,
}

impl GammuFolders {
    /// What has rested in the folders, in the order of the files' names, which is that of time.
    pub(super) fn look(
        &self,
        zone: &TimeZone,
        region: Region,
        now: Timestamp,
    ) -> Result<Vec<Found>, GammuError> {
        let mut found = Vec::new();
        for file in rested(&self.inbox, "inbox", now)?.into_iter().filter(|f| starts(f, "IN")) {
            found.push(Found { heard: received(&file, zone, region), file: file.path });
        }
        let ways =
            [(&self.sent, "sent", MessageStatus::Sent), (&self.error, "errors", MessageStatus::Failed)];
        for (folder, which, status) in ways {
            for file in rested(folder, which, now)? {
                // Other programs may send by the same modem; their files are theirs.
                let Some(note) = note(&file.name) else { continue };
                found.push(Found { heard: came_further(note, status, now), file: file.path });
            }
        }
        found.truncate(AT_ONCE);
        Ok(found)
    }

    /// Moves a file to those that are done with.
    pub(super) fn put_away(&self, file: &Path) -> Result<(), GammuError> {
        let failed = |source| GammuError::Folder { which: "what is done with", source };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut target = self.done.join(&name);
        // smsd uses a name again once it is free.
        for n in 1_u32.. {
            if !target.try_exists().map_err(failed)? {
                break;
            }
            target = self.done.join(format!("{name}.{n}"));
        }
        match fs::rename(file, &target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !file.exists() && self.done.is_dir() => {
                Ok(())
            }
            moved => moved.map_err(failed),
        }
    }

    /// Removes what was kept for long enough.
    pub(super) fn tidy_up(&self, now: Timestamp) -> Result<(), GammuError> {
        let failed = |source| GammuError::Folder { which: "what is done with", source };
        for file in files(&self.done).map_err(failed)? {
            if now.duration_since(file.written) > self.keep {
                fs::remove_file(&file.path).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Whether a message of ours with this note is anywhere.
    pub(super) fn holds(&self, wanted: &str) -> io::Result<bool> {
        for folder in [&self.outbox, &self.sent, &self.error, &self.done] {
            if files(folder)?.iter().any(|file| note(&file.name) == Some(wanted)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

struct File {
    path: PathBuf,
    name: String,
    written: Timestamp,
    bytes: u64,
}

fn files(folder: &Path) -> io::Result<Vec<File>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Gone in between: somebody else's work.
        let Ok(data) = entry.metadata() else { continue };
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !data.is_file() || name.starts_with('.') {
            continue;
        }
        let nanos = i128::from(data.mtime()) * 1_000_000_000 + i128::from(data.mtime_nsec());
        let written = Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::UNIX_EPOCH);
        all.push(File { path: entry.path(), name, written, bytes: data.len() });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn rested(folder: &Path, which: &'static str, now: Timestamp) -> Result<Vec<File>, GammuError> {
    let mut all = files(folder).map_err(|source| GammuError::Folder { which, source })?;
    all.retain(|file| now.duration_since(file.written) >= REST);
    Ok(all)
}

fn starts(file: &File, with: &str) -> bool {
    file.name.starts_with(with)
}

fn received(file: &File, zone: &TimeZone, region: Region) -> Result<Heard, &'static str> {
    if file.bytes > MOST_BYTES {
        return Err("too-large");
    }
    let bytes = fs::read(&file.path).map_err(|_| "unreadable")?;
    let told = backup::read(std::str::from_utf8(&bytes).map_err(|_| "unreadable")?, zone)?;
    // The same name comes again once the file is away, and two messages may be alike: when it was written tells them
    // apart, and stays while the file is moved.
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&file.written.as_nanosecond().to_be_bytes());
    context.update(&bytes);
    let reference = format!("in-{}", short(context.finish().as_ref()));
    Ok(Heard::Message(MessageEvent {
        reference: EventId::new(&reference).map_err(|_| "bad-id")?,
        channel: Channel::Sms,
        direction: InteractionDirection::Inbound,
        contacts: party::contacts(Channel::Sms, &told.from, None, "gammu", region),
        line: None,
        text: Some(text::kept(&told.text)).filter(|text: &Clear| !text.expose().is_empty()),
        attachments: Vec::new(),
        agent: None,
        at: told.at,
    }))
}

fn came_further(note: &str, status: MessageStatus, now: Timestamp) -> Result<Heard, &'static str> {
    Ok(Heard::Status(MessageStatusEvent {
        event_id: EventId::new(&format!("{note}.{status}")).map_err(|_| "bad-id")?,
        reference: EventId::new(note).map_err(|_| "bad-id")?,
        status,
        provider_cause: (status == MessageStatus::Failed).then(|| "the modem did not send it".to_owned()),
        at: now,
    }))
}

pub(super) fn short(digest: &[u8]) -> String {
    HEXLOWER.encode(digest.get(..16).unwrap_or(digest))
}
