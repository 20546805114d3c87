//! The plugins as whoever operates the host sees them: which serve, which rest, which did not load, and what a person
//! decides about them. A plugin that does not load costs its own tenant a card, and nobody else anything; this is where
//! it is seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use ramal_capability::{PluginId, TenantId};
use ramal_engine::{Health, Plugin};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Access;
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
