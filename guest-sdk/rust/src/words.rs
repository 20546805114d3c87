//! Functions on text that the host applies to the value behind a seal.

use crate::host::Backend;
#[cfg(target_family = "wasm")]
use crate::host::Host as _;
use crate::{Error, Result, Text};

/// How a telephone number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneStyle {
    /// `+5511987654321`
    E164,
    /// `(11) 98765-4321`
    National,
    /// `5511987654321`
    Digits,
    /// `tel:+55-11-98765-4321`
    Rfc3966,
    /// `+55 11 98765-4321`, as people write a number with its country
    International,
}

/// Functions that work alike on a seal and on clear text, and answer in kind. From
/// [`Cx::text`](crate::Cx::text).
#[derive(Clone, Copy)]
pub struct Words<'a> {
    host: &'a Backend,
}

impl<'a> Words<'a> {
    pub(crate) fn new(host: &'a Backend) -> Self {
        Self { host }
    }
    /// The number in another style.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no telephone number.
    pub fn phone_format(&self, value: &Text, style: PhoneStyle) -> Result<Text> {
        self.host.phone_format(value.as_str(), style).map(Text).map_err(Error::Invalid)
    }
    /// The forms under which a CRM may hold the same number, best first, in E.164 (Brazil's ninth digit in
    /// both directions). A value that is no number gives itself alone.
    pub fn phone_variants(&self, value: &Text) -> Vec<Text> {
        self.host.phone_variants(value.as_str()).into_iter().map(Text).collect()
    }
    /// The given name, by the customs of Portuguese and English names.
    pub fn given_name(&self, value: &Text) -> Text {
        Text(self.host.given_name(value.as_str()))
    }
    /// The family name, or an empty text.
    pub fn family_name(&self, value: &Text) -> Text {
        Text(self.host.family_name(value.as_str()))
    }
    /// In lower case.
    pub fn lower(&self, value: &Text) -> Text {
        Text(self.host.lower(value.as_str()))
    }
    /// Whether two seals hold the same value, or two clear texts are equal.
    ///
    /// # Errors
    /// [`Error::Denied`] for a clear guess against a seal, and when the call's comparisons are used up.
    pub fn same(&self, a: &Text, b: &Text) -> Result<bool> {
        self.host.same(a.as_str(), b.as_str()).map_err(Error::Denied)
    }
}
