//! Deliveries as people look at them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Failure, Step, Target};
use crate::words::words;
use crate::{CrmRecord, InteractionId};

/// A stored delivery. Time-ordered (UUID version 7, RFC 9562), so that it is its own cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub Uuid);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

words! {
    /// Where a delivery stands.
    DeliveryState {
        /// It waits for its turn, its time, or an answer.
        Open = "open",
        /// It was delivered.
        Done = "done",
        /// It was given up until a person replays it.
        Dead = "dead",
    }
}

/// A delivery without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its name.
    pub id: DeliveryId,
    /// Who is told.
    pub target: Target,
    /// The call or conversation that it is about.
    pub interaction: Option<InteractionId>,
    /// Which step.
    pub step: Step,
    /// The same for every try.
    pub key: Uuid,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried since it was stored or replayed.
    pub tries: u32,
    /// When it was decided.
    pub at: Timestamp,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// Why the last try did not succeed; of one that is done, why it needed no try.
    pub failure: Option<Failure>,
    /// What the CRM had afterwards.
    pub record: Option<CrmRecord>,
}

/// Which deliveries are meant. Nothing said is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Those that stand so.
    pub state: Option<DeliveryState>,
    /// Those to this target.
    pub target: Option<Target>,
    /// Those about this call or conversation.
    pub interaction: Option<InteractionId>,
}

/// Why and since when a target takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub reason: Failure,
    /// Since when.
    pub since: Timestamp,
}

/// What waits for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// Which.
    pub target: Target,
    /// Open deliveries.
    pub open: u64,
    /// When the oldest of them was decided.
    pub oldest: Option<Timestamp>,
    /// Dead deliveries.
    pub dead: u64,
    /// Whether a person has to act first.
    pub paused: Option<Pause>,
}
