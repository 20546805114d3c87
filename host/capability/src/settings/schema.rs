//! `[settings]` of a manifest, from TOML to a JSON Schema that a form can show.

use std::borrow::Borrow;
use std::ops::Range;

use jsonschema::paths::LocationSegment;
use serde_json::{Map, Value};
use toml::de::DeValue;

use crate::source::{Item, nearest, quote};

/// The keywords that a form can show and that the check enforces.
const KEYWORDS: &[&str] = &[
    "type",
    "title",
    "description",
    "default",
    "examples",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
];

const TYPES: &[(&str, ())] =
    &[("string", ()), ("integer", ()), ("number", ()), ("boolean", ()), ("array", ()), ("object", ())];

const FORMATS: &[(&str, ())] = &[("origin", ()), ("host", ()), ("label", ()), ("date", ()), ("uuid", ())];

/// Words in a name that mean a secret.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "senha",
    "secret",
    "token",
    "apikey",
    "credential",
    "bearer",
];

/// Reads the schema; `None` if something was found.
pub(super) fn read(item: &Item<'_>) -> Option<Value> {
    if !item.value().is_table() {
        item.wrong("[settings] is a table: the JSON Schema of an object");
        return None;
    }
    let mut schema = node(item, true)?;
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        item.wrong("settings are an object; write type = \"object\" first");
        return None;
    }
    if let Some(object) = schema.as_object_mut() {
        object.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    }
    Some(schema)
}

/// One schema: known keywords, a type, no secrets.
fn node(item: &Item<'_>, top: bool) -> Option<Value> {
    if !item.value().is_table() {
        item.wrong(format!("{} must be a table with the schema of the value", quote(item.key())));
        return None;
    }
    let mut good = true;
    let mut schema = Map::new();
    let entries = item.entries();
    for entry in &entries {
        let value = match entry.key() {
            "properties" => properties(entry),
            "items" => node(entry, false),
            "additionalProperties" => closed(entry),
            "type" => entry.word(TYPES).and_then(|()| json(entry)),
            "format" => entry.word(FORMATS).and_then(|()| json(entry)),
            "title" => entry.line(1..=80).map(Value::String),
            "description" => entry.line(1..=400).map(Value::String),
            known if KEYWORDS.contains(&known) => json(entry),
            other => {
                let help = nearest(other, KEYWORDS.iter().copied()).map_or_else(
                    || format!("settings take {}", KEYWORDS.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                entry.wrong_key(format!("the schema keyword {} is not used here; {help}", quote(other)));
                None
            }
        };
        match value {
            Some(value) => drop(schema.insert(entry.key().to_owned(), value)),
            None => good = false,
        }
    }
    if good && !schema.contains_key("type") && !top {
        item.wrong_key(format!("{} has no type; add type = \"string\" or another", quote(item.key())));
        good = false;
    }
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        // What the form does not show must not be kept either.
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        good &= required_exist(&entries);
    }
    good.then_some(Value::Object(schema))
}

fn closed(entry: &Item<'_>) -> Option<Value> {
    if entry.bool()? {
        entry.wrong("settings that no property describes cannot be drawn or checked; write false");
        return None;
    }
    Some(Value::Bool(false))
}

fn properties(item: &Item<'_>) -> Option<Value> {
    let mut all = Map::new();
    let mut good = item.value().is_table();
    for entry in item.entries() {
        let name = entry.key();
        let plain = (1..=64).contains(&name.len())
            && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
        if !plain {
            entry.wrong_key(format!(
                "{} is no name of a setting; use a-z, 0-9, `_` and `-`, a letter first",
                quote(name)
            ));
            good = false;
        } else if is_secret(name) {
            entry.wrong_key(format!(
                "{} looks like a secret, and settings are shown and handed to the plugin; credentials belong in [[credential]]",
                quote(name)
            ));
            good = false;
        }
        match node(&entry, false) {
            Some(schema) => drop(all.insert(name.to_owned(), schema)),
            None => good = false,
        }
    }
    good.then_some(Value::Object(all))
}

/// `token`, `api-key`, `client_secret`; not `keyboard` or `key-account-manager-list`… `key` counts as a word.
fn is_secret(name: &str) -> bool {
    let joined: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    SECRETS.iter().any(|word| joined.contains(word))
        || name.split(['-', '_']).any(|word| matches!(word, "key" | "keys"))
}

/// A required name that no property has could never be entered.
fn required_exist(entries: &[Item<'_>]) -> bool {
    let mut good = true;
    // The names as written: a property that is wrong inside is there nevertheless.
    let properties: Vec<Item<'_>> =
        entries.iter().filter(|entry| entry.key() == "properties").flat_map(Item::entries).collect();
    let names = || properties.iter().map(Item::key);
    for each in entries.iter().filter(|entry| entry.key() == "required").flat_map(Item::list) {
        let Some(name) = each.text() else { continue };
        if !names().any(|known| known == name) {
            let help = nearest(name, names()).map_or_else(
                || "describe it under properties".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            each.wrong(format!("the required setting {} is no property; {help}", quote(name)));
            good = false;
        }
    }
    good
}

/// A TOML value as JSON.
fn json(item: &Item<'_>) -> Option<Value> {
    Some(match item.value() {
        DeValue::String(text) => Value::String(text.as_ref().to_owned()),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => {
                item.wrong("the number is too large");
                return None;
            }
        },
        DeValue::Float(number) => {
            match number.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
                Some(number) => Value::Number(number),
                None => {
                    item.wrong("JSON has no such number; write a finite one");
                    return None;
                }
            }
        }
        DeValue::Datetime(_) => {
            item.wrong("JSON has no dates; write it as a text in quotes");
            return None;
        }
        DeValue::Array(_) => Value::Array(item.list().iter().map(json).collect::<Option<_>>()?),
        DeValue::Table(_) => {
            let fields = item.entries();
            let fields: Option<Map<String, Value>> =
                fields.iter().map(|entry| Some((entry.key().to_owned(), json(entry)?))).collect();
            Value::Object(fields?)
        }
    })
}

/// Where the value at a JSON path stands in the file; the nearest value above it if it is not written there.
pub(super) fn span_of<'p>(
    item: &Item<'_>,
    path: impl IntoIterator<Item = impl Borrow<LocationSegment<'p>>>,
) -> Range<usize> {
    let mut at = item.at();
    let mut here = item.value();
    for step in path {
        let next = match step.borrow() {
            LocationSegment::Property(name) => here.as_table().and_then(|table| table.get(name.as_ref())),
            LocationSegment::Index(index) => here.as_array().and_then(|array| array.get(*index)),
        };
        let Some(next) = next else { break };
        at = next.span();
        here = next.get_ref();
    }
    at
}
