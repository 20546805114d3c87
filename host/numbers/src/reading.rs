//! Which of its possible readings a text has. The readings are tried in a fixed order and each must be a
//! number that exists in a plan; the first that does is taken. The order is the decision:
//!
//! 1. A plus names the country; nothing is guessed.
//! 2. `00` and then the region's own code is that country. The library would take `00 55 11 3210-0000` in
//!    Brazil for a call through carrier 55 to country 1, and a customer would become a stranger abroad.
//! 3. What the region's plan makes of it: trunk zero, carrier code, international prefix, own code first.
//! 4. In Brazil, a carrier code that the library does not list; `00` as some write it by hand, for what is a
//!    number in no other country.
//! 5. A local number in the home's area, if an area is given.
//! 6. Digits of a foreign number without a plus, as messaging writes them, if there are at least 12: fewer
//!    are far more often a national number with a slip in it, or a CPF in the wrong field, and every second
//!    CPF that begins with 1 has the shape of a North American number.

use crate::brazil;
use crate::error::NotANumber;
use crate::number::PhoneNumber;
use crate::plan;
use crate::region::Region;
use crate::written::Written;

/// Fewer digits are not taken for a foreign number without a plus.
const MIN_BARE_INTERNATIONAL: usize = 12;

/// `area` is the area code that a local number gets.
pub(crate) fn dialled(text: &str, region: Region, area: Option<&str>) -> Result<PhoneNumber, NotANumber> {
    let Written { plus, digits } = Written::scan(text)?;
    if plus {
        return with_country(&digits);
    }
    let reading = match digits.strip_prefix("00") {
        Some(rest) => after_two_zeros(&digits, rest, region),
        None => known(&digits, region)
            .or_else(|| known(in_brazil(region, brazil::without_carrier(&digits))?, region))
            .or_else(|| local(&digits, region, area?))
            .or_else(|| known_abroad(&digits).filter(|_| digits.len() >= MIN_BARE_INTERNATIONAL)),
    };
    reading.ok_or_else(|| refusal(&digits, region))
}

/// A number that the region's plan has, or that is dialled so from there.
fn known(digits: &str, region: Region) -> Option<PhoneNumber> {
    plan::parse(digits, Some(region)).filter(|number| plan::is_known(*number))
}

fn after_two_zeros(digits: &str, rest: &str, region: Region) -> Option<PhoneNumber> {
    let is_own = plan::calling_code(region).is_some_and(|code| rest.starts_with(&code));
    known_abroad(rest)
        .filter(|_| is_own)
        .or_else(|| known(digits, region))
        .or_else(|| known_abroad(rest))
        .or_else(|| known(in_brazil(region, brazil::after_two_zeros(rest))?, region))
}

/// A number that lacks its area code.
fn local(digits: &str, region: Region, area: &str) -> Option<PhoneNumber> {
    let digits = in_brazil(region, brazil::without_collect(digits)).unwrap_or(digits);
    // In Brazil a number has one area, be it that the digits begin like one.
    let is_local = region != Region::BR || matches!(digits.len(), 8 | 9);
    known(&format!("{area}{digits}"), region).filter(|_| is_local)
}

fn in_brazil(region: Region, digits: Option<&str>) -> Option<&str> {
    digits.filter(|_| region == Region::BR)
}

pub(crate) fn international(text: &str) -> Result<PhoneNumber, NotANumber> {
    with_country(&Written::scan(text)?.digits)
}

fn with_country(digits: &str) -> Result<PhoneNumber, NotANumber> {
    if let Some(number) = known_abroad(digits) {
        return Ok(number);
    }
    if digits.len() < 4 {
        return Err(NotANumber::TooShort);
    }
    match plan::split(digits) {
        Some(number) if is_plausible(number) => Ok(number),
        Some(number) if lacks_area(number) => Err(NotANumber::NoAreaCode),
        Some(_) => Err(NotANumber::NotInPlan),
        None if digits.len() > 15 => Err(NotANumber::NotInPlan),
        None => Err(NotANumber::UnknownCountry),
    }
}

/// A number that a plan has, from digits that begin with a calling code. The digits as they are come first;
/// only if they are no number may a trunk zero be taken out, as in `+55 (0) 11 …`. A plan that puts its own
/// area code before a short number is not followed: the country was stated, so the area would be invented.
fn known_abroad(digits: &str) -> Option<PhoneNumber> {
    let known = |number: &PhoneNumber| plan::is_known(*number);
    plan::split(digits).filter(known).or_else(|| {
        plan::parse(&format!("+{digits}"), None)
            .filter(known)
            .filter(|number| number.digits().len() <= digits.len())
    })
}

/// Whether a number that no plan lists may be one all the same.
fn is_plausible(number: PhoneNumber) -> bool {
    plan::is_possible(number) && !lacks_area(number)
}

/// Whether it has the length of a number without its area code. In Brazil eight and nine digits are one, although
/// the library knows eight-digit service numbers too.
fn lacks_area(number: PhoneNumber) -> bool {
    let in_brazil = number.country == brazil::CODE && (10_000_000..1_000_000_000).contains(&number.national);
    in_brazil || plan::is_local(number)
}

fn refusal(digits: &str, region: Region) -> NotANumber {
    match (digits.len(), plan::parse(digits, Some(region))) {
        (..8, _) => NotANumber::TooShort,
        (8 | 9, _) if region == Region::BR => NotANumber::NoAreaCode,
        (_, Some(number)) if plan::is_local(number) => NotANumber::NoAreaCode,
        _ => NotANumber::NotInPlan,
    }
}
