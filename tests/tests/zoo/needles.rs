//! Looks for personal values in texts, in every spelling that a leak could have: plain, in either case,
//! backwards, in base64 (at each of the three alignments), hex and percent-encoding, and numbers without
//! their punctuation.

use std::collections::{BTreeSet, HashMap};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What is compared first of each needle; a shorter one would be found by chance.
const START: usize = 8;

/// Values to look for, each in all spellings.
pub(crate) struct Needles {
    by_start: HashMap<[u8; START], Vec<String>>,
}

impl Needles {
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut by_start: HashMap<[u8; START], Vec<String>> = HashMap::new();
        for spelling in values.into_iter().flat_map(spellings) {
            let start = spelling.as_bytes()[..START].try_into().unwrap();
            by_start.entry(start).or_default().push(spelling);
        }
        Self { by_start }
    }

    /// The spellings that occur in a text.
    pub(crate) fn within(&self, text: &str) -> BTreeSet<String> {
        let mut hits = BTreeSet::new();
        for (at, window) in text.as_bytes().windows(START).enumerate() {
            let start: [u8; START] = window.try_into().unwrap();
            for needle in self.by_start.get(&start).into_iter().flatten() {
                if text.as_bytes()[at..].starts_with(needle.as_bytes()) {
                    hits.insert(needle.clone());
                }
            }
        }
        hits
    }
}

/// One value in every spelling that is long enough to be told from chance.
fn spellings(value: &str) -> BTreeSet<String> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let letters: String = value.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut plain = BTreeSet::from([value.to_owned(), letters]);
    plain.insert(value.trim_start_matches('+').to_owned());
    if let Some(national) = value.strip_prefix("+55") {
        plain.insert(national.to_owned());
    }
    plain.insert(digits);
    let mut all = BTreeSet::new();
    for text in plain.into_iter().filter(|text| text.len() >= START) {
        for text in [text.clone(), text.to_lowercase(), text.to_uppercase()] {
            all.insert(text.chars().rev().collect());
            all.insert(HEXLOWER.encode(text.as_bytes()));
            all.insert(HEXUPPER.encode(text.as_bytes()));
            all.insert(utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
            all.extend((0..3).flat_map(|shift| base64(&text, shift)));
            all.insert(text);
        }
    }
    all.retain(|spelling| spelling.len() >= START);
    all
}

/// The part of a base64 text that depends on the value alone, when it stands `shift` bytes after a multiple of
/// three.
fn base64(text: &str, shift: usize) -> [String; 2] {
    let bytes: Vec<u8> = std::iter::repeat_n(0, shift).chain(text.bytes()).collect();
    let from = [0, 2, 3][shift];
    let to = bytes.len() * 8 / 6;
    [BASE64_NOPAD.encode(&bytes)[from..to].to_owned(), BASE64URL_NOPAD.encode(&bytes)[from..to].to_owned()]
}

#[rstest::rstest]
#[case::plain("to +5511900000021, please")]
#[case::digits("tel:5511900000021")]
#[case::national("11900000021")]
#[case::backwards("1200000091155")]
#[case::hex("2b35353131393030303030303231")]
#[case::base64("KzU1MTE5MDAwMDAwMjE")]
#[case::base64_after_a_byte("eCs1NTExOTAwMDAwMDIx")]
#[case::base64_after_two("eHgrNTUxMTkwMDAwMDAyMQ")]
#[case::percent("%2B5511900000021")]
fn a_value_is_found_in_each_spelling(#[case] text: &str) {
    assert!(!Needles::of(["+5511900000021"]).within(text).is_empty());
}

#[test]
fn names_are_found_in_either_case_and_what_is_not_there_is_not_found() {
    let needles = Needles::of(["Ana Lima Inventada"]);
    for text in ["ANA LIMA INVENTADA", "ana lima inventada", "AnaLimaInventada", "adatnevnI amiL anA"] {
        assert!(!needles.within(text).is_empty(), "{text}");
    }
    assert!(needles.within("Bruno Teles Inventado, c-0001, [contact.name]").is_empty());
}
