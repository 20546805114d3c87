//! Requests to token endpoints (RFC 6749): one form out, one small JSON back, over the same connector, the same
//! address check and the same caps as every request of a plugin.
//!
//! Host code that obtains credentials has no HTTP client of its own: it would be a second way out, beside the
//! check that keeps a plugin's manifest from sending a refresh token into the inside of the network. Such a
//! request carries nothing of a customer, so it is no disclosure and writes no row.
//!
//! A failure says whether the request may have reached the server. With rotated refresh tokens that is the
//! question: what was never sent can be repeated, and what may have arrived has perhaps spent the token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use ipnet::IpNet;
use ramal_capability::{Clear, EgressFailure, Origin};
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;
use zeroize::Zeroizing;

use crate::answer;
use crate::connector::{ConnectError, Connector};
use crate::egress::broken;
use crate::outbound;
use crate::resolver::Resolver;

/// The most that an answer may have.
const ANSWER_BYTES: u64 = 64 * 1024;

/// One request to a token endpoint.
#[derive(Debug)]
pub struct TokenCall<'a> {
    /// Scheme, host and port.
    pub origin: &'a Origin,
    /// Path and query.
    pub target: &'a str,
    /// Address ranges that are not public and that the grant names for this endpoint.
    pub private: &'a [IpNet],
    /// The value of the header `Authorization`, if the client proves itself there.
    pub authorization: Option<&'a Clear>,
    /// The body, `application/x-www-form-urlencoded`.
    pub form: &'a Clear,
}

/// What the endpoint said.
pub struct TokenAnswer {
    /// The status: 200 to 299, or 400 to 499.
    pub status: u16,
    /// The JSON body; `{}` where there was none. Holds tokens.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct TokenFailure {
    /// Whether the request may have reached the server.
    pub sent: bool,
    /// What went wrong.
    pub failure: EgressFailure,
}

/// Asks token endpoints. Made by [`Builder::token_client`](crate::Builder::token_client), with the way out's own
/// resolver and roots of trust. Keeps no connection: tokens are asked for once an hour, and a connection that is
/// never shared needs no rule about who may share it.
pub struct TokenClient {
    resolver: Arc<dyn Resolver>,
    tls: ClientConfig,
    connect: Duration,
    idle: Duration,
    whole: Duration,
}

impl fmt::Debug for TokenClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClient").field("whole", &self.whole).finish_non_exhaustive()
    }
}

impl TokenClient {
    pub(crate) fn new(
        resolver: Arc<dyn Resolver>,
        tls: ClientConfig,
        connect: Duration,
        idle: Duration,
        whole: Duration,
    ) -> Self {
        Self { resolver, tls, connect, idle, whole }
    }

    /// The longest that one request can take.
    pub fn longest(&self) -> Duration {
        self.whole
    }

    /// Sends one request.
    ///
    /// # Errors
    /// When the address is not allowed, nobody answers, or the answer is no answer of a token endpoint (a
    /// redirect, a 5xx, too large, not JSON). A refusal of the endpoint is an answer.
    pub async fn post(&self, call: &TokenCall<'_>) -> Result<TokenAnswer, TokenFailure> {
        let unsent = |failure| TokenFailure { sent: false, failure };
        let sent = |failure| TokenFailure { sent: true, failure };
        let request = outbound::form(call.origin, call.target, call.form, call.authorization)
            .map_err(|denial| unsent(denial.into()))?;
        let resolver = Arc::clone(&self.resolver);
        let connector = Connector::new(call.origin.clone(), call.private, resolver, &self.tls, self.connect)
            .map_err(|error: ConnectError| unsent(crate::egress::unavailable(&error)))?;
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        let exchange = async {
            let response = client.request(request).await.map_err(|error| TokenFailure {
                sent: !error.is_connect(),
                failure: broken(&error, &call.origin.to_string()),
            })?;
            answer::read_token(response, ANSWER_BYTES, self.idle).await.map_err(|(_, failure)| sent(failure))
        };
        let Ok(answer) = timeout(self.whole, exchange).await else {
            return Err(sent(EgressFailure::Timeout));
        };
        let answer = answer?;
        Ok(TokenAnswer { status: answer.status, body: answer.body })
    }
}
