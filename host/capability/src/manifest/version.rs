//! Versions, as numbers that compare.

use std::fmt;
use std::str::FromStr;

/// A plugin's version: `x.y.z` of Semantic Versioning, without pre-release and build words, so that "newer"
/// has one meaning when an upgrade is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Changes when something breaks.
    pub major: u32,
    /// Changes when something is added.
    pub minor: u32,
    /// Changes when something is repaired.
    pub patch: u32,
}

/// The version of the contract `ramal:crm` that a plugin was built for: `0.N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceVersion {
    /// The N of `0.N`.
    pub minor: u32,
}

/// A text that is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadVersion {
    /// Not `x.y.z`.
    #[error("a version is three numbers, such as 0.1.0; leave out words and leading zeros")]
    Plugin,
    /// Not `0.N`.
    #[error(
        "an interface version is written 0.N, such as 0.1; it is the version of the package `ramal:crm` in the WIT that the plugin was built with"
    )]
    Interface,
}

fn number(text: &str) -> Option<u32> {
    let plain = text == "0" || !text.starts_with('0');
    if plain && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl FromStr for Version {
    type Err = BadVersion;
    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            _ => Err(BadVersion::Plugin),
        }
    }
}
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for InterfaceVersion {
    type Err = BadVersion;
    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let minor = text.strip_prefix("0.").and_then(number).ok_or(BadVersion::Interface)?;
        Ok(Self { minor })
    }
}
impl fmt::Display for InterfaceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0.{}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("0.1.0", true)]
    #[case::large("10.20.30", true)]
    #[case::two("0.1", false)]
    #[case::four("0.1.0.0", false)]
    #[case::word("0.1.0-rc1", false)]
    #[case::zero("0.01.0", false)]
    #[case::sign("+1.0.0", false)]
    #[case::empty("", false)]
    #[case::too_large("4294967296.0.0", false)]
    fn a_version_is_three_numbers(#[case] text: &str, #[case] ok: bool) {
        let parsed = text.parse::<Version>();
        assert_eq!(parsed.is_ok(), ok);
        if let Ok(version) = parsed {
            assert_eq!(version.to_string(), text);
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!("0.10.0".parse::<Version>().unwrap() > "0.9.9".parse().unwrap());
    }

    #[rstest]
    #[case::plain("0.1", true)]
    #[case::one("1.0", false)]
    #[case::patch("0.1.0", false)]
    #[case::zero("0.01", false)]
    fn an_interface_version_is_zero_and_a_number(#[case] text: &str, #[case] ok: bool) {
        assert_eq!(text.parse::<InterfaceVersion>().is_ok(), ok);
    }
}
