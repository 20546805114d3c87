//! The mark by which the plugin recognises an entry that it wrote.
//!
//! BottleCRM takes no outside key for an entry, cannot search its texts, and texts come sealed. What comes in the clear
//! is the moment of the call, to the microsecond, of which people see the minute. So the second is the call's and the
//! six digits below it are made of the idempotency key of the step that last wrote the entry. The write and its mark
//! are one row, so a step that was applied and whose answer was lost is known for sure.

use ramal_sdk::prelude::*;

/// Six digits that are never all zero: BottleCRM leaves out a fraction of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u32);

/// Characters of `2026-11-23T14:40:00`.
const SECONDS: usize = 19;

impl Mark {
    /// The mark of a step.
    pub(crate) fn of(idempotency_key: &str) -> Self {
        // FNV-1a, 64 bit.
        let hash = idempotency_key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(u32::try_from(hash % 999_999).unwrap_or_default() + 1)
    }

    /// The mark in a moment that BottleCRM gave; `None` where it has no fraction.
    pub(crate) fn read(occurred: &str) -> Option<Self> {
        let (_, rest) = occurred.split_at_checked(SECONDS)?;
        let digits: String = rest.strip_prefix('.')?.chars().take_while(char::is_ascii_digit).collect();
        format!("{digits:0<6}").parse().ok().map(Self)
    }

    /// A call's moment with this mark.
    pub(crate) fn on(self, began: Instant) -> String {
        let second = Instant::from_millis(began.as_millis() / 1000 * 1000).to_string();
        self.instead(&second).unwrap_or(second)
    }

    /// The same second with this mark: one that a person corrected stays corrected.
    pub(crate) fn instead(self, occurred: &str) -> Option<String> {
        let (seconds, rest) = occurred.split_at_checked(SECONDS)?;
        let offset = match rest.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => rest,
        };
        Some(format!("{seconds}.{:06}{offset}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::utc("2026-11-23T17:40:00Z", "2026-11-23T17:40:00.000042Z")]
    #[case::offset("2026-11-23T14:40:00-03:00", "2026-11-23T14:40:00.000042-03:00")]
    #[case::marked("2026-11-23T14:40:00.123456-03:00", "2026-11-23T14:40:00.000042-03:00")]
    fn a_mark_takes_the_place_of_another_and_leaves_the_second(#[case] before: &str, #[case] after: &str) {
        assert_eq!(Mark(42).instead(before).as_deref(), Some(after));
        assert_eq!(Mark::read(after), Some(Mark(42)));
    }

    #[rstest]
    #[case::none("2026-11-23T17:40:00Z", None)]
    #[case::short("2026-11-23T17:40:00.5Z", Some(Mark(500_000)))]
    #[case::no_moment("yesterday", None)]
    #[case::cut_in_a_letter("2026-11-23T17:40:0é", None)]
    fn what_has_no_mark_has_none(#[case] occurred: &str, #[case] mark: Option<Mark>) {
        assert_eq!(Mark::read(occurred), mark);
    }

    #[test]
    fn a_moment_loses_what_is_below_its_second() {
        let began = Instant::from_millis(1_795_455_600_789);
        assert_eq!(Mark(7).on(began), "2026-11-23T17:40:00.000007Z");
    }

    #[test]
    fn keys_that_differ_have_marks_that_differ() {
        let marks: std::collections::BTreeSet<u32> =
            (0..1_000).map(|n| Mark::of(&format!("0191a5f2-7f3a-7000-8000-{n:012}")).0).collect();
        assert!(
            marks.len() > 995 && marks.iter().all(|mark| (1..1_000_000).contains(mark)),
            "{}",
            marks.len()
        );
    }
}
