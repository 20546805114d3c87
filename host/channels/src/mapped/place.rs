//! Where a value stands in a body: JSON Pointers (RFC 6901), with `*` for any element of a list.

use std::str::FromStr;

use ramal_capability::{BadPattern, Pattern};
use serde_json::Value;

/// A place in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Any,
    Name(String),
}

impl FromStr for Place {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let _: Pattern = text.parse()?;
        // In this order: `~01` is `~1`, not `/` (RFC 6901, section 4).
        let name = |step: &str| Step::Name(step.replace("~1", "/").replace("~0", "~"));
        Ok(Self(
            text.split('/').skip(1).map(|step| if step == "*" { Step::Any } else { name(step) }).collect(),
        ))
    }
}

impl Place {
    /// The first value there.
    pub(super) fn first<'v>(&self, body: &'v Value) -> Option<&'v Value> {
        self.all(body).into_iter().next()
    }

    /// Every value there, in the order of the body.
    pub(super) fn all<'v>(&self, body: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![body];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| below(value, step)).collect();
        }
        found
    }
}

fn below<'v>(value: &'v Value, step: &Step) -> Vec<&'v Value> {
    match (step, value) {
        (Step::Any, Value::Array(list)) => list.iter().collect(),
        (Step::Name(name), Value::Object(object)) => object.get(name).into_iter().collect(),
        (Step::Name(index), Value::Array(list)) => {
            index.parse().ok().and_then(|index: usize| list.get(index)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A value as a text; `None` for what is empty, null, or no single value.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The first of some places that has a value.
pub(super) fn first_text(places: &[Place], body: &Value) -> Option<String> {
    places.iter().find_map(|place| place.all(body).into_iter().find_map(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::name("/a", json!({"a": 1}), &["1"])]
    #[case::deep("/a/b", json!({"a": {"b": "x"}}), &["x"])]
    #[case::index("/a/1", json!({"a": ["x", "y"]}), &["y"])]
    #[case::any("/a/*/b", json!({"a": [{"b": "x"}, {"c": 1}, {"b": "y"}]}), &["x", "y"])]
    #[case::escaped("/a~1b/~01", json!({"a/b": {"~1": "x"}}), &["x"])]
    #[case::whole("", json!("x"), &["x"])]
    #[case::null("/a", json!({"a": null}), &[])]
    #[case::blank("/a", json!({"a": " "}), &[])]
    #[case::object("/a", json!({"a": {}}), &[])]
    #[case::absent("/b", json!({"a": 1}), &[])]
    #[case::into_a_text("/a/b", json!({"a": "b"}), &[])]
    fn a_place_is_found(#[case] place: &str, #[case] body: Value, #[case] expected: &[&str]) {
        let place: Place = place.parse().unwrap();
        assert_eq!(place.all(&body).into_iter().filter_map(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_first_place_with_a_value_counts() {
        let places = ["/a", "/b"].map(|p| p.parse().unwrap());
        assert_eq!(first_text(&places, &json!({"a": "", "b": "x"})).as_deref(), Some("x"));
    }
}
