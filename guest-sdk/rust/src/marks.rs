//! How far the questions for changes have come, with a CRM that tells only when each record was last written.
//!
//! A CRM writes the time at which a change *began*, to the second or so, and shows the change when it is through: one
//! that was shown late, or shares its time with one that was seen, lies before the latest time that was seen. So a
//! round of questions does not begin where the last one ended, but where the one before it did: what is shown late has
//! the whole pause between two rounds to appear. The price is that a change is told twice, which hurts nobody: it says
//! only that the copy of a record is to be forgotten.

use serde::{Deserialize, Serialize};

use crate::Instant;

/// The times between which a round of questions looks. It is a part of the cursor of a tick.
///
/// ```
/// # use ramal_sdk::{Instant, Marks};
/// let at = Instant::from_millis;
/// let mut marks = Marks::at(at(5_000));
/// marks.saw(at(9_000));
/// marks.round_is_over();
/// assert_eq!(marks.since(), at(5_000), "once more, for what was shown late");
/// marks.round_is_over();
/// assert_eq!(marks.since(), at(9_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    since: u64,
    next: u64,
    top: u64,
}

impl Marks {
    /// Before the first round: what was written until this moment is no news.
    pub const fn at(newest: Instant) -> Self {
        let newest = newest.as_millis();
        Self { since: newest, next: newest, top: newest }
    }

    /// What was written later than this is news in this round.
    pub const fn since(&self) -> Instant {
        Instant::from_millis(self.since)
    }

    /// A record of this round was last written then.
    pub fn saw(&mut self, written: Instant) {
        self.top = self.top.max(written.as_millis());
    }

    /// Every record was asked for since the round began.
    pub fn round_is_over(&mut self) {
        self.since = self.next;
        self.next = self.top;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    /// The times of what was seen in each round, and from where the round after it looks.
    #[test]
    fn a_round_looks_from_where_the_one_before_the_last_ended() {
        let mut marks = Marks::at(at(10));
        let mut looked = Vec::new();
        for seen in [&[12, 11][..], &[], &[15], &[14], &[]] {
            seen.iter().for_each(|seen| marks.saw(at(*seen)));
            marks.round_is_over();
            looked.push(marks.since());
        }
        // The fourth saw what the third could not see yet.
        assert_eq!(looked, [at(10), at(12), at(12), at(15), at(15)]);
    }
}
