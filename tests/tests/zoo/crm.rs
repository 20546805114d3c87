//! A CRM on loopback that answers as each test wants, byte by byte: real servers are seldom slow, endless or
//! broken when asked to be. It speaks just enough HTTP/1.1 to understand what the host sends.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use super::people;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    /// `GET /path?query`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What comes back, and what happens then.
pub(crate) struct Answer {
    bytes: Vec<u8>,
    then: Then,
    held: Option<Gate>,
}

enum Then {
    KeepAlive,
    Close,
    Silence,
    Repeat(Vec<u8>),
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::typed(status, "application/json", &body.to_string())
    }
    pub(crate) fn typed(status: u16, kind: &str, body: &str) -> Self {
        Self::with(status, &[("Content-Type", kind)], body.as_bytes())
    }
    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status} Made up\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        Self::raw(&[head.as_bytes(), body].concat())
    }
    /// These bytes and nothing else.
    pub(crate) fn raw(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), then: Then::KeepAlive, held: None }
    }
    /// A good head, for a body of unknown length.
    pub(crate) fn chunked() -> Self {
        Self::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    }
    pub(crate) fn then_close(mut self) -> Self {
        self.then = Then::Close;
        self
    }
    pub(crate) fn then_silence(mut self) -> Self {
        self.then = Then::Silence;
        self
    }
    /// The same bytes again and again, for as long as somebody listens.
    pub(crate) fn then_for_ever(mut self, bytes: &[u8]) -> Self {
        self.then = Then::Repeat(bytes.to_vec());
        self
    }
    /// Waits until the gate is opened.
    pub(crate) fn held_by(mut self, gate: &Gate) -> Self {
        self.held = Some(gate.clone());
        self
    }
}

/// Holds answers back, and tells how many requests wait.
#[derive(Clone)]
pub(crate) struct Gate(Arc<(Semaphore, Semaphore)>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new((Semaphore::new(0), Semaphore::new(0))))
    }
    /// Waits for so many requests to arrive.
    pub(crate) async fn arrived(&self, requests: u32) {
        self.0.0.acquire_many(requests).await.unwrap().forget();
    }
    /// Those that wait and were not yet counted by [`Gate::arrived`].
    pub(crate) fn waiting(&self) -> usize {
        self.0.0.available_permits()
    }
    /// Lets so many go.
    pub(crate) fn open(&self, requests: usize) {
        self.0.1.add_permits(requests);
    }
    async fn pass(&self) {
        self.0.0.add_permits(1);
        self.0.1.acquire().await.unwrap().forget();
    }
}

type Script = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// The server. Ends with its owner.
pub(crate) struct Crm {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    script: Mutex<Script>,
    asked: Mutex<Vec<Asked>>,
}

impl Crm {
    /// Starts it, answering as a good CRM does.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Mutex::new(good()), asked: Mutex::default() });
        let served = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(serve(socket, Arc::clone(&served)));
            }
        });
        Self { address, shared, accepting }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
    /// Sets what it answers from now on.
    pub(crate) fn answers(&self, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
        *self.shared.script.lock() = Arc::new(script);
    }
    /// Answers well from now on; gives back what it was told before.
    pub(crate) fn behave(&self) -> impl FnOnce() {
        let before = std::mem::replace(&mut *self.shared.script.lock(), good());
        let shared = Arc::clone(&self.shared);
        move || *shared.script.lock() = before
    }
    /// The requests since this was last asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.shared.asked.lock())
    }
}

impl Drop for Crm {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn good() -> Script {
    Arc::new(|asked| match asked.target.split('?').next() {
        Some("/api/contacts") => Answer::json(200, &people::found()),
        _ => Answer::json(200, &json!({"id": "x-1"})),
    })
}

async fn serve(mut socket: TcpStream, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    while let Some(asked) = read(&mut socket, &mut buffer).await {
        shared.asked.lock().push(asked.clone());
        let script = Arc::clone(&shared.script.lock());
        let answer = script(&asked);
        if let Some(gate) = &answer.held {
            gate.pass().await;
        }
        if socket.write_all(&answer.bytes).await.is_err() {
            return;
        }
        match answer.then {
            Then::KeepAlive => {}
            Then::Close => return,
            Then::Silence => {
                // Until the other side is tired of it.
                let _ = socket.read(&mut [0; 64]).await;
                return;
            }
            Then::Repeat(bytes) => {
                while socket.write_all(&bytes).await.is_ok() {
                    tokio::task::yield_now().await;
                }
                return;
            }
        }
    }
}

/// One request; `None` when the other side hangs up.
async fn read(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        more(socket, buffer).await?;
    };
    let text = String::from_utf8(buffer[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    while buffer.len() < head + 4 + length {
        more(socket, buffer).await?;
    }
    let body = String::from_utf8(buffer[head + 4..head + 4 + length].to_vec()).unwrap();
    buffer.drain(..head + 4 + length);
    Some(Asked { method, target, headers, body })
}

async fn more(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    let length = socket.read(&mut piece).await.ok().filter(|length| *length > 0)?;
    buffer.extend_from_slice(&piece[..length]);
    Some(())
}
