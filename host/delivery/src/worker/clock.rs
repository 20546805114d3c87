//! Notices that the time of day was set back.
//!
//! Times of tries and leases are times of day, since they outlive the process and are shared between nodes. When a
//! wrong clock is corrected by an hour, they all lie an hour too far ahead, and nothing would be delivered for as long.
//! So the time of day is compared with the clock that cannot be set.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::LONGEST_WAIT;
use crate::decision::later;

/// Smaller corrections delay nothing that anybody would notice.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// Both clocks as they were when they were last looked at; none at the beginning.
#[derive(Debug, Default)]
pub(super) struct Watch(Option<(Timestamp, Instant)>);

/// The clock was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SetBack {
    /// Times after this one are of the clock before.
    pub(super) later: Timestamp,
    /// By how much.
    pub(super) by: SignedDuration,
}

impl Watch {
    /// Whether it was set back since the last look. As long as it was, the next look says so again, until
    /// [`Watch::followed`].
    pub(super) fn look(&mut self, now: Timestamp, lease: Duration) -> Option<SetBack> {
        let Some((then, at)) = self.0 else {
            self.0 = Some((now, Instant::now()));
            // What an earlier process left: nothing ever waits for longer than this.
            let longest = later(later(now, LONGEST_WAIT), lease);
            return Some(SetBack { later: longest, by: SignedDuration::MAX });
        };
        let by = later(then, at.elapsed()).duration_since(now);
        if by <= SLACK {
            self.followed(now);
            return None;
        }
        // Leases that were taken by a right clock, as other nodes may have, stay.
        Some(SetBack { later: later(now, lease), by })
    }

    /// What had to be done is done.
    pub(super) fn followed(&mut self, now: Timestamp) {
        self.0 = Some((now, Instant::now()));
    }
}
