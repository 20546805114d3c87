//! The center itself: takes events, keeps the interactions, starts the look-ups, hands out the live events.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use ramal_numbers::PhoneNumber;
use ramal_store::{
    ContactIdentity, EventRecord, Filter, Interaction, InteractionId, InteractionState, InteractionStore,
    InteractionWrite, LiveId, LiveStore, Message, NewLive, Page, PageCursor, Snapshot, TenantId,
};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use crate::journal::{self, Due, JournalRules};
use crate::live::Bells;
use crate::lookup::{Agents, LookUps};
use crate::number::customers_number;
use crate::pop;
use crate::running::{Running, Ticket};
use crate::view::{Failure, RecentView};
use crate::webhook;
use crate::{
    Agent, Ambiguity, CallEvent, CenterError, Clock, CrmPerson, Directory, Forget, Handled, LiveTail, LookUp,
    Observer, Origin, PluginId, Reaping, Remember, StoreError,
};

/// The connected CRMs of each tenant.
pub type Directories = HashMap<TenantId, Vec<Arc<dyn Directory>>>;
/// What the CRMs and webhooks of each tenant are told.
pub type Journals = HashMap<TenantId, JournalRules>;

/// What a tenant wants done with what look-ups find.
#[derive(Debug, Clone, Default)]
pub struct LookUpRules {
    /// When several contacts have the number.
    pub ambiguous: Ambiguity,
    /// Who is who, for routing and for [`Ambiguity::Owner`].
    pub agents: Vec<Agent>,
}

/// The same, ready for use.
#[derive(Clone, Default)]
pub(crate) struct ReadyRules {
    pub(crate) ambiguous: Ambiguity,
    pub(crate) agents: Agents,
}

/// How often a change is decided anew when another one of the same interaction was quicker.
pub(crate) const ATTEMPTS: u32 = 16;
/// Messages of a day that its account holds: the last ones.
const MOST_MESSAGES: u32 = 5000;

/// Limits of the screen pop and of conversations.
#[derive(Debug, Clone)]
pub struct CenterSettings {
    /// How long all look-ups of a call may take, from the event on.
    pub deadline: Duration,
    /// After a restart a call that began to ring within this time is looked up again.
    pub resume_within: Duration,
    /// A conversation in which nobody wrote for this long is over.
    pub idle: Duration,
    /// How long a dialplan waits for an answer, from its question on.
    pub route_deadline: Duration,
    /// How answers of CRMs are kept.
    pub remember: Remember,
    /// When a call that its provider forgot is ended.
    pub reaping: Reaping,
}

impl Default for CenterSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(3),
            resume_within: Duration::from_secs(60),
            // As long as WhatsApp lets a company answer freely.
            idle: Duration::from_hours(24),
            // Who waits for it hears nothing yet, not even ringing.
            route_deadline: Duration::from_millis(300),
            remember: Remember::default(),
            reaping: Reaping::default(),
        }
    }
}

/// What a center is made of.
pub struct CenterParts {
    /// Where interactions are kept.
    pub interactions: Arc<dyn InteractionStore>,
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
    pub(crate) interactions: Arc<dyn InteractionStore>,
    pub(crate) live: Arc<dyn LiveStore>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bells: Bells,
    pub(crate) settings: CenterSettings,
    directories: ArcSwapOption<Directories>,
    /// Shared: each event takes its tenant's, whose list of lines that nobody is told may be long.
    journals: ArcSwap<HashMap<TenantId, Arc<JournalRules>>>,
    rules: ArcSwap<HashMap<TenantId, Arc<ReadyRules>>>,
    pub(crate) look_ups: LookUps,
    pub(crate) running: Running,
}

/// The center. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Center(pub(crate) Arc<Inner>);

impl fmt::Debug for Center {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Center").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Center {
    /// A center without directories: set them with [`Center::set_directories`].
    pub fn new(parts: CenterParts) -> Self {
        let CenterParts { interactions, live, observer, clock, settings } = parts;
        Self(Arc::new(Inner {
            interactions,
            live,
            observer,
            clock,
            look_ups: LookUps::new(settings.remember),
            settings,
            bells: Bells::default(),
            directories: ArcSwapOption::empty(),
            journals: ArcSwap::default(),
            rules: ArcSwap::default(),
            running: Running::new(),
        }))
    }

    /// Connects the CRMs, in place of those before. Calls that come from now on ask these.
    pub fn set_directories(&self, directories: Directories) {
        self.0.directories.store(Some(Arc::new(directories)));
        self.0.look_ups.forget_everything();
    }

    /// Says what is done with what look-ups find, in place of what was said before. A tenant that is not named has
    /// the usual rules.
    pub fn set_look_up_rules(&self, rules: HashMap<TenantId, LookUpRules>) {
        let ready = rules.into_iter().map(|(tenant, LookUpRules { ambiguous, agents })| {
            (tenant, Arc::new(ReadyRules { ambiguous, agents: Agents::new(&agents) }))
        });
        self.0.rules.store(Arc::new(ready.collect()));
    }

    /// Forgets what a plugin answered, because the CRM says that it changed. Whoever asks from now on gets what the
    /// CRM says then, also when a question is under way at this moment. A grant that ends or changes needs no call:
    /// [`Directory::standing`] tells.
    pub fn forget_contact(&self, tenant: &TenantId, plugin: &PluginId, what: &Forget) {
        self.0.look_ups.forget(tenant, plugin, what);
        tracing::debug!(%tenant, %plugin, ?what, "answers forgotten");
    }

    /// Says what the CRMs are told, in place of what was said before. What ends from now on is told by these rules.
    pub fn set_journals(&self, journals: Journals) {
        let shared = journals.into_iter().map(|(tenant, rules)| (tenant, Arc::new(rules)));
        self.0.journals.store(Arc::new(shared.collect()));
    }

    /// Whether [`Center::set_directories`] was called: before that a call would get no card.
    pub fn has_directories(&self) -> bool {
        self.0.directories.load().is_some()
    }

    /// Takes one event of a call. When this returns, the event is stored and the panel is told; the look-ups go on by
    /// themselves. Goes on to the end when the future is dropped: a client that hangs up leaves nothing half done.
    ///
    /// # Errors
    /// When the event contradicts what is known or the store fails: nothing of the event is stored then.
    pub async fn handle(&self, origin: Origin, event: CallEvent) -> Result<Handled, CenterError> {
        let kind = event.kind.word();
        self.to_the_end(
            kind,
            move |inner, ticket| async move { inner.take_call(&origin, &event, &ticket).await },
        )
        .await
    }

    /// Runs work to its end, also when the future is dropped, and counts its outcome.
    pub(crate) async fn to_the_end<F, W>(&self, kind: &'static str, work: F) -> Result<Handled, CenterError>
    where
        F: FnOnce(Arc<Inner>, Ticket) -> W,
        W: Future<Output = Result<Handled, CenterError>> + Send + 'static,
    {
        let handled = match self.0.running.enter() {
            None => Err(CenterError::ShuttingDown),
            Some(ticket) => {
                let work = work(self.0.clone(), ticket);
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

    // === reading ===

    /// Follows the live events of a tenant after the given one; `None` follows from now on.
    pub fn live(&self, tenant: TenantId, after: Option<LiveId>) -> LiveTail {
        LiveTail::new(self.0.live.clone(), &self.0.bells, tenant, after)
    }

    /// The latest calls of a tenant.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recent(&self, tenant: &TenantId, limit: u32) -> Result<RecentView, StoreError> {
        Ok(RecentView::from(&self.0.interactions.recent(tenant, limit).await?))
    }

    /// One call or conversation with what was found for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn interaction(
        &self,
        tenant: &TenantId,
        id: InteractionId,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.0.interactions.interaction(tenant, id).await
    }

    /// What happened to one call or conversation, in order: at most so many events after a number, 0 for all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn history(
        &self,
        tenant: &TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        self.0.interactions.history(tenant, id, after, limit).await
    }

    /// The messages of one conversation, in order: at most so many after an event's number, 0 for all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn messages(
        &self,
        tenant: &TenantId,
        id: InteractionId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        self.0.interactions.messages(tenant, id, after, limit).await
    }

    /// What happened with one customer on all channels, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn timeline(
        &self,
        tenant: &TenantId,
        contact: &ContactIdentity,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Result<Page<Interaction>, StoreError> {
        self.0.interactions.timeline(tenant, contact, before, limit).await
    }

    /// The calls and conversations that fit, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        before: Option<PageCursor>,
        limit: u32,
    ) -> Result<Page<Interaction>, StoreError> {
        self.0.interactions.list(tenant, filter, before, limit).await
    }

    /// Tells the panel of something that is about no interaction; `body` is one JSON object.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn announce(&self, tenant: &TenantId, kind: &str, body: String) -> Result<(), StoreError> {
        let news = NewLive { kind: kind.to_owned(), interaction: None, body };
        let id = self.0.live.tell(tenant, news, self.0.clock.now()).await?;
        self.0.told(tenant, Some(id));
        Ok(())
    }

    // === starting and stopping ===

    /// Goes on where a process that ended left off: asks again for calls that are fresh, and tells of the others that
    /// their look-up was interrupted. Call it once, after [`Center::set_directories`] and [`Center::set_journals`].
    /// Says how many look-ups it started.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(&self) -> Result<usize, StoreError> {
        const BATCH: u32 = 500;
        let Some(ticket) = self.0.running.enter() else { return Ok(0) };
        let mut started = 0;
        for tenant in self.0.tenants() {
            for snapshot in self.0.interactions.unanswered(&tenant, BATCH).await? {
                started += self.0.resume_call(&snapshot, &ticket).await;
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
    pub(crate) fn directories_of(&self, tenant: &TenantId) -> Vec<Arc<dyn Directory>> {
        self.directories.load().as_ref().and_then(|all| all.get(tenant).cloned()).unwrap_or_default()
    }

    pub(crate) fn rules_of(&self, tenant: &TenantId) -> Arc<JournalRules> {
        self.journals.load().get(tenant).cloned().unwrap_or_default()
    }

    pub(crate) fn look_up_rules(&self, tenant: &TenantId) -> Arc<ReadyRules> {
        self.rules.load().get(tenant).cloned().unwrap_or_default()
    }

    /// The users of one CRM; nobody when it does not tell.
    pub(crate) async fn people_of(
        &self,
        tenant: &TenantId,
        plugin: &PluginId,
        deadline: Instant,
        patience: Instant,
    ) -> Arc<Vec<CrmPerson>> {
        let directories = self.directories_of(tenant);
        let Some(directory) = directories.iter().find(|d| d.plugin() == plugin) else {
            return Arc::default();
        };
        let people = self.look_ups.people(directory, tenant, deadline, patience).await;
        people.unwrap_or_else(|failure| {
            tracing::debug!(%tenant, %plugin, %failure, "the CRM's users are not known");
            Arc::default()
        })
    }

    /// The tenants that are configured.
    pub(crate) fn tenants(&self) -> BTreeSet<TenantId> {
        let directories = self.directories.load();
        let connected = directories.iter().flat_map(|all| all.keys().cloned());
        connected.chain(self.journals.load().keys().cloned()).collect()
    }

    /// Adds to a change what the CRMs and webhooks are to be told of it.
    pub(crate) async fn with_deliveries(&self, write: &mut InteractionWrite) -> Result<(), StoreError> {
        let rules = self.rules_of(write.tenant());
        let due = journal::due(write, &rules);
        self.with_due(write, &due, &rules).await
    }

    /// Adds to a change what is due, and what webhooks are to be told of it.
    pub(crate) async fn with_due(
        &self,
        write: &mut InteractionWrite,
        due: &[Due],
        rules: &JournalRules,
    ) -> Result<(), StoreError> {
        for event in journal::kept_back(write.after(), due, write.at) {
            // Its write has begun the interaction already.
            let _ = write.and_then(event);
        }
        write.outbox = webhook::deliveries(write, rules);
        let mut messages = Vec::new();
        for day in due.iter().filter_map(|d| d.day).collect::<BTreeSet<_>>() {
            messages.extend(self.messages_of(write, day, &rules.zone).await?);
        }
        write.outbox.extend(journal::deliveries(write.after(), due, &messages, rules, write.at));
        Ok(())
    }

    /// What was written on one day, with what this change adds to it.
    async fn messages_of(
        &self,
        write: &InteractionWrite,
        day: Date,
        zone: &TimeZone,
    ) -> Result<Vec<Message>, StoreError> {
        let start = |day: Date| day.to_zoned_datetime(zone.clone()).map(|start| start.timestamp());
        let from = start(day).unwrap_or(Timestamp::MIN);
        let until = day.tomorrow().and_then(start).unwrap_or(Timestamp::MAX);
        let (tenant, id) = (write.tenant(), write.id());
        let mut messages = self.interactions.messages_between(tenant, id, from, until, MOST_MESSAGES).await?;
        messages.retain(|m| !write.messages().iter().any(|new| new.id == m.id));
        messages.extend(write.messages().iter().filter(|m| m.at >= from && m.at < until).cloned());
        Ok(messages)
    }

    /// Rings the bell for what was stored.
    pub(crate) fn told(&self, tenant: &TenantId, live: Option<LiveId>) {
        if let Some(id) = live {
            self.bells.ring(tenant, id);
        }
    }

    pub(crate) fn look_up(
        self: &Arc<Self>,
        tenant: &TenantId,
        interaction: InteractionId,
        number: &PhoneNumber,
        deadline: Instant,
        directories: &[Arc<dyn Directory>],
        ticket: &Ticket,
    ) {
        for directory in directories {
            let ask = LookUp { tenant: tenant.clone(), interaction, number: *number, deadline };
            pop::spawn(self, directory.clone(), ask, ticket.follow_up());
        }
    }

    async fn resume_call(self: &Arc<Self>, snapshot: &Snapshot, ticket: &Ticket) -> usize {
        let call = &snapshot.interaction;
        let within = SignedDuration::try_from(self.settings.resume_within).unwrap_or(SignedDuration::MAX);
        let fresh = call.state != InteractionState::Ended
            && self.clock.now().duration_since(call.started_at) <= within;
        let number = customers_number(&call.contacts);
        let connected = self.directories_of(&call.tenant);
        let mut started = 0;
        for plugin in &call.asked {
            if snapshot.findings.iter().any(|f| f.plugin == *plugin) {
                continue;
            }
            let directory = connected.iter().find(|d| d.plugin() == plugin).filter(|_| fresh);
            if let (Some(directory), Some(number)) = (directory, &number) {
                let deadline = Instant::now() + self.settings.deadline;
                self.look_up(
                    &call.tenant,
                    call.id,
                    number,
                    deadline,
                    std::slice::from_ref(directory),
                    ticket,
                );
                started += 1;
            } else {
                let answer = Err(Failure::Interrupted);
                pop::tell(self, &call.tenant, call.id, plugin, answer, Duration::ZERO).await;
            }
        }
        started
    }
}

/// Time-ordered by when Ramal heard of it.
pub(crate) fn time_ordered(at: Timestamp) -> Uuid {
    let since = at.as_duration();
    let seconds = u64::try_from(since.as_secs()).unwrap_or_default();
    let nanos = u32::try_from(since.subsec_nanos()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}
