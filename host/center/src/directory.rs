//! One connected CRM as the screen pop sees it: the seam to what runs the plugins.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ramal_capability::Seen;
use ramal_numbers::PhoneNumber;
use ramal_store::{InteractionId, PluginId, TenantId};
use tokio::time::Instant;

/// One connected CRM, as the screen pop sees it.
pub trait Directory: Send + Sync + 'static {
    /// Which plugin answers for it.
    fn plugin(&self) -> &PluginId;

    /// Who has this number. The future is dropped at the deadline, so it must be safe to drop at any point.
    fn look_up(&self, ask: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>>;
}

/// What is asked.
#[derive(Clone)]
pub struct LookUp {
    /// For whom.
    pub tenant: TenantId,
    /// The call that the question belongs to.
    pub interaction: InteractionId,
    /// The caller's number.
    pub number: PhoneNumber,
    /// After this nobody waits any more.
    pub deadline: Instant,
}

impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookUp")
            .field("tenant", &self.tenant)
            .field("interaction", &self.interaction)
            .field("number", &"<personal>")
            .finish_non_exhaustive()
    }
}

/// What was found. No card at all is an answer too.
#[derive(Clone, Default)]
pub struct Found {
    /// The contacts with this number, the best match first.
    pub cards: Vec<Card>,
    /// What the plugin could see on the way.
    pub seen: Vec<Seen>,
    /// How long the plugin took.
    pub took: Duration,
    /// How many requests it sent to the CRM.
    pub requests: u32,
}

// A card is a customer: only its shape is printed.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("cards", &self.cards.len())
            .field("seen", &self.seen)
            .field("took", &self.took)
            .field("requests", &self.requests)
            .finish()
    }
}

/// A contact in the CRM, opened for the panel.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// The CRM's identifier.
    pub id: String,
    /// The name.
    pub name: String,
    /// The company.
    pub organization: Option<String>,
    /// Numbers, as a person reads them.
    pub phones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Who looks after the contact.
    pub owner: Option<String>,
    /// Where a person opens it in the CRM.
    pub url: Option<String>,
    /// The open deals and tickets.
    pub deals: Vec<Deal>,
    /// More fields, by label.
    pub extra: Vec<(String, String)>,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(<personal>)")
    }
}

/// An open deal or ticket.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Deal {
    /// `deal`, `ticket`, or the CRM's own word.
    pub kind: String,
    /// The CRM's identifier.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// The CRM's word for where it stands.
    pub stage: Option<String>,
    /// The amount with its currency, as the CRM writes it.
    pub amount: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Where a person opens it in the CRM.
    pub url: Option<String>,
}

impl fmt::Debug for Deal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deal(<personal>)")
    }
}

/// Why there is no answer. The texts are for operators and hold no customer's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookUpFailure {
    /// The grant does not allow what the plugin tried.
    #[error("denied: {0}")]
    Denied(String),
    /// The CRM did not answer, or not well.
    #[error("the CRM is unavailable: {0}")]
    Unavailable(String),
    /// No answer within the deadline.
    #[error("no answer within the deadline")]
    Timeout,
    /// The CRM no longer takes the credential.
    #[error("the CRM refused the credential: connect it again")]
    AuthExpired,
    /// The CRM wants fewer requests; it said after how many seconds to come again.
    #[error("the CRM limits the rate of requests")]
    RateLimited(Option<u32>),
    /// The plugin does not look up numbers.
    #[error("the plugin does not look up numbers")]
    NotSupported,
    /// The plugin or the host failed.
    #[error("the plugin failed: {0}")]
    Broken(String),
}
