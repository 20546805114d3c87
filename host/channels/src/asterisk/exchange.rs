//! One exchange: a task that hears what it tells, tells the center, and carries out orders, one after the other.
//!
//! One task has the picture of the calls, so an order never meets a call that has changed underneath it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ramal_capability::Clear;
use ramal_center::{
    CallEvent, CallId, Center, CenterError, Filter, Handled, Interaction, InteractionId, InteractionState,
    Origin, StoreError,
};
use ramal_egress::ProviderClient;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::desk::Desk;
use super::link;
use super::message::{AriEvent, What};
use super::plan::LinePlan;
use super::recorder::{Parts, Recorder};
use super::rest::{Ari, AriError};
use super::tracker::Tracker;
use super::tracker::resync::Census;
use crate::{
    CallControl, ChannelTally, ControlError, Dial, Heard, Order, RecordingStore, Setback, Taken, take,
};

/// Orders that may wait.
const WAITING: usize = 64;
/// Calls that one page of the center's list holds.
const PAGE: u32 = 200;
/// From one try to store an event to the next.
const AGAIN: Duration = Duration::from_millis(500);

/// What an exchange is made of.
pub struct AsteriskParts {
    /// Whose exchange it is, and its name.
    pub origin: Origin,
    /// Who is told.
    pub center: Center,
    /// The way to its HTTP server.
    pub client: ProviderClient,
    /// The user of `ari.conf`.
    pub user: String,
    /// The password.
    pub password: Clear,
    /// The settings.
    pub settings: AsteriskSettings,
    /// Where sound is put.
    pub recordings: Arc<dyn RecordingStore>,
    /// Who counts.
    pub tally: Arc<dyn ChannelTally>,
}

/// How an exchange is used.
#[derive(Debug, Clone)]
pub struct AsteriskSettings {
    /// The name of the application, as in `Stasis(app)`.
    pub app: String,
    /// Who is at which endpoint.
    pub plan: LinePlan,
    /// The endpoints that ring when the dialplan hands a call over. With none it is handed back at once.
    pub ring: Vec<String>,
    /// The context of the dialplan, with an extension `s`, that takes a call back when nobody picks up.
    pub fallback: String,
    /// How long they ring, in seconds.
    pub ring_seconds: u32,
    /// How a number is dialled: an endpoint in which `{number}` stands for its digits with the country's, and `{e164}`
    /// for the same with a plus.
    pub dial: Option<String>,
    /// The number that a customer sees.
    pub caller_id: Option<String>,
    /// The times of the connection.
    pub pace: Pace,
}

/// The times of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The first wait before a connection is tried again; it doubles, and a random part is left out.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// After another controller has taken the application: how often it is looked whether it has left.
    pub replaced: Duration,
    /// From one question for a sign of life to the next; after three without any the connection is given up.
    pub ping: Duration,
    /// How often it is asked what lives, also when nothing seems to be amiss.
    pub resync: Duration,
    /// How often the fetching of recordings that failed is tried again.
    pub fetch: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(250),
            longest: Duration::from_secs(30),
            replaced: Duration::from_secs(60),
            ping: Duration::from_secs(15),
            resync: Duration::from_mins(5),
            fetch: Duration::from_secs(30),
        }
    }
}

/// How the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// It is being made, for the first time or again.
    Connecting,
    /// What the exchange tells is heard, and what was missed was made up for.
    Live,
    /// Another controller has taken the application. This host waits until it leaves.
    Replaced,
    /// The exchange refuses the password.
    Refused,
}

impl LinkState {
    /// A fixed word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Replaced => "replaced",
            Self::Refused => "refused",
        }
    }
}

/// An exchange that is connected, or will be.
pub struct Asterisk {
    control: AsteriskControl,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Asterisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asterisk").field("link", &*self.control.state.borrow()).finish_non_exhaustive()
    }
}

/// Gives orders to an exchange. Cloning is cheap.
#[derive(Clone)]
pub struct AsteriskControl {
    asks: mpsc::Sender<Ask>,
    state: watch::Receiver<LinkState>,
}

pub(super) enum Ask {
    Dial(Dial, oneshot::Sender<Result<InteractionId, ControlError>>),
    Act(CallId, Order, oneshot::Sender<Result<(), ControlError>>),
}

impl Ask {
    pub(super) fn refuse(self) {
        // Whoever asked may have left.
        match self {
            Self::Dial(_, answer) => drop(answer.send(Err(ControlError::Offline))),
            Self::Act(_, _, answer) => drop(answer.send(Err(ControlError::Offline))),
        }
    }
}

impl Asterisk {
    /// Starts the task; it connects by itself and goes on until [`Asterisk::close`].
    pub fn start(parts: AsteriskParts) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (asks, asked) = mpsc::channel(WAITING);
        let (tell, state) = watch::channel(LinkState::Connecting);
        let AsteriskParts { origin, center, client, user, password, settings, recordings, tally } = parts;
        let ari = Arc::new(Ari::new(client, &user, &password, &settings.app));
        let teller = Teller::new(origin, center, tally, stopped.clone());
        let recorder = Recorder::start(Parts {
            ari: ari.clone(),
            teller: teller.clone(),
            store: recordings,
            every: settings.pace.fetch,
        });
        let exchange = Exchange {
            tracker: Tracker::new(settings.plan.clone()),
            desk: Desk::default(),
            ours: HashSet::new(),
            ari,
            teller,
            settings,
            recorder,
            state: tell,
        };
        let task = tokio::spawn(link::run(exchange, asked, stopped));
        Self { control: AsteriskControl { asks, state }, stop, task }
    }

    /// Who gives orders.
    pub fn control(&self) -> AsteriskControl {
        self.control.clone()
    }

    /// Ends the connection. Calls go on; what happens to them meanwhile is made up for at the next start.
    pub async fn close(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the task of an exchange ended before its time; the next start makes up for it");
        }
    }
}

impl AsteriskControl {
    /// How the connection stands now, and each change.
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, ControlError>>) -> Ask,
    ) -> Result<T, ControlError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).await.map_err(|_| ControlError::Offline)?;
        answered.await.unwrap_or(Err(ControlError::Offline))
    }
}

impl CallControl for AsteriskControl {
    fn dial(&self, dial: Dial) -> BoxFuture<'_, Result<InteractionId, ControlError>> {
        Box::pin(self.ask(move |answer| Ask::Dial(dial, answer)))
    }
    fn act(&self, call: CallId, order: Order) -> BoxFuture<'_, Result<(), ControlError>> {
        Box::pin(self.ask(move |answer| Ask::Act(call, order, answer)))
    }
}

/// Tells the center, until it has taken it.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) origin: Origin,
    pub(super) center: Center,
    pub(super) tally: Arc<dyn ChannelTally>,
    stopped: watch::Receiver<bool>,
}

impl Teller {
    pub(super) fn new(
        origin: Origin,
        center: Center,
        tally: Arc<dyn ChannelTally>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self { origin, center, tally, stopped }
    }

    /// The exchange does not repeat itself, so an event that cannot be stored is kept and tried again; meanwhile
    /// nothing more is heard, and a connection that is given up for it is made up for by asking what lives. `None` when
    /// the host stops first.
    pub(super) async fn tell(&self, event: CallEvent) -> Option<Result<Handled, Setback>> {
        let source = &self.origin.source;
        loop {
            let taken = take(&self.center, &self.origin, Heard::Call(event.clone())).await;
            match taken {
                Ok(Taken::Stored(handled)) => {
                    self.tally.count(source, "stored");
                    return Some(Ok(handled));
                }
                Ok(Taken::Repeated(handled)) => {
                    self.tally.count(source, "repeated");
                    return Some(Ok(handled));
                }
                Ok(Taken::PassedOver(why)) => {
                    self.tally.count(source, why.0);
                    tracing::debug!(channel = %source, kind = event.kind.word(), why = why.0, "passed over");
                    return Some(Err(why));
                }
                Err(CenterError::ShuttingDown) => return None,
                Err(error) => {
                    self.tally.count(source, "not-stored");
                    tracing::error!(channel = %source, %error, "an event of the exchange is not stored yet; trying again");
                    if *self.stopped.borrow() {
                        return None;
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    pub(super) async fn tell_all(&self, events: Vec<CallEvent>) {
        for event in events {
            if self.tell(event).await.is_none() {
                return;
            }
        }
    }

    /// The calls of this exchange that are not over by what the center knows.
    async fn known(&self) -> Result<Vec<Interaction>, StoreError> {
        let mut found = Vec::new();
        for state in [InteractionState::Ringing, InteractionState::Answered, InteractionState::Held] {
            let filter = Filter { state: Some(state), ..Filter::default() };
            let mut before = None;
            loop {
                let page = self.center.list(&self.origin.tenant, &filter, before, PAGE).await?;
                found.extend(page.items.into_iter().filter(|i| i.source == self.origin.source));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// The task's own.
pub(super) struct Exchange {
    pub(super) tracker: Tracker,
    pub(super) desk: Desk,
    /// The channels that are in this host's application: those that orders can be carried out on.
    pub(super) ours: HashSet<String>,
    pub(super) ari: Arc<Ari>,
    pub(super) teller: Teller,
    pub(super) settings: AsteriskSettings,
    pub(super) recorder: Recorder,
    pub(super) state: watch::Sender<LinkState>,
}

/// Why what lives could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResyncError {
    #[error(transparent)]
    Ari(#[from] AriError),
    #[error("the calls that are known could not be read: {0}")]
    Store(#[from] StoreError),
}

impl Exchange {
    /// Makes up for what was not heard.
    pub(super) async fn resync(&mut self) -> Result<(), ResyncError> {
        let known = self.teller.known().await?;
        let info = self.ari.info().await?;
        let census = Census {
            channels: self.ari.channels().await?,
            bridges: self.ari.bridges().await?,
            since: info.status.startup_time,
        };
        let left = self.ari.stored().await?;
        let mut events = self.tracker.adopt(&known, Timestamp::now());
        events.extend(self.tracker.resync(&census, Timestamp::now()));
        self.ours = ours(&census, &self.settings.app);
        let (live, told) = (self.tracker.calls().len(), events.len());
        self.teller.tell_all(events).await;
        self.tidy(&census).await;
        for recording in left {
            self.recorder.collect(recording.name, None);
        }
        tracing::info!(
            channel = %self.teller.origin.source, version = %info.system.version, channels = census.channels.len(),
            calls = live, told, "asked the exchange what lives"
        );
        Ok(())
    }

    /// Takes one message. Says whether another controller has taken the application.
    pub(super) async fn hear(&mut self, text: &str) -> Hearing {
        let Ok(event) = AriEvent::read(text) else {
            self.teller.tally.count(&self.teller.origin.source, "unreadable");
            return Hearing::On;
        };
        match &event.what {
            What::ApplicationReplaced => return Hearing::Replaced,
            What::StasisStart { channel, .. } => {
                self.ours.insert(channel.id.clone());
            }
            What::StasisEnd { channel } | What::ChannelDestroyed { channel, .. } => {
                self.ours.remove(&channel.id);
            }
            What::RecordingFinished { recording } | What::RecordingFailed { recording } => {
                let seconds = recording.duration.and_then(|s| u64::try_from(s).ok());
                self.desk.recording_ended(&recording.name);
                self.recorder.collect(recording.name.clone(), seconds);
            }
            _ => {}
        }
        // A call that ends with this message is forgotten by it; who was left in it is asked before.
        let before = self.situation(&event.what);
        let events = self.tracker.take(&event, Timestamp::now());
        self.teller.tell_all(events).await;
        self.attend(&event.what, before).await;
        Hearing::On
    }

    pub(super) async fn carry_out(&mut self, ask: Ask) {
        // Whoever asked may have left; the order was carried out all the same.
        match ask {
            Ask::Dial(dial, answer) => drop(answer.send(self.dial(dial).await)),
            Ask::Act(call, order, answer) => drop(answer.send(self.act(&call, order).await)),
        }
    }
}

/// Whether to go on.
pub(super) enum Hearing {
    On,
    Replaced,
}

/// The channels that are in an application: by the word of the dialplan, or in a bridge that this host made.
fn ours(census: &Census, app: &str) -> HashSet<String> {
    let bridges: HashMap<&str, &str> = census
        .bridges
        .iter()
        .flat_map(|b| b.channels.iter().map(|channel| (channel.as_str(), b.id.as_str())))
        .collect();
    let bridged = |id: &str| bridges.get(id).is_some_and(|bridge| bridge.starts_with(super::desk::BRIDGE));
    let channels = census.channels.iter().filter(|c| c.dialplan.hands_to(app) || bridged(&c.id));
    channels.map(|c| c.id.clone()).collect()
}
