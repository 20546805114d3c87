//! Why a plugin's function did not succeed, in the terms that delivery understands.
//!
//! Texts are for operators. The host masks what looks personal in them, and the SDK's own texts are built so
//! that there is nothing to mask: a JSON error says what kind of value stood where, never the value.

use std::fmt;

use crate::{Failure, StoreFailure};

/// The result of a plugin's function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a function did not succeed. The variants decide whether and when delivery tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// This plugin does not offer this function.
    Unsupported,
    /// The CRM has no such record.
    NotFound,
    /// The host or the CRM forbids it. Not retried.
    Denied(String),
    /// The CRM refuses the data. Not retried until somebody changes it.
    Invalid(String),
    /// The credential is missing or no longer accepted. Retried after a person has renewed it.
    AuthExpired,
    /// Too many requests; retry after so many seconds, if known.
    RateLimited(Option<u32>),
    /// Worth another try: the CRM is slow, down or busy.
    Transient(String),
    /// Another try will not help.
    Permanent(String),
    /// A failure that no case above fits.
    Other {
        /// A stable code in the plugin's own words, such as `pipeline-closed`.
        code: String,
        /// What happened, for an operator.
        message: String,
    },
}

impl Error {
    /// A failure with a code of the plugin's own.
    pub fn other(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Other { code: code.into(), message: message.into() }
    }

    /// What an HTTP status that the plugin did not expect means for delivery.
    ///
    /// | status | error |
    /// |---|---|
    /// | 404, 410 | [`NotFound`](Self::NotFound) |
    /// | 403 | [`Denied`](Self::Denied) |
    /// | 400, 409, 413, 415, 422 | [`Invalid`](Self::Invalid) |
    /// | 408, 423, 425, and 500 and more | [`Transient`](Self::Transient) |
    /// | any other | [`Permanent`](Self::Permanent) |
    ///
    /// 401 and 429 never come as a status: they are [`Failure::AuthExpired`] and [`Failure::RateLimited`].
    pub fn from_status(route: &str, status: u16) -> Self {
        let text = format!("route `{route}`: the CRM answered {status}");
        match status {
            404 | 410 => Self::NotFound,
            403 => Self::Denied(text),
            400 | 409 | 413 | 415 | 422 => Self::Invalid(text),
            408 | 423 | 425 | 500.. => Self::Transient(text),
            _ => Self::Permanent(text),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("the plugin does not offer this function"),
            Self::NotFound => f.write_str("the CRM has no such record"),
            Self::Denied(text) => write!(f, "denied: {text}"),
            Self::Invalid(text) => write!(f, "the CRM refuses the data: {text}"),
            Self::AuthExpired => f.write_str("the credential is missing or no longer accepted"),
            Self::RateLimited(None) => f.write_str("too many requests"),
            Self::RateLimited(Some(seconds)) => write!(f, "too many requests, retry after {seconds} s"),
            Self::Transient(text) => write!(f, "failed for now: {text}"),
            Self::Permanent(text) => write!(f, "failed: {text}"),
            Self::Other { code, message } => write!(f, "{code}: {message}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(text) => Self::Denied(text),
            Failure::Unavailable(text) => Self::Transient(text),
            Failure::Timeout => Self::Transient("no answer in the time that the grant allows".into()),
            Failure::TooLarge => {
                Self::Permanent("the request or its answer is larger than the grant allows".into())
            }
            Failure::RateLimited(seconds) => Self::RateLimited(seconds),
            Failure::AuthExpired => Self::AuthExpired,
            Failure::Unsendable(text) => Self::Permanent(text),
        }
    }
}

impl From<StoreFailure> for Error {
    fn from(failure: StoreFailure) -> Self {
        match failure {
            StoreFailure::Unavailable => Self::Transient(failure.to_string()),
            StoreFailure::Full | StoreFailure::Refused(_) => Self::Permanent(failure.to_string()),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Permanent(format!("JSON: {}", parse_failure(&error)))
    }
}

/// What a JSON error says, without the value that it is about: serde quotes values
/// (``invalid type: string "Ana", expected u32``), and values here are customers'.
pub(crate) fn parse_failure(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (message, place) = match last(&text, " at line ") {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    // These name fields of the plugin's own types.
    if message.starts_with("missing field `") || message.starts_with("duplicate field `") {
        return text;
    }
    let kind = ["invalid type", "invalid value", "unknown variant", "unknown field"]
        .into_iter()
        .find(|kind| message.starts_with(kind));
    match (kind, last(message, ", expected ")) {
        (Some(kind), Some(at)) => {
            let got = message.get(kind.len()..at).unwrap_or_default();
            // `: string "Ana"` and `: integer `12`` keep their first words only.
            let got = got.split(['"', '`']).next().unwrap_or_default().trim_end();
            format!("{kind}{got}{}{place}", message.get(at..).unwrap_or_default())
        }
        (Some(kind), None) => format!("{kind}{place}"),
        (None, _) if error.is_data() => format!("a value does not fit its type{place}"),
        // What is left is about the text's form (EOF, a stray character), not about its values.
        (None, _) => text,
    }
}

/// Where a word stands last. Not `str::rfind`, whose search is 2 KB of every component.
fn last(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).rposition(|window| window == word.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read by its Deserialize")]
    struct Row {
        count: u32,
        kind: Option<Kind>,
        #[serde(default)]
        flags: BTreeMap<String, bool>,
    }
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Deal,
        Ticket,
    }

    #[rstest]
    #[case::string_for_number(
        r#"{"count": "Ana"}"#,
        "invalid type: string, expected u32 at line 1 column 15"
    )]
    #[case::value_with_the_marker(
        r#"{"count": "Ana, expected at noon"}"#,
        "invalid type: string, expected u32 at line 1 column 33"
    )]
    #[case::out_of_range(r#"{"count": -5}"#, "invalid value: integer, expected u32 at line 1 column 12")]
    #[case::null(r#"{"count": null}"#, "invalid type: null, expected u32 at line 1 column 14")]
    #[case::variant(
        r#"{"count": 1, "kind": "Ana"}"#,
        "unknown variant, expected `deal` or `ticket` at line 1 column 26"
    )]
    #[case::unknown_field(
        r#"{"Ana": 1}"#,
        "unknown field, expected one of `count`, `kind`, `flags` at line 1 column 6"
    )]
    #[case::missing("{}", "missing field `count` at line 1 column 2")]
    #[case::broken("{", "EOF while parsing an object at line 1 column 1")]
    fn json_errors_say_what_and_where_without_the_value(#[case] json: &str, #[case] text: &str) {
        let error = serde_json::from_str::<Row>(json).unwrap_err();
        assert_eq!(parse_failure(&error), text);
        assert!(!parse_failure(&error).contains("Ana"));
    }

    #[rstest]
    #[case::gone(410, Error::NotFound)]
    #[case::forbidden(403, Error::Denied("route `r`: the CRM answered 403".into()))]
    #[case::unprocessable(422, Error::Invalid("route `r`: the CRM answered 422".into()))]
    #[case::locked(423, Error::Transient("route `r`: the CRM answered 423".into()))]
    #[case::server(503, Error::Transient("route `r`: the CRM answered 503".into()))]
    #[case::teapot(418, Error::Permanent("route `r`: the CRM answered 418".into()))]
    fn unexpected_statuses_map_to_what_delivery_does(#[case] status: u16, #[case] error: Error) {
        assert_eq!(Error::from_status("r", status), error);
    }

    #[rstest]
    #[case::denied(Failure::Denied("no".into()), Error::Denied("no".into()))]
    #[case::down(Failure::Unavailable("down".into()), Error::Transient("down".into()))]
    #[case::rate(Failure::RateLimited(Some(7)), Error::RateLimited(Some(7)))]
    #[case::auth(Failure::AuthExpired, Error::AuthExpired)]
    fn egress_failures_become_errors_by_question_mark(#[case] failure: Failure, #[case] error: Error) {
        assert_eq!(Error::from(failure), error);
    }
}
