//! What a worker takes out of the outbox and what it says of it afterwards.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::{DeliveryId, Lane, Step, Target};
use crate::{Clear, CrmRecord, InteractionId, TenantId};

/// A target with open deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTarget {
    /// Which.
    pub target: Target,
    /// When its next lane is due. In the future while all its lanes are leased or wait for their next try.
    pub at: Timestamp,
}

/// What a worker wants to take.
#[derive(Debug, Clone)]
pub struct LeaseOrder {
    /// Whose deliveries.
    pub tenant: TenantId,
    /// To whom.
    pub target: Target,
    /// How many lanes at most.
    pub lanes: u32,
    /// Now.
    pub now: Timestamp,
    /// When the lease ends by itself.
    pub until: Timestamp,
}

/// A delivery in the hands of one worker.
#[derive(Clone, PartialEq, Eq)]
pub struct Leased {
    /// The delivery.
    pub id: DeliveryId,
    /// Proves that the lane is held: another lease has another.
    pub lease: Uuid,
    /// Whose.
    pub tenant: TenantId,
    /// Who is told.
    pub target: Target,
    /// Within what its order is kept.
    pub lane: Lane,
    /// The call or conversation that it is about.
    pub interaction: Option<InteractionId>,
    /// Which step.
    pub step: Step,
    /// The same for every try.
    pub key: Uuid,
    /// What is to be told: one JSON object.
    pub payload: Clear,
    /// Which try this is, from 1.
    pub tries: u32,
    /// When the first try began; the day to be delivered in counts from here.
    pub first_tried_at: Timestamp,
    /// The record in the CRM that an earlier delivery to the target made for this part of the interaction.
    pub record: Option<CrmRecord>,
}

// The lane may be a contact's pseudonym, and the record's page may name one.
impl fmt::Debug for Leased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leased")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("target", &self.target)
            .field("interaction", &self.interaction)
            .field("step", &self.step)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

/// Why a delivery did not succeed. Both texts are for operators and hold no customer's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable word, such as `transient` or `auth-expired`.
    pub code: String,
    /// What happened, masked.
    pub text: String,
}

impl Failure {
    /// Joins a stable word and a text.
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}

/// What became of a leased delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Delivered. Its payload is erased; the record, if there is one, is kept for later steps.
    Done {
        /// What the CRM has now.
        record: Option<CrmRecord>,
    },
    /// Not delivered, since the receiver has all of it by a later delivery: it would write older facts over newer ones.
    Superseded {
        /// By what.
        failure: Failure,
    },
    /// To be tried again.
    Retry {
        /// When.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// Given up until a person replays it.
    Dead {
        /// Why.
        failure: Failure,
    },
    /// The target takes nothing until a person acts: it is paused, and the delivery waits at the head of its lane.
    Pause {
        /// Why.
        failure: Failure,
    },
    /// It was not tried after all: as if it had not been leased, so that its day does not run.
    Untried {
        /// When to look again.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
}

impl Settlement {
    /// A stable word for logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Superseded { .. } => "superseded",
            Self::Retry { .. } => "retry",
            Self::Dead { .. } => "dead",
            Self::Pause { .. } => "pause",
            Self::Untried { .. } => "untried",
        }
    }
    /// Why it did not succeed, if it did not.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Retry { failure, .. }
            | Self::Superseded { failure }
            | Self::Dead { failure }
            | Self::Pause { failure }
            | Self::Untried { failure, .. } => Some(failure),
            Self::Done { .. } => None,
        }
    }
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is stored.
    Yes,
    /// The lease is no longer held: somebody else has the delivery. Nothing was changed.
    Lost,
    /// The interaction is no longer what was read for its history. Nothing was changed; read it again.
    Conflict,
}
