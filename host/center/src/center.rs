//! The center itself: takes events, keeps the calls, starts the look-ups, hands out the live events.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use ramal_numbers::PhoneNumber;
use ramal_store::{
    Call, CallState, CallStore, CallWrite, Clear, EventRow, InteractionId, LiveId, LiveStore, NewLive,
    Recorded, TenantId,
};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use crate::live::Bells;
use crate::number::stored_number;
use crate::pop;
use crate::running::{Running, Ticket};
use crate::view::{CallView, Failure, RecentView};
use crate::{
    CallEvent, Caller, CenterError, Clock, Directory, EventKind, Handled, LiveTail, LookUp, Observer, Origin,
    StoreError, state,
};

/// The connected CRMs of each tenant.
pub type Directories = HashMap<TenantId, Vec<Arc<dyn Directory>>>;

/// How often an event is decided anew when another one of the same call was quicker.
const ATTEMPTS: u32 = 16;

/// Limits of the screen pop.
#[derive(Debug, Clone)]
pub struct CenterSettings {
    /// How long all look-ups of a call may take, from the event on.
    pub deadline: Duration,
    /// After a restart a call that began to ring within this time is looked up again.
    pub resume_within: Duration,
}

impl Default for CenterSettings {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(3), resume_within: Duration::from_secs(60) }
    }
}

/// What a center is made of.
pub struct CenterParts {
    /// Where calls are kept.
    pub calls: Arc<dyn CallStore>,
    /// Where live events are read.
    pub live: Arc<dyn LiveStore>,
    /// Who counts.
    pub observer: Arc<dyn Observer>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The limits.
    pub settings: CenterSettings,
}

pub(crate) struct Inner {
    pub(crate) calls: Arc<dyn CallStore>,
    pub(crate) live: Arc<dyn LiveStore>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bells: Bells,
    settings: CenterSettings,
    directories: ArcSwapOption<Directories>,
    running: Running,
}

/// The center. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Center(Arc<Inner>);

impl fmt::Debug for Center {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Center").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Center {
    /// A center without directories: set them with [`Center::set_directories`].
    pub fn new(parts: CenterParts) -> Self {
        let CenterParts { calls, live, observer, clock, settings } = parts;
        Self(Arc::new(Inner {
            calls,
            live,
            observer,
            clock,
            settings,
            bells: Bells::default(),
            directories: ArcSwapOption::empty(),
            running: Running::new(),
        }))
    }

    /// Connects the CRMs, in place of those before. Calls that come from now on ask these.
    pub fn set_directories(&self, directories: Directories) {
        self.0.directories.store(Some(Arc::new(directories)));
    }

    /// Whether [`Center::set_directories`] was called: before that a call would get no card.
    pub fn has_directories(&self) -> bool {
        self.0.directories.load().is_some()
    }

    /// Takes one event. When this returns, the event is stored and the panel is told; the look-ups go on by
    /// themselves. Goes on to the end when the future is dropped: a client that hangs up leaves nothing half done.
    ///
    /// # Errors
    /// When the event contradicts what is known or the store fails: nothing of the event is stored then.
    pub async fn handle(&self, origin: Origin, event: CallEvent) -> Result<Handled, CenterError> {
        let kind = event.kind.leads_to();
        let handled = match self.0.running.enter() {
            None => Err(CenterError::ShuttingDown),
            Some(ticket) => {
                let inner = self.0.clone();
                let work = async move { inner.take(&origin, &event, &ticket).await };
                tokio::spawn(work.in_current_span()).await.unwrap_or(Err(CenterError::Broken))
            }
        };
        let outcome = match &handled {
            Ok(Handled { repeated: true, .. }) => "repeated",
            Ok(_) => "stored",
            Err(error) => error.code(),
        };
        self.0.observer.event(kind, outcome);
        handled
    }

    /// Follows the live events of a tenant after the given one; `None` follows from now on.
    pub fn live(&self, tenant: TenantId, after: Option<LiveId>) -> LiveTail {
        LiveTail::new(self.0.live.clone(), &self.0.bells, tenant, after)
    }

    /// The latest calls of a tenant.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recent(&self, tenant: &TenantId, limit: u32) -> Result<RecentView, StoreError> {
        Ok(RecentView::from(&self.0.calls.recent(tenant, limit).await?))
    }

    /// Goes on where a process that ended left off: asks again for calls that are fresh, and tells of the others that
    /// their look-up was interrupted. Call it once, after [`Center::set_directories`]. Says how many look-ups it
    /// started.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(&self) -> Result<usize, StoreError> {
        const BATCH: u32 = 500;
        let Some(ticket) = self.0.running.enter() else { return Ok(0) };
        let now = self.0.clock.now();
        let mut started = 0;
        for snapshot in self.0.calls.unanswered(BATCH).await? {
            let call = &snapshot.call;
            let fresh = call.state != CallState::Ended
                && now.duration_since(call.ringing_at)
                    <= SignedDuration::try_from(self.0.settings.resume_within).unwrap_or(SignedDuration::MAX);
            let number = call.from.as_ref().and_then(|n| stored_number(n.expose()));
            let connected = self.0.directories_of(&call.tenant);
            for plugin in &call.asked {
                if snapshot.findings.iter().any(|f| f.plugin == *plugin) {
                    continue;
                }
                let directory = connected.iter().find(|d| d.plugin() == plugin).filter(|_| fresh);
                if let (Some(directory), Some(number)) = (directory, &number) {
                    let deadline = Instant::now() + self.0.settings.deadline;
                    let ask = LookUp {
                        tenant: call.tenant.clone(),
                        interaction: call.interaction,
                        number: *number,
                        deadline,
                    };
                    pop::spawn(&self.0, directory.clone(), ask, ticket.follow_up());
                    started += 1;
                } else {
                    let answer = Err(Failure::Interrupted);
                    pop::tell(&self.0, &call.tenant, call.interaction, plugin, answer, Duration::ZERO).await;
                }
            }
        }
        Ok(started)
    }

    /// Takes no more events and waits for the look-ups that run. False when the time was up first: what then still
    /// runs is taken up by [`Center::resume`] at the next start.
    pub async fn shutdown(&self, limit: Duration) -> bool {
        self.0.running.finish(limit).await
    }
}

impl Inner {
    fn directories_of(&self, tenant: &TenantId) -> Vec<Arc<dyn Directory>> {
        self.directories.load().as_ref().and_then(|all| all.get(tenant).cloned()).unwrap_or_default()
    }

    async fn take(
        self: &Arc<Self>,
        origin: &Origin,
        event: &CallEvent,
        ticket: &Ticket,
    ) -> Result<Handled, CenterError> {
        let deadline = Instant::now() + self.settings.deadline;
        for _ in 0..ATTEMPTS {
            let known =
                self.calls.situation(&origin.tenant, &origin.source, &event.call_id, &event.event_id).await?;
            if let Some(seen_for) = &known.seen_for {
                let call = known.call.as_ref().filter(|c| c.call_id == *seen_for);
                let Some(call) = call else { return Err(CenterError::EventIdReused) };
                return Ok(Handled { interaction: call.interaction, state: call.state, repeated: true });
            }
            let decided = self.decide(origin, event, known.call.as_ref())?;
            match self.calls.record(&decided.write).await? {
                // Whichever was quicker is now known: read again.
                Recorded::Repeated | Recorded::Conflict => {}
                Recorded::Stored(live) => {
                    let call = &decided.write.call;
                    if let Some(id) = live {
                        self.bells.ring(&call.tenant, id);
                    }
                    tracing::info!(
                        tenant = %call.tenant, source = %call.source, interaction = %call.interaction,
                        state = %call.state, changed = live.is_some(), "call event"
                    );
                    if let Some(number) = decided.look_up {
                        self.look_up(call, &number, deadline, &decided.directories, ticket);
                    }
                    return Ok(Handled {
                        interaction: call.interaction,
                        state: call.state,
                        repeated: live.is_none(),
                    });
                }
            }
        }
        Err(CenterError::Contended)
    }

    fn look_up(
        self: &Arc<Self>,
        call: &Call,
        number: &PhoneNumber,
        deadline: Instant,
        directories: &[Arc<dyn Directory>],
        ticket: &Ticket,
    ) {
        for directory in directories {
            let ask = LookUp {
                tenant: call.tenant.clone(),
                interaction: call.interaction,
                number: *number,
                deadline,
            };
            pop::spawn(self, directory.clone(), ask, ticket.follow_up());
        }
    }

    fn decide(
        &self,
        origin: &Origin,
        event: &CallEvent,
        known: Option<&Call>,
    ) -> Result<Decided, CenterError> {
        let received_at = self.clock.now();
        let row = EventRow {
            event_id: event.event_id.clone(),
            kind: event.kind.leads_to(),
            at: event.at,
            received_at,
        };
        let Some(call) = known else {
            let EventKind::Ringing { from, to, queue } = &event.kind else {
                return Err(CenterError::UnknownCall { kind: event.kind.leads_to() });
            };
            let number = match from {
                Caller::Number(number) => Some(*number),
                Caller::Withheld => None,
            };
            let directories = if number.is_some() { self.directories_of(&origin.tenant) } else { Vec::new() };
            let call = Call {
                tenant: origin.tenant.clone(),
                interaction: new_interaction(received_at),
                source: origin.source.clone(),
                call_id: event.call_id.clone(),
                state: CallState::Ringing,
                from: number.as_ref().map(|n| Clear::new(n.e164())),
                to: to.as_ref().map(|n| Clear::new(n.e164())),
                queue: queue.clone(),
                agent: None,
                cause: None,
                ringing_at: event.at,
                answered_at: None,
                ended_at: None,
                asked: directories.iter().map(|d| d.plugin().clone()).collect(),
                revision: 1,
            };
            let live = Some(call_event(&call)?);
            return Ok(Decided { write: CallWrite { call, event: row, live }, look_up: number, directories });
        };
        let (mut after, live) = match state::apply(call, &event.kind, event.at)? {
            Some(after) => {
                let live = call_event(&after)?;
                (after, Some(live))
            }
            None => (call.clone(), None),
        };
        after.revision = call.revision.saturating_add(1);
        Ok(Decided {
            write: CallWrite { call: after, event: row, live },
            look_up: None,
            directories: Vec::new(),
        })
    }
}

struct Decided {
    write: CallWrite,
    look_up: Option<PhoneNumber>,
    directories: Vec<Arc<dyn Directory>>,
}

fn call_event(call: &Call) -> Result<NewLive, CenterError> {
    let body = serde_json::to_string(&CallView::from(call)).map_err(|_| CenterError::Broken)?;
    Ok(NewLive { kind: "call".to_owned(), interaction: Some(call.interaction), body })
}

/// Time-ordered by when Ramal heard of the call.
fn new_interaction(at: Timestamp) -> InteractionId {
    let since = at.as_duration();
    let seconds = u64::try_from(since.as_secs()).unwrap_or_default();
    let nanos = u32::try_from(since.subsec_nanos()).unwrap_or_default();
    InteractionId(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
}
