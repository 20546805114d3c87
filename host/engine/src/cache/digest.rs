//! SHA-256 digests, of a plugin's file and of an engine's settings.

use std::{fmt, hash::Hasher, str::FromStr};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

/// The SHA-256 digest of a `.wasm` file, written as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodeDigest([u8; 32]);

impl CodeDigest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::finished(&digest::digest(&digest::SHA256, bytes))
    }

    /// The digest itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits alone, as used in file names.
    #[must_use]
    pub fn to_hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    fn finished(digest: &digest::Digest) -> Self {
        let mut bytes = [0; 32];
        // SHA-256 has exactly 32 bytes, so this copies all of them.
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

const PREFIX: &str = "sha256:";

impl fmt::Display for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.to_hex())
    }
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest; write `sha256:` and 64 lower-case hexadecimal digits")]
pub struct NotADigest;

impl FromStr for CodeDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.strip_prefix(PREFIX).ok_or(NotADigest)?;
        let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| NotADigest)?;
        bytes.try_into().map(Self).map_err(|_| NotADigest)
    }
}

/// Hashes what the standard library's `Hash` gives, with SHA-256: its own hashers make 64 bits,
/// of which an attacker could find two alike.
pub(super) struct Sha256Hasher(digest::Context);

impl Default for Sha256Hasher {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Sha256Hasher {
    pub(super) fn digest(self) -> CodeDigest {
        CodeDigest::finished(&self.0.finish())
    }
}

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: see [`Sha256Hasher::digest`].
    fn finish(&self) -> u64 {
        let digest = self.0.clone().finish();
        digest.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // The digest of no bytes, from FIPS 180-4's examples.
    const OF_NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_written_and_read_the_same() {
        assert_eq!(CodeDigest::of(b"").to_string(), OF_NOTHING);
        assert_eq!(OF_NOTHING.parse(), Ok(CodeDigest::of(b"")));
    }

    #[rstest]
    #[case::empty("")]
    #[case::no_prefix(&OF_NOTHING[7..])]
    #[case::short(&OF_NOTHING[..70])]
    #[case::long("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85500")]
    #[case::upper_case("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    #[case::another_algorithm("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    fn what_is_not_a_digest_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<CodeDigest>(), Err(NotADigest));
    }
}
