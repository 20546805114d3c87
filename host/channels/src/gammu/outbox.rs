//! Texts by the modem: one file in smsd's outbox for each, under the name by which smsd knows the recipient.
//!
//! `OUT<priority><date>_<time>_<serial>_<number>_<note>.txt`, <https://docs.gammu.org/smsd/files.html>. The note holds a
//! digest of the caller's reference: a message that is sent again while it is anywhere in the folders is not written
//! twice, and its result is known by it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use aws_lc_rs::digest;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ramal_center::{Clear, ContactIdentity, ContactKind, EventId};

use super::blocking;
use super::folders::{GammuFolders, short};
use crate::send::only_text;
use crate::{MessageSender, Outgoing, SendError};

/// What the note of our messages begins with; it has no dot, since what follows the last dot are smsd's options.
const OURS: &str = "ramal-";
/// Ten parts of 67 characters, the most that every network joins again.
const LONGEST: usize = 670;

/// Sends texts by one smsd.
#[derive(Debug, Clone)]
pub struct GammuSender(GammuFolders);

impl GammuSender {
    /// Sends by the smsd of these folders.
    pub fn new(folders: GammuFolders) -> Self {
        Self(folders)
    }
}

impl MessageSender for GammuSender {
    fn send<'a>(
        &'a self,
        to: &'a ContactIdentity,
        message: &'a Outgoing,
        reference: &'a EventId,
    ) -> BoxFuture<'a, Result<EventId, SendError>> {
        async move {
            let (folders, to, text) = (self.0.clone(), to.clone(), only_text(message)?.clone());
            let note = name(reference);
            let id = EventId::new(&note).map_err(|_| SendError::NoAddress)?;
            let written = blocking(move || write(&folders, &to, &text, &note, Timestamp::now())).await;
            let gone = |_| SendError::Passing { what: "ramal is shutting down".to_owned(), after: None };
            written.map_err(gone)??;
            Ok(id)
        }
        .boxed()
    }

    fn address<'c>(&self, contacts: &'c [ContactIdentity]) -> Option<&'c ContactIdentity> {
        contacts.iter().find(|contact| contact.kind == ContactKind::Phone)
    }

    /// smsd brings back the note of the file alone.
    fn told_as(&self, reference: &EventId) -> EventId {
        EventId::new(&name(reference)).unwrap_or_else(|_| reference.clone())
    }
}

fn write(
    folders: &GammuFolders,
    to: &ContactIdentity,
    text: &Clear,
    note: &str,
    now: Timestamp,
) -> Result<(), SendError> {
    let number = to.value().expose();
    let is_number = number.len() <= 16 && number.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit());
    if to.kind != ContactKind::Phone || !is_number {
        return Err(SendError::NoAddress);
    }
    let units: Vec<u16> = text.expose().encode_utf16().collect();
    if units.is_empty() || units.len() > LONGEST {
        return Err(SendError::Refused { what: format!("a short message has 1 to {LONGEST} characters") });
    }
    let passing = |error: io::Error| SendError::Passing {
        what: format!("the outbox of gammu-smsd cannot be used: {}", error.kind()),
        after: None,
    };
    if folders.holds(note).map_err(passing)? {
        return Ok(());
    }
    // With a mark of its byte order: without one smsd takes the bytes for single letters.
    let bytes: Vec<u8> = [0xfeff].into_iter().chain(units).flat_map(u16::to_be_bytes).collect();
    let name = format!("OUTM{}_00_{number}_{note}.txt", now.strftime("%Y%m%d_%H%M%S"));
    put(folders, note, &name, &bytes).map_err(passing)
}

/// Whole or not at all: smsd looks at every moment.
fn put(folders: &GammuFolders, note: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = folders.outbox.join(format!(".{note}"));
    // Readable for smsd, which is another user; the folder keeps strangers out.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o660).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, folders.outbox.join(name))
}

fn name(reference: &EventId) -> String {
    format!("{OURS}{}", short(digest::digest(&digest::SHA256, reference.as_str().as_bytes()).as_ref()))
}

/// The note of one of our messages, from its file's name; whatever smsd or Ramal added behind `.txt`.
pub(super) fn note(file: &str) -> Option<&str> {
    let (stem, _) = file.strip_prefix("OUT")?.split_once('.')?;
    let note = stem.rsplit('_').next()?;
    let digits = note.strip_prefix(OURS)?;
    (digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(note)
}
