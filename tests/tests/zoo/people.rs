//! The people of the zoo and what the CRM knows of them. All of it is invented.

use serde_json::{Value, json};

pub(crate) const PHONE: &str = "+5511900000021";
pub(crate) const OTHER_PHONE: &str = "+5521900000034";
pub(crate) const NAME: &str = "Ana Lima Inventada";
pub(crate) const EMAIL: &str = "ana.lima@example.invalid";
pub(crate) const DOCUMENT: &str = "123.456.789-09";
/// The secret of the CRM's API, which no plugin may see.
pub(crate) const TOKEN: &str = "zoo-key-5f1e0c9a7b";

/// Everything that must not be where it does not belong.
pub(crate) const PERSONAL: &[&str] = &[PHONE, OTHER_PHONE, NAME, EMAIL, DOCUMENT, TOKEN];

/// What a good CRM answers.
pub(crate) fn found() -> Value {
    json!({
        "total": 1,
        "items": [{"id": "c-0001", "name": NAME, "phone": PHONE, "email": EMAIL, "document": DOCUMENT}],
    })
}
