//! Recordings come home: fetched, checked, kept, told, and only then deleted on the exchange.
//!
//! The order is the whole point. A host that is killed between any two of these steps finds the file on the exchange at
//! its next start and goes through all of them again; keeping and telling the same twice changes nothing. So there is
//! no moment at which no copy exists. A recording's name says which it is and of which call, so that nothing else has
//! to be remembered for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use ramal_center::{CallEvent, CallId, EventId, EventKind, RecordingId, RecordingStep};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use uuid::Uuid;

use super::exchange::Teller;
use super::rest::{Ari, AriError};
use super::riff::{Riff, RiffError};
use crate::{RecordingStore, Sound};

/// What names of this host's recordings begin with.
const PREFIX: &str = "ramal-";
/// Asterisk counts whole seconds; more than this apart is worth a word in the log.
const APART_MS: u64 = 2_000;
/// Of the identifiers of events.
const NAMESPACE: Uuid = Uuid::from_u128(0x0d9c_33fd_43a6_4a51_b3a5_4f7a_21d0_6e0f);

/// The name of a recording of a call.
pub(super) fn name(id: RecordingId, call: &CallId) -> String {
    format!("{PREFIX}{}-{}", id.0.simple(), BASE64URL_NOPAD.encode(call.as_str().as_bytes()))
}

/// Which recording a name means, and of which call. `None` for those of others.
fn read(name: &str) -> Option<(RecordingId, CallId)> {
    let (id, call) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let call = String::from_utf8(BASE64URL_NOPAD.decode(call.as_bytes()).ok()?).ok()?;
    Some((RecordingId(Uuid::try_parse(id).ok()?), CallId::new(&call).ok()?))
}

pub(super) fn event(
    call: &CallId,
    recording: RecordingId,
    name: &str,
    step: RecordingStep,
    at: Timestamp,
) -> Option<CallEvent> {
    // What can happen once has one name; a pause is named by its time.
    let id = match step {
        RecordingStep::Started => format!("{name} started"),
        RecordingStep::Ready { .. } => format!("{name} ready"),
        RecordingStep::Deleted => format!("{name} deleted"),
        RecordingStep::Paused => format!("{name} paused {at}"),
        RecordingStep::Resumed => format!("{name} resumed {at}"),
    };
    let event_id = EventId::new(&Uuid::new_v5(&NAMESPACE, id.as_bytes()).to_string()).ok()?;
    Some(CallEvent { event_id, call_id: call.clone(), kind: EventKind::Recording { recording, step }, at })
}

pub(super) struct Parts {
    pub(super) ari: Arc<Ari>,
    pub(super) teller: Teller,
    pub(super) store: Arc<dyn RecordingStore>,
    pub(super) every: Duration,
}

/// The task that fetches. It ends with this.
pub(super) struct Recorder {
    names: mpsc::UnboundedSender<(String, Option<u64>)>,
}

/// Why a recording is still on the exchange.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("{0}")]
    Ari(#[from] AriError),
    #[error("{0}")]
    NotWhole(#[from] RiffError),
    #[error("it could not be kept: {0}")]
    NotKept(std::io::ErrorKind),
    #[error("the center did not take it: {0}")]
    NotTaken(&'static str),
    #[error("the host stops")]
    Stopped,
}

/// How it came out.
#[derive(Debug, PartialEq, Eq)]
enum Fetched {
    Home,
    /// It runs still: its end will be told.
    Runs,
    /// The exchange has no file of it.
    Nothing,
}

impl Recorder {
    pub(super) fn start(parts: Parts) -> Self {
        let (names, wanted) = mpsc::unbounded_channel();
        tokio::spawn(parts.run(wanted));
        Self { names }
    }

    /// Has a recording fetched. `seconds` is how long the exchange says that it is.
    pub(super) fn collect(&self, name: String, seconds: Option<u64>) {
        if read(&name).is_some() {
            // The task ends only with this.
            let _ = self.names.send((name, seconds));
        }
    }
}

impl Parts {
    async fn run(self, mut wanted: mpsc::UnboundedReceiver<(String, Option<u64>)>) {
        let mut waiting: BTreeMap<String, Option<u64>> = BTreeMap::new();
        let mut ticks = interval_at(Instant::now() + self.every, self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due: Vec<(String, Option<u64>)> = tokio::select! {
                name = wanted.recv() => match name {
                    Some(one) => vec![one],
                    None => return,
                },
                _ = ticks.tick() => std::mem::take(&mut waiting).into_iter().collect(),
            };
            for (name, seconds) in due {
                let source = &self.teller.origin.source;
                match self.fetch(&name, seconds).await {
                    Ok(Fetched::Home) => {
                        self.teller.tally.count(source, "recording-kept");
                        waiting.remove(&name);
                    }
                    Ok(Fetched::Runs) => {}
                    Ok(Fetched::Nothing) => {
                        self.teller.tally.count(source, "recording-missing");
                        waiting.remove(&name);
                    }
                    Err(why) => {
                        self.teller.tally.count(source, "recording-waits");
                        tracing::warn!(channel = %source, %why, "a recording stays on the exchange; trying again");
                        waiting.insert(name, seconds);
                    }
                }
            }
        }
    }

    async fn fetch(&self, name: &str, seconds: Option<u64>) -> Result<Fetched, Stuck> {
        let Some((id, call)) = read(name) else { return Ok(Fetched::Nothing) };
        // A file that is still written lies among the stored ones, too.
        if self.ari.is_recording(name).await? {
            return Ok(Fetched::Runs);
        }
        let bytes = match self.ari.sound(name).await {
            Ok(bytes) => bytes,
            Err(AriError::Gone) => return Ok(Fetched::Nothing),
            Err(error) => return Err(error.into()),
        };
        let riff = Riff::read(&bytes)?;
        let said = seconds.map(|s| s.saturating_mul(1000));
        if said.is_some_and(|said| said.abs_diff(riff.duration_ms) > APART_MS) {
            self.teller.tally.count(&self.teller.origin.source, "recording-odd-length");
            tracing::warn!(
                channel = %self.teller.origin.source, said_ms = said, found_ms = riff.duration_ms,
                "a recording is not as long as the exchange says"
            );
        }
        let sound = Sound {
            tenant: self.teller.origin.tenant.clone(),
            recording: id,
            bytes: bytes.as_slice().into(),
        };
        drop(bytes);
        let kept = self.store.put(sound).await.map_err(|error| Stuck::NotKept(error.kind()))?;
        let step = RecordingStep::Ready { duration_ms: riff.duration_ms, digest: Some(kept.digest) };
        if let Some(event) = event(&call, id, name, step, Timestamp::now()) {
            match self.teller.tell(event).await {
                Some(Ok(_)) => {}
                Some(Err(why)) => return Err(Stuck::NotTaken(why.0)),
                None => return Err(Stuck::Stopped),
            }
        }
        self.ari.delete_stored(name).await?;
        Ok(Fetched::Home)
    }
}

#[cfg(test)]
mod tests;
