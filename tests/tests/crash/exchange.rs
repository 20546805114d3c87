//! The other end: an exchange with several lines that tells of calls, an agent's notes and dispositions among it, and
//! sends again what was not acknowledged.
//!
//! It remembers what it was told was stored. That is the promise that the tests hold the host to. Numbers and calls
//! are invented.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::sync::watch;

use crate::http::{Api, Broken, Reply};
use crate::process::SOURCE;

/// Calls that are told of at once.
const LINES: usize = 12;
/// Different customers that call one host: some call again, so that lanes have more than one entry.
const CUSTOMERS: usize = 4000;
/// Of so many calls one has notes, and one a disposition.
const NOTES: usize = 3;
const DISPOSITIONS: usize = 4;
/// Before an event is sent again that the host could not store.
const AGAIN: Duration = Duration::from_millis(20);

/// What is told of a call, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Ringing,
    /// Where somebody must say who calls.
    Contact,
    Answered,
    /// While the call goes on: a part of the first account.
    Notes,
    Ended,
    /// When the CRM may know of the call already: a change of its entry.
    Disposition,
}

/// One call, as far as it was told.
#[derive(Debug, Clone)]
struct Call {
    number: usize,
    answered: bool,
    /// Who calls, where that must be said.
    contact: Option<String>,
    /// Ramal's identifier, once it has said it.
    interaction: Option<String>,
    /// Steps that were acknowledged.
    told: usize,
}

impl Call {
    fn id(&self) -> String {
        format!("call-{}", self.number)
    }
    fn steps(&self) -> impl Iterator<Item = Step> {
        let (answered, noted) = (self.answered, self.number.is_multiple_of(NOTES));
        let (disposed, chosen) = (self.number.is_multiple_of(DISPOSITIONS), self.contact.is_some());
        [Step::Ringing, Step::Contact, Step::Answered, Step::Notes, Step::Ended, Step::Disposition]
            .into_iter()
            .filter(move |step| match step {
                Step::Ringing | Step::Ended => true,
                Step::Contact => chosen,
                Step::Answered => answered,
                Step::Notes => noted,
                Step::Disposition => disposed,
            })
    }
    /// What is to be told next.
    fn next(&self) -> Option<Step> {
        self.steps().nth(self.told)
    }
    /// By which a repetition is known.
    fn key(&self, step: Step) -> String {
        format!("{}-{step:?}", self.id())
    }
    /// Shows to whom it belongs, and who reads it is nobody.
    fn words(&self, step: Step) -> String {
        format!("{step:?} of {}", self.id())
    }
}

/// What the exchange knows of a call when all is over.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The events that were acknowledged, by their ids.
    pub(crate) events: HashSet<String>,
    /// Somebody said who calls.
    pub(crate) contact: bool,
    /// The notes and the disposition that were acknowledged, as words.
    pub(crate) notes: Option<String>,
    pub(crate) disposition: Option<String>,
    /// When the call began, in milliseconds: no two calls have the same.
    pub(crate) started_ms: i64,
    /// Who called.
    pub(crate) number: String,
}

/// Counts over all lives of a host.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: AtomicUsize,
    pub(crate) repeated: AtomicUsize,
    pub(crate) broken: AtomicUsize,
}

/// An exchange that tells one host of calls.
pub(crate) struct Exchange {
    prefix: usize,
    begun: Timestamp,
    lines: Vec<Option<(Call, StdRng)>>,
    shared: Arc<Shared>,
}

struct Shared {
    dice: Mutex<StdRng>,
    next: AtomicUsize,
    most: AtomicUsize,
    contacts: Vec<String>,
    told: Mutex<HashMap<String, Told>>,
    counts: Counts,
    in_flight: AtomicUsize,
    progress: watch::Sender<usize>,
    refused: watch::Sender<usize>,
    /// Seconds by which the exchange's clock is off, with the host's.
    clock: AtomicI64,
    /// The clocks were moved, and not in the same instant.
    moved: AtomicBool,
}

/// The number of one customer.
pub(crate) fn number_of(prefix: usize, customer: usize) -> String {
    format!("+551198{prefix}{:06}", 100_000 + customer)
}

/// What happens at one sending.
enum Sent {
    /// Of which interaction.
    Acknowledged(String),
    NotStored,
    Dead,
}

impl Exchange {
    /// An exchange whose numbers have the digit `prefix`, 0 to 9, in their place.
    pub(crate) fn new(prefix: usize, seed: u64) -> Self {
        Self::of(prefix, seed, Vec::new())
    }

    /// The same, whose callers are these contacts of the CRM, one after the other: somebody says so in each call.
    pub(crate) fn of(prefix: usize, seed: u64, contacts: Vec<String>) -> Self {
        let shared = Shared {
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            next: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
            contacts,
            told: Mutex::default(),
            counts: Counts::default(),
            in_flight: AtomicUsize::new(0),
            progress: watch::Sender::new(0),
            refused: watch::Sender::new(0),
            clock: AtomicI64::new(0),
            moved: AtomicBool::new(false),
        };
        // All calls began in the last hours, a millisecond apart.
        let begun = Timestamp::from_second(Timestamp::now().as_second() - 3 * 3600).unwrap();
        Self { prefix, begun, lines: (0..LINES).map(|_| None).collect(), shared: Arc::new(shared) }
    }

    /// Requests that wait for their answer now.
    pub(crate) fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.shared.counts
    }

    /// Both clocks are off by so many seconds from now on.
    pub(crate) fn set_clock(&self, seconds: i64) {
        self.shared.clock.store(seconds, Ordering::SeqCst);
    }

    /// The clocks are going to be moved: a signature may be of another time than the host's.
    pub(crate) fn clocks_differ(&self) {
        self.shared.moved.store(true, Ordering::SeqCst);
    }

    /// Events that were refused so far.
    pub(crate) fn refused(&self) -> usize {
        *self.shared.refused.borrow()
    }

    /// Waits until so many events were refused.
    pub(crate) async fn refused_at_least(&self, events: usize) {
        self.shared.refused.subscribe().wait_for(|refused| *refused >= events).await.unwrap();
    }

    /// Begins no more calls.
    pub(crate) fn begin_no_more(&self) {
        self.shared.most.store(0, Ordering::SeqCst);
    }

    /// What was told so far.
    pub(crate) fn told(&self) -> HashMap<String, Told> {
        self.shared.told.lock().clone()
    }

    /// Tells the host of calls on all lines until it is dead or there is nothing more to tell. Hand in the progress:
    /// see [`Burst::acknowledged`].
    pub(crate) fn burst(&mut self, api: &Api) -> Burst {
        let progress = self.shared.progress.subscribe();
        let from = *progress.borrow();
        let tasks = self
            .lines
            .iter_mut()
            .map(|line| {
                let (api, shared, left) = (api.clone(), Arc::clone(&self.shared), line.take());
                let (prefix, begun) = (self.prefix, self.begun);
                tokio::spawn(async move { shared.line(&api, prefix, begun, left).await })
            })
            .collect();
        Burst { tasks, progress, from }
    }

    /// Waits until every line has ended, and keeps what each was at.
    pub(crate) async fn hang_up(&mut self, burst: Burst) {
        for (line, task) in self.lines.iter_mut().zip(burst.tasks) {
            *line = task.await.unwrap();
        }
    }

    /// Whether a line is in the middle of a call.
    pub(crate) fn is_busy(&self) -> bool {
        self.lines.iter().any(Option::is_some)
    }
}

/// Lines at work.
pub(crate) struct Burst {
    tasks: Vec<tokio::task::JoinHandle<Option<(Call, StdRng)>>>,
    progress: watch::Receiver<usize>,
    from: usize,
}

impl Burst {
    /// Waits until so many events of this burst were acknowledged.
    pub(crate) async fn acknowledged(&mut self, events: usize) {
        let until = self.from + events;
        self.progress.wait_for(|done| *done >= until).await.unwrap();
    }

    /// From here on count anew.
    pub(crate) fn count_anew(&mut self) {
        self.from = *self.progress.borrow();
    }
}

impl Shared {
    fn begin(&self) -> Option<(Call, StdRng)> {
        if self.most.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let mut dice = StdRng::seed_from_u64(self.dice.lock().random());
        let answered = dice.random_bool(0.7);
        let contact = self.contacts.get(number % self.contacts.len().max(1)).cloned();
        Some((Call { number, answered, contact, interaction: None, told: 0 }, dice))
    }

    async fn line(
        &self,
        api: &Api,
        prefix: usize,
        begun: Timestamp,
        mut left: Option<(Call, StdRng)>,
    ) -> Option<(Call, StdRng)> {
        loop {
            let (mut call, mut dice) = left.take().or_else(|| self.begin())?;
            while let Some(step) = call.next() {
                match self.send(api, prefix, begun, &call, step).await {
                    Sent::Acknowledged(interaction) => {
                        call.told += 1;
                        call.interaction = Some(interaction);
                        // Providers repeat themselves.
                        if dice.random_bool(0.05)
                            && let Sent::Dead = self.send(api, prefix, begun, &call, step).await
                        {
                            return Some((call, dice));
                        }
                    }
                    Sent::NotStored => tokio::time::sleep(AGAIN).await,
                    Sent::Dead => return Some((call, dice)),
                }
            }
        }
    }

    async fn send(&self, api: &Api, prefix: usize, begun: Timestamp, call: &Call, step: Step) -> Sent {
        let customers = if self.contacts.is_empty() { CUSTOMERS } else { self.contacts.len() };
        let from = number_of(prefix, call.number % customers);
        let started_ms = begun.as_millisecond() + i64::try_from(call.number).unwrap();
        let event = |kind: &str, after: i64, name: &str, value: &str| {
            let at = Timestamp::from_millisecond(started_ms + after).unwrap().to_string();
            let clock = Timestamp::now().as_second() + self.clock.load(Ordering::SeqCst);
            let key = call.key(step);
            let body = json!({ "event_id": key, "call_id": call.id(), "type": kind, "at": at, name: value });
            async move { api.event(SOURCE, clock, &body.to_string()).await }
        };
        let put = async |what: &str| {
            let id = call.interaction.as_deref().unwrap();
            let body = match &call.contact {
                Some(contact) if step == Step::Contact => json!({ "plugin": "tryton", "contact": contact }),
                _ => json!({ what: call.words(step) }),
            };
            api.put(&format!("/v1/interactions/{id}/{what}"), &call.key(step), &body).await
        };
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let answer = match step {
            Step::Ringing => event("ringing", 0, "from", &from).await,
            Step::Contact => put("contact").await,
            Step::Answered => event("answered", 4_000, "agent", "Bruna (invented)").await,
            Step::Notes => put("notes").await,
            Step::Ended if call.answered => event("ended", 60_000, "cause", "completed").await,
            Step::Ended => event("ended", 60_000, "cause", "missed").await,
            Step::Disposition => put("disposition").await,
        };
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        match answer {
            Ok(reply) if reply.status.is_success() => {
                let said = reply.json();
                if said["repeated"] == true {
                    self.counts.repeated.fetch_add(1, Ordering::SeqCst);
                }
                self.counts.acknowledged.fetch_add(1, Ordering::SeqCst);
                let mut told = self.told.lock();
                let of_call = told.entry(call.id()).or_insert_with(|| Told {
                    events: HashSet::new(),
                    contact: false,
                    notes: None,
                    disposition: None,
                    started_ms,
                    number: from.clone(),
                });
                match step {
                    Step::Contact => of_call.contact = true,
                    Step::Notes => of_call.notes = Some(call.words(step)),
                    Step::Disposition => of_call.disposition = Some(call.words(step)),
                    Step::Ringing | Step::Answered | Step::Ended => {
                        // A second time where it repeats itself.
                        let _ = of_call.events.insert(call.key(step));
                    }
                }
                self.progress.send_modify(|done| *done += 1);
                Sent::Acknowledged(said["interaction"].as_str().unwrap().to_owned())
            }
            Ok(reply) => {
                let late = self.moved.load(Ordering::SeqCst) && reply.json()["code"] == "signature-expired";
                if !late {
                    is_an_honest_refusal(&reply);
                }
                self.refused.send_modify(|refused| *refused += 1);
                Sent::NotStored
            }
            Err(Broken) => {
                self.counts.broken.fetch_add(1, Ordering::SeqCst);
                Sent::Dead
            }
        }
    }
}

/// What could not be stored is said to be so, and when to come again.
fn is_an_honest_refusal(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text);
    assert_eq!(reply.kind, "application/problem+json", "{}", reply.text);
    assert!(reply.retry_after.is_some_and(|seconds| seconds > 0), "{}", reply.text);
    assert!(!reply.text.contains("+5511"), "{}", reply.text);
}
