//! Servers for the tests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
}

/// An answer to give.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

pub(crate) fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: vec![("content-type", "application/json".to_owned())], body: body.to_owned() }
}

impl Answer {
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(n, _)| *n != name);
        self.headers.push((name, value.to_owned()));
        self
    }
    pub(crate) fn without_type(mut self) -> Self {
        self.headers.clear();
        self
    }
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    accepts: AtomicUsize,
    open: AtomicUsize,
    closed: Notify,
}

/// A server that answers what its test says. It stops when it is dropped.
pub(crate) struct Crm {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Crm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts one connection; over TLS it also shakes hands.
pub(crate) trait Accept: Send + Sync + 'static {
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;
    fn accept(&self, socket: TcpStream) -> impl Future<Output = Option<Self::Io>> + Send;
}

pub(crate) struct Plain;
impl Accept for Plain {
    type Io = TcpStream;
    async fn accept(&self, socket: TcpStream) -> Option<TcpStream> {
        Some(socket)
    }
}

impl Crm {
    /// A CRM that finds one contact.
    pub(crate) async fn finds() -> Self {
        Self::answers(|_| answer(200, r#"{"id":"c-1"}"#)).await
    }

    pub(crate) async fn answers(give: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::over(Plain, give).await
    }

    pub(crate) async fn over<A: Accept>(
        accept: A,
        give: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, give, accept) = (Arc::new(State::default()), Arc::new(give), Arc::new(accept));
        let theirs = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                theirs.accepts.fetch_add(1, Ordering::SeqCst);
                theirs.open.fetch_add(1, Ordering::SeqCst);
                let (state, give, accept) = (theirs.clone(), give.clone(), accept.clone());
                tokio::spawn(async move {
                    if let Some(io) = accept.accept(socket).await {
                        let serve = service_fn(|request| reply(request, state.clone(), give.clone()));
                        let http = hyper::server::conn::http1::Builder::new();
                        let _ = http.serve_connection(TokioIo::new(io), serve).await;
                    }
                    state.open.fetch_sub(1, Ordering::SeqCst);
                    state.closed.notify_waiters();
                });
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().clone()
    }
    pub(crate) fn accepts(&self) -> usize {
        self.state.accepts.load(Ordering::SeqCst)
    }
    /// Waits until no connection is open.
    pub(crate) async fn all_closed(&self) {
        loop {
            let closed = self.state.closed.notified();
            if self.state.open.load(Ordering::SeqCst) == 0 {
                return;
            }
            closed.await;
        }
    }
}

async fn reply(
    request: Request<Incoming>,
    state: Arc<State>,
    give: Arc<impl Fn(&Seen) -> Answer>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let seen = Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let answer = give(&seen);
    state.seen.lock().push(seen);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(answer.body)).unwrap())
}

/// What a raw server does after its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Close,
    /// Ends its own direction and keeps reading.
    HalfClose,
    Hold,
    /// One byte more each second, for ever.
    Drip,
    /// Bytes for ever, as fast as they are taken.
    Flood,
}

/// A server that reads one request's head and writes bytes, whatever they are.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    /// Told when the bytes are written.
    pub(crate) written: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Raw {
    pub(crate) async fn writes(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (bytes, written) = (bytes.into(), Arc::new(Notify::new()));
        let told = written.clone();
        let task = tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                read_head(&mut socket).await;
                let _ = socket.write_all(&bytes).await;
                told.notify_one();
                match then {
                    Then::Close => {}
                    Then::HalfClose => {
                        let _ = socket.shutdown().await;
                        let _ = socket.read_to_end(&mut Vec::new()).await;
                    }
                    Then::Hold => std::future::pending().await,
                    Then::Drip => {
                        while socket.write_all(b" ").await.is_ok() {
                            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                        }
                    }
                    Then::Flood => while socket.write_all(&[b' '; 16 * 1024]).await.is_ok() {},
                }
            }
        });
        Self { address, written, task }
    }
}

async fn read_head(socket: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.windows(4).any(|w| w == b"\r\n\r\n") {
        if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
}
