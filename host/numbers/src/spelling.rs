//! How a number is written for people and in a URI. The library groups the digits of the numbers that it
//! knows; for the others it would run them together, so their groups are here.

use crate::brazil;
use crate::number::PhoneNumber;
use crate::{aliases, plan};

/// As it is written in its own country.
pub(crate) fn national(number: PhoneNumber) -> String {
    own(number).map_or_else(|| plan::national(number), |own| own.national)
}

/// With its country code and spaces between the groups.
pub(crate) fn international(number: PhoneNumber) -> String {
    own(number).map_or_else(|| plan::international(number), |own| own.international)
}

/// The URI of RFC 3966: the international form with dashes.
pub(crate) fn rfc3966(number: PhoneNumber) -> String {
    own(number)
        .map_or_else(|| plan::rfc3966(number), |own| format!("tel:{}", own.international.replace(' ', "-")))
}

struct Own {
    national: String,
    international: String,
}

/// The spelling of a number that the library's plan does not have.
fn own(number: PhoneNumber) -> Option<Own> {
    if brazil::is_debt_collection(number) {
        let (prefix, suffix) = (number.national / 10_000 % 1_000, number.national % 10_000);
        return Some(Own {
            national: format!("0304 {prefix:03} {suffix:04}"),
            international: format!("+55 304 {prefix:03} {suffix:04}"),
        });
    }
    let current = aliases::of(number).filter(|aliases| aliases.old == number)?.current;
    if number.country == brazil::CODE {
        let (area, line) = (number.national / 100_000_000, number.national % 100_000_000);
        let (prefix, suffix) = (line / 10_000, line % 10_000);
        return Some(Own {
            national: format!("({area}) {prefix}-{suffix:04}"),
            international: format!("+55 {area} {prefix}-{suffix:04}"),
        });
    }
    Some(Own {
        national: format!("1 {}", plan::national(current)),
        international: plan::international(current).replacen("+52 ", "+52 1 ", 1),
    })
}
