//! On whose behalf, why, and for which interaction a plugin is called. There is no call without one.

use crate::class::ClassSet;
use crate::ids::{InteractionId, TenantId, UserId};
use crate::purpose::Purpose;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The host itself, because an interaction happened.
    System,
    /// A person, with the classes that this person may see.
    User {
        /// Who.
        id: UserId,
        /// What this person may see. A plugin that acts for a person gets no more than the person has.
        may: ClassSet,
    },
}

/// A stand-in for the data subject that says nothing about who it is: the ledger counts and joins by it. The
/// host derives it with a key that plugins do not have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject(pub String);

/// On whose behalf, why, and for what a plugin is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Whose data.
    pub tenant: TenantId,
    /// Why.
    pub purpose: Purpose,
    /// For which call or conversation; required by the purposes that need one.
    pub interaction: Option<InteractionId>,
    /// By whom.
    pub actor: Actor,
    /// About whom, if known.
    pub subject: Option<Subject>,
    /// When. A grant that has expired by then gives nothing.
    pub at: jiff::Timestamp,
}
