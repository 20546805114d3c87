//! How fast calls may go to one CRM account, with those that a person waits for first.
//!
//! A generic cell rate algorithm: instead of counting tokens it keeps the one moment at which the account has recovered
//! from everything that was sent. Exact in whole microseconds, no timer, no drift. Part of the burst is kept for
//! interactive calls: the queue of deliveries can never eat it up, so that a backlog of ten thousand entries does not
//! delay the next screen pop. As long as an interactive call has to wait, every batch call has to wait longer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::decision::{LONGEST_WAIT, later};

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A person does.
    Interactive,
    /// Nobody does.
    Batch,
}

/// What an account takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// From one call to the next, when they come evenly.
    pub every: Duration,
    /// Calls that may come at once after a rest; 1 at least.
    pub burst: u32,
    /// How many of the burst are kept for interactive calls. At least one stays for batch.
    pub kept: u32,
}

impl Default for Rate {
    /// Ten a second, of a burst of twenty five for people: what the tightest of the common CRMs take.
    fn default() -> Self {
        Self { every: Duration::from_millis(100), burst: 20, kept: 5 }
    }
}

impl Rate {
    /// How far ahead of the account's recovery a call may be sent.
    fn ahead(self, class: Class) -> Duration {
        let calls = match class {
            Class::Interactive => self.burst.max(1),
            Class::Batch => self.burst.saturating_sub(self.kept).max(1),
        };
        self.every.saturating_mul(calls)
    }
}

/// The budget of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    /// When the account has recovered from all that was sent.
    recovered: Option<Timestamp>,
    /// Until when the account itself asked to be left alone.
    rest: Option<Timestamp>,
}

impl Bucket {
    /// Takes one call out of the budget.
    ///
    /// # Errors
    /// When it must wait: the moment to ask again. Nothing is taken then.
    pub fn take(&mut self, rate: Rate, class: Class, now: Timestamp) -> Result<(), Timestamp> {
        // A clock that was set back must not leave a wait behind that nobody asked for.
        let from = self.recovered.unwrap_or(now).clamp(now, later(now, rate.ahead(Class::Interactive)));
        self.recovered = Some(from);
        self.rest = self.rest.map(|rest| rest.min(later(now, LONGEST_WAIT))).filter(|rest| *rest > now);
        if let Some(rest) = self.rest {
            return Err(rest);
        }
        let then = later(from, rate.every);
        let allowed = later(now, rate.ahead(class));
        if then > allowed {
            let wait = then.duration_since(allowed);
            return Err(now.checked_add(wait).unwrap_or(Timestamp::MAX));
        }
        self.recovered = Some(then);
        Ok(())
    }

    /// Gives back a call that was not made.
    pub fn give_back(&mut self, rate: Rate) {
        let by = SignedDuration::try_from(rate.every).unwrap_or(SignedDuration::ZERO);
        self.recovered = self.recovered.and_then(|at| at.checked_sub(by).ok());
    }

    /// Takes what a call cost beyond the one that was taken for it. It is known afterwards, so whoever comes next waits
    /// for it, but no longer than after a burst.
    pub fn charge(&mut self, rate: Rate, calls: u32, now: Timestamp) {
        let from = self.recovered.unwrap_or(now).max(now);
        let most = later(now, rate.ahead(Class::Interactive));
        self.recovered = Some(later(from, rate.every.saturating_mul(calls)).min(most));
    }

    /// Lets nothing through until a moment: the account asked for it.
    pub fn rest_until(&mut self, until: Timestamp) {
        self.rest = self.rest.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate { every: Duration::from_secs(1), burst: 5, kept: 2 };

    fn at(millis: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_millis(millis)
    }
    fn taken(bucket: &mut Bucket, class: Class, now: Timestamp) -> usize {
        std::iter::from_fn(|| bucket.take(RATE, class, now).ok()).take(100).count()
    }

    #[test]
    fn a_rested_account_takes_its_burst_and_then_one_by_one() {
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, Class::Interactive, at(0)), 5);
        assert_eq!(bucket.take(RATE, Class::Interactive, at(0)), Err(at(1000)));
        assert_eq!(bucket.take(RATE, Class::Interactive, at(999)), Err(at(1000)));
        assert_eq!(bucket.take(RATE, Class::Interactive, at(1000)), Ok(()));
        assert_eq!(bucket.take(RATE, Class::Interactive, at(1000)), Err(at(2000)));
    }

    #[test]
    fn batch_leaves_a_part_of_the_burst_to_people() {
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, Class::Batch, at(0)), 3);
        assert_eq!(taken(&mut bucket, Class::Interactive, at(0)), 2);
    }

    #[test]
    fn while_a_person_waits_batch_waits_longer() {
        let mut bucket = Bucket::default();
        taken(&mut bucket, Class::Interactive, at(0));
        let person = bucket.take(RATE, Class::Interactive, at(0)).unwrap_err();
        let batch = bucket.take(RATE, Class::Batch, at(0)).unwrap_err();
        assert_eq!((person, batch), (at(1000), at(3000)));
        // And at the person's moment it is still the person's.
        assert!(bucket.take(RATE, Class::Batch, person).is_err());
        assert_eq!(bucket.take(RATE, Class::Interactive, person), Ok(()));
    }

    #[test]
    fn who_keeps_everything_for_people_still_lets_batch_go_one_by_one() {
        let rate = Rate { kept: 9, ..RATE };
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(rate, Class::Batch, at(0)), Ok(()));
        assert_eq!(bucket.take(rate, Class::Batch, at(0)), Err(at(1000)));
    }

    #[test]
    fn what_was_not_sent_costs_nothing() {
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, Class::Interactive, at(0)), 5);
        bucket.give_back(RATE);
        assert_eq!(taken(&mut bucket, Class::Interactive, at(0)), 1);
    }

    #[test]
    fn what_a_call_cost_more_is_waited_for_by_who_comes_next_but_not_for_longer_than_a_burst() {
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, Class::Interactive, at(0)), 5);
        bucket.charge(RATE, 2, at(0));
        assert_eq!(bucket.clone().take(RATE, Class::Interactive, at(0)), Err(at(1000)));
        let mut fresh = Bucket::default();
        fresh.take(RATE, Class::Interactive, at(0)).unwrap();
        fresh.charge(RATE, 3, at(0));
        assert_eq!(taken(&mut fresh, Class::Interactive, at(0)), 1);
        fresh.charge(RATE, u32::MAX, at(0));
        assert_eq!(taken(&mut fresh, Class::Interactive, at(6000)), 5);
    }

    #[test]
    fn an_account_that_asks_for_rest_gets_it_from_everybody() {
        let mut bucket = Bucket::default();
        bucket.rest_until(at(5000));
        bucket.rest_until(at(3000));
        assert_eq!(bucket.take(RATE, Class::Interactive, at(0)), Err(at(5000)));
        assert_eq!(bucket.take(RATE, Class::Interactive, at(5000)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_no_long_wait() {
        const DAY: i64 = 86_400_000;
        let mut bucket = Bucket::default();
        taken(&mut bucket, Class::Interactive, at(DAY));
        assert_eq!(bucket.take(RATE, Class::Interactive, at(0)), Err(at(1000)));
        assert_eq!(bucket.take(RATE, Class::Interactive, at(1000)), Ok(()));
        bucket.rest_until(at(DAY));
        let until = later(at(2000), LONGEST_WAIT);
        assert_eq!(bucket.take(RATE, Class::Interactive, at(2000)), Err(until));
        assert_eq!(bucket.take(RATE, Class::Interactive, until), Ok(()));
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_what_recovered(
            steps in prop::collection::vec((0i64..3000, any::<bool>()), 1..200)
        ) {
            let mut bucket = Bucket::default();
            let mut now = 0;
            let mut sent = 0i64;
            for (pause, person) in steps {
                now += pause;
                let class = if person { Class::Interactive } else { Class::Batch };
                match bucket.take(RATE, class, at(now)) {
                    Ok(()) => sent += 1,
                    // Whoever comes at the moment that was named is let through.
                    Err(until) => {
                        prop_assert!(until > at(now));
                        prop_assert_eq!(bucket.clone().take(RATE, class, until), Ok(()));
                    }
                }
                prop_assert!(sent <= 5 + now / 1000);
            }
        }
    }
}
