//! Tells one address of this machine when a contact changes or goes, and when somebody wants to call one: signed, as
//! real CRMs do it, so that a plugin's hook can be tried without an account anywhere.
//!
//! ```text
//! X-Practice-Delivery: <name of the delivery, the same at every try>
//! X-Practice-Time: <unix seconds of this try>
//! X-Practice-Signature: v1=<hex of HMAC-SHA256(secret, "<delivery>.<time>.<body>")>
//! ```
//!
//! The body says which record, and carries more than anybody needs, as those of real CRMs do. What is not taken is
//! sent again a few times and then let go: this CRM remembers nothing.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::http::Uri;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::records::Contact;

/// Deliveries that may wait; more are let go.
const QUEUE: usize = 1_000;
/// Pauses before each further try.
const PAUSES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25)];
/// How long one try may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the practice CRM tells what happens.
#[derive(Clone)]
pub struct HookTarget {
    authority: String,
    path: String,
    key: hmac::Key,
}

/// A text that is no address for hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the practice CRM tells hooks of this machine only: give an address such as \
     http://127.0.0.1:7700/v1/hooks/practice/changes/practice, and a secret that is not empty"
)]
pub struct UnusableHook;

impl HookTarget {
    /// Takes an `http` address of this machine, and the secret that both sides share.
    ///
    /// # Errors
    /// [`UnusableHook`] if it is another machine's address, or the secret is empty.
    pub fn new(address: &str, secret: &str) -> Result<Self, UnusableHook> {
        let uri: Uri = address.parse().map_err(|_| UnusableHook)?;
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(UnusableHook)?;
        let host = authority.host().trim_matches(['[', ']']);
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if uri.scheme_str() != Some("http") || !is_here || authority.port().is_none() || secret.is_empty() {
            return Err(UnusableHook);
        }
        Ok(Self {
            authority: authority.to_string(),
            path: uri.path().to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        })
    }
}

impl fmt::Debug for HookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookTarget").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// The way to the target, for whoever changes a record.
#[derive(Clone)]
pub(crate) struct Hooks(mpsc::Sender<Value>);

impl Hooks {
    /// Begins to deliver; ends when the last handle is gone.
    pub(crate) fn start(target: HookTarget) -> Self {
        let (hooks, mut waiting) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            while let Some(told) = waiting.recv().await {
                deliver(&target, &told).await;
            }
        });
        Self(hooks)
    }

    /// A contact is no longer as it was.
    pub(crate) fn changed(&self, contact: &Contact) {
        self.tell(json!({"event": "contact.changed", "contact": contact}));
    }

    /// A contact is gone.
    pub(crate) fn deleted(&self, id: &impl fmt::Display) {
        self.tell(json!({"event": "contact.deleted", "contact": {"id": id.to_string()}}));
    }

    /// A user wants to call a contact.
    pub(crate) fn call_wanted(&self, contact: &Contact, user: &impl fmt::Display, phone: &str) {
        let (user, contact) = (json!({"id": user.to_string()}), json!(contact));
        self.tell(json!({"event": "call.wanted", "contact": contact, "user": user, "phone": phone}));
    }

    fn tell(&self, body: Value) {
        if self.0.try_send(body).is_err() {
            tracing::warn!("too many deliveries wait; one is let go");
        }
    }
}

async fn deliver(target: &HookTarget, told: &Value) {
    let (name, body) = (Uuid::now_v7().to_string(), told.to_string());
    let mut pauses = PAUSES.iter();
    loop {
        let status = match tokio::time::timeout(PATIENCE, send(target, &name, &body)).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a hook was not reached");
                0
            }
            Err(_) => 0,
        };
        match status {
            200..300 => return,
            // It says that another try will not help.
            400..500 if !matches!(status, 408 | 425 | 429) => {
                tracing::warn!(status, "a hook refused a delivery; compare address and secret on both sides");
                return;
            }
            _ => {}
        }
        let Some(pause) = pauses.next() else {
            tracing::warn!(status, "a hook took a delivery at no try; it is let go");
            return;
        };
        tokio::time::sleep(*pause).await;
    }
}

/// One try: one request over a connection of its own. Gives the status.
async fn send(target: &HookTarget, name: &str, body: &str) -> io::Result<u16> {
    let time = Timestamp::now().as_second();
    let tag = hmac::sign(&target.key, format!("{name}.{time}.{body}").as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let HookTarget { authority, path, .. } = target;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\nX-Practice-Delivery: {name}\r\nX-Practice-Time: {time}\r\n\
         X-Practice-Signature: v1={tag}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(authority.as_str()).await?;
    stream.write_all(request.as_bytes()).await?;
    // `HTTP/1.1 202`: the rest says nothing that is needed here.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    let status = head.get(9..).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    status.ok_or_else(|| io::Error::other("the answer is no HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::here("http://127.0.0.1:7700/v1/hooks/practice/changes/practice", true)]
    #[case::by_name("http://localhost:7700/hook", true)]
    #[case::ipv6("http://[::1]:7700/hook", true)]
    #[case::another_machine("http://192.0.2.1:80/hook", false)]
    #[case::a_name("http://crm.example:80/hook", false)]
    #[case::tls("https://127.0.0.1:7700/hook", false)]
    #[case::no_port("http://127.0.0.1/hook", false)]
    #[case::a_user("http://a@127.0.0.1:7700/hook", false)]
    #[case::nothing("", false)]
    fn only_this_machine_is_told(#[case] address: &str, #[case] good: bool) {
        assert_eq!(HookTarget::new(address, "secret").is_ok(), good);
    }

    #[test]
    fn a_target_does_not_print_its_secret_or_path() {
        let target = HookTarget::new("http://127.0.0.1:1/a-secret-path", "a-secret").unwrap();
        assert!(!format!("{target:?}").contains("a-secret"));
    }
}
