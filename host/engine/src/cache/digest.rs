//! SHA-256: of a plugin's file and of an engine's settings.

use std::hash::Hasher;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use ramal_capability::Digest;

/// The digest of a component's file.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> Digest {
    finished(&digest::digest(&digest::SHA256, bytes))
}

/// The 64 hexadecimal digits alone, as used in file names.
pub(super) fn hex(digest: Digest) -> String {
    HEXLOWER.encode(&digest.0)
}

fn finished(digest: &digest::Digest) -> Digest {
    let mut bytes = [0; 32];
    // SHA-256 has exactly 32 bytes, so this copies all of them.
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    Digest(bytes)
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
    pub(super) fn digest(self) -> Digest {
        finished(&self.0.finish())
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
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_that_of_the_standard() {
        // From FIPS 180-4's examples.
        let of_nothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest_of(b"").to_string(), of_nothing);
    }
}
