//! A wake-up flag for lanes: the table may hold more than the lane's hints.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A flag with a notification: "poll the table".
#[derive(Clone, Default)]
pub(in crate::dispatch) struct Wake(Arc<(AtomicBool, Notify)>);

impl Wake {
    pub(in crate::dispatch) fn request_poll(&self) {
        self.0.0.store(true, Ordering::Release);
        self.0.1.notify_one();
    }

    pub(in crate::dispatch) fn take(&self) -> bool {
        self.0.0.swap(false, Ordering::AcqRel)
    }

    pub(in crate::dispatch) async fn notified(&self) {
        self.0.1.notified().await;
    }
}
