//! When something happened, in the provider's way of writing times.
//!
//! A time without a zone is no time. Providers send them all the same, in the local time of wherever they sit; so a form
//! without an offset needs the zone in the file. A time that has not come yet is refused rather than believed: it would
//! make every later event of the call look late, and it is what a wrong zone looks like.

use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::place::{Place, first_text};

/// How far ahead of this host's clock a provider's may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// The longest that a call is taken to last.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Unix times from here on are milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM: f64 = 100_000_000_000.0;
static RFC_2822: DateTimeParser = DateTimeParser::new();

/// How the provider writes times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) form: Form,
    /// Where times without an offset are from.
    pub(super) zone: Option<TimeZone>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 3339, also without an offset.
    Rfc3339,
    /// RFC 2822, as in mail.
    Rfc2822,
    /// Seconds or milliseconds since 1970.
    Unix,
    /// A pattern as `strptime` has it.
    Pattern(String),
}

impl Form {
    /// Whether a text of this form may lack an offset.
    pub(super) fn needs_zone(&self) -> bool {
        matches!(self, Self::Pattern(pattern) if !["%z", "%:z", "%Q", "%s"].iter().any(|o| pattern.contains(o)))
    }
}

impl Clock {
    fn read(&self, text: &str) -> Option<Timestamp> {
        let local = |at: DateTime| at.to_zoned_datetime(self.zone.clone()?).ok().map(|z| z.timestamp());
        match &self.form {
            Form::Rfc3339 => text.parse().ok().or_else(|| local(text.parse().ok()?)),
            Form::Rfc2822 => RFC_2822.parse_timestamp(text).ok(),
            Form::Unix => {
                let number: f64 = text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
                let seconds = if number >= MILLISECONDS_FROM { number / 1000.0 } else { number };
                let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
                // To the millisecond: what is left of a fraction is no time but arithmetic.
                Timestamp::from_millisecond(i64::try_from(since.as_millis()).ok()?).ok()
            }
            Form::Pattern(pattern) => {
                let parts = strtime::parse(pattern, text).ok()?;
                parts.to_timestamp().ok().or_else(|| local(parts.to_datetime().ok()?))
            }
        }
    }
}

/// Where a time stands, and what is added to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct At {
    /// The first of these that has a value; none for "when it came".
    pub(super) places: Vec<Place>,
    /// Seconds to add: how long a call was, where its end is not told.
    pub(super) plus_seconds: Vec<Place>,
}

impl At {
    pub(super) fn read(
        &self,
        clock: &Clock,
        body: &Value,
        now: Timestamp,
    ) -> Result<Timestamp, &'static str> {
        if self.places.is_empty() {
            return Ok(now);
        }
        let text = first_text(&self.places, body).ok_or("time-missing")?;
        let mut at = clock.read(&text).ok_or("time-unreadable")?;
        if !self.plus_seconds.is_empty() {
            let more = seconds(&self.plus_seconds, body).unwrap_or_default();
            at = at.checked_add(more).map_err(|_| "time-unreadable")?;
        }
        if at.duration_since(now) > AHEAD { Err("time-ahead") } else { Ok(at) }
    }
}

/// A length in seconds, or as `HH:MM:SS`.
pub(super) fn seconds(places: &[Place], body: &Value) -> Option<SignedDuration> {
    let text = first_text(places, body)?;
    let total = if text.contains(':') {
        let mut total: f64 = 0.0;
        for part in text.split(':') {
            total = total * 60.0 + part.parse::<u32>().ok().map(f64::from)?;
        }
        total
    } else {
        text.parse::<f64>().ok()?
    };
    let length = SignedDuration::try_from_secs_f64(total).ok()?;
    (length >= SignedDuration::ZERO && length <= LONGEST).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn at(form: Form, zone: Option<&str>, text: &str) -> String {
        let clock = Clock { form, zone: zone.map(|z| TimeZone::get(z).unwrap()) };
        let at = At { places: vec!["/t".parse().unwrap()], plus_seconds: vec!["/s".parse().unwrap()] };
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        at.read(&clock, &json!({"t": text, "s": "0:10"}), now).map_or_else(str::to_owned, |t| t.to_string())
    }

    fn pattern(text: &str) -> Form {
        Form::Pattern(text.to_owned())
    }

    #[rstest]
    #[case::utc(Form::Rfc3339, None, "2026-11-23T11:00:00Z", "2026-11-23T11:00:10Z")]
    #[case::offset(Form::Rfc3339, None, "2026-11-23T08:00:00.5-03:00", "2026-11-23T11:00:10.5Z")]
    #[case::local(Form::Rfc3339, Some("America/Sao_Paulo"), "2026-11-23T08:00:00", "2026-11-23T11:00:10Z")]
    #[case::local_without_a_zone(Form::Rfc3339, None, "2026-11-23T08:00:00", "time-unreadable")]
    #[case::mail(Form::Rfc2822, None, "Mon, 23 Nov 2026 11:00:00 +0000", "2026-11-23T11:00:10Z")]
    #[case::seconds(Form::Unix, None, "1795431600", "2026-11-23T11:00:10Z")]
    #[case::milliseconds(Form::Unix, None, "1795431600250", "2026-11-23T11:00:10.25Z")]
    #[case::fraction(Form::Unix, None, "1795431600.25", "2026-11-23T11:00:10.25Z")]
    #[case::negative(Form::Unix, None, "-1", "time-unreadable")]
    #[case::infinite(Form::Unix, None, "inf", "time-unreadable")]
    #[case::brazilian(
        pattern("%d/%m/%Y %H:%M:%S"),
        Some("America/Sao_Paulo"),
        "23/11/2026 08:00:00",
        "2026-11-23T11:00:10Z"
    )]
    #[case::manaus(
        pattern("%d/%m/%Y %H:%M:%S"),
        Some("America/Manaus"),
        "23/11/2026 07:00:00",
        "2026-11-23T11:00:10Z"
    )]
    #[case::with_offset(
        pattern("%Y-%m-%dT%H:%M:%S%.f%z"),
        None,
        "2026-11-23T17:57:54.259+0000",
        "time-ahead"
    )]
    #[case::wrong_zone(Form::Rfc3339, Some("America/Sao_Paulo"), "2026-11-23T12:00:00", "time-ahead")]
    #[case::a_little_ahead(Form::Rfc3339, None, "2026-11-23T12:04:00Z", "2026-11-23T12:04:10Z")]
    #[case::no_time(Form::Rfc3339, None, "ontem", "time-unreadable")]
    #[case::missing(Form::Rfc3339, None, "", "time-missing")]
    fn a_time_has_a_zone(
        #[case] form: Form,
        #[case] zone: Option<&str>,
        #[case] text: &str,
        #[case] then: &str,
    ) {
        assert_eq!(at(form, zone, text), then);
    }

    #[rstest]
    #[case("75", Some(75))]
    #[case("01:02:03", Some(3723))]
    #[case("1:15", Some(75))]
    #[case("-5", None)]
    #[case("99999999999999999999", None)]
    #[case("a:b", None)]
    #[case("", None)]
    fn a_length_is_in_seconds(#[case] text: &str, #[case] expected: Option<i64>) {
        let found = seconds(&["/s".parse().unwrap()], &json!({"s": text}));
        assert_eq!(found.map(|d| d.as_secs()), expected);
    }
}
