//! The place where a number is dialled or seen, as far as it decides what digits mean.
//!
//! `3210-0000` is a land line in São Paulo to one exchange and in Porto Alegre to another; `7002` is a desk in
//! one company and nothing in the next. An exchange leaves both out of its events, so whoever reads them has to
//! be told once. What is not told is not guessed: an area that was invented finds somebody else's contact.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::brazil;
use crate::region::Region;

/// Where a text is read: the country, and what the place adds to it.
///
/// ```
/// use ramal_numbers::{Home, PhoneNumber, Region};
///
/// let home = Home::new(Region::BR).with_area("51")?;
/// let number = PhoneNumber::parse_at("3210-0000", &home);
/// assert_eq!(number.map(|number| number.e164()).as_deref(), Ok("+555132100000"));
/// # Ok::<(), ramal_numbers::UnknownArea>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    region: Region,
    area: Option<Box<str>>,
    extensions: Extensions,
}

/// A text that is no area code of the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "read an area code: {region} has none with these digits; give it without the leading zero, such as 11 in BR"
)]
pub struct UnknownArea {
    region: Region,
}

impl Home {
    /// A place of which only the country is known: local numbers stay without their area, and short numbers
    /// that the networks do not have are extensions.
    pub fn new(region: Region) -> Self {
        Self { region, area: None, extensions: Extensions::Any }
    }

    /// With the area that local numbers are in, without trunk zero.
    ///
    /// # Errors
    /// [`UnknownArea`] when Brazil has no such area. For another region it must be one to five digits; whether
    /// it exists shows with each number.
    pub fn with_area(mut self, area: &str) -> Result<Self, UnknownArea> {
        let is_digits = (1..=5).contains(&area.len()) && area.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits || (self.region == Region::BR && !brazil::is_area(area)) {
            return Err(UnknownArea { region: self.region });
        }
        self.area = Some(area.into());
        Ok(self)
    }

    /// With its extensions.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// The country.
    pub fn region(&self) -> Region {
        self.region
    }

    pub(crate) fn area(&self) -> Option<&str> {
        self.area.as_deref()
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.extensions
    }
}

/// Which digits are extensions of an exchange.
///
/// Read from settings as ranges, `7000-7999, 201-209`; both ends of one have the same number of digits, two to
/// eight, so `0100-0199` are others than `100-199`. What a person lists wins over everything else that the
/// digits could be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Extensions {
    /// Not told: two to six digits that are no short code of the networks.
    #[default]
    Any,
    /// There are none: short messages and mobiles have no extensions, and short digits are short codes.
    None,
    /// These.
    Ranges(ExtensionRanges),
}

/// Ranges of extensions, from [`FromStr`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionRanges(Vec<Range>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    digits: usize,
    numbers: RangeInclusive<u32>,
}

/// A text that lists no ranges of extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the extensions: item {item} is no range of two to eight digits; write ranges with commas between \
     them, such as 7000-7999, 201-209"
)]
pub struct BadExtensions {
    item: usize,
}

impl Extensions {
    pub(crate) fn has(&self, digits: &str) -> bool {
        match self {
            Self::Any | Self::None => false,
            Self::Ranges(ExtensionRanges(ranges)) => digits.parse().is_ok_and(|number| {
                ranges.iter().any(|range| range.digits == digits.len() && range.numbers.contains(&number))
            }),
        }
    }
}

// === impl Extensions: text ===

impl FromStr for Extensions {
    type Err = BadExtensions;
    fn from_str(text: &str) -> Result<Self, BadExtensions> {
        let ranges = text
            .split(',')
            .enumerate()
            .map(|(index, item)| range(item).ok_or(BadExtensions { item: index + 1 }))
            .collect::<Result<_, _>>()?;
        Ok(Self::Ranges(ExtensionRanges(ranges)))
    }
}

fn range(item: &str) -> Option<Range> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let (first, last) = (first.trim(), last.trim());
    let is_good = |text: &str| (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_good(first) || !is_good(last) || first.len() != last.len() || first > last {
        return None;
    }
    Some(Range { digits: first.len(), numbers: first.parse().ok()?..=last.parse().ok()? })
}

impl fmt::Display for ExtensionRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Range { digits, numbers }) in self.0.iter().enumerate() {
            let (first, last) = numbers.clone().into_inner();
            write!(f, "{}{first:0digits$}", if index == 0 { "" } else { ", " })?;
            if first != last {
                write!(f, "-{last:0digits$}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::brazilian(Region::BR, "11", true)]
    #[case::with_its_trunk_zero(Region::BR, "011", false)]
    #[case::that_brazil_does_not_have(Region::BR, "10", false)]
    #[case::between_two_states(Region::BR, "52", false)]
    #[case::empty(Region::BR, "", false)]
    #[case::a_word(Region::BR, "SP", false)]
    fn an_area_is_one_of_the_region(#[case] region: Region, #[case] area: &str, #[case] good: bool) {
        assert_eq!(Home::new(region).with_area(area).is_ok(), good);
    }

    #[test]
    fn brazil_has_67_areas() {
        let count = (0..=99).filter(|area| brazil::is_area(&format!("{area:02}"))).count();
        assert_eq!(count, 67);
    }

    #[test]
    fn an_unknown_area_is_told_with_its_region() {
        assert_eq!(
            Home::new(Region::BR).with_area("10").unwrap_err().to_string(),
            "read an area code: BR has none with these digits; give it without the leading zero, such as 11 in BR"
        );
    }

    #[rstest::rstest]
    #[case::range("7000-7999", "7000-7999")]
    #[case::many(" 7000-7999,201 - 209 ", "7000-7999, 201-209")]
    #[case::one("7002", "7002")]
    #[case::with_leading_zeros("0100-0199", "0100-0199")]
    fn extensions_read_and_write_as_ranges(#[case] text: &str, #[case] written: &str) {
        let Extensions::Ranges(ranges) = text.parse().unwrap() else { panic!("not ranges") };
        assert_eq!(ranges.to_string(), written);
        assert_eq!(ranges.to_string().parse(), Ok(Extensions::Ranges(ranges)));
    }

    #[rstest::rstest]
    #[case::empty("", 1)]
    #[case::a_word("all", 1)]
    #[case::one_digit("1-9", 1)]
    #[case::nine_digits("100000000-199999999", 1)]
    #[case::lengths_that_differ("900-1100", 1)]
    #[case::backwards("7002, 7999-7000", 2)]
    #[case::a_comma_too_many("7000-7999,", 2)]
    #[case::sign("+700-7999", 1)]
    fn what_lists_no_extensions_is_told_by_its_place(#[case] text: &str, #[case] item: usize) {
        assert_eq!(text.parse::<Extensions>(), Err(BadExtensions { item }));
    }
}
