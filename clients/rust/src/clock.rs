//! Time and chance as a client meets them. Tests have a clock of their own, so that none of them waits.

use std::pin::Pin;
use std::time::{Duration, Instant};

/// A future that is ready when the time is over.
pub(crate) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) trait Clock: Send + Sync {
    fn now(&self) -> Instant;
    /// From 0 up to 1.
    fn random(&self) -> f64;
    /// The pause before another try.
    fn pause(&self, length: Duration) -> Sleep;
    /// What a try must end before.
    fn deadline(&self, length: Duration) -> Sleep;
}

/// The clock of the operating system and of Tokio.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn random(&self) -> f64 {
        fastrand::f64()
    }

    fn pause(&self, length: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(length))
    }

    fn deadline(&self, length: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(length))
    }
}
