//! Habits of files: each opens with what it is for, and none grows past what one can hold in mind.

use rstest::rstest;

use crate::assert_none;
use crate::files::{File, project};

/// Past this, a file had better have a reason.
const MOST_LINES: usize = 800;

/// Longer files, and why.
const LONG: &[(&str, &str)] = &[];

/// What people write by hand.
const SOURCES: &[&str] =
    &[".rs", ".wit", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".py", ".sh", ".sql"];

fn long(files: &[File], allowed: &[(&str, &str)]) -> Vec<String> {
    let is_source = |file: &&File| SOURCES.iter().any(|ending| file.path.ends_with(ending));
    let sizes = files.iter().filter(is_source).map(|file| (&file.path, file.text.lines().count()));
    let long =
        sizes.filter(|(path, lines)| *lines > MOST_LINES && !allowed.iter().any(|(known, _)| known == path));
    long.map(|(path, lines)| format!("{path}: {lines} lines")).collect()
}

/// A `tests.rs` belongs to the module beside it, which says what it is for.
fn without_words(files: &[File]) -> Vec<String> {
    let opens = |file: &&File| {
        file.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 8)
    };
    let sources = files.iter().filter(|file| file.is_rust() && !file.path.ends_with("/tests.rs"));
    sources.filter(|file| !opens(file)).map(|file| file.path.clone()).collect()
}

#[test]
fn no_file_is_longer_than_can_be_held_in_mind() {
    assert_none("files to take apart, or to list with a reason", &long(&project(), LONG));
}

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    assert_none("files without `//! …` in the first line", &without_words(&project()));
}

// === sabotage ===

#[rstest]
#[case::long("host/x/src/a.rs", 801, true)]
#[case::page("host/panel/src/a.css", 801, true)]
#[case::just_fits("host/x/src/a.rs", 800, false)]
#[case::no_source("Cargo.lock", 5000, false)]
#[case::listed("host/x/src/listed.rs", 5000, false)]
fn a_planted_long_file_is_caught(#[case] path: &str, #[case] lines: usize, #[case] caught: bool) {
    let file = File::new(path, &"x\n".repeat(lines));
    assert_eq!(!long(&[file], &[("host/x/src/listed.rs", "a table")]).is_empty(), caught);
}

#[rstest]
#[case::code_first("use std::fmt;\n//! late", true)]
#[case::empty("", true)]
#[case::no_words("//!\n", true)]
#[case::comment("// what it is for", true)]
#[case::good("//! What it is for.\n", false)]
fn a_planted_file_without_words_is_caught(#[case] text: &str, #[case] caught: bool) {
    assert_eq!(!without_words(&[File::new("host/x/src/a.rs", text)]).is_empty(), caught);
}
