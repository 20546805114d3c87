//! Requests to telephony and messaging providers: an exchange's REST, a messaging service's API, the files behind it.
//!
//! The channels hold their own tokens, and a token that follows a redirect or a changed address is a token lost. So
//! they have no HTTP client of their own: what they send goes over the same connector and the same address check as
//! every request of a plugin, to one origin that the configuration names; nothing follows a redirect, and every answer
//! has a limit. What is said to the customer by the channel itself is no disclosure to a CRM and writes no row.

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use jiff::Timestamp;
use ramal_capability::{Clear, Denial, EgressFailure, Method, Origin, Rule};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tower::Service;
use zeroize::Zeroizing;

use crate::answer;
use crate::connector::Connector;
use crate::egress::{broken, unavailable};
use crate::outbound;

/// How long an idle connection is kept: below the minute after which most servers close it.
const IDLE: Duration = Duration::from_secs(55);
/// Bytes that the head of an answer may have.
const HEAD_BYTES: usize = 64 * 1024;

/// Where a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAddress {
    /// Scheme, host and port.
    pub origin: Origin,
    /// Address ranges that are not public and that the configuration names for it.
    pub private: Vec<IpNet>,
}

/// One request to a provider.
#[derive(Debug)]
pub struct ProviderCall<'a> {
    /// The method.
    pub method: Method,
    /// Path and query, encoded.
    pub target: &'a str,
    /// The value of the header `Authorization`.
    pub authorization: Option<&'a Clear>,
    /// The body with its media type.
    pub body: Option<(&'static str, &'a [u8])>,
    /// The most bytes that the answer's body may have.
    pub most_bytes: u64,
}

/// What a provider answered: any status but a redirect.
pub struct ProviderAnswer {
    /// The status.
    pub status: u16,
    /// The answer's media type, in lower case and without parameters; empty when there is none.
    pub media_type: String,
    /// After how many seconds it wants the next request, if it said so; at most an hour.
    pub retry_after: Option<u32>,
    /// The body. May hold personal data.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ProviderAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// An open connection to a provider that speaks something else than one request and one answer: an exchange's
/// WebSocket or its line protocol.
pub trait ProviderStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ProviderStream for T {}

/// Asks one provider. Made by [`Builder::provider`](crate::Builder::provider). Its connections are nobody else's.
pub struct ProviderClient {
    client: Client<Connector, Full<Bytes>>,
    connector: Connector,
    origin: Origin,
    idle: Duration,
    whole: Duration,
}

impl fmt::Debug for ProviderClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderClient({})", self.origin)
    }
}

impl ProviderClient {
    pub(crate) fn new(origin: Origin, connector: Connector, idle: Duration, whole: Duration) -> Self {
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).http1_max_buf_size(HEAD_BYTES);
        Self { client: client.build(connector.clone()), connector, origin, idle, whole }
    }

    /// Where it asks.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// When the address is not allowed, nobody answers in time, the answer is a redirect, or it is too large.
    pub async fn send(&self, call: ProviderCall<'_>) -> Result<ProviderAnswer, EgressFailure> {
        let request = self.request(&call)?;
        let exchange = async {
            let sent = self.client.request(request).await;
            let response = sent.map_err(|error| broken(&error, &self.origin.to_string()))?;
            self.read(response, call.most_bytes).await
        };
        timeout(self.whole, exchange).await.unwrap_or(Err(EgressFailure::Timeout))
    }

    /// Opens a connection that is the caller's alone, through the same check.
    ///
    /// # Errors
    /// When the address is not allowed or nobody takes the connection in time.
    pub async fn open(&self) -> Result<Box<dyn ProviderStream>, EgressFailure> {
        let mut connector = self.connector.clone();
        let stream = connector.call(self.uri("/")?).await.map_err(|error| unavailable(&error))?;
        Ok(Box::new(stream.into_inner()))
    }

    fn request(&self, call: &ProviderCall<'_>) -> Result<Request<Full<Bytes>>, EgressFailure> {
        // Wiped when the request is done with.
        let bytes = Zeroizing::new(call.body.map(|(_, bytes)| bytes.to_vec()).unwrap_or_default());
        let mut request = Request::new(Full::new(Bytes::from_owner(bytes)));
        *request.method_mut() = outbound::method(call.method);
        *request.uri_mut() = self.uri(call.target)?;
        let headers = request.headers_mut();
        if let Some((kind, _)) = call.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        headers.insert(ACCEPT_ENCODING, outbound::IDENTITY);
        headers.insert(USER_AGENT, outbound::AGENT);
        if let Some(text) = call.authorization {
            let mut value = HeaderValue::from_str(text.expose()).map_err(|_| {
                Denial::new(
                    Rule::Unencodable,
                    format!("a token for {} that cannot stand in a header", self.origin),
                    "visible ASCII",
                )
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn uri(&self, target: &str) -> Result<Uri, Denial> {
        outbound::uri(&self.origin, &Clear::from(target), None)
    }

    async fn read(&self, response: Response<Incoming>, most: u64) -> Result<ProviderAnswer, EgressFailure> {
        let (head, mut body) = response.into_parts();
        let status = head.status.as_u16();
        if head.status.is_redirection() {
            return Err(EgressFailure::Unavailable(format!(
                "redirect refused: the provider answered {status}"
            )));
        }
        let kind = head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let media_type = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut bytes = Zeroizing::new(Vec::new());
        loop {
            match timeout(self.idle, body.frame()).await {
                Err(_) => return Err(EgressFailure::Timeout),
                Ok(None) => break,
                Ok(Some(Err(_))) => {
                    return Err(EgressFailure::Unavailable("the answer broke off".to_owned()));
                }
                Ok(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if (bytes.len() as u64).saturating_add(data.len() as u64) > most {
                        return Err(EgressFailure::TooLarge);
                    }
                    bytes.extend_from_slice(&data);
                }
            }
        }
        let retry_after = answer::retry_after(&head.headers, Timestamp::now());
        Ok(ProviderAnswer { status, media_type, retry_after, body: bytes })
    }
}
