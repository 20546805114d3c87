//! Group commit: one writer takes the changes that wait and commits them together.
//!
//! A durable commit costs a flush of the disk, whether one change is in it or a hundred. So the writer opens a
//! transaction, gives each waiting change a savepoint of its own, and answers all of them after the one commit. Under
//! no load a change is alone and waits for nobody. A change that fails is undone to its savepoint and harms no other;
//! when the commit fails, everyone in it is told so, and nobody was told otherwise before.
//!
//! The file is compiled once for each backend: `super` names its connection and how it begins.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{Conn, ENDS_BY_ITSELF, Held, MIXES_TENANTS, Pool, begin, failed};
use crate::{Fault, StoreError, TenantId};

/// The most changes in one commit: more would make the first one wait.
const MOST: usize = 128;
/// Changes that may wait; whoever brings one more waits to hand it in.
const QUEUE: usize = 1024;

type Work = Box<dyn for<'c> FnOnce(Result<&'c mut Conn, StoreError>) -> BoxFuture<'c, Verdict> + Send>;

/// What became of one change before the commit.
struct Verdict {
    keep: bool,
    // Called when the commit is through, or has failed.
    tell: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

struct Job {
    tenant: TenantId,
    doing: &'static str,
    work: Work,
}

enum Message {
    Job(Job),
    Close(oneshot::Sender<()>),
}

/// Hands changes to the tasks that write them. All changes of a tenant go to the same task, in the order in which
/// they were handed in.
#[derive(Clone)]
pub(crate) struct Writer(Arc<[mpsc::Sender<Message>]>);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the tasks. They end with [`Writer::close`], or when the last handle is gone.
    pub(crate) fn start(pool: Pool, tasks: usize) -> Self {
        let start = |_| {
            let (jobs, waiting) = mpsc::channel(QUEUE);
            tokio::spawn(serve(pool.clone(), waiting));
            jobs
        };
        Self((0..tasks.max(1)).map(start).collect())
    }

    fn task_of(&self, tenant: &TenantId) -> Option<&mpsc::Sender<Message>> {
        let mut hasher = DefaultHasher::new();
        tenant.hash(&mut hasher);
        let tasks = u64::try_from(self.0.len()).unwrap_or(1).max(1);
        self.0.get(usize::try_from(hasher.finish() % tasks).unwrap_or(0))
    }

    /// Runs the work in a transaction and answers when it is committed. An error undoes the work. Goes on to the end
    /// when the future is dropped after it was handed in.
    pub(crate) async fn run<T, E, F>(&self, tenant: &TenantId, doing: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel::<Result<T, E>>();
        let work = boxed(move |conn| {
            async move {
                let result = match conn {
                    // A panic in here must not end the only writer.
                    Ok(conn) => AssertUnwindSafe(work(conn))
                        .catch_unwind()
                        .await
                        .unwrap_or_else(|_| Err(E::from(stopped(doing, Fault::Other)))),
                    Err(error) => Err(E::from(error)),
                };
                match result {
                    Ok(value) => Verdict {
                        keep: true,
                        tell: Box::new(move |committed| {
                            // Nobody may be left to hear it.
                            let _ = tell.send(committed.map(|()| value).map_err(E::from));
                        }),
                    },
                    Err(error) => {
                        Verdict { keep: false, tell: Box::new(move |_| drop(tell.send(Err(error)))) }
                    }
                }
            }
            .boxed()
        });
        let job = Job { tenant: tenant.clone(), doing, work };
        let handed_in = match self.task_of(tenant) {
            Some(task) => task.send(Message::Job(job)).await.is_ok(),
            None => false,
        };
        if !handed_in {
            return Err(E::from(stopped(doing, Fault::Closed)));
        }
        told.await.unwrap_or_else(|_| Err(E::from(stopped(doing, Fault::Closed))))
    }

    /// Commits what waits and ends the tasks.
    pub(crate) async fn close(&self) {
        for task in self.0.iter() {
            let (tell, told) = oneshot::channel();
            if task.send(Message::Close(tell)).await.is_ok() {
                // An error means that the task has ended: what was wanted.
                let _ = told.await;
            }
        }
    }
}

// Gives the closure the lifetime that its type needs.
fn boxed<F>(work: F) -> Work
where
    F: for<'c> FnOnce(Result<&'c mut Conn, StoreError>) -> BoxFuture<'c, Verdict> + Send + 'static,
{
    Box::new(work)
}

fn stopped(doing: &'static str, fault: Fault) -> StoreError {
    StoreError::Failed { doing, fault, source: None }
}

async fn serve(pool: Pool, mut waiting: mpsc::Receiver<Message>) {
    // What could not join the batch before.
    let mut ready: VecDeque<Job> = VecDeque::new();
    let mut closing = None;
    loop {
        if ready.is_empty() {
            if closing.is_some() {
                break;
            }
            match waiting.recv().await {
                Some(Message::Job(job)) => ready.push_back(job),
                Some(Message::Close(tell)) => {
                    closing = Some(tell);
                    waiting.close();
                }
                None => break,
            }
        }
        while ready.len() < MOST {
            match waiting.try_recv() {
                Ok(Message::Job(job)) => ready.push_back(job),
                Ok(Message::Close(tell)) => {
                    closing = Some(tell);
                    waiting.close();
                }
                Err(_) => break,
            }
        }
        commit(&pool, take_batch(&mut ready), &mut ready).await;
    }
    if let Some(tell) = closing {
        let _ = tell.send(());
    }
}

/// The changes that may share a transaction, from the front.
fn take_batch(ready: &mut VecDeque<Job>) -> VecDeque<Job> {
    let Some(first) = ready.front().map(|job| job.tenant.clone()) else { return VecDeque::new() };
    let together = |job: &Job| MIXES_TENANTS || job.tenant == first;
    let (batch, rest) = ready.drain(..).partition(together);
    *ready = rest;
    batch
}

/// Runs a batch in one transaction. What was not even tried because the transaction broke goes back to `ready`.
///
/// The transaction's statements are written out: a full disk makes SQLite end a transaction by itself, which a guard
/// that counts them would not see, and no later one could begin on the connection.
async fn commit(pool: &Pool, mut batch: VecDeque<Job>, ready: &mut VecDeque<Job>) {
    let Some((tenant, doing)) = batch.front().map(|job| (job.tenant.clone(), job.doing)) else { return };
    let mut conn = match begin(pool, &tenant).await {
        Ok(conn) => conn,
        Err(error) => {
            let error = failed(doing, error);
            for job in batch {
                let told = again(&error, job.doing);
                ((job.work)(Err(told)).await.tell)(Ok(()));
            }
            return;
        }
    };
    let alone = batch.len() == 1;
    let mut kept = Vec::with_capacity(batch.len());
    let mut refused = None;
    let mut broken: Option<StoreError> = None;
    while let Some(job) = batch.pop_front() {
        if !alone && let Err(error) = run(&mut conn, "SAVEPOINT change").await {
            broken = Some(failed(job.doing, error));
            batch.push_front(job);
            break;
        }
        let verdict = (job.work)(Ok(&mut *conn)).await;
        let closed = match (alone, verdict.keep) {
            (true, _) => Ok(()),
            (false, true) => run(&mut conn, "RELEASE SAVEPOINT change").await,
            (false, false) => match run(&mut conn, "ROLLBACK TO SAVEPOINT change").await {
                Ok(()) => run(&mut conn, "RELEASE SAVEPOINT change").await,
                Err(error) => Err(error),
            },
        };
        if verdict.keep {
            kept.push((job.doing, verdict.tell));
        } else if alone {
            // Told when it is undone: who tries again at once must not meet it.
            refused = Some(verdict.tell);
        } else {
            (verdict.tell)(Ok(()));
        }
        // A full disk may have undone the whole transaction: then the savepoint is gone, and with it the work of all.
        // Whose change it was has been told why; the others may be fine at the next try.
        if let Err(error) = closed {
            let source = Some(Box::new(error) as _);
            broken = Some(StoreError::Failed { doing: job.doing, fault: Fault::Undone, source });
            break;
        }
    }
    let committed = match broken {
        None if kept.is_empty() => {
            undo(&mut conn).await;
            Ok(())
        }
        None => match run(&mut conn, "COMMIT").await {
            Ok(()) => Ok(()),
            Err(error) => {
                undo(&mut conn).await;
                Err(failed(doing, error))
            }
        },
        Some(error) => {
            undo(&mut conn).await;
            Err(error)
        }
    };
    drop(conn);
    if let Some(tell) = refused {
        tell(Ok(()));
    }
    for (doing, tell) in kept {
        tell(match &committed {
            Ok(()) => Ok(()),
            Err(error) => Err(again(error, doing)),
        });
    }
    // In front: they came before what is there.
    batch.append(ready);
    *ready = batch;
}

async fn run(conn: &mut Conn, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(conn).await.map(|_| ())
}

/// Ends the transaction without its changes.
async fn undo(conn: &mut Held) {
    // SQLite may have ended it already, and says so. A connection of which nothing is known is given to nobody.
    if run(conn, "ROLLBACK").await.is_err() && !ENDS_BY_ITSELF {
        conn.close_on_drop();
    }
}

/// The same failure for another change of the batch: the database's words can be told only once as an error value.
fn again(error: &StoreError, doing: &'static str) -> StoreError {
    let source = std::error::Error::source(error).map(|source| source.to_string().into());
    StoreError::Failed { doing, fault: error.fault(), source }
}
