//! A CRM's identifier, whatever the CRM makes of it: `"003xx"`, `17`, a UUID.

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// A CRM's identifier of a record. Never sealed, never personal.
///
/// Reads from a JSON string or integer and writes as a string; [`Id::number`] is for CRMs that want it back
/// as an integer.
///
/// ```
/// # use ramal_sdk::Id;
/// let id: Id = serde_json::from_str("17").unwrap();
/// assert_eq!(id, "17");
/// assert_eq!(id.number().unwrap(), 17);
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The identifier as text, taken over.
    pub fn into_string(self) -> String {
        self.0
    }
    /// The identifier as an integer.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) if it is none: in a CRM that counts its records, there is no
    /// such record.
    pub fn number(&self) -> crate::Result<i64> {
        self.0.parse().map_err(|_| crate::Error::NotFound)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}
impl From<String> for Id {
    fn from(id: String) -> Self {
        Self(id)
    }
}
impl From<&str> for Id {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}
impl From<i64> for Id {
    fn from(id: i64) -> Self {
        Self(id.to_string())
    }
}
impl From<u64> for Id {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}
impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
impl PartialEq<str> for Id {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}
impl PartialEq<&str> for Id {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an identifier: a string or an integer")
            }
            fn visit_str<E>(self, id: &str) -> Result<Id, E> {
                Ok(id.into())
            }
            fn visit_u64<E>(self, id: u64) -> Result<Id, E> {
                Ok(id.into())
            }
            fn visit_i64<E>(self, id: i64) -> Result<Id, E> {
                Ok(id.into())
            }
        }
        source.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::string("\"003xx\"", "003xx")]
    #[case::integer("17", "17")]
    #[case::negative("-1", "-1")]
    fn ids_read_from_strings_and_integers(#[case] json: &str, #[case] id: &str) {
        assert_eq!(serde_json::from_str::<Id>(json).unwrap(), id);
    }

    #[rstest]
    #[case::null("null")]
    #[case::fraction("1.5")]
    #[case::list("[1]")]
    fn nothing_else_is_an_id(#[case] json: &str) {
        assert!(serde_json::from_str::<Id>(json).is_err());
    }

    #[test]
    fn a_word_is_no_record_where_records_are_numbers() {
        assert_eq!(Id::from("abc").number(), Err(crate::Error::NotFound));
    }
}
