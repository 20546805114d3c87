//! What CRMs tell by themselves, until it was heard: what came to hooks, and how far each plugin has asked for
//! changes.
//!
//! A hook's sender is told "taken" only after [`InboundStore::take_hook`]: what a process that dies had not heard yet
//! is heard by the next one. Hearing is at least once; what follows from it (live events, the next cursor) is stored
//! with the settlement, in one transaction, so that no fact is told twice because of a crash.
//!
//! Work is leased as deliveries are: a lease that is not settled ends by itself.

use std::fmt;

use jiff::Timestamp;
use ramal_capability::{HookId, Listed};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Answer, Clear, Failure, LiveId, NewLive, PluginId, TenantId, clear};

/// Something that came to a hook, its sender proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHook {
    /// Whose.
    pub tenant: TenantId,
    /// Whose CRM sent it.
    pub plugin: PluginId,
    /// To which hook.
    pub hook: HookId,
    /// The same for a repetition: a hash of the sender's name for it, or of what was signed.
    pub digest: [u8; 32],
    /// What the hook takes of it.
    pub came: Listed,
    /// When it came.
    pub at: Timestamp,
    /// The same digest that came at this time or later makes this one a repetition.
    pub repeats_since: Timestamp,
}

/// What became of a [`NewHook`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is stored.
    Stored,
    /// It was stored before; nothing was written.
    Repeated,
}

/// What a worker wants to take.
#[derive(Debug, Clone)]
pub struct InboundOrder {
    /// Whose.
    pub tenant: TenantId,
    /// Of which plugin.
    pub plugin: PluginId,
    /// Now.
    pub now: Timestamp,
    /// When the lease ends by itself.
    pub until: Timestamp,
}

/// Something that came to a hook, in the hands of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedHook {
    /// Which; grows with the time at which it came.
    pub id: Uuid,
    /// Proves that it is held: another lease has another.
    pub lease: Uuid,
    /// Whose.
    pub tenant: TenantId,
    /// To which hook it came.
    pub hook: HookId,
    /// What the hook took of it.
    pub came: Listed,
    /// Which try this is, from 1.
    pub tries: u32,
    /// When the first try began.
    pub first_tried_at: Timestamp,
}

/// What became of a try to hear a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookSettlement {
    /// It was heard; its body is erased.
    Done,
    /// Not yet.
    Retry {
        /// When to try again.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// It is given up; its body stays for a person to look at, until it is pruned.
    Dead {
        /// Why.
        failure: Failure,
    },
}

/// A plugin's questions for changes, in the hands of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedSync {
    /// Proves that it is held.
    pub lease: Uuid,
    /// Whose.
    pub tenant: TenantId,
    /// Of which plugin.
    pub plugin: PluginId,
    /// How far it came; the plugin's own words.
    pub cursor: Option<String>,
    /// Which try this is since it last went well, from 1.
    pub tries: u32,
}

/// What became of a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncSettlement {
    /// It went well.
    Done {
        /// The new cursor; `None` leaves it as it was.
        cursor: Option<String>,
        /// The next tick.
        next: Timestamp,
    },
    /// It failed for now.
    Retry {
        /// When to try again.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// It goes on when a person has acted: see [`InboundStore::resume_sync`].
    Stop {
        /// Why.
        failure: Failure,
    },
}

/// What is stored of a request.
#[derive(Serialize, Deserialize)]
struct Body {
    headers: Vec<(String, String)>,
    #[serde(with = "clear")]
    body: Clear,
}

pub(crate) fn to_text(came: &Listed) -> String {
    let body = Body { headers: came.headers.clone(), body: came.body.clone() };
    // Texts alone: this cannot fail.
    serde_json::to_string(&body).unwrap_or_default()
}

/// `None` when it is none of ours.
pub(crate) fn from_text(text: &str) -> Option<Listed> {
    let Body { headers, body } = serde_json::from_str(text).ok()?;
    Some(Listed { headers, body })
}

/// A settlement was too late: somebody else has the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lease ended before the work did")
    }
}

/// What CRMs tell by themselves. Every method is about one tenant.
pub trait InboundStore: Send + Sync + 'static {
    /// Stores what came to a hook, once.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is stored then.
    fn take_hook<'a>(&'a self, new: &'a NewHook) -> Answer<'a, Taken>;

    /// Takes at most so many that are due, the longest due first. Counts the try.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is leased then.
    fn lease_hooks<'a>(&'a self, order: &'a InboundOrder, limit: u32) -> Answer<'a, Vec<LeasedHook>>;

    /// Says what became of a try, with the live events that follow; answers with the last one's id.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is changed then.
    fn settle_hook<'a>(
        &'a self,
        leased: &'a LeasedHook,
        settlement: &'a HookSettlement,
        live: Vec<NewLive>,
        now: Timestamp,
    ) -> Answer<'a, Result<Option<LiveId>, Lost>>;

    /// When the plugin's next hook is due; `None` when none is open.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn next_hook<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, Option<Timestamp>>;

    /// Forgets at most so many that were heard or given up before a time; says how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn prune_hooks<'a>(&'a self, tenant: &'a TenantId, before: Timestamp, limit: u32) -> Answer<'a, u64>;

    /// Takes a plugin's questions for changes, if they are due and nobody holds them. The first time they are due at
    /// once.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn lease_sync<'a>(&'a self, order: &'a InboundOrder) -> Answer<'a, Option<LeasedSync>>;

    /// Says what became of a tick, with the live events that follow; answers with the last one's id.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is changed then.
    fn settle_sync<'a>(
        &'a self,
        leased: &'a LeasedSync,
        settlement: &'a SyncSettlement,
        live: Vec<NewLive>,
        now: Timestamp,
    ) -> Answer<'a, Result<Option<LiveId>, Lost>>;

    /// When the plugin is to be asked next; `None` when it never was, or waits for a person.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn next_sync<'a>(&'a self, tenant: &'a TenantId, plugin: &'a PluginId) -> Answer<'a, Option<Timestamp>>;

    /// Lets questions go on that waited for a person; false when they did not wait.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn resume_sync<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        now: Timestamp,
    ) -> Answer<'a, bool>;
}
