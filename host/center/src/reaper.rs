//! Ends calls that their provider forgot: one whose end was lost would ring on the page for ever, count as a call in
//! progress, and keep its CRM waiting for its journal.
//!
//! Only calls of sources that merely post are ended so. An exchange that we are connected to says itself which calls
//! live, after every reconnect, so a long talk there is a long talk.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ramal_store::{
    Actor, Cause, EndCause, Interaction, InteractionEvent, InteractionWrite, NewEvent, Recorded, SourceId,
    TenantId,
};

use crate::StoreError;
use crate::call::call_event;
use crate::center::Inner;

/// The rule's name in the history.
const RULE: &str = "reaper";
/// Calls that one sweep looks at for each tenant.
const SWEEP: u32 = 500;

/// When a call of which nothing is heard is taken for over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaping {
    /// One that rings: no exchange lets a telephone ring for so long.
    pub ringing: Duration,
    /// One that somebody took, talking or on hold.
    pub talking: Duration,
    /// Sources that say themselves which calls live; theirs are left alone.
    pub spared: BTreeSet<SourceId>,
}

impl Default for Reaping {
    fn default() -> Self {
        Self { ringing: Duration::from_hours(1), talking: Duration::from_hours(12), spared: BTreeSet::new() }
    }
}

impl Inner {
    /// Ends what was forgotten. Says how many calls it ended.
    pub(crate) async fn reap(&self, tenant: &TenantId, now: Timestamp) -> Result<usize, StoreError> {
        let rules = &self.settings.reaping;
        let before = |patience: Duration| {
            let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
            now.checked_sub(patience).unwrap_or(Timestamp::MIN)
        };
        let (ringing, talking) = (before(rules.ringing), before(rules.talking));
        let mut ended = 0;
        for call in self.interactions.quiet_calls(tenant, ringing, talking, SWEEP).await? {
            if !rules.spared.contains(&call.source) {
                ended += usize::from(self.end_forgotten(&call, now).await?);
            }
        }
        Ok(ended)
    }

    async fn end_forgotten(&self, call: &Interaction, now: Timestamp) -> Result<bool, StoreError> {
        let over = NewEvent {
            at: now,
            actor: Actor::System,
            cause: Cause::Rule(RULE.to_owned()),
            event: InteractionEvent::Ended { cause: EndCause::Failed, provider_cause: None },
        };
        let Ok(mut write) = InteractionWrite::change(call, Vec::new(), vec![over], now) else {
            return Ok(false);
        };
        write.live.extend(call_event(write.after()));
        self.with_deliveries(&mut write).await?;
        // Its provider spoke meanwhile: it lives, and the next sweep looks again.
        let Recorded::Stored(live) = self.interactions.append(write).await? else { return Ok(false) };
        self.told(&call.tenant, live);
        tracing::warn!(
            tenant = %call.tenant, source = %call.source, interaction = %call.id, state = %call.state,
            "a call was ended by the reaper: its provider never told of its end"
        );
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
