//! What may stand at one place of a route: values of some data classes, or a bounded clear type. Written in
//! the manifest as one short text: `contact.phone`, `contact.note|contact.phone`, `int(0..100)`, `enum(a|b)`.

use std::fmt;
use std::str::FromStr;

pub(crate) use crate::bounded::Bounded;
use crate::bounded::{MAX_INT, is_model};
use crate::class::{ClassSet, DataClass};

/// What may stand at a place that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldSpec {
    /// Text in which seals of these classes may stand, beside the plugin's own words.
    Classes(ClassSet),
    /// A clear value of a bounded type, never a seal.
    Bounded(Bounded),
}

/// What is taken from one place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receive {
    /// One thing.
    One(ReceiveOne),
    /// It depends on the text of a sibling field; a value of no case is dropped.
    Switch {
        /// The sibling's name.
        field: String,
        /// What it is for each text of the sibling.
        cases: Vec<(String, ReceiveOne)>,
    },
}

/// What a received value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiveOne {
    /// A value of a class, handed over at the level that the grant gives.
    Class(DataClass),
    /// A bounded clear value.
    Bounded(Bounded),
}

/// A text that is no field type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSpec {
    /// Neither class nor type.
    #[error(
        "`{given}` is neither a data class nor a bounded type{}; bounded types are int, int(a..b), bool, id, date, \
         instant, enum(a|b), ref(a|b), money, url and empty",
        .near.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default()
    )]
    Unknown {
        /// What was given.
        given: String,
        /// The nearest word.
        near: Option<String>,
    },
    /// `int(` with no good range.
    #[error("write a range as int(0..100), the smaller number first")]
    Range,
    /// `enum(` with no good words.
    #[error(
        "write the words of an enum as enum(open|won), each 1 to 64 characters without control characters"
    )]
    Words,
    /// `ref(` with no good models.
    #[error(
        "write the models of a reference as ref(party.party|sale.opportunity), each 1 to 64 of A-Z a-z 0-9 . _ -"
    )]
    Models,
    /// A reference in an answer. Its number would have to be held against what the call opened, as that of an
    /// `id` is; until it is, a telephone number could come back as one.
    #[error("a reference is only sent; receive the record's `id`, and its model as an enum(a|b)")]
    ReferenceReceived,
    /// More than one class where a value must be of one.
    #[error("a received value is of one class; use a switch if it depends on another field")]
    ManyClasses,
}

impl FromStr for FieldSpec {
    type Err = BadSpec;
    fn from_str(text: &str) -> Result<Self, BadSpec> {
        if let Some(bounded) = bounded(text)? {
            return Ok(Self::Bounded(bounded));
        }
        text.split('|')
            .map(|name| name.trim().parse::<DataClass>().map_err(|_| unknown(name.trim())))
            .collect::<Result<ClassSet, _>>()
            .map(Self::Classes)
    }
}

impl FromStr for ReceiveOne {
    type Err = BadSpec;
    fn from_str(text: &str) -> Result<Self, BadSpec> {
        match text.parse::<FieldSpec>()? {
            FieldSpec::Bounded(Bounded::Ref(_)) => Err(BadSpec::ReferenceReceived),
            FieldSpec::Bounded(bounded) => Ok(Self::Bounded(bounded)),
            FieldSpec::Classes(classes) => {
                let mut each = classes.iter();
                match (each.next(), each.next()) {
                    (Some(class), None) => Ok(Self::Class(class)),
                    _ => Err(BadSpec::ManyClasses),
                }
            }
        }
    }
}

fn bounded(text: &str) -> Result<Option<Bounded>, BadSpec> {
    Ok(Some(match text {
        "int" => Bounded::Int { min: -MAX_INT, max: MAX_INT },
        "bool" => Bounded::Bool,
        "id" => Bounded::Id,
        "date" => Bounded::Date,
        "instant" => Bounded::Instant,
        "money" => Bounded::Money,
        "url" => Bounded::Url,
        "empty" => Bounded::Empty,
        other => {
            if let Some(range) = other.strip_prefix("int(").and_then(|rest| rest.strip_suffix(')')) {
                let (min, max) = range.split_once("..").ok_or(BadSpec::Range)?;
                let number = |t: &str| t.trim().parse::<i64>().map_err(|_| BadSpec::Range);
                let (min, max) = (number(min)?, number(max)?);
                if min > max || min < -MAX_INT || max > MAX_INT {
                    return Err(BadSpec::Range);
                }
                Bounded::Int { min, max }
            } else if let Some(words) = other.strip_prefix("enum(").and_then(|rest| rest.strip_suffix(')')) {
                let words: Vec<String> = words.split('|').map(str::to_owned).collect();
                let good = |w: &String| (1..=64).contains(&w.len()) && !w.chars().any(char::is_control);
                if !words.iter().all(good) {
                    return Err(BadSpec::Words);
                }
                Bounded::Enum(words)
            } else if let Some(models) = other.strip_prefix("ref(").and_then(|rest| rest.strip_suffix(')')) {
                let models: Vec<String> = models.split('|').map(str::to_owned).collect();
                if !models.iter().all(|model| is_model(model)) {
                    return Err(BadSpec::Models);
                }
                Bounded::Ref(models)
            } else {
                return Ok(None);
            }
        }
    }))
}

fn unknown(given: &str) -> BadSpec {
    let words = DataClass::ALL.iter().map(|c| c.as_str()).chain([
        "int", "bool", "id", "date", "instant", "money", "url", "empty", "enum", "ref", "text", "string",
    ]);
    let near =
        crate::source::nearest(given, words).filter(|n| !matches!(*n, "text" | "string" | "enum" | "ref"));
    BadSpec::Unknown { given: given.chars().take(64).collect(), near: near.map(str::to_owned) }
}

impl FieldSpec {
    /// The classes whose seals may stand here.
    pub fn classes(&self) -> ClassSet {
        match self {
            Self::Classes(classes) => *classes,
            Self::Bounded(_) => ClassSet::EMPTY,
        }
    }
}

impl Receive {
    /// Every class that may come of it.
    pub fn classes(&self) -> ClassSet {
        match self {
            Self::One(one) => one.class().into_iter().collect(),
            Self::Switch { cases, .. } => cases.iter().filter_map(|(_, one)| one.class()).collect(),
        }
    }
}

impl ReceiveOne {
    /// The class, if it is of one.
    pub fn class(&self) -> Option<DataClass> {
        match self {
            Self::Class(class) => Some(*class),
            Self::Bounded(_) => None,
        }
    }
}

impl fmt::Display for FieldSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes(classes) => classes.fmt(f),
            Self::Bounded(bounded) => bounded.fmt(f),
        }
    }
}

impl fmt::Display for ReceiveOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => class.fmt(f),
            Self::Bounded(bounded) => bounded.fmt(f),
        }
    }
}

impl fmt::Display for Receive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => one.fmt(f),
            Self::Switch { field, cases } => {
                write!(f, "by {field}:")?;
                for (i, (text, one)) in cases.iter().enumerate() {
                    write!(f, "{} {text} → {one}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("contact.phone")]
    #[case("contact.phone|contact.note")]
    #[case("int")]
    #[case("int(0..100)")]
    #[case("int(-5..5)")]
    #[case("enum(open|won)")]
    #[case("ref(party.party|sale.opportunity)")]
    #[case("id")]
    #[case("empty")]
    fn specs_round_trip(#[case] text: &str) {
        assert_eq!(text.parse::<FieldSpec>().unwrap().to_string(), text);
    }

    #[rstest]
    #[case::near("contact.phon", "(did you mean `contact.phone`?)")]
    #[case::text("text", "neither a data class nor a bounded type;")]
    #[case::range("int(9..0)", "the smaller number first")]
    #[case::range_open("int(9..)", "the smaller number first")]
    #[case::words("enum()", "1 to 64 characters")]
    #[case::models("ref()", "each 1 to 64 of")]
    #[case::models_with_a_comma("ref(party.party,17)", "each 1 to 64 of")]
    #[case::models_with_a_space("ref(a | b)", "each 1 to 64 of")]
    #[case::empty("", "neither")]
    fn wrong_specs_teach(#[case] text: &str, #[case] part: &str) {
        let error = text.parse::<FieldSpec>().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_reference_is_only_sent() {
        assert_eq!("ref(party.party)".parse::<ReceiveOne>(), Err(BadSpec::ReferenceReceived));
    }

    #[test]
    fn a_received_value_is_of_one_class() {
        assert_eq!("contact.phone|contact.email".parse::<ReceiveOne>(), Err(BadSpec::ManyClasses));
    }
}
