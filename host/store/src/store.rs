//! A whole store: every aggregate, and what keeps it sound.

use crate::{
    ActivityStore, Answer, CredentialStore, FoldError, InboundStore, InteractionId, InteractionStore,
    LiveStore, OutboxStore, PluginStore, StoreError, StoreHealth, TenantId,
};

/// Every aggregate in one database.
pub trait Store:
    InteractionStore
    + ActivityStore
    + LiveStore
    + PluginStore
    + OutboxStore
    + InboundStore
    + CredentialStore
    + StoreHealth
    + Checking
{
    /// Finishes the work in hand and closes every connection.
    ///
    /// # Errors
    /// When the last work could not be finished.
    fn close(&self) -> Answer<'_, ()>;
}

/// Where a row is not what its events make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The events are no history.
    History {
        /// Of which interaction.
        interaction: InteractionId,
        /// What is wrong.
        error: FoldError,
    },
    /// The row differs.
    Row {
        /// Of which interaction.
        interaction: InteractionId,
    },
    /// The messages differ.
    Messages {
        /// Of which interaction.
        interaction: InteractionId,
    },
    /// What the row is searched by differs: its state, its queue, its times.
    Columns {
        /// Of which interaction.
        interaction: InteractionId,
    },
    /// It does not stand on its customer's timeline as it should.
    Timeline {
        /// Of which interaction.
        interaction: InteractionId,
    },
    /// What is stored cannot be read.
    Unreadable {
        /// Of which interaction.
        interaction: InteractionId,
    },
}

/// What a check saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many interactions.
    pub interactions: u64,
    /// How many events.
    pub events: u64,
    /// What is wrong.
    pub mismatches: Vec<Mismatch>,
}

/// Folds histories again and compares.
pub trait Checking: Send + Sync + 'static {
    /// The tenants that have data here.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tenants(&self) -> Answer<'_, Vec<TenantId>>;

    /// Compares every row of a tenant with what its events make.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn check<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Checked>;

    /// Makes the row, the messages and the place on the timeline of one interaction anew from its events. False when
    /// its events are no history: then nothing is changed, since there is nothing to go by.
    ///
    /// # Errors
    /// When the store cannot be read or written; nothing is changed then.
    fn rebuild<'a>(&'a self, tenant: &'a TenantId, id: InteractionId) -> Answer<'a, bool>;

    /// What the database itself finds wrong: damaged pages, a table without its wall between tenants. Empty when all
    /// is well.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn faults(&self) -> Answer<'_, Vec<String>>;
}

impl Mismatch {
    /// Which interaction it is about.
    pub fn interaction(&self) -> InteractionId {
        match self {
            Self::History { interaction, .. }
            | Self::Row { interaction }
            | Self::Messages { interaction }
            | Self::Columns { interaction }
            | Self::Timeline { interaction }
            | Self::Unreadable { interaction } => *interaction,
        }
    }
}

impl Checked {
    /// Nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.interactions = self.interactions.saturating_add(other.interactions);
        self.events = self.events.saturating_add(other.events);
        self.mismatches.extend(other.mismatches);
        self
    }
}

/// Folds one history and compares it with what is stored of it.
pub(crate) fn compare(
    checked: &mut Checked,
    stored: &crate::Interaction,
    stored_messages: &[crate::Message],
    events: &[crate::EventRecord],
) {
    let interaction = stored.id;
    checked.interactions = checked.interactions.saturating_add(1);
    checked.events = checked.events.saturating_add(events.len() as u64);
    match crate::fold(&stored.tenant, interaction, events) {
        Err(error) => checked.mismatches.push(Mismatch::History { interaction, error }),
        Ok(made) if made.as_ref() != Some(stored) => {
            checked.mismatches.push(Mismatch::Row { interaction });
        }
        Ok(_) => {}
    }
    if crate::fold_messages(events) != stored_messages {
        checked.mismatches.push(Mismatch::Messages { interaction });
    }
}

/// How many interactions a check reads at once.
pub(crate) const CHECK_PAGE: u32 = 200;

/// A failure to read what a check needs is a failure of the check, never a clean bill.
pub(crate) type CheckResult = Result<Checked, StoreError>;
