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
