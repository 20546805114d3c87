//! `/openapi.json`: what the API offers, written from the handlers themselves and held by a golden file.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ramal_center::{CallView, CardsView, FailureView};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{FieldProblem, Problem, ProblemCode};
use crate::state::AppState;
use crate::{
    access, call_control, calls, channels, credentials, deliveries, events, health, hooks, interactions,
    inventory, live, messages, metrics, plugins, practice, queues, route, vcon, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ramal",
        description = "Calls in, customers' cards out. Every error is application/problem+json (RFC 9457) with a `code` for programs and a `hint` that says what to do."
    ),
    components(schemas(Problem, ProblemCode, FieldProblem, CallView, CardsView, FailureView)),
    modifiers(&Security),
    tags(
        (name = "events", description = "What exchanges tell"),
        (name = "channels", description = "What telephony and messaging providers tell, in their own form"),
        (name = "hooks", description = "What CRMs tell by themselves"),
        (name = "live", description = "What happens, as it happens"),
        (name = "calls", description = "Calls as they stand"),
        (name = "queues", description = "Who waits in the exchanges' queues, and who is there"),
        (name = "interactions", description = "Calls and conversations, their exact history, and what people write to them"),
        (name = "deliveries", description = "What the CRMs and webhooks are still to be told; dead letters and their replay"),
        (name = "credentials", description = "How the CRMs' credentials stand, and connecting accounts; never a secret"),
        (name = "plugins", description = "Which plugins serve, rest or did not load, and what a person decides about them"),
        (name = "practice", description = "Simulated calls, with invented customers"),
        (name = "operation", description = "For who operates the host"),
    ),
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(access::COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// The routes that the document describes, with their handlers.
pub(crate) fn described() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(events::post_call_event))
        .routes(routes!(inventory::get_channels))
        .routes(routes!(channels::get_channel_webhook, channels::post_channel_webhook))
        .routes(routes!(hooks::post_hook))
        .routes(routes!(hooks::post_secret_hook))
        .routes(routes!(live::get_live))
        .routes(routes!(calls::get_calls, call_control::post_call))
        .routes(routes!(call_control::post_hangup))
        .routes(routes!(call_control::post_hold))
        .routes(routes!(call_control::post_resume))
        .routes(routes!(call_control::post_transfer))
        .routes(routes!(call_control::post_mute))
        .routes(routes!(call_control::post_unmute))
        .routes(routes!(call_control::post_recording))
        .routes(routes!(queues::get_queues))
        .routes(routes!(route::get_route))
        .routes(routes!(interactions::get_interactions))
        .routes(routes!(interactions::get_interaction))
        .routes(routes!(interactions::get_history))
        .routes(routes!(interactions::get_messages, messages::post_message))
        .routes(routes!(messages::get_file))
        .routes(routes!(messages::post_read))
        .routes(routes!(messages::post_assign))
        .routes(routes!(messages::post_close))
        .routes(routes!(vcon::get_vcon))
        .routes(routes!(interactions::post_timeline))
        .routes(routes!(interactions::put_notes))
        .routes(routes!(interactions::put_disposition))
        .routes(routes!(interactions::put_contact))
        .routes(routes!(deliveries::get_deliveries))
        .routes(routes!(deliveries::get_backlog))
        .routes(routes!(deliveries::post_replay))
        .routes(routes!(deliveries::post_replay_all))
        .routes(routes!(webhooks::get_webhooks))
        .routes(routes!(credentials::get_credentials))
        .routes(routes!(credentials::post_connect))
        .routes(routes!(credentials::get_callback))
        .routes(routes!(plugins::get_plugins))
        .routes(routes!(plugins::post_resume))
        .routes(routes!(plugins::post_revoke))
        .routes(routes!(plugins::post_backfill))
        .routes(routes!(practice::get_session, practice::delete_session))
        .routes(routes!(practice::post_practice_call))
        .routes(routes!(practice::post_practice_step))
        .routes(routes!(health::get_healthz))
        .routes(routes!(health::get_readyz))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(get_openapi))
}

/// The document, as JSON text.
pub fn document() -> String {
    described().into_openapi().to_pretty_json().unwrap_or_default()
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn get_openapi(State(state): State<AppState>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], state.openapi().to_owned()).into_response()
}
