//! `POST /v1/events/calls`: an exchange tells what happened to a call.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use ramal_center::CenterError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event_body;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Source;
use crate::signature::{HEADER, Signature};
use crate::state::AppState;

/// The longest body of an event, in bytes.
pub(crate) const LONGEST_BODY: usize = 64 * 1024;
/// How long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(10);

/// One event of one call.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[allow(dead_code, reason = "the shape for OpenAPI; `event_body` reads it with better errors")]
pub(crate) enum CallEventBody {
    /// The call rings.
    Ringing {
        /// The provider's identifier of the event, 1 to 128 visible ASCII characters: the same id is the same event.
        event_id: String,
        /// The provider's identifier of the call, the same in all its events.
        call_id: String,
        /// When it happened (RFC 3339); now when it is left out.
        #[schema(format = DateTime)]
        at: Option<String>,
        /// The caller's number, in E.164 or as it is dialled in the tenant's country; `null` when it was withheld.
        #[schema(required = true, example = "+5511987654321")]
        from: Option<String>,
        /// The number that was called.
        to: Option<String>,
        /// The queue that the call waits in.
        queue: Option<String>,
        /// `fixed` or `mobile`: on which kind of line; `fixed` when it is left out.
        channel: Option<String>,
        /// `inbound`, `outbound` or `internal`; `inbound` when it is left out. Of an outbound call `to` is the customer.
        direction: Option<String>,
    },
    /// Somebody took the call.
    Answered {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
        /// Who took it.
        agent: Option<String>,
    },
    /// The other side was asked to wait on the line.
    Held {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
    },
    /// The talk goes on.
    Resumed {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
    },
    /// It waits in another queue.
    Queued {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
        /// Which.
        queue: Option<String>,
    },
    /// It was handed on.
    Transferred {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
        /// To whom.
        agent: Option<String>,
        /// To which queue.
        queue: Option<String>,
    },
    /// A recording began; `recording-paused`, `recording-resumed` and `recording-deleted` have the same fields.
    RecordingStarted {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
        /// The recording, the same in all its events.
        #[schema(format = "uuid")]
        recording: String,
    },
    /// A recording can be heard.
    RecordingReady {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
        /// As in `recording-started`.
        #[schema(format = "uuid")]
        recording: String,
        /// How long it is, in milliseconds.
        duration_ms: u64,
        /// The digest of the sound, with its algorithm.
        #[schema(example = "sha512-V-q4c7iQVOzHeixEcDgPnTpOwK9oDhoCa4eXUHHavIAU")]
        digest: Option<String>,
    },
    /// The call is over.
    Ended {
        /// As in `ringing`.
        event_id: String,
        /// As in `ringing`.
        call_id: String,
        /// As in `ringing`.
        #[schema(format = DateTime)]
        at: Option<String>,
        /// `completed`, `missed`, `abandoned`, `busy`, `rejected`, `failed`, `no-answer` or `voicemail`.
        cause: String,
        /// Why, in the provider's own word or number.
        provider_cause: Option<String>,
    },
}

/// What became of the event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EventTaken {
    /// Ramal's identifier of the call.
    #[schema(format = "uuid")]
    pub(crate) interaction: String,
    /// Where the call stands now.
    #[schema(example = "ringing")]
    pub(crate) state: String,
    /// The event changed nothing: it, or what it says, was known.
    pub(crate) repeated: bool,
}

/// Take an event of a call
///
/// The number is shown at once, the customer's card when the CRMs answer. Events may come more than once and in any
/// order; an event that is sent again is answered with 200 and `"repeated": true`.
#[utoipa::path(
    post, path = "/v1/events/calls", tag = "events",
    params(
        ("source" = String, Query, description = "The name of the source in ramal.toml"),
        ("Ramal-Signature" = String, Header, description = "`t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, \"<t>.\" + raw body)>`; `t` may be 300 seconds off; several `v1` may stand there while the secret is changed"),
    ),
    request_body(content = CallEventBody, description = "At most 64 KiB"),
    responses(
        (status = 202, description = "Stored; look-ups go on", body = EventTaken),
        (status = 200, description = "Known already; nothing changed", body = EventTaken),
        (status = 401, description = "Unknown source, or the signature is missing, malformed, expired or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The event contradicts where the call stands", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON by its header", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not stored; send it again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_call_event(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    require_json(&headers)?;
    let source = query_value(query.as_deref(), "source").ok_or_else(|| {
        Problem::new(ProblemCode::BadQuery, "the address has no `source`")
            .hint("add `?source=` and the name of a `[[tenant.source]]` in ramal.toml")
    })?;
    let source = state.registry().source(&source).ok_or_else(|| {
        Problem::new(ProblemCode::SourceUnknown, "no source has the name in the address")
            .hint("use the `id` of a `[[tenant.source]]` in ramal.toml")
    })?;
    // Before the body is read: who cannot sign costs nothing.
    let signature = Signature::read(signature_header(&headers), Timestamp::now().as_second())?;
    let body = read_body(body).await?;
    accept(&state, source, &signature, &body).await
}

/// The road of every event, real or practised: proved, read, handled.
pub(crate) async fn accept(
    state: &AppState,
    source: &Source,
    signature: &Signature,
    body: &[u8],
) -> Result<Response, Problem> {
    signature.verify(&source.keys, body)?;
    let event = event_body::read(body, source.region, Timestamp::now())?;
    let handled = state.center().handle(source.origin.clone(), event).await.map_err(|error| {
        match &error {
            CenterError::Store(cause) => tracing::error!(error = %chain(cause), "an event was not stored"),
            other => {
                tracing::warn!(source = %source.origin.source, code = other.code(), "an event was refused")
            }
        }
        Problem::from(error)
    })?;
    let taken = EventTaken {
        interaction: handled.interaction.to_string(),
        state: handled.state.to_string(),
        repeated: handled.repeated,
    };
    let status = if handled.repeated { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(taken)).into_response())
}

pub(crate) fn signature_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER)?.to_str().ok()
}

pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::UnsupportedMediaType, "the body is not declared as JSON")
        .hint("send `Content-Type: application/json`"))
}

pub(crate) async fn read_body(body: Body) -> Result<Bytes, Problem> {
    read_at_most(body, LONGEST_BODY).await
}

/// A body of at most so many bytes, in time.
pub(crate) async fn read_at_most(body: Body, most: usize) -> Result<Bytes, Problem> {
    let collected =
        tokio::time::timeout(BODY_TIME, Limited::new(body, most).collect()).await.map_err(|_| {
            Problem::new(
                ProblemCode::BodyTooSlow,
                format!("the body took longer than {} seconds", BODY_TIME.as_secs()),
            )
            .hint("send it again")
        })?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Problem::new(ProblemCode::BodyTooLarge, format!("the body is longer than {most} bytes"))
                .hint("one event is one small object; send one event in each request"))
        }
        Err(_) => {
            Err(Problem::new(ProblemCode::BodyIncomplete, "the connection broke before the body's end")
                .hint("send it again"))
        }
    }
}

/// The first value of a query parameter.
pub(crate) fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

/// An error with all its sources, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
