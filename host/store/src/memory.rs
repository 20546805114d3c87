//! A store in memory, for tests of what stands above and for trials that must leave nothing behind.
//!
//! It keeps the same promises as the SQL ones, by the same conformance suite. It also has what those lack: it never
//! waits for a thread, so a test may stop tokio's clock, which would make a connection pool time out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::store::compare;
use crate::{
    Answer, CallId, Checked, Checking, ContactIdentity, EventId, EventRecord, Fault, Filter, Finding,
    Interaction, InteractionId, InteractionState, InteractionStore, InteractionWrite, LiveEvent, LiveId,
    LivePage, LiveStore, Message, NewDelivery, NewLive, OutboxBell, Page, PageCursor, PluginEntry, PluginId,
    PluginLimits, PluginStore, PluginStoreError, Recent, Recorded, Situation, Snapshot, SourceId, StoreError,
    StoreHealth, TenantId,
};

mod activity;

const READING: &str = "read interactions from";

/// Everything in memory; gone with the process.
#[derive(Debug)]
pub struct MemoryStore {
    live_events: usize,
    live_bell: OutboxBell,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    interactions: BTreeMap<(TenantId, InteractionId), Kept>,
    receipts: HashMap<(TenantId, SourceId, EventId), Taken>,
    aliases: BTreeSet<(TenantId, String, String)>,
    findings: BTreeMap<(TenantId, InteractionId, PluginId), Finding>,
    outbox: Vec<NewDelivery>,
    live: HashMap<TenantId, (u64, BTreeMap<u64, LiveEvent>)>,
    entries: BTreeMap<(TenantId, PluginId, String), PluginEntry>,
    broken: Option<Broken>,
}

/// What a receipt says.
#[derive(Debug, Clone, Copy)]
struct Taken {
    of: InteractionId,
    at: Timestamp,
    asked: Option<Uuid>,
}

#[derive(Debug, Clone, Copy)]
struct Broken {
    fault: Fault,
    /// How many more operations fail; all when there is no number.
    times: Option<u32>,
}

#[derive(Debug)]
struct Kept {
    made: Interaction,
    events: Vec<EventRecord>,
    messages: BTreeMap<u32, Message>,
    updated_at: Timestamp,
}

impl MemoryStore {
    /// An empty store that keeps so many live events for each tenant.
    pub fn new(live_events: usize) -> Self {
        Self { live_events: live_events.max(1), live_bell: OutboxBell::default(), state: Mutex::default() }
    }

    /// The deliveries that were stored, each key once.
    pub fn deliveries(&self) -> Vec<NewDelivery> {
        self.state.lock().outbox.clone()
    }

    /// From now on every operation fails in this way; `None` heals it.
    pub fn break_with(&self, fault: Option<Fault>) {
        self.state.lock().broken = fault.map(|fault| Broken { fault, times: None });
    }

    /// The next so many operations fail in this way; then it is healed.
    pub fn break_times(&self, fault: Fault, times: u32) {
        self.state.lock().broken = Some(Broken { fault, times: Some(times) });
    }

    fn with<T>(&self, doing: &'static str, work: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        let mut state = self.state.lock();
        match state.broken {
            None | Some(Broken { times: Some(0), .. }) => Ok(work(&mut state)),
            Some(Broken { fault, times }) => {
                let times = times.map(|times| times.saturating_sub(1));
                state.broken = Some(Broken { fault, times });
                Err(StoreError::Failed { doing, fault, source: None })
            }
        }
    }
}

impl State {
    fn append_live(&mut self, cap: usize, tenant: &TenantId, live: &NewLive, at: Timestamp) -> LiveId {
        let (last, events) = self.live.entry(tenant.clone()).or_default();
        *last += 1;
        let id = LiveId(*last);
        events.insert(
            id.0,
            LiveEvent {
                id,
                kind: live.kind.clone(),
                interaction: live.interaction,
                body: live.body.clone(),
                at,
            },
        );
        while events.len() > cap {
            events.pop_first();
        }
        id
    }

    fn of<'a>(&'a self, tenant: &'a TenantId) -> impl Iterator<Item = &'a Interaction> {
        self.interactions.iter().filter(move |((t, _), _)| t == tenant).map(|(_, kept)| &kept.made)
    }

    fn names_of(&self, tenant: &TenantId, key: &str) -> BTreeSet<String> {
        let known = self.aliases.iter().filter(|(t, name, _)| t == tenant && name == key);
        known.map(|(_, _, alias)| alias.clone()).chain([key.to_owned()]).collect()
    }

    fn append(&mut self, cap: usize, write: &InteractionWrite) -> Recorded {
        let tenant = write.tenant().clone();
        let key = (tenant.clone(), write.id());
        // First everything that can refuse, then everything that changes.
        let receipt = write.receipt.as_ref().map(|r| (tenant.clone(), r.source.clone(), r.event_id.clone()));
        if receipt.as_ref().is_some_and(|r| self.receipts.contains_key(r)) {
            return Recorded::Repeated;
        }
        let finding = write.finding.as_ref().map(|f| (tenant.clone(), f.interaction, f.plugin.clone()));
        if finding.as_ref().is_some_and(|f| self.findings.contains_key(f)) {
            return Recorded::Repeated;
        }
        let new = write.after();
        if !write.events().is_empty() {
            if self.interactions.get(&key).map_or(0, |kept| kept.made.seq) != write.read_at() {
                return Recorded::Conflict;
            }
            let is_taken = |other: &Interaction| {
                other.id != new.id
                    && other.source == new.source
                    && ((new.reference.is_some() && other.reference == new.reference)
                        || (new.open_key().is_some() && other.open_key() == new.open_key()))
            };
            if self.of(&tenant).any(is_taken) {
                return Recorded::Conflict;
            }
            let kept = self.interactions.entry(key).or_insert_with(|| Kept {
                made: new.clone(),
                events: Vec::new(),
                messages: BTreeMap::new(),
                updated_at: write.at,
            });
            kept.made = new.clone();
            kept.updated_at = write.at;
            kept.events.extend_from_slice(write.events());
            kept.messages.extend(write.messages().iter().map(|m| (m.seq, m.clone())));
            let names: Vec<String> = new.contacts.iter().map(ContactIdentity::key).collect();
            for name in &names {
                let others = names.iter().filter(|other| *other != name);
                self.aliases.extend(others.map(|other| (tenant.clone(), name.clone(), other.clone())));
            }
        }
        if let Some(receipt) = receipt {
            let asked = write.receipt.as_ref().and_then(|r| r.asked);
            self.receipts.insert(receipt, Taken { of: write.id(), at: write.at, asked });
        }
        if let (Some(key), Some(finding)) = (finding, &write.finding) {
            self.findings.insert(key, finding.clone());
        }
        for delivery in &write.outbox {
            let same = |known: &NewDelivery| {
                (&known.tenant, &known.target, known.key)
                    == (&delivery.tenant, &delivery.target, delivery.key)
            };
            if !self.outbox.iter().any(same) {
                self.outbox.push(delivery.clone());
            }
        }
        let mut last = None;
        for live in &write.live {
            last = Some(self.append_live(cap, &tenant, live, write.at));
        }
        Recorded::Stored(last)
    }

    fn seen(&self, tenant: &TenantId, source: &SourceId, event_id: &EventId) -> Option<Taken> {
        self.receipts.get(&(tenant.clone(), source.clone(), event_id.clone())).copied()
    }

    fn page(
        &self,
        tenant: &TenantId,
        fits: impl Fn(&Interaction) -> bool,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Page<Interaction> {
        let mut all: Vec<&Interaction> = self
            .of(tenant)
            .filter(|i| fits(i) && before.is_none_or(|c| (i.started_at, i.id) < (c.at, c.id)))
            .collect();
        all.sort_by_key(|i| std::cmp::Reverse((i.started_at, i.id)));
        let more = all.len() > limit as usize;
        let items: Vec<Interaction> = all.into_iter().take(limit as usize).cloned().collect();
        let next = if more { items.last().map(PageCursor::of) } else { None };
        Page { items, next }
    }

    fn snapshot(&self, of: &Interaction) -> Snapshot {
        let mut findings: Vec<Finding> = self
            .findings
            .values()
            .filter(|f| f.tenant == of.tenant && f.interaction == of.id)
            .cloned()
            .collect();
        findings.sort_by(|a, b| (a.at, &a.plugin).cmp(&(b.at, &b.plugin)));
        Snapshot { interaction: of.clone(), findings }
    }
}

impl InteractionStore for MemoryStore {
    fn situation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        reference: &'a CallId,
        event_id: &'a EventId,
    ) -> Answer<'a, Situation> {
        Box::pin(async move {
            self.with(READING, |state| Situation {
                interaction: state
                    .of(tenant)
                    .find(|i| i.source == *source && i.reference.as_ref() == Some(reference))
                    .cloned(),
                seen_for: state.seen(tenant, source, event_id).map(|taken| taken.of),
                seen_asked: state.seen(tenant, source, event_id).and_then(|taken| taken.asked),
            })
        })
    }

    fn conversation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        contacts: &'a [ContactIdentity],
        event_id: &'a EventId,
    ) -> Answer<'a, Situation> {
        Box::pin(async move {
            self.with(READING, |state| {
                let open = |contact: &ContactIdentity| {
                    let names = state.names_of(tenant, &contact.key());
                    state
                        .of(tenant)
                        .filter(|i| i.source == *source && i.open_key().is_some_and(|k| names.contains(&k)))
                        .max_by_key(|i| i.started_at)
                        .cloned()
                };
                Situation {
                    interaction: contacts.iter().find_map(open),
                    seen_for: state.seen(tenant, source, event_id).map(|taken| taken.of),
                    seen_asked: state.seen(tenant, source, event_id).and_then(|taken| taken.asked),
                }
            })
        })
    }

    fn interaction<'a>(&'a self, tenant: &'a TenantId, id: InteractionId) -> Answer<'a, Option<Snapshot>> {
        Box::pin(async move {
            self.with(READING, |state| {
                state.interactions.get(&(tenant.clone(), id)).map(|kept| state.snapshot(&kept.made))
            })
        })
    }

    fn append(&self, write: InteractionWrite) -> Answer<'_, Recorded> {
        Box::pin(async move {
            self.with("write an interaction to", |state| state.append(self.live_events, &write))
        })
    }

    fn history<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Answer<'a, Vec<EventRecord>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let kept = state.interactions.get(&(tenant.clone(), id));
                let events = kept.map(|kept| kept.events.as_slice()).unwrap_or_default();
                events.iter().filter(|e| e.seq > after).take(limit as usize).cloned().collect()
            })
        })
    }

    fn messages<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Answer<'a, Vec<Message>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let kept = state.interactions.get(&(tenant.clone(), id));
                let messages = kept.into_iter().flat_map(|kept| kept.messages.values());
                messages.filter(|m| m.seq > after).take(limit as usize).cloned().collect()
            })
        })
    }

    fn messages_between<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: InteractionId,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Message>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let kept = state.interactions.get(&(tenant.clone(), id));
                let all = kept.into_iter().flat_map(|kept| kept.messages.values());
                let mut fit: Vec<Message> = all.filter(|m| m.at >= from && m.at < until).cloned().collect();
                fit.sort_by_key(|m| std::cmp::Reverse((m.at, m.seq)));
                fit.truncate(limit as usize);
                fit.sort_by_key(|m| m.seq);
                fit
            })
        })
    }

    fn message<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        reference: &'a EventId,
    ) -> Answer<'a, Option<(InteractionId, Message)>> {
        Box::pin(async move {
            self.with(READING, |state| {
                state
                    .interactions
                    .iter()
                    .filter(|((t, _), kept)| t == tenant && kept.made.source == *source)
                    .find_map(|((_, id), kept)| {
                        let message = kept.messages.values().find(|m| m.reference == *reference)?;
                        Some((*id, message.clone()))
                    })
            })
        })
    }

    fn timeline<'a>(
        &'a self,
        tenant: &'a TenantId,
        contact: &'a ContactIdentity,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Interaction>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let names = state.names_of(tenant, &contact.key());
                let is_theirs = |i: &Interaction| i.contacts.iter().any(|c| names.contains(&c.key()));
                state.page(tenant, is_theirs, before, limit)
            })
        })
    }

    fn list<'a>(
        &'a self,
        tenant: &'a TenantId,
        filter: &'a Filter,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Interaction>> {
        Box::pin(async move {
            let fits = |i: &Interaction| {
                filter.state.is_none_or(|s| s == i.state)
                    && filter.channel.is_none_or(|c| c == i.channel)
                    && filter.direction.is_none_or(|d| d == i.direction)
                    && filter.queue.as_ref().is_none_or(|q| i.queue.as_ref() == Some(q))
                    && filter.from.is_none_or(|from| i.started_at >= from)
                    && filter.until.is_none_or(|until| i.started_at < until)
            };
            self.with(READING, |state| state.page(tenant, fits, before, limit))
        })
    }

    fn recent<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Recent> {
        Box::pin(async move {
            self.with(READING, |state| {
                let mut calls: Vec<&Interaction> =
                    state.of(tenant).filter(|i| i.channel.is_voice()).collect();
                calls.sort_by_key(|i| std::cmp::Reverse((i.started_at, i.id)));
                Recent {
                    calls: calls.into_iter().take(limit as usize).map(|i| state.snapshot(i)).collect(),
                    last: LiveId(state.live.get(tenant).map_or(0, |(last, _)| *last)),
                }
            })
        })
    }

    fn unanswered<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Vec<Snapshot>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let mut open: Vec<Snapshot> = state
                    .of(tenant)
                    .map(|i| state.snapshot(i))
                    .filter(|s| s.findings.len() < s.interaction.asked.len())
                    .collect();
                open.sort_by_key(|s| (s.interaction.started_at, s.interaction.id));
                open.truncate(limit as usize);
                open
            })
        })
    }

    fn open_conversations<'a>(
        &'a self,
        tenant: &'a TenantId,
        changed_before: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Interaction>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let mut open: Vec<&Kept> = state
                    .interactions
                    .iter()
                    .filter(|((t, _), kept)| t == tenant && kept.made.open_key().is_some())
                    .map(|(_, kept)| kept)
                    .filter(|kept| kept.updated_at < changed_before)
                    .collect();
                open.sort_by_key(|kept| (kept.updated_at, kept.made.id));
                open.into_iter().take(limit as usize).map(|kept| kept.made.clone()).collect()
            })
        })
    }

    fn quiet_calls<'a>(
        &'a self,
        tenant: &'a TenantId,
        ringing_since: Timestamp,
        talking_since: Timestamp,
        limit: u32,
    ) -> Answer<'a, Vec<Interaction>> {
        Box::pin(async move {
            self.with(READING, |state| {
                use InteractionState::{Answered, Ended, Held, Open, Ringing};
                let quiet = |kept: &&Kept| match kept.made.state {
                    Ringing => kept.updated_at < ringing_since,
                    Answered | Held => kept.updated_at < talking_since,
                    Open | Ended => false,
                };
                let of = state.interactions.iter().filter(|((t, _), _)| t == tenant).map(|(_, kept)| kept);
                let mut open: Vec<&Kept> = of.filter(quiet).collect();
                open.sort_by_key(|kept| (kept.updated_at, kept.made.id));
                open.into_iter().take(limit as usize).map(|kept| kept.made.clone()).collect()
            })
        })
    }

    fn forget_receipts<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        before: Timestamp,
        limit: u32,
    ) -> Answer<'a, u64> {
        Box::pin(async move {
            self.with(READING, |state| {
                let mut forgotten = 0;
                state.receipts.retain(|(t, s, _), taken| {
                    let goes =
                        t == tenant && s == source && taken.at < before && forgotten < u64::from(limit);
                    forgotten += u64::from(goes);
                    !goes
                });
                forgotten
            })
        })
    }
}

impl Checking for MemoryStore {
    fn tenants(&self) -> Answer<'_, Vec<TenantId>> {
        Box::pin(async move {
            self.with(READING, |state| {
                let all: BTreeSet<TenantId> = state.interactions.keys().map(|(t, _)| t.clone()).collect();
                all.into_iter().collect()
            })
        })
    }

    fn check<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Checked> {
        Box::pin(async move {
            self.with(READING, |state| {
                let mut checked = Checked::default();
                for kept in state.interactions.iter().filter(|((t, _), _)| t == tenant).map(|(_, kept)| kept)
                {
                    let messages: Vec<Message> = kept.messages.values().cloned().collect();
                    compare(&mut checked, &kept.made, &messages, &kept.events);
                }
                checked
            })
        })
    }

    fn rebuild<'a>(&'a self, tenant: &'a TenantId, id: InteractionId) -> Answer<'a, bool> {
        Box::pin(async move {
            self.with(READING, |state| {
                let Some(kept) = state.interactions.get_mut(&(tenant.clone(), id)) else { return false };
                let Ok(Some(made)) = crate::fold(tenant, id, &kept.events) else { return false };
                kept.made = made;
                kept.messages = crate::fold_messages(&kept.events).into_iter().map(|m| (m.seq, m)).collect();
                true
            })
        })
    }

    fn faults(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl LiveStore for MemoryStore {
    fn live_bell(&self) -> &OutboxBell {
        &self.live_bell
    }

    fn live_after<'a>(&'a self, tenant: &'a TenantId, after: LiveId, limit: u32) -> Answer<'a, LivePage> {
        Box::pin(async move {
            self.with("read live events from", |state| {
                let Some((last, events)) = state.live.get(tenant) else {
                    return LivePage { oldest: LiveId(1), last: LiveId(0), events: Vec::new() };
                };
                let oldest = events.keys().next().copied().unwrap_or(last.saturating_add(1));
                let found = events
                    .values()
                    .filter(|e| e.id > after)
                    .take(limit as usize)
                    .cloned()
                    .collect::<Vec<_>>();
                LivePage { oldest: LiveId(oldest), last: LiveId(*last), events: found }
            })
        })
    }

    fn tell<'a>(&'a self, tenant: &'a TenantId, live: NewLive, at: Timestamp) -> Answer<'a, LiveId> {
        Box::pin(async move {
            self.with("write a live event to", |state| state.append_live(self.live_events, tenant, &live, at))
        })
    }
}

impl PluginStore for MemoryStore {
    fn entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
        now: Timestamp,
    ) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.with("read a plugin's entry from", |state| {
                state
                    .entries
                    .get(&(tenant.clone(), plugin.clone(), key.to_owned()))
                    .filter(|e| e.expires_at.is_none_or(|end| end > now))
                    .map(|e| e.value.clone())
            })
        })
    }

    fn set_entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        entry: PluginEntry,
        limits: PluginLimits,
        now: Timestamp,
    ) -> Answer<'a, (), PluginStoreError> {
        Box::pin(async move {
            self.with("write a plugin's entry to", |state| {
                state.entries.retain(|(t, p, _), e| {
                    t != tenant || p != plugin || e.expires_at.is_none_or(|end| end > now)
                });
                let (mut count, mut bytes) = (0_u64, 0_u64);
                for ((t, p, key), other) in &state.entries {
                    if t == tenant && p == plugin && *key != entry.key {
                        count += 1;
                        bytes = bytes.saturating_add(other.cost());
                    }
                }
                limits.admit(count, bytes, &entry)?;
                state.entries.insert((tenant.clone(), plugin.clone(), entry.key.clone()), entry);
                Ok(())
            })?
        })
    }

    fn delete_entry<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        key: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(async move {
            self.with("write a plugin's entry to", |state| {
                state.entries.remove(&(tenant.clone(), plugin.clone(), key.to_owned())).is_some()
            })
        })
    }

    fn delete_all_entries<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, u64> {
        Box::pin(async move {
            self.with("write a plugin's entry to", |state| {
                let before = state.entries.len();
                state.entries.retain(|(t, p, _), _| t != tenant || p != plugin);
                before.saturating_sub(state.entries.len()) as u64
            })
        })
    }
}

impl StoreHealth for MemoryStore {
    fn check_writable(&self) -> Answer<'_, ()> {
        Box::pin(async move { self.with("take the write lock of", |_| ()) })
    }
}
