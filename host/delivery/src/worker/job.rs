//! One try of one delivery, from the lease to the settlement.

use std::convert::Infallible;
use std::time::Duration;

use ramal_capability::Dedup;
use ramal_store::{Failure, Leased, Settled, Settlement, StoreError};
use tokio::time::Instant;

use super::Shared;
use crate::decision::later;
use crate::{Attempt, Outcome, Pass, Verdict, decide, history};

/// How often a settlement is made anew because the interaction changed meanwhile.
const MOST_CONFLICTS: u32 = 20;
/// How long to wait when the store does not answer.
const STORE_WAIT: Duration = Duration::from_secs(1);

pub(super) async fn attend(shared: &Shared, job: &Leased, pass: Pass, dedup: Dedup) {
    let started = Instant::now();
    let settlement = match untold(shared, job).await {
        // The pass is dropped, and gives back what it took.
        Err(settlement) => settlement,
        Ok(()) => call(shared, job, pass, dedup).await,
    };
    let took = started.elapsed();
    log(job, &settlement);
    if settle(shared, job, &settlement).await {
        shared.parts.observer.settled(job, &settlement, took);
    }
}

/// Whether there is something to tell; if not, what is to be said of the delivery.
async fn untold(shared: &Shared, job: &Leased) -> Result<(), Settlement> {
    match history::superseded_by(shared.parts.store.as_ref(), job).await {
        Ok(None) => Ok(()),
        Ok(Some(step)) => {
            let why =
                format!("`{step}` was delivered before it came to its turn, and tells all that it tells");
            Err(Settlement::Superseded { failure: Failure::new("superseded", why) })
        }
        Err(error) => {
            let failure = Failure::new("store-failed", error.to_string());
            Err(Settlement::Untried { at: later(shared.now(), STORE_WAIT), failure })
        }
    }
}

/// One try.
async fn call(shared: &Shared, job: &Leased, pass: Pass, dedup: Dedup) -> Settlement {
    let outcome = tokio::select! {
        outcome = deliver(shared, job, dedup) => outcome,
        never = keep_lease(shared, job) => match never {},
    };
    let now = shared.now();
    if let Outcome::RetryAfter(wish, _) = &outcome {
        shared.parts.upstreams.limited(pass.upstream(), *wish, now);
    }
    match verdict(&outcome) {
        Some(verdict) => pass.report(verdict, now),
        // Gives back what it took.
        None => drop(pass),
    }
    let attempt =
        Attempt { tries: job.tries, first_tried_at: job.first_tried_at, now, roll: (shared.parts.roll)() };
    decide(outcome, attempt)
}

async fn deliver(shared: &Shared, job: &Leased, dedup: Dedup) -> Outcome {
    let _alone = match dedup {
        Dedup::SearchBeforeCreate => {
            Some(shared.locks.lock((job.tenant.clone(), job.target.clone(), job.key)).await)
        }
        Dedup::UpsertByExternalId | Dedup::IdempotencyKey | Dedup::None => None,
    };
    shared.parts.courier.deliver(job).await
}

/// What an outcome says of the CRM's health; nothing when nothing was sent.
fn verdict(outcome: &Outcome) -> Option<Verdict> {
    Some(match outcome {
        Outcome::Transient(_) => Verdict::Failing,
        Outcome::Done(_) | Outcome::Permanent(_) | Outcome::AuthExpired(_) => Verdict::Healthy,
        // It limits us because it is alive, but whether it is well it did not say; a denial did not reach it.
        Outcome::RetryAfter(..) | Outcome::Denied(_) => Verdict::Unknown,
        Outcome::Untried(..) => return None,
    })
}

/// Renews the lease for as long as it is polled. A renewal that fails is tried again at the next time: what the lease
/// protects against is a dead worker, and this one is not.
async fn keep_lease(shared: &Shared, job: &Leased) -> Infallible {
    let lease = shared.parts.settings.lease;
    loop {
        tokio::time::sleep(lease / 3).await;
        match shared.parts.store.renew(job, later(shared.now(), lease)).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(tenant = %job.tenant, delivery = %job.id, "a lease was lost under a delivery");
                // The call goes on: to break it off would not undo it.
                std::future::pending::<()>().await;
            }
            Err(error) => {
                tracing::warn!(tenant = %job.tenant, delivery = %job.id, %error, "a lease was not renewed");
            }
        }
    }
}

/// Stores the settlement. Tries for as long as the lease may hold; what is not stored by then is delivered again, and
/// the receiver recognises the key.
async fn settle(shared: &Shared, job: &Leased, settlement: &Settlement) -> bool {
    let give_up = Instant::now() + shared.parts.settings.lease;
    let mut wait = Duration::from_millis(100);
    loop {
        match settle_once(shared, job, settlement).await {
            Ok(Settled::Yes) => return true,
            Ok(Settled::Lost) => {
                tracing::warn!(tenant = %job.tenant, delivery = %job.id, "a delivery is somebody else's by now");
                return false;
            }
            // Somebody changes the interaction faster than it can be read; the lease holds meanwhile.
            Ok(Settled::Conflict) if Instant::now() < give_up => {}
            Err(error) if Instant::now() < give_up => {
                tracing::warn!(tenant = %job.tenant, delivery = %job.id, %error, "an outcome was not stored; once more");
            }
            Ok(Settled::Conflict) => {
                tracing::error!(tenant = %job.tenant, delivery = %job.id, "an outcome was not stored: its interaction changes all the time");
                return false;
            }
            Err(error) => {
                tracing::error!(tenant = %job.tenant, delivery = %job.id, %error, "an outcome could not be stored; it is delivered again");
                return false;
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

async fn settle_once(shared: &Shared, job: &Leased, settlement: &Settlement) -> Result<Settled, StoreError> {
    let store = &shared.parts.store;
    let mut conflicts = 0;
    loop {
        let now = shared.now();
        let history = history::of(store.as_ref(), job, settlement, now).await?;
        let settled = store.settle(job, settlement, history, now).await?;
        conflicts += 1;
        if settled != Settled::Conflict || conflicts >= MOST_CONFLICTS {
            return Ok(settled);
        }
    }
}

fn log(job: &Leased, settlement: &Settlement) {
    let (tenant, target, delivery, tries) = (&job.tenant, &job.target, job.id, job.tries);
    let Some(failure) = settlement.failure() else { return };
    match settlement {
        Settlement::Dead { .. } => {
            tracing::error!(%tenant, %target, %delivery, tries, code = failure.code, "given up: {}", failure.text);
        }
        Settlement::Pause { .. } => {
            tracing::error!(%tenant, %target, code = failure.code, "paused until a person acts: {}", failure.text);
        }
        Settlement::Superseded { .. } => {
            tracing::info!(%tenant, %target, %delivery, code = failure.code, "not sent any more: {}", failure.text);
        }
        Settlement::Untried { .. } => {
            tracing::debug!(%tenant, %target, %delivery, code = failure.code, "not tried yet: {}", failure.text);
        }
        Settlement::Retry { .. } | Settlement::Done { .. } => {
            tracing::info!(%tenant, %target, %delivery, tries, code = failure.code, "to be tried again: {}", failure.text);
        }
    }
}
