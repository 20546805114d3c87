//! Whatever JSON a plugin sends, what leaves is JSON with the route's own keys, every seal in it opened in a
//! place of its class, and a refusal repeats no value.
//!
//! Input: the body; `@0`, `@1` and `@2` stand for seals of a telephone number, a name and a note.

use super::plan::{NAME, assert_no_canary, begin, plan, seals, text, with_seals};
use ramal_capability::{DataClass, EgressCall, Purpose};
use serde_json::Value;

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    let text = text(data);
    let Some(mut call) = begin(plan(), Purpose::Journal) else {
        panic!("the fixed plan admits a journal entry")
    };
    let seals = seals(&mut call);
    let body = with_seals(text, &seals);
    let prepared = match call.prepare(&EgressCall { route: "log".into(), params: vec![], body: Some(body) }) {
        Ok(prepared) => prepared,
        Err(failure) => return assert_no_canary("the refusal", &failure.to_string()),
    };
    let Some(body) = prepared.body() else { panic!("a route with `send` has a body") };
    let Ok(body) = serde_json::from_str::<Value>(body.expose()) else { panic!("a body that is no JSON") };
    keys(&body, &["kind", "seconds", "text", "who", "options"]);
    if let Some(who) = body.get("who") {
        who.as_array().into_iter().flatten().for_each(|one| keys(one, &["phone", "name"]));
    }
    assert!(!body.to_string().contains("sealed_"), "a seal that left unopened");
    // A name has one place in this route.
    let mut rest = body.clone();
    for one in rest.get_mut("who").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(one) = one.as_object_mut() {
            one.remove("name");
        }
    }
    assert!(!rest.to_string().contains(NAME) || text.contains(NAME), "a name at another class's place");
    let named = prepared.disclosed().iter().any(|d| d.class == DataClass::ContactName);
    assert!(
        named || !body.to_string().contains(NAME) || text.contains(NAME),
        "a disclosure that nobody counted"
    );
}

fn keys(value: &Value, allowed: &[&str]) {
    let keys = value.as_object().into_iter().flat_map(|object| object.keys());
    for key in keys {
        assert!(allowed.contains(&key.as_str()), "a key that the route does not list");
    }
}
