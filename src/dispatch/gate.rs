//! The gate that every request passes: shut while Discord wants nothing from this address or with this token.
//!
//! After a pause one request goes first and finds out; the others follow when it came through. So a ban that lasts is
//! met with one request a pause, not with one a lane. It also keeps to Discord's global limit, and stops far below
//! the number of refusals that Discord answers with a ban. Nothing waits while holding the lock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::hub::{Condition, Hub};
use crate::model::{Attempt, Outcome, PauseScope};

/// Discord: "Rate Limits", global: 50 requests a second.
const GLOBAL_LIMIT: usize = 50;
const GLOBAL_WINDOW: Duration = Duration::from_secs(1);
/// Discord bans an address after 10,000 refusals in 10 minutes ("Invalid Request Limit"). We stop at a tenth.
const REFUSALS: usize = 1_000;
const REFUSAL_WINDOW: Duration = Duration::from_secs(600);

/// What all lanes of one token share. Clones share it.
#[derive(Clone)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    /// Bumped when a waiting lane should look again.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Shut until this time of the clock's [`Clock::elapsed`].
    shut_until: Duration,
    /// Whether it was shut, and nobody has come through since.
    suspicious: bool,
    /// Whether somebody is finding out.
    probing: bool,
    /// When the requests of the last second left.
    sent: VecDeque<Duration>,
    /// When the refusals of the last ten minutes came.
    refused: VecDeque<Duration>,
}

/// A request that was let through. Whoever holds it reports what came of it; dropped without that, it counts as not
/// come through.
pub(super) struct Pass {
    gate: Gate,
    probe: bool,
}

impl Gate {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, state: Mutex::default(), changed: watch::Sender::new(0) }))
    }

    /// Shuts the gate for `span`; a gate that is shut for longer stays so.
    pub(super) fn shut(&self, span: Duration) {
        let until = self.0.clock.elapsed().saturating_add(span);
        let mut state = self.state();
        state.shut_until = state.shut_until.max(until);
        state.suspicious = true;
    }

    /// Waits until a request may leave.
    pub(super) async fn pass(&self) -> Pass {
        let mut changed = self.0.changed.subscribe();
        loop {
            changed.mark_unchanged();
            match self.try_pass() {
                Ok(probe) => return Pass { gate: self.clone(), probe },
                Err(wait) => {
                    tokio::select! {
                        () = self.0.clock.sleep(wait) => {}
                        // The sender lives as long as `self`.
                        _ = changed.changed() => {}
                    }
                }
            }
        }
    }

    /// Lets a request through and says whether it is the one that finds out, or says how long to wait.
    fn try_pass(&self) -> Result<bool, Duration> {
        let now = self.0.clock.elapsed();
        let mut state = self.state();
        let shut_for = state.shut_until.saturating_sub(now);
        if !shut_for.is_zero() {
            return Err(shut_for);
        }
        if state.probing {
            return Err(Duration::MAX);
        }
        while state.sent.front().is_some_and(|at| now.saturating_sub(*at) >= GLOBAL_WINDOW) {
            state.sent.pop_front();
        }
        if let Some(oldest) = state.sent.front().filter(|_| state.sent.len() >= GLOBAL_LIMIT) {
            return Err((*oldest + GLOBAL_WINDOW).saturating_sub(now));
        }
        state.sent.push_back(now);
        state.probing = state.suspicious;
        Ok(state.probing)
    }

    /// Counts a refusal; answers how long to stop if there were too many.
    fn count_refusal(&self) -> Option<Duration> {
        let now = self.0.clock.elapsed();
        let mut state = self.state();
        while state.refused.front().is_some_and(|at| now.saturating_sub(*at) >= REFUSAL_WINDOW) {
            state.refused.pop_front();
        }
        state.refused.push_back(now);
        let oldest = *state.refused.front()?;
        (state.refused.len() >= REFUSALS).then(|| (oldest + REFUSAL_WINDOW).saturating_sub(now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Tells the gate, and whoever asks for health, what came of the request.
    pub(super) fn report(self, attempt: &Attempt, hub: &Hub) {
        match &attempt.outcome {
            Outcome::Paused { scope: PauseScope::Account, .. } => refuse_token(hub, &self.gate),
            Outcome::Paused { scope: PauseScope::Address, after } => {
                self.gate.shut(*after);
                let seconds = after.as_secs().max(1);
                pause(
                    hub,
                    format!("Discord wants nothing from this address for {seconds} s: all lanes wait"),
                );
            }
            _ if attempt.status.is_none() => {}
            _ => {
                self.gate.state().suspicious = false;
                hub.conditions().clear(Condition::Paused);
            }
        }
        if attempt.counts_as_invalid()
            && let Some(span) = self.gate.count_refusal()
        {
            self.gate.shut(span);
            pause(
                hub,
                format!(
                    "Discord refused {REFUSALS} requests in ten minutes: all lanes wait {} s, long before it would ban this \
                 address. The log says which channels refuse",
                    span.as_secs()
                ),
            );
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe {
            self.gate.state().probing = false;
        }
        self.gate.0.changed.send_modify(|count| *count += 1);
    }
}

fn pause(hub: &Hub, sentence: String) {
    if hub.conditions().raise(Condition::Paused, sentence.clone()) {
        tracing::warn!("{sentence}");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(gate: &Gate) -> usize {
        (0..1000).take_while(|_| gate.try_pass().is_ok()).count()
    }

    #[test]
    fn no_more_than_fifty_leave_in_a_second() {
        let clock = Clock::system();
        let gate = Gate::new(clock.clone());
        assert_eq!(passes(&gate), GLOBAL_LIMIT);
        clock.advance(GLOBAL_WINDOW);
        assert_eq!(passes(&gate), GLOBAL_LIMIT);
    }

    #[test]
    fn after_a_pause_one_finds_out_before_the_others_follow() {
        let clock = Clock::system();
        let gate = Gate::new(clock.clone());
        gate.shut(Duration::from_secs(60));
        assert!(gate.try_pass().is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!(gate.try_pass(), Ok(true));
        assert_eq!(gate.try_pass(), Err(Duration::MAX), "the others wait for the one");
        drop(Pass { gate: gate.clone(), probe: true });
        assert_eq!(gate.try_pass(), Ok(true), "it did not come through: the next one finds out");
    }

    #[test]
    fn a_thousand_refusals_in_ten_minutes_are_enough() {
        let clock = Clock::system();
        let gate = Gate::new(clock.clone());
        let stopped = (0..REFUSALS).filter_map(|_| gate.count_refusal()).count();
        assert_eq!(stopped, 1, "the thousandth stops");
        clock.advance(REFUSAL_WINDOW);
        assert_eq!(gate.count_refusal(), None);
    }
}
