//! The memory budget for large request bodies, shared by all connections and fair to each client.
//!
//! Until a body is complete and its signature is checked, no sender is known to be genuine, so any client can begin
//! one. When the budget is used up, the client that holds the most of it loses its oldest body. Crowding a genuine
//! sender out takes more than the whole budget in new bytes, from as many networks, while that sender's one body
//! arrives.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::model::Network;

/// Unit of allocation from the budget, in bytes.
const STEP: usize = 64 * 1024;
const STEP_KIB: usize = STEP / 1024;

/// The budget, in KiB, and its holders.
pub(super) struct BodyBudget {
    /// The total, including what is in use.
    kib: Mutex<usize>,
    free: Arc<Semaphore>,
    bodies: Mutex<Bodies>,
}

#[derive(Default)]
struct Bodies {
    next: u64,
    /// Bodies being read.
    reading: BTreeMap<u64, BodyInProgress>,
}

/// A large body that is being read.
struct BodyInProgress {
    client: Network,
    /// Deadline for the whole body: the body that began first has the earliest.
    whole_by: Duration,
    kib: Arc<AtomicUsize>,
    evicted: CancellationToken,
}

/// The part of the budget that one body holds. Dropping it returns that part.
pub(super) struct BodyPermit {
    budget: Arc<BodyBudget>,
    id: u64,
    kib: Arc<AtomicUsize>,
    evicted: CancellationToken,
    permits: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    pub(super) fn new(kib: usize) -> Arc<Self> {
        Arc::new(Self { kib: Mutex::new(kib), free: Arc::new(Semaphore::new(kib)), bodies: Mutex::default() })
    }

    /// Grows the budget to `kib`, if it is smaller. It never shrinks.
    pub(super) fn grow_to(&self, kib: usize) {
        let mut has = self.kib.lock().unwrap_or_else(PoisonError::into_inner);
        if kib > *has {
            self.free.add_permits(kib - *has);
            *has = kib;
        }
    }

    /// An empty permit for a body of `client`.
    pub(super) fn permit(self: &Arc<Self>, client: Network, whole_by: Duration) -> BodyPermit {
        let (kib, evicted) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let reading = BodyInProgress { client, whole_by, kib: Arc::clone(&kib), evicted: evicted.clone() };
        let mut bodies = self.lock();
        let id = bodies.next;
        bodies.next += 1;
        bodies.reading.insert(id, reading);
        BodyPermit { budget: Arc::clone(self), id, kib, evicted, permits: None }
    }

    /// Evicts one body, possibly `asking` itself. Does nothing if every body that holds memory is being evicted
    /// already.
    fn evict_one_for(&self, asking: u64) {
        let bodies = self.lock();
        let mut held: HashMap<Network, usize> = HashMap::new();
        for (id, body) in &bodies.reading {
            let wanted = if *id == asking { STEP_KIB } else { 0 };
            *held.entry(body.client).or_default() += body.kib.load(Ordering::Relaxed) + wanted;
        }
        let may_give = |(id, body): &(&u64, &BodyInProgress)| {
            let holds = **id == asking || body.kib.load(Ordering::Relaxed) > 0;
            holds && !body.evicted.is_cancelled()
        };
        let most = bodies.reading.iter().filter(may_give).max_by_key(|(id, body)| {
            (held.get(&body.client).copied(), std::cmp::Reverse((body.whole_by, **id)))
        });
        if let Some((_, body)) = most {
            body.evicted.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BodyPermit {
    /// Bytes reserved for this body.
    pub(super) fn bytes(&self) -> usize {
        self.kib.load(Ordering::Relaxed) * 1024
    }

    /// Reserves one more [`STEP`]. False if this body is evicted.
    pub(super) async fn reserve(&mut self) -> bool {
        let free = Arc::clone(&self.budget.free);
        let permit = match Arc::clone(&free).try_acquire_many_owned(STEP_KIB as u32) {
            Ok(permit) => permit,
            Err(_) => {
                self.budget.evict_one_for(self.id);
                let acquired = tokio::select! {
                    biased;
                    () = self.evicted.cancelled() => return false,
                    acquired = free.acquire_many_owned(STEP_KIB as u32) => acquired,
                };
                let Ok(permit) = acquired else { return false };
                permit
            }
        };
        match &mut self.permits {
            Some(permits) => permits.merge(permit),
            none => *none = Some(permit),
        }
        self.kib.fetch_add(STEP_KIB, Ordering::Relaxed);
        true
    }

    /// Resolves when this body is evicted.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Marks the body as complete: it only needs to be checked, and is not evicted any more.
    pub(super) fn complete(&self) {
        self.budget.lock().reading.remove(&self.id);
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        self.budget.lock().reading.remove(&self.id);
    }
}
