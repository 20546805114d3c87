//! Messages by the Graph API: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>.
//!
//! Meta knows no idempotency key: after a lost answer nobody can tell whether the message went out, and the error says
//! so. Our own reference goes along as `biz_opaque_callback_data` and comes back with every status.
//!
//! A user is written to by the `wa_id`, digit for digit as it came, or else by the user's identifier.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ramal_capability::Method;
use ramal_center::{Clear, ContactIdentity, ContactKind, EventId, Namespace};
use ramal_egress::{ProviderAnswer, ProviderCall, ProviderClient};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::limit::Limits;
use super::user::BSUID;
use super::{event_id, failure};
use crate::{MediaPlace, MessageSender, Outgoing, OutgoingContent, SendError};

/// Where the Graph API is when nothing else is said.
pub const GRAPH_API: &str = "https://graph.facebook.com";
/// Where users' files are when nothing else is said.
pub const GRAPH_FILES: &str = "https://lookaside.fbsbx.com";
/// The version of the Graph API when nothing else is said. One holds for two years.
pub const GRAPH_VERSION: &str = "v23.0";

const JSON: &str = "application/json";
/// An answer has some hundred bytes.
const MOST_BYTES: u64 = 64 * 1024;
/// A day from the customer's last message.
const WINDOW: Duration = Duration::from_hours(24);

/// Sends messages from one number.
pub struct WhatsAppSender {
    client: ProviderClient,
    target: String,
    authorization: Clear,
    portfolio: String,
    limits: Limits,
}

impl fmt::Debug for WhatsAppSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WhatsAppSender({})", self.target)
    }
}

impl WhatsAppSender {
    /// Sends from this number by a version of the API (`v23.0`), at most so many messages a second.
    pub fn new(
        client: ProviderClient,
        version: &str,
        number: &super::WhatsAppNumber,
        token: &Clear,
        per_second: u32,
    ) -> Self {
        Self {
            client,
            target: format!("/{version}/{}/messages", number.phone_number_id),
            authorization: Clear::new(format!("Bearer {}", token.expose())),
            portfolio: format!("{BSUID}:{}", number.portfolio.to_ascii_lowercase()),
            limits: Limits::new(per_second),
        }
    }

    async fn hand_over(
        &self,
        to: &ContactIdentity,
        message: &Outgoing,
        reference: &EventId,
    ) -> Result<EventId, SendError> {
        let mut body = self.addressed(to)?;
        body.insert("recipient_type".to_owned(), json!("individual"));
        body.insert("biz_opaque_callback_data".to_owned(), json!(reference.as_str()));
        if let Some(answered) = &message.answers {
            body.insert("context".to_owned(), json!({"message_id": answered.as_str()}));
        }
        let (kind, content) = content(&message.content);
        body.insert("type".to_owned(), json!(kind));
        body.insert(kind.to_owned(), content);
        self.limits.take(to.value().expose(), Instant::now()).map_err(|wait| SendError::Passing {
            what: "the number's own limit".to_owned(),
            after: Some(wait),
        })?;
        let answer = self.post(Value::Object(body)).await?;
        // It was taken; without its name only our own reference will find it.
        Ok(accepted(&answer).unwrap_or_else(|| reference.clone()))
    }

    /// The part of a request that says to whom.
    fn addressed(&self, to: &ContactIdentity) -> Result<Map<String, Value>, SendError> {
        let key = match (to.kind, to.namespace.as_str()) {
            (ContactKind::Whatsapp, Namespace::WA_ID) => "to",
            (ContactKind::Whatsapp, namespace) if namespace == self.portfolio => "recipient",
            _ => return Err(SendError::NoAddress),
        };
        let mut body = Map::new();
        body.insert("messaging_product".to_owned(), json!("whatsapp"));
        body.insert(key.to_owned(), json!(to.value().expose()));
        Ok(body)
    }

    async fn post(&self, body: Value) -> Result<ProviderAnswer, SendError> {
        let body = Clear::new(body.to_string());
        let call = ProviderCall {
            method: Method::Post,
            target: &self.target,
            authorization: Some(&self.authorization),
            body: Some((JSON, body.expose().as_bytes())),
            most_bytes: MOST_BYTES,
        };
        let answer = self.client.send(call).await.map_err(failure::lost)?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(failure::read(&answer)) }
    }
}

impl MessageSender for WhatsAppSender {
    fn send<'a>(
        &'a self,
        to: &'a ContactIdentity,
        message: &'a Outgoing,
        reference: &'a EventId,
    ) -> BoxFuture<'a, Result<EventId, SendError>> {
        self.hand_over(to, message, reference).boxed()
    }

    fn address<'c>(&self, contacts: &'c [ContactIdentity]) -> Option<&'c ContactIdentity> {
        let of = |namespace: &str| {
            contacts.iter().find(|c| c.kind == ContactKind::Whatsapp && c.namespace.as_str() == namespace)
        };
        of(Namespace::WA_ID).or_else(|| of(&self.portfolio))
    }

    fn window(&self) -> Option<Duration> {
        Some(WINDOW)
    }

    fn mark_read<'a>(&'a self, message: &'a EventId) -> BoxFuture<'a, Result<(), SendError>> {
        let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": message.as_str()});
        async move { self.post(body).await.map(drop) }.boxed()
    }
}

/// Meta's word for a kind of message, and what stands under it.
fn content(content: &OutgoingContent) -> (&'static str, Value) {
    match content {
        OutgoingContent::Text(text) => ("text", json!({"body": text.expose()})),
        OutgoingContent::Media(media) => {
            let mut inner = Map::new();
            let (key, place) = match &media.place {
                MediaPlace::Id(id) => ("id", id.as_str()),
                MediaPlace::Link(link) => ("link", link.as_str()),
            };
            inner.insert(key.to_owned(), json!(place));
            let named = [("caption", &media.caption), ("filename", &media.file_name)];
            for (key, text) in named.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?))) {
                inner.insert(key.to_owned(), json!(text.expose()));
            }
            (media.kind.as_str(), Value::Object(inner))
        }
        OutgoingContent::Template(template) => {
            let mut inner = Map::new();
            inner.insert("name".to_owned(), json!(template.name));
            inner.insert("language".to_owned(), json!({"code": template.language}));
            if template.components.as_array().is_some_and(|all| !all.is_empty()) {
                inner.insert("components".to_owned(), template.components.clone());
            }
            ("template", Value::Object(inner))
        }
    }
}

/// The part of an answer that matters.
#[derive(Deserialize)]
struct Accepted {
    messages: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

fn accepted(answer: &ProviderAnswer) -> Option<EventId> {
    let accepted: Accepted = serde_json::from_slice(&answer.body).ok()?;
    event_id(&accepted.messages.first()?.id, "").ok()
}
