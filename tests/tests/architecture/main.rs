//! The rules that hold the house together, checked on the files themselves: who may depend on what, who may
//! open a socket, that every limit has a test that exceeds it, and the habits of the files.
//!
//! A rule that only stands in a document is broken by the first tired evening, and one more way out past
//! `ramal-egress` is not seen in a review of the crate that added it. Each check is a function from files
//! to violations, so that its own test can plant a violation and see it caught: a guard that went inert
//! would be worse than none.
//!
//! The rules: [`contract`] for the words of `wit/`, [`edges`] for dependencies, [`mentions`] for words in code, [`limits`] for limits and their
//! tests, [`habits`] for files.

mod contract;
mod edges;
mod files;
mod habits;
mod limits;
mod mentions;

/// Fails with all violations, one a line.
#[track_caller]
fn assert_none(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}\n\n  {}\n", violations.join("\n  "));
}
