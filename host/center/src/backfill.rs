//! What a CRM missed while its plugin was away: connected later, taken out for a while, or not loaded. Its journal is
//! filled up for a period, by the same rules and under the same keys as at the time, so that asking twice tells nothing
//! twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use ramal_store::{
    Filter, Interaction, InteractionState, InteractionWrite, Page, PageCursor, PluginId, Recorded,
    StoreError, TenantId,
};

use crate::center::{ATTEMPTS, Inner};
use crate::journal::{self, JournalRules};
use crate::{Center, CenterError};

/// Messages that are read at once.
const PART: u32 = 200;

/// What one part of a period came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backfilled {
    /// Interactions that were looked at.
    pub looked_at: u32,
    /// Of them those of which the CRM had been told nothing: it is told now, or was going to be, or is told once a
    /// contact is found.
    pub told: u32,
    /// Where to go on; `None` at the end of the period.
    pub next: Option<PageCursor>,
}

impl Center {
    /// Sees to it that a plugin's CRM is told of what is over: of the newest `limit` interactions of a period that are
    /// older than `before`. What it was told, what is on its way and what nobody is told stays as it is.
    ///
    /// # Errors
    /// When the tenant has no such plugin that keeps a journal, or the store fails; what was done stays done.
    pub async fn backfill(
        &self,
        tenant: &TenantId,
        plugin: &PluginId,
        period: &Filter,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Result<Backfilled, CenterError> {
        let inner = &self.0;
        let _ticket = inner.running.enter().ok_or(CenterError::ShuttingDown)?;
        let rules = inner.rules_of(tenant);
        if !rules.plugins.contains_key(plugin) {
            return Err(CenterError::NoJournal);
        }
        let Page { items, next } = inner.interactions.list(tenant, period, before, limit).await?;
        let mut made = Backfilled { next, ..Backfilled::default() };
        for interaction in items {
            made.looked_at += 1;
            made.told += u32::from(inner.catch_up(interaction, plugin, &rules).await?);
        }
        Ok(made)
    }
}

impl Inner {
    /// Whether there was something to tell.
    async fn catch_up(
        self: &Arc<Self>,
        mut of: Interaction,
        plugin: &PluginId,
        rules: &JournalRules,
    ) -> Result<bool, CenterError> {
        for _ in 0..ATTEMPTS {
            let parts = self.parts_that_are_over(&of, rules).await?;
            let due = journal::missing(&of, plugin, &parts, rules);
            if due.is_empty() {
                return Ok(false);
            }
            let now = self.clock.now();
            let mut write = InteractionWrite::change(&of, Vec::new(), Vec::new(), now)
                .map_err(|_| CenterError::Broken)?;
            self.with_due(&mut write, &due, rules).await?;
            if matches!(self.interactions.append(write).await?, Recorded::Stored(_)) {
                return Ok(true);
            }
            let Some(again) = self.interactions.interaction(&of.tenant, of.id).await? else {
                return Ok(false);
            };
            of = again.interaction;
        }
        Err(CenterError::Contended)
    }

    /// The whole of a call that is over, or the days of a conversation that are.
    async fn parts_that_are_over(
        &self,
        of: &Interaction,
        rules: &JournalRules,
    ) -> Result<Vec<Option<Date>>, StoreError> {
        if of.channel.is_voice() {
            return Ok(if of.state == InteractionState::Ended { vec![None] } else { Vec::new() });
        }
        let Some(closed) = of.closed_day else { return Ok(Vec::new()) };
        let (mut days, mut after) = (BTreeSet::new(), 0);
        loop {
            let part = self.interactions.messages(&of.tenant, of.id, after, PART).await?;
            days.extend(part.iter().map(|message| journal::date(message.at, &rules.zone)));
            match part.last() {
                Some(last) if last.seq > after => after = last.seq,
                _ => break,
            }
        }
        Ok(days.into_iter().filter(|day| *day <= closed).map(Some).collect())
    }
}
