//! Texts of providers, made such that they can be kept: a message is not lost because its sender's telephone put a
//! control character into it, or because somebody wrote a book.

use ramal_center::Clear;

/// The longest text of a message, in bytes: what the center keeps.
const LONGEST_TEXT: usize = 64 * 1024;
/// The longest name of an agent or a queue, in characters.
const LONGEST_NAME: usize = 128;

/// A message's text. Control characters but line breaks and tabs become U+FFFD; what is too long is cut.
pub(crate) fn kept(text: &str) -> Clear {
    let plain = |c: char| if c.is_control() && !matches!(c, '\n' | '\r' | '\t') { '\u{fffd}' } else { c };
    let mut kept: String = text.chars().map(plain).collect();
    let mut end = LONGEST_TEXT.min(kept.len());
    while !kept.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    kept.truncate(end);
    Clear::new(kept)
}

/// A name, in one line; nothing for an empty one.
pub(crate) fn name(text: &str) -> Option<String> {
    let plain = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let name: String = plain.take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("Olá\r\n\ttudo bem? 👍", "Olá\r\n\ttudo bem? 👍")]
    #[case::nul("a\0b", "a\u{fffd}b")]
    #[case::escape("\u{1b}[2J", "\u{fffd}[2J")]
    fn a_text_is_kept_without_what_does_things(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(kept(text).expose(), expected);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let kept = kept(&"é\0".repeat(60_000));
        assert!(kept.expose().len() <= LONGEST_TEXT && kept.expose().len() > LONGEST_TEXT - 4);
    }

    #[rstest]
    #[case("  Bruno\nLima ", Some("Bruno Lima"))]
    #[case(" ", None)]
    fn a_name_stands_in_one_line(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(name(text).as_deref(), expected);
    }
}
