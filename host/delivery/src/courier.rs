//! The seam to whoever speaks with the receiver, and what can come of it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use ramal_capability::Dedup;
use ramal_store::{CrmRecord, Failure, Leased, Target, TenantId};

use crate::{Rate, Upstream};

/// What became of one try. The texts are for operators and hold no customer's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Done(Option<CrmRecord>),
    /// Worth another try: slow, down, busy, broken off. It may have been done all the same.
    Transient(Failure),
    /// The receiver wants fewer requests; after how long to come again, if it said so. It means everybody who calls the
    /// account.
    RetryAfter(Option<Duration>, Failure),
    /// This host did not let it go, and nothing was sent: it counts as no try and says nothing of the receiver. How long
    /// to wait.
    Untried(Duration, Failure),
    /// Another try of the same will not help.
    Permanent(Failure),
    /// The credential is no longer accepted.
    AuthExpired(Failure),
    /// The grant does not allow it, for this delivery or any other like it.
    Denied(Failure),
}

/// What the worker must know of the way to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Road {
    /// Who answers at its end; several targets may share one.
    pub upstream: Upstream,
    /// What that one takes.
    pub rate: Rate,
    /// How it recognises a repetition.
    pub dedup: Dedup,
    /// How many deliveries may be under way at once.
    pub at_once: usize,
}

/// Speaks with receivers.
pub trait Courier: Send + Sync + 'static {
    /// The way to a target; `None` when it is not connected, as a plugin that is not loaded: its deliveries wait and
    /// lose no try.
    fn road(&self, tenant: &TenantId, target: &Target) -> Option<Road>;

    /// One try. Every try of a delivery carries the same [`Leased::key`], and what was begun is finished: the worker
    /// drops the future only when the process ends.
    fn deliver<'a>(&'a self, job: &'a Leased) -> BoxFuture<'a, Outcome>;
}
