//! What the CRMs and webhooks are still to be told, over HTTP: deliveries, the backlog of each target, dead letters and their
//! replay. A delivery is shown without what it tells: that is the interaction's, and asked for there.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use ramal_center::InteractionId;
use ramal_store::{Backlog, Delivery, DeliveryFilter, DeliveryId, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Access;
use crate::interactions::{identifier, json, limit, unread, wanted};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// One delivery.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Its identifier.
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// Who is told: `plugin:tryton`, or `webhook:` and the identifier that `/v1/webhooks` lists.
    target: String,
    /// The call or conversation that it is about.
    #[schema(value_type = Option<String>, format = "uuid")]
    interaction: Option<InteractionId>,
    /// Which step: `journal`, `amend:3`; of a webhook `event:3`.
    step: String,
    /// Where it stands.
    #[schema(example = "dead")]
    state: &'static str,
    /// How often it was tried since it was stored or replayed.
    tries: u32,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it was last tried.
    #[schema(value_type = Option<String>, format = DateTime)]
    tried_at: Option<Timestamp>,
    /// When it was delivered or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
    /// Why the last try did not succeed; of one that is done, why it needed no try.
    failure: Option<FailureView>,
    /// Where a person finds what the CRM has.
    record_url: Option<String>,
}

/// Why a try did not succeed.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// A word for programs, such as `transient` or `auth-expired`.
    code: String,
    /// What happened. Holds no customer's value.
    text: String,
}

impl DeliveryView {
    fn of(delivery: &Delivery) -> Self {
        let failure = |f: &ramal_store::Failure| FailureView { code: f.code.clone(), text: f.text.clone() };
        Self {
            id: delivery.id.0,
            target: delivery.target.to_string(),
            interaction: delivery.interaction,
            step: delivery.step.0.clone(),
            state: delivery.state.as_str(),
            tries: delivery.tries,
            at: delivery.at,
            tried_at: delivery.tried_at,
            settled_at: delivery.settled_at,
            failure: delivery.failure.as_ref().map(failure),
            record_url: delivery.record.as_ref().and_then(|record| record.url.clone()),
        }
    }
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveriesView {
    /// The newest first.
    items: Vec<DeliveryView>,
    /// The `cursor` of the next page; `null` when this is the last one.
    #[schema(value_type = Option<String>, format = "uuid")]
    next: Option<Uuid>,
}

/// What waits for one target.
#[derive(Serialize, ToSchema)]
pub(crate) struct BacklogView {
    /// Who is told.
    target: String,
    /// Deliveries that wait.
    open: u64,
    /// When the oldest of them was decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest: Option<Timestamp>,
    /// Deliveries that were given up.
    dead: u64,
    /// Why nothing is sent until a person acts.
    paused: Option<FailureView>,
    /// Since when nothing is sent.
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_since: Option<Timestamp>,
}

impl BacklogView {
    fn of(backlog: &Backlog) -> Self {
        let pause = backlog.paused.as_ref();
        Self {
            target: backlog.target.to_string(),
            open: backlog.open,
            oldest: backlog.oldest,
            dead: backlog.dead,
            paused: pause.map(|p| FailureView { code: p.reason.code.clone(), text: p.reason.text.clone() }),
            paused_since: pause.map(|p| p.since),
        }
    }
}

/// Deliveries
///
/// What the CRMs and webhooks were told, are to be told, and could not be told, the newest first.
#[utoipa::path(
    get, path = "/v1/deliveries", tag = "deliveries", security(("token" = []), ("session" = [])),
    params(
        ("state" = Option<String>, Query, description = "`open`, `done` or `dead`"),
        ("target" = Option<String>, Query, description = "Such as `plugin:tryton`"),
        ("interaction" = Option<String>, Query, description = "Those about this call or conversation"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 200; 50 when left out"),
    ),
    responses(
        (status = 200, description = "A page", body = DeliveriesView),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_deliveries(
    State(state): State<AppState>,
    Access(principal): Access,
    RawQuery(query): RawQuery,
) -> Result<Json<DeliveriesView>, Problem> {
    let query = query.as_deref();
    let interaction: Option<String> = wanted(query, "interaction", "an interaction's identifier")?;
    let filter = DeliveryFilter {
        state: wanted(query, "state", "`open`, `done` or `dead`")?,
        target: wanted(query, "target", "a target such as `plugin:tryton`")?,
        interaction: interaction.map(|id| identifier(&id)).transpose()?,
    };
    let before: Option<Uuid> = wanted(query, "cursor", "`next` of the page before")?;
    let most = limit(query)?;
    let found = state
        .outbox()?
        .deliveries(&principal.tenant, &filter, before.map(DeliveryId), most)
        .await
        .map_err(unread)?;
    let full = u32::try_from(found.len()).unwrap_or(u32::MAX) >= most;
    let next = found.last().map(|delivery| delivery.id.0).filter(|_| full);
    Ok(Json(DeliveriesView { items: found.iter().map(DeliveryView::of).collect(), next }))
}

/// What waits
///
/// For each target: how much is open, how much was given up, and whether a person has to act first.
#[utoipa::path(
    get, path = "/v1/deliveries/backlog", tag = "deliveries", security(("token" = []), ("session" = [])),
    responses(
        (status = 200, description = "One entry for each target", body = Vec<BacklogView>),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_backlog(
    State(state): State<AppState>,
    Access(principal): Access,
) -> Result<Json<Vec<BacklogView>>, Problem> {
    let backlog = state.outbox()?.backlog(&principal.tenant).await.map_err(unread)?;
    Ok(Json(backlog.iter().map(BacklogView::of).collect()))
}

/// How many deliveries go out again.
#[derive(Serialize, ToSchema)]
pub(crate) struct Replayed {
    replayed: u64,
}

/// Send a dead delivery again
///
/// With the same key, so that a CRM that has it after all takes it for what it is.
#[utoipa::path(
    post, path = "/v1/deliveries/{delivery}/replay", tag = "deliveries", security(("token" = []), ("session" = [])),
    params(("delivery" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "It goes out again", body = Replayed),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No dead delivery has this identifier", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_replay(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
) -> Result<Json<Replayed>, Problem> {
    let unknown = || {
        Problem::new(ProblemCode::NotFound, "no dead delivery has this identifier")
            .hint("`GET /v1/deliveries?state=dead` lists them")
    };
    let id = Uuid::try_parse(&id).map(DeliveryId).map_err(|_| unknown())?;
    let opened = state.outbox()?.replay(&principal.tenant, id, Timestamp::now()).await.map_err(unread)?;
    tracing::info!(tenant = %principal.tenant, token = principal.token, delivery = %id, opened, "replay");
    if opened { Ok(Json(Replayed { replayed: 1 })) } else { Err(unknown()) }
}

/// A target.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetBody {
    /// Such as `plugin:tryton`.
    target: String,
}

/// Send all dead deliveries of a target again
///
/// The oldest first; a target that was paused goes on, too.
#[utoipa::path(
    post, path = "/v1/deliveries/replay", tag = "deliveries", security(("token" = []), ("session" = [])),
    request_body(content = TargetBody),
    responses(
        (status = 200, description = "They go out again", body = Replayed),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_replay_all(
    State(state): State<AppState>,
    Access(principal): Access,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Replayed>, Problem> {
    let body: TargetBody = json(&headers, body, r#"{"target": "plugin:tryton"}"#).await?;
    let target: Target = body.target.parse().map_err(|_| {
        Problem::new(ProblemCode::Invalid, "`target` is no target").hint("write it as `plugin:tryton`")
    })?;
    let (tenant, now) = (&principal.tenant, Timestamp::now());
    let replayed = state.outbox()?.replay_all(tenant, &target, now).await.map_err(unread)?;
    let resumed = state.outbox()?.resume(tenant, &target, now).await.map_err(unread)?;
    tracing::info!(%tenant, token = principal.token, %target, replayed, resumed, "replay of all");
    Ok(Json(Replayed { replayed }))
}
