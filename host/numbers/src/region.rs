//! The country in which a text without a country code is to be read.

use std::fmt;
use std::str::FromStr;

use crate::plan;

/// A country or territory that has a numbering plan, by its ISO 3166-1 alpha-2 code.
///
/// Read from settings with [`FromStr`], shown with `Display`, both as two capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(rlibphonenumber::Region);

/// A text that is not the code of a country with a numbering plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "read a region: not the two-letter ISO 3166-1 code of a country with a numbering plan; give one like BR"
)]
pub struct UnknownRegion;

impl Region {
    /// Brazil.
    pub const BR: Self = Self(rlibphonenumber::Region::BR);

    /// Loads the numbering plan now, so that the first call does not wait for it.
    ///
    /// Loading takes tens of milliseconds in a debug build. [`crate::PhoneNumber::parse`] works without it:
    /// only its first use is slow.
    pub fn warm_up(self) {
        plan::warm_up(self);
    }

    pub(crate) fn inner(self) -> rlibphonenumber::Region {
        self.0
    }
}

// === impl Region: text ===

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, UnknownRegion> {
        let two_letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let region = two_letters.then(|| rlibphonenumber::Region::from_code(text).ok()).flatten();
        // The library names all 676 pairs of letters; only those with a plan are countries here.
        region.map(Self).filter(|region| plan::calling_code(*region).is_some()).ok_or(UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_region_str().as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::brazil("BR", Some("BR"))]
    #[case::lower_case("pt", Some("PT"))]
    #[case::no_such_country("XX", None)]
    #[case::whole_world("001", None)]
    #[case::calling_code("55", None)]
    #[case::empty("", None)]
    #[case::three_letters("BRA", None)]
    #[case::not_ascii("ß", None)]
    fn a_region_is_the_code_of_a_country_with_a_plan(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(text.parse::<Region>().ok().map(|region| region.to_string()).as_deref(), expected);
    }

    #[test]
    fn the_constant_is_what_its_code_reads_as() {
        assert_eq!("BR".parse(), Ok(Region::BR));
        assert_eq!(format!("{:?}", Region::BR), "Region(BR)");
    }
}
