//! Who sends, and what becomes of it.
//!
//! A message that the provider does not take now is tried again for some minutes, with waits that grow as Meta asks for
//! (four times as long each time). One whose answer was lost is not: it may have gone out, and a customer who reads the
//! same twice is worse off than an agent who looks twice. It stays `queued` until its status comes or a person decides.
//! A process that ends meanwhile leaves such messages `queued` too; the same request again then sends them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use ramal_center::{
    Center, ContactIdentity, EventId, MessageStatus, MessageStatusEvent, Origin, SourceId, TenantId,
};
use ramal_channels::{FileFetcher, FileFolder, MessageSender, Outgoing, SendError};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::events::chain;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// How long a client waits for the provider; a message goes its way all the same.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a message is tried that the provider does not take now: after 1, 4, 16, 64 and 256 seconds.
const TRIES: u32 = 6;
/// The longest wait that a provider may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What sends for one channel.
#[derive(Clone)]
pub struct Line {
    /// Sends messages.
    pub sender: Arc<dyn MessageSender>,
    /// Fetches files that came, where there are any.
    pub files: Option<Arc<dyn FileFetcher>>,
}

/// The channels that messages can be sent by.
#[derive(Default)]
pub struct MessageDesk {
    lines: HashMap<SourceId, (TenantId, Line)>,
    folder: Option<FileFolder>,
    /// Messages that somebody is sending, and those whose answer was lost.
    held: Arc<Mutex<HashSet<(OfChannel, EventId)>>>,
}

/// Whose channel.
type OfChannel = (TenantId, SourceId);

/// One message on its way.
pub(crate) struct Order {
    pub(crate) origin: Origin,
    pub(crate) line: Line,
    pub(crate) to: ContactIdentity,
    pub(crate) outgoing: Outgoing,
    pub(crate) reference: EventId,
    pub(crate) told_as: EventId,
}

/// What became of it, as far as a client waits.
pub(crate) enum Outcome {
    Sent,
    /// Why it is still queued.
    Waits(String),
    Failed(SendError),
}

impl Outcome {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Sent => "out-sent",
            Self::Waits(_) => "out-queued",
            Self::Failed(_) => "out-failed",
        }
    }
}

impl MessageDesk {
    /// One more channel.
    pub fn add(&mut self, origin: Origin, line: Line) {
        self.lines.insert(origin.source, (origin.tenant, line));
    }

    /// Where files are put that were fetched; without this none are.
    pub fn keep_files(&mut self, folder: FileFolder) {
        self.folder = Some(folder);
    }

    pub(crate) fn folder(&self) -> Option<&FileFolder> {
        self.folder.as_ref()
    }

    pub(crate) fn line(&self, tenant: &TenantId, source: &SourceId) -> Result<&Line, Problem> {
        let found = self.lines.get(source).filter(|(owner, _)| owner == tenant);
        found.map(|(_, line)| line).ok_or_else(|| {
            Problem::new(ProblemCode::ChannelOnlyReceives, "nothing can be sent by the channel of this conversation")
                .hint("give the channel in ramal.toml what it sends with: `access-token-file` for `whatsapp`, `from` for `twilio`; a mapped provider only tells")
        })
    }
}

impl AppState {
    /// Sends a message that is stored, and waits a while for what becomes of it.
    pub(crate) async fn send(&self, order: Order) -> Outcome {
        let held = Arc::clone(&self.channels().messages().held);
        let key = ((order.origin.tenant.clone(), order.origin.source.clone()), order.told_as.clone());
        if !held.lock().insert(key.clone()) {
            return Outcome::Waits(
                "it is being sent, or the provider's answer was lost: its status will tell".to_owned(),
            );
        }
        let (told, outcome) = oneshot::channel();
        let state = self.clone();
        tokio::spawn(async move {
            let source = order.origin.source.clone();
            let outcome = go(&state, order).await;
            state.metrics().channel(&source, outcome.word());
            // What may have gone out is kept from being sent again.
            if !matches!(outcome, Outcome::Waits(_)) {
                held.lock().remove(&key);
            }
            // Nobody may wait any more.
            let _ = told.send(outcome);
        });
        match timeout(PATIENCE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::Waits("a defect in ramal: the log says more".to_owned()),
            Err(_) => Outcome::Waits(
                "the provider does not take it now; it is tried again for some minutes".to_owned(),
            ),
        }
    }
}

async fn go(state: &AppState, order: Order) -> Outcome {
    let Order { origin, line, to, outgoing, reference, told_as } = order;
    let mut wait = Duration::from_secs(1);
    let mut stop = state.stop();
    for n in 1..=TRIES {
        let error = match line.sender.send(&to, &outgoing, &reference).await {
            Ok(id) => {
                // Gammu and a lost name have no other one; a notice needs one of its own.
                let id = if id == told_as { named(&told_as, "sent") } else { id };
                tell(state.center(), &origin, told_as, id, MessageStatus::Sent, None).await;
                return Outcome::Sent;
            }
            Err(error) => error,
        };
        match error {
            SendError::Passing { after, .. } if n < TRIES => {
                let pause = after.unwrap_or_default().clamp(wait, LONGEST_WAIT);
                tracing::info!(channel = %origin.source, %error, seconds = pause.as_secs(), "a message waits");
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => {
                        return Outcome::Waits("ramal is shutting down; send the same request again".to_owned());
                    }
                    () = sleep(pause) => {}
                }
                wait = wait.saturating_mul(4);
            }
            SendError::Unsure { .. } => {
                tracing::warn!(channel = %origin.source, %error, "nobody knows whether a message went out");
                return Outcome::Waits(error.to_string());
            }
            error => {
                tracing::warn!(channel = %origin.source, %error, "a message was not sent");
                let id = named(&told_as, "failed");
                let cause = Some(error.cause().to_owned());
                tell(state.center(), &origin, told_as, id, MessageStatus::Failed, cause).await;
                return Outcome::Failed(error);
            }
        }
    }
    Outcome::Waits("the provider did not take it; send the same request again".to_owned())
}

fn named(reference: &EventId, word: &str) -> EventId {
    EventId::new(&format!("{}.out-{word}", reference.as_str())).unwrap_or_else(|_| reference.clone())
}

/// Writes what became of a message into its history; the provider's identifier stands there as the cause.
async fn tell(
    center: &Center,
    origin: &Origin,
    reference: EventId,
    event_id: EventId,
    status: MessageStatus,
    provider_cause: Option<String>,
) {
    let event = MessageStatusEvent { event_id, reference, status, provider_cause, at: Timestamp::now() };
    if let Err(error) = center.message_status(origin.clone(), event).await {
        tracing::error!(channel = %origin.source, error = %chain(&error), "what became of a message was not stored; its status will tell");
    }
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        let (code, hint) = match &error {
            SendError::WindowClosed { .. } => (ProblemCode::WindowClosed, "send an approved template"),
            SendError::Undeliverable { .. } | SendError::NoAddress => {
                (ProblemCode::ContactNotReachable, "reach the customer by another channel")
            }
            SendError::Unsupported { .. } => {
                (ProblemCode::ChannelOnlyReceives, "send what this channel has, a text")
            }
            SendError::Credential { .. } => (
                ProblemCode::MessageNotSent,
                "make a new token at the provider, put it into its file, and restart",
            ),
            SendError::Passing { .. } | SendError::Unsure { .. } => {
                (ProblemCode::MessageNotSent, "try again in a while")
            }
            SendError::Refused { .. } => {
                (ProblemCode::MessageNotSent, "look the number up in the provider's list of errors")
            }
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}
