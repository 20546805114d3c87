//! The connection: log in, ask what there is, listen, and begin again where it breaks.
//!
//! Two tasks. One reads, so that the exchange, which cuts off whoever reads slowly, is always read; the other hands the
//! calls to the center, in order, and waits where the store cannot write. Where it waits for long, the reader stops as
//! well, the exchange cuts the connection, and the next one finds out what happened: nothing is told from memory that
//! overflowed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::{Clear, EgressFailure};
use ramal_center::{CallEvent, Center, Filter, InteractionState, Origin, StoreError};
use ramal_egress::{ProviderClient, ProviderStream};
use ramal_numbers::Home;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout, timeout_at};

use super::action::{Action, is_one_line};
use super::board::{QueueBoard, QueueLink};
use super::calls::Calls;
use super::census::{Census, Counted};
use super::event::{self, Event};
use super::message::{BadStream, Decoder, Message};
use crate::{ChannelTally, Heard, Taken, take};

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;
/// Events that may wait for the store.
const WAITING: usize = 4096;
/// How long the exchange may take to answer the login or what there is.
const ANSWER: Duration = Duration::from_secs(20);
/// How often a silent exchange is asked whether it is there. It has to say something within two such times.
const PING: Duration = Duration::from_secs(15);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// The bound of the first wait before a new try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The bound that no wait passes, and the one after a refusal.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// From one try to store an event to the next.
const STORE_AGAIN: Duration = Duration::from_millis(500);
/// Calls that one page of the center's list holds.
const PAGE: u32 = 200;

/// How an exchange is watched.
pub struct QueuesSettings {
    /// The user's name in manager.conf.
    pub user: String,
    /// The user's secret.
    pub secret: Clear,
    /// Whether the calls of the queues are told to the center. Not where another channel already tells them; then this
    /// one keeps the board only.
    pub calls: bool,
    /// How numbers are read.
    pub home: Home,
    /// Beginnings of endpoints whose lines are mobile ones, such as `PJSIP/gsm`.
    pub mobile: Vec<String>,
}

/// What the reader works with.
pub struct QueuesParts {
    /// Whose exchange, and its name.
    pub origin: Origin,
    /// Who opens the connection.
    pub client: ProviderClient,
    /// How.
    pub settings: QueuesSettings,
    /// Who is told.
    pub center: Center,
    /// Who counts.
    pub tally: Arc<dyn ChannelTally>,
}

impl fmt::Debug for QueuesParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuesParts").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// A user or a secret that cannot stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the user and the secret of AMI are texts in one line: no control characters, and not empty")]
pub struct BadLogin;

/// An exchange whose queues are watched.
#[derive(Debug)]
pub struct Queues {
    board: watch::Receiver<QueueBoard>,
    stop: watch::Sender<bool>,
    reader: JoinHandle<()>,
    teller: JoinHandle<()>,
}

impl Queues {
    /// Begins to watch. The connection is made in the background, and again whenever it is lost.
    ///
    /// # Errors
    /// When the user or the secret could not be sent.
    pub fn start(parts: QueuesParts) -> Result<Self, BadLogin> {
        let QueuesParts { origin, client, settings, center, tally } = parts;
        if !is_one_line(&settings.user) || !is_one_line(settings.secret.expose()) {
            return Err(BadLogin);
        }
        let (stop, stopped) = watch::channel(false);
        let (tell, told) = mpsc::channel(WAITING);
        let (show, board) = watch::channel(QueueBoard::new(Timestamp::now()));
        let calls = Calls::new(settings.home.clone(), settings.mobile.clone());
        let teller = Teller { origin: origin.clone(), center: center.clone(), tally: Arc::clone(&tally) };
        let teller = tokio::spawn(teller.run(told, stopped.clone()));
        let reader = Reader {
            origin,
            client,
            settings,
            center,
            tally,
            calls,
            adopted: false,
            tell,
            board: show,
            stopped,
        };
        Ok(Self { board, stop, reader: tokio::spawn(reader.run()), teller })
    }

    /// The board, as it is and as it changes.
    pub fn board(&self) -> watch::Receiver<QueueBoard> {
        self.board.clone()
    }

    /// Says goodbye to the exchange, and hands on what was heard. To be called before the store closes.
    pub async fn close(self) {
        self.stop.send_replace(true);
        if self.reader.await.is_err() || self.teller.await.is_err() {
            tracing::error!(
                "a reader of queues ended before its time; the next start asks for what it missed"
            );
        }
    }
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("the exchange cannot be reached")]
    Unreachable(#[source] EgressFailure),
    #[error(
        "the exchange refuses the user: check `user` and `secret` against manager.conf, and that `permit` there has this host's address"
    )]
    Refused,
    #[error(transparent)]
    Bad(#[from] BadStream),
    #[error("the connection broke")]
    Broken(#[from] std::io::Error),
    #[error("the exchange closed the connection")]
    Closed,
    #[error("the exchange does not answer")]
    Silent,
    #[error("the exchange has no queues: load app_queue, and restart it where it has only just started")]
    NoQueues,
    #[error("the calls that were open cannot be read")]
    Store(#[from] StoreError),
    #[error("this host is going down")]
    Stopped,
}

// === reading ===

struct Reader {
    origin: Origin,
    client: ProviderClient,
    settings: QueuesSettings,
    center: Center,
    tally: Arc<dyn ChannelTally>,
    calls: Calls,
    /// Whether the calls that an earlier run left open are known.
    adopted: bool,
    tell: mpsc::Sender<CallEvent>,
    board: watch::Sender<QueueBoard>,
    stopped: watch::Receiver<bool>,
}

impl Reader {
    async fn run(mut self) {
        let mut tries = 0_u32;
        loop {
            let lost = match self.session(&mut tries).await {
                Ok(never) => match never {},
                Err(Lost::Stopped) => return,
                Err(lost) => lost,
            };
            let refused = matches!(lost, Lost::Refused);
            let link = if refused { QueueLink::Refused } else { QueueLink::Down };
            let news = self.board.send_if_modified(|board| board.turn(link, Timestamp::now()));
            if news || tries == 0 {
                let channel = &self.origin.source;
                tracing::warn!(%channel, error = %chain(&lost), "the queues are not watched");
            }
            self.tally.count(&self.origin.source, if refused { "refused" } else { "disconnected" });
            tries = tries.saturating_add(1);
            // Whoever knocks with a wrong secret again and again is locked out by the exchange's own guard.
            let bound = if refused { LONGEST_WAIT } else { bound(tries) };
            let least = if refused { bound / 2 } else { Duration::ZERO };
            let until = Instant::now() + rand::random_range(least..=bound);
            tokio::select! {
                () = sleep_until(until) => {}
                () = told_to_stop(&mut self.stopped) => return,
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn session(&mut self, tries: &mut u32) -> Result<std::convert::Infallible, Lost> {
        let mut stopped = self.stopped.clone();
        let opened = tokio::select! {
            opened = self.client.open() => opened,
            () = told_to_stop(&mut stopped) => return Err(Lost::Stopped),
        };
        let mut line = Line {
            stream: opened.map_err(Lost::Unreachable)?,
            decoder: Decoder::default(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            heard: Instant::now(),
        };
        let (user, secret) = (self.settings.user.clone(), self.settings.secret.clone());
        line.say(Action::Login { user: &user, secret: &secret }).await?;
        let mut phase = Phase::Login(Instant::now() + ANSWER);
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let messages = tokio::select! {
                messages = line.hear() => messages?,
                _ = ping.tick() => {
                    if line.heard.elapsed() > PING * 2 || phase.is_late() {
                        return Err(Lost::Silent);
                    }
                    line.say(Action::Ping).await?;
                    continue;
                }
                () = told_to_stop(&mut stopped) => {
                    // It hangs up for us where it does not hear it.
                    let _ = timeout(GOODBYE, line.say(Action::Logoff)).await;
                    return Err(Lost::Stopped);
                }
            };
            for message in &messages {
                self.message(message, &mut phase, &mut line, tries).await?;
            }
        }
    }

    async fn message(
        &mut self,
        message: &Message,
        phase: &mut Phase,
        line: &mut Line,
        tries: &mut u32,
    ) -> Result<(), Lost> {
        if let Phase::Login(_) = phase {
            let is_answer = message.get("Response").is_some();
            return match message.get("Response") {
                Some("Success") => {
                    self.adopt().await?;
                    self.calls.doubt();
                    line.say(Action::Channels).await?;
                    line.say(Action::Queues).await?;
                    *phase = Phase::Counting(Instant::now() + ANSWER, Box::default());
                    Ok(())
                }
                _ if is_answer => Err(Lost::Refused),
                // Of before: what there is now will be asked.
                _ => Ok(()),
            };
        }
        if let Phase::Counting(_, census) = phase {
            match census.take(message) {
                Counted::More => return Ok(()),
                Counted::NoQueues => return Err(Lost::NoQueues),
                Counted::NoChannels => {
                    tracing::warn!(
                        channel = %self.origin.source,
                        "the exchange does not say which calls there are, so those that go on are ended here: give the user `write=reporting` in manager.conf"
                    );
                    return Ok(());
                }
                Counted::Done => {
                    let census = std::mem::take(census);
                    *phase = Phase::Listening;
                    *tries = 0;
                    return self.count(&census).await;
                }
                Counted::Another => {}
            }
        }
        let Some(event) = Event::read(message) else { return Ok(()) };
        let at = event::at(message).unwrap_or_else(Timestamp::now);
        self.board.send_if_modified(|board| board.apply(&event, at));
        let events = if self.settings.calls { self.calls.apply(&event, at) } else { Vec::new() };
        self.tell(events).await
    }

    async fn count(&mut self, census: &Census) -> Result<(), Lost> {
        let now = Timestamp::now();
        self.board.send_modify(|board| {
            board.set(census, now);
            board.turn(QueueLink::Up, now);
        });
        self.tally.count(&self.origin.source, "connected");
        let waiting = census.entries.len();
        tracing::info!(channel = %self.origin.source, queues = census.queues.len(), waiting, "the queues are watched");
        let events = if self.settings.calls { self.calls.set(census, now) } else { Vec::new() };
        self.tell(events).await
    }

    async fn tell(&self, events: Vec<CallEvent>) -> Result<(), Lost> {
        let mut stopped = self.stopped.clone();
        for event in events {
            tokio::select! {
                sent = self.tell.send(event) => sent.map_err(|_| Lost::Stopped)?,
                () = told_to_stop(&mut stopped) => return Err(Lost::Stopped),
            }
        }
        Ok(())
    }

    /// Takes over the calls that an earlier run left open, once.
    async fn adopt(&mut self) -> Result<(), Lost> {
        if self.adopted || !self.settings.calls {
            return Ok(());
        }
        for state in [InteractionState::Ringing, InteractionState::Answered, InteractionState::Held] {
            let filter = Filter { state: Some(state), ..Filter::default() };
            let mut before = None;
            loop {
                let mut page = self.center.list(&self.origin.tenant, &filter, before, PAGE).await?;
                page.items.retain(|call| call.source == self.origin.source);
                self.calls.adopt(&page.items);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
        }
        self.adopted = true;
        Ok(())
    }
}

/// How far a connection is.
enum Phase {
    /// The login is not answered yet.
    Login(Instant),
    /// What there is is being told.
    Counting(Instant, Box<Census>),
    /// Everything is known.
    Listening,
}

impl Phase {
    fn is_late(&self) -> bool {
        match self {
            Self::Login(until) | Self::Counting(until, _) => Instant::now() > *until,
            Self::Listening => false,
        }
    }
}

/// The connection itself.
struct Line {
    stream: Box<dyn ProviderStream>,
    decoder: Decoder,
    chunk: Box<[u8]>,
    /// When anything last came.
    heard: Instant,
}

impl Line {
    async fn hear(&mut self) -> Result<Vec<Message>, Lost> {
        let length = self.stream.read(&mut self.chunk).await?;
        if length == 0 {
            return Err(Lost::Closed);
        }
        self.heard = Instant::now();
        Ok(self.decoder.feed(self.chunk.get(..length).unwrap_or_default())?)
    }

    async fn say(&mut self, action: Action<'_>) -> Result<(), Lost> {
        let bytes = action.encode();
        let sent = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        timeout_at(Instant::now() + ANSWER, sent).await.map_err(|_| Lost::Silent)??;
        Ok(())
    }
}

/// Until the host goes down. The lock on the word is not held any longer than it is read.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn bound(tries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

/// An error and why, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

// === telling ===

struct Teller {
    origin: Origin,
    center: Center,
    tally: Arc<dyn ChannelTally>,
}

impl Teller {
    /// Until the reader is gone and everything that it said is stored, or the store cannot write while the host goes
    /// down: the next start then asks what there is.
    async fn run(self, mut told: mpsc::Receiver<CallEvent>, mut stopped: watch::Receiver<bool>) {
        while let Some(event) = told.recv().await {
            let outcome = loop {
                match take(&self.center, &self.origin, Heard::Call(event.clone())).await {
                    Ok(taken) => break taken,
                    Err(error) => {
                        tracing::warn!(channel = %self.origin.source, %error, "an event of a queue is not stored yet");
                        tokio::select! {
                            () = sleep_until(Instant::now() + STORE_AGAIN) => {}
                            () = told_to_stop(&mut stopped) => return,
                        }
                    }
                }
            };
            self.tally.count(
                &self.origin.source,
                match outcome {
                    Taken::Stored(_) => "stored",
                    Taken::Repeated(_) => "repeated",
                    Taken::PassedOver(why) => why.0,
                },
            );
        }
    }
}
