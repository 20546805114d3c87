//! Texts from outside, before they are kept: bounded, and without what makes a terminal or a page do things.

use crate::CenterError;

/// Whether the text can be kept. Line breaks and tabs may stand in it.
pub(crate) fn checked(field: &'static str, text: Option<&str>, longest: usize) -> Result<(), CenterError> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if text.is_none_or(|text| text.len() <= longest && text.chars().all(allowed)) {
        return Ok(());
    }
    Err(CenterError::BadText { field, longest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing(None, true)]
    #[case::lines(Some("uma\nduas\t"), true)]
    #[case::nul(Some("a\0"), false)]
    #[case::escape(Some("\u{1b}[2J"), false)]
    #[case::too_long(Some("12345678901"), false)]
    fn a_text_is_bounded_and_plain(#[case] text: Option<&str>, #[case] ok: bool) {
        assert_eq!(checked("notes", text, 10).is_ok(), ok);
    }
}
