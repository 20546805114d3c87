//! `/v1/channels/{channel}/webhook`: a messaging or telephony provider tells what happened.
//!
//! The address names the channel, which is no secret: the adapter proves the sender over the raw bytes before a byte
//! is read. What was told is stored before the answer, so that a provider that was thanked may forget. What cannot be
//! placed is counted with its reason and thanked for all the same: a provider that is refused repeats it for days, and
//! holds back everything after it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use ramal_center::{Origin, SourceId};
use ramal_channels::{Incoming, Refusal, Reply, Taken, Webhook};
use url::Url;

use crate::events::{chain, read_at_most};
use crate::inventory::Inventory;
use crate::messages::MessageDesk;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// One channel whose provider posts to us.
pub struct ChannelDoor {
    /// Whose channel it is, and its name.
    pub origin: Origin,
    /// The adapter.
    pub webhook: Arc<dyn Webhook>,
}

/// The channels: those whose providers post to us, and what is known of all of them.
#[derive(Default)]
pub struct ChannelDoors {
    doors: HashMap<SourceId, ChannelDoor>,
    inventory: Option<Inventory>,
    messages: MessageDesk,
}

impl ChannelDoors {
    /// One more.
    pub fn add(&mut self, door: ChannelDoor) {
        self.doors.insert(door.origin.source.clone(), door);
    }

    /// Lists all channels; without this there is nothing at `/v1/channels`.
    pub fn list(&mut self, inventory: Inventory) {
        self.inventory = Some(inventory);
    }

    /// The channels that messages are sent by.
    pub fn send_by(&mut self, messages: MessageDesk) {
        self.messages = messages;
    }

    pub(crate) fn messages(&self) -> &MessageDesk {
        &self.messages
    }

    pub(crate) fn inventory(&self) -> Option<&Inventory> {
        self.inventory.as_ref()
    }

    fn find(&self, name: &str) -> Result<&ChannelDoor, Problem> {
        let found = SourceId::new(name).ok().and_then(|id| self.doors.get(&id));
        found.ok_or_else(|| {
            Problem::new(ProblemCode::ChannelUnknown, "no channel that a provider posts to has this name")
                .hint("the address is /v1/channels/CHANNEL/webhook, with the `id` of a `[[tenant.channel]]` in ramal.toml")
        })
    }
}

/// Answer a provider's question
///
/// Some providers ask, before they send anything, whether an address is meant for them. Which parameters they send is
/// the provider's affair.
#[utoipa::path(
    get, path = "/v1/channels/{channel}/webhook", tag = "channels",
    params(("channel" = String, Path, description = "The channel's name in ramal.toml")),
    responses(
        (status = 200, description = "It is; the text that the provider wants to see", body = String, content_type = "text/plain"),
        (status = 403, description = "The provider did not prove itself", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such channel, or one that is not asked", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_channel_webhook(
    State(state): State<AppState>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let door = state.channels().find(&channel)?;
    let url = address(state.public_url(), &channel, query.as_deref());
    let texts = texts(&headers);
    let incoming = Incoming { url: &url, headers: &texts, body: b"", now: Timestamp::now() };
    door.webhook.challenge(&incoming).map(answer).map_err(|refusal| refused(&state, door, refusal))
}

/// Take what a provider tells
///
/// In the provider's own form, proved as the provider does it. Everything that can be placed is stored before the
/// answer; the rest is counted. Sending the same again changes nothing.
#[utoipa::path(
    post, path = "/v1/channels/{channel}/webhook", tag = "channels",
    params(("channel" = String, Path, description = "The channel's name in ramal.toml")),
    request_body(content = String, description = "As the provider writes it"),
    responses(
        (status = 200, description = "Stored, or known already; what the provider wants to see"),
        (status = 400, description = "The bytes are none that the provider sends", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The sender is not proved", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such channel", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not stored; send it again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn post_channel_webhook(
    State(state): State<AppState>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let door = state.channels().find(&channel)?;
    let body = read_at_most(body, door.webhook.most_bytes()).await?;
    let url = address(state.public_url(), &channel, query.as_deref());
    let texts = texts(&headers);
    let incoming = Incoming { url: &url, headers: &texts, body: &body, now: Timestamp::now() };
    let refused = |refusal| refused(&state, door, refusal);
    door.webhook.prove(&incoming).map_err(refused)?;
    let reading = door.webhook.read(&incoming).map_err(refused)?;
    let source = &door.origin.source;
    for odd in reading.passed_over {
        state.metrics().channel(source, odd.why.0);
    }
    for heard in reading.heard {
        let taken = ramal_channels::take(state.center(), &door.origin, heard).await.map_err(|error| {
            tracing::error!(channel = %source, error = %chain(&error), "what a provider told was not stored");
            Problem::from(error)
        })?;
        state.metrics().channel(
            source,
            match taken {
                Taken::Stored(_) => "stored",
                Taken::Repeated(_) => "repeated",
                Taken::PassedOver(why) => why.0,
            },
        );
    }
    Ok(answer(door.webhook.reply()))
}

fn answer(reply: Reply) -> Response {
    let (kind, text) = match reply {
        Reply::Text(text) => ("text/plain; charset=utf-8", text),
        Reply::Xml(text) => ("text/xml; charset=utf-8", text),
    };
    (StatusCode::OK, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

fn refused(state: &AppState, door: &ChannelDoor, refusal: Refusal) -> Problem {
    let source = &door.origin.source;
    let (code, word, hint) = match refusal {
        Refusal::Unproved(_) => (
            ProblemCode::ChannelUnproved,
            "unproved",
            "check the channel's secret in ramal.toml, and that nothing between the provider and this host changes the address or the body",
        ),
        Refusal::Unreadable(_) => {
            (ProblemCode::ChannelUnreadable, "unreadable", "send what the provider's documentation describes")
        }
        Refusal::Unknown => (ProblemCode::NotFound, "unknown", "this provider only posts"),
    };
    state.metrics().channel(source, word);
    tracing::warn!(channel = %source, %refusal, "a provider's request was refused");
    Problem::new(code, refusal.to_string()).hint(hint)
}

/// The address as the provider calls it.
fn address(public: &Url, channel: &str, query: Option<&str>) -> Url {
    let mut url = public.clone();
    url.set_path(&format!("/v1/channels/{channel}/webhook"));
    url.set_query(query);
    url
}

fn texts(headers: &HeaderMap) -> Vec<(&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect()
}
