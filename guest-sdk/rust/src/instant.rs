//! A moment in UTC, to the millisecond, and its RFC 3339 form, which most CRMs read and write.
//!
//! A guest has no clock, and a date library would be half of its size: this is the small part that plugins
//! need. Dates follow the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date
//! Algorithms").

use std::fmt;

const DAY_MS: u64 = 86_400_000;

/// Milliseconds since the Unix epoch, UTC.
///
/// ```
/// # use ramal_sdk::Instant;
/// let start = Instant::parse("2026-11-23T14:05:06-03:00").unwrap();
/// assert_eq!(start.to_string(), "2026-11-23T17:05:06Z");
/// assert_eq!(start.date(), "2026-11-23");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The moment so many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
    /// Whole seconds from an earlier moment to this one; 0 if it is not earlier.
    pub const fn seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1000
    }
    /// `2026-11-23`, in UTC.
    pub fn date(self) -> String {
        let (year, month, day) = civil(self.0 / DAY_MS);
        format!("{year:04}-{month:02}-{day:02}")
    }
    /// Reads RFC 3339, and what CRMs make of it: a space for the `T`, no seconds' fraction or up to nine
    /// digits of it, no offset (then UTC), or a date alone (then its first moment). `None` for anything else
    /// and for what lies before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, time) = match text.split_once(['T', 't', ' ']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut parts = date.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = digits(parts.next()?, 2)?;
        let day = digits(parts.next()?, 2)?;
        if parts.next().is_some() || !(1..=12).contains(&month) || day == 0 || day > month_length(year, month)
        {
            return None;
        }
        let millis = time.map_or(Some(0), time_of_day)?;
        let total = days(year, month, day).checked_mul(DAY_MS as i64)?.checked_add(millis)?;
        u64::try_from(total).ok().map(Self)
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC, with milliseconds only if there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0 % DAY_MS;
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.date())?;
        match ms % 1000 {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

impl From<Instant> for crate::Text {
    fn from(instant: Instant) -> Self {
        instant.to_string().into()
    }
}

/// Milliseconds of a time with its offset, the offset taken off.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, "Z"),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |s| digits(s, 2))?;
    // 60 is a leap second, counted as the next one.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis =
        fraction.bytes().chain(*b"00").take(3).fold(0, |all, digit| all * 10 + i64::from(digit - b'0'));
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis - offset_millis(offset)?)
}

fn offset_millis(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits_only: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    let all = digits(&digits_only, 4)?;
    let (hours, minutes) = (all / 100, all % 100);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60_000)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date so many days after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::epoch("1970-01-01T00:00:00Z", 0)]
    #[case::rfc3339("2026-11-23T17:05:06Z", 1_795_453_506_000)]
    #[case::millis("2026-11-23T17:05:06.789Z", 1_795_453_506_789)]
    #[case::micros("2026-11-23T17:05:06.789123Z", 1_795_453_506_789)]
    #[case::one_digit("2026-11-23T17:05:06.7Z", 1_795_453_506_700)]
    #[case::sao_paulo("2026-11-23T14:05:06-03:00", 1_795_453_506_000)]
    #[case::offset_without_colon("2026-11-23T14:05:06-0300", 1_795_453_506_000)]
    #[case::east("2026-11-23T22:35:06+05:30", 1_795_453_506_000)]
    #[case::space_and_no_offset("2026-11-23 17:05:06", 1_795_453_506_000)]
    #[case::no_seconds("2026-11-23T17:05Z", 1_795_453_500_000)]
    #[case::date_alone("2026-11-23", 1_795_392_000_000)]
    #[case::leap_day("2024-02-29T00:00:00Z", 1_709_164_800_000)]
    #[case::leap_second("2016-12-31T23:59:60Z", 1_483_228_800_000)]
    fn reads_what_crms_write(#[case] text: &str, #[case] millis: u64) {
        assert_eq!(Instant::parse(text), Some(Instant(millis)));
    }

    #[rstest]
    #[case::empty("")]
    #[case::word("yesterday")]
    #[case::no_leap_year("2023-02-29")]
    #[case::century("2100-02-29")]
    #[case::month_13("2026-13-01")]
    #[case::day_0("2026-01-00")]
    #[case::hour_24("2026-01-01T24:00:00Z")]
    #[case::before_the_epoch("1969-12-31T23:59:59Z")]
    #[case::bare_fraction("2026-01-01T00:00:00.Z")]
    #[case::sign("2026-01-01T+1:00:00Z")]
    #[case::tail("2026-01-01T00:00:00Zx")]
    #[case::accent("2026-01-01T00:00:00-é3")]
    fn refuses_the_rest(#[case] text: &str) {
        assert_eq!(Instant::parse(text), None);
    }

    #[test]
    fn every_day_of_400_years_round_trips() {
        for day in 0..146_097 {
            let noon = Instant(day * DAY_MS + DAY_MS / 2 + 1);
            assert_eq!(Instant::parse(&noon.to_string()), Some(noon));
        }
    }

    #[test]
    fn counts_whole_seconds() {
        assert_eq!(Instant(5_999).seconds_since(Instant(1_000)), 4);
        assert_eq!(Instant(1).seconds_since(Instant(2_000)), 0);
    }
}
