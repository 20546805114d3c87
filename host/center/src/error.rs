//! Why an event was not taken.

use ramal_store::{EndCause, InteractionState, StoreError};

/// Why an event was not taken. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum CenterError {
    /// The first that was heard of the call is not that it rings.
    #[error("`{kind}` came for a call that is not known here: send `ringing` with this call id first")]
    UnknownCall {
        /// What came.
        kind: &'static str,
    },
    /// There is no such interaction.
    #[error("there is no such call or conversation")]
    UnknownInteraction,
    /// The tenant has no such plugin that looks numbers up.
    #[error("no plugin of this name looks numbers up here: take the name from the card that was shown")]
    UnknownPlugin,
    /// The tenant has no such plugin that keeps a journal.
    #[error(
        "no plugin of this name keeps a journal here: `GET /v1/plugins` lists them, and the grant says what for"
    )]
    NoJournal,
    /// An address that a person is to open, and that is none of a web page.
    #[error("`url` is no address of a web page: it starts with https:// or http://, or is left out")]
    NoWebPage,
    /// A status came for a message that is not known.
    #[error("a status came for a message that is not known here: send the message first")]
    UnknownMessage,
    /// The event contradicts where the call stands.
    #[error(
        "the call is {from}, it cannot become {to}: a call goes from ringing to answered to ended, or from ringing to ended; use a new call id for a new call"
    )]
    WrongTransition {
        /// Where the call stands.
        from: InteractionState,
        /// What the event says.
        to: InteractionState,
    },
    /// The event can happen to a call only, or to a conversation only.
    #[error(
        "`{kind}` cannot happen to this kind of interaction: calls ring and are answered, conversations have messages"
    )]
    WrongKind {
        /// What came.
        kind: &'static str,
    },
    /// The call was answered, so it cannot have been missed.
    #[error(
        "the call is {from}, it cannot become ended as `{cause}`: end a call that was answered as `completed` or `failed`"
    )]
    WrongCause {
        /// Where the call stands.
        from: InteractionState,
        /// What the event says.
        cause: EndCause,
    },
    /// A message without anybody whom it is from or to.
    #[error("a message names nobody: give at least one identity of the customer")]
    Nobody,
    /// A text is too long or holds what no text may.
    #[error(
        "`{field}` is a text of at most {longest} bytes without control characters but line breaks and tabs"
    )]
    BadText {
        /// Which.
        field: &'static str,
        /// The limit.
        longest: usize,
    },
    /// One event id for two calls.
    #[error("this event id was used for another call of the same source: give each event an id of its own")]
    EventIdReused,
    /// One request id for two requests.
    #[error(
        "this key was used for another request: give each request a key of its own, and the same one only to its repetitions"
    )]
    RequestIdReused,
    /// Too many events of one call came at the same moment.
    #[error("too many events of this call came at the same moment: send the event again")]
    Contended,
    /// The host is going down.
    #[error("ramal is shutting down: send the event again in a moment")]
    ShuttingDown,
    /// A defect of the host.
    #[error(
        "the event was not handled because of a defect in ramal: send it again, and report the log's lines around it"
    )]
    Broken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CenterError {
    /// A fixed word for logs, metrics and the problem's type.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCall { .. } => "call-unknown",
            Self::UnknownInteraction => "interaction-unknown",
            Self::UnknownPlugin => "plugin-unknown",
            Self::NoJournal => "no-journal",
            Self::NoWebPage => "no-web-page",
            Self::UnknownMessage => "message-unknown",
            Self::WrongTransition { .. } => "wrong-transition",
            Self::WrongKind { .. } => "wrong-kind",
            Self::WrongCause { .. } => "wrong-cause",
            Self::Nobody => "nobody",
            Self::BadText { .. } => "bad-text",
            Self::EventIdReused => "event-id-reused",
            Self::RequestIdReused => "request-id-reused",
            Self::Contended => "contended",
            Self::ShuttingDown => "shutting-down",
            Self::Broken => "broken",
            Self::Store(_) => "store-failed",
        }
    }
}
