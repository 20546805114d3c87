//! `POST /v1/hooks/…`: a CRM tells by itself that something happened.
//!
//! The address names the plugin, the hook and the tenant. None of them is a secret, so nothing follows from knowing
//! them: the sender is proved as the manifest says, over the raw bytes, and only then is the body cut down to what
//! the hook lists and stored. Whoever cannot prove itself learns no more than that the address is there.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use ramal_capability::{
    Actor, Authority, Clear, Hook, HookFault, HookProof, Plan, PluginId, Purpose, TenantId,
};
use ramal_center::HearingBell;
use ramal_egress::CredentialSource;
use ramal_store::{InboundStore, NewHook, Taken};
use serde::Serialize;
use utoipa::ToSchema;

use crate::events::{chain, read_at_most};
use crate::hook_proof::{Claim, Identity, delivery, is_secret, unsigned};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// A secret that is part of an address is at least so long: it is all that there is.
const LEAST_SECRET: usize = 24;
/// Names in an address that is none of ours are not looked at.
const LONGEST_NAME: usize = 64;

/// The rights of a plugin as they are now.
pub type PlanNow = Arc<dyn Fn() -> Arc<Plan> + Send + Sync>;

/// What comes in by hooks, and where it goes.
pub struct HookDoors {
    /// Where it is stored.
    pub store: Arc<dyn InboundStore>,
    /// Where the shared secrets are.
    pub secrets: Arc<dyn CredentialSource>,
    /// Who is woken.
    pub bell: HearingBell,
    /// The plugins that have hooks.
    pub plans: HashMap<(TenantId, PluginId), PlanNow>,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct HookTaken {
    /// It was here before; nothing changed.
    pub(crate) repeated: bool,
}

/// Take what a CRM tells, signed
///
/// For a hook whose manifest says `verify = "hmac-…"`. Which headers prove the sender, and what they sign, is the
/// manifest's; `ramal inspect` shows it. The body is stored before the answer, without what the hook does not list.
#[utoipa::path(
    post, path = "/v1/hooks/{plugin}/{hook}/{tenant}", tag = "hooks",
    params(
        ("plugin" = String, Path, description = "The plugin's id"),
        ("hook" = String, Path, description = "The hook's id in the manifest"),
        ("tenant" = String, Path, description = "The tenant's id"),
    ),
    request_body(content = Object, description = "As the CRM writes it; at most as many bytes as the hook takes"),
    responses(
        (status = 202, description = "Stored; it is heard soon", body = HookTaken),
        (status = 200, description = "Known already; nothing changed", body = HookTaken),
        (status = 400, description = "The body is no JSON or is incomplete", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The signature is missing, malformed, expired or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such hook, or not granted", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body nests too deep, or a header is missing", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not stored, or the hook's secret is not there; send it again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_hook(
    State(state): State<AppState>,
    Path((plugin, hook, tenant)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let door = Door::find(state.hooks(), &plugin, &hook, &tenant)?;
    let HookProof::Hmac(proof) = &door.hook.decl().proof else { return Err(unknown()) };
    let name = delivery(door.hook.decl().delivery_id.as_deref(), &headers)?;
    // Before the body is read: who cannot sign costs nothing.
    let claim = Claim::read(proof, name, &headers, Timestamp::now())?;
    let secrets = door.secrets().await?;
    let body = read_at_most(body, door.most_bytes()).await?;
    let identity = claim.verify(&secrets, &body)?;
    door.take(&headers, &body, identity).await
}

/// Take what a CRM tells, by a secret address
///
/// For a hook whose manifest says `verify = "path-secret"`: for a CRM that cannot sign. Give the whole address to the
/// CRM and to nobody else.
#[utoipa::path(
    post, path = "/v1/hooks/{plugin}/{hook}/{tenant}/{secret}", tag = "hooks",
    params(
        ("plugin" = String, Path, description = "The plugin's id"),
        ("hook" = String, Path, description = "The hook's id in the manifest"),
        ("tenant" = String, Path, description = "The tenant's id"),
        ("secret" = String, Path, description = "The hook's secret, at least 24 characters"),
    ),
    request_body(content = Object, description = "As the CRM writes it; at most as many bytes as the hook takes"),
    responses(
        (status = 202, description = "Stored; it is heard soon", body = HookTaken),
        (status = 200, description = "Known already; nothing changed", body = HookTaken),
        (status = 400, description = "The body is no JSON or is incomplete", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such hook, not granted, or another secret", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body nests too deep, or a header is missing", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not stored, or the hook's secret is not there; send it again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_secret_hook(
    State(state): State<AppState>,
    Path((plugin, hook, tenant, secret)): Path<(String, String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let secret = Clear::from(secret);
    let door = Door::find(state.hooks(), &plugin, &hook, &tenant)?;
    if door.hook.decl().proof != HookProof::PathSecret {
        return Err(unknown());
    }
    let secrets = door.secrets().await?;
    if !is_secret(secret.expose(), &secrets) {
        return Err(unknown());
    }
    let name = delivery(door.hook.decl().delivery_id.as_deref(), &headers)?;
    let body = read_at_most(body, door.most_bytes()).await?;
    let identity = unsigned(name, &body);
    door.take(&headers, &body, identity).await
}

/// One answer for all that is not there: it says nothing of which part was wrong.
fn unknown() -> Problem {
    Problem::new(ProblemCode::HookUnknown, "no hook that is granted has this address")
        .hint("the address is /v1/hooks/PLUGIN/HOOK/TENANT, and ends with the secret for a hook that cannot be signed")
}

/// A hook that is granted, on the way of one request.
struct Door<'a> {
    doors: &'a HookDoors,
    tenant: TenantId,
    plugin: PluginId,
    hook: Arc<Hook>,
}

impl<'a> Door<'a> {
    fn find(doors: Option<&'a HookDoors>, plugin: &str, hook: &str, tenant: &str) -> Result<Self, Problem> {
        if [plugin, hook, tenant].iter().any(|name| name.len() > LONGEST_NAME) {
            return Err(unknown());
        }
        let doors = doors.ok_or_else(unknown)?;
        let key =
            (TenantId::new(tenant).map_err(|_| unknown())?, PluginId::new(plugin).map_err(|_| unknown())?);
        let plan = doors.plans.get(&key).ok_or_else(unknown)?();
        let (tenant, plugin) = key;
        let authority = Authority {
            tenant: tenant.clone(),
            purpose: Purpose::Sync,
            interaction: None,
            actor: Actor::System,
            subject: None,
            at: Timestamp::now(),
        };
        match plan.hook(hook, &authority) {
            Ok(hook) => Ok(Self { doors, tenant, plugin, hook: Arc::clone(hook) }),
            Err(denial) => {
                // The operator reads the line to add; the sender may be anybody.
                tracing::warn!(%tenant, %plugin, rule = denial.rule.code(), "a hook was refused: {denial}");
                Err(unknown())
            }
        }
    }

    fn most_bytes(&self) -> usize {
        usize::try_from(self.hook.most_bytes()).unwrap_or(usize::MAX)
    }

    /// What the sender may have signed with: the secret, and the one before it.
    async fn secrets(&self) -> Result<Vec<Clear>, Problem> {
        let decl = self.hook.decl();
        let not_ready = |why: String| {
            tracing::error!(tenant = %self.tenant, plugin = %self.plugin, hook = %decl.id, "a hook cannot be proved: {why}");
            Problem::new(
                ProblemCode::HookNotReady,
                "the secret of this hook is not there, so nobody can be proved",
            )
            .hint("an admin stores it with `ramal credential set`, or in the plugin's file of credentials")
            .retry_after(60)
        };
        let secret = self.doors.secrets.secret(&self.tenant, &self.plugin, &decl.credential).await;
        let secret = secret.map_err(|error| not_ready(error.to_string()))?;
        let field = |name: &str| secret.fields().get(name).filter(|text| !text.expose().is_empty()).cloned();
        let all: Vec<Clear> = ["secret", "previous_secret"].into_iter().filter_map(field).collect();
        let least = if decl.proof == HookProof::PathSecret { LEAST_SECRET } else { 1 };
        if field("secret").is_none() || all.iter().any(|text| text.expose().chars().count() < least) {
            return Err(not_ready(format!(
                "the field `secret` is missing, or has fewer than {least} characters"
            )));
        }
        Ok(all)
    }

    /// Stores it, then says so.
    async fn take(&self, headers: &HeaderMap, body: &[u8], identity: Identity) -> Result<Response, Problem> {
        let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let came = self.hook.listed(texts, body).map_err(fault)?;
        let at = Timestamp::now();
        let since = SignedDuration::try_from(identity.within).ok().and_then(|by| at.checked_sub(by).ok());
        let new = NewHook {
            tenant: self.tenant.clone(),
            plugin: self.plugin.clone(),
            hook: self.hook.decl().id.clone(),
            digest: identity.digest,
            came,
            at,
            repeats_since: since.unwrap_or(Timestamp::MIN),
        };
        let taken = self.doors.store.take_hook(&new).await.map_err(|error| {
            tracing::error!(error = %chain(&error), "what came to a hook was not stored");
            Problem::new(ProblemCode::StoreFailed, "it was not stored").hint("send it again").retry_after(5)
        })?;
        let repeated = taken == Taken::Repeated;
        if !repeated {
            self.doors.bell.ring(&self.tenant, &self.plugin);
        }
        let status = if repeated { StatusCode::OK } else { StatusCode::ACCEPTED };
        Ok((status, Json(HookTaken { repeated })).into_response())
    }
}

fn fault(fault: HookFault) -> Problem {
    let code = match fault {
        HookFault::TooLarge { .. } => ProblemCode::BodyTooLarge,
        HookFault::TooDeep { .. } => ProblemCode::Invalid,
        HookFault::NotUtf8 { .. } | HookFault::NotJson { .. } => ProblemCode::NotJson,
    };
    Problem::new(code, fault.to_string()).hint("hooks take one JSON document, in UTF-8")
}
