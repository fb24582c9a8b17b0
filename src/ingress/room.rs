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

use crate::ingress::limiter::Key;

/// Unit of allocation from the budget, in bytes.
const STEP: usize = 64 * 1024;
const STEP_KIB: usize = STEP / 1024;

/// The budget, in KiB, and its holders.
pub(super) struct Room {
    /// The total, including what is in use.
    kib: Mutex<usize>,
    free: Arc<Semaphore>,
    bodies: Mutex<Bodies>,
}

#[derive(Default)]
struct Bodies {
    next: u64,
    /// Bodies being read.
    reading: BTreeMap<u64, Reading>,
}

/// A large body that is being read.
struct Reading {
    client: Key,
    /// Deadline for the whole body: the body that began first has the earliest.
    whole_by: Duration,
    kib: Arc<AtomicUsize>,
    gives_way: CancellationToken,
}

/// The part of the budget that one body holds. Dropping it returns that part.
pub(super) struct Share {
    room: Arc<Room>,
    number: u64,
    kib: Arc<AtomicUsize>,
    gives_way: CancellationToken,
    permits: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(super) fn new(kib: usize) -> Arc<Self> {
        Arc::new(Self { kib: Mutex::new(kib), free: Arc::new(Semaphore::new(kib)), bodies: Mutex::default() })
    }

    /// Grows the budget to `kib`, if it is smaller. It never shrinks.
    pub(super) fn widen(&self, kib: usize) {
        let mut has = self.kib.lock().unwrap_or_else(PoisonError::into_inner);
        if kib > *has {
            self.free.add_permits(kib - *has);
            *has = kib;
        }
    }

    /// An empty share for a body of `client`.
    pub(super) fn enter(self: &Arc<Self>, client: Key, whole_by: Duration) -> Share {
        let (kib, gives_way) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let reading = Reading { client, whole_by, kib: Arc::clone(&kib), gives_way: gives_way.clone() };
        let mut bodies = self.lock();
        let number = bodies.next;
        bodies.next += 1;
        bodies.reading.insert(number, reading);
        Share { room: Arc::clone(self), number, kib, gives_way, permits: None }
    }

    /// Evicts one body, possibly `asking` itself. Does nothing if every body that holds memory is being evicted
    /// already.
    fn evict_for(&self, asking: u64) {
        let bodies = self.lock();
        let mut held: HashMap<Key, usize> = HashMap::new();
        for (number, body) in &bodies.reading {
            let wanted = if *number == asking { STEP_KIB } else { 0 };
            *held.entry(body.client).or_default() += body.kib.load(Ordering::Relaxed) + wanted;
        }
        let may_give = |(number, body): &(&u64, &Reading)| {
            let holds = **number == asking || body.kib.load(Ordering::Relaxed) > 0;
            holds && !body.gives_way.is_cancelled()
        };
        let most = bodies.reading.iter().filter(may_give).max_by_key(|(number, body)| {
            (held.get(&body.client).copied(), std::cmp::Reverse((body.whole_by, **number)))
        });
        if let Some((_, body)) = most {
            body.gives_way.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Bytes reserved for this body.
    pub(super) fn bytes(&self) -> usize {
        self.kib.load(Ordering::Relaxed) * 1024
    }

    /// Reserves one more [`STEP`]. False if this body is evicted.
    pub(super) async fn grow(&mut self) -> bool {
        let free = Arc::clone(&self.room.free);
        let permit = match Arc::clone(&free).try_acquire_many_owned(STEP_KIB as u32) {
            Ok(permit) => permit,
            Err(_) => {
                self.room.evict_for(self.number);
                let acquired = tokio::select! {
                    biased;
                    () = self.gives_way.cancelled() => return false,
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
    pub(super) async fn gives_way(&self) {
        self.gives_way.cancelled().await;
    }

    /// Marks the body as complete: it only needs to be checked, and is not evicted any more.
    pub(super) fn is_whole(&self) {
        self.room.lock().reading.remove(&self.number);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.lock().reading.remove(&self.number);
    }
}
