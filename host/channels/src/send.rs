//! Messages to customers: the one small trait of all adapters that send.

use std::fmt;
use std::future::ready;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ramal_center::{Clear, ContactIdentity, EventId};
use serde_json::{Value, json};
use url::Url;

/// What the references of our own messages begin with. A provider that has a place for them brings them back with the
/// message's status, and is believed only with this before it: the place may hold another system's word.
pub const OUR_REFERENCE: &str = "ramal.";

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// What it says.
    pub content: OutgoingContent,
    /// The customer's message that it answers, by the provider's identifier.
    pub answers: Option<EventId>,
}

impl Outgoing {
    /// A text.
    pub fn text(text: impl Into<Clear>) -> Self {
        Self { content: OutgoingContent::Text(text.into()), answers: None }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum OutgoingContent {
    /// A text.
    Text(Clear),
    /// A file that the provider has or fetches.
    Media(OutgoingMedia),
    /// A text that the provider approved before, with its blanks filled in.
    Template(OutgoingTemplate),
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMedia {
    /// How it is shown.
    pub kind: MediaKind,
    /// Where it is.
    pub place: MediaPlace,
    /// What stands below it.
    pub caption: Option<Clear>,
    /// A document's name.
    pub file_name: Option<Clear>,
}

/// How a file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Something to listen to.
    Audio,
    /// A file to open.
    Document,
    /// A sticker.
    Sticker,
}

impl MediaKind {
    /// The providers' word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

/// Where a file is.
#[derive(Clone, PartialEq, Eq)]
pub enum MediaPlace {
    /// It was uploaded to the provider and has this identifier.
    Id(String),
    /// The provider fetches it from here.
    Link(Url),
}

// A link may be a key to the file.
impl fmt::Debug for MediaPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id(_) => "Id(<personal>)",
            Self::Link(_) => "Link(<personal>)",
        })
    }
}

/// An approved text with its blanks filled in.
#[derive(Clone, PartialEq)]
pub struct OutgoingTemplate {
    /// Its name.
    pub name: String,
    /// Its language: `pt_BR`.
    pub language: String,
    /// What fills the blanks, in the provider's own form.
    pub components: Value,
}

impl OutgoingTemplate {
    /// The components of a template that has blanks in its body only.
    pub fn of_texts(texts: &[String]) -> Value {
        if texts.is_empty() {
            return json!([]);
        }
        let texts: Vec<Value> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
        json!([{"type": "body", "parameters": texts}])
    }
}

// The blanks hold what is about the customer.
impl fmt::Debug for OutgoingTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutgoingTemplate({} {})", self.name, self.language)
    }
}

/// A provider by which messages are sent.
pub trait MessageSender: Send + Sync + 'static {
    /// Hands one message to the provider and says by which identifier the provider has it. `reference` is the caller's
    /// own name for the message ([`OUR_REFERENCE`]): it goes along where the provider has a place for it.
    ///
    /// # Errors
    /// When the provider did not take it, or may not have.
    fn send<'a>(
        &'a self,
        to: &'a ContactIdentity,
        message: &'a Outgoing,
        reference: &'a EventId,
    ) -> BoxFuture<'a, Result<EventId, SendError>>;

    /// The name among a customer's by which this provider sends to them.
    fn address<'c>(&self, contacts: &'c [ContactIdentity]) -> Option<&'c ContactIdentity>;

    /// By which identifier the way of a message will be told
    /// ([`MessageStatusEvent::reference`](ramal_center::MessageStatusEvent)) that is sent with this reference. Known
    /// before it is sent, so that the message can be stored before it goes out.
    fn told_as(&self, reference: &EventId) -> EventId {
        reference.clone()
    }

    /// For how long after a customer's message the company may write freely; `None` where it always may.
    fn window(&self) -> Option<Duration> {
        None
    }

    /// Tells the customer that a message of theirs was read.
    ///
    /// # Errors
    /// When the provider has no such thing, or did not take it.
    fn mark_read<'a>(&'a self, message: &'a EventId) -> BoxFuture<'a, Result<(), SendError>> {
        let _ = message;
        ready(Err(SendError::Unsupported { what: "read receipts" })).boxed()
    }
}

/// Why a message was not sent. Never holds the number or the text.
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
    /// The customer wrote too long ago for a free answer.
    #[error("the customer wrote too long ago for a free answer: {what}; send an approved template")]
    WindowClosed {
        /// The provider's own number or word.
        what: String,
    },
    /// This customer cannot be reached by this provider.
    #[error("the provider cannot reach this customer: {what}")]
    Undeliverable {
        /// The provider's own number or word.
        what: String,
    },
    /// The provider does not accept our token.
    #[error(
        "the provider does not accept the channel's token: {what}; put a new one in its file and restart"
    )]
    Credential {
        /// The provider's own number or word.
        what: String,
    },
    /// The provider has no such kind of message.
    #[error("this provider does not send {what}")]
    Unsupported {
        /// What it does not send.
        what: &'static str,
    },
    /// The customer has no name that this provider sends to.
    #[error("this provider cannot send to this kind of contact")]
    NoAddress,
}

impl SendError {
    /// What stands with a message that failed for it: a provider's number, else a fixed word.
    pub fn cause(&self) -> &str {
        match self {
            Self::Passing { what, .. }
            | Self::Unsure { what }
            | Self::Refused { what }
            | Self::WindowClosed { what }
            | Self::Undeliverable { what }
            | Self::Credential { what } => what,
            Self::Unsupported { .. } => "unsupported",
            Self::NoAddress => "no-address",
        }
    }
}

/// The text of a message, for providers that send nothing else.
pub(crate) fn only_text(message: &Outgoing) -> Result<&Clear, SendError> {
    if message.answers.is_some() {
        return Err(SendError::Unsupported { what: "answers to one message" });
    }
    match &message.content {
        OutgoingContent::Text(text) => Ok(text),
        OutgoingContent::Media(_) => Err(SendError::Unsupported { what: "files" }),
        OutgoingContent::Template(_) => Err(SendError::Unsupported { what: "templates" }),
    }
}
