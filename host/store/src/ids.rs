//! The provider's identifiers, and the webhooks' names. The other names of the house (tenants, plugins, interactions) are in `ramal-capability`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A text that breaks the rule of its kind. Never holds the text: a provider's id may contain a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind}: use {rule}")]
pub struct BadText {
    /// What was to be named.
    pub kind: &'static str,
    /// What is allowed.
    pub rule: &'static str,
}

const NAME_RULE: &str = "1 to 64 of a-z, 0-9, `.`, `_`, `-`, starting with a letter or digit";
const OPAQUE_RULE: &str = "1 to 128 visible ASCII characters without spaces";

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

fn is_opaque(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:ident, $rule:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// When the text breaks the rule that the error names.
            pub fn new(text: &str) -> Result<Self, BadText> {
                if $check(text) { Ok(Self(text.into())) } else { Err(BadText { kind: $kind, rule: $rule }) }
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = BadText;
            fn from_str(text: &str) -> Result<Self, BadText> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadText;
            fn try_from(text: String) -> Result<Self, BadText> {
                Self::new(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

macro_rules! printed {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

// Providers put numbers and addresses into their ids: these types print nothing and have no Display.
macro_rules! unprinted {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("<provider's id>")
            }
        }
    )+};
}

text_id!(
    /// Where call events come from: one exchange, one provider.
    SourceId, "source name", is_name, NAME_RULE
);
text_id!(
    /// An outgoing webhook, by its name in the configuration: unique within its tenant.
    WebhookName, "webhook name", is_name, NAME_RULE
);
text_id!(
    /// A call, by its provider's identifier. May hold personal data, so it is not printed.
    CallId, "call id", is_opaque, OPAQUE_RULE
);
text_id!(
    /// An event, by its provider's identifier: the same id is the same event. Not printed, like [`CallId`].
    EventId, "event id", is_opaque, OPAQUE_RULE
);
printed!(SourceId, WebhookName);
unprinted!(CallId, EventId);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::asterisk_unique_id("1763900000.12", true)]
    #[case::sip_call_id("a84b4c76e66710@pbx.example", true)]
    #[case::empty("", false)]
    #[case::space("a b", false)]
    #[case::newline("a\nb", false)]
    #[case::accent("ligação", false)]
    fn a_providers_id_is_visible_ascii(#[case] text: &str, #[case] ok: bool) {
        assert_eq!(CallId::new(text).is_ok(), ok);
    }

    #[test]
    fn a_providers_id_ends_at_128_characters() {
        assert!(EventId::new(&"a".repeat(128)).is_ok());
        assert!(EventId::new(&"a".repeat(129)).is_err());
    }

    #[test]
    fn what_may_hold_a_number_does_not_print_it() {
        let id = CallId::new("5511987654321@pbx.example").unwrap();
        assert!(!format!("{id:?}").contains("98765"));
    }
}
