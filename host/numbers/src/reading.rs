//! Which of its possible readings a text has. The readings are tried in a fixed order and each must be a
//! number that exists in a plan; the first that does is taken. The order is the decision:
//!
//! 1. A plus names the country; nothing is guessed.
//! 2. `00` and then the region's own code is that country. The library would take `00 55 11 3210-0000` in
//!    Brazil for a call through carrier 55 to country 1, and a customer would become a stranger abroad.
//! 3. What the region's plan makes of it: trunk zero, carrier code, international prefix, own code first.
//! 4. In Brazil, a carrier code that the library does not list.
//! 5. Digits of a foreign number without a plus, as messaging writes them, if there are at least 12: fewer
//!    are far more often a national number with a slip in it, or a CPF in the wrong field, and every second
//!    CPF that begins with 1 has the shape of a North American number.

use crate::error::NotANumber;
use crate::number::PhoneNumber;
use crate::plan;
use crate::region::Region;
use crate::written::Written;

/// Fewer digits are not taken for a foreign number without a plus.
const MIN_BARE_INTERNATIONAL: usize = 12;

pub(crate) fn dialled(text: &str, region: Region) -> Result<PhoneNumber, NotANumber> {
    let Written { plus, digits } = Written::scan(text)?;
    if plus {
        return with_country(&digits);
    }
    let known = |number: &PhoneNumber| plan::is_known(*number);
    let reading = if let Some(rest) = digits.strip_prefix("00") {
        let is_own = plan::calling_code(region).is_some_and(|code| rest.starts_with(&code));
        known_abroad(rest)
            .filter(|_| is_own)
            .or_else(|| plan::parse(&digits, Some(region)).filter(known))
            .or_else(|| known_abroad(rest))
    } else {
        plan::parse(&digits, Some(region))
            .filter(known)
            .or_else(|| plan::parse(without_carrier(&digits, region)?, Some(region)).filter(known))
            .or_else(|| known_abroad(&digits).filter(|_| digits.len() >= MIN_BARE_INTERNATIONAL))
    };
    reading.ok_or_else(|| refusal(&digits, region))
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
        Some(number) if plan::is_local(number) => Err(NotANumber::NoAreaCode),
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

/// Whether a number that no plan lists may be one all the same. In Brazil eight and nine digits are a number
/// without its area code, although the library knows eight-digit service numbers too.
fn is_plausible(number: PhoneNumber) -> bool {
    let has_area = number.country != 55 || number.national >= 1_000_000_000;
    has_area && plan::is_possible(number)
}

/// `0`, two digits of a carrier, and ten or eleven of the number, as long-distance calls are dialled in
/// Brazil. The library lists some carriers; the plan has more.
fn without_carrier(digits: &str, region: Region) -> Option<&str> {
    let is_so_dialled = region == Region::BR && matches!(digits.len(), 13 | 14) && digits.starts_with('0');
    is_so_dialled.then(|| digits.get(3..)).flatten()
}

fn refusal(digits: &str, region: Region) -> NotANumber {
    match (digits.len(), plan::parse(digits, Some(region))) {
        (..8, _) => NotANumber::TooShort,
        (8 | 9, _) if region == Region::BR => NotANumber::NoAreaCode,
        (_, Some(number)) if plan::is_local(number) => NotANumber::NoAreaCode,
        _ => NotANumber::NotInPlan,
    }
}
