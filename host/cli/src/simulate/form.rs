//! How a provider writes what happened: one small trait for each form, so that a day can be told in any of them.

use jiff::Timestamp;
use ramal_server::{Secret, sign};
use serde_json::json;

use super::day::{Call, Step};

/// One request to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// A provider's form.
pub(super) trait Form {
    /// Path and query of the host's door for it.
    fn target(&self) -> String;

    /// One step of a call. `at` is when it happened, `now` when it is sent, which is what is signed.
    fn step(&self, call: &Call, number: usize, step: Step, at: Timestamp, now: Timestamp) -> Post;
}

/// The host's own signed events.
pub(super) struct SignedEvents {
    source: String,
    secret: Secret,
}

impl SignedEvents {
    pub(super) fn new(source: &str, secret: Secret) -> Self {
        Self { source: source.to_owned(), secret }
    }
}

impl Form for SignedEvents {
    fn target(&self) -> String {
        // A source's name needs no encoding.
        format!("/v1/events/calls?source={}", self.source)
    }

    fn step(&self, call: &Call, number: usize, step: Step, at: Timestamp, now: Timestamp) -> Post {
        let mut event = match step {
            Step::Rings => {
                json!({ "type": "ringing", "from": call.from, "to": call.to, "queue": call.queue })
            }
            Step::Answered { agent } => json!({ "type": "answered", "agent": agent }),
            Step::Ended { cause } => json!({ "type": "ended", "cause": cause }),
        };
        if let Some(event) = event.as_object_mut() {
            event.insert("event_id".to_owned(), format!("{}-{number}", call.id).into());
            event.insert("call_id".to_owned(), call.id.as_str().into());
            event.insert("at".to_owned(), at.to_string().into());
        }
        let body = event.to_string();
        let signature = sign(&self.secret, now.as_second(), body.as_bytes());
        Post { content_type: "application/json", headers: vec![("ramal-signature", signature)], body }
    }
}
