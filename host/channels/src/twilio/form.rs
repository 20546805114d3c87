//! The parameters of a request: a form, or an object of JSON whose values are texts and numbers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;
use url::form_urlencoded;

use crate::{Incoming, Refusal};

static RFC_2822: DateTimeParser = DateTimeParser::new();

/// Parameters, by name; the first of each is the one that is read.
pub(super) struct Form(BTreeMap<String, Vec<String>>);

impl Form {
    /// Whether the body is said to be a form. One without a type is: that is how the first of these providers sent it.
    pub(super) fn is_form(incoming: &Incoming<'_>) -> bool {
        let kind = incoming.header("content-type").unwrap_or("application/x-www-form-urlencoded");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    pub(super) fn read(incoming: &Incoming<'_>) -> Result<Self, Refusal> {
        let mut params: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if Self::is_form(incoming) {
            for (name, value) in form_urlencoded::parse(incoming.body) {
                params.entry(name.into_owned()).or_default().push(value.into_owned());
            }
            return Ok(Self(params));
        }
        let value: Value = serde_json::from_slice(incoming.body)
            .map_err(|_| Refusal::Unreadable("the body is neither a form nor JSON"))?;
        let Value::Object(object) = value else { return Err(Refusal::Unreadable("the body is no object")) };
        for (name, value) in object {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            params.entry(name).or_default().push(text);
        }
        Ok(Self(params))
    }

    /// A value that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.first().map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The message's identifier, under its present name or an old one.
    pub(super) fn message(&self) -> Option<&str> {
        ["MessageSid", "SmsMessageSid", "SmsSid"].iter().find_map(|name| self.get(name))
    }

    /// A number from 0.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// When it happened, by the provider's clock (RFC 2822); now when it does not say, or says what has not come yet.
    pub(super) fn at(&self, name: &str, now: Timestamp) -> Timestamp {
        let told = self.get(name).and_then(|text| RFC_2822.parse_timestamp(text).ok());
        told.filter(|at| *at <= now).unwrap_or(now)
    }

    /// What is signed after the address: each name with each of its values, once, in the order of their code points.
    pub(super) fn signed(&self) -> String {
        let mut text = String::new();
        for (name, values) in &self.0 {
            for value in values.iter().collect::<BTreeSet<_>>() {
                text.push_str(name);
                text.push_str(value);
            }
        }
        text
    }
}
