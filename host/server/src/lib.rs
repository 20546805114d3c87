//! HTTP: call events in, live events out, the page, health, metrics, OpenAPI.
//!
//! ```text
//! request ─▶ request id, panic net, security headers, metrics     (guard)
//!         ─▶ Host and Origin                                      (guard)
//!         ─▶ route ─▶ signature (events) or API token / cookie    (signature, access)
//!                  ─▶ center
//! ```
//!
//! Every error leaves as `application/problem+json` (RFC 9457) with a code, what was wrong and what to do; none
//! carries a customer's value. A handler that panics costs its own request and nothing else.
//!
//! [`compose()`] puts a whole host together from a configuration. Whoever composes differently gives [`AppState::new`] a
//! [`ramal_center::Center`] that is ready; [`router`] is a plain axum router, [`serve()`] runs it until told to stop.
#![deny(missing_docs)]

mod access;
mod call_control;
mod calls;
mod channels;
mod compose;
mod config;
mod credentials;
mod deliveries;
mod event_body;
mod events;
mod guard;
mod health;
mod hook_proof;
mod hooks;
mod interaction_view;
mod interactions;
mod inventory;
mod listener;
mod live;
mod messages;
mod metrics;
mod openapi;
mod panel;
mod plugins;
mod practice;
mod problem;
mod queues;
mod registry;
mod route;
mod secret;
mod serve;
mod signature;
mod state;
mod vcon;
mod webhooks;

pub use call_control::CallControls;
pub use channels::{ChannelDoor, ChannelDoors};
pub use compose::{
    AskedCredential, ComposeError, Composed, CredentialDesk, RegrantError, compose, open_store,
};
pub use config::{
    AgentConfig, AsteriskConfig, AsteriskQueuesConfig, ChannelConfig, ConfigError, ForgottenCallsConfig,
    GammuConfig, MappedConfig, PluginConfig, PostgresConfig, RetentionConfig, ServerConfig, SharedKeyConfig,
    SourceConfig, TenantConfig, TokenConfig, TrunkTag, TwilioConfig, WebhookConfig, WebhookUrl,
    WhatsAppConfig,
};
pub use hooks::{HookDoors, PlanNow};
pub use inventory::{ChannelView, CollectedView, Inventory};
pub use messages::{Line, MessageDesk};
pub use metrics::Metrics;
pub use openapi::document;
pub use plugins::{PluginDesk, Standing};
pub use problem::{FieldProblem, Problem, ProblemCode};
pub use queues::QueueBoards;
pub use secret::Secret;
pub use serve::{router, serve};
pub use signature::sign;
pub use state::{AppParts, AppState};
