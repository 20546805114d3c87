//! Something between the way out and Tryton that does what real networks and servers do on bad days.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Weather {
    /// They reach Tryton.
    Fair,
    /// Nobody answers, and the connection stays.
    Slow,
    /// The answer is a page for people, with status 500.
    Broken,
    /// As broken, for the requests whose first line holds this.
    BrokenFor(&'static str),
}

/// A loopback proxy. It ends with this value.
pub(crate) struct Proxy {
    pub(crate) origin: String,
    weather: Arc<Mutex<Weather>>,
    serving: JoinHandle<()>,
}

/// Some frameworks show in their error pages what was asked for.
const PAGE: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html; charset=utf-8\r\n\
    Connection: close\r\n\r\n<title>500 Internal Server Error</title><h1>no +5511987654321</h1>";

impl Proxy {
    /// Before a server.
    pub(crate) async fn before(origin: &str) -> Self {
        let upstream = origin.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let weather = Arc::new(Mutex::new(Weather::Fair));
        let shared = Arc::clone(&weather);
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // One that goes away in the middle is a matter of the test.
                drop(tokio::spawn(serve(client, upstream.clone(), shared.lock().clone())));
            }
        });
        Self { origin, weather, serving }
    }

    pub(crate) fn turn(&self, weather: Weather) {
        *self.weather.lock() = weather;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Tryton closes the connection after each answer, so a connection is a request.
async fn serve(mut client: TcpStream, upstream: String, weather: Weather) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    match weather {
        Weather::Slow => {
            // Until the other side has had enough.
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.map(drop)
        }
        Weather::BrokenFor(part) if !line.contains(part) => pass(client, &upstream, &head).await,
        Weather::Broken | Weather::BrokenFor(_) => {
            client.write_all(PAGE).await?;
            client.shutdown().await
        }
        Weather::Fair => pass(client, &upstream, &head).await,
    }
}

async fn pass(mut client: TcpStream, upstream: &str, head: &[u8]) -> std::io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(head).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
