//! Errors in files that people write, with the place, the reason and the help.
//!
//! A manifest and a grant are read by hand from the parsed TOML tree and not through derived
//! deserialisation: that stops at the first mistake and cannot point at the second, and an author who meets
//! five mistakes one by one gives up at the third.

mod reader;

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

pub use reader::{Findings, Item, Section, read};

/// The most bytes that a manifest or a grant may have.
pub(crate) const MAX_SOURCE_BYTES: usize = 256 * 1024;

/// More findings than this help nobody.
const MAX_FINDINGS: usize = 100;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    message: String,
    help: Option<String>,
    span: Range<usize>,
    line: usize,
    column: usize,
}

impl Finding {
    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// What to do about it, in one line.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
    /// The bytes of the file that are meant.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
    /// The character in the line, counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

/// A file that cannot be taken, with every mistake that was found in it. `Display` gives one line for each:
/// `plugin.toml:12:8: message; help`.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceError {
    file: String,
    text: String,
    findings: Vec<Finding>,
}

impl SourceError {
    /// A file with mistakes. `found` holds byte ranges and texts of the form `message; help`.
    fn new(file: &str, text: &str, mut found: Vec<(Range<usize>, String)>) -> Self {
        found.sort_by(|(a, x), (b, y)| (a.start, a.end, x).cmp(&(b.start, b.end, y)));
        found.dedup();
        let more = found.len().saturating_sub(MAX_FINDINGS);
        found.truncate(MAX_FINDINGS);
        let mut findings: Vec<Finding> =
            found.into_iter().map(|(span, words)| place(text, span, &words)).collect();
        if more > 0 {
            findings.push(place(
                text,
                text.len()..text.len(),
                &format!("{more} more mistakes are not shown"),
            ));
        }
        Self { file: one_line(file), text: text.to_owned(), findings }
    }

    /// The mistakes, in the order of the file. Never empty.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
    /// The name under which the file was read.
    pub fn file(&self) -> &str {
        &self.file
    }
    /// Several lines for people, with the source and a mark under what is meant; with terminal colours if
    /// asked for.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let blocks = self.findings.iter().map(|finding| {
            let snippet = Snippet::source(self.text.as_str())
                .path(self.file.as_str())
                .annotation(AnnotationKind::Primary.span(finding.span.clone()));
            let mut group = Level::ERROR.primary_title(finding.message.as_str()).element(snippet);
            if let Some(help) = &finding.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            renderer.render(&[group])
        });
        blocks.collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.findings.iter().enumerate() {
            let gap = if i == 0 { "" } else { "\n" };
            write!(f, "{gap}{}:{}:{}: {}", self.file, finding.line, finding.column, finding.message)?;
            if let Some(help) = &finding.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}
impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceError").field("file", &self.file).field("findings", &self.findings).finish()
    }
}
impl std::error::Error for SourceError {}

fn place(text: &str, span: Range<usize>, words: &str) -> Finding {
    let start = floor(text, span.start.min(text.len()));
    let end = ceiling(text, span.end.clamp(start, text.len()));
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let words = one_line(words);
    let (message, help) = split_help(&words);
    Finding { message: message.to_owned(), help: help.map(str::to_owned), span: start..end, line, column }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceiling(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// `message; help` in two, unless the `; ` stands within backquotes.
fn split_help(words: &str) -> (&str, Option<&str>) {
    let mut quoted = false;
    for (at, c) in words.char_indices() {
        match c {
            '`' => quoted = !quoted,
            ';' if !quoted => {
                if let (Some(message), Some(help)) =
                    (words.get(..at), words.get(at..).and_then(|rest| rest.strip_prefix("; ")))
                {
                    return (message, Some(help));
                }
            }
            _ => {}
        }
    }
    (words, None)
}

/// Texts of a file come back in messages; a line break or a terminal code in one must not forge a second
/// message.
fn one_line(words: &str) -> String {
    words.chars().map(|c| if is_deceptive(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters, and those that turn the direction of text around: an admin must see the words that
/// the program reads (CVE-2021-42574 is what happens otherwise).
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text in backquotes, cut to 64 characters.
pub fn quote(text: &str) -> String {
    let cut: String = text.chars().take(64).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("`{}{dots}`", cut.replace('`', "'"))
}

/// The word that somebody probably meant: at most three letters changed, added, left out or swapped, and
/// fewer than half of those given.
pub(crate) fn nearest<'a>(given: &str, of: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given: Vec<char> = given.chars().take(65).collect();
    if given.len() > 64 {
        return None;
    }
    of.map(|word| (distance(&given, word), word))
        .filter(|(steps, _)| *steps <= 3 && steps * 2 < given.len())
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, word)| word)
}

/// Optimal string alignment: a swap of neighbours is one step, as it is for fingers.
fn distance(given: &[char], word: &str) -> usize {
    let word: Vec<char> = word.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=word.len()).collect();
    let mut previous = None;
    for (i, &g) in given.iter().enumerate() {
        let mut row = vec![i + 1];
        let mut left = None;
        for (j, &w) in word.iter().enumerate() {
            let at = |row: &[usize], n: usize| row.get(n).copied().unwrap_or(usize::MAX / 2);
            let change = at(&last, j) + usize::from(g != w);
            let mut best = change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if previous == Some(w) && left == Some(g) && j > 0 {
                best = best.min(at(&before_last, j - 1) + 1);
            }
            row.push(best);
            left = Some(w);
        }
        previous = Some(g);
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::left_out("contact.phon", Some("contact.phone"))]
    #[case::added("contact.phones", Some("contact.phone"))]
    #[case::swapped("contact.hpone", Some("contact.phone"))]
    #[case::too_far("contact", None)]
    #[case::nothing("", None)]
    #[case::half_changed("nane", Some("name"))]
    #[case::short("no", None)]
    #[case::other_script("имя", None)]
    fn the_nearest_word_is_offered_only_when_it_is_near(#[case] given: &str, #[case] near: Option<&str>) {
        assert_eq!(nearest(given, ["contact.phone", "contact.email", "name"].into_iter()), near);
    }

    #[test]
    fn a_huge_word_costs_nothing() {
        assert_eq!(nearest(&"a".repeat(1_000_000), std::iter::once("a")), None);
    }

    #[rstest]
    #[case::both("no such class; use another", "no such class", Some("use another"))]
    #[case::quoted("`a; b` is no class; use another", "`a; b` is no class", Some("use another"))]
    #[case::no_help("no such class", "no such class", None)]
    fn help_follows_the_message(#[case] words: &str, #[case] message: &str, #[case] help: Option<&str>) {
        assert_eq!(split_help(words), (message, help));
    }

    #[test]
    fn a_line_break_in_a_value_forges_no_second_message() {
        let error = SourceError::new("f", "x", vec![(0..1, "`a\nf:1:1: all is well\u{1b}[2K`".to_owned())]);
        assert_eq!(error.to_string().lines().count(), 1);
    }

    #[test]
    fn columns_count_characters() {
        let error = SourceError::new("f", "ação = 1\nmãe = 2", vec![(18..19, "wrong".to_owned())]);
        assert_eq!(error.to_string(), "f:2:7: wrong");
    }
}
