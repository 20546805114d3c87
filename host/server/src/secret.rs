//! A secret from the configuration, as a type that nothing prints.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// The least length of a secret or token, in characters. 32 hexadecimal digits are 128 bits.
pub(crate) const LEAST: usize = 32;

/// A secret: no `Display`, no `Serialize`, a `Debug` that shows nothing, memory wiped at the end.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// 256 random bits in hexadecimal; `None` when the system gives no randomness.
    pub fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).ok()?;
        Some(Self::new(data_encoding::HEXLOWER.encode(bytes.as_slice())))
    }

    /// The text. The caller answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_long_enough(&self) -> bool {
        self.0.chars().count() >= LEAST
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The usual error quotes what it found: a secret written as a number must not end in the log.
        String::deserialize(deserializer)
            .map(Self::new)
            .map_err(|_| serde::de::Error::custom("a secret is written as a text in quotes"))
    }
}
