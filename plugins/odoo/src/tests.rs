//! The plugin under the host's own rules, without wasm or server. The answers are those of an Odoo 19, cut to what
//! matters; every person, number and address is invented.

mod changes;
mod contacts;
mod erase;
mod journal;
mod others;
mod subject;

use ramal_sdk::testing::Host;
use serde_json::{Value, json};

/// A host that grants all, for one purpose.
fn host(purpose: &str) -> Host {
    host_with(purpose, json!({"server": "http://127.0.0.1:8069", "database": "crm"}))
}

fn host_with(purpose: &str, settings: Value) -> Host {
    Host::new(include_str!("../plugin.toml")).settings(settings).grant_all().purpose(purpose)
}

/// A contact as `search_read` gives it, with more than was asked for.
fn partner() -> Value {
    json!({
        "id": 8, "name": "Maria da Silva", "display_name": "Padaria Estrela Ltda, Maria da Silva",
        "phone": "(11) 98765-4321", "email": "maria@example.com", "parent_id": [5, "Padaria Estrela Ltda"],
        "company_name": false, "user_id": [7, "Vera Vendedora"], "write_date": "2026-11-23 20:05:07",
        "phone_mobile_search": false, "vat": "111.444.777-35", "create_uid": [2, "Administrator"],
    })
}

/// A refusal as Odoo writes it: with the values that led to it and its own source.
fn refusal(name: &str) -> Value {
    json!({
        "name": name, "message": "Maria da Silva (+5511987654321)", "arguments": ["+5511987654321"], "context": {},
        "debug": "Traceback (most recent call last):\n  File \"/usr/lib/odoo/http.py\", line 1",
    })
}

/// That an error tells nothing of a refusal but what stands in the plugin.
fn tells_nothing(error: &ramal_sdk::Error) {
    let text = format!("{error:?} {error}");
    for word in ["Maria", "98765", "Traceback", "http.py"] {
        assert!(!text.contains(word), "{text}");
    }
}
