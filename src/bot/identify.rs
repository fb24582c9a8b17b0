//! The login (IDENTIFY) budget. Discord resets a token that logs in more than 1000 times a day.
//!
//! The times of the last hour's logins are saved to the database before each login: a process that crashes at once and
//! is restarted thousands of times stays within the budget as well.

use std::time::Duration;

use crate::clock::{Clock, SteadyTime};
use crate::model::wait::LOGINS;
use crate::store::Store;

const HOUR: Duration = Duration::from_secs(3600);
/// Maximum logins in any one hour. 40 × 24 is less than Discord's 1000.
const AN_HOUR: usize = 40;
/// Minimum time between two logins; an earlier one is in vain (Discord: "Session Start Limit", `max_concurrency`).
pub(super) const APART: Duration = Duration::from_secs(5);
/// Pairs of (logins in the last hour, seconds between two logins from then on). A person who restarts nuncio repeatedly
/// during setup has long stopped before the first; a crash loop reaches the last within half an hour.
const SPACING: [(usize, u64); 2] = [(36, 300), (30, 30)];

/// The logins of the last hour, of this process and earlier ones.
pub(super) struct Ledger {
    store: Store,
    clock: Clock,
    times: tokio::sync::Mutex<Option<Vec<SteadyTime>>>,
}

impl Ledger {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, times: tokio::sync::Mutex::default() }
    }

    /// How long to wait until the next login, and the number of logins within the last hour.
    pub(super) async fn wait(&self) -> (Duration, usize) {
        let mut times = self.times.lock().await;
        let now = self.clock.steady();
        let times = self.load(&mut times, now).await;
        (wait(times, now), times.len())
    }

    /// Records a login.
    pub(super) async fn record(&self) {
        let mut times = self.times.lock().await;
        let now = self.clock.steady();
        let times = self.load(&mut times, now).await;
        times.push(now);
        let text: Vec<String> = times.iter().map(|at| at.as_millis().to_string()).collect();
        if let Err(error) = self.store.set_meta(LOGINS, text.join(",")).await {
            tracing::warn!(%error, "the bot's login could not be saved in the database: nuncio counts it in memory \
                                    only");
        }
    }

    async fn load<'a>(
        &self,
        times: &'a mut Option<Vec<SteadyTime>>,
        now: SteadyTime,
    ) -> &'a mut Vec<SteadyTime> {
        if times.is_none() {
            let text = self.store.meta(LOGINS).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the bot's earlier logins cannot be read from the database");
                None
            });
            let read = text.unwrap_or_default();
            *times =
                Some(read.split(',').filter_map(|at| at.parse().ok()).map(SteadyTime::from_millis).collect());
        }
        let times = times.get_or_insert_default();
        times.retain(|at| now.since(*at) < HOUR);
        times
    }
}

/// How long to wait at `now` after logins at `times`, all within the last hour, in order.
fn wait(times: &[SteadyTime], now: SteadyTime) -> Duration {
    let Some(last) = times.last() else { return Duration::ZERO };
    if let Some(first) = times.len().checked_sub(AN_HOUR).and_then(|over| times.get(over)) {
        return first.plus(HOUR).since(now);
    }
    let crowded = SPACING.iter().find(|(from, _)| times.len() >= *from);
    let spacing = crowded.map_or(APART, |(_, secs)| Duration::from_secs(*secs));
    last.plus(spacing).since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logs in as often as allowed for `span`; returns the highest count within any hour.
    fn busiest_hour(span: Duration) -> usize {
        let end = SteadyTime::default().plus(span);
        let (mut now, mut all) = (SteadyTime::default(), Vec::new());
        while now < end {
            let recent: Vec<_> = all.iter().copied().filter(|at| now.since(*at) < HOUR).collect();
            let pause = wait(&recent, now);
            if pause.is_zero() {
                all.push(now);
                now = now.plus(Duration::from_millis(10));
            } else {
                now = now.plus(pause);
            }
        }
        let within =
            |at: &SteadyTime| all.iter().filter(|other| **other >= *at && other.since(*at) < HOUR).count();
        all.iter().map(within).max().unwrap_or(0)
    }

    // K-6
    #[test]
    fn a_crash_loop_stays_within_the_budget() {
        assert_eq!(busiest_hour(Duration::from_secs(24 * 3600)), AN_HOUR);
    }

    #[rstest::rstest]
    #[case(0, 0)]
    #[case(1, 5)]
    #[case(29, 5)]
    #[case(30, 30)]
    #[case(36, 300)]
    #[case(40, 3600)]
    fn waits_grow(#[case] logins: usize, #[case] secs: u64) {
        let now = SteadyTime::from_millis(1_700_000_000_000);
        assert_eq!(wait(&vec![now; logins], now), Duration::from_secs(secs));
    }
}
