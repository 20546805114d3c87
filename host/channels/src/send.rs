//! Texts to customers: the one small trait of all adapters that send.

use std::time::Duration;

use futures_util::future::BoxFuture;
use ramal_center::{Clear, ContactIdentity, EventId};

/// A provider by which texts are sent.
pub trait MessageSender: Send + Sync + 'static {
    /// Hands one text to the provider and says by which identifier its further way will be told
    /// ([`MessageStatusEvent::reference`](ramal_center::MessageStatusEvent)). `reference` is the caller's own name for
    /// the message: it goes along where the provider has a place for it.
    ///
    /// # Errors
    /// When the provider did not take it, or may not have.
    fn send<'a>(
        &'a self,
        to: &'a ContactIdentity,
        text: &'a Clear,
        reference: &'a EventId,
    ) -> BoxFuture<'a, Result<EventId, SendError>>;
}

/// Why a text was not sent. Never holds the number or the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not now: the same may be sent again.
    #[error("the provider does not take the message now: {what}; try again")]
    Passing {
        /// What happened.
        what: String,
        /// When the provider wants to be asked again.
        after: Option<Duration>,
    },
    /// Nobody knows whether the provider has it: sent again it may come twice.
    #[error("the provider's answer is lost: {what}; the message may have gone out")]
    Unsure {
        /// What happened.
        what: String,
    },
    /// Never: the same would be refused again.
    #[error("the provider refuses the message: {what}")]
    Refused {
        /// The provider's own number or word.
        what: String,
    },
    /// The customer has no name that this provider sends to.
    #[error("this provider cannot send to this kind of contact")]
    NoAddress,
}
