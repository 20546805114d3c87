//! Calls and conversations over HTTP: lists, one with all that is known of it, its exact history, a customer's
//! timeline, and what people write to it.
//!
//! A customer is asked for by POST, never in an address: addresses end up in the logs of everything in between.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use ramal_center::{
    Actor, CenterError, ContactIdentity, ContactKind, EventId, Filter, Handled, InteractionId, Namespace,
    PageCursor, PhoneNumber, PluginId, Request, StoreError, UserId,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Access;
use crate::events::{EventTaken, chain, query_value, read_at_most, require_json};
use crate::interaction_view::{EventView, HistoryView, InteractionDetail, InteractionsView, MessagesView};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Principal;
use crate::state::AppState;

const USUAL: u32 = 50;
const MOST: u32 = 200;
/// The longest body of a request, in bytes: notes of 64 KiB may be written with six characters for each.
const LONGEST_BODY: usize = 512 * 1024;
/// By which a client says that a request is one that it sent before.
const KEY: &str = "idempotency-key";

/// Calls and conversations
///
/// Those that fit everything that is asked for, the newest first, in pages.
#[utoipa::path(
    get, path = "/v1/interactions", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("state" = Option<String>, Query, description = "`ringing`, `answered`, `held`, `open` or `ended`"),
        ("channel" = Option<String>, Query, description = "`fixed`, `mobile`, `whatsapp` or `sms`"),
        ("direction" = Option<String>, Query, description = "`inbound`, `outbound` or `internal`"),
        ("queue" = Option<String>, Query, description = "The queue's name"),
        ("from" = Option<String>, Query, description = "Begun at this time or later (RFC 3339)"),
        ("until" = Option<String>, Query, description = "Begun before this time (RFC 3339)"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 200; 50 when left out"),
    ),
    responses(
        (status = 200, description = "A page", body = InteractionsView),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_interactions(
    State(state): State<AppState>,
    Access(principal): Access,
    RawQuery(query): RawQuery,
) -> Result<Json<InteractionsView>, Problem> {
    let query = query.as_deref();
    let filter = Filter {
        state: wanted(query, "state", "`ringing`, `answered`, `held`, `open` or `ended`")?,
        channel: wanted(query, "channel", "`fixed`, `mobile`, `whatsapp` or `sms`")?,
        direction: wanted(query, "direction", "`inbound`, `outbound` or `internal`")?,
        queue: query_value(query, "queue"),
        from: wanted::<Timestamp>(query, "from", "a time such as 2026-11-23T12:00:00Z")?,
        until: wanted::<Timestamp>(query, "until", "a time such as 2026-11-23T12:00:00Z")?,
    };
    let before: Option<PageCursor> = wanted(query, "cursor", "`next` of the page before")?;
    let page =
        state.center().list(&principal.tenant, &filter, before, limit(query)?).await.map_err(unread)?;
    Ok(Json(InteractionsView::of(&page)))
}

/// One call or conversation
///
/// With what the plugins found for it and what became of telling the CRMs.
#[utoipa::path(
    get, path = "/v1/interactions/{interaction}", tag = "interactions", security(("token" = []), ("session" = [])),
    params(("interaction" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "It", body = InteractionDetail),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_interaction(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
) -> Result<Json<InteractionDetail>, Problem> {
    let found = state.center().interaction(&principal.tenant, identifier(&id)?).await.map_err(unread)?;
    found.as_ref().map(|snapshot| Json(InteractionDetail::of(snapshot))).ok_or_else(unknown)
}

/// What happened
///
/// Every event of one call or conversation, in order: who did what, when and why. It is never changed.
#[utoipa::path(
    get, path = "/v1/interactions/{interaction}/events", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("after" = Option<u32>, Query, description = "Events after this number; all when left out"),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 200; 50 when left out"),
    ),
    responses(
        (status = 200, description = "The events", body = HistoryView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_history(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<HistoryView>, Problem> {
    let query = query.as_deref();
    let after = wanted(query, "after", "the number of an event")?.unwrap_or(0);
    let (id, most) = (identifier(&id)?, limit(query)?);
    let events = state.center().history(&principal.tenant, id, after, most).await.map_err(unread)?;
    // A history is never empty, so nothing at its beginning means that there is none.
    if events.is_empty() && after == 0 {
        return Err(unknown());
    }
    let full = u32::try_from(events.len()).unwrap_or(u32::MAX) >= most;
    let next = events.last().map(|event| event.seq).filter(|_| full);
    Ok(Json(HistoryView { items: events.iter().map(EventView::of).collect(), next }))
}

/// What was written
///
/// The messages of one conversation, in order.
#[utoipa::path(
    get, path = "/v1/interactions/{interaction}/messages", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("after" = Option<u32>, Query, description = "Messages after this event's number; all when left out"),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 200; 50 when left out"),
    ),
    responses(
        (status = 200, description = "The messages", body = MessagesView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_messages(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<MessagesView>, Problem> {
    let query = query.as_deref();
    let after = wanted(query, "after", "the number of an event")?.unwrap_or(0);
    let (id, most) = (identifier(&id)?, limit(query)?);
    let messages = state.center().messages(&principal.tenant, id, after, most).await.map_err(unread)?;
    Ok(Json(MessagesView::of(id, &messages, most)))
}

/// Whose timeline is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimelineQuery {
    /// `phone`, `whatsapp` or `email`.
    #[schema(value_type = String, example = "phone")]
    kind: ContactKind,
    /// Within what the value is unique; `e164` when it is left out.
    namespace: Option<String>,
    /// The number, in E.164 or as it is dialled in the tenant's country; or the identifier.
    #[schema(example = "+5511987654321")]
    value: String,
    /// `next` of the page before.
    cursor: Option<String>,
    /// At most so many, 1 to 200; 50 when left out.
    limit: Option<u32>,
}

/// A customer's timeline
///
/// Their calls and conversations on all channels, the newest first, in pages.
#[utoipa::path(
    post, path = "/v1/timeline", tag = "interactions", security(("token" = []), ("session" = [])),
    request_body(content = TimelineQuery),
    responses(
        (status = 200, description = "A page", body = InteractionsView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_timeline(
    State(state): State<AppState>,
    Access(principal): Access,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<InteractionsView>, Problem> {
    let query: TimelineQuery = json(&headers, body, r#"{"kind": "phone", "value": "+551133334444"}"#).await?;
    let wrong = |what: String| Problem::new(ProblemCode::Invalid, what);
    let namespace = Namespace::new(query.namespace.as_deref().unwrap_or(Namespace::E164))
        .map_err(|error| wrong(error.to_string()))?;
    let is_number = query.kind == ContactKind::Phone && namespace.as_str() == Namespace::E164;
    let value = if is_number {
        let number = PhoneNumber::parse(&query.value, state.registry().region(&principal.tenant));
        number.map_err(|error| wrong(format!("`value`: {error}")))?.e164()
    } else {
        query.value
    };
    let contact =
        ContactIdentity::new(query.kind, namespace, value).map_err(|error| wrong(error.to_string()))?;
    let before = query.cursor.as_deref().map(str::parse::<PageCursor>).transpose();
    let before = before.map_err(|error| wrong(error.to_string()))?;
    let most = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&most) {
        return Err(wrong(format!("`limit` is a whole number from 1 to {MOST}")));
    }
    let page = state.center().timeline(&principal.tenant, &contact, before, most).await.map_err(unread)?;
    Ok(Json(InteractionsView::of(&page)))
}

/// The notes of an interaction.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotesBody {
    /// The whole text, at most 64 KiB; `null` empties them.
    #[schema(required = true)]
    #[serde(deserialize_with = "Option::deserialize")]
    notes: Option<String>,
}

/// The disposition of an interaction.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DispositionBody {
    /// The word, at most 128 bytes; `null` takes it back.
    #[schema(required = true, example = "sold")]
    #[serde(deserialize_with = "Option::deserialize")]
    disposition: Option<String>,
}

/// Write the notes
///
/// In place of those before, which the history keeps. The CRMs that know the interaction are told.
#[utoipa::path(
    put, path = "/v1/interactions/{interaction}/notes", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same request, 1 to 128 visible ASCII characters"),
    ),
    request_body(content = NotesBody),
    responses(
        (status = 200, description = "Written, or written before", body = EventTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn put_notes(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<EventTaken>, Problem> {
    let request = request(&principal, &headers)?;
    let body: NotesBody = json(&headers, body, r#"{"notes": "…"}"#).await?;
    let notes = body.notes.map(Into::into);
    taken(state.center().set_note(request, identifier(&id)?, notes).await)
}

/// Set the disposition
///
/// In place of the one before, which the history keeps. The CRMs that know the interaction are told.
#[utoipa::path(
    put, path = "/v1/interactions/{interaction}/disposition", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same request, 1 to 128 visible ASCII characters"),
    ),
    request_body(content = DispositionBody),
    responses(
        (status = 200, description = "Set, or set before", body = EventTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn put_disposition(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<EventTaken>, Problem> {
    let request = request(&principal, &headers)?;
    let body: DispositionBody = json(&headers, body, r#"{"disposition": "sold"}"#).await?;
    taken(state.center().set_disposition(request, identifier(&id)?, body.disposition).await)
}

/// Which contact it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactBody {
    /// The plugin whose CRM has the contact, as the card names it.
    #[schema(value_type = String, example = "tryton")]
    plugin: PluginId,
    /// The contact's identifier there, as the card names it; at most 128 bytes.
    #[schema(example = "17")]
    contact: String,
    /// Where a person opens it.
    url: Option<String>,
}

/// Choose the contact
///
/// Of several with one number, by whoever speaks with them. In place of one chosen before, which the history keeps. The
/// CRM's journal is about this contact from then on.
#[utoipa::path(
    put, path = "/v1/interactions/{interaction}/contact", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same request, 1 to 128 visible ASCII characters"),
    ),
    request_body(content = ContactBody),
    responses(
        (status = 200, description = "Chosen, or chosen before", body = EventTaken),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn put_contact(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<EventTaken>, Problem> {
    let request = request(&principal, &headers)?;
    let body: ContactBody = json(&headers, body, r#"{"plugin": "tryton", "contact": "17"}"#).await?;
    let ContactBody { plugin, contact, url } = body;
    taken(state.center().choose_contact(request, identifier(&id)?, plugin, contact, url).await)
}

// === what the handlers share ===

pub(crate) fn taken(handled: Result<Handled, CenterError>) -> Result<Json<EventTaken>, Problem> {
    let Handled { interaction, state, repeated } = handled.map_err(|error| {
        if let CenterError::Store(cause) = &error {
            tracing::error!(error = %chain(cause), "a change was not stored");
        }
        Problem::from(error)
    })?;
    Ok(Json(EventTaken { interaction: interaction.to_string(), state: state.to_string(), repeated }))
}

/// Who asks, and by which key the request is known again.
pub(crate) fn request(principal: &Principal, headers: &HeaderMap) -> Result<Request, Problem> {
    let id = match headers.get(KEY) {
        None => Uuid::new_v4().to_string(),
        Some(value) => value.to_str().unwrap_or_default().to_owned(),
    };
    let id = EventId::new(&id).map_err(|_| {
        Problem::new(ProblemCode::Invalid, "the `Idempotency-Key` is no key").hint(
            "send 1 to 128 visible ASCII characters, the same for every try of one request, or leave it out",
        )
    })?;
    let actor = UserId::new(&principal.token).map_or(Actor::System, Actor::User);
    Ok(Request { tenant: principal.tenant.clone(), actor, id })
}

/// A small JSON object from the body; `such` is what a right one looks like.
pub(crate) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    such: &str,
) -> Result<T, Problem> {
    require_json(headers)?;
    let body = read_at_most(body, LONGEST_BODY).await?;
    // The parser's own words could repeat what was sent.
    serde_json::from_slice(&body).map_err(|e| {
        Problem::new(
            ProblemCode::Invalid,
            format!("the body is wrong at line {}, column {}", e.line(), e.column()),
        )
        .hint(format!("send `{such}`"))
    })
}

pub(crate) fn identifier(text: &str) -> Result<InteractionId, Problem> {
    Uuid::try_parse(text).map(InteractionId).map_err(|_| unknown())
}

pub(crate) fn unknown() -> Problem {
    Problem::from(CenterError::UnknownInteraction)
}

pub(crate) fn limit(query: Option<&str>) -> Result<u32, Problem> {
    match wanted(query, "limit", "a whole number from 1 to 200")? {
        None => Ok(USUAL),
        Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
        Some(_) => {
            Err(Problem::new(ProblemCode::BadQuery, format!("`limit` is a whole number from 1 to {MOST}")))
        }
    }
}

/// A parameter of the query, if it is there and not empty.
pub(crate) fn wanted<T: std::str::FromStr>(
    query: Option<&str>,
    name: &str,
    rule: &str,
) -> Result<Option<T>, Problem> {
    let text = query_value(query, name).filter(|text| !text.is_empty());
    text.map(|text| text.parse()).transpose().map_err(|_| {
        Problem::new(ProblemCode::BadQuery, format!("`{name}` is {rule}"))
            .hint("correct the parameter, or leave it out")
    })
}

pub(crate) fn unread(error: StoreError) -> Problem {
    tracing::error!(error = %chain(&error), "the store could not be read");
    Problem::store()
}
