//! A CRM that keeps one record for each key, counts every try, and answers as it is told to.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use ramal_capability::Dedup;
use ramal_store::{CrmRecord, Failure, Leased, Target, TenantId};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::{Courier, Outcome, Rate, Road, Upstream};

/// How it answers one try.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Done,
    /// 500 before anything was done.
    Fails,
    /// 500 after it was done: the answer lies.
    DoneButFails,
    Limited(Option<u64>),
    /// The host's own gate: the CRM never hears of it.
    HeldBack(u64),
    Refuses,
    Expired,
    Denied,
    /// Waits until it is told to go on.
    Holds(Arc<Notify>),
    Panics,
}

/// One try as the CRM saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Try {
    pub(super) key: Uuid,
    pub(super) lane: String,
    pub(super) step: String,
    pub(super) number: u32,
    pub(super) record: Option<CrmRecord>,
}

pub(super) struct FakeCrm {
    pub(super) connected: Mutex<bool>,
    pub(super) rate: Mutex<Rate>,
    pub(super) at_once: Mutex<usize>,
    pub(super) tries: Mutex<Vec<Try>>,
    /// Lane and step of each record, in the order in which they were made.
    pub(super) records: Mutex<Vec<(String, String)>>,
    known: Mutex<HashMap<Uuid, CrmRecord>>,
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    always: Mutex<HashMap<String, Answer>>,
    now: Mutex<HashMap<Uuid, usize>>,
    /// The most tries of one key that ever ran side by side.
    pub(super) side_by_side: Mutex<usize>,
    pub(super) calls: watch::Sender<usize>,
}

impl FakeCrm {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            connected: Mutex::new(true),
            rate: Mutex::new(Rate { every: Duration::from_millis(1), burst: 1000, kept: 0 }),
            at_once: Mutex::new(16),
            tries: Mutex::default(),
            records: Mutex::default(),
            known: Mutex::default(),
            answers: Mutex::default(),
            always: Mutex::default(),
            now: Mutex::default(),
            side_by_side: Mutex::default(),
            calls: watch::Sender::new(0),
        })
    }

    /// The next answers to a lane; when they are used up it says yes.
    pub(super) fn answers(&self, lane: &str, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().entry(lane.to_owned()).or_default().extend(answers);
    }

    /// What a lane is answered for as long as nothing else is said.
    pub(super) fn always(&self, lane: &str, answer: Option<Answer>) {
        let mut always = self.always.lock();
        match answer {
            Some(answer) => always.insert(lane.to_owned(), answer),
            None => always.remove(lane),
        };
    }

    pub(super) fn steps(&self) -> Vec<String> {
        self.tries.lock().iter().map(|t| t.step.clone()).collect()
    }

    pub(super) fn made(&self) -> Vec<String> {
        self.records.lock().iter().map(|(_, step)| step.clone()).collect()
    }

    /// Waits until it was called so often.
    pub(super) async fn called(&self, times: usize) {
        self.calls.subscribe().wait_for(|calls| *calls >= times).await.unwrap();
    }

    /// One record for each key: who comes again with a key gets the record that is there.
    fn apply(&self, job: &Leased) -> CrmRecord {
        let mut known = self.known.lock();
        let id = known.len() + 1;
        let record = known.entry(job.key).or_insert_with(|| {
            self.records.lock().push((job.lane.0.clone(), job.step.0.clone()));
            CrmRecord { kind: "note".to_owned(), id: format!("n-{id}"), url: None }
        });
        record.clone()
    }

    async fn answer(&self, job: &Leased) -> Outcome {
        let lane = &job.lane.0;
        let told = self.answers.lock().get_mut(lane).and_then(VecDeque::pop_front);
        let answer = told.or_else(|| self.always.lock().get(lane).cloned()).unwrap_or(Answer::Done);
        let failure = |code: &str| Failure::new(code, "as the test decided");
        match answer {
            Answer::Done => Outcome::Done(Some(self.apply(job))),
            Answer::Fails => Outcome::Transient(failure("transient")),
            Answer::DoneButFails => {
                self.apply(job);
                Outcome::Transient(failure("transient"))
            }
            Answer::Limited(seconds) => {
                Outcome::RetryAfter(seconds.map(Duration::from_secs), failure("rate-limited"))
            }
            Answer::HeldBack(seconds) => {
                Outcome::Untried(Duration::from_secs(seconds), failure("quarantined"))
            }
            Answer::Refuses => Outcome::Permanent(failure("invalid")),
            Answer::Expired => Outcome::AuthExpired(failure("auth-expired")),
            Answer::Denied => Outcome::Denied(failure("denied")),
            Answer::Holds(go_on) => {
                go_on.notified().await;
                Outcome::Done(Some(self.apply(job)))
            }
            Answer::Panics => panic!("a defect, on purpose"),
        }
    }
}

impl Courier for FakeCrm {
    fn road(&self, tenant: &TenantId, target: &Target) -> Option<Road> {
        self.connected.lock().then(|| Road {
            upstream: Upstream { tenant: tenant.clone(), origin: format!("https://{target}.example") },
            rate: *self.rate.lock(),
            dedup: Dedup::SearchBeforeCreate,
            at_once: *self.at_once.lock(),
        })
    }

    fn deliver<'a>(&'a self, job: &'a Leased) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            self.tries.lock().push(Try {
                key: job.key,
                lane: job.lane.0.clone(),
                step: job.step.0.clone(),
                number: job.tries,
                record: job.record.clone(),
            });
            let running = {
                let mut now = self.now.lock();
                let running = now.entry(job.key).or_default();
                *running += 1;
                *running
            };
            {
                let mut most = self.side_by_side.lock();
                *most = running.max(*most);
            }
            self.calls.send_modify(|calls| *calls += 1);
            let outcome = self.answer(job).await;
            *self.now.lock().entry(job.key).or_default() -= 1;
            outcome
        })
    }
}
