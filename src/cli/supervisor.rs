//! systemd's notifications (`sd_notify`): ready, alive, stopping. Without a service manager nothing is sent.

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How many liveness reports fit into the watchdog's time: two reports may be late.
const REPORTS: u32 = 3;

/// Reports that nuncio accepts events, then reports liveness as often as a watchdog wants it.
pub(super) fn ready() {
    notify(NotifyState::Ready);
    if let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) {
        tokio::spawn(async move {
            let clock = Clock::system();
            loop {
                // Another task must complete first: a runtime that schedules nothing any more sends no report.
                if tokio::spawn(async {}).await.is_ok() {
                    notify(NotifyState::Watchdog);
                }
                clock.sleep(limit / REPORTS).await;
            }
        });
    }
}

/// Reports that nuncio is stopping, once `stop` is cancelled.
pub(super) async fn stopping(stop: CancellationToken) {
    stop.cancelled().await;
    notify(NotifyState::Stopping);
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd could not be notified (NOTIFY_SOCKET), so it may restart nuncio");
    }
}
