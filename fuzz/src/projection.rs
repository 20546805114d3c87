//! Whatever a CRM answers, what reaches the plugin is JSON and holds no value that was opened for the request.
//!
//! Input: the status in the first line, the answer's body after it.

use super::plan::{assert_no_canary, begin, plan, seals};
use ramal_capability::{EgressCall, Purpose};

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    let line = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (head, body) = data.split_at(line);
    let status = std::str::from_utf8(head).ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let body = body.get(1..).unwrap_or_default();

    let Some(mut call) = begin(plan(), Purpose::Search) else { panic!("the fixed plan admits a search") };
    let [phone, name, _] = seals(&mut call);
    let find = EgressCall { route: "find".into(), params: vec![("phone".into(), phone)], body: None };
    let by_name = EgressCall { route: "by-name".into(), params: vec![("name".into(), name)], body: None };
    // Both values are opened, so both are canaries in the answer of either.
    let (Ok(find), Ok(_)) = (call.prepare(&find), call.prepare(&by_name)) else {
        panic!("the fixed requests are allowed")
    };
    match call.project(&find, status, body) {
        Ok(reply) => {
            assert_eq!(reply.status, status);
            assert!(
                serde_json::from_str::<serde_json::Value>(&reply.body).is_ok(),
                "a reply that is no JSON"
            );
            assert_no_canary("the reply", &reply.body);
        }
        Err(failure) => assert_no_canary("the failure", &failure.to_string()),
    }
}
