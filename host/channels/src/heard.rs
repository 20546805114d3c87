//! What an adapter heard, and its way into the center.

use ramal_center::{
    CallEvent, Center, CenterError, Handled, MessageEvent, MessageStatusEvent, Origin, SourceId,
};

/// One thing that a provider told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something happened to a call.
    Call(CallEvent),
    /// A message was written.
    Message(MessageEvent),
    /// A message came further.
    Status(MessageStatusEvent),
}

/// Why something that was told changed nothing. It would be no better the next time, so the provider is thanked
/// all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Setback(
    /// A fixed word, for counters.
    pub &'static str,
);

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is stored.
    Stored(Handled),
    /// It was known.
    Repeated(Handled),
    /// It cannot be placed.
    PassedOver(Setback),
}

/// Counts what channels tell that have a task of their own.
pub trait ChannelTally: Send + Sync + 'static {
    /// One more, by a fixed word: `stored`, `repeated`, or why it changed nothing.
    fn count(&self, channel: &SourceId, outcome: &'static str);
}

/// Hands one thing to the center. When this returns `Ok`, it is stored or will never be.
///
/// # Errors
/// When it was not stored and may be the next time: the provider has to send it again.
pub async fn take(center: &Center, origin: &Origin, heard: Heard) -> Result<Taken, CenterError> {
    let handled = match heard {
        Heard::Call(event) => center.handle(origin.clone(), event).await,
        Heard::Message(event) => center.record_message(origin.clone(), event).await,
        Heard::Status(event) => center.message_status(origin.clone(), event).await,
    };
    match handled {
        Ok(handled) if handled.repeated => Ok(Taken::Repeated(handled)),
        Ok(handled) => Ok(Taken::Stored(handled)),
        Err(error) if is_passing(&error) => Err(error),
        Err(error) => Ok(Taken::PassedOver(Setback(error.code()))),
    }
}

fn is_passing(error: &CenterError) -> bool {
    matches!(
        error,
        CenterError::Store(_) | CenterError::Contended | CenterError::ShuttingDown | CenterError::Broken
    )
}
