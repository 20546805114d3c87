//! The outgoing webhooks over HTTP: which ones there are and what each is told. They are made in the configuration;
//! what waits for one and what it did not take is at `/v1/deliveries`, by its target.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use ramal_capability::TenantId;
use ramal_store::{Target, WebhookId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Access;
use crate::config::{ServerConfig, WebhookConfig};
use crate::problem::Problem;
use crate::state::AppState;

/// One outgoing webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WebhookView {
    /// Its name in the configuration.
    #[schema(example = "erp")]
    id: String,
    /// What it is called among the deliveries.
    #[schema(example = "webhook:d7f72956-6d8f-51f7-836d-54c525cc83dc")]
    target: String,
    /// Scheme, host and port of its address; the path may hold a key.
    #[schema(example = "https://erp.example.com")]
    origin: String,
    /// The events that it is told.
    #[schema(value_type = Vec<String>, example = json!(["ended", "disposition-set"]))]
    events: Vec<&'static str>,
    /// Whether numbers, names, notes and texts go along.
    include_personal: bool,
}

/// The webhooks of each tenant, as the configuration has them.
#[derive(Debug, Default)]
pub(crate) struct WebhookList(HashMap<TenantId, Vec<WebhookView>>);

impl WebhookList {
    pub(crate) fn new(config: &ServerConfig) -> Self {
        let view = |tenant: &TenantId, webhook: &WebhookConfig| WebhookView {
            id: webhook.id.to_string(),
            target: Target::Webhook(WebhookId::named(tenant, &webhook.id)).to_string(),
            origin: webhook.url.origin.to_string(),
            events: webhook.events.iter().map(|event| event.as_str()).collect(),
            include_personal: webhook.include_personal,
        };
        let all = config
            .tenants
            .iter()
            .map(|tenant| (tenant.id.clone(), tenant.webhooks.iter().map(|w| view(&tenant.id, w)).collect()));
        Self(all.collect())
    }

    fn of(&self, tenant: &TenantId) -> Vec<WebhookView> {
        self.0.get(tenant).cloned().unwrap_or_default()
    }
}

/// Webhooks
///
/// Who is told of calls and conversations, and of what.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "deliveries", security(("token" = []), ("session" = [])),
    responses(
        (status = 200, description = "One entry for each", body = Vec<WebhookView>),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_webhooks(
    State(state): State<AppState>,
    Access(principal): Access,
) -> Json<Vec<WebhookView>> {
    Json(state.webhooks().of(&principal.tenant))
}
