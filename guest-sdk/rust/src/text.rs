//! A text that may be a seal.
//!
//! The failure that it prevents is small and common: a customer's name in a log line or in a panic message,
//! put there by `{:?}`. `Debug` shows what kind of text it is, never the text.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Id;

/// The start of every seal; the class, `_` and 26 characters follow.
const SEAL: &str = "sealed_";

/// A text that may hold seals: pass it on, place it where a route lets its class stand, or return it.
///
/// It serialises as a plain string, so it stands in the types of requests and answers. `Display` writes it
/// as it is (a seal, mostly), for putting it into a longer text such as `format!("Call with {name}")`, which
/// the host opens in place; `Debug` shows only what it is.
///
/// ```
/// # use ramal_sdk::Text;
/// let phone = Text::from("sealed_contact.phone_abcdefghijklmnopqrstuvwxyz");
/// assert!(phone.is_sealed());
/// assert_eq!(phone.class(), Some("contact.phone"));
/// assert_eq!(format!("{phone:?}"), "Text(sealed contact.phone)");
/// assert_eq!(format!("{:?}", Text::from("Ana")), "Text(clear, 3 bytes)");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub(crate) String);

impl Text {
    /// An empty text.
    pub const fn new() -> Self {
        Self(String::new())
    }
    /// The text as it came: a seal, clear text, or a mixture.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Whether the whole text is one seal.
    pub fn is_sealed(&self) -> bool {
        self.class().is_some()
    }
    /// The data class of a text that is one seal, such as `contact.phone`.
    pub fn class(&self) -> Option<&str> {
        let (class, random) = self.0.strip_prefix(SEAL)?.rsplit_once('_')?;
        let whole =
            random.len() == 26 && random.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        (whole && !class.is_empty() && class.bytes().all(|b| b.is_ascii_lowercase() || b == b'.'))
            .then_some(class)
    }
    /// `None` if empty: for a field that a CRM leaves blank.
    pub fn non_empty(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }
    /// This text below another one, with an empty line between; alone where there is no other.
    ///
    /// It is how something is added to an entry that a person may have edited: read what stands there, put what is new
    /// below it, write both. The text above may be a seal, and stays one.
    ///
    /// ```
    /// # use ramal_sdk::Text;
    /// let there = Text::from("sealed_interaction.text_abcdefghijklmnopqrstuvwxyz");
    /// let both = Text::from("Disposition: sale").below(Some(there.clone()));
    /// assert_eq!(both.as_str(), format!("{there}\n\nDisposition: sale"));
    /// assert_eq!(Text::from("Disposition: sale").below(Some(Text::new())).as_str(), "Disposition: sale");
    /// ```
    #[must_use]
    pub fn below(self, above: Option<Self>) -> Self {
        match above.and_then(Self::non_empty) {
            Some(above) => Self(format!("{above}\n\n{self}")),
            None => self,
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class() {
            Some(class) => write!(f, "Text(sealed {class})"),
            None if self.0.contains(SEAL) => write!(f, "Text(mixed, {} bytes)", self.0.len()),
            None => write!(f, "Text(clear, {} bytes)", self.0.len()),
        }
    }
}
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}
impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}
impl From<Id> for Text {
    fn from(id: Id) -> Self {
        Self(id.into_string())
    }
}
impl From<&Id> for Text {
    fn from(id: &Id) -> Self {
        Self(id.as_str().to_owned())
    }
}
impl From<bool> for Text {
    fn from(value: bool) -> Self {
        Self(if value { "true" } else { "false" }.to_owned())
    }
}

macro_rules! from_integers {
    ($($int:ty),*) => {$(
        impl From<$int> for Text {
            fn from(value: $int) -> Self {
                Self(value.to_string())
            }
        }
    )*};
}
from_integers!(u8, u16, u32, u64, usize, i32, i64);

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SEALED: &str = "sealed_contact.phone_abcdefghijklmnopqrstuvwxyz";

    #[rstest]
    #[case::a_seal(SEALED, Some("contact.phone"))]
    #[case::flat_class("sealed_agent_abcdefghijklmnopqrstuvwxyz", Some("agent"))]
    #[case::clear("Ana (invented)", None)]
    #[case::too_short("sealed_agent_abc", None)]
    #[case::in_longer_text("to sealed_agent_abcdefghijklmnopqrstuvwxyz", None)]
    #[case::no_class("sealed__abcdefghijklmnopqrstuvwxyz", None)]
    fn a_seal_tells_its_class(#[case] text: &str, #[case] class: Option<&str>) {
        assert_eq!(Text::from(text).class(), class);
    }

    #[rstest]
    #[case::clear("Ana (invented)", "Text(clear, 14 bytes)")]
    #[case::mixed("Call with sealed_agent_abcdefghijklmnopqrstuvwxyz", "Text(mixed, 49 bytes)")]
    fn debug_never_shows_the_text(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(format!("{:?}", Text::from(text)), shown);
    }

    #[test]
    fn a_text_is_a_plain_json_string() {
        assert_eq!(serde_json::to_string(&Text::from(SEALED)).unwrap(), format!("\"{SEALED}\""));
        assert_eq!(serde_json::from_str::<Text>(&format!("\"{SEALED}\"")).unwrap(), Text::from(SEALED));
    }
}
