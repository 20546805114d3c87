//! Simulated calls, only when `ramal.toml` says `practice = true`.
//!
//! A simulated call is an event like any other: it is written as JSON, signed with the key of a source of its own, and
//! goes through the same checks. What works here works for an exchange.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Access, take_cookie};
use crate::events::{EventTaken, accept, read_body, require_json};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Principal;
use crate::signature::{Signature, sign};
use crate::state::AppState;

/// What to simulate.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PracticeCall {
    /// Who calls; one of the invented customers when it is left out.
    #[schema(example = "+5511987654321")]
    number: Option<String>,
}

/// What the page needs to know before it asks for anything else.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// The tenant of the token.
    tenant: String,
    /// Whether calls can be simulated.
    practice: bool,
}

/// Who am I
#[utoipa::path(
    get, path = "/v1/session", tag = "calls", security(("token" = []), ("session" = [])),
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_session(
    State(state): State<AppState>,
    Access(principal): Access,
) -> Json<SessionView> {
    let practice = state.registry().practice(&principal.tenant).is_some();
    Json(SessionView { tenant: principal.tenant.to_string(), practice })
}

/// Log out
///
/// Takes the session's cookie back from the browser that asks. The token stays good until the configuration drops it.
#[utoipa::path(
    delete, path = "/v1/session", tag = "calls", security(("session" = [])),
    responses((status = 204, description = "The browser has no session any more")),
)]
pub(crate) async fn delete_session(State(state): State<AppState>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(&take_cookie(state.secure_cookie())) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// Simulate an incoming call
///
/// Only when `ramal.toml` says `practice = true`; otherwise there is nothing at this address.
#[utoipa::path(
    post, path = "/v1/practice/calls", tag = "practice", security(("token" = []), ("session" = [])),
    request_body(content = PracticeCall, description = "May be `{}`"),
    responses(
        (status = 202, description = "It rings", body = EventTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not in practice", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The number is no telephone number", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_practice_call(
    State(state): State<AppState>,
    Access(principal): Access,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    allowed(&state, &principal)?;
    require_json(&headers)?;
    let body = read_body(body).await?;
    let wanted: PracticeCall = serde_json::from_slice(&body).map_err(|e| {
        Problem::new(
            ProblemCode::Invalid,
            format!("the body is wrong at line {}, column {}", e.line(), e.column()),
        )
        .hint(r#"send `{}` or `{"number": "+551133334444"}`"#)
    })?;
    let number = match wanted.number.filter(|n| !n.trim().is_empty()) {
        Some(number) => number,
        None => state.next_practice_number().ok_or_else(|| {
            Problem::new(ProblemCode::Invalid, "there are no invented customers to choose from")
                .hint(r#"name one: `{"number": "+551133334444"}`"#)
        })?,
    };
    let call_id = Uuid::now_v7().to_string();
    send(&state, &principal, json!({ "call_id": call_id, "type": "ringing", "from": number })).await
}

/// Move a simulated call on
///
/// `answered` or `ended`, as an exchange would tell.
#[utoipa::path(
    post, path = "/v1/practice/calls/{call_id}/{step}", tag = "practice", security(("token" = []), ("session" = [])),
    params(
        ("call_id" = String, Path, description = "The `call_id` of a simulated call"),
        ("step" = String, Path, description = "`answered`, `completed` (after an answer) or `missed` (before one)"),
    ),
    responses(
        (status = 202, description = "Done", body = EventTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not in practice, or no such step", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The call cannot go there from where it stands", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_practice_step(
    State(state): State<AppState>,
    Access(principal): Access,
    Path((call_id, step)): Path<(String, String)>,
) -> Result<Response, Problem> {
    allowed(&state, &principal)?;
    let event = match step.as_str() {
        "answered" => json!({ "call_id": call_id, "type": "answered", "agent": "Practice" }),
        "completed" | "missed" => json!({ "call_id": call_id, "type": "ended", "cause": step }),
        _ => {
            return Err(Problem::new(ProblemCode::NotFound, "there is no such step")
                .hint("use `answered`, `completed` or `missed`"));
        }
    };
    send(&state, &principal, event).await
}

fn allowed(state: &AppState, principal: &Principal) -> Result<(), Problem> {
    match state.registry().practice(&principal.tenant) {
        Some(_) => Ok(()),
        None => Err(Problem::new(ProblemCode::NotFound, "calls cannot be simulated here")
            .hint("`practice = true` in ramal.toml allows it; never set it where real customers are")),
    }
}

async fn send(state: &AppState, principal: &Principal, mut event: Value) -> Result<Response, Problem> {
    let Some((source, secret)) = state.registry().practice(&principal.tenant) else {
        return Err(Problem::new(ProblemCode::NotFound, "calls cannot be simulated here"));
    };
    if let Some(object) = event.as_object_mut() {
        object.insert("event_id".to_owned(), Uuid::now_v7().to_string().into());
        object.insert("at".to_owned(), Timestamp::now().to_string().into());
    }
    let body = event.to_string().into_bytes();
    let now = Timestamp::now().as_second();
    let header = sign(secret, now, &body);
    let signature = Signature::read(Some(&header), now)?;
    accept(state, source, &signature, &body).await
}
