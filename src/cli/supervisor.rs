//! systemd's notifications (`sd_notify`): ready, alive, stopping. Where no service manager listens, nothing is sent.

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How often within the watchdog's time it is told that we live: two reports may be late.
const REPORTS: u32 = 3;

/// Says that nuncio accepts events, and goes on to say that it lives, where somebody watches.
pub(super) fn ready() {
    tell(NotifyState::Ready);
    if let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) {
        tokio::spawn(async move {
            let clock = Clock::system();
            loop {
                // Another task has to run to its end before: a runtime that schedules nothing any more tells nothing.
                if tokio::spawn(async {}).await.is_ok() {
                    tell(NotifyState::Watchdog);
                }
                clock.sleep(limit / REPORTS).await;
            }
        });
    }
}

/// Says that nuncio ends, as soon as `stop` says so.
pub(super) async fn stopping(stop: CancellationToken) {
    stop.cancelled().await;
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd could not be notified (NOTIFY_SOCKET), so it may restart nuncio");
    }
}
