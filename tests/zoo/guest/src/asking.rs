//! Requests, and what came of them in words that a test can compare.

use crate::bindings::ramal::crm::egress::{self, Call, Failure, Reply};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;

/// A request on a route.
pub(crate) fn call(route: &str, params: &[(&str, &str)]) -> Call {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Call { route: route.to_owned(), params, body: None }
}

/// What came of a request, in words.
pub(crate) fn words(answer: &Result<Reply, Failure>) -> String {
    match answer {
        Ok(reply) => format!("{} {}", reply.status, reply.body),
        Err(Failure::Denied(text)) => text.clone(),
        Err(Failure::Unavailable(text)) => format!("unavailable: {text}"),
        Err(Failure::Timeout) => "timeout".to_owned(),
        Err(Failure::TooLarge) => "too large".to_owned(),
        Err(Failure::RateLimited(seconds)) => format!("rate limited: {seconds:?}"),
        Err(Failure::AuthExpired) => "auth expired".to_owned(),
    }
}

/// Sends, keeps what came under `answer`, and fails as the request failed.
pub(crate) fn ask(call: &Call) -> Result<Vec<Contact>, Error> {
    let answer = egress::send(call);
    keep("answer", &words(&answer));
    match answer {
        Ok(_) => Ok(Vec::new()),
        Err(failure) => Err(error(failure)),
    }
}

/// A failed request as a failed call.
pub(crate) fn error(failure: Failure) -> Error {
    match failure {
        Failure::Denied(text) => Error::Denied(text),
        Failure::Unavailable(text) => Error::Transient(text),
        Failure::Timeout => Error::Transient("timeout".to_owned()),
        Failure::TooLarge => Error::Permanent("too large".to_owned()),
        Failure::RateLimited(seconds) => Error::RateLimited(seconds),
        Failure::AuthExpired => Error::AuthExpired,
    }
}

/// A contact with nothing but an id and a name.
pub(crate) fn contact(id: &str, name: &str) -> Contact {
    Contact {
        id: id.to_owned(),
        name: name.to_owned(),
        organization: None,
        phones: Vec::new(),
        emails: Vec::new(),
        owner: None,
        url: None,
        updated: None,
        extra: Vec::new(),
    }
}
