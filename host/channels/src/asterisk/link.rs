//! The WebSocket: connected, kept, and connected again.
//!
//! A connection that broke is tried again with a random part of a wait that doubles, so that a hundred hosts do not
//! come back in one moment. Another controller that takes the application is not fought, or the two would throw each
//! other out for ever: this host waits until the application is free. After each connection it is asked what lives
//! ([`Exchange::resync`]), since Asterisk repeats nothing.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ramal_capability::EgressFailure;
use ramal_egress::ProviderStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header::AUTHORIZATION};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use super::exchange::{Ask, Exchange, Hearing, LinkState, Pace};
use super::rest::{Ari, AriError};

/// How long the handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The longest message: an event with one channel and its variables.
const LONGEST: usize = 1024 * 1024;
/// Questions for a sign of life that may stay without an answer.
const UNANSWERED: u32 = 3;

type Socket = WebSocketStream<Box<dyn ProviderStream>>;

/// Why a connection was not made or is over.
#[derive(Debug, thiserror::Error)]
enum Break {
    #[error("no connection: {0}")]
    Unreachable(EgressFailure),
    #[error("the exchange refuses the password")]
    Password,
    #[error("the exchange does not open a WebSocket: {0}")]
    Handshake(String),
    #[error("{0}")]
    Resync(#[from] super::exchange::ResyncError),
    #[error("the connection was closed")]
    Closed,
    #[error("the connection broke")]
    Broke,
    #[error("no sign of life")]
    Silent,
    #[error("another controller has taken the application")]
    Replaced,
    #[error("the host stops")]
    Stopped,
}

/// Runs until `stopped`.
pub(super) async fn run(
    mut exchange: Exchange,
    mut asks: mpsc::Receiver<Ask>,
    mut stopped: watch::Receiver<bool>,
) {
    let pace = exchange.settings.pace;
    let mut failures = 0_u32;
    loop {
        let over = connected(&mut exchange, &mut asks, &mut stopped, &mut failures).await;
        let channel = exchange.teller.origin.source.clone();
        let wait = match &over {
            Break::Stopped => return,
            Break::Replaced => {
                exchange.state.send_replace(LinkState::Replaced);
                tracing::warn!(%channel, "another controller has taken the application; this host waits until it leaves");
                if !until_free(&exchange.ari.clone(), pace, &mut asks, &mut stopped).await {
                    return;
                }
                continue;
            }
            Break::Password => {
                exchange.state.send_replace(LinkState::Refused);
                pace.longest
            }
            _ => {
                exchange.state.send_replace(LinkState::Connecting);
                wait(pace, failures, rand::random::<f64>())
            }
        };
        failures = failures.saturating_add(1);
        exchange.teller.tally.count(&channel, "link-lost");
        tracing::warn!(%channel, why = %over, again_in_ms = wait.as_millis(), "the exchange is not heard");
        if !pass(wait, &mut asks, &mut stopped).await {
            return;
        }
    }
}

/// A random part of a wait that doubles, at least half of it.
fn wait(pace: Pace, failures: u32, random: f64) -> Duration {
    let whole = pace.first.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(pace.longest);
    whole.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

/// Ready when the host stops. By itself, because what `wait_for` gives cannot be held while something else is waited for.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // An error would mean that nobody can stop it any more: then it is over too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Lets time pass. False when the host stops first.
async fn pass(time: Duration, asks: &mut mpsc::Receiver<Ask>, stopped: &mut watch::Receiver<bool>) -> bool {
    let until = Instant::now() + time;
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            () = told_to_stop(stopped) => return false,
            ask = asks.recv(), if open => match ask {
                Some(ask) => ask.refuse(),
                // Nobody can ask any more; only time is left to wait for.
                None => open = false,
            },
            () = tokio::time::sleep_until(until) => return true,
        }
    }
}

/// Waits until nobody has the application. False when the host stops first.
async fn until_free(
    ari: &Ari,
    pace: Pace,
    asks: &mut mpsc::Receiver<Ask>,
    stopped: &mut watch::Receiver<bool>,
) -> bool {
    loop {
        if !pass(pace.replaced, asks, stopped).await {
            return false;
        }
        match ari.is_taken().await {
            Ok(true) => {}
            // An exchange that does not answer was perhaps restarted, and then has no application: the usual road
            // finds out.
            Ok(false) | Err(AriError::Unreachable(_)) => return true,
            Err(error) => tracing::debug!(%error, "whether the application is free is not known"),
        }
    }
}

/// One connection, from its beginning to its end.
async fn connected(
    exchange: &mut Exchange,
    asks: &mut mpsc::Receiver<Ask>,
    stopped: &mut watch::Receiver<bool>,
    failures: &mut u32,
) -> Break {
    let ari = exchange.ari.clone();
    let opened = tokio::select! {
        biased;
        () = told_to_stop(stopped) => return Break::Stopped,
        opened = open(&ari) => opened,
    };
    let mut socket = match opened {
        Ok(socket) => socket,
        Err(over) => return over,
    };
    // What happens from here on waits in the socket; so nothing falls between the question and the events.
    let over = match exchange.resync().await {
        Ok(()) => {
            *failures = 0;
            exchange.state.send_replace(LinkState::Live);
            listen(exchange, &mut socket, asks, stopped).await
        }
        Err(error) => error.into(),
    };
    // In order where that is possible; a connection that broke cannot be closed.
    let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
    over
}

async fn open(ari: &Ari) -> Result<Socket, Break> {
    let stream = ari.client().open().await.map_err(Break::Unreachable)?;
    let address = format!("ws://{}{}", ari.client().origin().authority(), ari.events_target());
    let mut request = address.into_client_request().map_err(refused)?;
    let mut value = HeaderValue::from_str(ari.authorization().expose())
        .map_err(|_| Break::Handshake("the password cannot stand in a header".to_owned()))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let shaken =
        timeout(HANDSHAKE, tokio_tungstenite::client_async_with_config(request, stream, Some(config)));
    match shaken.await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(refused(error)),
        Err(_) => Err(Break::Handshake("it took too long".to_owned())),
    }
}

// The library's errors may quote what came; only what kind of error it was is passed on.
fn refused(error: WebSocketError) -> Break {
    match error {
        WebSocketError::Http(answer) if answer.status() == 401 => Break::Password,
        WebSocketError::Http(answer) => Break::Handshake(format!("it answered {}", answer.status().as_u16())),
        WebSocketError::Io(error) => Break::Handshake(format!("the connection broke: {}", error.kind())),
        _ => Break::Handshake("what it answers is no WebSocket".to_owned()),
    }
}

async fn listen(
    exchange: &mut Exchange,
    socket: &mut Socket,
    asks: &mut mpsc::Receiver<Ask>,
    stopped: &mut watch::Receiver<bool>,
) -> Break {
    let pace = exchange.settings.pace;
    let ticks = |every| {
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    };
    let (mut pings, mut questions) = (ticks(pace.ping), ticks(pace.resync));
    let mut unanswered = 0_u32;
    loop {
        tokio::select! {
            biased;
            () = told_to_stop(stopped) => return Break::Stopped,
            heard = socket.next() => {
                unanswered = 0;
                match heard {
                    Some(Ok(Message::Text(text))) => match exchange.hear(&text).await {
                        Hearing::On => {}
                        Hearing::Replaced => return Break::Replaced,
                    },
                    Some(Ok(Message::Close(_))) | None => return Break::Closed,
                    Some(Ok(_)) => {}
                    Some(Err(_)) => return Break::Broke,
                }
            }
            Some(ask) = asks.recv() => exchange.carry_out(ask).await,
            _ = pings.tick() => {
                unanswered = unanswered.saturating_add(1);
                if unanswered > UNANSWERED {
                    return Break::Silent;
                }
                if socket.send(Message::Ping(Default::default())).await.is_err() {
                    return Break::Broke;
                }
            }
            _ = questions.tick() => if let Err(error) = exchange.resync().await {
                return error.into();
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::first(0, 1.0, 250)]
    #[case::second(1, 1.0, 500)]
    #[case::random_part(1, 0.0, 250)]
    #[case::longest(40, 1.0, 30_000)]
    fn the_wait_doubles_and_has_an_end(#[case] failures: u32, #[case] random: f64, #[case] ms: u64) {
        assert_eq!(wait(Pace::default(), failures, random), Duration::from_millis(ms));
    }
}
