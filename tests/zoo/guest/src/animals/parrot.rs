//! Tries: whatever it is told. The setting `text` is a request, in which `$0` and `$1` stand for what the host
//! handed in.

use serde::Deserialize;

use crate::asking::ask;
use crate::bindings::ramal::crm::egress::Call;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

#[derive(Deserialize)]
struct Request {
    route: String,
    #[serde(default)]
    params: Vec<(String, String)>,
    body: Option<String>,
}

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let told: Request = serde_json::from_str(&visit.told.text).expect("the test told a request");
    let fill = |text: String| {
        visit.given.iter().enumerate().fold(text, |text, (at, given)| text.replace(&format!("${at}"), given))
    };
    let params = told.params.into_iter().map(|(name, value)| (fill(name), fill(value))).collect();
    ask(&Call { route: fill(told.route), params, body: told.body.map(fill) })
}
