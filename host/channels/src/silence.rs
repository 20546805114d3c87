//! Whether a channel is quieter than it ever is at this time: a line that broke without anybody's error.
//!
//! Pure. It compares the silence with what usually comes in the same hours of the same kind of day, so that a night
//! or a Sunday alarms nobody, and neither does a channel that is new or hardly used. The usual is a median: one busy
//! campaign does not raise it, and one day of trouble does not lower it.

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How far back the usual is looked for.
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(28 * 24);
/// No silence is shorter.
const LEAST: SignedDuration = SignedDuration::from_mins(30);
/// So many events should have come: some ten calls, of which not one can be missed by chance.
const ENOUGH: f64 = 30.0;
/// An hour counts as known when it was seen on so many days of its kind.
const OCCASIONS: usize = 3;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAYS: i64 = 28;

/// When a channel was heard.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm<'a> {
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// Events in each hour of the last [`LOOK_BACK`], by the hour's beginning in UTC; an hour without any is left out.
    pub by_hour: &'a BTreeMap<Timestamp, u64>,
}

/// What is to be thought of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Too little is known of these hours.
    Unknown,
    /// It is as it usually is.
    Usual,
    /// It should have been heard long ago.
    Unusual {
        /// Since when nothing came.
        since: Timestamp,
    },
}

/// Judges the time from the last event until now, by the tenant's clock.
pub fn silence(rhythm: Rhythm<'_>, zone: &TimeZone, now: Timestamp) -> Silence {
    let last = rhythm.last;
    if now.duration_since(last) < LEAST {
        return Silence::Usual;
    }
    let (mut at, mut missed, mut known) = (hour_of(last), 0.0, false);
    // More hours than this would say no more.
    for _ in 0..DAYS.saturating_mul(24) {
        let next = at.saturating_add(HOUR).unwrap_or(Timestamp::MAX);
        if at >= now {
            break;
        }
        if let Some(usual) = usual(rhythm, zone, at) {
            let part = next.min(now).duration_since(at.max(last));
            missed += usual * (part.as_secs_f64() / HOUR.as_secs_f64());
            known = true;
        }
        if missed >= ENOUGH {
            return Silence::Unusual { since: last };
        }
        at = next;
    }
    if known { Silence::Usual } else { Silence::Unknown }
}

/// What came in this hour of the day on earlier days of the same kind: the median.
fn usual(rhythm: Rhythm<'_>, zone: &TimeZone, hour: Timestamp) -> Option<f64> {
    let kind = kind_of(hour, zone);
    let mut counts: Vec<u64> = (1..=DAYS)
        .filter_map(|days| hour.checked_sub(SignedDuration::from_hours(days.saturating_mul(24))).ok())
        // Whole hours in which the channel was there, before it went quiet.
        .filter(|earlier| {
            *earlier >= rhythm.first && earlier.saturating_add(HOUR).is_ok_and(|end| end <= rhythm.last)
        })
        .filter(|earlier| kind_of(*earlier, zone) == kind)
        .map(|earlier| rhythm.by_hour.get(&earlier).copied().unwrap_or_default())
        .collect();
    if counts.len() < OCCASIONS {
        return None;
    }
    counts.sort_unstable();
    // The lower of the two in the middle: in doubt it is quieter.
    let middle = counts.len().saturating_sub(1) / 2;
    counts.get(middle).map(|count| *count as f64)
}

#[derive(PartialEq, Eq)]
enum Day {
    Work,
    Saturday,
    Sunday,
}

fn kind_of(at: Timestamp, zone: &TimeZone) -> Day {
    match at.to_zoned_datetime(zone.clone()).weekday() {
        Weekday::Saturday => Day::Saturday,
        Weekday::Sunday => Day::Sunday,
        _ => Day::Work,
    }
}

fn hour_of(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second.saturating_sub(second.rem_euclid(3600))).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Brasília, three hours behind.
    fn zone() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(-3))
    }

    /// So many days before Tuesday 2026-12-01 at 15:00 (noon there), each with so many events in every hour from 9 to
    /// 18 there, none on Sundays.
    fn days(count: i64, per_hour: u64) -> BTreeMap<Timestamp, u64> {
        let noon = time("2026-12-01T15:00:00Z");
        let hours = (0..count * 24).map(|back| noon - SignedDuration::from_hours(back));
        let at_work = |at: &Timestamp| {
            let there = at.to_zoned_datetime(zone());
            (9..18).contains(&there.hour()) && there.weekday() != Weekday::Sunday
        };
        hours.filter(at_work).map(|at| (at, per_hour)).collect()
    }

    fn judge(by_hour: &BTreeMap<Timestamp, u64>, last: &str, now: &str) -> Silence {
        let first = *by_hour.keys().next().unwrap();
        silence(Rhythm { first, last: time(last), by_hour }, &zone(), time(now))
    }

    const UNUSUAL: Silence = Silence::Unusual { since: Timestamp::UNIX_EPOCH };

    #[rstest]
    #[case::busy_and_just_heard(60, "2026-12-01T15:00:00Z", "2026-12-01T15:20:00Z", Silence::Usual)]
    #[case::busy_and_quiet_for_half_an_hour(60, "2026-12-01T15:00:00Z", "2026-12-01T15:30:00Z", UNUSUAL)]
    #[case::less_busy_needs_longer(20, "2026-12-01T15:00:00Z", "2026-12-01T16:20:00Z", Silence::Usual)]
    #[case::less_busy_for_long(20, "2026-12-01T15:00:00Z", "2026-12-01T16:35:00Z", UNUSUAL)]
    #[case::hardly_used(1, "2026-12-01T15:00:00Z", "2026-12-01T20:00:00Z", Silence::Usual)]
    #[case::a_night(60, "2026-12-01T20:50:00Z", "2026-12-02T11:00:00Z", Silence::Usual)]
    #[case::the_morning_after(60, "2026-12-01T20:50:00Z", "2026-12-02T12:31:00Z", UNUSUAL)]
    #[case::a_sunday(60, "2026-11-28T20:55:00Z", "2026-11-29T23:00:00Z", Silence::Usual)]
    fn the_silence_is_compared_with_the_same_hours(
        #[case] per_hour: u64,
        #[case] last: &str,
        #[case] now: &str,
        #[case] expected: Silence,
    ) {
        let expected = if expected == UNUSUAL { Silence::Unusual { since: time(last) } } else { expected };
        assert_eq!(judge(&days(27, per_hour), last, now), expected);
    }

    #[rstest]
    #[case::two_days_of_its_kind(1, Silence::Unknown)]
    #[case::a_week(7, UNUSUAL)]
    fn a_new_channel_is_not_judged(#[case] known: i64, #[case] expected: Silence) {
        let last = "2026-12-01T15:00:00Z";
        let expected = if expected == UNUSUAL { Silence::Unusual { since: time(last) } } else { expected };
        assert_eq!(judge(&days(known, 60), last, "2026-12-01T19:00:00Z"), expected);
    }

    #[test]
    fn one_campaign_does_not_change_what_is_usual() {
        let mut by_hour = days(27, 2);
        for hour in 12..20 {
            by_hour.insert(time(&format!("2026-11-30T{hour}:00:00Z")), 5000);
        }
        assert_eq!(judge(&by_hour, "2026-12-01T15:00:00Z", "2026-12-01T20:00:00Z"), Silence::Usual);
    }

    #[test]
    fn a_channel_that_is_dead_for_days_stays_silent() {
        let by_hour = days(27, 60);
        assert!(matches!(
            judge(&by_hour, "2026-12-01T15:00:00Z", "2026-12-09T15:00:00Z"),
            Silence::Unusual { .. }
        ));
    }
}
