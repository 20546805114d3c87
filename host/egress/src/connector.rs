//! Step 6 of the order: from a destination that is already decided to a connection, by way of the one address
//! check. A connector is made for one origin and for the private ranges of one grant; every connection of its
//! pool is opened here, so there is no path beside the check.
//!
//! The name is resolved once, *every* address of the answer must be allowed, and the socket goes to one of
//! those addresses: a name server that answers with a public address for the check and a private one for the
//! connection (DNS rebinding) has nothing to answer a second time. TLS then proves the *name*. Plain HTTP is
//! for granted private ranges only.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use ramal_capability::{Denial, Origin, Rule, Scheme};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tower::Service;

use crate::address::{self, Reach, Standing};
use crate::resolver::Resolver;
use crate::stream::Stream;

/// The least time that one of several addresses gets.
const LEAST: Duration = Duration::from_millis(300);

/// Why there is no connection. The texts go to operators.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// An address that the grant does not allow.
    #[error("the address check refused the destination")]
    Denied(Box<Denial>),
    /// The name has no address.
    #[error("the name cannot be resolved")]
    Resolve(#[source] Option<io::Error>),
    /// No address takes a connection.
    #[error("no address takes a connection")]
    Connect(#[source] io::Error),
    /// The server is not who the name says, or cannot do TLS.
    #[error("no trusted TLS with this name")]
    Tls(#[source] io::Error),
    /// It took too long.
    #[error("no connection in time")]
    Timeout,
    /// The client asked for another origin than the one that was decided.
    #[error("the request names another origin than its pool")]
    OtherOrigin,
}

/// Opens connections to one origin.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    origin: Origin,
    private: Box<[IpNet]>,
    resolver: Arc<dyn Resolver>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    within: Duration,
}

impl Connector {
    /// A connector for one origin; `within` is the time for look-up, connection and handshake together.
    pub(crate) fn new(
        origin: Origin,
        private: &[IpNet],
        resolver: Arc<dyn Resolver>,
        tls: &ClientConfig,
        within: Duration,
    ) -> Result<Self, ConnectError> {
        let tls = match origin.scheme() {
            Scheme::Http => None,
            Scheme::Https => {
                let name = ServerName::try_from(origin.host().to_owned())
                    .map_err(|e| ConnectError::Tls(io::Error::new(io::ErrorKind::InvalidInput, e)))?;
                Some((TlsConnector::from(crate::roots::apart(tls)), name))
            }
        };
        Ok(Self(Arc::new(Inner { origin, private: private.into(), resolver, tls, within })))
    }
}

impl Inner {
    async fn connect(&self) -> Result<Stream, ConnectError> {
        let addresses = self.resolve().await?;
        self.check(&addresses)?;
        let socket = self.open(&addresses).await?;
        match &self.tls {
            None => Ok(Stream::Plain(socket)),
            Some((tls, name)) => {
                let stream = tls.connect(name.clone(), socket).await.map_err(ConnectError::Tls)?;
                Ok(Stream::Tls(Box::new(stream)))
            }
        }
    }

    async fn resolve(&self) -> Result<Vec<IpAddr>, ConnectError> {
        if let Some(literal) = self.origin.ip() {
            return Ok(vec![literal]);
        }
        let found =
            self.resolver.resolve(self.origin.host()).await.map_err(|e| ConnectError::Resolve(Some(e)))?;
        if found.is_empty() { Err(ConnectError::Resolve(None)) } else { Ok(found) }
    }

    /// Every address must be allowed: a name with one public and one private address would otherwise reach
    /// the private one at the server's choice.
    fn check(&self, addresses: &[IpAddr]) -> Result<(), ConnectError> {
        for &ip in addresses {
            let denied = |denial| Err(ConnectError::Denied(Box::new(denial)));
            match address::check(ip, &self.private) {
                Ok(Reach::Granted) => {}
                Ok(Reach::Global) if self.tls.is_some() => {}
                Ok(Reach::Global) => return denied(plain_http(&self.origin)),
                Err(standing) => return denied(refused(&self.origin, ip.to_canonical(), standing)),
            }
        }
        Ok(())
    }

    /// Connects to the addresses that were judged, one after the other.
    async fn open(&self, addresses: &[IpAddr]) -> Result<TcpStream, ConnectError> {
        let share = (self.within / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1)).max(LEAST);
        let mut last = ConnectError::Timeout;
        for &ip in addresses {
            match timeout(share, TcpStream::connect(SocketAddr::new(ip, self.origin.port()))).await {
                Ok(Ok(socket)) => {
                    // Small requests go at once instead of waiting for more to fill a packet.
                    socket.set_nodelay(true).map_err(ConnectError::Connect)?;
                    return Ok(socket);
                }
                Ok(Err(error)) => last = ConnectError::Connect(error),
                Err(_) => {}
            }
        }
        Err(last)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Self::Response, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            if uri.host().map(bare) != Some(inner.origin.host()) {
                return Err(ConnectError::OtherOrigin);
            }
            timeout(inner.within, inner.connect())
                .await
                .unwrap_or(Err(ConnectError::Timeout))
                .map(TokioIo::new)
        })
    }
}

/// An IPv6 literal without its brackets.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

fn refused(origin: &Origin, ip: IpAddr, standing: Standing) -> Denial {
    let host = origin.host();
    match standing {
        Standing::Never(what) => Denial::new(
            Rule::Address,
            format!("a connection to `{host}`, whose address {ip} is {what}"),
            "no grant opens such an address",
        ),
        Standing::Global => {
            Denial::new(Rule::Address, format!("a connection to `{host}`"), "other addresses")
        }
        Standing::Private(what) => Denial::new(
            Rule::Address,
            format!("a connection to `{host}`, whose address {ip} is {what}"),
            "public addresses, and the private ranges that the grant names for this destination",
        )
        .fix(
            "grant.toml",
            format!("the [[destination]] with origin = \"{origin}\""),
            format!("private = [\"{}\"]", IpNet::from(ip)),
        ),
    }
}

fn plain_http(origin: &Origin) -> Denial {
    Denial::new(
        Rule::Address,
        format!("plain HTTP to `{}` at a public address", origin.host()),
        "plain HTTP inside the private ranges that the grant names; https everywhere else",
    )
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.0.origin.authority())
    }
}
