//! An answer of a CRM becomes what the guest may have: listed fields only, classed ones at the level of the
//! grant, bounded ones checked. All else is skipped without being copied.
//!
//! Projection, not scrubbing: a scrubber looks for values that must not pass and loses to any spelling that
//! it did not think of; here nothing passes that the route did not list.

use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::bounded::Bounded;
use crate::class::{DataClass, Direction, Level, LevelTable};
use crate::echo::{Collected, EchoGuard};
use crate::exchange::EgressFailure;
use crate::invocation::SeenTable;
use crate::mask::mask;
use crate::pointer::Tree;
use crate::seal::Vault;
use crate::spec::{Receive, ReceiveOne};
use crate::template::write_json_text;
use crate::value::Clear;

/// What the projection of one answer needs.
pub(crate) struct Projector<'a> {
    pub(crate) vault: &'a mut Vault,
    pub(crate) levels: &'a LevelTable,
    pub(crate) guard: &'a EchoGuard,
    pub(crate) seen: &'a mut SeenTable,
    out: String,
    collected: Collected,
    full: bool,
}

impl<'a> Projector<'a> {
    pub(crate) fn new(
        vault: &'a mut Vault,
        levels: &'a LevelTable,
        guard: &'a EchoGuard,
        seen: &'a mut SeenTable,
    ) -> Self {
        Self { vault, levels, guard, seen, out: String::new(), collected: Collected::default(), full: false }
    }

    /// Projects a JSON document.
    pub(crate) fn project(
        mut self,
        tree: &Tree<Receive>,
        body: &[u8],
        depth: u64,
    ) -> Result<String, EgressFailure> {
        if tree.is_empty() || body.is_empty() {
            return Ok("{}".to_owned());
        }
        if deeper_than(body, depth) {
            return Err(EgressFailure::TooLarge);
        }
        self.out.reserve(body.len().min(64 * 1024));
        // Text that is known to be UTF-8 is not checked string by string. Other bytes may stand in what is skipped.
        let read = match std::str::from_utf8(body) {
            Ok(text) => self.read(tree, serde_json::Deserializer::from_str(text)),
            Err(_) => self.read(tree, serde_json::Deserializer::from_slice(body)),
        };
        if self.full {
            return Err(EgressFailure::TooLarge);
        }
        // The parser's own message could quote the document; its place in the text does not.
        let wrote = read.map_err(|e| {
            EgressFailure::Unavailable(format!(
                "the answer is no JSON (line {}, column {})",
                e.line(),
                e.column()
            ))
        })?;
        if self.guard.is_spelt_by(&self.collected) {
            self.seen.withheld += 1;
            return Err(EgressFailure::Unavailable(
                "the answer spells a sealed value over its bounded fields; it was withheld".to_owned(),
            ));
        }
        Ok(if wrote { self.out } else { "{}".to_owned() })
    }

    fn read<'de>(
        &mut self,
        tree: &Tree<Receive>,
        mut json: serde_json::Deserializer<impl serde_json::de::Read<'de>>,
    ) -> serde_json::Result<bool> {
        let wrote = Place { tree, sink: self, case: None }.deserialize(&mut json)?;
        json.end()?;
        Ok(wrote)
    }

    fn text(&mut self, one: &ReceiveOne, text: &str) -> bool {
        match one {
            ReceiveOne::Class(class) => self.classed(*class, text),
            ReceiveOne::Bounded(bounded) => {
                let fits = bounded.fits_text(text);
                self.bounded(fits, bounded, text, true)
            }
        }
    }

    fn classed(&mut self, class: DataClass, text: &str) -> bool {
        let level = self.levels.get(class, Direction::FromCrm);
        self.seen.count(class, Direction::FromCrm, level);
        match level {
            Level::None => return false,
            Level::Exists => self.out.push_str("true"),
            Level::Masked => write_json_text(&mut self.out, &mask(class, text)),
            Level::Clear => write_json_text(&mut self.out, text),
            Level::Sealed if text.is_empty() => self.out.push_str("\"\""),
            Level::Sealed => {
                self.out.push('"');
                if self.vault.seal_into(&mut self.out, class, Clear::from(text)).is_err() {
                    self.full = true;
                }
                self.out.push('"');
            }
        }
        true
    }

    /// Writes a bounded value, unless it does not fit or repeats what was opened.
    fn bounded(&mut self, fits: bool, bounded: &Bounded, text: &str, quoted: bool) -> bool {
        if !fits {
            self.seen.misfits += 1;
            return false;
        }
        if matches!(
            bounded,
            Bounded::Id | Bounded::Int { .. } | Bounded::Money | Bounded::Url | Bounded::Instant
        ) {
            let is_id = matches!(bounded, Bounded::Id);
            if !self.guard.admits(&mut self.collected, is_id, text) {
                self.seen.withheld += 1;
                return false;
            }
            if is_id && looks_personal(text) {
                self.seen.suspicious_ids += 1;
            }
        }
        if quoted {
            write_json_text(&mut self.out, text)
        } else {
            self.out.push_str(text)
        }
        true
    }
}

/// Digits that could be a CPF (valid check digits) or a Brazilian number with its country code.
fn looks_personal(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != text.len() {
        return false;
    }
    match digits.len() {
        11 => is_cpf(&digits),
        12 | 13 => digits.starts_with(&[5, 5]),
        _ => false,
    }
}

/// The check digits of a CPF (Receita Federal, modulus 11).
fn is_cpf(digits: &[u32]) -> bool {
    let check = |upto: usize| {
        let sum: u32 = digits.iter().take(upto).zip((2..=upto as u32 + 1).rev()).map(|(d, w)| d * w).sum();
        (sum * 10) % 11 % 10
    };
    digits.iter().any(|d| Some(d) != digits.first())
        && digits.get(9) == Some(&check(9))
        && digits.get(10) == Some(&check(10))
}

/// Whether a document nests deeper than `most`. Counts brackets outside of strings; the parser checks the rest.
pub(crate) fn deeper_than(body: &[u8], most: u64) -> bool {
    if memchr::memchr2_iter(b'[', b'{', body).count() as u64 <= most {
        return false;
    }
    let (mut depth, mut rest) = (0u64, body);
    loop {
        let Some(at) = rest.iter().position(|b| matches!(b, b'"' | b'[' | b'{' | b']' | b'}')) else {
            return false;
        };
        let (found, after) = (rest.get(at), rest.get(at + 1..).unwrap_or_default());
        rest = after;
        match found {
            Some(b'"') => match after_string(after) {
                Some(after) => rest = after,
                None => return false,
            },
            Some(b'[' | b'{') => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            _ => depth = depth.saturating_sub(1),
        }
    }
}

/// What follows a string whose first quotation mark has been read; `None` when it has no end.
fn after_string(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let at = memchr::memchr2(b'"', b'\\', rest)?;
        let escaped = usize::from(rest.get(at) == Some(&b'\\'));
        rest = rest.get(at + 1 + escaped..)?;
        if escaped == 0 {
            return Some(rest);
        }
    }
}

/// One place of the document: a node of the route's tree. Answers whether anything was written.
struct Place<'t, 'p, 'a> {
    tree: &'t Tree<Receive>,
    sink: &'p mut Projector<'a>,
    /// The sibling's text that decides a switch, once it is known.
    case: Option<&'p str>,
}

impl<'t> Place<'t, '_, '_> {
    /// What this place is, a switch resolved by its sibling.
    fn one(&self) -> Option<&'t ReceiveOne> {
        match self.tree.leaf()? {
            Receive::One(one) => Some(one),
            Receive::Switch { cases, .. } => {
                cases.iter().find(|(text, _)| Some(text.as_str()) == self.case).map(|(_, one)| one)
            }
        }
    }
    fn scalar(self, text: &str, fits: impl FnOnce(&Bounded) -> bool) -> bool {
        match self.one() {
            Some(ReceiveOne::Class(class)) => self.sink.classed(*class, text),
            Some(ReceiveOne::Bounded(bounded)) => self.sink.bounded(fits(bounded), bounded, text, false),
            None => false,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_, '_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<bool, E> {
        if self.tree.leaf().is_none() {
            return Ok(false);
        }
        self.sink.out.push_str("null");
        Ok(true)
    }
    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        let text = if value { "true" } else { "false" };
        Ok(self.scalar(text, |bounded| matches!(bounded, Bounded::Bool)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        Ok(self.scalar(&value.to_string(), |bounded| bounded.fits_int(value)))
    }
    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        let fits = i64::try_from(value).ok();
        Ok(self.scalar(&value.to_string(), |bounded| fits.is_some_and(|v| bounded.fits_int(v))))
    }
    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        Ok(self.scalar(&value.to_string(), |bounded| bounded.fits_float(value)))
    }
    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        let Some(one) = self.one() else { return Ok(false) };
        Ok(self.sink.text(one, value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let Self { tree, sink, .. } = self;
        if !tree.has_below() {
            let empty = matches!(tree.leaf(), Some(Receive::One(ReceiveOne::Bounded(Bounded::Empty))));
            let mut any = false;
            while items.next_element::<IgnoredAny>()?.is_some() {
                any = true;
            }
            if empty && !any {
                sink.out.push_str("[]");
                return Ok(true);
            }
            return Ok(false);
        }
        sink.out.push('[');
        let mut index = 0;
        loop {
            let before = sink.out.len();
            if index > 0 {
                sink.out.push(',');
            }
            let wrote = match tree.element(index) {
                Some(child) => {
                    items.next_element_seed(Place { tree: child, sink: &mut *sink, case: None })?
                }
                None => items.next_element::<IgnoredAny>()?.map(|_| false),
            };
            match wrote {
                // An element that gives nothing keeps its place, so that positions mean what they meant.
                Some(false) => sink.out.push_str("null"),
                Some(true) => {}
                None => {
                    sink.out.truncate(before);
                    break;
                }
            }
            index += 1;
        }
        sink.out.push(']');
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<bool, A::Error> {
        let Self { tree, sink, .. } = self;
        if !tree.has_below() {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(false);
        }
        if !tree.is_marked() {
            return walk(tree, sink, fields, None);
        }
        // A field's meaning depends on a sibling that may come later: read the object, then walk it.
        let object = read_object(fields)?;
        let case = tree
            .switch_field()
            .and_then(|field| object.get(field))
            .and_then(Value::as_str)
            .map(str::to_owned);
        walk(tree, sink, MapDeserializer::new(object.into_iter()), case.as_deref()).map_err(de::Error::custom)
    }
}

/// The listed fields of one object. `case` is the text that decides its switches.
fn walk<'de, A: MapAccess<'de>>(
    tree: &Tree<Receive>,
    sink: &mut Projector<'_>,
    mut fields: A,
    case: Option<&str>,
) -> Result<bool, A::Error> {
    sink.out.push('{');
    let start = sink.out.len();
    let mut done = Done::default();
    while let Some(child) = fields.next_key_seed(ListedKey(tree))? {
        // A name that comes twice counts once: parsers differ in which they believe.
        let Some((_, name, node)) = child.filter(|(number, ..)| done.insert(*number)) else {
            fields.next_value::<IgnoredAny>()?;
            continue;
        };
        let before = sink.out.len();
        if before > start {
            sink.out.push(',');
        }
        write_json_text(&mut sink.out, name);
        sink.out.push(':');
        if !fields.next_value_seed(Place { tree: node, sink: &mut *sink, case })? {
            sink.out.truncate(before);
        }
    }
    sink.out.push('}');
    Ok(true)
}

/// Which of an object's listed names have come.
#[derive(Default)]
struct Done {
    first: u64,
    others: Vec<usize>,
}

impl Done {
    /// Whether it is new.
    fn insert(&mut self, number: usize) -> bool {
        if number < 64 {
            let before = self.first;
            self.first |= 1 << number;
            return before != self.first;
        }
        let new = !self.others.contains(&number);
        if new {
            self.others.push(number);
        }
        new
    }
}

/// A key of an object: the child of the tree that it names, without copying the key.
struct ListedKey<'t>(&'t Tree<Receive>);

impl<'de, 't> DeserializeSeed<'de> for ListedKey<'t> {
    type Value = Option<(usize, &'t str, &'t Tree<Receive>)>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'t> Visitor<'_> for ListedKey<'t> {
    type Value = Option<(usize, &'t str, &'t Tree<Receive>)>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.named(name))
    }
}

fn read_object<'de, A: MapAccess<'de>>(mut fields: A) -> Result<serde_json::Map<String, Value>, A::Error> {
    let mut object = serde_json::Map::new();
    while let Some((name, value)) = fields.next_entry::<String, Value>()? {
        object.entry(name).or_insert(value);
    }
    Ok(object)
}

impl Tree<Receive> {
    fn switch_field(&self) -> Option<&str> {
        self.named_leaves().find_map(|leaf| match leaf {
            Receive::Switch { field, .. } => Some(field.as_str()),
            Receive::One(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
