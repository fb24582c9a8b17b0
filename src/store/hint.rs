//! The hint: "there is something to deliver", with the event attached.
//!
//! The table carries the facts. A hint may be lost (the channel is bounded and nobody waits for it); that costs a
//! look at the table, never an event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use crate::model::Delivery;

/// How many hints may wait for the dispatcher.
const CAPACITY: usize = 1024;

/// The writer's end.
#[derive(Clone)]
pub struct HintSender {
    hints: mpsc::Sender<Delivery>,
    lost: Arc<AtomicBool>,
}

/// The dispatcher's end.
pub struct HintReceiver {
    hints: mpsc::Receiver<Delivery>,
    lost: Arc<AtomicBool>,
}

impl HintSender {
    /// A channel for hints.
    #[must_use]
    pub fn channel() -> (Self, HintReceiver) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let lost = Arc::new(AtomicBool::new(false));
        (Self { hints: sender, lost: Arc::clone(&lost) }, HintReceiver { hints: receiver, lost })
    }

    /// Hints at a delivery that was committed. Never waits.
    pub(super) fn send(&self, delivery: Delivery) {
        if self.hints.try_send(delivery).is_err() {
            self.lost.store(true, Ordering::Release);
        }
    }
}

impl HintReceiver {
    /// The next hint; `None` when the store is gone.
    pub async fn recv(&mut self) -> Option<Delivery> {
        self.hints.recv().await
    }

    /// Whether hints were lost since this was last asked.
    #[must_use]
    pub fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }
}
