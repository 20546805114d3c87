//! What can be asked of a call: the one small trait between the API and whoever has the call.
//!
//! Not every provider that tells of a call can do something with it, and not every call of an exchange is this host's
//! to touch. So each order may end in "no": [`ControlError`] says why in words for people.

use futures_util::future::BoxFuture;
use ramal_center::{CallId, Clear, EventId, InteractionId, PhoneNumber};

/// An order for a call that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// It is to end.
    HangUp,
    /// The customer is to wait and hears music.
    Hold,
    /// The talk goes on.
    Resume,
    /// It is handed on.
    Transfer(Transfer),
    /// The agent is not heard.
    Mute,
    /// The agent is heard again.
    Unmute,
    /// The talk is recorded, or no longer.
    Record(RecordOrder),
}

/// How a call is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transfer {
    /// The agent leaves at once; the customer waits until somebody answers.
    Blind(TransferTo),
    /// The customer waits while the agent asks somebody.
    Ask(TransferTo),
    /// Whoever was asked takes the customer; the agent leaves.
    Complete,
    /// Whoever was asked leaves; the talk with the customer goes on.
    Cancel,
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTo {
    /// An agent, by name or extension.
    Agent(Clear),
    /// Somebody outside.
    Number(PhoneNumber),
}

/// What is to become of the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOrder {
    /// It begins.
    Start,
    /// It stands still: nothing that is said goes into the file.
    Pause,
    /// It goes on.
    Resume,
    /// It is over, the call goes on.
    Stop,
}

/// A call that is to be made: the agent is rung first, then the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// The client's identifier of the request: the same is the same call.
    pub id: EventId,
    /// Who calls, by name or extension.
    pub agent: Clear,
    /// Who is called.
    pub to: PhoneNumber,
}

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The call is over, or its provider does not know it any more.
    #[error("the call is over")]
    Over,
    /// The provider has the call, but it is not this host's to touch.
    #[error("the exchange has this call in its dialplan and lets only the dialplan do this: {0}")]
    NotOurs(&'static str),
    /// The call does not stand as the order needs it.
    #[error("the call does not stand so that this can be done: {0}")]
    WrongState(&'static str),
    /// Nobody has that name.
    #[error("nobody of this name can be rung: name an agent of the channel's `agents`")]
    UnknownAgent,
    /// The channel cannot dial.
    #[error("this channel dials no numbers: give it `dial` in ramal.toml")]
    NoTrunk,
    /// The provider cannot be asked at this moment.
    #[error("the exchange is not connected")]
    Offline,
    /// The provider refused or failed.
    #[error("the exchange did not do it: {0}")]
    Refused(String),
    /// The change could not be kept.
    #[error("it was not stored: {0}")]
    NotStored(&'static str),
}

/// Whoever can do something with calls.
pub trait CallControl: Send + Sync + 'static {
    /// Makes a call. When this returns, the call is known and the agent's telephone is about to ring.
    ///
    /// # Errors
    /// When it was not made.
    fn dial(&self, dial: Dial) -> BoxFuture<'_, Result<InteractionId, ControlError>>;

    /// Carries an order out.
    ///
    /// # Errors
    /// When it was not.
    fn act(&self, call: CallId, order: Order) -> BoxFuture<'_, Result<(), ControlError>>;
}
