//! What sources told and when.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{MemoryStore, READING};
use crate::activity::hour_of;
use crate::{Activity, ActivityStore, Answer, Carried, Interaction, SourceId, TenantId};

impl ActivityStore for MemoryStore {
    fn sources<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<SourceId>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let all: BTreeSet<&SourceId> = state.of(tenant).map(|i| &i.source).collect();
                all.into_iter().cloned().collect()
            })
        })
    }

    fn activity<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        since: Timestamp,
    ) -> Answer<'a, Activity> {
        Box::pin(async move {
            self.with(READING, |state| {
                let mut activity = Activity::default();
                let of = state.receipts.iter().filter(|((t, s, _), _)| t == tenant && s == source);
                for at in of.map(|(_, taken)| &taken.at) {
                    activity.first = Some(activity.first.map_or(*at, |first| first.min(*at)));
                    activity.last = activity.last.max(Some(*at));
                    if *at >= since {
                        let count = activity.by_hour.entry(hour_of(*at)).or_default();
                        *count = count.saturating_add(1);
                    }
                }
                activity
            })
        })
    }

    fn carried<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        since: Timestamp,
        limit: u32,
    ) -> Answer<'a, Carried> {
        Box::pin(async move {
            self.with(READING, |state| {
                let mut carried = Carried::default();
                let mut all: Vec<&Interaction> = state.of(tenant).filter(|i| i.source == *source).collect();
                for one in all.iter().filter(|i| i.started_at >= since) {
                    let count = carried.by_channel.entry(one.channel).or_default();
                    *count = count.saturating_add(1);
                }
                all.sort_by_key(|i| std::cmp::Reverse((i.started_at, i.id)));
                carried.latest = all.into_iter().take(limit as usize).cloned().collect();
                carried
            })
        })
    }
}
