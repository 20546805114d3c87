//! One connected CRM as the screen pop sees it: the seam to what runs the plugins.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ramal_capability::Seen;
use ramal_numbers::PhoneNumber;
use ramal_store::{InteractionId, PluginId, TenantId};
use tokio::time::Instant;

use crate::{CrmPerson, Standing};

/// One connected CRM, as the screen pop sees it.
pub trait Directory: Send + Sync + 'static {
    /// Which plugin answers for it.
    fn plugin(&self) -> &PluginId;

    /// Who has this number. The future is dropped at the deadline, so it must be safe to drop at any point.
    fn look_up(&self, ask: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>>;

    /// The CRM's own users, by whom owners of contacts are known. May be dropped at any point, too.
    fn people(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<CrmPerson>, LookUpFailure>> {
        let _ = tenant;
        Box::pin(async { Err(LookUpFailure::NotSupported) })
    }

    /// Under which rights it answers at the moment: another grant is another value. `None` when there are none; then
    /// nothing that it said before is shown. Whoever can lose a right must say so here.
    fn standing(&self) -> Option<Standing> {
        Some(Standing::default())
    }
}

/// What is asked.
#[derive(Clone)]
pub struct LookUp {
    /// For whom.
    pub tenant: TenantId,
    /// The call that the question belongs to: the first one, when several wait for the answer.
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

impl Found {
    /// About how many bytes of values it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.cards.iter().map(Card::bytes).sum()
    }
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

impl Card {
    fn bytes(&self) -> usize {
        let some = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let all = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        let deal = |deal: &Deal| {
            let texts = [&deal.stage, &deal.amount, &deal.owner, &deal.url];
            deal.kind.len() + deal.id.len() + deal.title.len() + texts.map(some).into_iter().sum::<usize>()
        };
        let texts = [&self.organization, &self.owner, &self.url];
        self.id.len()
            + self.name.len()
            + texts.map(some).into_iter().sum::<usize>()
            + all(&self.phones)
            + all(&self.emails)
            + self.deals.iter().map(deal).sum::<usize>()
            + self.extra.iter().map(|(label, value)| label.len() + value.len()).sum::<usize>()
    }
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
