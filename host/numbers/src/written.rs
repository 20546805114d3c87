//! From what somebody typed or a protocol sent to digits. Nothing else of the text goes further, so that
//! the parser behind this sees only `+` and digits: letters, extensions, URI parameters and two numbers in
//! one field are refused here, with the place where they stand, and are not guessed at.

use crate::error::NotANumber;

/// The longest text, in characters, that is read as a number.
pub const MAX_CHARACTERS: usize = 40;

/// The digits of a text, in ASCII, and whether a plus stood before the first.
pub(crate) struct Written {
    pub(crate) plus: bool,
    pub(crate) digits: String,
}

impl Written {
    pub(crate) fn scan(text: &str) -> Result<Self, NotANumber> {
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(NotANumber::TooLong);
        }
        let scheme = text.get(..4).filter(|start| start.eq_ignore_ascii_case("tel:")).map_or(0, str::len);
        let mut written = Self { plus: false, digits: String::with_capacity(text.len()) };
        for (index, character) in text.chars().enumerate().skip(scheme) {
            match character {
                '0'..='9' => written.digits.push(character),
                // `(0xx11)`: letters stand for a carrier that the caller chooses.
                'x' | 'X' if written.digits == "0" => {}
                '+' if written.digits.is_empty() && !written.plus => written.plus = true,
                _ if is_separator(character) => {}
                _ => return Err(NotANumber::Character { position: index + 1 }),
            }
        }
        if written.digits.is_empty() { Err(NotANumber::Empty) } else { Ok(written) }
    }
}

/// What people and address books put between digits. A slash is not among them: it parts two numbers.
fn is_separator(character: char) -> bool {
    matches!(character,
        '-' | '.' | '(' | ')'
        // Typographic hyphens and dashes, and the minus sign.
        | '\u{2010}'..='\u{2015}' | '\u{2212}'
        // Invisible marks that address books put around a number when it is copied.
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
        || character.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::plain("11987654321", false, "11987654321")]
    #[case::plus_in_brackets("(+55) 11 98765.4321", true, "5511987654321")]
    #[case::uri("tel:+55-11-98765-4321", true, "5511987654321")]
    #[case::uri_in_capitals("TEL:+5511987654321", true, "5511987654321")]
    #[case::carrier_left_open("(0xx11) 3210-0000", false, "01132100000")]
    #[case::carrier_left_open_in_capitals("0 XX 11 3210-0000", false, "01132100000")]
    #[case::no_break_space_and_dash("11\u{a0}98765\u{2011}4321", false, "11987654321")]
    #[case::copied_with_direction_marks("\u{202a}+55 11 98765-4321\u{202c}", true, "5511987654321")]
    fn separators_are_dropped(#[case] text: &str, #[case] plus: bool, #[case] digits: &str) {
        let written = Written::scan(text).unwrap();
        assert_eq!((written.plus, written.digits.as_str()), (plus, digits));
    }

    #[rstest::rstest]
    #[case::empty("", NotANumber::Empty)]
    #[case::only_a_plus("+", NotANumber::Empty)]
    #[case::a_name("Maria", NotANumber::Character { position: 1 })]
    #[case::plus_within("11+98765", NotANumber::Character { position: 3 })]
    #[case::two_pluses("++5511", NotANumber::Character { position: 2 })]
    #[case::two_numbers("3210-0000/3210-0001", NotANumber::Character { position: 10 })]
    #[case::carrier_left_open_too_late("01xx1 3210-0000", NotANumber::Character { position: 3 })]
    #[case::extension("3210-0000 ramal 12", NotANumber::Character { position: 11 })]
    #[case::uri_with_parameter("tel:+5511987654321;ext=12", NotANumber::Character { position: 19 })]
    #[case::digits_of_another_script("١١٩٨٧٦٥", NotANumber::Character { position: 1 })]
    #[case::scheme_cut_within_a_character("telé", NotANumber::Character { position: 1 })]
    #[case::forty_one_characters("11111111111111111111111111111111111111111", NotANumber::TooLong)]
    fn everything_else_is_refused_with_its_place(#[case] text: &str, #[case] expected: NotANumber) {
        assert_eq!(Written::scan(text).err(), Some(expected));
    }

    #[test]
    fn the_limit_counts_characters_and_not_bytes() {
        let text = format!("11987654321{}", "\u{2011}".repeat(MAX_CHARACTERS - 11));
        assert_eq!(Written::scan(&text).unwrap().digits, "11987654321");
    }
}
