//! The plugins as whoever operates the host sees them: which serve, which rest, which did not load, and what a person
//! decides about them. A plugin that does not load costs its own tenant a card, and nobody else anything; this is where
//! it is seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use ramal_capability::{PluginId, TenantId};
use ramal_center::{CenterError, Filter, PageCursor};
use ramal_engine::{Health, Plugin};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Access;
use crate::events::chain;
use crate::interactions::json;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// The plugins that the configuration names.
#[derive(Clone)]
pub struct PluginDesk {
    plugins: Arc<BTreeMap<(TenantId, PluginId), Standing>>,
    runtime: Health,
}

/// How one came through the start.
pub enum Standing {
    /// It is loaded.
    Loaded(Plugin),
    /// It is not; the log says why.
    NotLoaded,
}

impl PluginDesk {
    /// Puts the list together; `runtime` runs those that are loaded.
    pub fn new(plugins: BTreeMap<(TenantId, PluginId), Standing>, runtime: Health) -> Self {
        Self { plugins: Arc::new(plugins), runtime }
    }

    /// Why no plugin may run.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        self.runtime.fault()
    }

    /// The names of those that did not load, whosever they are.
    pub(crate) fn not_loaded(&self) -> Vec<String> {
        let absent = self.plugins.iter().filter(|(_, standing)| matches!(standing, Standing::NotLoaded));
        absent.map(|((_, plugin), _)| plugin.to_string()).collect()
    }

    fn of<'d>(&'d self, tenant: &'d TenantId) -> impl Iterator<Item = PluginView> + 'd {
        let own = self.plugins.iter().filter(move |((of, _), _)| of == tenant);
        own.map(|((_, name), standing)| PluginView::of(name, standing))
    }

    fn one(&self, tenant: &TenantId, name: &str) -> Result<(&PluginId, &Plugin), Problem> {
        let mut own = self.plugins.iter().filter(|((of, plugin), _)| of == tenant && plugin.as_str() == name);
        match own.next() {
            Some(((_, name), Standing::Loaded(plugin))) => Ok((name, plugin)),
            Some((_, Standing::NotLoaded)) => Err(Problem::new(
                ProblemCode::PluginNotLoaded,
                "the plugin did not load when the host started",
            )
            .hint("the host's log says why; correct its file or settings and restart the host")),
            None => Err(Problem::new(ProblemCode::NotFound, "no plugin has this name")
                .hint("`GET /v1/plugins` lists them")),
        }
    }
}

/// A plugin.
#[derive(Serialize, ToSchema)]
pub(crate) struct PluginView {
    /// Its name.
    plugin: String,
    /// `serving`; `resting` when it was stopped too often or suspended; `ended` when its grant was revoked or has run
    /// out; `not-loaded`.
    #[schema(example = "serving")]
    state: &'static str,
    /// Its version, if it is loaded.
    version: Option<String>,
    /// The digest of its component, if it is loaded.
    digest: Option<String>,
    /// The revision of the grant in force.
    grant_revision: Option<u64>,
}

impl PluginView {
    fn of(name: &PluginId, standing: &Standing) -> Self {
        let plugin = name.to_string();
        let Standing::Loaded(loaded) = standing else {
            return Self { plugin, state: "not-loaded", version: None, digest: None, grant_revision: None };
        };
        let plan = loaded.plan();
        let state = if plan.is_over(Timestamp::now()) {
            "ended"
        } else if loaded.is_resting() {
            "resting"
        } else {
            "serving"
        };
        Self {
            plugin,
            state,
            version: Some(plan.version().to_owned()),
            digest: Some(plan.digest().to_string()),
            grant_revision: Some(plan.grant_revision()),
        }
    }
}

/// How the plugins stand
#[utoipa::path(
    get, path = "/v1/plugins", tag = "plugins", security(("token" = []), ("session" = [])),
    responses(
        (status = 200, description = "Every plugin of the tenant, by name", body = [PluginView]),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_plugins(
    State(state): State<AppState>,
    Access(principal): Access,
) -> Result<Json<Vec<PluginView>>, Problem> {
    Ok(Json(state.plugins()?.of(&principal.tenant).collect()))
}

/// Let a plugin work again
///
/// Ends a rest after stops, or a suspension for want of a person's decision. A grant that was revoked stays so.
#[utoipa::path(
    post, path = "/v1/plugins/{plugin}/resume", tag = "plugins", security(("token" = []), ("session" = [])),
    params(("plugin" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "How it stands now", body = PluginView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No plugin has this name", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It did not load", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_resume(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(name): Path<String>,
) -> Result<Json<PluginView>, Problem> {
    let (name, plugin) = state.plugins()?.one(&principal.tenant, &name)?;
    plugin.resume();
    tracing::info!(tenant = %principal.tenant, token = principal.token, plugin = %name, "plugin resumed");
    Ok(Json(PluginView::of(name, &Standing::Loaded(plugin.clone()))))
}

/// Revoke a plugin's grant now
///
/// No new call is admitted, one under way is denied at its next request, its connections are closed. A restart reads
/// the grant's file again: end it there, too.
#[utoipa::path(
    post, path = "/v1/plugins/{plugin}/revoke", tag = "plugins", security(("token" = []), ("session" = [])),
    params(("plugin" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "How it stands now", body = PluginView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No plugin has this name", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It did not load", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_revoke(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(name): Path<String>,
) -> Result<Json<PluginView>, Problem> {
    let (name, plugin) = state.plugins()?.one(&principal.tenant, &name)?;
    plugin.revoke();
    tracing::warn!(tenant = %principal.tenant, token = principal.token, plugin = %name, "grant revoked");
    Ok(Json(PluginView::of(name, &Standing::Loaded(plugin.clone()))))
}

/// Interactions that one request looks at.
const LOOKED_AT: u32 = 500;

/// The period that a CRM is told of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackfillBody {
    /// Begun at this time or later (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Begun before this time (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// `next` of the answer before.
    cursor: Option<String>,
}

/// How far it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct BackfillView {
    /// Interactions that were looked at, the newest first.
    looked_at: u32,
    /// Of them those of which the CRM had been told nothing: it is told now, was on its way to be told, or is told once a
    /// contact is found.
    told: u32,
    /// Send it as `cursor` to go on; `null` at the end of the period.
    next: Option<String>,
}

/// Tell a CRM what it missed
///
/// For a plugin that was connected later or was away: of calls and days of conversations that are over and of which its
/// CRM was never told, it is told now, under the same keys and rules as it would have been. What it has already, and
/// what is on its way, stays as it is, so the request may be repeated. One request looks at 500 interactions; go on with
/// `next`.
#[utoipa::path(
    post, path = "/v1/plugins/{plugin}/backfill", tag = "plugins", security(("token" = []), ("session" = [])),
    params(("plugin" = String, Path, description = "Its name")),
    request_body(content = BackfillBody),
    responses(
        (status = 200, description = "How far it came", body = BackfillView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong, or the plugin keeps no journal", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_backfill(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<BackfillView>, Problem> {
    let example = r#"{"from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}"#;
    let body: BackfillBody = json(&headers, body, example).await?;
    let plugin = PluginId::new(&name).map_err(|_| Problem::from(CenterError::NoJournal))?;
    let wrong = |text: &str| Problem::new(ProblemCode::Invalid, text);
    if body.from >= body.until {
        return Err(wrong("`from` is not before `until`").hint(format!("send {example}")));
    }
    let cursor = body.cursor.as_deref().map(str::parse::<PageCursor>).transpose();
    let cursor = cursor.map_err(|error| wrong(&error.to_string()))?;
    let period = Filter { from: Some(body.from), until: Some(body.until), ..Filter::default() };
    let made = state.center().backfill(&principal.tenant, &plugin, &period, cursor, LOOKED_AT).await;
    let made = made.map_err(|error| {
        if let CenterError::Store(cause) = &error {
            tracing::error!(error = %chain(cause), "a journal was not filled up");
        }
        Problem::from(error)
    })?;
    tracing::info!(
        tenant = %principal.tenant, token = principal.token, %plugin, looked_at = made.looked_at, told = made.told,
        "a journal is filled up"
    );
    Ok(Json(BackfillView {
        looked_at: made.looked_at,
        told: made.told,
        next: made.next.map(|next| next.to_string()),
    }))
}
