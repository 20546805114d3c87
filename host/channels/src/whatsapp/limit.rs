//! How fast Meta lets a number send: so many messages a second to everybody, and one in six seconds to one user, of
//! which 45 may be sent at once and are then waited off.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput>. Whoever runs into these limits at Meta's
//! side is held back for longer than whoever keeps them, so they are kept here.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Between two messages to one user, in the long run.
const PAIR_EVERY: Duration = Duration::from_secs(6);
/// Messages to one user at once.
const PAIR_BURST: u32 = 45;
/// Users that are remembered before those are dropped who may be written to anyway.
const SWEEP_AT: usize = 4096;

/// A rate with a burst, by the time at which everything that was sent would have been allowed.
#[derive(Clone, Copy)]
struct Pace {
    every: Duration,
    burst: u32,
}

impl Pace {
    /// When the next one is due by what is owed; or how long to wait.
    fn next(self, owed: Option<Instant>, now: Instant) -> Result<Instant, Duration> {
        let owed = owed.unwrap_or(now).max(now);
        let ahead = owed.saturating_duration_since(now);
        let allowed = self.every.saturating_mul(self.burst.saturating_sub(1));
        match ahead.checked_sub(allowed).filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => Ok(owed.checked_add(self.every).unwrap_or(owed)),
        }
    }
}

#[derive(Default)]
struct Owed {
    all: Option<Instant>,
    pairs: HashMap<Box<str>, Instant>,
}

/// The limits of one number.
pub(super) struct Limits {
    all: Pace,
    pair: Pace,
    owed: Mutex<Owed>,
}

impl Limits {
    /// At most so many messages a second.
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = per_second.max(1);
        let every = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        Self {
            all: Pace { every, burst: per_second },
            pair: Pace { every: PAIR_EVERY, burst: PAIR_BURST },
            owed: Mutex::default(),
        }
    }

    /// Takes a place for one message to this user, or says how long to wait. Nothing is taken then.
    pub(super) fn take(&self, to: &str, now: Instant) -> Result<(), Duration> {
        let mut owed = self.owed.lock();
        let pair = self.pair.next(owed.pairs.get(to).copied(), now)?;
        let all = self.all.next(owed.all, now)?;
        if owed.pairs.len() >= SWEEP_AT {
            owed.pairs.retain(|_, at| *at > now);
        }
        owed.pairs.insert(to.into(), pair);
        owed.all = Some(all);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_user_gets_45_at_once_and_then_one_in_six_seconds() {
        let (limits, begun) = (Limits::new(80), Instant::now());
        for _ in 0..45 {
            assert_eq!(limits.take("5511987654321", begun), Ok(()));
        }
        assert_eq!(limits.take("5511987654321", begun), Err(Duration::from_secs(6)));
        assert_eq!(limits.take("551140028922", begun), Ok(()), "another user waits for nobody");
        let later = begun + Duration::from_secs(6);
        assert_eq!(limits.take("5511987654321", later), Ok(()));
        assert!(limits.take("5511987654321", later).is_err());
        let rested = later + Duration::from_secs(6 * 46);
        assert!((0..45).all(|_| limits.take("5511987654321", rested).is_ok()));
    }

    #[test]
    fn all_users_together_get_no_more_than_the_number_may_send() {
        let (limits, begun) = (Limits::new(80), Instant::now());
        let sent = |at: Instant| (0..200).filter(|n| limits.take(&format!("{at:?}{n}"), at).is_ok()).count();
        assert_eq!(sent(begun), 80);
        assert_eq!(sent(begun + Duration::from_millis(500)), 40);
    }

    proptest! {
        /// Whoever waits as long as was said is let through, and never more than the burst and the rate allow.
        #[test]
        fn the_wait_that_is_told_is_enough(steps in prop::collection::vec(0_u64..20_000, 1..200)) {
            let (limits, begun) = (Limits::new(80), Instant::now());
            let (mut now, mut sent) = (begun, 0_u64);
            for step in steps {
                now += Duration::from_millis(step);
                if let Err(wait) = limits.take("a", now) {
                    now += wait;
                    prop_assert_eq!(limits.take("a", now), Ok(()));
                }
                sent += 1;
                prop_assert!(sent <= 45 + (now - begun).as_secs() / 6);
            }
        }
    }
}
