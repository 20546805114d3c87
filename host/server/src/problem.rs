//! Every error as `application/problem+json` (RFC 9457), with a code that clients may rely on and, beside what was
//! wrong, what to do. The texts are fixed ones or name fields and limits: never a value that was sent, since it may be
//! a customer's.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// What kind of problem it is. The codes are part of the API: one is never given another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum ProblemCode { $($(#[$doc])* $variant),+ }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word in `code` and at the end of `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }
            /// A short text that does not change from case to case.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

codes! {
    /// No such address.
    NotFound = "not-found", NOT_FOUND, "There is nothing at this address";
    /// The address does not take this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "This address does not take this method";
    /// The body is not JSON by its header.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON";
    /// The body is longer than allowed.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body did not come in time.
    BodyTooSlow = "body-too-slow", REQUEST_TIMEOUT, "The body did not come in time";
    /// The connection broke while the body came.
    BodyIncomplete = "body-incomplete", BAD_REQUEST, "The body is incomplete";
    /// The body is no JSON.
    NotJson = "not-json", BAD_REQUEST, "The body is not JSON";
    /// The body is JSON, but not what is expected here.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "The content is not valid";
    /// A query parameter is missing or wrong.
    BadQuery = "bad-query", BAD_REQUEST, "The query is not valid";
    /// No token, or a wrong one.
    Unauthorized = "unauthorized", UNAUTHORIZED, "This needs an API token";
    /// No such source of events.
    SourceUnknown = "source-unknown", UNAUTHORIZED, "No source of events has this name";
    /// No channel of this name.
    ChannelUnknown = "channel-unknown", NOT_FOUND, "No channel has this name";
    /// The provider did not prove who it is.
    ChannelUnproved = "channel-unproved", FORBIDDEN, "The provider is not proved";
    /// Bytes that are none of the provider's.
    ChannelUnreadable = "channel-unreadable", BAD_REQUEST, "The provider's request cannot be read";
    /// No hook of this address, or none that is granted.
    HookUnknown = "hook-unknown", NOT_FOUND, "No hook has this address";
    /// The secret that proves the sender is not stored.
    HookNotReady = "hook-not-ready", SERVICE_UNAVAILABLE, "The hook is not ready";
    /// No signature.
    SignatureMissing = "signature-missing", UNAUTHORIZED, "The event is not signed";
    /// A signature that cannot be read.
    SignatureMalformed = "signature-malformed", UNAUTHORIZED, "The signature cannot be read";
    /// A signature of another time.
    SignatureExpired = "signature-expired", UNAUTHORIZED, "The signature's time is off";
    /// A signature that does not fit.
    SignatureWrong = "signature-wrong", UNAUTHORIZED, "The signature does not fit";
    /// The server was called by a name that is not its own.
    WrongHost = "wrong-host", MISDIRECTED_REQUEST, "This server does not go by that name";
    /// A page of another site sent the request.
    WrongOrigin = "wrong-origin", FORBIDDEN, "Another site's page may not do this";
    /// The first that was heard of the call is not that it rings.
    CallUnknown = "call-unknown", CONFLICT, "The call is not known";
    /// The event contradicts where the call stands.
    WrongTransition = "wrong-transition", CONFLICT, "The call cannot go there from where it stands";
    /// The cause contradicts that the call was answered.
    WrongCause = "wrong-cause", CONFLICT, "The call cannot end for this cause";
    /// One event id for two calls.
    EventIdReused = "event-id-reused", CONFLICT, "The event id belongs to another call";
    /// One idempotency key for two requests.
    IdempotencyKeyReused = "idempotency-key-reused", CONFLICT, "The key belongs to another request";
    /// Too many events of one call at once.
    Contended = "contended", SERVICE_UNAVAILABLE, "Too many events of this call at once";
    /// Nobody here can do something with this call.
    CallNotControlled = "call-not-controlled", CONFLICT, "The call is not this host's to change";
    /// The call does not stand as the order needs it.
    CallWrongState = "call-wrong-state", CONFLICT, "The call does not stand so that this can be done";
    /// The exchange did not do it.
    CallControlFailed = "call-control-failed", BAD_GATEWAY, "The exchange did not do it";
    /// The exchange cannot be asked.
    ChannelOffline = "channel-offline", SERVICE_UNAVAILABLE, "The channel is not connected";
    /// Nothing can be sent by this channel.
    ChannelOnlyReceives = "channel-only-receives", CONFLICT, "The channel does not send this";
    /// The customer wrote too long ago for a free answer.
    WindowClosed = "window-closed", CONFLICT, "The customer wrote too long ago for a free answer";
    /// The customer cannot be reached by this channel.
    ContactNotReachable = "contact-not-reachable", CONFLICT, "The customer cannot be reached by this channel";
    /// The provider did not take the message.
    MessageNotSent = "message-not-sent", BAD_GATEWAY, "The provider did not take the message";
    /// The provider did not give the file.
    FileNotFetched = "file-not-fetched", BAD_GATEWAY, "The file could not be fetched";
    /// The credential cannot be connected in a browser as it stands.
    CredentialNotConnectable = "credential-not-connectable", CONFLICT, "The account cannot be connected like this";
    /// The plugin did not load.
    PluginNotLoaded = "plugin-not-loaded", CONFLICT, "The plugin is not loaded";
    /// Too many readers of live events.
    TooManyReaders = "too-many-readers", SERVICE_UNAVAILABLE, "Too many readers of live events";
    /// The server is going down.
    ShuttingDown = "shutting-down", SERVICE_UNAVAILABLE, "The server is shutting down";
    /// The database failed.
    StoreFailed = "store-failed", SERVICE_UNAVAILABLE, "The database failed";
    /// The server cannot do its work yet, or no longer.
    NotReady = "not-ready", SERVICE_UNAVAILABLE, "The server is not ready";
    /// A defect of the server.
    Internal = "internal", INTERNAL_SERVER_ERROR, "A defect in the server";
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where, as a JSON pointer (RFC 6901).
    #[schema(example = "/from")]
    pub pointer: String,
    /// What is wrong and what to do.
    pub detail: String,
}

/// A problem, as RFC 9457 describes it, with a code and a hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A URI for the kind of problem; the code stands at its end.
    #[serde(rename = "type")]
    #[schema(example = "urn:ramal:problem:signature-wrong")]
    kind: String,
    /// The kind of problem in words.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 401)]
    status: u16,
    /// The kind of problem as a word for programs.
    code: ProblemCode,
    /// What was wrong this time.
    detail: Box<str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<Box<str>>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// After how many seconds it is worth to try again; also in `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem; the detail must hold nothing that was sent.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:ramal:problem:{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            code,
            detail: detail.into().into(),
            hint: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }
    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into().into());
        self
    }
    #[must_use]
    pub(crate) fn errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
    /// Its code.
    pub fn code(&self) -> ProblemCode {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let (unauthorized, retry_after) = (self.code == ProblemCode::Unauthorized, self.retry_after);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<ramal_center::CenterError> for Problem {
    fn from(error: ramal_center::CenterError) -> Self {
        use ramal_center::CenterError as E;
        let code = match &error {
            E::UnknownCall { .. } => ProblemCode::CallUnknown,
            E::WrongTransition { .. } => ProblemCode::WrongTransition,
            E::WrongCause { .. } => ProblemCode::WrongCause,
            // What REST asks for; the events of calls never end in these.
            E::UnknownInteraction | E::UnknownMessage => ProblemCode::NotFound,
            E::WrongKind { .. }
            | E::Nobody
            | E::BadText { .. }
            | E::UnknownPlugin
            | E::NoJournal
            | E::NoWebPage => ProblemCode::Invalid,
            E::EventIdReused => ProblemCode::EventIdReused,
            E::RequestIdReused => ProblemCode::IdempotencyKeyReused,
            E::Contended => return Self::new(ProblemCode::Contended, error.to_string()).retry_after(1),
            E::ShuttingDown => return Self::new(ProblemCode::ShuttingDown, error.to_string()).retry_after(5),
            E::Broken => ProblemCode::Internal,
            E::Store(_) => return Self::store(),
        };
        // These texts are written for whoever sends events: "what is wrong: what to do".
        let text = error.to_string();
        match text.split_once(": ") {
            Some((detail, hint)) => Self::new(code, detail).hint(hint),
            None => Self::new(code, text),
        }
    }
}

impl Problem {
    /// The database failed. Why is for the operator: it stands in the log and in `/readyz`, not here.
    pub(crate) fn store() -> Self {
        Self::new(ProblemCode::StoreFailed, "the database did not take it; nothing was stored")
            .hint("try again; if it stays so, the host's log and /readyz say why")
            .retry_after(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_what_clients_were_told() {
        let table: Vec<String> = ProblemCode::ALL
            .iter()
            .map(|c| {
                assert_eq!(serde_json::to_value(c).unwrap(), c.as_str());
                format!("{} {} {}", c.status().as_u16(), c.as_str(), c.title())
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let problem = Problem::new(ProblemCode::Invalid, "2 fields are wrong")
            .hint("see /openapi.json")
            .errors(vec![FieldProblem { pointer: "/from".into(), detail: "missing".into() }]);
        insta::assert_json_snapshot!(problem);
    }
}
