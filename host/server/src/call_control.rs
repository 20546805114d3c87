//! Orders for calls: `POST /v1/calls` makes one, `POST /v1/interactions/{id}/…` holds, hands on, mutes, records, ends.
//!
//! An order is carried out by the channel that the call came by. A call that came by a channel that only tells (a
//! signed webhook, a queue that is watched) cannot be touched, and the answer says so: a button that does nothing is
//! worse than none.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ramal_center::{CallId, Clear, InteractionState, Origin, PhoneNumber, SourceId, TenantId};
use ramal_channels::{CallControl, ControlError, Dial, Order, RecordOrder, Transfer, TransferTo};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Access;
use crate::interactions::{identifier, json, request, unknown, unread};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Principal;
use crate::state::AppState;

/// The channels whose calls this host can do something with.
#[derive(Default, Clone)]
pub struct CallControls(HashMap<SourceId, (TenantId, Arc<dyn CallControl>)>);

impl CallControls {
    /// One more.
    pub fn add(&mut self, origin: Origin, control: Arc<dyn CallControl>) {
        self.0.insert(origin.source, (origin.tenant, control));
    }

    fn of(&self, tenant: &TenantId, source: &SourceId) -> Option<&Arc<dyn CallControl>> {
        self.0.get(source).filter(|(owner, _)| owner == tenant).map(|(_, control)| control)
    }

    /// The tenant's own by name, or its only one.
    fn named(&self, tenant: &TenantId, name: Option<&str>) -> Result<&Arc<dyn CallControl>, Problem> {
        let mut own = self.0.iter().filter(|(_, (owner, _))| owner == tenant);
        let found = match name {
            Some(name) => own.find(|(source, _)| source.as_str() == name),
            None => own.next().filter(|_| own.next().is_none()),
        };
        found.map(|(_, (_, control))| control).ok_or_else(|| {
            Problem::new(ProblemCode::ChannelUnknown, "no channel that makes calls has this name")
                .hint("`channel` is the `id` of a `[[tenant.channel]]` of the kind `asterisk`; with exactly one it can be left out")
        })
    }
}

/// A call that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCallBody {
    /// Who calls: an agent of the channel, by name, extension or endpoint. This telephone rings first.
    #[schema(example = "bruna")]
    agent: String,
    /// Who is called, in E.164 or as it is dialled in the tenant's country.
    #[schema(example = "+5511987654321")]
    to: String,
    /// The channel; may be left out when there is one.
    channel: Option<String>,
}

/// A call that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CallMade {
    /// Ramal's identifier of the call.
    #[schema(format = "uuid")]
    interaction: String,
}

/// To whom a call is handed, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferBody {
    /// `blind`: the agent leaves at once. `ask`: the customer waits while the agent asks somebody, then `complete` or
    /// `cancel`.
    #[schema(example = "blind")]
    mode: TransferMode,
    /// An agent of the channel, by name, extension or endpoint; with `blind` and `ask`, unless there is `number`.
    agent: Option<String>,
    /// Somebody outside, in E.164 or as it is dialled in the tenant's country.
    number: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TransferMode {
    Blind,
    Ask,
    Complete,
    Cancel,
}

/// Call somebody
///
/// The agent's telephone rings; once it is answered, the customer is called. The call is known at once, and the card of
/// the customer is shown while it rings.
#[utoipa::path(
    post, path = "/v1/calls", tag = "calls", security(("token" = []), ("session" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is the same call, 1 to 128 visible ASCII characters")),
    request_body(content = NewCallBody),
    responses(
        (status = 202, description = "The agent's telephone is about to ring", body = CallMade),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such channel", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong, or nobody has this name", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The exchange did not do it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The exchange is not connected", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_call(
    State(state): State<AppState>,
    Access(principal): Access,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let asked = request(&principal, &headers)?;
    let body: NewCallBody = json(&headers, body, r#"{"agent": "bruna", "to": "+5511987654321"}"#).await?;
    let control = state.controls().named(&principal.tenant, body.channel.as_deref())?;
    let to = number(&state, &principal, &body.to)?;
    let dial = Dial { id: asked.id, agent: Clear::new(body.agent), to };
    let interaction = control.dial(dial).await?.to_string();
    Ok((StatusCode::ACCEPTED, Json(CallMade { interaction })).into_response())
}

macro_rules! orders {
    ($($(#[$doc:meta])+ $name:ident, $path:tt, $order:expr;)+) => {$(
        $(#[$doc])+
        #[utoipa::path(
            post, path = $path, tag = "interactions", security(("token" = []), ("session" = [])),
            params(("interaction" = String, Path, description = "Its identifier")),
            responses(
                (status = 204, description = "Done"),
                (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
                (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
                (status = 409, description = "The call is over, does not stand so, or is not this host's to change", body = Problem, content_type = "application/problem+json"),
                (status = 502, description = "The exchange did not do it", body = Problem, content_type = "application/problem+json"),
                (status = 503, description = "The exchange is not connected", body = Problem, content_type = "application/problem+json"),
            ),
        )]
        pub(crate) async fn $name(
            State(state): State<AppState>,
            Access(principal): Access,
            Path(id): Path<String>,
        ) -> Result<StatusCode, Problem> {
            act(&state, &principal, &id, $order).await
        }
    )+};
}

orders! {
    /// Hang up
    ///
    /// Works for every call of an exchange that is connected, also for one that its dialplan keeps.
    post_hangup, "/v1/interactions/{interaction}/hangup", Order::HangUp;
    /// Hold
    ///
    /// The customer waits and hears music.
    post_hold, "/v1/interactions/{interaction}/hold", Order::Hold;
    /// Resume
    ///
    /// The talk goes on.
    post_resume, "/v1/interactions/{interaction}/resume", Order::Resume;
    /// Mute
    ///
    /// The agent is not heard.
    post_mute, "/v1/interactions/{interaction}/mute", Order::Mute;
    /// Unmute
    ///
    /// The agent is heard again.
    post_unmute, "/v1/interactions/{interaction}/unmute", Order::Unmute;
}

/// Hand on
///
/// To a colleague or to somebody outside, at once or after asking.
#[utoipa::path(
    post, path = "/v1/interactions/{interaction}/transfer", tag = "interactions", security(("token" = []), ("session" = [])),
    params(("interaction" = String, Path, description = "Its identifier")),
    request_body(content = TransferBody),
    responses(
        (status = 204, description = "Done, or begun"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The call is over, does not stand so, or is not this host's to change", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body is wrong, or nobody has this name", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The exchange did not do it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The exchange is not connected", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_transfer(
    State(state): State<AppState>,
    Access(principal): Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body: TransferBody = json(&headers, body, r#"{"mode": "blind", "agent": "caio"}"#).await?;
    let to = match (body.agent, body.number.as_deref()) {
        (Some(agent), None) => Some(TransferTo::Agent(Clear::new(agent))),
        (None, Some(text)) => Some(TransferTo::Number(number(&state, &principal, text)?)),
        (None, None) => None,
        (Some(_), Some(_)) => return Err(no_target()),
    };
    let transfer = match (body.mode, to) {
        (TransferMode::Blind, Some(to)) => Transfer::Blind(to),
        (TransferMode::Ask, Some(to)) => Transfer::Ask(to),
        (TransferMode::Complete, None) => Transfer::Complete,
        (TransferMode::Cancel, None) => Transfer::Cancel,
        _ => return Err(no_target()),
    };
    act(&state, &principal, &id, Order::Transfer(transfer)).await
}

/// Record
///
/// `start`, `pause`, `resume` or `stop`. What is said while it is paused goes into no file; the times of the pauses are
/// part of the history.
#[utoipa::path(
    post, path = "/v1/interactions/{interaction}/recording/{step}", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("step" = String, Path, description = "`start`, `pause`, `resume` or `stop`"),
    ),
    responses(
        (status = 204, description = "Done"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The call is over, does not stand so, or is not this host's to change", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The exchange did not do it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The exchange is not connected", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_recording(
    State(state): State<AppState>,
    Access(principal): Access,
    Path((id, step)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let order = match step.as_str() {
        "start" => RecordOrder::Start,
        "pause" => RecordOrder::Pause,
        "resume" => RecordOrder::Resume,
        "stop" => RecordOrder::Stop,
        _ => {
            return Err(Problem::new(ProblemCode::NotFound, "a recording has no such step")
                .hint("use start, pause, resume or stop"));
        }
    };
    act(&state, &principal, &id, Order::Record(order)).await
}

async fn act(state: &AppState, who: &Principal, id: &str, order: Order) -> Result<StatusCode, Problem> {
    let found = state.center().interaction(&who.tenant, identifier(id)?).await.map_err(unread)?;
    let call = found.ok_or_else(unknown)?.interaction;
    let (control, reference): (_, &CallId) =
        match (state.controls().of(&who.tenant, &call.source), &call.reference) {
            (Some(control), Some(reference)) => (control, reference),
            _ => {
                let detail = "the channel of this call only tells what happens, nothing can be asked of it";
                return Err(Problem::new(ProblemCode::CallNotControlled, detail)
                    .hint("calls of an Asterisk that is connected over ARI can be controlled"));
            }
        };
    if call.state == InteractionState::Ended {
        return Err(ControlError::Over.into());
    }
    control.act(reference.clone(), order).await?;
    // The number of a person stands nowhere in it.
    tracing::info!(tenant = %who.tenant, token = %who.token, interaction = %call.id, "an order was carried out");
    Ok(StatusCode::NO_CONTENT)
}

fn number(state: &AppState, who: &Principal, text: &str) -> Result<PhoneNumber, Problem> {
    PhoneNumber::parse(text, state.registry().region(&who.tenant)).map_err(|error| {
        Problem::new(ProblemCode::Invalid, format!("the number {error}"))
            .hint("write it in E.164, such as +5511987654321, or as it is dialled in the country")
    })
}

fn no_target() -> Problem {
    Problem::new(ProblemCode::Invalid, "the transfer does not say where to")
        .hint("`blind` and `ask` have either `agent` or `number`; `complete` and `cancel` have neither")
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let (code, hint) = match &error {
            ControlError::Over => {
                (ProblemCode::CallWrongState, "it was over before the order came; there is nothing to do")
            }
            ControlError::WrongState(_) => {
                (ProblemCode::CallWrongState, "look at the call's state, and try again")
            }
            ControlError::NotOurs(_) => (
                ProblemCode::CallNotControlled,
                "have the dialplan hand such calls to the application: Stasis(ramal); docs/asterisk has one to paste",
            ),
            ControlError::UnknownAgent => (ProblemCode::Invalid, "see `agents` of the channel in ramal.toml"),
            ControlError::NoTrunk => (ProblemCode::Invalid, "see `dial` of the channel in ramal.toml"),
            ControlError::Offline => {
                let problem = Self::new(ProblemCode::ChannelOffline, error.to_string());
                return problem.hint("the log says why; calls go on meanwhile").retry_after(5);
            }
            ControlError::Refused(_) => (ProblemCode::CallControlFailed, "the exchange's log says why"),
            ControlError::NotStored(_) => (ProblemCode::CallControlFailed, "try it again; the log says why"),
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}
