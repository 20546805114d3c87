//! What Brazil's numbers need beyond the library: prefixes that are dialled and are no part of a number,
//! non-geographic numbers by what they are for, and the short codes of the networks.
//!
//! The plan is Anatel's. A two-digit area code (DDD) stands before eight digits of a land line (2 to 5 first)
//! or nine of a mobile (9 first). Numbers without an area are `0` and three digits, then six or seven more, or
//! eight digits in all (`4004-1234`). They never get an area code or a ninth digit.

use crate::kind::NumberKind;
use crate::number::PhoneNumber;
use crate::plan;

/// The calling code.
pub(crate) const CODE: u16 = 55;

/// 0304, the prefix of debt collectors since 2022. The library does not have it.
const DEBT_COLLECTION: std::ops::RangeInclusive<u64> = 3_040_000_000..=3_049_999_999;

/// Whether it is a number of a debt collector, which no plan of the library lists.
pub(crate) fn is_debt_collection(number: PhoneNumber) -> bool {
    number.country == CODE && number.zeros == 0 && DEBT_COLLECTION.contains(&number.national)
}

/// What a non-geographic number is for, where the library names it otherwise: 0303 is no shared cost to whom
/// it calls, and 0500 no premium rate.
pub(crate) fn kind(number: PhoneNumber) -> Option<NumberKind> {
    if number.country != CODE || number.zeros > 0 {
        return None;
    }
    match number.national {
        3_030_000_000..=3_039_999_999 => Some(NumberKind::Telemarketing),
        3_040_000_000..=3_049_999_999 => Some(NumberKind::DebtCollection),
        500_000_000..=500_999_999 | 5_000_000_000..=5_009_999_999 => Some(NumberKind::Donation),
        _ => None,
    }
}

/// Whether two digits are an area code: whether they make a land line. `30` makes a number too, one of 0303.
pub(crate) fn is_area(text: &str) -> bool {
    let number = plan::split(&format!("{CODE}{text}32100000")).filter(|_| text.len() == 2);
    number.is_some_and(|number| plan::kind(number) == NumberKind::Fixed)
}

/// The number behind `0` (or `90`, which lets the other side pay) and the two digits of a carrier, as
/// long-distance calls are dialled. The library lists some carriers; the plan has more.
pub(crate) fn without_carrier(digits: &str) -> Option<&str> {
    let dialled = digits.strip_prefix("90").or_else(|| digits.strip_prefix('0'))?;
    dialled.get(2..).filter(|number| matches!(number.len(), 10 | 11))
}

/// The local number behind `9090`, which lets the other side pay.
pub(crate) fn without_collect(digits: &str) -> Option<&str> {
    digits.strip_prefix("9090").filter(|number| matches!(number.len(), 8 | 9))
}

/// The number with its area in what stands after `00`. Some offices keep numbers as `00`, area, number by hand;
/// `00` is also how a country begins, so this is for what is a number in no country.
pub(crate) fn after_two_zeros(rest: &str) -> Option<&str> {
    matches!(rest.len(), 10 | 11).then_some(rest)
}

/// Whether digits are a short code of the networks: public services (`190`), the customer care of carriers
/// (`10315`, `1052`, `10621`), and the services with four digits of their own.
pub(crate) fn is_short_code(digits: &str) -> bool {
    match digits.len() {
        3 => digits.starts_with('1'),
        4 => digits.starts_with("105") || matches!(digits, "1331" | "1332" | "1746"),
        5 => digits.starts_with("103") || digits.starts_with("106"),
        _ => false,
    }
}

/// Police, ambulance, fire brigade, civil defence and their like.
pub(crate) fn is_emergency(digits: &str) -> bool {
    matches!(digits, "190" | "191" | "192" | "193" | "194" | "197" | "198" | "199")
}
