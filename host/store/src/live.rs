//! Live events: what the panel is told, in order, with nothing lost over a reconnect.

use std::fmt;

use jiff::Timestamp;

use crate::{Answer, InteractionId, OutboxBell, TenantId};

/// The place of a live event in its tenant's log. Starts at 1, grows by one, never comes again; 0 is "before all".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LiveId(pub u64);

impl fmt::Display for LiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A live event that has no id yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLive {
    /// What it is: `call`, `card`, `card-none`, `card-failed`.
    pub kind: String,
    /// The call or conversation that it is about.
    pub interaction: Option<InteractionId>,
    /// One JSON object. Holds customers' data.
    pub body: String,
}

/// A live event as it was stored.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveEvent {
    /// Its place in the log.
    pub id: LiveId,
    /// See [`NewLive::kind`].
    pub kind: String,
    /// See [`NewLive::interaction`].
    pub interaction: Option<InteractionId>,
    /// See [`NewLive::body`].
    pub body: String,
    /// When it was stored.
    pub at: Timestamp,
}

// The bodies hold customers' data: neither type prints its own.
impl fmt::Debug for NewLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewLive")
            .field("kind", &self.kind)
            .field("body", &"<personal>")
            .finish_non_exhaustive()
    }
}
impl fmt::Debug for LiveEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveEvent")
            .field("id", &self.id.0)
            .field("kind", &self.kind)
            .field("body", &"<personal>")
            .finish_non_exhaustive()
    }
}

/// Some events of one tenant's log, with the log's ends at the moment of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePage {
    /// The oldest event that is still kept; one past [`Self::last`] when none is.
    pub oldest: LiveId,
    /// The newest id that was given out, 0 when none was.
    pub last: LiveId,
    /// The events after the asked id, oldest first, at most as many as asked for.
    pub events: Vec<LiveEvent>,
}

impl LivePage {
    /// Whether somebody who saw everything up to `after` can go on without a gap. False when events after it were
    /// pruned, and when `after` is from another life of the database.
    pub fn continues(&self, after: LiveId) -> bool {
        after <= self.last && after.0.saturating_add(1) >= self.oldest.0
    }
}

/// Reads the log of live events. What tells of an interaction is written with it: see [`crate::InteractionStore`].
pub trait LiveStore: Send + Sync + 'static {
    /// Rings when another process may have stored events of a tenant, where the database can tell (PostgreSQL does).
    /// What this process stores it hears of from whoever stores it.
    fn live_bell(&self) -> &OutboxBell;

    /// At most `limit` events after `after`, and the ends of the log, all as of one moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn live_after<'a>(&'a self, tenant: &'a TenantId, after: LiveId, limit: u32) -> Answer<'a, LivePage>;

    /// Adds an event that is about no interaction, such as a line that went quiet. Says its place.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is told then.
    fn tell<'a>(&'a self, tenant: &'a TenantId, live: NewLive, at: Timestamp) -> Answer<'a, LiveId>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty_log_from_the_start(1, 0, 0, true)]
    #[case::empty_log_but_an_id_is_known(1, 0, 7, false)]
    #[case::all_kept(1, 5, 0, true)]
    #[case::up_to_date(1, 5, 5, true)]
    #[case::next_is_the_oldest_kept(4, 9, 3, true)]
    #[case::one_was_pruned(4, 9, 2, false)]
    #[case::from_the_future(4, 9, 10, false)]
    #[case::all_pruned_but_up_to_date(10, 9, 9, true)]
    #[case::the_greatest_id_does_not_overflow(4, 9, u64::MAX, false)]
    fn a_reader_goes_on_only_when_nothing_is_missing(
        #[case] oldest: u64,
        #[case] last: u64,
        #[case] after: u64,
        #[case] goes_on: bool,
    ) {
        let page = LivePage { oldest: LiveId(oldest), last: LiveId(last), events: Vec::new() };
        assert_eq!(page.continues(LiveId(after)), goes_on);
    }
}
