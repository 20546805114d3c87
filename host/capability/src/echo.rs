//! A guard against a CRM (or a proxy before it) that gives an opened value back at a place where the guest
//! may read: the number that was looked up, returned as an `id`.
//!
//! Projection is the wall: what a route does not list is dropped, and classed fields come back sealed
//! whatever they hold. Bounded fields are what is left, and here each of them is compared with every value
//! that this invocation opened: plain, re-cased, with other separators, reversed, percent-, hex- or
//! base64-encoded as a whole or in a part, and split over the fields of one answer. What this cannot stop (one
//! digit per answer, agreed codes) is in SECURITY.md.
//!
//! Values are kept as short windows of their characters in sorted lists, and a field is read once, byte by byte,
//! so that it costs its own length however many values were opened: a comparison of each with each could be made
//! to run for longer than any deadline. Nothing is allocated for a field that is no echo.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER_PERMISSIVE};
use memchr::memmem;
use smallvec::{SmallVec, smallvec};

/// Shorter values are too common to compare with: an owner called `Al` would drop half of all words.
const SHORTEST: usize = 6;
/// As many characters in a row of an opened value are an echo of it.
const WINDOW: usize = 8;
/// Digits that must come together over several fields before a split value is assumed: an area code and a
/// number. Fewer come together by chance in long lists of numbered records.
const SPLIT_DIGITS: usize = 11;
/// The same for words.
const SPLIT_WORDS: usize = 12;
/// What a run of an encoded text decodes into at once: bounded values are shorter than its base64.
const DECODED: usize = 256;

/// What was opened, in the forms that are compared.
#[derive(Default)]
pub(crate) struct EchoGuard {
    /// Letters and digits in lower case, and digits alone: windows of eight, or the whole of what is shorter.
    windows: Windows<WINDOW>,
    /// The ends of numbers and the starts of words that are looked for over several fields, both directions.
    split: Windows<SPLIT_WORDS>,
    /// Credentials: looked for whole. Pieces of a long random token are found in other ids by chance.
    secrets: Vec<String>,
}

/// Short texts as numbers, sorted: small enough to be fast for the one number of most calls, and no worse than
/// its logarithm for whoever chooses the values. `MOST` is the length of the longest.
#[derive(Default)]
struct Windows<const MOST: usize> {
    values: Vec<u128>,
    /// Which lengths are in it, a bit each.
    lengths: u32,
    /// What their last three bytes come to, a bit each: nearly every place of a text ends none, and is passed at once.
    ends: [u64; 16],
}

/// The bytes of a short text with its length, so that none is a part of another.
fn packed(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u128::from(*byte)) | ((bytes.len() as u128) << 120)
}

/// The word and the bit of `ends` for three bytes.
fn end_of([a, b, c]: [u8; 3]) -> (usize, u64) {
    let mixed = (u32::from(a) * 37 + u32::from(b)) * 37 + u32::from(c);
    ((mixed >> 6 & 15) as usize, 1 << (mixed & 63))
}

impl<const MOST: usize> Windows<MOST> {
    /// Adds a text of at least `SHORTEST` and at most `MOST` bytes.
    fn push(&mut self, bytes: Option<&[u8]>) {
        let Some((bytes, last)) = bytes.and_then(|bytes| Some((bytes, *bytes.last_chunk()?))) else { return };
        debug_assert!((SHORTEST..=MOST).contains(&bytes.len()));
        self.values.push(packed(bytes));
        self.lengths |= 1 << bytes.len();
        let (word, bit) = end_of(last);
        if let Some(bits) = self.ends.get_mut(word) {
            *bits |= bit;
        }
    }
    fn settle(&mut self) {
        self.values.sort_unstable();
        self.values.dedup();
    }
    /// Whether any of them stands in the text.
    fn meet(&self, text: &[u8]) -> bool {
        text.array_windows().enumerate().any(|(at, end)| {
            let (word, bit) = end_of(*end);
            self.ends.get(word).is_some_and(|bits| bits & bit != 0) && self.meet_at(text, at + end.len())
        })
    }
    /// Whether any of them stands in the text and ends at this place.
    fn meet_at(&self, text: &[u8], end: usize) -> bool {
        let lengths = (SHORTEST..=MOST).filter(|length| self.lengths >> length & 1 == 1);
        lengths
            .map_while(|length| text.get(end.checked_sub(length)?..end))
            .any(|window| self.values.binary_search(&packed(window)).is_ok())
    }
}

/// What a text is compared by: its letters and digits in lower case, which are left when separators and case do not
/// count, and its digits alone.
#[derive(Default)]
struct Bare {
    all: SmallVec<[u8; 128]>,
    digits: SmallVec<[u8; 64]>,
}

impl Bare {
    fn of(text: &str) -> Self {
        Self::of_letters(text.chars())
    }
    fn of_letters(text: impl Iterator<Item = char>) -> Self {
        let mut bare = Self::default();
        for c in text {
            if c.is_ascii() {
                if c.is_ascii_alphanumeric() {
                    bare.all.push(c.to_ascii_lowercase() as u8);
                }
                if c.is_ascii_digit() {
                    bare.digits.push(c as u8);
                }
            } else if c.is_alphanumeric() {
                c.to_lowercase()
                    .for_each(|c| bare.all.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()));
            }
        }
        bare
    }
    fn append(&mut self, other: &Self) {
        self.all.extend_from_slice(&other.all);
        self.digits.extend_from_slice(&other.digits);
    }
}

/// What one answer brought in bounded fields so far: all of it, identifiers alone, and all but them. A value's
/// pieces in one kind of field are not hidden by what stands in the others.
#[derive(Default)]
pub(crate) struct Collected {
    all: Bare,
    ids: Bare,
    others: Bare,
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

impl EchoGuard {
    /// Remembers a value that goes out.
    pub(crate) fn add(&mut self, value: &str) {
        // Backwards by characters, so that the bytes of one letter keep their order.
        let forms = [Bare::of(value), Bare::of_letters(value.chars().rev())];
        for bytes in forms.iter().flat_map(|form| [&*form.all, &*form.digits]) {
            match bytes.len() {
                0..SHORTEST => {}
                SHORTEST..WINDOW => self.windows.push(Some(bytes)),
                _ => bytes.windows(WINDOW).for_each(|window| self.windows.push(Some(window))),
            }
        }
        for (Bare { all, digits }, backwards) in std::iter::zip(&forms, [false, true]) {
            // The end of a number counts, and the start of words: read backwards it is the other way round.
            let end = SPLIT_DIGITS.min(digits.len());
            if end >= SHORTEST + 3 {
                self.split.push(if backwards { digits.get(..end) } else { digits.get(digits.len() - end..) });
            }
            if all.len() >= SPLIT_WORDS {
                self.split.push(if backwards {
                    all.get(all.len() - SPLIT_WORDS..)
                } else {
                    all.get(..SPLIT_WORDS)
                });
            }
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

    /// Whether a bounded value may pass: it repeats nothing that was opened. What passes is collected.
    pub(crate) fn admits(&self, collected: &mut Collected, is_id: bool, text: &str) -> bool {
        if self.is_empty() {
            return true;
        }
        let bare = Bare::of(text);
        if self.repeats(text, &bare) {
            return false;
        }
        collected.all.append(&bare);
        if is_id { &mut collected.ids } else { &mut collected.others }.append(&bare);
        true
    }

    fn repeats(&self, text: &str, bare: &Bare) -> bool {
        if text.len() < SHORTEST {
            return false;
        }
        if self.repeats_plain(text, bare) {
            return true;
        }
        if text.contains('%') {
            let plain: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
            if self.repeats_bytes(&plain) {
                return true;
            }
        }
        if text.len() < SHORTEST + 2 {
            return false;
        }
        let code = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'_' | b'-');
        let whole = text.trim_end_matches('=').as_bytes();
        // Base64 has a `/` too, which an address has between its parts.
        let is_one = whole.iter().all(|byte| code(byte) || *byte == b'/');
        let runs = whole.split(|byte| !code(byte)).filter(|run| run.len() < whole.len());
        is_one.then_some(whole).into_iter().chain(runs).any(|run| self.repeats_encoded(run))
    }

    /// Whether a run of letters is an opened value in hexadecimal digits or base64.
    fn repeats_encoded(&self, run: &[u8]) -> bool {
        let as_hex = run.len() >= 2 * SHORTEST && run.iter().all(u8::is_ascii_hexdigit);
        // Four letters of base64 are three bytes, and one letter more is none.
        let as_base64 = run.len() >= SHORTEST + 2 && run.len() % 4 != 1;
        let base64 =
            if run.iter().any(|byte| matches!(byte, b'-' | b'_')) { &BASE64URL_NOPAD } else { &BASE64_NOPAD };
        (as_hex && self.repeats_decoded(&HEXLOWER_PERMISSIVE, run))
            || (as_base64 && self.repeats_decoded(base64, run))
    }

    fn repeats_decoded(&self, encoding: &Encoding, run: &[u8]) -> bool {
        let Ok(length) = encoding.decode_len(run.len()) else { return false };
        let mut plain: SmallVec<[u8; DECODED]> = smallvec![0; length];
        encoding
            .decode_mut(run, &mut plain)
            .is_ok_and(|n| plain.get(..n).is_some_and(|p| self.repeats_bytes(p)))
    }

    fn repeats_bytes(&self, plain: &[u8]) -> bool {
        std::str::from_utf8(plain).is_ok_and(|plain| self.repeats_plain(plain, &Bare::of(plain)))
    }

    fn repeats_plain(&self, text: &str, bare: &Bare) -> bool {
        self.windows.meet(&bare.all)
            || (bare.digits.len() < bare.all.len() && self.windows.meet(&bare.digits))
            || self.holds_secret(text)
    }

    fn holds_secret(&self, text: &str) -> bool {
        // Lower case can be longer than what it was made from, by half at most.
        let mut fitting = self.secrets.iter().filter(|secret| secret.len() <= 2 * text.len()).peekable();
        if fitting.peek().is_none() {
            return false;
        }
        let text = text.to_lowercase();
        fitting.any(|secret| text.contains(secret.as_str()) || text.contains(&reversed(secret)))
    }

    /// Whether the bounded values of one answer, one after the other, spell an opened one.
    pub(crate) fn is_spelt_by(&self, collected: &Collected) -> bool {
        let Collected { all, ids, others } = collected;
        // Where all are of one kind, that kind is all.
        let kinds = [ids, others].into_iter().filter(|kind| kind.all.len() < all.all.len());
        std::iter::once(all).chain(kinds).any(|bare| {
            self.split.meet(&bare.all)
                || (bare.digits.len() < bare.all.len() && self.split.meet(&bare.digits))
                || self.secrets.iter().filter(|secret| secret.len() <= 2 * bare.all.len()).any(|secret| {
                    let secret = Bare::of(secret).all;
                    secret.len() >= SHORTEST && memmem::find(&bare.all, &secret).is_some()
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn repeats(guard: &EchoGuard, text: &str) -> bool {
        !guard.admits(&mut Collected::default(), true, text)
    }

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
        assert_eq!(repeats(&guard(), text), expected);
    }

    #[test]
    fn a_value_split_over_fields_is_noticed() {
        let guard = guard();
        let mut collected = Collected::default();
        for piece in ["551", "190", "000", "002", "1"] {
            assert!(guard.admits(&mut collected, true, piece));
        }
        assert!(guard.is_spelt_by(&collected));
    }

    #[test]
    fn pieces_between_numbered_ids_are_noticed() {
        let guard = guard();
        let mut collected = Collected::default();
        for (id, piece) in [("c-1", "551"), ("c-2", "190"), ("c-3", "000"), ("c-4", "0021")] {
            assert!(guard.admits(&mut collected, true, id));
            assert!(guard.admits(&mut collected, false, piece));
        }
        assert!(guard.is_spelt_by(&collected));
    }

    #[test]
    fn a_short_value_is_compared_whole() {
        let mut guard = EchoGuard::default();
        guard.add("123456");
        guard.settle();
        assert!(repeats(&guard, "x-123456-y") && repeats(&guard, "654321"));
        assert!(!repeats(&guard, "12345x"));
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
        assert!(fields.iter().all(|f| guard.admits(&mut collected, true, f)));
        let _ = guard.is_spelt_by(&collected);
    }

    #[test]
    fn a_credential_is_looked_for_whole() {
        let mut guard = EchoGuard::default();
        guard.add_secret("9f86d081884c7d659a2feaa0c55ad015");
        assert!(repeats(&guard, "x9F86D081884C7D659A2FEAA0C55AD015"));
        assert!(!repeats(&guard, "081884"), "six digits of a long token are an id like any other");
    }

    #[test]
    fn ordinary_ids_spell_nothing() {
        let guard = guard();
        let mut collected = Collected::default();
        for id in 0..500 {
            assert!(guard.admits(&mut collected, true, &format!("c-{id:04}")));
        }
        assert!(!guard.is_spelt_by(&collected));
    }
}
