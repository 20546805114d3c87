//! The plugin under the host's own rules, without wasm or server. The answers are those of a Tryton 8.2, cut to what
//! matters; every person, number and address is invented.

mod changes;
mod contacts;
mod erase;
mod journal;
mod others;
mod subject;

use ramal_sdk::testing::{Host, Sent};
use serde_json::{Value, json};

/// A host that grants all, for one purpose.
fn host(purpose: &str) -> Host {
    host_with(purpose, json!({"server": "http://127.0.0.1:8000", "database": "crm"}))
}

fn host_with(purpose: &str, settings: Value) -> Host {
    Host::new(include_str!("../plugin.toml")).settings(settings).grant_all().purpose(purpose)
}

/// A party as `search_read` gives it: nested records under a name with a dot.
fn party() -> Value {
    json!({
        "id": 2, "name": "Maria da Silva",
        "create_date": moment(20, 1, 38), "write_date": moment(20, 5, 7),
        "contact_mechanisms.": [
            {"id": 1, "type": "mobile", "value": "+55 11 98765-4321", "value_compact": "+5511987654321"},
            {"id": 2, "type": "email", "value": "maria@example.com", "value_compact": "maria@example.com"},
            {"id": 3, "type": "website", "value": "https://maria.example.com"},
        ],
    })
}

/// The same as a GET or PUT gives it.
fn party_of_get() -> Value {
    let mut party = party();
    let mechanisms = party.as_object_mut().unwrap().remove("contact_mechanisms.").unwrap();
    party["contact_mechanisms"] = mechanisms;
    party["__name__"] = json!("party.party");
    party
}

fn moment(hour: u32, minute: u32, second: u32) -> Value {
    json!({"__class__": "datetime", "year": 2026, "month": 11, "day": 23, "hour": hour, "minute": minute,
        "second": second, "microsecond": 680_443})
}

/// What stands in the query's field `d`, decoded.
fn domain(sent: &Sent) -> Value {
    let (_, query) = sent.url.split_once("?d=").unwrap();
    let encoded = query.split('&').next().unwrap().replace("%3D", "=");
    serde_json::from_slice(&data_encoding::BASE64URL.decode(encoded.as_bytes()).unwrap()).unwrap()
}

/// The context that a request carries.
fn context(sent: &Sent) -> Value {
    let (_, encoded) = sent.headers.iter().find(|(name, _)| name == "X-Tryton-Context").unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL.decode(encoded.as_bytes()).unwrap()).unwrap()
}
