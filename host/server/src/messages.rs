//! Messages to customers: `POST /v1/interactions/{id}/messages` writes one, and what belongs to writing: read receipts,
//! the files that came, giving a conversation to somebody and closing it.
//!
//! A message is stored as `queued` before it is sent, under a reference that follows from the request's key: the same key
//! is the same message, however often it comes. A channel that lets a company write freely only for a day after the
//! customer wrote (WhatsApp) is asked no more than that: what it would refuse is refused here, with what to do instead.

mod body;
mod desk;
mod files;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use ramal_center::{
    Channel, Clear, Draft, EventId, Interaction, InteractionId, Message, MessageId, MessageStatus,
    MessageView, TenantId,
};
use ramal_channels::{MessageSender, OUR_REFERENCE, OutgoingContent, Window, window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Access;
use crate::events::EventTaken;
use crate::interactions::{identifier, json, request, taken, unknown, unread};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;
use body::MessageBody;
pub use desk::{Line, MessageDesk};
use desk::{Order, Outcome};
pub(crate) use files::*;

/// For how long back a message is looked for that is to be shown as read.
const READABLE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Messages that are read at once.
const PAGE: u32 = 500;

/// What became of a message.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageTaken {
    /// As it stands. It may be in another conversation than the one that was named, when that was over.
    message: MessageView,
    /// Why it is still `queued`, or `failed`; `null` otherwise.
    reason: Option<String>,
}

/// Write to the customer
///
/// A text, a file or an approved template, by the channel of the conversation. It is stored before it is sent. A
/// conversation that is over is not opened again: the message joins the one that goes on with this customer, or begins
/// one.
#[utoipa::path(
    post, path = "/v1/interactions/{interaction}/messages", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same message, 1 to 128 visible ASCII characters"),
    ),
    request_body(content = MessageBody),
    responses(
        (status = 200, description = "Known from before, as it stands", body = MessageTaken),
        (status = 201, description = "The provider has it", body = MessageTaken),
        (status = 202, description = "Stored; `reason` says why it is not with the provider yet", body = MessageTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The customer wrote too long ago (`window-closed`), the channel cannot send this, or the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The provider refused it; the message stands as `failed`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_message(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let request = request(&principal, &headers)?;
    let id = identifier(&id)?;
    let body: MessageBody = json(&headers, body, r#"{"text": "…"}"#).await?;
    let conversation = conversation(&state, &request.tenant, id).await?;
    let line = state.channels().messages().line(&request.tenant, &conversation.source)?.clone();
    let to = address(&*line.sender, &conversation)?;
    let answers = match &body.answers {
        Some(message) => Some(message_of(&state, &conversation, message).await?.reference),
        None => None,
    };
    let agent = body.agent.clone().map(Clear::new);
    let outgoing = body.outgoing(answers)?;
    let reference = reference(&request.tenant, &request.id)?;
    let told_as = line.sender.told_as(&reference);
    let known = state
        .center()
        .message(&request.tenant, &conversation.source, &told_as)
        .await
        .map_err(unread)?
        .is_some();
    let is_template = matches!(outgoing.content, OutgoingContent::Template(_));
    if !known && !is_template {
        check_window(&state, &*line.sender, &conversation).await?;
    }
    let (text, attachments) = body::kept(&outgoing);
    let draft = Draft { reference: told_as.clone(), text, attachments, agent };
    let source = conversation.source.clone();
    let queued = state.center().queue_message(request.clone(), id, draft).await?;
    let interaction = queued.handled.interaction;
    if queued.message.status != MessageStatus::Queued {
        return Ok(answer(StatusCode::OK, interaction, &queued.message, None));
    }
    let origin = ramal_center::Origin { tenant: request.tenant.clone(), source: source.clone() };
    let outcome = state.send(Order { origin, line, to, outgoing, reference, told_as: told_as.clone() }).await;
    let message = state.center().message(&request.tenant, &source, &told_as).await.map_err(unread)?;
    let message = message.map_or(queued.message, |(_, message)| message);
    tracing::info!(tenant = %request.tenant, token = %principal.token, %interaction, outcome = outcome.word(), "a message was written");
    match outcome {
        Outcome::Sent => Ok(answer(StatusCode::CREATED, interaction, &message, None)),
        Outcome::Waits(reason) => Ok(answer(StatusCode::ACCEPTED, interaction, &message, Some(reason))),
        Outcome::Failed(error) => Err(Problem::from(error)),
    }
}

fn answer(
    status: StatusCode,
    interaction: InteractionId,
    message: &Message,
    reason: Option<String>,
) -> Response {
    let message = MessageView::of(interaction, message);
    (status, Json(MessageTaken { message, reason })).into_response()
}

/// Our own name for the message of a request: the same request is the same message.
fn reference(tenant: &TenantId, key: &EventId) -> Result<EventId, Problem> {
    // Drawn once for this use.
    const SPACE: Uuid = Uuid::from_u128(0x1f6b_88c0_43d7_4e52_a1f5_7c29_b60e_9d34);
    let id = Uuid::new_v5(&SPACE, format!("{tenant}\n{}", key.as_str()).as_bytes());
    EventId::new(&format!("{OUR_REFERENCE}{id}"))
        .map_err(|_| Problem::new(ProblemCode::Internal, "no reference could be made for the message"))
}

async fn conversation(
    state: &AppState,
    tenant: &TenantId,
    id: InteractionId,
) -> Result<Interaction, Problem> {
    let found = state.center().interaction(tenant, id).await.map_err(unread)?;
    let conversation = found.ok_or_else(unknown)?.interaction;
    if conversation.channel.is_voice() {
        return Err(Problem::new(ProblemCode::Invalid, "this is a call; messages belong to conversations")
            .hint("take the `interaction` of a conversation: `GET /v1/interactions?channel=whatsapp`"));
    }
    Ok(conversation)
}

fn address(
    sender: &dyn MessageSender,
    conversation: &Interaction,
) -> Result<ramal_center::ContactIdentity, Problem> {
    sender.address(&conversation.contacts).cloned().ok_or_else(|| {
        Problem::new(
            ProblemCode::ContactNotReachable,
            "the customer has no name that this channel can send to",
        )
        .hint(match conversation.channel {
            Channel::Whatsapp => {
                "a user's identifier is one within its business portfolio: see `portfolio` of the channel in ramal.toml"
            }
            _ => "whoever writes from a short code or a name in letters cannot be answered",
        })
    })
}

/// Refuses what the provider would refuse: a free answer after the customer's window closed.
async fn check_window(
    state: &AppState,
    sender: &dyn MessageSender,
    conversation: &Interaction,
) -> Result<(), Problem> {
    let Some(length) = sender.window() else { return Ok(()) };
    let now = Timestamp::now();
    let since = now.checked_sub(length).unwrap_or(Timestamp::MIN);
    let last = state.center().last_heard(conversation, since).await.map_err(unread)?;
    match window(last.map(|message| message.at), length, now) {
        Window::Open { .. } => Ok(()),
        Window::Closed { .. } => Err(window_closed()),
    }
}

fn window_closed() -> Problem {
    Problem::new(
        ProblemCode::WindowClosed,
        "the customer wrote more than 24 hours ago; until they write again the provider takes approved templates only",
    )
    .hint(r#"send `{"template": {"name": "…", "language": "pt_BR", "parameters": ["…"]}}` with a template that Meta approved"#)
}

/// A message of a conversation, by Ramal's identifier.
async fn message_of(state: &AppState, conversation: &Interaction, id: &str) -> Result<Message, Problem> {
    let none = || {
        Problem::new(ProblemCode::Invalid, "`answers` is no message of this conversation")
            .hint("take the `id` of one of `GET /v1/interactions/{interaction}/messages`")
    };
    let id = Uuid::try_parse(id).map(MessageId).map_err(|_| none())?;
    let mut after = 0;
    loop {
        let page = state.center().messages(&conversation.tenant, conversation.id, after, PAGE).await;
        let page = page.map_err(unread)?;
        after = page.last().ok_or_else(none)?.seq;
        if let Some(message) = page.into_iter().find(|message| message.id == id) {
            return Ok(message);
        }
    }
}

/// Show that it was read
///
/// Tells the customer that their last message, and with it all before, was read, where the channel can.
#[utoipa::path(
    post, path = "/v1/interactions/{interaction}/read", tag = "interactions", security(("token" = []), ("session" = [])),
    params(("interaction" = String, Path, description = "Its identifier")),
    responses(
        (status = 204, description = "The provider has it, or there is nothing to read"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The channel has no such thing", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The provider did not take it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_read(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let conversation = conversation(&state, &principal.tenant, identifier(&id)?).await?;
    let line = state.channels().messages().line(&principal.tenant, &conversation.source)?.clone();
    let since = Timestamp::now().checked_sub(READABLE).unwrap_or(Timestamp::MIN);
    let last = state.center().last_heard(&conversation, since).await.map_err(unread)?;
    if let Some(message) = last {
        line.sender.mark_read(&message.reference).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// To whom a conversation is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignBody {
    /// The agent, at most 128 bytes; `null` puts the conversation back among those that wait.
    #[schema(required = true, example = "bruna")]
    #[serde(deserialize_with = "Option::deserialize")]
    agent: Option<String>,
    /// The queue; stays as it is when it is left out.
    queue: Option<String>,
}

/// Give to somebody
///
/// A conversation to an agent or a queue, in place of whoever had it.
#[utoipa::path(
    post, path = "/v1/interactions/{interaction}/assign", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same request, 1 to 128 visible ASCII characters"),
    ),
    request_body(content = AssignBody),
    responses(
        (status = 200, description = "Given, or given before", body = EventTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong, it is a call, or it is over", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_assign(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<EventTaken>, Problem> {
    let request = request(&principal, &headers)?;
    let body: AssignBody = json(&headers, body, r#"{"agent": "bruna"}"#).await?;
    let agent = body.agent.map(Clear::new);
    taken(state.center().assign_conversation(request, identifier(&id)?, agent, body.queue).await)
}

/// Close
///
/// Ends a conversation. The customer's next message begins another.
#[utoipa::path(
    post, path = "/v1/interactions/{interaction}/close", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same request, 1 to 128 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "Closed, or over before", body = EventTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is a call, which its exchange ends", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_close(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<EventTaken>, Problem> {
    let request = request(&principal, &headers)?;
    taken(state.center().close_conversation(request, identifier(&id)?).await)
}
