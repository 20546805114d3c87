//! Something between the way out and Odoo that does what real networks and servers do on bad days.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Weather {
    /// They reach Odoo.
    Fair,
    /// Nobody answers, and the connection stays.
    Slow,
    /// Those whose first line holds this reach Odoo, which does what it is asked; the answer is an error.
    BrokenAfter(&'static str),
    /// Those whose first line holds this do not reach Odoo.
    BrokenFor(&'static str),
}

/// A loopback proxy. It ends with this value.
pub(crate) struct Proxy {
    pub(crate) origin: String,
    weather: Arc<Mutex<Weather>>,
    serving: JoinHandle<()>,
}

/// As Odoo writes an error that it did not expect: with the values that led to it and its own source.
const ERROR: &str = r#"{"name": "builtins.ValueError", "message": "Maria da Silva (+5511987654321)",
    "arguments": ["+5511987654321"], "context": {},
    "debug": "Traceback (most recent call last):\n  File \"/usr/lib/odoo/http.py\", line 1\n    phone = '+5511987654321'"}"#;

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

/// One connection, one request.
async fn serve(mut client: TcpStream, upstream: String, weather: Weather) -> std::io::Result<()> {
    let mut request = Vec::new();
    let end = loop {
        if let Some(at) = request.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    let length: usize = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    while request.len() < end + length {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let line = head.lines().next().unwrap_or_default();
    match weather {
        Weather::Slow => {
            // Until the other side has had enough.
            let mut rest = Vec::new();
            return client.read_to_end(&mut rest).await.map(drop);
        }
        Weather::BrokenFor(part) if line.contains(part) => fail(&mut client).await?,
        Weather::BrokenAfter(part) if line.contains(part) => {
            pass(&upstream, &request, end).await?;
            fail(&mut client).await?;
        }
        _ => client.write_all(&pass(&upstream, &request, end).await?).await?,
    }
    client.shutdown().await
}

async fn fail(client: &mut TcpStream) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 500 INTERNAL SERVER ERROR\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        ERROR.len()
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(ERROR.as_bytes()).await
}

/// The whole answer to a request, of a connection that ends with it.
async fn pass(upstream: &str, request: &[u8], end: usize) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(&request[..end - 2]).await?;
    server.write_all(b"Connection: close\r\n\r\n").await?;
    server.write_all(&request[end..]).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    Ok(answer)
}
