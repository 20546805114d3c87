//! Tries nothing: what a plugin should be. It runs after each of the others, to show that the host is well.

use serde::Deserialize;

use crate::asking::{call, contact, error, words};
use crate::bindings::ramal::crm::egress;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    items: Vec<Person>,
}

#[derive(Deserialize)]
struct Person {
    id: String,
    name: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    email: String,
}

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let answer = egress::send(&call("find", &[("phone", visit.first())]));
    if visit.told.text == "keep" {
        keep(&format!("answer-{}", visit.told.number), &words(&answer));
    }
    let reply = answer.map_err(error)?;
    let found: Found =
        serde_json::from_str(&reply.body).map_err(|_| Error::Permanent("an answer of another shape".to_owned()))?;
    Ok(found
        .items
        .into_iter()
        .map(|person| {
            let mut one = contact(&person.id, &person.name);
            one.phones.push(person.phone);
            one.emails.push(person.email);
            one
        })
        .collect())
}
