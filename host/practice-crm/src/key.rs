//! The key of the API. Practice should feel like the real thing: a plugin author sees a credential that
//! the host keeps, and a 401 when it is wrong.

use std::fmt;
use std::sync::Arc;

/// The secret that a caller of the API shows as a bearer token. Its `Debug` hides it.
#[derive(Clone)]
pub struct ApiKey(Arc<str>);

/// A text that cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("set the practice CRM's key: it needs 16 to 128 visible ASCII characters without spaces")]
pub struct UnusableKey;

impl ApiKey {
    /// Takes a key of 16 to 128 visible ASCII characters, which is what fits in a header unchanged.
    ///
    /// # Errors
    /// [`UnusableKey`] if it is shorter, longer or of other characters.
    pub fn new(key: &str) -> Result<Self, UnusableKey> {
        let is_usable = (16..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_usable.then(|| Self(key.into())).ok_or(UnusableKey)
    }

    /// Compares in a time that does not tell how many characters were right.
    pub(crate) fn is(&self, shown: &str) -> bool {
        let differences = self.0.bytes().zip(shown.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
        self.0.len() == shown.len() && std::hint::black_box(differences) == 0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(<secret>)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::sixteen("practice-key-016", true)]
    #[case::short("practice-key-15", false)]
    #[case::space("practice key 0016", false)]
    #[case::line_break("practice-key-0016\n", false)]
    fn a_key_fits_in_a_header(#[case] key: &str, #[case] expected: bool) {
        assert_eq!(ApiKey::new(key).is_ok(), expected);
    }

    #[rstest::rstest]
    #[case::same("practice-key-0016", true)]
    #[case::other_end("practice-key-0017", false)]
    #[case::start_of_it("practice-key-001", false)]
    #[case::longer("practice-key-00167", false)]
    #[case::empty("", false)]
    fn only_the_whole_key_is_the_key(#[case] shown: &str, #[case] expected: bool) {
        assert_eq!(ApiKey::new("practice-key-0016").unwrap().is(shown), expected);
    }

    #[test]
    fn debug_hides_the_key() {
        assert_eq!(format!("{:?}", ApiKey::new("practice-key-0016").unwrap()), "ApiKey(<secret>)");
    }
}
