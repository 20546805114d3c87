//! What an exchange says about one end of a call. Most often it is a telephone number; it is an extension when a
//! colleague is at that end, and a short code when somebody rang the police or a carrier. The three are apart
//! here, since an extension that is taken for a number gets an area code and a stranger's name.

use std::fmt;

use crate::error::NotANumber;
use crate::home::{Extensions, Home};
use crate::number::PhoneNumber;
use crate::region::Region;
use crate::written::Written;
use crate::{brazil, reading};

/// The number of one end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartyNumber {
    /// A telephone number, which has a country.
    Telephone(PhoneNumber),
    /// A short code of the networks.
    ShortCode(ShortCode),
    /// An extension (*ramal*) of the exchange.
    Extension(Extension),
}

/// A short code of the networks: the police, a carrier's customer care, a sender of short messages. It means
/// something within one country, or one carrier, and has no E.164 form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ShortCode {
    digits: Box<str>,
    is_emergency: bool,
}

/// An extension of an exchange. It means something within one exchange only and names a desk of the company.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Extension(Box<str>);

/// The fewest and the most digits of what is taken for an extension or a short code without being told.
const SHORT: std::ops::RangeInclusive<usize> = 2..=6;

impl PartyNumber {
    /// Reads what stands at one end of a call at `home`, in this order: an extension that `home` lists, a short
    /// code of the networks, another short number, a telephone number as [`PhoneNumber::parse_at`] reads it.
    ///
    /// # Errors
    /// [`NotANumber`] when it is none of these.
    pub fn read(text: &str, home: &Home) -> Result<Self, NotANumber> {
        let Written { plus, digits } = Written::scan(text)?;
        let short = if plus { None } else { short(&digits, home) };
        match short {
            Some(short) => Ok(short),
            None => reading::dialled(text, home.region(), home.area()).map(Self::Telephone),
        }
    }

    /// The telephone number, if it is one.
    pub fn telephone(&self) -> Option<PhoneNumber> {
        match self {
            Self::Telephone(number) => Some(*number),
            Self::ShortCode(_) | Self::Extension(_) => None,
        }
    }
}

fn short(digits: &str, home: &Home) -> Option<PartyNumber> {
    let extension = || PartyNumber::Extension(Extension(digits.into()));
    let is_emergency =
        matches!(digits, "112" | "911") || (home.region() == Region::BR && brazil::is_emergency(digits));
    let code = || PartyNumber::ShortCode(ShortCode { digits: digits.into(), is_emergency });
    let is_code = is_emergency || (home.region() == Region::BR && brazil::is_short_code(digits));
    match home.extensions() {
        extensions if extensions.has(digits) => Some(extension()),
        _ if is_code => Some(code()),
        Extensions::Any if SHORT.contains(&digits.len()) => Some(extension()),
        Extensions::None if SHORT.contains(&digits.len()) => Some(code()),
        _ => None,
    }
}

// === impl ShortCode, Extension ===

impl ShortCode {
    /// Its digits: `190`.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Whether help is called by it: 112 and 911 everywhere (3GPP TS 22.101), 190 to 199 in Brazil as Anatel's
    /// plan has them.
    pub fn is_emergency(&self) -> bool {
        self.is_emergency
    }
}

impl Extension {
    /// Its digits, leading zeros included.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// Shows that there is one, and none of its digits.
impl fmt::Debug for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShortCode(<personal>)")
    }
}

/// Shows that there is one, and none of its digits.
impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extension(<personal>)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind and the digits, so that a table reads as people speak.
    fn told(text: &str, home: &Home) -> String {
        match PartyNumber::read(text, home) {
            Ok(PartyNumber::Telephone(number)) => format!("telephone {}", number.e164()),
            Ok(PartyNumber::ShortCode(code)) if code.is_emergency() => format!("emergency {}", code.digits()),
            Ok(PartyNumber::ShortCode(code)) => format!("short {}", code.digits()),
            Ok(PartyNumber::Extension(extension)) => format!("extension {}", extension.digits()),
            Err(error) => format!("{error:?}"),
        }
    }

    #[rstest::rstest]
    #[case::mobile("11987654321", "telephone +5511987654321")]
    #[case::local("3210-0000", "telephone +555132100000")]
    #[case::single_national_number("4004-1234", "telephone +5540041234")]
    #[case::police("190", "emergency 190")]
    #[case::police_of_mobiles("112", "emergency 112")]
    #[case::somebody_who_listens("188", "short 188")]
    #[case::carrier_of_land_lines("10315", "short 10315")]
    #[case::carrier_of_mobiles("1052", "short 1052")]
    #[case::television("10621", "short 10621")]
    #[case::the_regulator("1331", "short 1331")]
    #[case::desk("7002", "extension 7002")]
    #[case::desk_with_a_leading_zero("0201", "extension 0201")]
    #[case::desk_like_a_year("1001", "extension 1001")]
    #[case::two_digits("20", "extension 20")]
    #[case::one_digit("9", "TooShort")]
    #[case::seven_digits("3210000", "TooShort")]
    #[case::short_with_a_plus("+190", "TooShort")]
    #[case::hidden("anonymous", "Character { position: 1 }")]
    fn what_is_at_an_end_of_a_call_has_a_kind(#[case] text: &str, #[case] expected: &str) {
        let home = Home::new(Region::BR).with_area("51").unwrap();
        assert_eq!(told(text, &home), expected);
    }

    #[rstest::rstest]
    #[case::listed("7002", "extension 7002")]
    #[case::listed_over_a_short_code("1052", "extension 1052")]
    #[case::listed_over_a_local_number("32100001", "extension 32100001")]
    #[case::not_listed("7002001", "TooShort")]
    #[case::not_listed_and_short("2001", "TooShort")]
    #[case::other_length("07002", "TooShort")]
    #[case::police("190", "emergency 190")]
    #[case::local("32100000", "telephone +551132100000")]
    fn the_extensions_that_a_person_lists_are_all_there_are(#[case] text: &str, #[case] expected: &str) {
        let extensions = "7000-7999, 1050-1059, 32100001".parse().unwrap();
        let home = Home::new(Region::BR).with_area("11").unwrap().with_extensions(extensions);
        assert_eq!(told(text, &home), expected);
    }

    #[rstest::rstest]
    #[case::sender_of_short_messages("28908", "short 28908")]
    #[case::mobile("5511987654321", "telephone +5511987654321")]
    fn where_there_are_no_extensions_short_digits_are_short_codes(
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(told(text, &Home::new(Region::BR).with_extensions(Extensions::None)), expected);
    }

    #[rstest::rstest]
    #[case::emergency("112", "emergency 112")]
    #[case::brazils_police("190", "extension 190")]
    fn short_codes_of_brazil_are_brazils(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(told(text, &Home::new("PT".parse().unwrap())), expected);
    }

    #[test]
    fn debug_shows_no_digit() {
        let home = Home::new(Region::BR);
        let all: Vec<_> =
            ["190", "7002", "11987654321"].map(|text| PartyNumber::read(text, &home).unwrap()).into();
        assert_eq!(
            format!("{all:?}"),
            "[ShortCode(ShortCode(<personal>)), Extension(Extension(<personal>)), \
             Telephone(PhoneNumber(<personal>))]"
        );
    }
}
