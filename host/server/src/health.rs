//! `/healthz`: the process answers. `/readyz`: it can do its work. They differ so that a full disk takes the host out of
//! a load balancer without having it killed and restarted in a circle.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::events::chain;
use crate::plugins::PluginDesk;
use crate::problem::{FieldProblem, Problem, ProblemCode};
use crate::state::AppState;

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// `ok` or `ready`.
    status: &'static str,
    /// Plugins that did not load: their tenants get no card from them, everything else works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_loaded: Vec<String>,
}

/// Does the process answer
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "It does", body = HealthView)))]
pub(crate) async fn get_healthz() -> Json<HealthView> {
    Json(HealthView { status: "ok", not_loaded: Vec::new() })
}

/// Can it do its work
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, description = "It can", body = HealthView),
        (status = 503, description = "It cannot; `errors` says what is missing", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_readyz(State(state): State<AppState>) -> Result<Json<HealthView>, Problem> {
    let mut missing = Vec::new();
    let mut miss =
        |what: &str, detail: String| missing.push(FieldProblem { pointer: format!("/{what}"), detail });
    if *state.stop().borrow() {
        miss("server", "the server is shutting down".to_owned());
    }
    if !state.center().has_directories() {
        miss("directories", "the plugins are not loaded yet".to_owned());
    }
    if let Err(error) = state.store_health().check_writable().await {
        tracing::error!(error = %chain(&error), "the database is not writable");
        miss("database", error.to_string());
    }
    let desk = state.plugins().ok();
    if let Some(fault) = desk.and_then(PluginDesk::fault) {
        miss("runtime", fault.to_owned());
    }
    if missing.is_empty() {
        let not_loaded = desk.map(PluginDesk::not_loaded).unwrap_or_default();
        return Ok(Json(HealthView { status: "ready", not_loaded }));
    }
    Err(Problem::new(ProblemCode::NotReady, "see `errors`").errors(missing).retry_after(5))
}
