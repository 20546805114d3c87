//! How long to wait before the next try: full jitter.
//!
//! Without jitter everything that failed in one outage comes back in the same moment and makes the next one. The wait
//! is drawn from the whole span up to a bound that doubles, so that tries spread as wide as they can.
//! <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>

use std::time::Duration;

/// The bound of the first wait.
pub const BASE: Duration = Duration::from_secs(1);
/// The bound that no wait passes.
pub const CAP: Duration = Duration::from_secs(15 * 60);

/// The wait after so many tries. `roll` is drawn evenly from all values: the wait is that share of the bound.
pub fn backoff(tries: u32, roll: u32) -> Duration {
    // 2^10 s is past the cap already.
    let doubled = BASE.saturating_mul(1 << tries.saturating_sub(1).min(10));
    let bound = doubled.min(CAP).as_micros();
    let share = bound * u128::from(roll) / u128::from(u32::MAX);
    Duration::from_micros(u64::try_from(share).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::first(1, 1)]
    #[case::second(2, 2)]
    #[case::third(3, 4)]
    #[case::tenth(10, 512)]
    #[case::at_the_cap(11, 900)]
    #[case::far_past_the_cap(u32::MAX, 900)]
    #[case::none_yet(0, 1)]
    fn the_bound_doubles_up_to_a_quarter_of_an_hour(#[case] tries: u32, #[case] seconds: u64) {
        assert_eq!(backoff(tries, u32::MAX), Duration::from_secs(seconds));
    }

    #[test]
    fn the_dice_decide_on_the_whole_span() {
        assert_eq!(backoff(11, 0), Duration::ZERO);
        let half = backoff(11, u32::MAX / 2);
        assert!(half.abs_diff(Duration::from_secs(450)) < Duration::from_millis(1), "{half:?}");
    }

    proptest! {
        #[test]
        fn no_wait_passes_the_cap(tries: u32, roll: u32) {
            prop_assert!(backoff(tries, roll) <= CAP);
        }

        #[test]
        fn a_higher_roll_never_waits_less(tries in 0u32..20, a: u32, b: u32) {
            prop_assert!(backoff(tries, a.min(b)) <= backoff(tries, a.max(b)));
        }
    }
}
