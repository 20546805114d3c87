//! Who the customer is, on each channel. A telephone number is one name among others: a WhatsApp user may have none
//! that is told, so nothing may be keyed by the number alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{Clear, clear};

words! {
    /// What kind of name it is.
    ContactKind {
        /// A telephone number, whether it calls, is called or gets short messages.
        Phone = "phone",
        /// A WhatsApp user.
        Whatsapp = "whatsapp",
        /// An e-mail address.
        Email = "email",
    }
}

/// A name that no identity can have. Never holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a contact's identity: {rule}")]
pub struct BadIdentity {
    /// What is allowed.
    pub rule: &'static str,
}

/// Within what a value is unique: `e164`, `wa-id`, `bsuid:<the business' identifier>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Namespace(String);

impl Namespace {
    /// Numbers in E.164.
    pub const E164: &'static str = "e164";
    /// WhatsApp's `wa_id`, as it was told.
    pub const WA_ID: &'static str = "wa-id";

    /// Checks the text.
    ///
    /// # Errors
    /// When it is not 1 to 64 of a-z, 0-9, `.`, `_`, `-`, `:`.
    pub fn new(text: &str) -> Result<Self, BadIdentity> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-:".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadIdentity { rule: "a namespace is 1 to 64 of a-z, 0-9, `.`, `_`, `-`, `:`" })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Namespace {
    type Error = BadIdentity;
    fn try_from(text: String) -> Result<Self, BadIdentity> {
        Self::new(&text)
    }
}
impl From<Namespace> for String {
    fn from(namespace: Namespace) -> Self {
        namespace.0
    }
}

/// One name of a customer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactIdentity {
    /// What kind of name.
    pub kind: ContactKind,
    /// Within what it is unique.
    pub namespace: Namespace,
    /// The name itself. Personal.
    #[serde(with = "clear")]
    value: Clear,
}

impl ContactIdentity {
    /// Checks the value.
    ///
    /// # Errors
    /// When it is empty, longer than 256 bytes or holds a control character.
    pub fn new(
        kind: ContactKind,
        namespace: Namespace,
        value: impl Into<Clear>,
    ) -> Result<Self, BadIdentity> {
        let value = value.into();
        let text = value.expose();
        if (1..=256).contains(&text.len()) && !text.chars().any(char::is_control) {
            return Ok(Self { kind, namespace, value });
        }
        Err(BadIdentity { rule: "a value is 1 to 256 bytes without control characters" })
    }

    /// A telephone number in E.164.
    ///
    /// # Errors
    /// When the text cannot be one.
    pub fn phone(e164: &str) -> Result<Self, BadIdentity> {
        let digits = e164.strip_prefix('+').unwrap_or_default();
        if (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Self::new(ContactKind::Phone, Namespace(Namespace::E164.to_owned()), e164);
        }
        Err(BadIdentity { rule: "a telephone number is `+` and at most 15 digits" })
    }

    /// The name itself.
    pub fn value(&self) -> &Clear {
        &self.value
    }

    /// The identity as one text, for keys. Personal: not for logs.
    pub(crate) fn key(&self) -> String {
        // Neither kind nor namespace holds a slash.
        format!("{}/{}/{}", self.kind, self.namespace.as_str(), self.value.expose())
    }
}

impl fmt::Debug for ContactIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/<personal>", self.kind, self.namespace.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::bsuid(ContactKind::Whatsapp, "bsuid:1234", "BR.13491208655302741918", true)]
    #[case::wa_id(ContactKind::Whatsapp, "wa-id", "551187654321", true)]
    #[case::empty(ContactKind::Whatsapp, "wa-id", "", false)]
    #[case::control(ContactKind::Whatsapp, "wa-id", "a\0", false)]
    #[case::slash_in_the_namespace(ContactKind::Whatsapp, "wa/id", "1", false)]
    fn an_identity_is_checked(
        #[case] kind: ContactKind,
        #[case] namespace: &str,
        #[case] value: &str,
        #[case] ok: bool,
    ) {
        let made = Namespace::new(namespace).and_then(|n| ContactIdentity::new(kind, n, value));
        assert_eq!(made.is_ok(), ok);
    }

    #[rstest]
    #[case("+5511987654321", true)]
    #[case("5511987654321", false)]
    #[case("+", false)]
    #[case("+55 11", false)]
    fn a_phone_is_in_e164(#[case] text: &str, #[case] ok: bool) {
        assert_eq!(ContactIdentity::phone(text).is_ok(), ok);
    }

    #[test]
    fn an_identity_does_not_print_its_value() {
        let identity = ContactIdentity::phone("+5511987654321").unwrap();
        assert_eq!(format!("{identity:?}"), "phone/e164/<personal>");
    }
}
