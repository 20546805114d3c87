//! The CRM's side of a test: answers by route, and which request gets which.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Sent;
use crate::Failure;

/// A recorded reply, as it stands in a file of them.
///
/// ```json
/// [{"route": "find-by-phone", "when": {"url": "phone=%2B5511"}, "status": 200, "body": {"results": []}}]
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The route.
    pub route: String,
    /// Which requests of the route it is for; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After` in seconds, for a 429 or a 503.
    #[serde(default, rename = "retry-after", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// The JSON of the answer, whole: the route's `receive` is applied to it. Invented data only.
    #[serde(default)]
    pub body: Value,
}

/// Which requests an answer is for. All that is said must fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The address holds this text, encoded as it leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The body holds this: for an object, these fields; for anything else, the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl When {
    /// Requests whose address holds this text, encoded as it leaves.
    pub fn url(part: impl Into<String>) -> Self {
        Self { url: Some(part.into()), body: None }
    }
    /// Requests whose body holds this.
    pub fn body(part: Value) -> Self {
        Self { url: None, body: Some(part) }
    }

    fn fits(&self, sent: &Sent) -> bool {
        self.url.as_ref().is_none_or(|part| sent.url.contains(part))
            && self.body.as_ref().is_none_or(|part| holds(&sent.body, part))
    }
}

/// Whether `whole` has all of `part`.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| holds(whole, part))
        }
        _ => whole == part,
    }
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Http { status: u16, body: Value, retry_after: Option<u32> },
    Failure(Failure),
}

/// The answers of one test.
#[derive(Debug, Default)]
pub(super) struct Answers {
    routes: BTreeMap<String, Route>,
}

#[derive(Debug, Default)]
struct Route {
    /// In the order of the test; the first that fits.
    conditional: Vec<(When, Answer)>,
    /// One after the other; the last one stays.
    others: VecDeque<Answer>,
}

impl Answers {
    pub(super) fn add(&mut self, route: &str, when: Option<When>, answer: Answer) {
        let route = self.routes.entry(route.to_owned()).or_default();
        match when {
            Some(when) => route.conditional.push((when, answer)),
            None => route.others.push_back(answer),
        }
    }

    /// The answer for a request, if the test has one.
    pub(super) fn take(&mut self, sent: &Sent) -> Option<Answer> {
        let route = self.routes.get_mut(&sent.route)?;
        if let Some((_, answer)) = route.conditional.iter().find(|(when, _)| when.fits(sent)) {
            return Some(answer.clone());
        }
        match route.others.len() {
            0 | 1 => route.others.front().cloned(),
            _ => route.others.pop_front(),
        }
    }
}
