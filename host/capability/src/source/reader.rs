//! Walks a TOML tree, remembers which keys were asked for, and gathers what is wrong.
//!
//! The keys that a [`Section`] was asked for *are* the known keys: there is no second list that could drift,
//! and every other key is an error, because an overlooked key is a rule that somebody believes in.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::{MAX_SOURCE_BYTES, SourceError, is_deceptive, nearest, quote};

/// What is wrong so far.
#[derive(Debug, Default)]
pub struct Findings(RefCell<Vec<(Range<usize>, String)>>);

impl Findings {
    /// Adds one, as `message; help`.
    pub fn add(&self, at: Range<usize>, words: impl Into<String>) {
        self.0.borrow_mut().push((at, words.into()));
    }
}

/// Parses the TOML and hands its top to `take`; an error if anything was found.
///
/// # Errors
/// Every mistake that was found, with its place.
pub fn read<T>(
    file: &str,
    text: &str,
    take: impl FnOnce(&Section<'_>, &Findings) -> Option<T>,
) -> Result<T, SourceError> {
    if text.len() > MAX_SOURCE_BYTES {
        let words = format!("the file has {} bytes; at most {MAX_SOURCE_BYTES} are read", text.len());
        // The text itself stays out of the error: nobody reads it, and it may be any size.
        return Err(SourceError::new(file, "", vec![(0..0, words)]));
    }
    let found = Findings::default();
    let (root, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        let words = error.message().replace('\n', ", ");
        let help = if words == "duplicate key" { "; keep one of the two" } else { "" };
        found.add(error.span().unwrap_or(0..0), format!("this is no TOML: {words}{help}"));
    }
    let top = Section::new("the file".to_owned(), 0..0, root.get_ref(), &found);
    // After a broken line the rest of the tree is a guess; complaints about keys that are in fact there
    // would only confuse.
    let taken = if broken.is_empty() { take(&top, &found) } else { None };
    if broken.is_empty() {
        top.finish();
    }
    let mut list = found.0.into_inner();
    match taken {
        Some(value) if list.is_empty() => Ok(value),
        _ => {
            if list.is_empty() {
                list.push((0..0, "the file cannot be read".to_owned()));
            }
            Err(SourceError::new(file, text, list))
        }
    }
}

/// A table whose keys are known.
pub struct Section<'a> {
    name: String,
    at: Range<usize>,
    table: &'a DeTable<'a>,
    found: &'a Findings,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    fn new(name: String, at: Range<usize>, table: &'a DeTable<'a>, found: &'a Findings) -> Self {
        Self { name, at, table, found, asked: RefCell::default() }
    }
    /// Where the table begins.
    pub fn at(&self) -> Range<usize> {
        self.at.clone()
    }
    /// Adds a finding about the table as a whole.
    pub fn wrong(&self, words: impl Into<String>) {
        self.found.add(self.at(), words);
    }
    /// The value of a key, if it is there.
    pub fn get(&self, key: &'static str) -> Option<Item<'a>> {
        self.asked.borrow_mut().push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(Item {
            key: name.get_ref(),
            key_at: name.span(),
            at: value.span(),
            value: value.get_ref(),
            found: self.found,
        })
    }
    /// The value of a key that must be there; `example` is a line to add.
    pub fn need(&self, key: &'static str, example: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            self.wrong(format!("{} lacks `{key}`; add {example}", self.name));
        }
        item
    }
    /// Complains about every key that nobody asked for.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let near = nearest(name, asked.iter().copied());
            let help = near.map_or_else(
                || format!("{} takes {}", self.name, asked.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.found.add(key.span(), format!("unknown key {}; {help}", quote(name)));
        }
    }
}

/// A value and the key under which it stands.
#[derive(Clone)]
pub struct Item<'a> {
    key: &'a str,
    key_at: Range<usize>,
    at: Range<usize>,
    value: &'a DeValue<'a>,
    found: &'a Findings,
}

impl<'a> Item<'a> {
    /// The key, or the key of the list that holds the value.
    pub fn key(&self) -> &'a str {
        self.key
    }
    /// Where the key stands.
    pub fn key_at(&self) -> Range<usize> {
        self.key_at.clone()
    }
    /// Where the value stands.
    pub fn at(&self) -> Range<usize> {
        self.at.clone()
    }
    /// The TOML value.
    pub fn value(&self) -> &'a DeValue<'a> {
        self.value
    }
    /// Adds a finding about the value.
    pub fn wrong(&self, words: impl Into<String>) {
        self.found.add(self.at(), words);
    }
    /// Adds a finding about the key.
    pub fn wrong_key(&self, words: impl Into<String>) {
        self.found.add(self.key_at(), words);
    }
    /// Adds a finding about this very place of a nested value.
    pub fn wrong_at(&self, at: Range<usize>, words: impl Into<String>) {
        self.found.add(at, words);
    }

    fn not(&self, wanted: &str) {
        self.wrong(format!("{} must be {wanted}, not {}", quote(self.key), kind(self.value)));
    }
    /// A text of any form.
    pub fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.not("a text in quotes");
        }
        text
    }
    /// A text that becomes a `T`; its error is the finding.
    pub fn parse<T: FromStr<Err: Display>>(&self) -> Option<T> {
        self.text()?.parse().map_err(|error: T::Err| self.wrong(error.to_string())).ok()
    }
    /// Words for people: one line, trimmed, of so many characters.
    pub fn line(&self, length: RangeInclusive<usize>) -> Option<String> {
        let text = self.text()?;
        let key = quote(self.key);
        if text.chars().any(is_deceptive) {
            self.wrong(format!(
                "{key} holds a line break or an invisible character; write plain words in one line"
            ));
            return None;
        }
        let (min, max) = (*length.start(), *length.end());
        let count = text.trim().chars().count();
        if !length.contains(&count) {
            let rule = match count {
                0 => format!("{key} is empty; write {} to {max} characters", min.max(1)),
                _ => format!("{key} has {count} characters; write {min} to {max}"),
            };
            self.wrong(rule);
            return None;
        }
        Some(text.trim().to_owned())
    }
    /// `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        let value = self.value.as_bool();
        if value.is_none() {
            self.not("true or false");
        }
        value
    }
    /// A whole number from 0.
    pub fn number(&self) -> Option<u64> {
        let value = self.value.as_integer().and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        if value.is_none() {
            if self.value.is_integer() {
                self.wrong(format!("{} must be a whole number from 0", quote(self.key)));
            } else {
                self.not("a whole number");
            }
        }
        value
    }
    /// One of some words.
    pub fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names = || words.iter().map(|(word, _)| *word);
        let help = nearest(text, names()).map_or_else(
            || format!("use {}", names().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.wrong(format!("{} cannot be {}; {help}", quote(self.key), quote(text)));
        None
    }
    /// The elements of a list.
    pub fn list(&self) -> Vec<Item<'a>> {
        let Some(array) = self.value.as_array() else {
            self.not("a list in brackets");
            return Vec::new();
        };
        let each = array.iter().map(|value| Item {
            key: self.key,
            key_at: value.span(),
            at: value.span(),
            value: value.get_ref(),
            found: self.found,
        });
        each.collect()
    }
    /// A list of different words.
    pub fn set<T: FromStr<Err: Display> + Ord>(&self) -> BTreeSet<T> {
        let mut set = BTreeSet::new();
        for item in self.list() {
            if let Some(value) = item.parse::<T>()
                && !set.insert(value)
            {
                item.wrong(format!("{} stands in the list twice", quote(item.text().unwrap_or_default())));
            }
        }
        set
    }
    /// A table whose keys are known.
    pub fn section(&self, name: String) -> Option<Section<'a>> {
        let Some(table) = self.value.as_table() else {
            self.not("a table");
            return None;
        };
        Some(Section::new(name, self.at(), table, self.found))
    }
    /// A table whose keys are the author's, in the order of the file.
    pub fn entries(&self) -> Vec<Item<'a>> {
        let Some(table) = self.value.as_table() else {
            self.not("a table");
            return Vec::new();
        };
        let mut entries: Vec<Item<'a>> = table
            .iter()
            .map(|(key, value)| Item {
                key: key.get_ref(),
                key_at: key.span(),
                at: value.span(),
                value: value.get_ref(),
                found: self.found,
            })
            .collect();
        entries.sort_by_key(|item| item.key_at.start);
        entries
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
