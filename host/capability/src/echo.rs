//! A guard against a CRM (or a proxy before it) that gives an opened value back at a place where the guest
//! may read: the number that was looked up, returned as an `id`.
//!
//! Projection is the wall: what a route does not list is dropped, and classed fields come back sealed
//! whatever they hold. Bounded fields are what is left, and here each of them is compared with every value
//! that this invocation opened, plain, re-cased, reversed, percent-, hex- or base64-encoded, and split over
//! the fields of one answer. What this cannot stop (one digit per answer, agreed codes) is in SECURITY.md.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

/// Shorter values are too common to compare with: an owner called `Al` would drop half of all words.
const SHORTEST: usize = 6;
/// Digits that must come together over several fields before a split value is assumed.
const SPLIT_DIGITS: usize = 9;

/// The values that were opened, in the forms that are compared.
#[derive(Default)]
pub(crate) struct EchoGuard {
    words: Vec<String>,
    digits: Vec<String>,
    /// Credentials: looked for whole. Pieces of a long random token are found in other ids by chance.
    secrets: Vec<String>,
}

/// What one answer brought in bounded fields so far.
#[derive(Default)]
pub(crate) struct Collected {
    digits: String,
    words: String,
}

impl EchoGuard {
    /// Remembers a value that goes out.
    pub(crate) fn add(&mut self, value: &str) {
        let words = value.trim().to_lowercase();
        if words.len() >= SHORTEST && !self.words.contains(&words) {
            self.words.push(words);
        }
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= SHORTEST && !self.digits.contains(&digits) {
            self.digits.push(digits);
        }
    }

    /// Remembers a credential that went with a request.
    pub(crate) fn add_secret(&mut self, secret: &str) {
        let secret = secret.trim().to_lowercase();
        if secret.len() >= SHORTEST && !self.secrets.contains(&secret) {
            self.secrets.push(secret);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.digits.is_empty() && self.secrets.is_empty()
    }

    /// Whether a bounded value repeats an opened one.
    pub(crate) fn repeats(&self, text: &str) -> bool {
        if self.is_empty() || text.len() < SHORTEST {
            return false;
        }
        if self.repeats_plain(text) {
            return true;
        }
        let reversed: String = text.chars().rev().collect();
        if self.repeats_plain(&reversed) {
            return true;
        }
        let bytes = text.trim_end_matches('=').as_bytes();
        let decoded = [
            HEXLOWER_PERMISSIVE.decode(bytes).ok(),
            BASE64_NOPAD.decode(bytes).ok(),
            BASE64URL_NOPAD.decode(bytes).ok(),
            text.contains('%').then(|| percent_encoding::percent_decode_str(text).collect()),
        ];
        decoded
            .into_iter()
            .flatten()
            .filter_map(|bytes| String::from_utf8(bytes).ok())
            .any(|plain| plain.len() >= SHORTEST && self.repeats_plain(&plain))
    }

    fn repeats_plain(&self, text: &str) -> bool {
        let folded = text.to_lowercase();
        if self.secrets.iter().any(|secret| folded.contains(secret.as_str())) {
            return true;
        }
        if self.words.iter().any(|w| folded.contains(w.as_str()) || w.contains(folded.as_str())) {
            return true;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.len() >= SHORTEST
            && self.digits.iter().any(|d| digits.contains(d.as_str()) || d.contains(digits.as_str()))
    }

    /// Adds a bounded value to what this answer brought.
    pub(crate) fn collect(&self, collected: &mut Collected, text: &str) {
        if self.is_empty() {
            return;
        }
        collected.digits.extend(text.chars().filter(char::is_ascii_digit));
        collected.words.push_str(&text.to_lowercase());
    }

    /// Whether the bounded values of one answer, one after the other, spell an opened one.
    pub(crate) fn is_spelt_by(&self, collected: &Collected) -> bool {
        let spelt = |needle: &str, hay: &str| {
            let reversed: String = needle.chars().rev().collect();
            hay.contains(needle) || hay.contains(&reversed)
        };
        let last = |d: &String| d.get(d.len().saturating_sub(SPLIT_DIGITS)..).unwrap_or_default().to_owned();
        self.digits.iter().filter(|d| d.len() >= SPLIT_DIGITS).any(|d| spelt(&last(d), &collected.digits))
            || self.words.iter().chain(&self.secrets).any(|w| spelt(w, &collected.words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn guard() -> EchoGuard {
        let mut guard = EchoGuard::default();
        guard.add("+5511900000021");
        guard.add("Ana Lima Inventada");
        guard
    }

    #[rstest]
    #[case::plain("5511900000021", true)]
    #[case::national("11-90000-0021", true)]
    #[case::piece("900000021", true)]
    #[case::hex("2b35353131393030303030303231", true)]
    #[case::base64("KzU1MTE5MDAwMDAwMjE", true)]
    #[case::base64_padded("KzU1MTE5MDAwMDAwMjE=", true)]
    #[case::percent("%2B5511900000021", true)]
    #[case::reversed("1200000091155", true)]
    #[case::upper("ANA LIMA INVENTADA", true)]
    #[case::words_in_url("https://x.example/?n=Ana%20Lima%20Inventada", true)]
    #[case::other("c-0007", false)]
    #[case::other_number("5521987650000", false)]
    #[case::short("00021", false)]
    fn an_echo_is_noticed_in_every_spelling(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(guard().repeats(text), expected);
    }

    #[test]
    fn a_value_split_over_fields_is_noticed() {
        let guard = guard();
        let mut collected = Collected::default();
        for piece in ["551", "190", "000", "002", "1"] {
            assert!(!guard.repeats(piece));
            guard.collect(&mut collected, piece);
        }
        assert!(guard.is_spelt_by(&collected));
    }

    #[test]
    fn a_credential_is_looked_for_whole() {
        let mut guard = EchoGuard::default();
        guard.add_secret("9f86d081884c7d659a2feaa0c55ad015");
        assert!(guard.repeats("x9F86D081884C7D659A2FEAA0C55AD015"));
        assert!(!guard.repeats("081884"), "six digits of a long token are an id like any other");
    }

    #[test]
    fn ordinary_ids_spell_nothing() {
        let guard = guard();
        let mut collected = Collected::default();
        for id in 0..500 {
            guard.collect(&mut collected, &format!("c-{id:04}"));
        }
        assert!(!guard.is_spelt_by(&collected));
    }
}
