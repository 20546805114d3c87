//! Names and identifiers, each a type of its own, so that a tenant cannot be passed where a plugin is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A name that breaks the rule of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {kind}: use 1 to 64 of a-z, 0-9, `.`, `_`, `-`, starting with a letter or digit")]
pub struct BadId {
    /// What was to be named.
    pub kind: &'static str,
    /// What was given, cut to 64 characters.
    pub given: String,
}

fn checked(kind: &'static str, text: &str) -> Result<Box<str>, BadId> {
    let ok = !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if ok { Ok(text.into()) } else { Err(BadId { kind, given: text.chars().take(64).collect() }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Checks the text; see [`BadId`] for the rule.
            ///
            /// # Errors
            /// When the text breaks the rule.
            pub fn new(text: &str) -> Result<Self, BadId> {
                checked($kind, text).map(|t| Self(t.into()))
            }
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::new(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// An address to which a CRM sends, by its name in the manifest.
    HookId, "hook name"
);
name!(
    /// A company whose data is kept apart from every other's.
    TenantId, "tenant name"
);
name!(
    /// A plugin, by the name in its manifest.
    PluginId, "plugin name"
);
name!(
    /// A `[[route]]` of a manifest.
    RouteId, "route name"
);
name!(
    /// A `[[credential]]` of a manifest.
    CredentialId, "credential name"
);
name!(
    /// A person who works in the panel.
    UserId, "user name"
);

/// A call or a conversation. Time-ordered (UUID version 7, RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InteractionId(pub Uuid);

impl fmt::Display for InteractionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The SHA-256 of a component file: what a grant is bound to. Written `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

/// A text that is not `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is written `sha256:` and 64 hexadecimal digits; `ramal inspect FILE` prints it")]
pub struct BadDigest;

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", data_encoding::HEXLOWER.encode(&self.0))
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Digest {
    type Err = BadDigest;
    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let hex = text.strip_prefix("sha256:").ok_or(BadDigest)?;
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).map_err(|_| BadDigest)?;
        bytes.try_into().map(Self).map_err(|_| BadDigest)
    }
}
impl TryFrom<String> for Digest {
    type Error = BadDigest;
    fn try_from(text: String) -> Result<Self, BadDigest> {
        text.parse()
    }
}
impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("practice", true)]
    #[case::digits_first("3cx", true)]
    #[case::dots("acme.crm-2_x", true)]
    #[case::empty("", false)]
    #[case::upper("Practice", false)]
    #[case::slash("a/b", false)]
    #[case::dash_first("-a", false)]
    #[case::space("a b", false)]
    #[case::accent("ação", false)]
    fn names_keep_to_a_small_alphabet(#[case] text: &str, #[case] ok: bool) {
        assert_eq!(PluginId::new(text).is_ok(), ok);
    }

    #[test]
    fn names_end_at_64_characters() {
        assert!(TenantId::new(&"a".repeat(64)).is_ok());
        assert!(TenantId::new(&"a".repeat(65)).is_err());
    }

    #[test]
    fn digests_round_trip() {
        let digest = Digest([7; 32]);
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        assert_eq!("sha256:07".parse::<Digest>(), Err(BadDigest));
        assert_eq!("md5:00".parse::<Digest>(), Err(BadDigest));
    }
}
