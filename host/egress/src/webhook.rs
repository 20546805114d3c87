//! Posts to outgoing webhooks: one small JSON document out, a status back, over the same connector, the same address
//! check and the same caps as every request of a plugin.
//!
//! A webhook's address comes from the configuration, and whoever answers for its name need not be a friend: a name
//! that leads to the inside of the network would make the host a hand that reaches there. So the name is resolved
//! here, every address judged, one that was judged connected; nothing follows a redirect; and of the answer nothing
//! but the status and `Retry-After` is looked at.
//!
//! A post that carries personal facts writes its row in the ledger, and does not leave when that cannot be done.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use jiff::Timestamp;
use ramal_capability::{
    Clear, DataClass, Denial, EgressFailure, InteractionId, Origin, Purpose, Rule, TenantId,
};
use ramal_ledger::{DisclosedBy, Disclosure, DisclosureSink, Outcome};
use tokio::time::timeout;

use crate::answer;
use crate::connector::Connector;
use crate::disclose::Pending;
use crate::egress::broken;
use crate::outbound;
use crate::roots::RootsError;

/// What is read of an answer's body, so that the connection can be used again; nobody looks at it.
const ANSWER_BYTES: u64 = 16 * 1024;
/// How long an idle connection is kept: below the minute after which most servers close it.
const IDLE: Duration = Duration::from_secs(55);
/// Bytes that the head of an answer may have.
const HEAD_BYTES: usize = 64 * 1024;

/// Where a webhook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAddress {
    /// Scheme, host and port.
    pub origin: Origin,
    /// Path and query.
    pub target: String,
    /// Address ranges that are not public and that the configuration names for it.
    pub private: Vec<IpNet>,
}

/// Why there is nobody who posts to an address.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The roots of trust.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The address.
    #[error(
        "the webhook's address cannot stand in a request; write it as https://erp.example.com/path, in visible ASCII"
    )]
    Address,
}

/// One post.
#[derive(Debug)]
pub struct WebhookCall<'a> {
    /// Its media type.
    pub content_type: &'static str,
    /// The host's own headers, in lower case.
    pub headers: &'a [(&'static str, String)],
    /// The body.
    pub body: &'a Clear,
    /// What the ledger keeps of it; nothing where it carries no personal fact.
    pub disclosure: Option<WebhookDisclosure>,
}

/// What the ledger keeps of a post that carries personal facts.
#[derive(Debug, Clone)]
pub struct WebhookDisclosure {
    /// Whose data.
    pub tenant: TenantId,
    /// The webhook's name.
    pub webhook: Arc<str>,
    /// The call or conversation that it is about.
    pub interaction: Option<InteractionId>,
    /// About whom, as a pseudonym.
    pub subject: Option<String>,
    /// What kinds of facts, and how many values of each.
    pub classes: BTreeMap<DataClass, u32>,
}

/// What the receiver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// The status.
    pub status: u16,
    /// After how many seconds it wants the next request, if it said so; at most an hour.
    pub retry_after: Option<u32>,
}

/// Posts to one webhook. Keeps a few connections, which are nobody else's.
pub struct WebhookClient {
    client: Client<Connector, Full<Bytes>>,
    origin: Origin,
    target: String,
    destination: Arc<str>,
    ledger: Arc<dyn DisclosureSink>,
    idle: Duration,
    whole: Duration,
}

// The target may hold a key that somebody put into the address.
impl fmt::Debug for WebhookClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookClient({})", self.destination)
    }
}

impl WebhookClient {
    pub(crate) fn new(
        address: &WebhookAddress,
        connector: Connector,
        ledger: Arc<dyn DisclosureSink>,
        idle: Duration,
        whole: Duration,
    ) -> Result<Self, WebhookError> {
        let empty = Clear::from("{}");
        let json = HeaderValue::from_static("application/json");
        outbound::post(&address.origin, &address.target, json, &[], &empty)
            .map_err(|_| WebhookError::Address)?;
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).http1_max_buf_size(HEAD_BYTES);
        Ok(Self {
            client: client.build(connector),
            origin: address.origin.clone(),
            target: address.target.clone(),
            destination: address.origin.to_string().into(),
            ledger,
            idle,
            whole,
        })
    }

    /// Posts, and says what was answered, whatever it was.
    ///
    /// # Errors
    /// When the address is not allowed, the ledger cannot be written, or there is no answer in time.
    pub async fn post(&self, call: WebhookCall<'_>) -> Result<WebhookAnswer, EgressFailure> {
        if call.disclosure.is_some() {
            self.recordable()?;
        }
        let kind = HeaderValue::from_static(call.content_type);
        let mut request = outbound::post(&self.origin, &self.target, kind, call.headers, call.body)?;
        let connection = capture_connection(&mut request);
        let bytes = self.target.len().saturating_add(call.body.expose().len());
        let mut row =
            call.disclosure.map(|kept| Pending::begin(&*self.ledger, self.row(kept, bytes), connection));
        let answered = timeout(self.whole, self.exchange(request, row.as_mut()))
            .await
            .unwrap_or(Err(EgressFailure::Timeout));
        if let Some(row) = row {
            row.finish(if answered.is_ok() { Outcome::SentAnswered } else { Outcome::SentFailed });
        }
        answered
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        row: Option<&mut Pending<'_>>,
    ) -> Result<WebhookAnswer, EgressFailure> {
        let response =
            self.client.request(request).await.map_err(|error| broken(&error, &self.destination))?;
        let answer = WebhookAnswer {
            status: response.status().as_u16(),
            retry_after: answer::retry_after(response.headers(), Timestamp::now()),
        };
        let read = drain(response, self.idle).await;
        if let Some(row) = row {
            row.status(answer.status);
            row.bytes_in = read;
        }
        Ok(answer)
    }

    fn recordable(&self) -> Result<(), Denial> {
        self.ledger.ready().map_err(|error| {
            tracing::error!(%error, "a webhook's event waits because it could not be recorded");
            let asked = "an event that could not be recorded";
            Denial::new(Rule::Ledger, asked, "nothing, until the ledger of disclosures can be written")
        })
    }

    fn row(&self, kept: WebhookDisclosure, bytes: usize) -> Disclosure {
        Disclosure {
            at: Timestamp::now(),
            tenant: kept.tenant,
            by: DisclosedBy::Webhook { webhook: kept.webhook },
            purpose: Purpose::Journal,
            interaction: kept.interaction,
            user: None,
            subject: kept.subject,
            classes: kept.classes,
            origin: Arc::clone(&self.destination),
            method: "POST".to_owned(),
            bytes_out: u64::try_from(bytes).unwrap_or(u64::MAX),
            bytes_in: 0,
            status: None,
            outcome: Outcome::SentAbandoned,
        }
    }
}

/// Reads a short answer to its end; of a long or a slow one the connection is closed. Says how many bytes came.
async fn drain(response: Response<Incoming>, idle: Duration) -> u64 {
    let (mut body, mut read) = (response.into_body(), 0u64);
    while read <= ANSWER_BYTES {
        let Ok(Some(Ok(frame))) = timeout(idle, body.frame()).await else { break };
        read = read.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64));
    }
    read
}
