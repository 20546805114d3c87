//! Deliveries to webhooks: a stored event becomes a signed post, and the answer one of the outcomes that delivery
//! understands.
//!
//! The body is a CloudEvent in structured mode; the signature is that of Standard Webhooks
//! (<https://www.standardwebhooks.com>), for which verifiers exist in most languages. What is signed is
//! `<webhook-id>.<webhook-timestamp>.<body>`: the identifier is the delivery's key, the same at every try, so that a
//! receiver knows a repetition; the time is that of the try, so that what was recorded on the way cannot be sent
//! again later. While a receiver changes its secret over, both sign.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ramal_capability::{Dedup, EgressFailure, Rule, TenantId};
use ramal_center::{WebhookRules, Webhooks};
use ramal_delivery::{Courier, Outcome, Rate, Road, Upstream};
use ramal_egress::{Builder, WebhookAddress, WebhookAnswer, WebhookCall, WebhookClient, WebhookDisclosure};
use ramal_store::{Failure, Leased, Target, WebhookId, WebhookMessage};
use uuid::Uuid;

use super::ComposeError;
use crate::config::{ConfigError, ServerConfig, TenantConfig, WebhookConfig};
use crate::registry::read;
use crate::secret::Secret;

/// A CloudEvent in structured mode.
const CLOUD_EVENT: &str = "application/cloudevents+json";
/// The most that one post may take. Less than a lease.
const POST: Duration = Duration::from_secs(15);
/// Posts to one webhook that may be under way at once.
const AT_ONCE: usize = 8;
/// From one post to the next, when they come evenly; a webhook is there to take events, so more than a CRM takes.
const EVERY: Duration = Duration::from_millis(20);
/// Posts that may come at once after a rest.
const BURST: u32 = 50;
/// What stands before a secret in base64.
const PREFIX: &str = "whsec_";

/// What the webhooks of a tenant are told.
pub(super) fn rules(tenant: &TenantConfig) -> Webhooks {
    let rules = |w: &WebhookConfig| WebhookRules { events: w.events.clone(), personal: w.include_personal };
    tenant.webhooks.iter().map(|w| (WebhookId::named(&tenant.id, &w.id), rules(w))).collect()
}

struct Webhook {
    name: Arc<str>,
    client: WebhookClient,
    /// The present one, and the one before while the receiver changes over.
    keys: Vec<hmac::Key>,
    upstream: Upstream,
}

/// Posts to the webhooks of the configuration.
pub(super) struct WebhookCourier {
    webhooks: HashMap<(TenantId, WebhookId), Webhook>,
    subjects: Arc<hmac::Key>,
}

impl WebhookCourier {
    /// Reads every secret; opens no connection.
    pub(super) fn open(
        config: &ServerConfig,
        way_out: &Builder,
        subjects: Arc<hmac::Key>,
    ) -> Result<Self, ComposeError> {
        let mut webhooks = HashMap::new();
        for tenant in &config.tenants {
            for webhook in &tenant.webhooks {
                let opened = open(tenant, webhook, way_out)?;
                webhooks.insert((tenant.id.clone(), WebhookId::named(&tenant.id, &webhook.id)), opened);
            }
        }
        Ok(Self { webhooks, subjects })
    }

    fn webhook(&self, tenant: &TenantId, target: &Target) -> Option<&Webhook> {
        match target {
            Target::Webhook(id) => self.webhooks.get(&(tenant.clone(), *id)),
            Target::Plugin(_) => None,
        }
    }

    async fn post(&self, job: &Leased) -> Outcome {
        let Some(webhook) = self.webhook(&job.tenant, &job.target) else {
            let gone = "the webhook does not stand in the configuration any more";
            return Outcome::Transient(Failure::new("not-connected", gone));
        };
        let message = match WebhookMessage::from_payload(job.payload.expose()) {
            Ok(message) => message,
            Err(error) => return Outcome::Permanent(Failure::new("bad-payload", error.to_string())),
        };
        let headers = signed(&webhook.keys, job.key, Timestamp::now().as_second(), message.body.expose());
        let call = WebhookCall {
            content_type: CLOUD_EVENT,
            headers: &headers,
            body: &message.body,
            disclosure: self.disclosure(webhook, job, &message),
        };
        outcome(webhook.client.post(call).await)
    }

    /// What the ledger keeps; nothing where nothing personal leaves.
    fn disclosure(
        &self,
        webhook: &Webhook,
        job: &Leased,
        message: &WebhookMessage,
    ) -> Option<WebhookDisclosure> {
        let pseudonym = |who: &str| {
            let tag = hmac::sign(&self.subjects, format!("{}\n{who}", job.tenant).as_bytes());
            tag.as_ref().get(..16).map(|bytes| HEXLOWER.encode(bytes)).unwrap_or_default()
        };
        (!message.classes.is_empty()).then(|| WebhookDisclosure {
            tenant: job.tenant.clone(),
            webhook: Arc::clone(&webhook.name),
            interaction: job.interaction,
            subject: message.subject.as_ref().map(|who| pseudonym(who.expose())),
            classes: message.classes.clone(),
        })
    }
}

impl Courier for WebhookCourier {
    fn road(&self, tenant: &TenantId, target: &Target) -> Option<Road> {
        let webhook = self.webhook(tenant, target)?;
        Some(Road {
            upstream: webhook.upstream.clone(),
            rate: Rate { every: EVERY, burst: BURST, kept: 0 },
            dedup: Dedup::IdempotencyKey,
            at_once: AT_ONCE,
        })
    }

    fn deliver<'a>(&'a self, job: &'a Leased) -> BoxFuture<'a, Outcome> {
        Box::pin(self.post(job))
    }
}

fn open(tenant: &TenantConfig, webhook: &WebhookConfig, way_out: &Builder) -> Result<Webhook, ComposeError> {
    let of = format!("webhook `{}` of tenant `{}`", webhook.id, tenant.id);
    let wrong = |what: String| ComposeError::Config(ConfigError::Secret { of: of.clone(), what });
    let current = read(&of, webhook.secret.as_ref(), webhook.secret_file.as_deref())?;
    let previous = read(&of, webhook.previous_secret.as_ref(), webhook.previous_secret_file.as_deref())?;
    let keys = current.iter().chain(&previous).map(key).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|what| wrong(what.to_owned()))?;
    let address = WebhookAddress {
        origin: webhook.url.origin.clone(),
        target: webhook.url.target.clone(),
        private: webhook.private.clone(),
    };
    let client = way_out
        .webhook(&address, POST)
        .map_err(|source| ComposeError::Webhook { webhook: webhook.id.to_string(), source })?;
    let upstream = Upstream { tenant: tenant.id.clone(), origin: address.origin.to_string() };
    Ok(Webhook { name: webhook.id.as_str().into(), client, keys, upstream })
}

/// A key from its written form.
fn key(secret: &Secret) -> Result<hmac::Key, &'static str> {
    let bytes = secret
        .expose()
        .strip_prefix(PREFIX)
        .and_then(|text| BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok())
        .filter(|bytes| (24..=64).contains(&bytes.len()));
    let bytes = bytes.ok_or(
        "a webhook's secret is `whsec_` and 24 to 64 bytes in base64; make one with: printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"",
    )?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// The headers of one try.
fn signed(keys: &[hmac::Key], id: Uuid, unix_seconds: i64, body: &str) -> Vec<(&'static str, String)> {
    let text = format!("{id}.{unix_seconds}.{body}");
    let sign = |key: &hmac::Key| format!("v1,{}", BASE64.encode(hmac::sign(key, text.as_bytes()).as_ref()));
    let signatures: Vec<String> = keys.iter().map(sign).collect();
    vec![
        ("webhook-id", id.to_string()),
        ("webhook-timestamp", unix_seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

/// What an answer, or that there is none, means for the delivery.
fn outcome(answered: Result<WebhookAnswer, EgressFailure>) -> Outcome {
    let failure = |code: &str, text: String| Failure::new(code, text);
    let WebhookAnswer { status, retry_after } = match answered {
        Ok(answer) => answer,
        Err(EgressFailure::Denied(denial)) => {
            // Nothing personal may leave while the ledger cannot be written; that passes.
            if denial.rule == Rule::Ledger {
                return Outcome::Transient(failure("ledger", denial.granted));
            }
            let asked = &denial.asked;
            let text = format!(
                "not sent: {asked}; if it is meant, name the range with `private` in its [[tenant.webhook]]"
            );
            return Outcome::Denied(failure("address", text));
        }
        Err(error) => return Outcome::Transient(failure("unreachable", error.to_string())),
    };
    let wait = retry_after.map(|seconds| Duration::from_secs(seconds.into()));
    match status {
        200..=299 => Outcome::Done(None),
        410 => Outcome::Denied(failure(
            "gone",
            "the receiver answered 410: it wants no more events; remove the webhook, or replay when it is back"
                .to_owned(),
        )),
        429 => Outcome::RetryAfter(wait, failure("rate-limited", "the receiver answered 429".to_owned())),
        503 if wait.is_some() => {
            Outcome::RetryAfter(wait, failure("unavailable", "the receiver answered 503".to_owned()))
        }
        // A request that came too slowly or too early (RFC 9110, RFC 8470) may be well the next time.
        0..=199 | 408 | 425 | 500..=u16::MAX => {
            Outcome::Transient(failure("unavailable", format!("the receiver answered {status}")))
        }
        300..=399 => Outcome::Permanent(failure(
            "redirected",
            format!("the receiver answered {status}, and no redirect is followed; write its new address into `url`"),
        )),
        _ => Outcome::Permanent(failure(
            "refused",
            format!("the receiver answered {status}; its log says why, a wrong secret is the usual cause of 401"),
        )),
    }
}

#[cfg(test)]
mod tests;
