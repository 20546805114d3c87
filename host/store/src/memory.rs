//! A store in memory, for tests of what stands above and for trials that must leave nothing behind.
//!
//! It keeps the same promises as the SQL ones, by the same conformance suite. It also has what those lack: it never
//! waits for a thread, so a test may stop tokio's clock, which would make a connection pool time out.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::{
    Answer, Call, CallId, CallSnapshot, CallStore, CallWrite, EventId, Fault, Finding, InteractionId,
    LiveEvent, LiveId, LivePage, LiveStore, NewLive, PluginEntry, PluginId, PluginLimits, PluginStore,
    PluginStoreError, Recent, Recorded, Situation, SourceId, StoreError, StoreHealth, TenantId,
};

/// Everything in memory; gone with the process.
#[derive(Debug)]
pub struct MemoryStore {
    live_events: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<(TenantId, SourceId, CallId), Call>,
    events: HashMap<(TenantId, SourceId, EventId), CallId>,
    findings: BTreeMap<(TenantId, InteractionId, PluginId), Finding>,
    live: HashMap<TenantId, (u64, BTreeMap<u64, LiveEvent>)>,
    entries: BTreeMap<(TenantId, PluginId, String), PluginEntry>,
    broken: Option<Fault>,
}

impl MemoryStore {
    /// An empty store that keeps so many live events for each tenant.
    pub fn new(live_events: usize) -> Self {
        Self { live_events: live_events.max(1), state: Mutex::default() }
    }

    /// From now on every operation fails in this way; `None` heals it.
    pub fn break_with(&self, fault: Option<Fault>) {
        self.state.lock().broken = fault;
    }

    fn with<T>(&self, doing: &'static str, work: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        let mut state = self.state.lock();
        match state.broken {
            Some(fault) => Err(StoreError::Failed { doing, fault, source: None }),
            None => Ok(work(&mut state)),
        }
    }
}

impl State {
    fn append(&mut self, cap: usize, tenant: &TenantId, live: &NewLive, at: Timestamp) -> LiveId {
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

    fn snapshot(&self, call: &Call) -> CallSnapshot {
        let mut findings: Vec<Finding> = self
            .findings
            .values()
            .filter(|f| f.tenant == call.tenant && f.interaction == call.interaction)
            .cloned()
            .collect();
        findings.sort_by(|a, b| (a.at, &a.plugin).cmp(&(b.at, &b.plugin)));
        CallSnapshot { call: call.clone(), findings }
    }
}

impl CallStore for MemoryStore {
    fn situation<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a SourceId,
        call_id: &'a CallId,
        event_id: &'a EventId,
    ) -> Answer<'a, Situation> {
        Box::pin(async move {
            self.with("read calls from", |state| Situation {
                call: state.calls.get(&(tenant.clone(), source.clone(), call_id.clone())).cloned(),
                seen_for: state.events.get(&(tenant.clone(), source.clone(), event_id.clone())).cloned(),
            })
        })
    }

    fn record<'a>(&'a self, write: &'a CallWrite) -> Answer<'a, Recorded> {
        Box::pin(async move {
            self.with("write a call to", |state| {
                let CallWrite { call, event, live } = write;
                let event_key = (call.tenant.clone(), call.source.clone(), event.event_id.clone());
                if state.events.contains_key(&event_key) {
                    return Recorded::Repeated;
                }
                let key = (call.tenant.clone(), call.source.clone(), call.call_id.clone());
                let before = state.calls.get(&key);
                if before.map_or(0, |c| c.revision) + 1 != call.revision {
                    return Recorded::Conflict;
                }
                let mut after = call.clone();
                if let Some(before) = before {
                    after.asked.clone_from(&before.asked);
                }
                state.calls.insert(key, after);
                state.events.insert(event_key, call.call_id.clone());
                Recorded::Stored(
                    live.as_ref().map(|l| state.append(self.live_events, &call.tenant, l, event.received_at)),
                )
            })
        })
    }

    fn record_finding<'a>(&'a self, finding: &'a Finding) -> Answer<'a, Option<LiveId>> {
        Box::pin(async move {
            self.with("write a call to", |state| {
                let key = (finding.tenant.clone(), finding.interaction, finding.plugin.clone());
                if state.findings.contains_key(&key) {
                    return None;
                }
                state.findings.insert(key, finding.clone());
                let live = NewLive {
                    kind: finding.kind.as_str().to_owned(),
                    interaction: Some(finding.interaction),
                    body: finding.body.clone(),
                };
                Some(state.append(self.live_events, &finding.tenant, &live, finding.at))
            })
        })
    }

    fn recent<'a>(&'a self, tenant: &'a TenantId, limit: u32) -> Answer<'a, Recent> {
        Box::pin(async move {
            self.with("read calls from", |state| {
                let mut calls: Vec<&Call> = state.calls.values().filter(|c| c.tenant == *tenant).collect();
                calls.sort_by_key(|c| std::cmp::Reverse((c.ringing_at, c.interaction)));
                Recent {
                    calls: calls.into_iter().take(limit as usize).map(|c| state.snapshot(c)).collect(),
                    last: LiveId(state.live.get(tenant).map_or(0, |(last, _)| *last)),
                }
            })
        })
    }

    fn unanswered(&self, limit: u32) -> Answer<'_, Vec<CallSnapshot>> {
        Box::pin(async move {
            self.with("read calls from", |state| {
                let mut open: Vec<CallSnapshot> = state
                    .calls
                    .values()
                    .map(|c| state.snapshot(c))
                    .filter(|s| s.findings.len() < s.call.asked.len())
                    .collect();
                open.sort_by_key(|s| s.call.ringing_at);
                open.truncate(limit as usize);
                open
            })
        })
    }
}

impl LiveStore for MemoryStore {
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
