//! Texts by Twilio: the call that creates a message, <https://www.twilio.com/docs/messaging/api/message-resource>.
//!
//! Twilio knows no idempotency key: after a lost answer nobody can tell whether the message went out, and the error says
//! so. Our own reference stands in the address of the status callbacks, which are signed.

use std::time::Duration;

use data_encoding::BASE64;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ramal_capability::{EgressFailure, Method};
use ramal_center::{Clear, ContactIdentity, ContactKind, EventId, Namespace};
use ramal_egress::{ProviderAnswer, ProviderCall, ProviderClient};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use crate::send::only_text;
use crate::{MessageSender, Outgoing, SendError};

/// Where Twilio is asked when nothing else is said.
pub const TWILIO_API: &str = "https://api.twilio.com";

/// The version of the API, which has been the only one since 2010.
const VERSION: &str = "2010-04-01";
/// An answer has about a kilobyte.
const MOST_BYTES: u64 = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// Sends texts by one account.
#[derive(Debug)]
pub struct TwilioSender {
    client: ProviderClient,
    account: String,
    authorization: Clear,
    from: Clear,
    callback: Option<Url>,
}

impl TwilioSender {
    /// Sends as `from`: a number, or a messaging service (`MG…`). `user` and `secret` are the account with its auth
    /// token, or an API key. `callback` is where the message's further way is told.
    pub fn new(
        client: ProviderClient,
        account: impl Into<String>,
        (user, secret): (&str, &Clear),
        from: Clear,
        callback: Option<Url>,
    ) -> Self {
        let pair = Clear::new(format!("{user}:{}", secret.expose()));
        let authorization = Clear::new(format!("Basic {}", BASE64.encode(pair.expose().as_bytes())));
        Self { client, account: account.into(), authorization, from, callback }
    }

    async fn create(
        &self,
        to: &ContactIdentity,
        text: &Clear,
        reference: &EventId,
    ) -> Result<EventId, SendError> {
        let body = self.body(to, text, reference)?;
        let answer = self
            .client
            .send(ProviderCall {
                method: Method::Post,
                target: &format!("/{VERSION}/Accounts/{}/Messages.json", self.account),
                authorization: Some(&self.authorization),
                body: Some((FORM, body.expose().as_bytes())),
                most_bytes: MOST_BYTES,
            })
            .await;
        read(answer)
    }

    fn body(&self, to: &ContactIdentity, text: &Clear, reference: &EventId) -> Result<Clear, SendError> {
        let (to, prefix) = match (to.kind, to.namespace.as_str()) {
            (ContactKind::Phone, Namespace::E164) => (to.value().expose().to_owned(), ""),
            (ContactKind::Whatsapp, Namespace::WA_ID) => {
                (format!("whatsapp:+{}", to.value().expose()), "whatsapp:")
            }
            _ => return Err(SendError::NoAddress),
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        let from = self.from.expose();
        if from.starts_with("MG") {
            form.append_pair("MessagingServiceSid", from);
        } else {
            form.append_pair("From", &format!("{prefix}{from}"));
        }
        form.append_pair("To", &to).append_pair("Body", text.expose());
        if let Some(callback) = &self.callback {
            let mut callback = callback.clone();
            callback.query_pairs_mut().append_pair("reference", reference.as_str());
            form.append_pair("StatusCallback", callback.as_str());
        }
        Ok(Clear::new(form.finish()))
    }
}

impl MessageSender for TwilioSender {
    fn send<'a>(
        &'a self,
        to: &'a ContactIdentity,
        message: &'a Outgoing,
        reference: &'a EventId,
    ) -> BoxFuture<'a, Result<EventId, SendError>> {
        async move { self.create(to, only_text(message)?, reference).await }.boxed()
    }

    fn address<'c>(&self, contacts: &'c [ContactIdentity]) -> Option<&'c ContactIdentity> {
        // A conversation on WhatsApp has both names: the one that WhatsApp gave is the way back.
        let of = |kind, namespace| {
            contacts.iter().find(|c: &&ContactIdentity| c.kind == kind && c.namespace.as_str() == namespace)
        };
        of(ContactKind::Whatsapp, Namespace::WA_ID).or_else(|| of(ContactKind::Phone, Namespace::E164))
    }
}

/// The part of an answer that matters: a message's identifier, or a refusal's number.
#[derive(Deserialize)]
struct Created {
    sid: Option<String>,
    code: Option<u32>,
}

fn read(answer: Result<ProviderAnswer, EgressFailure>) -> Result<EventId, SendError> {
    let answer = answer.map_err(|failure| match failure {
        EgressFailure::Denied(denial) => SendError::Refused { what: denial.asked },
        other => SendError::Unsure { what: other.to_string() },
    })?;
    let told: Option<Created> = serde_json::from_slice(&answer.body).ok();
    let (sid, code) = told.map_or((None, None), |told| (told.sid, told.code));
    let what = || match code {
        Some(code) => format!("{} with error {code}", answer.status),
        None => answer.status.to_string(),
    };
    match answer.status {
        200..=299 => sid
            .and_then(|sid| EventId::new(&sid).ok())
            .ok_or_else(|| SendError::Unsure { what: "it names no message".to_owned() }),
        429 => Err(SendError::Passing {
            what: what(),
            after: answer.retry_after.map(|seconds| Duration::from_secs(seconds.into())),
        }),
        400..=499 => Err(SendError::Refused { what: what() }),
        _ => Err(SendError::Unsure { what: what() }),
    }
}
