//! What follows from the outcome of a try: done, another try, no try at all, a pause until a person acts, or given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ramal_store::Settlement;

use crate::{Outcome, backoff};

/// A delivery is given up when it still fails so long after its first try.
pub const DELIVERY_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// But not before so many tries: a host that was off for a day, or whose clock jumped ahead, has not tried for a day.
pub const FEWEST_TRIES: u32 = 8;
/// No receiver's wish to wait is taken for longer.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// One try, as the decision sees it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Which try it was, from 1.
    pub tries: u32,
    /// When the first one began.
    pub first_tried_at: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// Drawn evenly from all values.
    pub roll: u32,
}

impl Attempt {
    fn deadline(self) -> Timestamp {
        later(self.first_tried_at, DELIVERY_DAY)
    }
    fn is_last(self) -> bool {
        self.now >= self.deadline() && self.tries >= FEWEST_TRIES
    }
    /// A try at the end of the day is the last one.
    fn again_in(self, wait: Duration) -> Timestamp {
        let (then, deadline) = (later(self.now, wait), self.deadline());
        if self.now < deadline { then.min(deadline) } else { then }
    }
}

/// A moment after another, or the end of time.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// What follows.
pub fn decide(outcome: Outcome, attempt: Attempt) -> Settlement {
    match outcome {
        Outcome::Done(record) => Settlement::Done { record },
        Outcome::Permanent(failure) => Settlement::Dead { failure },
        Outcome::AuthExpired(failure) | Outcome::Denied(failure) => Settlement::Pause { failure },
        Outcome::Untried(wait, failure) => Settlement::Untried { at: later(attempt.now, wait), failure },
        Outcome::Transient(failure) | Outcome::RetryAfter(_, failure) if attempt.is_last() => {
            Settlement::Dead { failure }
        }
        Outcome::Transient(failure) => {
            Settlement::Retry { at: attempt.again_in(backoff(attempt.tries, attempt.roll)), failure }
        }
        Outcome::RetryAfter(wish, failure) => {
            let wait =
                wish.map_or_else(|| backoff(attempt.tries, attempt.roll), |wish| wish.min(LONGEST_WAIT));
            Settlement::Retry { at: attempt.again_in(wait), failure }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ramal_store::Failure;
    use rstest::rstest;

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }
    fn failure() -> Failure {
        Failure::new("code", "what happened")
    }
    fn attempt(tries: u32, hours: u64) -> Attempt {
        Attempt {
            tries,
            first_tried_at: noon(),
            now: later(noon(), Duration::from_secs(hours * 3600)),
            roll: u32::MAX,
        }
    }
    fn seconds_until(settlement: &Settlement, from: Timestamp) -> Option<i64> {
        match settlement {
            Settlement::Retry { at, .. } => Some(at.duration_since(from).as_secs()),
            _ => None,
        }
    }

    #[rstest]
    #[case::done(Outcome::Done(None), "done")]
    #[case::transient(Outcome::Transient(failure()), "retry")]
    #[case::told_to_wait(Outcome::RetryAfter(None, failure()), "retry")]
    #[case::held_back_here(Outcome::Untried(Duration::from_secs(2), failure()), "untried")]
    #[case::permanent(Outcome::Permanent(failure()), "dead")]
    #[case::credential(Outcome::AuthExpired(failure()), "pause")]
    #[case::grant(Outcome::Denied(failure()), "pause")]
    fn each_outcome_has_its_consequence(#[case] outcome: Outcome, #[case] settlement: &str) {
        assert_eq!(decide(outcome, attempt(1, 0)).as_str(), settlement);
    }

    #[rstest]
    #[case::own_wait(None, 3, 4)]
    #[case::its_wish(Some(90), 3, 90)]
    #[case::its_wish_is_shorter(Some(0), 9, 0)]
    #[case::no_longer_than_an_hour(Some(86_400), 1, 3600)]
    fn a_receivers_wish_stands_above_the_own_wait(
        #[case] wish: Option<u64>,
        #[case] tries: u32,
        #[case] seconds: i64,
    ) {
        let outcome = Outcome::RetryAfter(wish.map(Duration::from_secs), failure());
        assert_eq!(seconds_until(&decide(outcome, attempt(tries, 0)), noon()), Some(seconds));
    }

    #[rstest]
    #[case::a_minute_before(23, "retry")]
    #[case::after_a_day(24, "dead")]
    #[case::long_after(240, "dead")]
    fn after_a_day_of_trying_it_is_given_up(#[case] hours: u64, #[case] settlement: &str) {
        assert_eq!(decide(Outcome::Transient(failure()), attempt(50, hours)).as_str(), settlement);
        assert_eq!(decide(Outcome::RetryAfter(None, failure()), attempt(50, hours)).as_str(), settlement);
    }

    #[rstest]
    #[case::the_first(1, "retry")]
    #[case::a_few(7, "retry")]
    #[case::enough(8, "dead")]
    fn a_day_without_tries_is_no_day_of_trying(#[case] tries: u32, #[case] settlement: &str) {
        let late = attempt(tries, 48);
        assert_eq!(decide(Outcome::Transient(failure()), late).as_str(), settlement);
        if let Settlement::Retry { at, .. } = decide(Outcome::RetryAfter(None, failure()), late) {
            assert!(at > late.now, "the time after the day is waited for as before it");
        }
    }

    #[rstest]
    #[case::done(Outcome::Done(None), "done")]
    #[case::credential(Outcome::AuthExpired(failure()), "pause")]
    #[case::held_back_here(Outcome::Untried(Duration::from_secs(2), failure()), "untried")]
    fn the_day_ends_only_what_fails_for_the_time_being(#[case] outcome: Outcome, #[case] settlement: &str) {
        assert_eq!(decide(outcome, attempt(50, 240)).as_str(), settlement);
    }

    proptest! {
        #[test]
        fn there_is_always_a_last_try_within_the_day(tries: u32, minutes in 0u64..1440, wish: u64, roll: u32) {
            let now = later(noon(), Duration::from_secs(minutes * 60));
            let attempt = Attempt { tries, first_tried_at: noon(), now, roll };
            let outcome = Outcome::RetryAfter(Some(Duration::from_secs(wish)), failure());
            let Settlement::Retry { at, .. } = decide(outcome, attempt) else {
                return Err(TestCaseError::fail("not a retry"));
            };
            prop_assert!(at >= now && at <= later(noon(), DELIVERY_DAY));
        }
    }
}
