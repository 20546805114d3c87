//! The REST API: which address does what. The rules are in the records' modules; here is only HTTP.

mod input;

use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::PracticeCrm;
use crate::export::Export;
use crate::id::{ActivityId, ContactId, UserId};
use crate::records::DealState;
use crate::refusal::Refusal;
use crate::search::Search;
use crate::view::ContactView;
use crate::write::{ActivityDraft, ContactDraft};
use input::{Body, MAX_BODY, Named, Params};

pub(crate) fn router(crm: PracticeCrm) -> Router {
    Router::new()
        .route("/account", get(account))
        .route("/users", get(users))
        .route("/contacts", get(contacts).post(create_contact))
        .route("/contacts/{id}", get(contact).patch(change_contact).delete(delete_contact))
        .route("/contacts/{id}/deals", get(deals))
        .route("/contacts/{id}/export", get(export))
        .route("/contacts/{id}/call", post(want_call))
        .route("/activities", get(activities).post(record_activity))
        .route("/activities/{id}", get(activity).patch(change_activity))
        .fallback(async || Refusal::NotFound("address"))
        .method_not_allowed_fallback(async || Refusal::Method)
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(crm.clone(), with_key))
        .with_state(crm)
}

/// Lets a request through that shows the key.
async fn with_key(State(crm): State<PracticeCrm>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_bearer = |(scheme, _): &(&str, &str)| scheme.eq_ignore_ascii_case("bearer");
    match shown.and_then(|shown| shown.split_once(' ')).filter(is_bearer) {
        Some((_, key)) if crm.key.is(key.trim_start()) => next.run(request).await,
        _ => Refusal::Unauthorized.into_response(),
    }
}

/// A list as every address answers with it.
#[derive(Serialize)]
struct List<T, I = ContactId> {
    items: Vec<T>,
    /// How many there are on all pages.
    total: usize,
    /// What to give as `cursor` for the next page.
    next: Option<I>,
}

impl<T> List<T> {
    fn whole(items: Vec<T>) -> Self {
        Self { total: items.len(), items, next: None }
    }
}

// === account and users ===

async fn account(State(crm): State<PracticeCrm>) -> Response {
    let book = crm.book.read();
    let counts =
        json!({"contacts": book.contacts.len(), "users": book.users.len(), "deals": book.deals.len()});
    Json(json!({"account": book.account, "counts": counts, "url": crm.base.to_string()})).into_response()
}

async fn users(State(crm): State<PracticeCrm>) -> Response {
    Json(List::whole(crm.book.read().users.values().collect())).into_response()
}

// === contacts ===

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactsParams {
    phone: Option<String>,
    q: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl input::Parameters for ContactsParams {
    const NAMES: &'static str = "phone, q, limit and cursor";
}

async fn contacts(
    State(crm): State<PracticeCrm>,
    Params(params): Params<ContactsParams>,
) -> Result<Response, Refusal> {
    let book = crm.book.read();
    let page = book.search(&Search {
        phone: params.phone.as_deref(),
        text: params.q.as_deref(),
        limit: params.limit,
        cursor: params.cursor.as_deref(),
    })?;
    let items = page.items.into_iter().map(|contact| ContactView::of(contact, &book, &crm.base)).collect();
    Ok(Json(List { items, total: page.total, next: page.next }).into_response())
}

async fn contact(State(crm): State<PracticeCrm>, Named(id): Named<ContactId>) -> Result<Response, Refusal> {
    let book = crm.book.read();
    Ok(Json(ContactView::of(book.contact(id)?, &book, &crm.base)).into_response())
}

async fn create_contact(
    State(crm): State<PracticeCrm>,
    Body(draft): Body<ContactDraft>,
) -> Result<Response, Refusal> {
    let mut book = crm.book.write();
    let created = book.create_contact(draft)?.clone();
    let view = ContactView::of(&created, &book, &crm.base);
    let location = format!("/api/v1/contacts/{}", created.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
}

async fn change_contact(
    State(crm): State<PracticeCrm>,
    Named(id): Named<ContactId>,
    Body(draft): Body<ContactDraft>,
) -> Result<Response, Refusal> {
    let mut book = crm.book.write();
    let changed = book.change_contact(id, draft)?.clone();
    if let Some(hooks) = &crm.hooks {
        hooks.changed(&changed);
    }
    Ok(Json(ContactView::of(&changed, &book, &crm.base)).into_response())
}

async fn delete_contact(
    State(crm): State<PracticeCrm>,
    Named(id): Named<ContactId>,
) -> Result<StatusCode, Refusal> {
    crm.book.write().delete_contact(id)?;
    if let Some(hooks) = &crm.hooks {
        hooks.deleted(&id);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Who wants to call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    user_id: UserId,
}

/// As if the user had pressed the contact's number: whoever is told of it makes the call.
async fn want_call(
    State(crm): State<PracticeCrm>,
    Named(id): Named<ContactId>,
    Body(wanted): Body<Wanted>,
) -> Result<StatusCode, Refusal> {
    let book = crm.book.read();
    let contact = book.contact(id)?;
    if !book.users.contains_key(&wanted.user_id) {
        return Err(Refusal::Field { field: "user_id", rule: "there is no such user" });
    }
    let rule = "the contact has no number";
    let phone = contact.phones.first().ok_or(Refusal::Field { field: "phones", rule })?;
    // Nobody may be listening; the button is there all the same.
    if let Some(hooks) = &crm.hooks {
        hooks.call_wanted(contact, &wanted.user_id, phone);
    }
    Ok(StatusCode::ACCEPTED)
}

async fn export(State(crm): State<PracticeCrm>, Named(id): Named<ContactId>) -> Result<Response, Refusal> {
    Ok(Json(Export::of(id, &crm.book.read(), &crm.base)?).into_response())
}

// === deals ===

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DealsParams {
    state: Option<DealState>,
}

impl input::Parameters for DealsParams {
    const NAMES: &'static str = "state, which is open, won or lost";
}

async fn deals(
    State(crm): State<PracticeCrm>,
    Named(id): Named<ContactId>,
    Params(params): Params<DealsParams>,
) -> Result<Response, Refusal> {
    let book = crm.book.read();
    book.contact(id)?;
    Ok(Json(List::whole(book.deals_of(id, params.state).collect())).into_response())
}

// === activities ===

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivitiesParams {
    limit: Option<usize>,
    cursor: Option<String>,
}

impl input::Parameters for ActivitiesParams {
    const NAMES: &'static str = "limit and cursor";
}

async fn activities(
    State(crm): State<PracticeCrm>,
    Params(params): Params<ActivitiesParams>,
) -> Result<Response, Refusal> {
    let book = crm.book.read();
    let page = book.list_activities(params.limit, params.cursor.as_deref())?;
    Ok(Json(List { items: page.items, total: page.total, next: page.next }).into_response())
}

async fn record_activity(
    State(crm): State<PracticeCrm>,
    Body(draft): Body<ActivityDraft>,
) -> Result<Response, Refusal> {
    let mut book = crm.book.write();
    let (activity, is_new) = book.record_activity(draft)?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(activity)).into_response())
}

async fn activity(State(crm): State<PracticeCrm>, Named(id): Named<ActivityId>) -> Result<Response, Refusal> {
    Ok(Json(crm.book.read().activity(id)?).into_response())
}

async fn change_activity(
    State(crm): State<PracticeCrm>,
    Named(id): Named<ActivityId>,
    Body(draft): Body<ActivityDraft>,
) -> Result<Response, Refusal> {
    let mut book = crm.book.write();
    Ok(Json(book.change_activity(id, draft)?).into_response())
}
