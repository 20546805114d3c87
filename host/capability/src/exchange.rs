//! The words between guest and way out: what is asked, what is answered, why not.

use serde::{Deserialize, Serialize};

use crate::denial::Denial;

/// One request as the guest names it: a route and values, no HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct EgressCall {
    /// The route's name.
    pub route: String,
    /// Parameters by name; texts may hold seals.
    pub params: Vec<(String, String)>,
    /// A JSON body; texts in it may hold seals.
    pub body: Option<String>,
}

/// What the guest gets back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The projected JSON.
    pub body: String,
}

/// Why there is no answer. Never holds a customer's value nor the CRM's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressFailure {
    /// A rule forbids it; nothing was sent.
    #[error("{0}")]
    Denied(#[from] Denial),
    /// No connection, a broken one, a 5xx, or an answer that is not what the route says.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// No answer in time.
    #[error("no answer in the time that the grant allows")]
    Timeout,
    /// The answer is larger or deeper than the grant allows.
    #[error("the answer is larger than the grant allows")]
    TooLarge,
    /// 429, or the grant's own rate; seconds to wait if known.
    #[error("too many requests")]
    RateLimited(Option<u32>),
    /// A person must act: the CRM said 401, or there is no secret that could be sent.
    #[error("the credential is missing or no longer accepted")]
    AuthExpired,
}

impl EgressFailure {
    /// What a status means before anything is read of the answer: some never reach a plugin. `waits` is whether the
    /// answer has a `Retry-After`, and `seconds` what it says if that can be read.
    ///
    /// # Errors
    /// For 401, 407, 429, a 503 that says when to come again, every redirect and every other 5xx.
    pub fn judge(status: u16, waits: bool, seconds: Option<u32>) -> Result<(), Self> {
        match status {
            401 => Err(Self::AuthExpired),
            407 => Err(Self::Unavailable("the CRM answered 407: a proxy stands before it".to_owned())),
            429 => Err(Self::RateLimited(seconds)),
            503 if waits => Err(Self::RateLimited(seconds)),
            300..=399 => Err(Self::Unavailable(format!("redirect refused: the CRM answered {status}"))),
            200..=299 | 400..=499 => Ok(()),
            other => Err(Self::Unavailable(format!("the CRM answered {other}"))),
        }
    }
}
