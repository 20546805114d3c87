//! Who the customer is, on each channel. A telephone number is one name among others: a WhatsApp user may have none
//! that is told, so nothing may be keyed by the number alone.
//!
//! One line has two numbers where a country made its numbers longer and the old form lives on. A customer must not have
//! two timelines for that: an identity holds the number of today's plan, however it was dialled.

use std::fmt;

use ramal_numbers::{PhoneNumber, Region};
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
    /// Checks the value. A number in E.164 is taken as [`ContactIdentity::phone`] does.
    ///
    /// # Errors
    /// When it is empty, longer than 256 bytes or holds a control character; a number, when it cannot be one.
    pub fn new(
        kind: ContactKind,
        namespace: Namespace,
        value: impl Into<Clear>,
    ) -> Result<Self, BadIdentity> {
        let value = value.into();
        let text = value.expose();
        if kind == ContactKind::Phone && namespace.as_str() == Namespace::E164 {
            return Self::phone(text);
        }
        if (1..=256).contains(&text.len()) && !text.chars().any(char::is_control) {
            return Ok(Self { kind, namespace, value });
        }
        Err(BadIdentity { rule: "a value is 1 to 256 bytes without control characters" })
    }

    /// A telephone number in E.164, in whichever of its line's forms: the identity has the one of today's plan.
    ///
    /// # Errors
    /// When the text cannot be one.
    pub fn phone(e164: &str) -> Result<Self, BadIdentity> {
        let digits = e164.strip_prefix('+').unwrap_or_default();
        if !((1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())) {
            return Err(BadIdentity { rule: "a telephone number is `+` and at most 15 digits" });
        }
        // A number of no known plan has one form. The region is for numbers without a country.
        let known = PhoneNumber::parse(e164, Region::BR);
        let value = known.map_or_else(|_| e164.to_owned(), |number| number.canonical().e164());
        let namespace = Namespace(Namespace::E164.to_owned());
        Ok(Self { kind: ContactKind::Phone, namespace, value: Clear::new(value) })
    }

    /// The name itself.
    pub fn value(&self) -> &Clear {
        &self.value
    }

    /// The identity as it would be made today. One that was stored by a version that kept numbers as they were dialled
    /// reads back as it was.
    pub(crate) fn renewed(&self) -> Self {
        Self::new(self.kind, self.namespace.clone(), self.value.clone()).unwrap_or_else(|_| self.clone())
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

    #[rstest]
    #[case::without_the_ninth_digit("+551187654321", "+5511987654321")]
    #[case::with_it("+5511987654321", "+5511987654321")]
    #[case::of_mexico_with_its_1("+5215512345678", "+525512345678")]
    #[case::a_land_line("+551132100000", "+551132100000")]
    #[case::of_no_known_plan("+99912345678", "+99912345678")]
    fn every_form_of_a_number_is_one_identity(#[case] told: &str, #[case] kept: &str) {
        let by_number = ContactIdentity::phone(told).unwrap();
        let namespace = Namespace::new(Namespace::E164).unwrap();
        assert_eq!(ContactIdentity::new(ContactKind::Phone, namespace, told).unwrap(), by_number);
        assert_eq!(by_number.value().expose(), kept);
    }

    #[test]
    fn an_identity_does_not_print_its_value() {
        let identity = ContactIdentity::phone("+5511987654321").unwrap();
        assert_eq!(format!("{identity:?}"), "phone/e164/<personal>");
    }
}
