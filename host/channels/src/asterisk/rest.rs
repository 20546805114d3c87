//! The REST half of ARI: the few requests that this host makes, over the one way out.
//!
//! Identifiers and names go into addresses, so each is percent-encoded here and nowhere else. An answer is a status
//! and nothing else unless it is read; what it says about a channel is never quoted in an error.

use std::fmt;

use data_encoding::BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ramal_capability::{Clear, EgressFailure, Method};
use ramal_egress::{ProviderCall, ProviderClient};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::message::{Bridge, Channel, Info, StoredRecording};

/// The most that a list of channels may be: some thousand calls.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The most that a recording may be: 16 kB a second, so more than nine hours.
const MOST_SOUND: u64 = 512 * 1024 * 1024;
/// What stands for itself in a path or query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a request did not do what it was to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AriError {
    /// The exchange was not reached, or not in time.
    #[error("the exchange did not answer: {0}; check that it runs and that `url` and `private` lead to it")]
    Unreachable(EgressFailure),
    /// The password is not right.
    #[error("the exchange refuses the password: `user` and the password are those of a section of ari.conf")]
    Password,
    /// There is no such thing (any more).
    #[error("the exchange does not know it (any more)")]
    Gone,
    /// The channel is not in the application.
    #[error("the channel is not in this host's application: the dialplan has it")]
    NotOurs,
    /// Anything else.
    #[error("the exchange answered {0}")]
    Status(u16),
    /// An answer that is not what the interface describes.
    #[error("the exchange's answer cannot be read")]
    Unreadable,
}

/// Asks one exchange.
pub(crate) struct Ari {
    client: ProviderClient,
    authorization: Clear,
    pub(crate) app: String,
}

impl fmt::Debug for Ari {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ari({})", self.client.origin())
    }
}

/// A channel that is to be made.
pub(crate) struct Originate<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) channel: &'a str,
    /// What `StasisStart` will say.
    pub(crate) args: &'a str,
    /// Which number the other side sees.
    pub(crate) caller: Option<&'a str>,
    /// The channel whose call it joins.
    pub(crate) originator: Option<&'a str>,
    pub(crate) seconds: u32,
}

impl Ari {
    pub(crate) fn new(client: ProviderClient, user: &str, password: &Clear, app: &str) -> Self {
        let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
        let authorization = Clear::new(format!("Basic {}", BASE64.encode(pair.as_bytes())));
        Self { client, authorization, app: app.to_owned() }
    }

    pub(crate) fn client(&self) -> &ProviderClient {
        &self.client
    }

    pub(crate) fn authorization(&self) -> &Clear {
        &self.authorization
    }

    /// Where events come from. The password stands in a header, since addresses end up in logs.
    pub(crate) fn events_target(&self) -> String {
        format!("/ari/events?app={}&subscribeAll=true", encoded(&self.app))
    }

    // === what lives ===

    pub(crate) async fn channels(&self) -> Result<Vec<Channel>, AriError> {
        self.read("/ari/channels").await
    }

    pub(crate) async fn bridges(&self) -> Result<Vec<Bridge>, AriError> {
        self.read("/ari/bridges").await
    }

    pub(crate) async fn info(&self) -> Result<Info, AriError> {
        self.read("/ari/asterisk/info").await
    }

    /// Whether some controller has the application now.
    pub(crate) async fn is_taken(&self) -> Result<bool, AriError> {
        match self.ask(Method::Get, &format!("/ari/applications/{}", encoded(&self.app))).await {
            Ok(_) => Ok(true),
            Err(AriError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    // === channels ===

    pub(crate) async fn originate(&self, ask: &Originate<'_>) -> Result<(), AriError> {
        let mut target = format!(
            "/ari/channels?endpoint={}&app={}&appArgs={}&channelId={}&timeout={}",
            encoded(ask.endpoint),
            encoded(&self.app),
            encoded(ask.args),
            encoded(ask.channel),
            ask.seconds,
        );
        for (name, value) in [("callerId", ask.caller), ("originator", ask.originator)] {
            if let Some(value) = value {
                target.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        self.ask(Method::Post, &target).await.map(drop)
    }

    pub(crate) async fn hang_up(&self, channel: &str) -> Result<(), AriError> {
        self.delete(&format!("/ari/channels/{}", encoded(channel))).await
    }

    /// `answer`, `ring`, `mute?direction=in` and their like: a fixed word of this host's.
    pub(crate) async fn tell(&self, channel: &str, word: &'static str) -> Result<(), AriError> {
        self.post(&format!("/ari/channels/{}/{word}", encoded(channel))).await
    }

    /// Back into the dialplan, at the extension `s` of a context.
    pub(crate) async fn go_on(&self, channel: &str, context: &str) -> Result<(), AriError> {
        let (channel, context) = (encoded(channel), encoded(context));
        self.post(&format!("/ari/channels/{channel}/continue?context={context}&extension=s&priority=1")).await
    }

    pub(crate) async fn untell(&self, channel: &str, word: &'static str) -> Result<(), AriError> {
        self.delete(&format!("/ari/channels/{}/{word}", encoded(channel))).await
    }

    // === bridges ===

    /// Makes it; when it is there already, nothing happens.
    pub(crate) async fn bridge(&self, id: &str) -> Result<(), AriError> {
        let made = self.post(&format!("/ari/bridges/{}?type=mixing", encoded(id))).await;
        // 409 here: it is there.
        if made == Err(AriError::NotOurs) { Ok(()) } else { made }
    }

    pub(crate) async fn add(&self, bridge: &str, channels: &[&str]) -> Result<(), AriError> {
        self.members(bridge, "addChannel", channels).await
    }

    pub(crate) async fn remove(&self, bridge: &str, channels: &[&str]) -> Result<(), AriError> {
        self.members(bridge, "removeChannel", channels).await
    }

    async fn members(&self, bridge: &str, verb: &str, channels: &[&str]) -> Result<(), AriError> {
        let list = encoded(&channels.join(","));
        self.post(&format!("/ari/bridges/{}/{verb}?channel={list}", encoded(bridge))).await
    }

    pub(crate) async fn tell_bridge(&self, bridge: &str, word: &'static str) -> Result<(), AriError> {
        self.post(&format!("/ari/bridges/{}/{word}", encoded(bridge))).await
    }

    pub(crate) async fn untell_bridge(&self, bridge: &str, word: &'static str) -> Result<(), AriError> {
        self.delete(&format!("/ari/bridges/{}/{word}", encoded(bridge))).await
    }

    pub(crate) async fn end_bridge(&self, id: &str) -> Result<(), AriError> {
        self.delete(&format!("/ari/bridges/{}", encoded(id))).await
    }

    // === recordings ===

    pub(crate) async fn record(&self, bridge: &str, name: &str) -> Result<(), AriError> {
        let (bridge, name) = (encoded(bridge), encoded(name));
        self.post(&format!("/ari/bridges/{bridge}/record?name={name}&format=wav&ifExists=fail&beep=false"))
            .await
    }

    pub(crate) async fn pause(&self, name: &str) -> Result<(), AriError> {
        self.post(&format!("/ari/recordings/live/{}/pause", encoded(name))).await
    }

    pub(crate) async fn unpause(&self, name: &str) -> Result<(), AriError> {
        self.delete(&format!("/ari/recordings/live/{}/pause", encoded(name))).await
    }

    pub(crate) async fn stop(&self, name: &str) -> Result<(), AriError> {
        self.post(&format!("/ari/recordings/live/{}/stop", encoded(name))).await
    }

    /// Whether it is still being made.
    pub(crate) async fn is_recording(&self, name: &str) -> Result<bool, AriError> {
        match self.ask(Method::Get, &format!("/ari/recordings/live/{}", encoded(name))).await {
            Ok(_) => Ok(true),
            Err(AriError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn stored(&self) -> Result<Vec<StoredRecording>, AriError> {
        match self.read("/ari/recordings/stored").await {
            // The answer of an exchange that has never recorded and has no folder for it.
            Err(AriError::Status(500)) => Ok(Vec::new()),
            other => other,
        }
    }

    pub(crate) async fn sound(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, AriError> {
        let target = format!("/ari/recordings/stored/{}/file", encoded(name));
        self.send(Method::Get, &target, MOST_SOUND).await
    }

    /// Deletes it; that it is gone is as good.
    pub(crate) async fn delete_stored(&self, name: &str) -> Result<(), AriError> {
        match self.delete(&format!("/ari/recordings/stored/{}", encoded(name))).await {
            Err(AriError::Gone) => Ok(()),
            other => other,
        }
    }

    // === the requests themselves ===

    async fn read<T: DeserializeOwned>(&self, target: &str) -> Result<T, AriError> {
        let body = self.ask(Method::Get, target).await?;
        serde_json::from_slice(&body).map_err(|_| AriError::Unreadable)
    }

    async fn post(&self, target: &str) -> Result<(), AriError> {
        self.ask(Method::Post, target).await.map(drop)
    }

    async fn delete(&self, target: &str) -> Result<(), AriError> {
        self.ask(Method::Delete, target).await.map(drop)
    }

    async fn ask(&self, method: Method, target: &str) -> Result<Zeroizing<Vec<u8>>, AriError> {
        self.send(method, target, MOST_BYTES).await
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        most_bytes: u64,
    ) -> Result<Zeroizing<Vec<u8>>, AriError> {
        let call =
            ProviderCall { method, target, authorization: Some(&self.authorization), body: None, most_bytes };
        let answer = self.client.send(call).await.map_err(AriError::Unreachable)?;
        match answer.status {
            200..=299 => Ok(answer.body),
            401 | 403 => Err(AriError::Password),
            404 => Err(AriError::Gone),
            409 | 422 => Err(AriError::NotOurs),
            status => Err(AriError::Status(status)),
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}
