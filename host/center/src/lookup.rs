//! The look-ups of all calls of a tenant: what was just asked is not asked again.
//!
//! A call that is routed, rings, is transferred and rings again asks the same CRMs for the same number within seconds,
//! and a queue rings many telephones at once. CRMs count requests (some a few in a second), and answer the later ones
//! later. So the same question at the same moment is one request, whose answer all get, and an answer is kept for a
//! short while.
//!
//! What is kept are customers' values: in memory only, for minutes, bounded in number and size, and dropped when the
//! CRM says that something changed ([`Center::forget_contact`](crate::Center::forget_contact)), when the grant under
//! which they were read is over or another one ([`Standing`]), and when other directories are connected.

mod ambiguity;
mod matching;
mod once;
mod people;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ramal_numbers::PhoneNumber;
use ramal_store::{PluginId, TenantId};
use tokio::time::Instant;

pub use ambiguity::Ambiguity;
pub(crate) use ambiguity::{by_history, by_owner, last_of};
pub use matching::Candidate;
pub(crate) use matching::linked;
pub use people::{Agent, CrmPerson};
pub(crate) use people::{Agents, Aliases};

use crate::{Directory, Found, LookUp, LookUpFailure};
use once::{Asked, Once};

/// How the answers of the CRMs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remember {
    /// For how long a contact.
    pub found: Duration,
    /// For how long that nobody has the number: a contact that somebody makes during the call is to be found soon.
    pub none: Duration,
    /// For how long who the CRM's own users are.
    pub people: Duration,
    /// How many answers at most, of all tenants.
    pub most: usize,
    /// How many bytes of values one answer may have to be kept.
    pub most_bytes: usize,
}

impl Default for Remember {
    fn default() -> Self {
        Self {
            found: Duration::from_secs(120),
            none: Duration::from_secs(20),
            people: Duration::from_secs(600),
            most: 4096,
            most_bytes: 64 * 1024,
        }
    }
}

/// Under which rights a directory answers. Another value is another grant: what was read under the one before is not
/// shown any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing(pub u64);

/// What is to be forgotten of what a plugin answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Forget {
    /// What it said about a number.
    Number(PhoneNumber),
    /// What it said about a contact, by the CRM's identifier. That nobody has a number is forgotten too: the contact
    /// may have it now.
    Contact(String),
    /// Everything.
    All,
}

// The CRM's identifiers lead to customers.
impl fmt::Debug for Forget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number(_) => "Number(<personal>)",
            Self::Contact(_) => "Contact(<personal>)",
            Self::All => "All",
        })
    }
}

/// Which question. Prints no number: [`PhoneNumber`] shows none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    tenant: TenantId,
    plugin: PluginId,
    number: PhoneNumber,
}

/// A plugin of a tenant.
type Account = (TenantId, PluginId);

/// An answer, and whether it was known already.
pub(crate) struct Heard {
    pub(crate) found: Arc<Found>,
    pub(crate) cached: bool,
}

/// The look-ups that are under way, and the answers that are kept.
pub(crate) struct LookUps {
    contacts: Arc<Once<Question, Found>>,
    people: Arc<Once<Account, Vec<CrmPerson>>>,
    remember: Remember,
}

impl LookUps {
    pub(crate) fn new(remember: Remember) -> Self {
        Self {
            contacts: Arc::new(Once::new(remember.most)),
            people: Arc::new(Once::new(remember.most)),
            remember,
        }
    }

    /// Asks a directory, or hears what it just said. Waits until `patience` is over; the question itself goes on to
    /// its own deadline, since whoever asks next will want to know.
    pub(crate) async fn ask(
        &self,
        directory: &Arc<dyn Directory>,
        ask: LookUp,
        patience: Instant,
    ) -> Result<Heard, LookUpFailure> {
        let question = Question {
            tenant: ask.tenant.clone(),
            plugin: directory.plugin().clone(),
            // Every spelling of one line is one question.
            number: ask.number.canonical(),
        };
        let remember = self.remember;
        let keep = move |found: &Found| match found.cards.is_empty() {
            true => Some(remember.none),
            false => (found.bytes() <= remember.most_bytes).then_some(remember.found),
        };
        let asked = Asked { standing: directory.standing(), deadline: ask.deadline, patience };
        let directory = Arc::clone(directory);
        let (found, cached) =
            self.contacts.get(question, asked, keep, async move { directory.look_up(ask).await }).await?;
        Ok(Heard { found, cached })
    }

    /// The CRM's own users.
    pub(crate) async fn people(
        &self,
        directory: &Arc<dyn Directory>,
        tenant: &TenantId,
        deadline: Instant,
        patience: Instant,
    ) -> Result<Arc<Vec<CrmPerson>>, LookUpFailure> {
        let account = (tenant.clone(), directory.plugin().clone());
        let keep = self.remember.people;
        let asked = Asked { standing: directory.standing(), deadline, patience };
        let (directory, tenant) = (Arc::clone(directory), tenant.clone());
        let ask = async move { directory.people(tenant).await };
        Ok(self.people.get(account, asked, move |_| Some(keep), ask).await?.0)
    }

    pub(crate) fn forget(&self, tenant: &TenantId, plugin: &PluginId, what: &Forget) {
        let of = |question: &Question| question.tenant == *tenant && question.plugin == *plugin;
        match what {
            Forget::Number(number) => {
                let number = number.canonical();
                self.contacts.forget(|question, _| of(question) && question.number == number);
            }
            // An answer that is still on its way may be about the contact as it was.
            Forget::Contact(id) => self.contacts.forget(|question, found| {
                let concerned =
                    |found: &Found| found.cards.is_empty() || found.cards.iter().any(|card| card.id == *id);
                of(question) && found.is_none_or(concerned)
            }),
            Forget::All => {
                self.contacts.forget(|question, _| of(question));
                self.people.forget(|(t, p), _| t == tenant && p == plugin);
            }
        }
    }

    pub(crate) fn forget_everything(&self) {
        self.contacts.forget(|_, _| true);
        self.people.forget(|_, _| true);
    }

    /// Drops what is too old, so that nothing stays only because nobody calls.
    pub(crate) fn sweep(&self) {
        self.contacts.sweep();
        self.people.sweep();
    }
}
