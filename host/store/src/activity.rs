//! What a source told and when: how it is seen that a line has gone quiet, and what an inventory of the channels says.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{Answer, Channel, Interaction, SourceId, TenantId};

/// When a source was heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The first time, by this host's clock; `None` when never.
    pub first: Option<Timestamp>,
    /// The last time.
    pub last: Option<Timestamp>,
    /// How many events came in each hour, by the hour's beginning in UTC, from the asked time on. An hour in which
    /// nothing came is left out.
    pub by_hour: BTreeMap<Timestamp, u64>,
}

/// What came by a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// How many calls and conversations began since the asked time, by channel.
    pub by_channel: BTreeMap<Channel, u64>,
    /// The latest ones, the newest first.
    pub latest: Vec<Interaction>,
}

/// Asks what sources told. Every question names the tenant whose data it is about.
pub trait ActivityStore: Send + Sync + 'static {
    /// The sources that ever began a call or conversation.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn sources<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<SourceId>>;

    /// When a source was heard; each hour since the given time.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn activity<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        since: Timestamp,
    ) -> Answer<'a, Activity>;

    /// What came by a source: counted since the given time, and the latest ones, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn carried<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        since: Timestamp,
        limit: u32,
    ) -> Answer<'a, Carried>;
}

/// Microseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// The beginning of a time's hour, in UTC.
pub(crate) fn hour_of(at: Timestamp) -> Timestamp {
    let micros = at.as_microsecond();
    Timestamp::from_microsecond(micros.saturating_sub(micros.rem_euclid(HOUR))).unwrap_or(at)
}
