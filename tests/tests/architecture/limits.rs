//! Every limit has a test that exceeds it. A limit that nobody enforces is a promise to an admin that is not
//! kept, and nothing else would show it.
//!
//! The convention: in a test that goes past a limit, or right above it or one of its `#[case]`s, stands a line
//!
//! ```text
//! // exceeds: memory_bytes
//! ```
//!
//! with the limit's name, several separated by commas.

use std::collections::BTreeSet;

use ramal_capability::Limits;
use rstest::rstest;

use crate::assert_none;
use crate::files::{File, project};

const MARK: &str = "// exceeds: ";

/// The limits that have a test, and marks that are wrong.
fn marks(files: &[File], known: &BTreeSet<String>) -> (BTreeSet<String>, Vec<String>) {
    let (mut tested, mut wrong) = (BTreeSet::new(), Vec::new());
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(names) = line.strip_prefix(MARK) else { continue };
            let place = format!("{}:{}", file.path, at + 1);
            if !is_above_test(&lines[at..]) && !is_in_test(&lines[..at]) {
                wrong.push(format!("{place}: neither in a test nor above one"));
                continue;
            }
            for name in names.split(',').map(|name| name.trim().replace('-', "_")) {
                if known.contains(&name) {
                    tested.insert(name);
                } else {
                    wrong.push(format!("{place}: there is no limit `{name}`"));
                }
            }
        }
    }
    (tested, wrong)
}

fn is_test_attribute(line: &str) -> bool {
    ["#[test]", "#[rstest", "#[case", "#[tokio::test"].iter().any(|start| line.starts_with(start))
}

/// Whether the first line that is no comment makes a test.
fn is_above_test(below: &[&str]) -> bool {
    below.iter().find(|line| !line.starts_with("//")).is_some_and(|line| is_test_attribute(line))
}

/// Whether the function that begins last above is a test.
fn is_in_test(above: &[&str]) -> bool {
    let begins =
        |line: &&str| ["fn ", "async fn ", "pub ", "pub("].iter().any(|start| line.starts_with(start));
    let Some(function) = above.iter().rposition(begins) else { return false };
    let attributes =
        above[..function].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    attributes.into_iter().any(|line| is_test_attribute(line))
}

fn known() -> BTreeSet<String> {
    Limits::ALL.iter().map(|limit| limit.name.to_owned()).collect()
}

/// Without the planted marks of this file.
fn sources() -> Vec<File> {
    project().into_iter().filter(|file| !file.path.ends_with("architecture/limits.rs")).collect()
}

#[test]
fn every_limit_has_a_test_that_exceeds_it() {
    let (tested, wrong) = marks(&sources(), &known());
    assert_none("marks that are wrong", &wrong);
    let missing: Vec<String> = known().difference(&tested).cloned().collect();
    assert_none("limits that no test exceeds; write the test and `// exceeds: NAME` above it", &missing);
}

// === sabotage ===

#[rstest]
#[case::marked("// exceeds: seals\n#[test]\nfn a() {}", &["seals"], 0)]
#[case::two("// exceeds: seals, requests\n// and so on\n#[tokio::test]\nasync fn a() {}", &["seals", "requests"], 0)]
#[case::one_case("#[rstest]\n// exceeds: seals\n#[case::more(1)]\nfn a() {}", &["seals"], 0)]
#[case::inside("/// Words.\n#[tokio::test]\nasync fn a() {\n    // exceeds: seals\n}", &["seals"], 0)]
#[case::inside_no_test("#[test]\nfn a() {}\n\nfn b() {\n    // exceeds: seals\n}", &[], 1)]
#[case::no_test("// exceeds: seals\nfn a() {}", &[], 1)]
#[case::hyphens("// exceeds: max-seals\n#[test]\nfn a() {}", &["max_seals"], 0)]
#[case::at_the_end("const A: u8 = 1;\n// exceeds: seals", &[], 1)]
#[case::misspelt("// exceeds: seal\n#[test]\nfn a() {}", &[], 1)]
#[case::in_words("// a test that exceeds: seals\n#[test]\nfn a() {}", &[], 0)]
fn marks_are_read_and_wrong_ones_are_caught(
    #[case] text: &str,
    #[case] tested: &[&str],
    #[case] wrong: usize,
) {
    let known: BTreeSet<String> = ["seals", "requests", "max_seals"].map(str::to_owned).into();
    let (found, mistakes) = marks(&[File::new("host/x/src/tests.rs", text)], &known);
    assert_eq!(found, tested.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(mistakes.len(), wrong, "{mistakes:?}");
}

#[test]
fn the_list_of_limits_is_not_empty() {
    assert!(known().contains("memory_bytes"));
}
