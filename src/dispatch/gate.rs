//! The gate that all lanes pass: shut while Discord wants nothing from this address or this token.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::hub::{Condition, Hub};

/// Shut until some time of the clock's [`Clock::elapsed`], or for good.
pub(super) struct Gate {
    clock: Clock,
    shut_until: watch::Sender<Duration>,
}

impl Gate {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, shut_until: watch::Sender::new(Duration::ZERO) }
    }

    /// Shuts the gate for `span`; a gate that is shut for longer stays so.
    pub(super) fn shut(&self, span: Duration) {
        let until = self.clock.elapsed().saturating_add(span);
        self.shut_until.send_modify(|shut| *shut = (*shut).max(until));
    }

    /// Waits until the gate is open.
    pub(super) async fn pass(&self) {
        loop {
            let until = *self.shut_until.borrow();
            if until <= self.clock.elapsed() {
                return;
            }
            self.clock.sleep_until_elapsed(until).await;
        }
    }
}

/// A refused token is not used again by this process: repeating it leads to a ban.
pub(super) fn refuse_token(hub: &Hub, gate: &Gate) {
    gate.shut(Duration::MAX);
    let sentence = "Discord refused DISCORD_TOKEN (401): nothing is sent, everything is kept. \
                    Put a valid token into .env (Developer Portal → Bot → Reset Token) and restart";
    if hub.conditions().raise(Condition::TokenRefused, sentence) {
        tracing::error!("{sentence}");
    }
}
