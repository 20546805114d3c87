//! The one road to a new token. Read [`Inner::renew`] and [`Inner::under_lease`] from top to bottom.
//!
//! ```text
//! lease → read again → "sent" is stored → ask → new pair is stored → handed out → lease given back
//!                                       ↑ killed here: the next try asks with the old refresh token and knows
//!                                         that an answer may be lost
//!                                             ↑ not storable: kept in memory, tried again, handed to nobody
//! ```
//!
//! It runs in a task of its own: a caller whose time is up must not take the answer with it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use ramal_capability::{Clear, EgressFailure, Flow, OAuthPlan};
use ramal_egress::{TokenCall, TokenFailure};
use ramal_store::{CredentialKey, Lease};

use super::Inner;
use super::cell::{Cell, Flight, Live, Unsaved};
use super::rows::Loaded;
use crate::answer::{self, Refusal};
use crate::error::{KeeperError, Trouble};
use crate::record::{Due, Ended, Failing, Record, after};
use crate::request::{self, Ask};
use crate::state::Reason;

/// A token that the CRM refuses within this time of its birth is not renewed for that.
pub(super) const REFUSED_FRESH: Duration = Duration::from_secs(30);
/// How often a node that waits for another one looks.
const LOOK: Duration = Duration::from_millis(100);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The longest pause that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

impl Inner {
    /// Joins the renewal under way, or begins one.
    pub(super) fn fly(
        self: &Arc<Self>,
        key: &CredentialKey,
        cell: &Arc<Cell>,
        plan: &Arc<OAuthPlan>,
    ) -> Flight {
        cell.join(|| {
            let (inner, key, cell, plan) =
                (Arc::clone(self), key.clone(), Arc::clone(cell), Arc::clone(plan));
            let aborted = KeeperError::Later { key: key.clone(), why: Trouble::Aborted, retry_at: None };
            let task = tokio::spawn(async move { inner.renew(&key, &cell, &plan).await });
            async move { task.await.unwrap_or(Err(aborted)) }.boxed()
        })
    }

    async fn renew(&self, key: &CredentialKey, cell: &Cell, plan: &OAuthPlan) -> Result<(), KeeperError> {
        self.store_unsaved(key, cell).await?;
        let later = |why, retry_at| KeeperError::Later { key: key.clone(), why, retry_at };
        let started = tokio::time::Instant::now();
        loop {
            let loaded = self.load(key, cell).await?;
            if !self.is_due(key, cell, plan, loaded)? {
                return Ok(());
            }
            let (now, lease) = (self.clock.now(), self.settings.lease);
            match self.store.lease_credential(key, self.node, now, lease).await? {
                Lease::Granted => {
                    let done = self.under_lease(key, cell, plan).await;
                    // One that is not given back ends by itself.
                    if let Err(error) = self.store.release_credential(key, self.node).await {
                        tracing::warn!(credential = %key, %error, "a lease could not be given back");
                    }
                    return done;
                }
                Lease::Held(_) if started.elapsed() < self.settings.patience => {
                    tokio::time::sleep(LOOK).await
                }
                Lease::Held(until) => return Err(later(Trouble::Elsewhere, Some(until))),
            }
        }
    }

    /// Whether the row that was just read still has to be renewed; publishes it if not.
    fn is_due(
        &self,
        key: &CredentialKey,
        cell: &Cell,
        plan: &OAuthPlan,
        loaded: Loaded,
    ) -> Result<bool, KeeperError> {
        let Some(record) = &loaded.record else {
            self.publish(key, cell, loaded);
            return Err(KeeperError::Missing(key.clone()));
        };
        let now = self.clock.now();
        let live = Live::new(loaded.revision, record.clone(), self.settings.ahead, 1.0);
        match live.due(Some(plan), cell.stale().as_ref(), now) {
            Due::No => {
                self.publish(key, cell, loaded);
                Ok(false)
            }
            Due::Never(reason) => {
                self.publish(key, cell, loaded);
                Err(KeeperError::NeedsPerson { key: key.clone(), reason })
            }
            Due::Soon | Due::Now if live.rests(now) => {
                let retry_at = record.failing.map(|failing| failing.retry_at);
                self.publish(key, cell, loaded);
                Err(KeeperError::Later { key: key.clone(), why: Trouble::NoAnswer, retry_at })
            }
            Due::Soon | Due::Now => Ok(true),
        }
    }

    async fn under_lease(
        &self,
        key: &CredentialKey,
        cell: &Cell,
        plan: &OAuthPlan,
    ) -> Result<(), KeeperError> {
        // Another node may have been quicker between the look and the lease.
        let loaded = self.load(key, cell).await?;
        let (mut before, record) = (loaded.revision, loaded.record.clone());
        if !self.is_due(key, cell, plan, loaded)? {
            return Ok(());
        }
        let Some(mut record) = record else { return Err(KeeperError::Missing(key.clone())) };
        // An earlier process died on the way.
        record.lost = record.lost.or(record.attempt);
        let lost_before = record.lost.is_some();
        let refresh = record.tokens.as_ref().and_then(|tokens| tokens.refresh.clone()).map(|hidden| hidden.0);
        let used = refresh.filter(|_| matches!(plan.flow, Flow::AuthorizationCode { .. }));
        let ask = used.as_ref().map_or(Ask::Own, Ask::Refresh);
        let now = self.clock.now();
        let form = match request::form(plan, &record.fields, &ask, now) {
            Ok(form) => form,
            Err(error) => {
                tracing::error!(credential = %key, %error, "a token cannot be asked for");
                return Err(self.end(key, cell, record, before, Reason::SecretIncomplete).await);
            }
        };
        if used.is_some() {
            // Only what rotates can be lost.
            record.attempt = Some(now);
            before = self
                .write(key, cell, Some(&record), before)
                .await?
                .ok_or_else(|| KeeperError::Conflict(key.clone()))?;
            self.publish(key, cell, Loaded { revision: before, record: Some(record.clone()) });
        }
        let call = TokenCall {
            origin: &plan.origin,
            target: &plan.target,
            private: &plan.private,
            authorization: form.authorization.as_ref(),
            form: &form.body,
        };
        let answer = match self.endpoint.post(call).await {
            Ok(answer) => answer,
            Err(failure) => return Err(self.no_answer(key, cell, record, before, &failure).await),
        };
        match answer::read(plan, &answer, record.tokens.as_ref(), self.clock.now()) {
            Ok(tokens) => {
                record.tokens = Some(tokens);
                record.settle();
                let unsaved = Unsaved { record, before, used };
                let mut place = cell.unsaved.lock().await;
                *place = Some(unsaved);
                cell.set_holds_unsaved(true);
                drop(place);
                self.store_unsaved(key, cell).await
            }
            Err(Refusal::Person(Reason::GrantRefused)) if lost_before => {
                Err(self.end(key, cell, record, before, Reason::AnswerLost).await)
            }
            Err(Refusal::Person(reason)) => Err(self.end(key, cell, record, before, reason).await),
            Err(Refusal::Busy) => Err(self.failed(key, cell, record, before, Trouble::Busy, None).await),
            Err(Refusal::Unusable) => {
                tracing::warn!(credential = %key, status = answer.status, "no answer of a token endpoint");
                if answer.status < 300 && record.attempt.is_some() {
                    // It said yes, and what it gave cannot be read.
                    record.lost.get_or_insert(now);
                }
                Err(self.failed(key, cell, record, before, Trouble::BadAnswer, None).await)
            }
        }
    }

    /// Stores a new token, for as long as it takes within reason. Until then nobody gets it.
    pub(super) async fn store_unsaved(&self, key: &CredentialKey, cell: &Cell) -> Result<(), KeeperError> {
        let mut place = cell.unsaved.lock().await;
        for pause in &self.settings.store_pauses {
            let Some(unsaved) = place.as_mut() else { return Ok(()) };
            tokio::time::sleep(*pause).await;
            match self.store_once(key, cell, unsaved).await {
                Ok(Some(loaded)) => {
                    *place = None;
                    cell.set_holds_unsaved(false);
                    drop(place);
                    return match self.publish(key, cell, loaded) {
                        Some(_) => Ok(()),
                        None => Err(KeeperError::Missing(key.clone())),
                    };
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(credential = %key, %error, "a new token cannot be stored; trying again");
                }
            }
        }
        if place.is_none() {
            return Ok(());
        }
        Err(KeeperError::Later { key: key.clone(), why: Trouble::NotStored, retry_at: None })
    }

    /// One try. What is in the row afterwards, or `None` to try again.
    async fn store_once(
        &self,
        key: &CredentialKey,
        cell: &Cell,
        unsaved: &mut Unsaved,
    ) -> Result<Option<Loaded>, KeeperError> {
        if let Some(revision) = self.write(key, cell, Some(&unsaved.record), unsaved.before).await? {
            return Ok(Some(Loaded { revision, record: Some(unsaved.record.clone()) }));
        }
        // Somebody wrote meanwhile: this very try whose answer was lost, an admin, or a node whose lease had ended.
        let found = self.load(key, cell).await?;
        let Some(theirs) = &found.record else { return Ok(Some(found)) };
        let access = |record: &Record| record.tokens.as_ref().map(|tokens| tokens.access.0.clone());
        if access(theirs) == access(&unsaved.record) {
            return Ok(Some(found));
        }
        let refresh =
            theirs.tokens.as_ref().and_then(|tokens| tokens.refresh.as_ref()).map(|hidden| &hidden.0);
        let same_client = theirs.fields.get("client_id") == unsaved.record.fields.get("client_id");
        if !same_client || refresh != unsaved.used.as_ref() {
            // Theirs came later: another consent, or another client.
            return Ok(Some(found));
        }
        let mut merged = theirs.clone();
        merged.tokens.clone_from(&unsaved.record.tokens);
        merged.settle();
        (unsaved.record, unsaved.before) = (merged, found.revision);
        Ok(None)
    }

    async fn no_answer(
        &self,
        key: &CredentialKey,
        cell: &Cell,
        mut record: Record,
        before: u64,
        failure: &TokenFailure,
    ) -> KeeperError {
        let (why, asked) = match &failure.failure {
            EgressFailure::Denied(denial) => {
                tracing::error!(credential = %key, %denial, "the grant does not allow the token endpoint");
                (Trouble::NotAllowed, None)
            }
            EgressFailure::RateLimited(seconds) => {
                (Trouble::Busy, seconds.map(|s| Duration::from_secs(u64::from(s)).min(LONGEST_ASKED)))
            }
            _ if failure.sent => (Trouble::NoAnswer, None),
            _ => (Trouble::Unreachable, None),
        };
        // What the server refused to look at it did not spend.
        if failure.sent && why != Trouble::Busy && record.attempt.is_some() {
            record.lost.get_or_insert(self.clock.now());
        }
        self.failed(key, cell, record, before, why, asked).await
    }

    /// Notes a failure that time may mend.
    async fn failed(
        &self,
        key: &CredentialKey,
        cell: &Cell,
        mut record: Record,
        before: u64,
        why: Trouble,
        asked: Option<Duration>,
    ) -> KeeperError {
        let now = self.clock.now();
        let (since, count) = record.failing.map_or((now, 0), |failing| (failing.since, failing.count));
        let count = count.saturating_add(1);
        let retry_at = after(now, asked.unwrap_or_else(|| pause(count, rand::random())));
        record.failing = Some(Failing { since, count, retry_at });
        record.attempt = None;
        self.note(key, cell, record, before).await;
        KeeperError::Later { key: key.clone(), why, retry_at: Some(retry_at) }
    }

    /// Notes a failure that only a person can mend.
    async fn end(
        &self,
        key: &CredentialKey,
        cell: &Cell,
        mut record: Record,
        before: u64,
        reason: Reason,
    ) -> KeeperError {
        let since: Timestamp = self.clock.now();
        record.settle();
        record.ended = Some(Ended { reason, since });
        self.note(key, cell, record, before).await;
        KeeperError::NeedsPerson { key: key.clone(), reason }
    }

    /// Writes how it went. That this fails loses nothing: the next try finds it out again.
    async fn note(&self, key: &CredentialKey, cell: &Cell, record: Record, before: u64) {
        match self.write(key, cell, Some(&record), before).await {
            Ok(Some(revision)) => {
                self.publish(key, cell, Loaded { revision, record: Some(record) });
            }
            Ok(None) => cell.forget_when_read(),
            Err(error) => {
                cell.forget_when_read();
                tracing::error!(credential = %key, %error, "how a renewal went cannot be stored");
            }
        }
    }
}

/// Full jitter: any time up to twice the last most, at least a second.
fn pause(count: u32, chance: f64) -> Duration {
    let most = Duration::from_secs(1).saturating_mul(1 << count.min(16)).min(LONGEST_PAUSE);
    most.mul_f64(chance.clamp(0.0, 1.0)).max(Duration::from_secs(1))
}

/// The secret part of a consent's request, for [`super::connect`].
pub(super) fn code<'a>(code: &'a Clear, redirect_uri: &'a str, verifier: &'a Clear) -> Ask<'a> {
    Ask::Code { code, redirect_uri, verifier }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::first_least(1, 0.0, 1_000)]
    #[case::first_most(1, 1.0, 2_000)]
    #[case::third(3, 0.5, 4_000)]
    #[case::capped(30, 1.0, 300_000)]
    #[case::capped_by_chance(30, 0.5, 150_000)]
    fn pauses_grow_to_five_minutes(#[case] count: u32, #[case] chance: f64, #[case] millis: u64) {
        assert_eq!(pause(count, chance), Duration::from_millis(millis));
    }
}
