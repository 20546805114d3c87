//! The only way to the terminal: pages of aligned text, one JSON document, or an error.
//!
//! Two rules hold for everything that passes: it reads the same without colour, and no text from a file, a plugin
//! or a CRM can move the cursor, change colours or turn the direction of writing; see [`clean`].

mod error;
mod page;
mod terminal;

use std::borrow::Cow;

pub(crate) use page::{Cell, Column, Page};
pub(crate) use terminal::{Terminal, is_colored};

/// The text without characters that do something else than stand there (CVE-2021-42574, terminal escapes).
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(acts) {
        Cow::Owned(text.chars().map(|c| if acts(c) { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Bytes as people read them.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut tenths, mut unit) = (u128::from(count) * 10, UNITS.iter());
    let mut name = "B";
    while tenths >= 10_240 {
        let Some(next) = unit.next() else { break };
        (name, tenths) = (next, tenths / 1024);
    }
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// One or several.
pub(crate) fn count(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::few(0, "0 B")]
    #[case::below(1023, "1023 B")]
    #[case::unit(1024, "1.0 KiB")]
    #[case::half(1536, "1.5 KiB")]
    #[case::limit(32 * 1024 * 1024, "32.0 MiB")]
    #[case::largest(u64::MAX, "16777215.9 TiB")]
    fn bytes_are_readable(#[case] number: u64, #[case] expected: &str) {
        assert_eq!(bytes(number), expected);
    }

    #[rstest]
    #[case::plain("João da Silva — (11) 98765-4321", "João da Silva — (11) 98765-4321")]
    #[case::escape("\u{1b}[2Jgone", "\u{fffd}[2Jgone")]
    #[case::line("a\nerror: b", "a\u{fffd}error: b")]
    #[case::direction("abc\u{202e}fed", "abc\u{fffd}fed")]
    fn no_text_acts_on_the_terminal(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(clean(text), expected);
    }
}
