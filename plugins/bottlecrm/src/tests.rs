//! The plugin under the host's own rules, without wasm or server. The answers are those of a BottleCRM 1.35, with what it
//! tells beyond what it is asked for; every person, number and address is invented.

mod changes;
mod contacts;
mod erase;
mod journal;
mod others;

use ramal_sdk::testing::Host;
use serde_json::{Value, json};

const MARIA: &str = "65f3baf2-9f95-4aa3-a18f-0b74831bc7e1";
const SERGIO: &str = "96da70f5-27c7-491e-9a9f-1c410d2380f3";
const ENTRY: &str = "74076ac8-8abb-4d97-9379-7b72882e5b13";

/// A host that grants all, for one purpose.
fn host(purpose: &str) -> Host {
    host_with(purpose, json!({"server": "http://127.0.0.1:8000"}))
}

fn host_with(purpose: &str, settings: Value) -> Host {
    Host::new(include_str!("../plugin.toml")).settings(settings).grant_all().purpose(purpose)
}

/// What BottleCRM says to a token that it does not accept, with 403.
fn not_accepted() -> Value {
    json!({"detail": "Organization context is required. Please login again."})
}

/// What it says to a token that may not, with 403 too.
fn without_scope() -> Value {
    json!({"detail": "This token is not scoped for read access to contacts. It needs the contacts:read scope."})
}

/// A contact on its own page.
fn person() -> Value {
    json!({
        "id": MARIA, "first_name": "Maria", "last_name": "da Silva", "email": "maria@example.com",
        "phone": "(11) 98765-4321", "phone_e164": "+5511987654321", "organization": "Oficina Inventada",
        "title": null, "assigned_to": [{"id": "d09f48db-8ce0-4ae4-9b0f-14b3b882a65c", "role": "USER",
            "user_details": {"email": "vendedora@example.invalid", "name": "Vendedora Exemplo", "last_login": null}}],
        "created_at": "2026-11-23T19:50:46.059907-03:00", "updated_at": "2026-11-23T19:50:46.059918-03:00",
        "org": {"id": "69db6664-bba6-4d1c-a881-be37608e81e8", "name": "Loja Exemplo"}, "custom_fields": {},
    })
}

/// The page of a contact, with what BottleCRM adds to it.
fn page() -> Value {
    json!({
        "contact_obj": person(),
        "countries": [["BR", "Brazil"], ["PT", "Portugal"]],
        "users_mention": [{"user__email": "admin@example.invalid"}],
        "colleagues": [{"id": SERGIO, "first_name": "Sérgio", "last_name": "Prado"}],
        "comments": [], "attachments": [], "tasks": [], "opportunities": [], "cases": [],
        "open_deals": {"count": 0}, "custom_field_definitions": [], "can_delete": true,
    })
}

/// One hit of the search for duplicates.
fn hit(id: &str, name: &str, phone: &str, matched_on: &[&str]) -> Value {
    json!({"id": id, "name": name, "email": "", "phone": phone, "matched_on": matched_on, "can_delete": true})
}

fn hits(all: &[Value]) -> Value {
    json!({"duplicates": all})
}
