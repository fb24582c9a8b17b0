//! Delivery hints: a bounded channel that wakes lanes, with the event attached.
//!
//! The table carries the facts. A hint may be lost (the channel is bounded and no sender waits for it); that costs a
//! table poll, never an event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use crate::model::Delivery;

/// Maximum number of hints that wait for the dispatcher.
const CAPACITY: usize = 1024;

/// Sending half, held by the writer.
#[derive(Clone)]
pub struct HintSender {
    hints: mpsc::Sender<Delivery>,
    lost: Arc<AtomicBool>,
}

/// Receiving half, held by the dispatcher.
pub struct HintReceiver {
    hints: mpsc::Receiver<Delivery>,
    lost: Arc<AtomicBool>,
}

impl HintSender {
    /// Creates a hint channel.
    #[must_use]
    pub fn channel() -> (Self, HintReceiver) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let lost = Arc::new(AtomicBool::new(false));
        (Self { hints: sender, lost: Arc::clone(&lost) }, HintReceiver { hints: receiver, lost })
    }

    /// Sends a hint for a committed delivery. Never waits.
    pub(super) fn send(&self, delivery: Delivery) {
        if self.hints.try_send(delivery).is_err() {
            self.lost.store(true, Ordering::Release);
        }
    }
}

impl HintReceiver {
    /// Receives the next hint; `None` once the store is closed.
    pub async fn recv(&mut self) -> Option<Delivery> {
        self.hints.recv().await
    }

    /// The next hint that has arrived.
    pub fn next(&mut self) -> Option<Delivery> {
        self.hints.try_recv().ok()
    }

    /// Returns whether hints were lost since the last call.
    #[must_use]
    pub fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }
}
