//! The bodies of Tryton's action `search_read`, and its pages: Tryton counts from an offset.

use ramal_sdk::offset::Window;
use ramal_sdk::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::settings::Settings;

/// The most records that one page has.
pub(crate) const PAGE: u32 = 200;

/// The body of a `search_read`.
#[derive(Debug, Serialize)]
pub(crate) struct SearchRead {
    domain: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    order: Vec<Value>,
    fields_names: Vec<&'static str>,
}

impl SearchRead {
    /// What is looked for, in Tryton's own form.
    pub(crate) fn new(domain: Value) -> Self {
        Self { domain, limit: None, offset: None, order: Vec::new(), fields_names: Vec::new() }
    }
    /// Which fields come back.
    pub(crate) fn fields(mut self, names: &[&'static str]) -> Self {
        self.fields_names.extend(names);
        self
    }
    /// Sorted by name, and by number where names are the same, so that pages do not overlap.
    pub(crate) fn by_name(mut self) -> Self {
        self.order = vec![json!(["name", "ASC"]), json!(["id", "ASC"])];
        self
    }
    /// In the order in which the records were made.
    pub(crate) fn oldest_first(mut self) -> Self {
        self.order = vec![json!(["id", "ASC"])];
        self
    }
    /// The oldest of a date first, and by number where the dates are the same.
    pub(crate) fn oldest_by(mut self, date: &'static str) -> Self {
        self.order = vec![json!([date, "ASC"]), json!(["id", "ASC"])];
        self
    }
    /// The latest of a date first.
    pub(crate) fn latest_first(mut self, date: &'static str) -> Self {
        self.order = vec![json!([date, "DESC"]), json!(["id", "DESC"])];
        self
    }
    /// At most so many.
    pub(crate) fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
    /// A page, and one record more.
    pub(crate) fn page(mut self, window: Window) -> Self {
        self.limit = Some(window.limit_and_one());
        self.offset = Some(window.offset());
        self
    }
}

/// The records that a route finds.
pub(crate) fn found<T: DeserializeOwned>(
    cx: &Cx<Settings>,
    route: &str,
    body: &SearchRead,
) -> Result<Vec<T>> {
    found_in(cx, cx.egress().post(route, params! {}, body)?)
}

/// The records of an answer. A search that finds nothing gives an empty list, so 404 has another meaning here:
/// taken for a missing record, a wrong setting would look like a CRM without customers.
pub(crate) fn found_in<T: DeserializeOwned>(cx: &Cx<Settings>, reply: Reply) -> Result<Vec<T>> {
    known_database(cx, reply)?.json()
}

/// The answer, unless there is no such database.
pub(crate) fn known_database(cx: &Cx<Settings>, reply: Reply) -> Result<Reply> {
    if reply.status() == 404 {
        return Err(Error::Invalid(format!(
            "Tryton has no database `{}` at this address; correct the settings `server` and `database`",
            cx.settings().database
        )));
    }
    Ok(reply)
}
