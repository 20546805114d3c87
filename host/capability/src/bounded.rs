//! Types so narrow that no text hides in them: the only clear values that an answer may bring to a guest, and
//! the only ones that may stand at a place that is not for a data class.

use std::fmt;

#[cfg(test)]
use serde_json::Value;

/// A clear type with a bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Bounded {
    /// A whole number in a range.
    Int {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// 1 to 64 of `A-Z a-z 0-9 _ -` (and `.` or `:` inside), or a whole number that is not negative.
    Id,
    /// `2026-11-23`.
    Date,
    /// `2026-11-23T17:40:00Z`, with any offset, or `2026-11-23 17:40:00`.
    Instant,
    /// One of the listed words.
    Enum(Vec<String>),
    /// A record of one of the listed models by its number, as Tryton writes it: `party.party,17`. The number
    /// is from 1 on and without leading zeros. Only in what is sent.
    Ref(Vec<String>),
    /// A decimal number with at most 15 digits before and 4 after the point, as number or text.
    Money,
    /// An `https` (or, to the granted destination, `http`) address of at most 300 characters without user or
    /// fragment tricks.
    Url,
    /// `{}`, `[]` or `null`: the shape without content.
    Empty,
}

/// The widest whole number: what JavaScript and JSON agree on (RFC 8259, section 6).
pub(crate) const MAX_INT: i64 = 9_007_199_254_740_991;

impl Bounded {
    /// Whether a JSON value fits, as the two walkers decide it kind by kind.
    #[cfg(test)]
    pub(crate) fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Empty, Value::Null) => true,
            (Self::Empty, Value::Array(items)) => items.is_empty(),
            (Self::Empty, Value::Object(fields)) => fields.is_empty(),
            (Self::Bool, Value::Bool(_)) => true,
            (_, Value::String(text)) => self.fits_text(text),
            (_, Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => self.fits_int(int),
                (None, Some(float)) => self.fits_float(float),
                _ => false,
            },
            _ => false,
        }
    }

    pub(crate) fn fits_int(&self, number: i64) -> bool {
        match self {
            Self::Int { min, max } => (*min..=*max).contains(&number),
            Self::Id => (0..=MAX_INT).contains(&number),
            Self::Money => number.unsigned_abs() < 1_000_000_000_000_000,
            _ => false,
        }
    }

    pub(crate) fn fits_float(&self, number: f64) -> bool {
        matches!(self, Self::Money) && is_money(&number.to_string())
    }

    pub(crate) fn fits_text(&self, text: &str) -> bool {
        match self {
            Self::Int { .. } => {
                text.len() <= 20
                    && text.parse::<i64>().is_ok_and(|n| self.fits_int(n) && n.to_string() == text)
            }
            Self::Bool => matches!(text, "true" | "false"),
            Self::Id => is_id(text),
            Self::Date => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
            Self::Instant => is_instant(text),
            Self::Enum(words) => words.iter().any(|w| w == text),
            Self::Ref(models) => text
                .split_once(',')
                .is_some_and(|(model, number)| models.iter().any(|m| m == model) && is_record(number)),
            Self::Money => is_money(text),
            Self::Url => is_url(text),
            Self::Empty => text.is_empty(),
        }
    }

    /// Whether a fitting text is written into JSON without quotes.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self, Self::Int { .. } | Self::Bool)
    }
}

fn is_id(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    text.len() <= 64
        && text.bytes().all(inside)
        && edge(text.bytes().next())
        && edge(text.bytes().last())
        && !text.contains("..")
}

/// The number of a record: decimal digits as a machine writes them, from 1 on.
fn is_record(text: &str) -> bool {
    text.len() <= 16
        && !text.starts_with('0')
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<i64>().is_ok_and(|number| (1..=MAX_INT).contains(&number))
}

/// Whether a word can be the model of a reference: a technical name as CRMs give them.
pub(crate) fn is_model(word: &str) -> bool {
    (1..=64).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_money(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    digits(whole, 15) && digits(fraction, 4)
}

fn is_instant(text: &str) -> bool {
    text.len() <= 35
        && text.is_ascii()
        && (text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok())
}

fn is_url(text: &str) -> bool {
    text.len() <= 300
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`' | b'@'))
        && (is_plainly_an_address(text)
            || url::Url::parse(text)
                .is_ok_and(|u| matches!(u.scheme(), "https" | "http") && u.host().is_some()))
}

/// An address that every parser reads alike: a scheme, a name of plain labels or four numbers, perhaps a port. Says
/// no to many good ones, which a parser then decides; it saves the parser for nearly all.
fn is_plainly_an_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let plain = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with("xn--")
            && label.len() < 64
    };
    (1..=4).contains(&port.len())
        && port.bytes().all(|b| b.is_ascii_digit())
        && (host.split('.').all(plain) || host.parse::<std::net::Ipv4Addr>().is_ok())
}

impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int { min, max } if (*min, *max) == (-MAX_INT, MAX_INT) => f.write_str("int"),
            Self::Int { min, max } => write!(f, "int({min}..{max})"),
            Self::Bool => f.write_str("bool"),
            Self::Id => f.write_str("id"),
            Self::Date => f.write_str("date"),
            Self::Instant => f.write_str("instant"),
            Self::Enum(words) => write!(f, "enum({})", words.join("|")),
            Self::Ref(models) => write!(f, "ref({})", models.join("|")),
            Self::Money => f.write_str("money"),
            Self::Url => f.write_str("url"),
            Self::Empty => f.write_str("empty"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::FieldSpec;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn reference() -> Bounded {
        Bounded::Ref(vec!["party.party".into(), "sale.opportunity".into()])
    }

    #[rstest]
    #[case::int(Bounded::Int { min: 0, max: 9 }, json!(9), true)]
    #[case::int_over(Bounded::Int { min: 0, max: 9 }, json!(10), false)]
    #[case::int_text(Bounded::Int { min: 0, max: 9 }, json!("7"), true)]
    #[case::int_padded(Bounded::Int { min: 0, max: 9 }, json!("07"), false)]
    #[case::int_float(Bounded::Int { min: 0, max: 9 }, json!(7.5), false)]
    #[case::bool(Bounded::Bool, json!(true), true)]
    #[case::bool_word(Bounded::Bool, json!("yes"), false)]
    #[case::id(Bounded::Id, json!("c-0007"), true)]
    #[case::id_uuid(Bounded::Id, json!("2f1e75f1-5648-4f25-a36b-0ff5edc60ce7"), true)]
    #[case::id_number(Bounded::Id, json!(17), true)]
    #[case::id_negative(Bounded::Id, json!(-1), false)]
    #[case::id_space(Bounded::Id, json!("Ana Lima"), false)]
    #[case::id_mail(Bounded::Id, json!("ana@example.invalid"), false)]
    #[case::id_dots(Bounded::Id, json!(".."), false)]
    #[case::id_inner_dots(Bounded::Id, json!("a..b"), false)]
    #[case::id_long(Bounded::Id, json!("a".repeat(65)), false)]
    #[case::id_empty(Bounded::Id, json!(""), false)]
    #[case::id_slash(Bounded::Id, json!("a/b"), false)]
    #[case::date(Bounded::Date, json!("2026-11-23"), true)]
    #[case::date_wrong(Bounded::Date, json!("2026-13-23"), false)]
    #[case::date_text(Bounded::Date, json!("Ana Lima..."), false)]
    #[case::instant(Bounded::Instant, json!("2026-11-23T17:40:00Z"), true)]
    #[case::instant_offset(Bounded::Instant, json!("2026-11-23T14:40:00-03:00"), true)]
    #[case::instant_words(Bounded::Instant, json!("yesterday"), false)]
    #[case::word(Bounded::Enum(vec!["open".into(), "won".into()]), json!("won"), true)]
    #[case::word_other(Bounded::Enum(vec!["open".into()]), json!("Open"), false)]
    #[case::reference(reference(), json!("party.party,17"), true)]
    #[case::reference_to_the_other(reference(), json!("sale.opportunity,9007199254740991"), true)]
    #[case::reference_to_another_model(reference(), json!("ir.note,17"), false)]
    #[case::reference_without_number(reference(), json!("party.party,"), false)]
    #[case::reference_without_model(reference(), json!(",17"), false)]
    #[case::reference_without_comma(reference(), json!("party.party"), false)]
    #[case::reference_to_a_new_record(reference(), json!("party.party,-1"), false)]
    #[case::reference_to_zero(reference(), json!("party.party,0"), false)]
    #[case::reference_padded(reference(), json!("party.party,017"), false)]
    #[case::reference_with_a_sign(reference(), json!("party.party,+17"), false)]
    #[case::reference_with_a_space(reference(), json!("party.party, 17"), false)]
    #[case::reference_to_two(reference(), json!("party.party,17,18"), false)]
    #[case::reference_to_a_name(reference(), json!("party.party,Ana Lima"), false)]
    #[case::reference_beyond_json(reference(), json!("party.party,9007199254740992"), false)]
    #[case::reference_as_number(reference(), json!(17), false)]
    #[case::money_text(Bounded::Money, json!("1200.00"), true)]
    #[case::money_number(Bounded::Money, json!(1200.5), true)]
    #[case::money_exponent(Bounded::Money, json!("1e9"), false)]
    #[case::money_comma(Bounded::Money, json!("1.200,00"), false)]
    #[case::url(Bounded::Url, json!("https://crm.example/c/17"), true)]
    #[case::url_script(Bounded::Url, json!("javascript:alert(1)"), false)]
    #[case::url_user(Bounded::Url, json!("https://a@evil.example/"), false)]
    #[case::url_space(Bounded::Url, json!("https://crm.example/Ana Lima"), false)]
    #[case::empty(Bounded::Empty, json!({}), true)]
    #[case::empty_not(Bounded::Empty, json!({"a": 1}), false)]
    #[case::object_as_id(Bounded::Id, json!({"a": 1}), false)]
    fn bounded_types_hold(#[case] bounded: Bounded, #[case] value: Value, #[case] fits: bool) {
        assert_eq!(bounded.fits(&value), fits);
    }

    proptest! {
        #[test]
        fn a_reference_is_a_listed_model_a_comma_and_a_number(
            models in prop::collection::vec("[a-z_.-]{1,20}", 1..4), number in 1..=MAX_INT,
        ) {
            let spec = format!("ref({})", models.join("|"));
            let FieldSpec::Bounded(bounded) = spec.parse::<FieldSpec>().unwrap() else { panic!("{spec}") };
            prop_assert_eq!(bounded.to_string(), spec);
            for model in &models {
                let fits = bounded.fits_text(&format!("{model},{number}"));
                prop_assert!(fits);
            }
        }

        #[test]
        fn no_other_text_is_a_reference(text in "(party\\.party|sale\\.opportunity|[a-z.]{0,9})?,?[-+ 0-9a-z,]{0,19}") {
            let fits = reference().fits_text(&text);
            let rest = text.strip_prefix("party.party,").or_else(|| text.strip_prefix("sale.opportunity,"));
            let number = rest.and_then(|rest| rest.parse::<i64>().ok());
            let written = number.filter(|number| (1..=MAX_INT).contains(number)).map(|number| number.to_string());
            prop_assert_eq!(fits, written.is_some() && written.as_deref() == rest);
        }
    }
}
