//! What one process remembers of one credential: the row as it was read last, the renewal under way, a new token
//! that is not stored yet. Lost with the process, and nothing is lost with it but that last one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use ramal_capability::{Clear, OAuthPlan};

use crate::error::KeeperError;
use crate::observer::Alert;
use crate::record::{Due, Record, left};
use crate::state::CredentialState;

/// A renewal under way, which all who need it wait for.
pub(super) type Flight = Shared<BoxFuture<'static, Result<(), KeeperError>>>;

/// A row as it was read.
pub(super) struct Live {
    pub(super) revision: u64,
    pub(super) record: Record,
    /// How long before its end the token is renewed here.
    ahead: Duration,
}

impl Live {
    /// `chance` is from 0 to 1.
    pub(super) fn new(revision: u64, record: Record, ahead: Duration, chance: f64) -> Self {
        let life = record.tokens.as_ref().and_then(|t| Some(left(t.access_until?, t.obtained_at)));
        let ahead = life.map_or(ahead, |life| ahead.min(life / 5));
        Self { revision, record, ahead: ahead.mul_f64(1.0 + chance.clamp(0.0, 1.0) / 2.0) }
    }
    pub(super) fn due(&self, plan: Option<&OAuthPlan>, stale: Option<&Clear>, now: Timestamp) -> Due {
        self.record.due(plan, stale, self.ahead, now)
    }
    /// Whether it failed lately and is not to be tried yet.
    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.record.failing.is_some_and(|failing| now < failing.retry_at)
    }
}

/// A token that was given and could not be stored.
pub(super) struct Unsaved {
    pub(super) record: Record,
    /// The revision that it shall replace.
    pub(super) before: u64,
    /// The refresh token that it was given for.
    pub(super) used: Option<Clear>,
}

/// What was said last about the credential.
#[derive(Default)]
pub(super) struct Told {
    pub(super) state: Option<CredentialState>,
    pub(super) alert: Option<Alert>,
}

#[derive(Default)]
pub(super) struct Cell {
    live: RwLock<Option<(Arc<Live>, Timestamp)>>,
    /// Held by who reads the row, so that many callers read it once.
    pub(super) reading: tokio::sync::Mutex<()>,
    flight: Mutex<Option<Flight>>,
    stale: Mutex<Option<Clear>>,
    pub(super) unsaved: tokio::sync::Mutex<Option<Unsaved>>,
    has_unsaved: AtomicBool,
    /// The newest revision that was ever seen.
    seen: AtomicU64,
    pub(super) told: Mutex<Told>,
}

impl Cell {
    pub(super) fn live(&self) -> Option<Arc<Live>> {
        self.live.read().as_ref().map(|(live, _)| Arc::clone(live))
    }
    /// What was read not longer than `most` ago.
    pub(super) fn recent(&self, now: Timestamp, most: Duration) -> Option<Arc<Live>> {
        let live = self.live.read();
        let (live, read_at) = live.as_ref()?;
        // A clock that was set back makes everything old.
        (*read_at <= now && left(now, *read_at) < most).then(|| Arc::clone(live))
    }
    pub(super) fn put(&self, live: Arc<Live>, now: Timestamp) {
        let mut stale = self.stale.lock();
        let token = live.record.tokens.as_ref().map(|tokens| &tokens.access.0);
        if stale.as_ref() != token {
            *stale = None;
        }
        drop(stale);
        *self.live.write() = Some((live, now));
    }
    pub(super) fn clear(&self) {
        *self.live.write() = None;
    }
    /// The next one who asks reads the row.
    pub(super) fn forget_when_read(&self) {
        if let Some((_, read_at)) = self.live.write().as_mut() {
            *read_at = Timestamp::MIN;
        }
    }

    /// The access token that the CRM refused.
    pub(super) fn stale(&self) -> Option<Clear> {
        self.stale.lock().clone()
    }
    pub(super) fn set_stale(&self, token: Clear) {
        *self.stale.lock() = Some(token);
    }

    /// The newest revision that was seen, this one included.
    pub(super) fn see(&self, revision: u64) -> u64 {
        self.seen.fetch_max(revision, Ordering::AcqRel).max(revision)
    }

    /// Goes on from an older row, because a person wrote anew.
    pub(super) fn accept(&self, revision: u64) {
        self.seen.store(revision, Ordering::Release);
    }

    pub(super) fn holds_unsaved(&self) -> bool {
        self.has_unsaved.load(Ordering::Acquire)
    }
    pub(super) fn set_holds_unsaved(&self, holds: bool) {
        self.has_unsaved.store(holds, Ordering::Release);
    }

    pub(super) fn flight(&self) -> Option<Flight> {
        self.flight.lock().clone().filter(|flight| flight.peek().is_none())
    }
    pub(super) fn is_flying(&self) -> bool {
        self.flight().is_some()
    }
    /// Joins the renewal under way, or begins one.
    pub(super) fn join(&self, begin: impl FnOnce() -> BoxFuture<'static, Result<(), KeeperError>>) -> Flight {
        let mut flight = self.flight.lock();
        if let Some(known) = flight.as_ref().filter(|known| known.peek().is_none()) {
            return known.clone();
        }
        let new = begin().shared();
        *flight = Some(new.clone());
        new
    }
}
