//! The identifiers of records: a letter for the kind and a number, such as `c-0007`. One kind cannot stand
//! where another belongs, and a text from outside is either exactly such an identifier or none.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The identifier of a record whose kind the letter tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id<const KIND: char>(u32);

pub(crate) type ContactId = Id<'c'>;
pub(crate) type NoteId = Id<'n'>;
pub(crate) type DealId = Id<'d'>;
pub(crate) type ActivityId = Id<'a'>;
pub(crate) type UserId = Id<'u'>;

/// Not an identifier of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this kind")]
pub(crate) struct NotAnId;

impl<const KIND: char> Id<KIND> {
    pub(crate) fn after(last: Option<&Self>) -> Self {
        Self(last.map_or(1, |last| last.0.saturating_add(1)))
    }
}

// === impl Id: text ===

impl<const KIND: char> fmt::Display for Id<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND}-{:04}", self.0)
    }
}

impl<const KIND: char> FromStr for Id<KIND> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let number = text.strip_prefix(KIND).and_then(|rest| rest.strip_prefix('-')).ok_or(NotAnId)?;
        let id = Self(number.parse().map_err(|_| NotAnId)?);
        // One record has one name: neither c-7 nor c-00007 nor c-+007.
        if id.to_string() == text { Ok(id) } else { Err(NotAnId) }
    }
}

impl<const KIND: char> Serialize for Id<KIND> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const KIND: char> Deserialize<'de> for Id<KIND> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::contact("c-0007", true)]
    #[case::beyond_four_digits("c-12345", true)]
    #[case::other_kind("d-0007", false)]
    #[case::too_few_digits("c-7", false)]
    #[case::too_many_zeros("c-00007", false)]
    #[case::sign("c-+007", false)]
    #[case::path("c-0007/deals", false)]
    #[case::empty("", false)]
    fn an_identifier_has_one_spelling(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(text.parse::<ContactId>().is_ok(), expected);
    }
}
