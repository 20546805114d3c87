//! Payloads in Meta's form, made up.

use serde_json::{Value, json};

pub(super) const OBJECT: &str = "whatsapp_business_account";
pub(super) const ACCOUNT: &str = "102290129340398";
pub(super) const NUMBER_ID: &str = "106540352242922";

pub(super) fn metadata() -> Value {
    json!({"display_phone_number": "+55 11 3210-0000", "phone_number_id": NUMBER_ID})
}

pub(super) fn around(field: &str, mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    json!({"object": OBJECT, "entry": [{"id": ACCOUNT, "changes": [{"field": field, "value": value}]}]})
}

/// A message of this content from a user with all names.
pub(super) fn inbound(mut part: Value) -> Value {
    part["id"] = json!("wamid.IN1");
    part["from"] = json!("5511987654321");
    part["from_user_id"] = json!("BR.13491208655302741918");
    part["timestamp"] = json!("1763899140");
    let contact = json!({"profile": {"name": "Ana Prado", "username": "anaprado"}, "wa_id": "5511987654321",
        "user_id": "BR.13491208655302741918"});
    around("messages", json!({"metadata": metadata(), "contacts": [contact], "messages": [part]}))
}
