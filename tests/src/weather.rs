//! Something between the way out and a CRM that does what real networks and servers do on bad days.
//!
//! A delivery is worth nothing if it is only right on good ones: the answer that is lost after the CRM wrote the
//! record is what makes double entries, and the page of a proxy with status 200 is what loses them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ramal_engine::{CallError, PluginError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It reaches the CRM, and its answer comes back.
    Fair,
    /// The same, after a while.
    Late(Duration),
    /// The answer comes in small pieces.
    Drip,
    /// The answer comes twice on one connection.
    Twice,
    /// Nobody answers, and the connection stays.
    Silent,
    /// The connection is reset before the CRM heard of it.
    Reset,
    /// The connection is closed in order, without an answer.
    HungUp,
    /// The CRM does it; the connection is reset before its answer is through.
    LostAnswer,
    /// The CRM does it; half of its answer comes.
    Truncated,
    /// The CRM does it, and says 500: it failed in what comes after the writing.
    BrokenAfter,
    /// The CRM does it, and says 500 in JSON that quotes what it was asked for and its own source.
    Traceback,
    /// 500 with a page for people, before the CRM heard of it.
    Broken,
    /// 502 with the page of a gateway.
    BadGateway,
    /// 429, with the seconds to wait if they are said.
    TooMany(Option<u32>),
    /// 503 with a `Retry-After`.
    Maintenance(u32),
    /// 200, a login page and no JSON: somebody's portal is in between.
    Portal,
    /// What answers does not speak HTTP.
    OtherProtocol,
}

impl Weather {
    /// Whether the CRM hears of the request.
    pub fn reaches(self) -> bool {
        use Weather as W;
        matches!(
            self,
            W::Fair
                | W::Late(_)
                | W::Drip
                | W::Twice
                | W::LostAnswer
                | W::Truncated
                | W::BrokenAfter
                | W::Traceback
        )
    }
    /// Whether the whole of its answer comes back.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Fair | Self::Late(_) | Self::Drip | Self::Twice)
    }
    /// Whether a plugin made of this weather what delivery needs to hear: that it is done where the answer came, how
    /// long to wait where the CRM said so, of all else that it is worth another try, and never what a page says.
    ///
    /// # Errors
    /// When it said something else: both, for a person to read.
    pub fn judge<T: std::fmt::Debug>(self, outcome: Result<T, CallError>) -> Result<(), String> {
        let fits = match (self, &outcome) {
            (Self::TooMany(seconds), Err(CallError::Plugin(PluginError::RateLimited(said)))) => {
                *said == seconds
            }
            (Self::Maintenance(seconds), Err(CallError::Plugin(PluginError::RateLimited(said)))) => {
                *said == Some(seconds)
            }
            (Self::TooMany(_) | Self::Maintenance(_), _) => false,
            (good, Ok(_)) => good.is_good(),
            (bad, Err(CallError::Plugin(error @ PluginError::Transient(_)))) => {
                !bad.is_good() && !IN_A_PAGE.iter().any(|word| error.to_string().contains(word))
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("in the weather {self:?} it said {outcome:?}")) }
    }
    /// Every kind that differs in what it leaves behind; for tests that try them all.
    pub const ALL: &'static [Self] = &[
        Self::Late(Duration::from_millis(150)),
        Self::Drip,
        Self::Twice,
        Self::Reset,
        Self::HungUp,
        Self::LostAnswer,
        Self::Truncated,
        Self::BrokenAfter,
        Self::Traceback,
        Self::Broken,
        Self::BadGateway,
        Self::TooMany(None),
        Self::TooMany(Some(7)),
        Self::Maintenance(11),
        Self::Portal,
        Self::OtherProtocol,
    ];
}

/// A loopback proxy. It ends with this value.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens, as an origin.
    pub origin: String,
    forecast: Arc<Mutex<Forecast>>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy)]
struct Forecast {
    weather: Weather,
    /// Only for requests whose first line holds this.
    part: &'static str,
}

impl Proxy {
    /// Before a server, in fair weather.
    ///
    /// # Errors
    /// When no port of this machine can be had, or the origin is none of plain HTTP.
    pub async fn before(origin: &str) -> io::Result<Self> {
        let upstream = origin
            .strip_prefix("http://")
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "an origin begins with http://"))?
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let forecast = Arc::new(Mutex::new(Forecast { weather: Weather::Fair, part: "" }));
        let shared = Arc::clone(&forecast);
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // One that goes away in the middle is a matter of the test.
                drop(tokio::spawn(serve(client, upstream.clone(), Arc::clone(&shared))));
            }
        });
        Ok(Self { origin, forecast, serving })
    }

    /// From now on, for every request.
    pub fn turn(&self, weather: Weather) {
        self.turn_for("", weather);
    }

    /// From now on, for requests whose first line holds `part`; fair weather for the others.
    pub fn turn_for(&self, part: &'static str, weather: Weather) {
        *self.forecast.lock() = Forecast { weather, part };
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One request of a connection; the answer ends it.
async fn serve(mut client: TcpStream, upstream: String, forecast: Arc<Mutex<Forecast>>) -> io::Result<()> {
    let Some(request) = read_request(&mut client).await? else { return Ok(()) };
    let Forecast { weather, part } = *forecast.lock();
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    let weather = if line.contains(part) { weather } else { Weather::Fair };
    let answer = if weather.reaches() { ask(&upstream, &request).await? } else { Vec::new() };
    match weather {
        Weather::Fair => client.write_all(&answer).await?,
        Weather::Late(time) => {
            tokio::time::sleep(time).await;
            client.write_all(&answer).await?;
        }
        Weather::Drip => {
            client.set_nodelay(true)?;
            for piece in answer.chunks(97) {
                client.write_all(piece).await?;
                tokio::task::yield_now().await;
            }
        }
        Weather::Twice => {
            client.write_all(&answer).await?;
            // The other side may have had enough.
            drop(client.write_all(&answer).await);
        }
        Weather::Silent => {
            let mut rest = Vec::new();
            return client.read_to_end(&mut rest).await.map(drop);
        }
        Weather::Reset | Weather::LostAnswer => return reset(client),
        Weather::HungUp => {}
        Weather::Truncated => client.write_all(answer.get(..answer.len() / 2).unwrap_or_default()).await?,
        Weather::Broken | Weather::BrokenAfter => {
            client.write_all(&page("500 Internal Server Error", "")).await?
        }
        Weather::Traceback => client.write_all(&traceback()).await?,
        Weather::BadGateway => client.write_all(&page("502 Bad Gateway", "")).await?,
        Weather::TooMany(None) => client.write_all(&page("429 Too Many Requests", "")).await?,
        Weather::TooMany(Some(seconds)) => {
            client.write_all(&page("429 Too Many Requests", &format!("Retry-After: {seconds}\r\n"))).await?;
        }
        Weather::Maintenance(seconds) => {
            client
                .write_all(&page("503 Service Unavailable", &format!("Retry-After: {seconds}\r\n")))
                .await?;
        }
        Weather::Portal => client.write_all(&page("200 OK", "")).await?,
        Weather::OtherProtocol => client.write_all(b"220 mail.example.invalid ESMTP\r\n").await?,
    }
    client.shutdown().await
}

/// What no error may repeat of the pages below.
const IN_A_PAGE: &[&str] = &["98765", "Maria", "Traceback", "http.py"];

/// A page for people. Some frameworks show in it what was asked for, so it holds a number: an invented one.
fn page(status: &str, header: &str) -> Vec<u8> {
    let body = format!("<!doctype html><title>{status}</title><h1>{status}</h1><p>+5511987654321</p>");
    answer(status, "text/html; charset=utf-8", header, &body)
}

/// As Odoo writes an error that it did not expect.
fn traceback() -> Vec<u8> {
    let body = r#"{"name": "builtins.ValueError", "message": "Maria da Silva (+5511987654321)",
        "arguments": ["+5511987654321"], "context": {}, "detail": "no such +5511987654321",
        "debug": "Traceback (most recent call last):\n  File \"/usr/lib/crm/http.py\", line 1\n    '+5511987654321'"}"#;
    answer("500 Internal Server Error", "application/json", "", body)
}

fn answer(status: &str, kind: &str, header: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{header}Connection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The connection ends with RST instead of FIN.
fn reset(client: TcpStream) -> io::Result<()> {
    client.set_zero_linger()
}

/// Head and body of one request, its connection marked to end with the answer.
async fn read_request(client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let mut body = bytes.split_off(end + 4);
    bytes.truncate(end);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let named = |line: &str, name: &str| {
        line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned())
    };
    let length =
        head.lines().find_map(|line| named(line, "content-length")?.parse::<usize>().ok()).unwrap_or(0);
    while body.len() < length {
        if client.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    let mut request: Vec<u8> = head
        .lines()
        .filter(|line| named(line, "connection").is_none())
        .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
        .collect();
    request.extend_from_slice(b"Connection: close\r\n\r\n");
    request.extend_from_slice(&body);
    Ok(Some(request))
}

async fn ask(upstream: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(request).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    Ok(answer)
}
