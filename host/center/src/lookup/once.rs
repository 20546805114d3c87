//! Asks each question once: whoever asks while it is under way waits for the same answer, whoever asks soon after gets
//! the one that is kept. Failures are told to those who wait and kept for nobody: the next one asks again.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::Standing;
use crate::LookUpFailure;

type Answer<V> = Result<Arc<V>, LookUpFailure>;

/// How a question is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// Under which rights; `None`: under none, so that nothing is kept and nothing that is kept is told.
    pub(super) standing: Option<Standing>,
    /// After this the question itself is given up.
    pub(super) deadline: Instant,
    /// After this the one who asks waits no more.
    pub(super) patience: Instant,
}

/// Answers that are kept and questions that are under way. The values are customers': there is no `Debug`.
pub(super) struct Once<K, V> {
    most: usize,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    kept: HashMap<K, Kept<V>>,
    /// What ends first stands first.
    ends: BTreeMap<(Instant, u64), K>,
    under_way: HashMap<K, UnderWay<V>>,
    next: u64,
}

struct Kept<V> {
    value: Arc<V>,
    standing: Standing,
    ends: (Instant, u64),
}

struct UnderWay<V> {
    id: u64,
    standing: Option<Standing>,
    deadline: Instant,
    answer: watch::Receiver<Option<Answer<V>>>,
}

impl<K, V> Once<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    pub(super) fn new(most: usize) -> Self {
        let (kept, ends, under_way) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Self { most, state: Mutex::new(State { kept, ends, under_way, next: 0 }) }
    }

    /// The answer, and whether it was kept from before. `keep` says for how long a new one is.
    pub(super) async fn get(
        self: &Arc<Self>,
        key: K,
        asked: Asked,
        keep: impl Fn(&V) -> Option<Duration> + Send + 'static,
        question: impl Future<Output = Result<V, LookUpFailure>> + Send + 'static,
    ) -> Result<(Arc<V>, bool), LookUpFailure> {
        let mut answer = {
            let mut state = self.state.lock();
            if let Some(value) = state.known(&key, asked.standing) {
                return Ok((value, true));
            }
            // Nobody joins a question that is being given up.
            let joins =
                |other: &&UnderWay<V>| other.standing == asked.standing && other.deadline > Instant::now();
            let other = state.under_way.get(&key).filter(joins);
            match other.map(|other| other.answer.clone()) {
                Some(answer) => answer,
                None => self.begin(&mut state, key, asked, keep, question),
            }
        };
        let heard = match timeout_at(asked.patience, answer.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => answer.clone(),
            Ok(Err(_)) => None,
            Err(_) => Some(Err(LookUpFailure::Timeout)),
        };
        heard.unwrap_or_else(|| Err(broken())).map(|value| (value, false))
    }

    /// Asks in a task of its own: nobody who stops waiting takes the answer away from the others.
    fn begin(
        self: &Arc<Self>,
        state: &mut State<K, V>,
        key: K,
        asked: Asked,
        keep: impl Fn(&V) -> Option<Duration> + Send + 'static,
        question: impl Future<Output = Result<V, LookUpFailure>> + Send + 'static,
    ) -> watch::Receiver<Option<Answer<V>>> {
        let id = state.number();
        let (tell, answer) = watch::channel(None);
        let Asked { standing, deadline, .. } = asked;
        let other = UnderWay { id, standing, deadline, answer: answer.clone() };
        state.under_way.insert(key.clone(), other);
        let once = Arc::clone(self);
        let ask = async move {
            let answer = until(asked.deadline, question).await.map(Arc::new);
            let keep = answer.as_ref().ok().and_then(|value| Some((Arc::clone(value), keep(value)?)));
            once.state.lock().ended(key, id, asked.standing, keep, once.most);
            // Nobody may be left to hear it.
            let _ = tell.send(Some(answer));
        };
        tokio::spawn(ask.in_current_span());
        answer
    }

    /// Forgets what fits. `None` as the value stands for an answer that is still on its way: who waits for it gets it,
    /// but it is not kept, and whoever asks from now on asks anew.
    pub(super) fn forget(&self, fits: impl Fn(&K, Option<&V>) -> bool) {
        let mut state = self.state.lock();
        state.under_way.retain(|key, _| !fits(key, None));
        let State { kept, ends, .. } = &mut *state;
        kept.retain(|key, entry| {
            let stays = !fits(key, Some(&entry.value));
            if !stays {
                ends.remove(&entry.ends);
            }
            stays
        });
    }

    /// Drops what is over.
    pub(super) fn sweep(&self) {
        self.state.lock().drop_old(Instant::now());
    }
}

impl<K: Clone + Eq + Hash, V> State<K, V> {
    fn number(&mut self) -> u64 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    fn known(&mut self, key: &K, standing: Option<Standing>) -> Option<Arc<V>> {
        let entry = self.kept.get(key)?;
        if Some(entry.standing) == standing && entry.ends.0 > Instant::now() {
            return Some(Arc::clone(&entry.value));
        }
        let ends = entry.ends;
        self.ends.remove(&ends);
        self.kept.remove(key);
        None
    }

    fn ended(
        &mut self,
        key: K,
        id: u64,
        standing: Option<Standing>,
        keep: Option<(Arc<V>, Duration)>,
        most: usize,
    ) {
        // Another one stands there when this one was forgotten, or its rights are over.
        if self.under_way.get(&key).is_none_or(|other| other.id != id) {
            return;
        }
        self.under_way.remove(&key);
        let (Some(standing), Some((value, keep))) = (standing, keep) else { return };
        let now = Instant::now();
        self.drop_old(now);
        let ends = (now + keep, self.number());
        self.ends.insert(ends, key.clone());
        if let Some(before) = self.kept.insert(key, Kept { value, standing, ends }) {
            self.ends.remove(&before.ends);
        }
        while self.kept.len() > most {
            let Some((_, key)) = self.ends.pop_first() else { return };
            self.kept.remove(&key);
        }
    }

    fn drop_old(&mut self, now: Instant) {
        while let Some(first) = self.ends.first_entry() {
            if first.key().0 > now {
                return;
            }
            self.kept.remove(&first.remove());
        }
    }
}

/// Gives the question up at its deadline.
async fn until<V: Send + 'static>(
    deadline: Instant,
    question: impl Future<Output = Result<V, LookUpFailure>> + Send + 'static,
) -> Result<V, LookUpFailure> {
    // A task of its own, so that a panic in there ends there.
    let mut task = tokio::spawn(question.in_current_span());
    match timeout_at(deadline, &mut task).await {
        Ok(answer) => answer.unwrap_or_else(|_| Err(broken())),
        Err(_) => {
            task.abort();
            Err(LookUpFailure::Timeout)
        }
    }
}

fn broken() -> LookUpFailure {
    LookUpFailure::Broken("the look-up stopped without an answer; see the log".to_owned())
}

#[cfg(test)]
mod tests;
