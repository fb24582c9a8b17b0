//! The single database writer, with group commit.
//!
//! Every change of the database is a *unit*, or an incoming event. The writer applies up to [`GROUP`] waiting ones in
//! one transaction (events that request nothing go in a transaction of their own, see `bulk_insert`) and replies
//! to each after the commit. If one fails or panics, all are rolled back and each is applied again alone, so that a
//! bad one fails alone. A unit must therefore be repeatable.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::model::Mint;
use crate::store::accept::{self, Accept, Stored};
use crate::store::database_files::DatabaseFiles;
use crate::store::engine::sqlite::bulk_insert::{self, BatchError};
use crate::store::error::WriterHealth;
use crate::store::sql::Tx;
use crate::store::unit::Unit;
use crate::store::wal::Wal;
use crate::store::{Error, HintSender, Result};

/// Number of units that share one commit. Measured: 64 gives nearly all of the gain, 256 only adds latency.
const GROUP: usize = 64;
/// Capacity of the queue. When it is full, [`Writer::submit`] waits, and fails after [`PATIENCE`].
const QUEUE: usize = 1024;
/// How long a unit may wait for a place in the queue.
const PATIENCE: Duration = Duration::from_secs(5);
/// Handle that submits work to the writer.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    clock: Clock,
}

enum Job {
    Accept(Box<Accept>),
    Other(Box<dyn Work>),
    /// The last job: jobs before it are committed, jobs after it are not.
    Stop(oneshot::Sender<()>),
}

/// The files and connections that the writer needs.
pub(super) struct Files {
    pub(super) tx: Tx,
    pub(super) wal: Wal,
    pub(super) database_files: Arc<DatabaseFiles>,
}

/// State of the writer task.
pub(super) struct WriterState {
    tx: Tx,
    database_files: Arc<DatabaseFiles>,
    clock: Clock,
    /// Committed groups whose senders still need their reply.
    settled: mpsc::UnboundedSender<accept::AcceptedGroup>,
    telling: JoinHandle<()>,
    wal: Wal,
    health: WriterHealth,
}

impl WriterState {
    /// Creates the state of one database's writer. Hints for new deliveries go to `hints`.
    pub(super) fn new(files: Files, clock: Clock, hints: HintSender, health: WriterHealth) -> Self {
        let Files { tx, wal, database_files } = files;
        let (settled, groups) = mpsc::unbounded_channel();
        let telling = tokio::spawn(accept::tell(groups, hints));
        Self { tx, database_files, clock, settled, telling, wal, health }
    }
}

impl Writer {
    /// Starts the writer on a thread of its own: as a task among those of the requests, each of its steps would wait
    /// for them, and they for it. It ends on `stop`, or when no handle is left.
    pub(super) fn start(state: WriterState) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let clock = state.clock.clone();
        let runtime = Handle::current();
        std::thread::spawn(move || runtime.block_on(run(state, jobs)));
        Self { queue, clock }
    }

    /// Submits `unit`; returns after its commit.
    pub(super) async fn submit<U: Unit>(&self, unit: U) -> Result<U::Output> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Other(Box::new(PendingUnit { unit, output: None, reply }))).await?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Submits `unit` without waiting for it. It is dropped if the queue is full: for what may be lost.
    pub(super) fn post<U: Unit>(&self, unit: U) {
        let (reply, _nobody) = oneshot::channel();
        let _ = self.queue.try_send(Job::Other(Box::new(PendingUnit { unit, output: None, reply })));
    }

    /// Submits an event; returns after its commit.
    pub(super) async fn accept(&self, event: accept::Incoming) -> Result<accept::Accepted> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Accept(Box::new(Accept { event, reply }))).await?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Commits the pending jobs and ends the writer.
    pub(super) async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.queue.send(Job::Stop(reply)).await.is_ok() {
            let _ = done.await;
        }
    }

    async fn enqueue(&self, job: Job) -> Result<()> {
        match self.queue.try_send(job) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Error::Closed),
            Err(mpsc::error::TrySendError::Full(job)) => {
                match self.clock.within(PATIENCE, self.queue.send(job)).await {
                    Some(Ok(())) => Ok(()),
                    Some(Err(_)) => Err(Error::Closed),
                    None => Err(Error::Busy),
                }
            }
        }
    }
}

/// A unit of any type, with the channel for its reply.
trait Work: Send {
    fn apply<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<()>>;
    /// Replies with the output of the last `apply` if the commit succeeded, else with the error.
    fn settle(self: Box<Self>, committed: Result<()>);
}

struct PendingUnit<U: Unit> {
    unit: U,
    output: Option<U::Output>,
    reply: oneshot::Sender<Result<U::Output>>,
}

impl<U: Unit> Work for PendingUnit<U> {
    fn apply<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<()>> {
        async move {
            self.output = Some(self.unit.apply(tx).await?);
            Ok(())
        }
        .boxed()
    }

    fn settle(self: Box<Self>, committed: Result<()>) {
        let Self { output, reply, .. } = *self;
        let answer = committed.and_then(|()| output.ok_or(Error::Closed));
        // The caller may be gone: the change is committed all the same.
        let _ = reply.send(answer);
    }
}

async fn run(mut state: WriterState, mut jobs: mpsc::Receiver<Job>) {
    let mint = Mint::new();
    while let Some(first) = jobs.recv().await {
        let (mut plain, mut asking, mut others, mut stop) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Accept(accept) if accept.event.asks.is_none() => plain.push(*accept),
                Job::Accept(accept) => asking.push(*accept),
                Job::Other(work) => others.push(work),
                Job::Stop(reply) => {
                    stop = Some(reply);
                    break;
                }
            }
            let taken = plain.len() + asking.len() + others.len();
            next = (taken < GROUP).then(|| jobs.try_recv().ok()).flatten();
        }
        let busy = match insert(&mut state, &mint, plain) {
            None => commit(&mut state, &mint, asking, others).await,
            Some(error) => {
                refuse_group(asking, others, &error);
                Some(error)
            }
        };
        if let Some(error) = state.health.failure() {
            // Do not close the connection: that would checkpoint the log, and the content of a failed disk must stay
            // as it is.
            std::mem::forget(state.tx);
            refuse_all(jobs, stop, &error).await;
            return;
        }
        if let Some(error) = busy {
            // These jobs have waited as long as the group, and would wait once more for each group before them.
            while stop.is_none()
                && let Ok(job) = jobs.try_recv()
            {
                match job {
                    Job::Stop(reply) => stop = Some(reply),
                    job => refuse(job, &error),
                }
            }
        }
        if let Some(reply) = stop {
            drop(state.tx);
            drop(state.settled);
            let _ = state.telling.await;
            let _ = reply.send(());
            return;
        }
        state.wal.bound(&mut state.tx, &state.clock, &state.health).await;
    }
}

/// Final state of a writer that must not write: refuses all jobs until the queue closes.
async fn refuse_all(mut jobs: mpsc::Receiver<Job>, mut stop: Option<oneshot::Sender<()>>, error: &Error) {
    loop {
        if let Some(reply) = stop.take() {
            let _ = reply.send(());
            return;
        }
        match jobs.recv().await {
            Some(Job::Stop(reply)) => stop = Some(reply),
            Some(job) => refuse(job, error),
            None => return,
        }
    }
}

fn refuse(job: Job, error: &Error) {
    match job {
        Job::Accept(accept) => accept.refuse(error.clone()),
        Job::Other(work) => work.settle(Err(error.clone())),
        Job::Stop(reply) => drop(reply.send(())),
    }
}

fn refuse_group(accepts: Vec<Accept>, others: Vec<Box<dyn Work>>, error: &Error) {
    accepts.into_iter().for_each(|accept| accept.refuse(error.clone()));
    others.into_iter().for_each(|work| work.settle(Err(error.clone())));
}

/// Inserts events that request nothing; if that fails, each one alone. Returns the error if no further attempt makes
/// sense: no transaction could begin, or none may.
fn insert(state: &mut WriterState, mint: &Mint, accepts: Vec<Accept>) -> Option<Error> {
    if accepts.is_empty() {
        return None;
    }
    let inserted = match state.database_files.check_before() {
        Ok(()) => bulk_insert::insert(&mut state.tx, mint, state.clock.moment(), &accepts),
        Err(error) => Err(BatchError { error, began: false }),
    };
    let inserted = inserted.and_then(|stored| match state.database_files.check_after() {
        Ok(()) => Ok(stored),
        Err(error) => Err(BatchError { error, began: false }),
    });
    match inserted {
        Ok(stored) => {
            let _ = state.settled.send((accepts, stored));
            None
        }
        Err(BatchError { error, began }) => {
            if error.is_fatal() {
                state.health.fail(error.clone());
            }
            let is_over = !began || error.is_fatal();
            if is_over || accepts.len() == 1 {
                refuse_group(accepts, Vec::new(), &error);
                return is_over.then_some(error);
            }
            let mut rest = accepts.into_iter();
            while let Some(accept) = rest.next() {
                if let Some(error) = insert(state, mint, vec![accept]) {
                    refuse_group(rest.collect(), Vec::new(), &error);
                    return Some(error);
                }
            }
            None
        }
    }
}

/// Applies a group in one transaction; if that fails, each job in one of its own. Returns the error if no further
/// attempt makes sense: no transaction could begin, or none may.
async fn commit(
    state: &mut WriterState,
    mint: &Mint,
    accepts: Vec<Accept>,
    mut others: Vec<Box<dyn Work>>,
) -> Option<Error> {
    let (error, began) = match transact(state, mint, &accepts, &mut others).await {
        Ok(outcomes) => {
            let _ = state.settled.send((accepts, outcomes));
            others.into_iter().for_each(|work| work.settle(Ok(())));
            return None;
        }
        Err(failed) => failed,
    };
    if error.is_fatal() {
        state.health.fail(error.clone());
    }
    let is_over = !began || error.is_fatal();
    if is_over || accepts.len() + others.len() == 1 {
        refuse_group(accepts, others, &error);
        return is_over.then_some(error);
    }
    let mut accepts = accepts.into_iter();
    while let Some(accept) = accepts.next() {
        if let Some(error) = Box::pin(commit(state, mint, vec![accept], Vec::new())).await {
            refuse_group(accepts.collect(), others, &error);
            return Some(error);
        }
    }
    let mut others = others.into_iter();
    while let Some(work) = others.next() {
        if let Some(error) = Box::pin(commit(state, mint, Vec::new(), vec![work])).await {
            refuse_group(Vec::new(), others.collect(), &error);
            return Some(error);
        }
    }
    None
}

/// Runs a group's transaction. Returns its results; or the error, and whether the transaction had begun.
async fn transact(
    state: &mut WriterState,
    mint: &Mint,
    accepts: &[Accept],
    others: &mut [Box<dyn Work>],
) -> std::result::Result<Vec<Stored>, (Error, bool)> {
    if accepts.is_empty() && others.is_empty() {
        return Ok(Vec::new());
    }
    state.database_files.check_before().map_err(|error| (error, false))?;
    let now = state.clock.moment();
    let tx = &mut state.tx;
    tx.begin().await.map_err(|error| (error, false))?;
    let applied = AssertUnwindSafe(async {
        let mut stored = Vec::with_capacity(accepts.len());
        for accept in accepts {
            stored.push(accept::insert(tx, mint, now, &accept.event).await?);
        }
        for work in others {
            work.apply(tx).await?;
        }
        Ok(stored)
    })
    .catch_unwind()
    .await
    .unwrap_or(Err(Error::Panicked));
    let committed = match applied {
        Ok(stored) => state.tx.commit().await.map(|()| stored),
        Err(error) => Err(error),
    };
    if committed.is_err() {
        state.tx.rollback().await;
    }
    let stored = committed.map_err(|error| (error, true))?;
    state.database_files.check_after().map_err(|error| (error, false))?;
    Ok(stored)
}

#[cfg(test)]
mod tests;
