//! Two numbers for one line: where a country made its numbers longer or shorter and the old form lives on.
//!
//! Brazil put a 9 before its mobile numbers, area by area, until 2016; WhatsApp still names most people of
//! the areas beyond 11-19, 21, 22, 24, 27 and 28 by the old form, and CRMs hold either. Mexico did away with
//! the `1` of its mobiles, and WhatsApp keeps it. Without this a customer has two threads and two contacts.
//!
//! The rule is about shape and not about areas, since both forms occur in every area. It must never make a
//! mobile out of a land line or the other way round: before the ninth digit a mobile began with 6 to 9, so
//! `9 2…` had no old form, and taking its 9 off would give somebody else's land line.

use crate::brazil;
use crate::number::PhoneNumber;
use crate::plan;

const MEXICO: u16 = 52;

/// The two numbers of a line.
pub(crate) struct Aliases {
    /// The form of today's plan.
    pub(crate) current: PhoneNumber,
    /// The form from before.
    pub(crate) old: PhoneNumber,
}

/// Both forms of the line that `number` is one form of, or nothing if it has only one.
pub(crate) fn of(number: PhoneNumber) -> Option<Aliases> {
    if number.zeros > 0 {
        return None;
    }
    let (current, old) = match number.country {
        brazil::CODE => ninth_digit(number.national)?,
        MEXICO => mexico(number.national)?,
        _ => return None,
    };
    let aliases = Aliases {
        current: PhoneNumber { national: current, ..number },
        old: PhoneNumber { national: old, ..number },
    };
    plan::is_valid(aliases.current).then_some(aliases)
}

/// Area (two digits), then eight digits that begin with 6 to 9, with or without a 9 between them.
fn ninth_digit(national: u64) -> Option<(u64, u64)> {
    const EIGHT: u64 = 100_000_000;
    let line = national % EIGHT;
    let area = match national / EIGHT {
        area @ 11..=99 => area,
        longer @ 119..=999 if longer % 10 == 9 => longer / 10,
        _ => return None,
    };
    let was_mobile = (6..=9).contains(&(line / (EIGHT / 10)));
    was_mobile.then_some(((area * 10 + 9) * EIGHT + line, area * EIGHT + line))
}

/// Ten digits, with or without a 1 before them.
fn mexico(national: u64) -> Option<(u64, u64)> {
    const TEN: u64 = 10_000_000_000;
    let line = national % TEN;
    let is_ten_digits = line >= TEN / 10;
    (is_ten_digits && national / TEN <= 1).then_some((line, TEN + line))
}
