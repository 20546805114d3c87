//! A guard against a CRM (or a proxy before it) that gives an opened value back at a place where the guest
//! may read: the number that was looked up, returned as an `id`.
//!
//! Projection is the wall: what a route does not list is dropped, and classed fields come back sealed
//! whatever they hold. Bounded fields are what is left, and here each of them is compared with every value
//! that this invocation opened: plain, re-cased, with other separators, reversed, percent-, hex- or
//! base64-encoded as a whole or in a part, and split over the fields of one answer. What this cannot stop (one
//! digit per answer, agreed codes) is in SECURITY.md.
//!
//! Values are kept as short windows of their characters in sets, so that a field costs its own length however
//! many values were opened: a comparison of each with each could be made to run for longer than any deadline.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

/// Shorter values are too common to compare with: an owner called `Al` would drop half of all words.
const SHORTEST: usize = 6;
/// As many characters in a row of an opened value are an echo of it.
const WINDOW: usize = 8;
/// Digits that must come together over several fields before a split value is assumed: an area code and a
/// number. Fewer come together by chance in long lists of numbered records.
const SPLIT_DIGITS: usize = 11;
/// The same for words.
const SPLIT_WORDS: usize = 12;

/// What was opened, in the forms that are compared.
#[derive(Default)]
pub(crate) struct EchoGuard {
    /// Windows of letters and digits in lower case, and of digits alone. Seven bytes of eight hold the
    /// characters of shorter values with their length.
    windows: Sorted<u64>,
    /// The ends of numbers and the starts of words that are looked for over several fields, both directions.
    split: Sorted<u128>,
    /// Credentials: looked for whole. Pieces of a long random token are found in other ids by chance.
    secrets: Vec<String>,
}

/// A sorted list: small enough to be fast for the one number of most calls, and no worse than its logarithm for
/// whoever chooses the values.
struct Sorted<T> {
    values: Vec<T>,
    /// Which lengths of windows are in it, a bit each.
    lengths: u32,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { values: Vec::new(), lengths: 0 }
    }
}

impl<T: Ord + Copy> Sorted<T> {
    fn push(&mut self, length: usize, value: T) {
        self.values.push(value);
        self.lengths |= 1 << length;
    }
    fn settle(&mut self) {
        self.values.sort_unstable();
        self.values.dedup();
    }
    /// Whether any window of the text is in the list.
    fn meets(&self, text: &[u8], pack: impl Fn(&[u8]) -> T) -> bool {
        (0..32usize)
            .filter(|length| self.lengths & (1 << length) != 0)
            .any(|length| text.windows(length).any(|window| self.values.binary_search(&pack(window)).is_ok()))
    }
}

/// What one answer brought in bounded fields so far: all of it, identifiers alone, and all but them. A value's
/// pieces in one kind of field are not hidden by what stands in the others.
#[derive(Default)]
pub(crate) struct Collected {
    all: String,
    ids: String,
    others: String,
}

/// Letters and digits in lower case: what is left when separators and case do not count.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

/// Up to eight bytes as a number; the length is in it, so that a short one is none of a longer one's windows.
fn packed(window: &[u8]) -> u64 {
    let value = window.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    if window.len() < WINDOW { value | ((window.len() as u64) << 56) } else { value }
}

fn packed_long(window: &[u8]) -> u128 {
    let value = window.iter().fold(0u128, |number, byte| (number << 8) | u128::from(*byte));
    value | ((window.len() as u128) << 112)
}

impl EchoGuard {
    /// Remembers a value that goes out.
    pub(crate) fn add(&mut self, value: &str) {
        for form in [bare(value), digits(value)] {
            for form in [reversed(&form), form] {
                let bytes = form.as_bytes();
                match bytes.len() {
                    0..SHORTEST => {}
                    SHORTEST..WINDOW => self.windows.push(bytes.len(), packed(bytes)),
                    _ => bytes.windows(WINDOW).for_each(|window| self.windows.push(WINDOW, packed(window))),
                }
            }
        }
        let number = digits(value);
        if let Some(end) = number.len().checked_sub(SPLIT_DIGITS.min(number.len()).max(SHORTEST + 3)) {
            let end = number.get(end..).unwrap_or_default();
            self.split.push(end.len(), packed_long(end.as_bytes()));
            self.split.push(end.len(), packed_long(reversed(end).as_bytes()));
        }
        let words = bare(value);
        if let Some(start) = words.as_bytes().get(..SPLIT_WORDS) {
            self.split.push(SPLIT_WORDS, packed_long(start));
            let back = reversed(&words);
            self.split.push(
                SPLIT_WORDS,
                packed_long(back.as_bytes().get(back.len() - SPLIT_WORDS..).unwrap_or_default()),
            );
        }
    }

    /// To be called after values were added, before anything is compared.
    pub(crate) fn settle(&mut self) {
        self.windows.settle();
        self.split.settle();
    }

    /// Remembers a credential that went with a request.
    pub(crate) fn add_secret(&mut self, secret: &str) {
        let secret = secret.trim().to_lowercase();
        if secret.len() >= SHORTEST && !self.secrets.contains(&secret) {
            self.secrets.push(secret);
        }
    }

    fn is_empty(&self) -> bool {
        self.windows.values.is_empty() && self.secrets.is_empty()
    }

    /// Whether a bounded value repeats an opened one.
    pub(crate) fn repeats(&self, text: &str) -> bool {
        if self.is_empty() || text.len() < SHORTEST {
            return false;
        }
        if self.repeats_plain(text) {
            return true;
        }
        if text.contains('%') {
            let plain: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
            if self.repeats_decoded(&plain) {
                return true;
            }
        }
        let code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '_' | '-');
        std::iter::once(text.trim_end_matches('='))
            .chain(text.split(|c| !code(c)))
            .filter(|run| run.len() >= SHORTEST + 2)
            .any(|run| {
                let bytes = run.as_bytes();
                let says = |plain: Vec<u8>| self.repeats_decoded(&plain);
                HEXLOWER_PERMISSIVE.decode(bytes).is_ok_and(says)
                    || BASE64_NOPAD.decode(bytes).is_ok_and(says)
                    || BASE64URL_NOPAD.decode(bytes).is_ok_and(says)
            })
    }

    fn repeats_decoded(&self, plain: &[u8]) -> bool {
        std::str::from_utf8(plain).is_ok_and(|plain| plain.len() >= SHORTEST && self.repeats_plain(plain))
    }

    fn repeats_plain(&self, text: &str) -> bool {
        let folded = text.to_lowercase();
        if self
            .secrets
            .iter()
            .any(|secret| folded.contains(secret.as_str()) || reversed(&folded).contains(secret))
        {
            return true;
        }
        let bare = bare(text);
        self.windows.meets(bare.as_bytes(), packed) || self.windows.meets(digits(&bare).as_bytes(), packed)
    }

    /// Adds a bounded value to what this answer brought.
    pub(crate) fn collect(&self, collected: &mut Collected, is_id: bool, text: &str) {
        if self.is_empty() {
            return;
        }
        let text = bare(text);
        collected.all.push_str(&text);
        if is_id { &mut collected.ids } else { &mut collected.others }.push_str(&text);
    }

    /// Whether the bounded values of one answer, one after the other, spell an opened one.
    pub(crate) fn is_spelt_by(&self, collected: &Collected) -> bool {
        [&collected.all, &collected.ids, &collected.others].into_iter().any(|text| {
            if self.secrets.iter().any(|secret| text.contains(bare(secret).as_str())) {
                return true;
            }
            self.split.meets(text.as_bytes(), packed_long)
                || self.split.meets(digits(text).as_bytes(), packed_long)
        })
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
        guard.settle();
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
    #[case::joined("AnaLimaInventada", true)]
    #[case::dashes("ana-lima-inventada", true)]
    #[case::reversed_dashes("adatnevni-amil-ana", true)]
    #[case::part_of_words("lima-inventada-2", true)]
    #[case::hex_in_url("https://x.example/2b35353131393030303030303231", true)]
    #[case::base64_in_url("https://x.example/?n=KzU1MTE5MDAwMDAwMjE=", true)]
    #[case::with_cents("11900000021.00", true)]
    #[case::url("https://x.example/contacts/17", false)]
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
            guard.collect(&mut collected, true, piece);
        }
        assert!(guard.is_spelt_by(&collected));
    }

    #[test]
    fn pieces_between_numbered_ids_are_noticed() {
        let guard = guard();
        let mut collected = Collected::default();
        for (id, piece) in [("c-1", "551"), ("c-2", "190"), ("c-3", "000"), ("c-4", "0021")] {
            guard.collect(&mut collected, true, id);
            guard.collect(&mut collected, false, piece);
        }
        assert!(guard.is_spelt_by(&collected));
    }

    #[test]
    fn a_short_value_is_compared_whole() {
        let mut guard = EchoGuard::default();
        guard.add("123456");
        guard.settle();
        assert!(guard.repeats("x-123456-y") && guard.repeats("654321"));
        assert!(!guard.repeats("12345x"));
    }

    #[test]
    fn many_values_and_many_fields_cost_little() {
        let mut guard = EchoGuard::default();
        for number in 0..4_000 {
            guard.add(&format!("+55119{number:08}"));
        }
        guard.settle();
        // Each with each would be a thousand times the work of this.
        let fields: Vec<String> = (0..40_000).map(|n| format!("c-{n:05}")).collect();
        let mut collected = Collected::default();
        assert_eq!(fields.iter().filter(|f| guard.repeats(f)).count(), 0);
        fields.iter().for_each(|f| guard.collect(&mut collected, true, f));
        let _ = guard.is_spelt_by(&collected);
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
            guard.collect(&mut collected, true, &format!("c-{id:04}"));
        }
        assert!(!guard.is_spelt_by(&collected));
    }
}
