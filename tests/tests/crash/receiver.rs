//! A webhook's receiver that outlives every host: it remembers what it was sent, and now and then takes an event and
//! fails before it says so, as receivers do.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Of so many posts one is taken and answered with 500.
const FAILS: usize = 17;

/// One event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Came {
    /// By which the receiver knows a repetition.
    pub(crate) webhook_id: String,
    /// The event's own identifier.
    pub(crate) id: String,
    pub(crate) interaction: String,
    pub(crate) seq: u64,
}

/// It ends with this value.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    came: Arc<Mutex<Vec<Came>>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let came = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&came);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A host that dies in the middle has sent nothing.
                drop(tokio::spawn(take(stream, Arc::clone(&all))));
            }
        });
        Self { port, came, serving }
    }

    /// How many posts came.
    pub(crate) fn posts(&self) -> usize {
        self.came.lock().len()
    }

    /// What came of each interaction, by the number within it: each at least once, in order, and whatever comes again is
    /// the same.
    pub(crate) fn by_interaction(&self) -> HashMap<String, Vec<Came>> {
        let mut all: HashMap<String, Vec<Came>> = HashMap::new();
        for came in self.came.lock().iter() {
            let of_one = all.entry(came.interaction.clone()).or_default();
            match of_one.iter().find(|known| known.seq == came.seq || known.id == came.id) {
                Some(known) => assert_eq!(known, came, "an event that comes again is the same event"),
                None => {
                    let last = of_one.last().map_or(0, |last| last.seq);
                    assert!(last < came.seq, "{came:?} came after number {last}");
                    of_one.push(came.clone());
                }
            }
        }
        all
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One post on a connection of its own.
async fn take(mut stream: TcpStream, all: Arc<Mutex<Vec<Came>>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let (head, start) = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..at]).into_owned(), at + 4);
        }
    };
    let header = |name: &str| {
        let named = |line: &str| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        head.lines().find_map(named).unwrap_or_else(|| panic!("no {name}: {head}"))
    };
    let length: usize = header("content-length").parse().unwrap();
    while bytes.len() < start + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    let event: Value = serde_json::from_slice(&bytes[start..]).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let came = Came {
        webhook_id: header("webhook-id"),
        id: text(&event["id"]),
        interaction: text(&event["subject"]),
        seq: event["data"]["seq"].as_u64().unwrap(),
    };
    let number = {
        let mut all = all.lock();
        all.push(came);
        all.len()
    };
    let status = if number % FAILS == 0 { "500 Made up" } else { "204 No Content" };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
