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

/// Declares the kinds and the list of all of them, so that none can be left out of it.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $(($of:ty) = [$($sample:expr),+])?,)+) => {
        /// What happens to a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Weather {
            $($(#[$doc])* $name $(($of))?,)+
        }

        impl Weather {
            /// Every kind, with each value that makes a difference; for tests that try them all.
            pub fn all() -> impl Iterator<Item = Self> {
                const KINDS: &[&[Weather]] = &[$(kinds!(@samples $name $($($sample)+)?)),+];
                KINDS.iter().copied().flatten().copied()
            }
        }
    };
    (@samples $name:ident) => { &[Weather::$name] };
    (@samples $name:ident $($sample:expr)+) => { &[$(Weather::$name($sample)),+] };
}

kinds! {
    /// It reaches the CRM, and its answer comes back.
    Fair,
    /// The same, after a while.
    Late(Duration) = [Duration::from_millis(150)],
    /// The answer comes in small pieces.
    Drip,
    /// The answer comes twice on one connection.
    Twice,
    /// The CRM does it; its answer comes byte by byte, never silent for long and not done in time.
    Trickle,
    /// Nobody answers, and the connection stays.
    Silent,
    /// The connection is reset before the CRM heard of it.
    Reset,
    /// The connection is closed in order, without an answer.
    HungUp,
    /// The CRM does it; nothing of its answer comes, but the end of it, and the other half of the connection stays.
    HalfClosed,
    /// The CRM does it; the connection is reset before its answer is through.
    LostAnswer,
    /// The CRM does it; half of its answer comes.
    Truncated,
    /// The CRM does it; its answer is said to be a page.
    WrongType,
    /// The CRM does it, and says 500: it failed in what comes after the writing.
    BrokenAfter,
    /// The CRM does it, and says 500 in JSON that quotes what it was asked for and its own source.
    Traceback,
    /// 500 with a page for people, before the CRM heard of it.
    Broken,
    /// 502 with the page of a gateway.
    BadGateway,
    /// 429, with the seconds to wait if they are said.
    TooMany(Option<u32>) = [None, Some(2)],
    /// 503 with a `Retry-After`.
    Maintenance(u32) = [3],
    /// 200, a login page and no JSON: somebody's portal is in between.
    Portal,
    /// What answers does not speak HTTP.
    OtherProtocol,
    /// What answers does not speak TLS. It is so at another origin: [`Proxy::origin_in`].
    NoTls,
    /// The CRM's name has no address, as above.
    NoName,
    /// Nobody listens at the CRM's address, as above.
    NoServer,
}

impl Weather {
    /// Whether the CRM hears of the request.
    pub fn reaches(self) -> bool {
        use Weather as W;
        match self {
            W::Fair | W::Late(_) | W::Drip | W::Twice | W::Trickle | W::HalfClosed | W::LostAnswer => true,
            W::Truncated | W::WrongType | W::BrokenAfter | W::Traceback => true,
            W::Silent | W::Reset | W::HungUp | W::Broken | W::BadGateway | W::TooMany(_) => false,
            W::Maintenance(_) | W::Portal | W::OtherProtocol | W::NoTls | W::NoName | W::NoServer => false,
        }
    }
    /// Whether only the end of somebody's patience ends it.
    pub fn outlasts(self) -> bool {
        matches!(self, Self::Trickle | Self::Silent)
    }
}

/// What a plugin has to make of a request's fate, for delivery to know what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is done.
    Done,
    /// Worth another try; and nothing of what a page said.
    Again,
    /// Worth another try: the time was up.
    TimeIsUp,
    /// To be tried after so many seconds, if the CRM said how many.
    Wait(Option<u32>),
}

impl Said {
    /// Compares it with what was said.
    ///
    /// # Errors
    /// Both, for a person to read, when they differ.
    pub fn judge<T: std::fmt::Debug>(self, outcome: Result<T, CallError>) -> Result<(), String> {
        let fits = match (self, &outcome) {
            (Self::Done, Ok(_)) => true,
            (Self::Wait(seconds), Err(CallError::Plugin(PluginError::RateLimited(said)))) => *said == seconds,
            (Self::TimeIsUp, Err(CallError::Plugin(PluginError::Transient(text)))) => text == TIME_IS_UP,
            (Self::Again, Err(CallError::Plugin(PluginError::Transient(text)))) => {
                text != TIME_IS_UP && !IN_A_PAGE.iter().any(|word| text.contains(word))
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("{self:?} was expected, and this was said: {outcome:?}")) }
    }
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
    /// It clears up after one of them.
    passes: bool,
    /// Requests that were struck.
    struck: usize,
}

impl Forecast {
    /// The weather for one request.
    fn strike(&mut self, line: &str) -> Weather {
        if self.weather == Weather::Fair || !line.contains(self.part) {
            return Weather::Fair;
        }
        self.struck += 1;
        if self.passes { std::mem::replace(&mut self.weather, Weather::Fair) } else { self.weather }
    }
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
        let forecast =
            Arc::new(Mutex::new(Forecast { weather: Weather::Fair, part: "", passes: false, struck: 0 }));
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
        *self.forecast.lock() = Forecast { weather, part, passes: false, struck: 0 };
    }

    /// For the next request whose first line holds `part`, and no other.
    pub fn turn_once(&self, part: &'static str, weather: Weather) {
        *self.forecast.lock() = Forecast { weather, part, passes: true, struck: 0 };
    }

    /// How many requests the weather has struck since it turned.
    pub fn struck(&self) -> usize {
        self.forecast.lock().struck
    }

    /// The origin at which a request has this fate, where it is not one between us and the CRM.
    ///
    /// # Errors
    /// When no port of this machine can be had.
    pub async fn origin_in(&self, weather: Weather) -> io::Result<Option<String>> {
        Ok(match weather {
            Weather::NoTls => Some(self.origin.replace("http://", "https://")),
            Weather::NoName => Some(self.origin.replace("127.0.0.1", "crm.example.invalid")),
            Weather::NoServer => {
                // A port that was ours a moment ago, and is nobody's now.
                let nobody = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
                Some(format!("http://{nobody}"))
            }
            _ => None,
        })
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
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    let weather = forecast.lock().strike(&line);
    let answer = if weather.reaches() { ask(&upstream, &request).await? } else { Vec::new() };
    match weather {
        // The last three are at other origins.
        Weather::Fair | Weather::NoTls | Weather::NoName | Weather::NoServer => {
            client.write_all(&answer).await?
        }
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
        Weather::Trickle => {
            client.set_nodelay(true)?;
            for byte in answer.chunks(1) {
                client.write_all(byte).await?;
                tokio::time::sleep(TRICKLE).await;
            }
        }
        Weather::Silent => return until_it_goes(client).await,
        Weather::HalfClosed => {
            client.shutdown().await?;
            return until_it_goes(client).await;
        }
        Weather::Reset | Weather::LostAnswer => return reset(client),
        Weather::HungUp => {}
        Weather::Truncated => client.write_all(answer.get(..answer.len() / 2).unwrap_or_default()).await?,
        Weather::WrongType => client.write_all(&as_a_page(&answer)).await?,
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

/// Between two bytes of a trickle: no answer of a CRM is over in seconds then.
const TRICKLE: Duration = Duration::from_millis(40);
/// What is said when the time that the grant allows is up.
const TIME_IS_UP: &str = "no answer in the time that the grant allows";

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

/// The same answer, said to be a page.
fn as_a_page(answer: &[u8]) -> Vec<u8> {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let (head, body) = answer.split_at(end);
    let head = String::from_utf8_lossy(head);
    let other = head.lines().filter(|line| {
        let kind = line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        !kind && !line.is_empty()
    });
    let mut page = other.flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect::<Vec<u8>>();
    page.extend_from_slice(b"Content-Type: text/html; charset=utf-8\r\n\r\n");
    page.extend_from_slice(body);
    page
}

async fn until_it_goes(mut client: TcpStream) -> io::Result<()> {
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.map(drop)
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
