use super::*;
use rstest::rstest;

#[rstest]
#[case::flat("{}", 1, false)]
#[case::at_limit("[[1]]", 2, false)]
#[case::over("[[[1]]]", 2, true)]
#[case::brackets_in_text(r#"["[[[[","\"[["]"#, 1, false)]
#[case::escaped_backslash(r#"["\\",[1]]"#, 1, true)]
fn depth_counts_brackets_outside_of_texts(#[case] text: &str, #[case] most: u64, #[case] deeper: bool) {
    assert_eq!(deeper_than(text.as_bytes(), most), deeper);
}

#[rstest]
#[case::valid_cpf("52998224725", true)]
#[case::same_digits("11111111111", false)]
#[case::wrong_check("52998224726", false)]
#[case::brazilian_number("5511900000021", true)]
#[case::hubspot_like("51231231231", false)]
#[case::short("123", false)]
#[case::words("c-52998224725", false)]
fn ids_that_look_like_people_are_counted(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(looks_personal(text), expected);
}
