//! What Odoo answers, before a record is read from it: refusals, pages, and fields that hold nothing.
//!
//! One status says several things here: 404 is a record that is gone, a method that this version lacks, and a
//! database that is not there. Which of them is told by the name of the exception, the only thing that is taken
//! from a refusal: its text quotes records, and its `debug` the server's source.

use ramal_sdk::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::settings::Settings;

/// The most records of one request.
const MOST: u32 = 200;

/// A refusal, as `receive-error` leaves it.
#[derive(Default, Deserialize)]
struct Refusal {
    name: Option<String>,
}

/// The answer, unless it is a refusal.
pub(crate) fn accepted(cx: &Cx<Settings>, route: &str, reply: Reply) -> Result<Reply> {
    if reply.is_success() {
        return Ok(reply);
    }
    let refusal: Refusal = reply.json_of_any_status().unwrap_or_default();
    match (reply.status(), refusal.name.as_deref()) {
        (404, Some("odoo.exceptions.MissingError")) => Err(Error::NotFound),
        (404, Some(_)) => Err(Error::Invalid(format!(
            "route `{route}`: Odoo has no such model or method; the plugin is for Odoo 19 with the app CRM"
        ))),
        // A page for people: no database was chosen, so that nobody in Odoo heard the question.
        (404, None) => Err(Error::Invalid(format!(
            "Odoo has no database `{}` at this address; correct the settings `server` and `database`",
            cx.settings().database
        ))),
        (403, _) => Err(Error::Denied(format!(
            "route `{route}`: Odoo does not let the key's user do this; put the user into the groups that the plugin's \
             README names"
        ))),
        (422, Some("odoo.exceptions.UserError" | "odoo.exceptions.ValidationError")) => {
            Err(Error::Invalid(format!("route `{route}`: Odoo refuses the data; its own log says why")))
        }
        _ => reply.success(),
    }
}

/// The records that a route finds.
pub(crate) fn found<T: DeserializeOwned>(cx: &Cx<Settings>, route: &str, body: &Value) -> Result<Vec<T>> {
    let reply = cx.egress().post(route, params! {}, body)?;
    accepted(cx, route, reply)?.json()
}

/// All records that a route finds, page by page.
pub(crate) fn all<T: DeserializeOwned>(cx: &Cx<Settings>, route: &str, body: &Value) -> Result<Vec<T>> {
    let mut records: Vec<T> = Vec::new();
    loop {
        let mut body = body.clone();
        if let Value::Object(body) = &mut body {
            body.insert("limit".into(), MOST.into());
            body.insert("offset".into(), records.len().into());
        }
        let page: Vec<T> = found(cx, route, &body)?;
        let last = page.len() < MOST as usize;
        records.extend(page);
        if last {
            return Ok(records);
        }
    }
}

/// How Odoo writes "nothing": `false`, where other CRMs have `null`. Sealed like any other value it would stand on a card
/// as a number called `false`; so each value is compared with one that is known to be nothing.
#[derive(Clone, Default)]
pub(crate) struct Nothing(Option<Text>);

impl Nothing {
    /// From a field that never holds anything.
    pub(crate) fn seen_in(field: Option<Text>) -> Self {
        Self(field)
    }

    /// The value, if it is one.
    pub(crate) fn filter(&self, cx: &Cx<Settings>, value: Option<Text>) -> Option<Text> {
        let value = value?.non_empty()?;
        if !value.is_sealed() {
            return (value.as_str() != "false").then_some(value);
        }
        let nothing = self.0.as_ref().is_some_and(|nothing| {
            // Past the comparisons that the grant allows, a line too many is better than one too few.
            cx.text().same(nothing, &value).unwrap_or(false)
        });
        (!nothing).then_some(value)
    }
}
