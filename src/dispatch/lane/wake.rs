//! A lane's flags for those who send it hints: the table may hold more than them; it needs none of ordinary priority.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// The flags of a lane. Clones share them.
#[derive(Clone, Default)]
pub(in crate::dispatch) struct Wake(Arc<Flags>);

#[derive(Default)]
struct Flags {
    polls: AtomicBool,
    poll: Notify,
    needs_urgent_only: AtomicBool,
}

impl Wake {
    pub(in crate::dispatch) fn request_poll(&self) {
        self.0.polls.store(true, Ordering::Release);
        self.0.poll.notify_one();
    }

    pub(in crate::dispatch) fn take(&self) -> bool {
        self.0.polls.swap(false, Ordering::AcqRel)
    }

    pub(in crate::dispatch) async fn notified(&self) {
        self.0.poll.notified().await;
    }

    /// Whether hints of ordinary priority are to be dropped.
    pub(in crate::dispatch) fn needs_urgent_only(&self) -> bool {
        self.0.needs_urgent_only.load(Ordering::SeqCst)
    }

    /// Until the guard is dropped, the lane needs no hints of ordinary priority. Only for a lane that reads the table
    /// afterwards: what is dropped was committed before that.
    pub(in crate::dispatch) fn urgent_only(&self) -> UrgentOnly {
        self.0.needs_urgent_only.store(true, Ordering::SeqCst);
        UrgentOnly(self.clone())
    }
}

/// While it exists, the lane needs no hints of ordinary priority.
pub(in crate::dispatch) struct UrgentOnly(Wake);

impl Drop for UrgentOnly {
    fn drop(&mut self) {
        self.0.0.needs_urgent_only.store(false, Ordering::SeqCst);
    }
}
