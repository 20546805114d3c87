//! What a CRM sends by itself is cut down before it is stored: whatever the body and the headers, what is kept is what the
//! manifest lists, and keeping it again changes nothing.
//!
//! Input: the value of the header `X-Acme-Event` in the first line, the body after it.

use serde_json::Value;

use super::plan::{plan, text};

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    let line = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (head, body) = data.split_at(line);
    let (event, body) = (text(head), body.get(1..).unwrap_or_default());
    let Some(hook) = plan().hooks().next() else { panic!("the fixed plan has a hook") };
    let headers = [("x-acme-event", event), ("x-acme-other", "not listed"), ("cookie", "not listed")];
    let listed = match hook.listed(headers, body) {
        Ok(listed) => listed,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    for (name, value) in &listed.headers {
        assert_eq!(name, "x-acme-event", "a header that is not listed");
        assert!(["changed", "deleted"].contains(&value.as_str()), "a header that does not fit its type");
    }
    let Ok(kept) = serde_json::from_str::<Value>(listed.body.expose()) else { panic!("kept, and no JSON") };
    keys(&kept, &["event", "contact", "at"]);
    if let Some(contact) = kept.get("contact") {
        keys(contact, &["id", "name", "phone"]);
        assert!(contact.get("phone").is_none_or(Value::is_string), "a number of another shape");
    }
    let event = kept.get("event").and_then(Value::as_str);
    assert!(event.is_none_or(|event| ["changed", "deleted"].contains(&event)), "a word that is not listed");
    match hook.listed(headers, listed.body.expose().as_bytes()) {
        Ok(again) => assert_eq!(again.body.expose(), listed.body.expose(), "kept again it is another body"),
        Err(fault) => panic!("what was kept is refused: {fault}"),
    }
}

fn keys(value: &Value, allowed: &[&str]) {
    for key in value.as_object().into_iter().flat_map(|object| object.keys()) {
        assert!(allowed.contains(&key.as_str()), "a key that the hook does not list");
    }
}
