//! The seam to the library that knows the numbering plans. Nobody else in the house names it, so that its
//! metadata can be refreshed, or the library replaced, in one file.

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};

use crate::kind::NumberKind;
use crate::number::PhoneNumber;
use crate::region::Region;
use crate::{aliases, brazil};

/// E.164 allows this many digits, the calling code included.
const MAX_DIGITS: usize = 15;
/// Shorter is no number anywhere: a calling code and three digits.
const MIN_DIGITS: usize = 4;

/// Splits digits that begin with a calling code. Nothing if no country has it or the length is out of E.164.
pub(crate) fn split(digits: &str) -> Option<PhoneNumber> {
    if !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) || digits.starts_with('0') {
        return None;
    }
    // No calling code begins another, so the first that exists is the one.
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let country = code.parse::<u16>().ok()?;
        PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(country))?;
        let zeros = rest.bytes().take_while(|byte| *byte == b'0').count().min(rest.len().saturating_sub(1));
        Some(PhoneNumber { country, zeros: u8::try_from(zeros).ok()?, national: rest.parse().ok()? })
    })
}

/// What the library makes of `text`, which is only digits and perhaps a plus before them.
pub(crate) fn parse(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let number = PHONE_NUMBER_UTIL.parse(text, region.map(Region::inner)).ok()?;
    // Through its digits, so that there is one way to make a value and E.164's length holds for all.
    let zeros = if number.italian_leading_zero() { number.number_of_leading_zeros() } else { 0 };
    let zeros = usize::try_from(zeros).ok()?.min(MAX_DIGITS);
    split(&format!("{}{:0>zeros$}{}", number.country_code, "", number.national_number))
}

/// Whether the plan has this number.
pub(crate) fn is_valid(number: PhoneNumber) -> bool {
    PHONE_NUMBER_UTIL.is_valid_number(&library(number))
}

/// Whether the plan has this number, or had it and it is still in use, or has it without the library knowing.
pub(crate) fn is_known(number: PhoneNumber) -> bool {
    is_valid(number) || aliases::of(number).is_some() || brazil::is_debt_collection(number)
}

/// Whether a number of its country may have this length, area code included.
pub(crate) fn is_possible(number: PhoneNumber) -> bool {
    number.zeros == 0 && length(number) == Some(NumberLengthType::IsPossible)
}

/// Whether it has the length of a number without its area code.
pub(crate) fn is_local(number: PhoneNumber) -> bool {
    length(number) == Some(NumberLengthType::IsPossibleLocalOnly)
}

pub(crate) fn calling_code(region: Region) -> Option<String> {
    PHONE_NUMBER_UTIL.get_country_code_for_region(region.inner()).map(|code| code.to_string())
}

pub(crate) fn national(number: PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(&library(number), PhoneNumberFormat::National).into_owned()
}

pub(crate) fn international(number: PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(&library(number), PhoneNumberFormat::International).into_owned()
}

pub(crate) fn rfc3966(number: PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(&library(number), PhoneNumberFormat::RFC3966).into_owned()
}

pub(crate) fn kind(number: PhoneNumber) -> NumberKind {
    match PHONE_NUMBER_UTIL.get_number_type(&library(number)) {
        PhoneNumberType::FixedLine => NumberKind::Fixed,
        PhoneNumberType::Mobile => NumberKind::Mobile,
        PhoneNumberType::FixedLineOrMobile => NumberKind::FixedOrMobile,
        PhoneNumberType::TollFree => NumberKind::TollFree,
        PhoneNumberType::PremiumRate => NumberKind::PremiumRate,
        PhoneNumberType::SharedCost => NumberKind::SharedCost,
        PhoneNumberType::VoIP => NumberKind::Voip,
        PhoneNumberType::Unknown => NumberKind::Unlisted,
        _ => NumberKind::Other,
    }
}

/// Compiles the patterns that reading and writing a number of this region need.
pub(crate) fn warm_up(region: Region) {
    if let Ok(example) = PHONE_NUMBER_UTIL.get_example_number(region.inner()) {
        let text = PHONE_NUMBER_UTIL.format(&example, PhoneNumberFormat::National).into_owned();
        if let Ok(number) = crate::reading::dialled(&text, region, None) {
            let _ = (number.variants(), number.rfc3966(), number.kind());
        }
    }
}

fn length(number: PhoneNumber) -> Option<NumberLengthType> {
    PHONE_NUMBER_UTIL.is_possible_number_with_reason(&library(number)).ok()
}

fn library(number: PhoneNumber) -> rlibphonenumber::PhoneNumber {
    rlibphonenumber::PhoneNumber {
        country_code: i32::from(number.country),
        national_number: number.national,
        italian_leading_zero: (number.zeros > 0).then_some(true),
        number_of_leading_zeros: (number.zeros > 1).then_some(i32::from(number.zeros)),
        ..Default::default()
    }
}
