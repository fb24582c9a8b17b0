//! The circuit breaker of all requests to Discord: it blocks them while Discord refuses this address or this token.
//!
//! After a pause one request goes first as a probe (half-open); the others follow when it succeeds. So a lasting ban
//! costs one request per pause, not one per lane. Only a response by Discord itself counts as success; after any other the next
//! probe follows in 5, 10, 20, 40, 60 s. The breaker also enforces Discord's global limit, and stops far below the
//! number of refusals that Discord punishes with a ban. Nothing waits while holding the lock.
//!
//! The breaker notifies no operator: code that needs its state follows [`CircuitBreaker::changes`] and reads its
//! [state](CircuitBreaker::state).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::discord::DiscordFailure;
use crate::model::{Attempt, Outcome, PauseScope, schedule};

/// Discord: "Rate Limits", global: 50 requests a second.
const GLOBAL_LIMIT: usize = 50;
const GLOBAL_WINDOW: Duration = Duration::from_secs(1);
/// Discord bans an address after 10,000 refusals in 10 minutes ("Invalid Request Limit"). We stop at a tenth.
pub const REFUSALS: usize = 1_000;
/// The ten minutes in which refusals are counted.
pub const REFUSAL_WINDOW: Duration = Duration::from_secs(600);

/// How long a success proves that the token is valid.
const TOKEN_PROOF_LIFETIME: Duration = Duration::from_secs(10);
/// Maximum in-flight requests while no recent success proves the token: this many find out that it was revoked, however
/// many lanes have something to send.
const MAX_UNPROVEN_IN_FLIGHT: usize = 3;

/// Why requests are blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenReason {
    /// The token was refused: this process does not use it again, because repeating it leads to a ban.
    Token,
    /// Discord, or Cloudflare in front of it, blocks this address for a while.
    Address,
    /// So many requests were refused that more would lead to a ban.
    Refusals,
}

/// The state of the circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests pass.
    Closed,
    /// Requests are blocked, or none has succeeded since they were.
    Open {
        /// The cause of the pause.
        why: OpenReason,
        /// The remaining time; zero while a probe is in flight.
        left: Duration,
    },
}

/// The circuit breaker of one transport. Clones share its state.
#[derive(Clone, Debug)]
pub struct CircuitBreaker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    state: Mutex<State>,
    /// Incremented whenever waiting or watching tasks should check again.
    changed: watch::Sender<u64>,
    /// How many requests succeeded.
    successes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// Blocked until this value of [`Clock::elapsed`].
    blocked_until: Duration,
    /// Why requests were blocked; `None` after the next success.
    blocked_reason: Option<OpenReason>,
    /// Whether a probe is in flight.
    probing: bool,
    /// How many bans in a row, without a success between them.
    bans: u32,
    /// Whether the token was refused. Permanent, and only for requests that carry the token.
    token_refused: bool,
    in_flight: usize,
    /// How many of the in-flight requests carry the token.
    with_token: usize,
    /// When the last response came that proves the token valid.
    token_proven_at: Option<Duration>,
    /// When the requests of the last second were answered. A slot is free again a second after the response, not after
    /// the request: Discord may have counted it at any time between the two.
    answered: VecDeque<Duration>,
    /// When the refusals of the last ten minutes came.
    refused: VecDeque<Duration>,
}

/// The permission to send one request. Its holder reports the outcome; dropped without a report, the request counts as
/// failed.
#[derive(Debug)]
pub struct Permit {
    breaker: CircuitBreaker,
    probe: bool,
    with_token: bool,
}

impl CircuitBreaker {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner {
            clock,
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            successes: watch::Sender::new(0),
        }))
    }

    /// Blocks requests for `span`; a longer block remains. A refused token is blocked forever, but only for requests
    /// that carry it.
    pub fn trip(&self, why: OpenReason, span: Duration) {
        let until = self.0.clock.elapsed().saturating_add(span);
        {
            let mut state = self.locked();
            if why == OpenReason::Token {
                state.token_refused = true;
            } else if until >= state.blocked_until {
                state.blocked_until = until;
                state.blocked_reason = Some(why);
            }
        }
        self.notify();
    }

    /// Restores the refusals that an earlier process met: the age of each, the oldest first.
    pub fn recall(&self, refusals: impl IntoIterator<Item = Duration>) {
        let now = self.0.clock.elapsed();
        // This clock may have started after the refusal: then its age is counted from the start, so it counts for
        // longer.
        let earlier: VecDeque<Duration> = refusals.into_iter().map(|ago| now.saturating_sub(ago)).collect();
        let span = {
            let mut state = self.locked();
            state.refused = earlier;
            state.too_many(now)
        };
        if let Some(span) = span {
            self.trip(OpenReason::Refusals, span);
        }
    }

    /// The current state.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        let now = self.0.clock.elapsed();
        let state = self.locked();
        match state.blocked_reason {
            Some(why) => BreakerState::Open { why, left: state.blocked_until.saturating_sub(now) },
            None if state.token_refused => BreakerState::Open { why: OpenReason::Token, left: Duration::MAX },
            None => BreakerState::Closed,
        }
    }

    /// Notifies of every possible change of the state.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// The number of successful requests.
    #[must_use]
    pub fn successes(&self) -> watch::Receiver<u64> {
        self.0.successes.subscribe()
    }

    /// Waits for a permit for a request with the token.
    pub async fn acquire(&self) -> Permit {
        self.acquire_as(true).await
    }

    /// Waits for a permit for a request without our token.
    pub async fn acquire_without_token(&self) -> Permit {
        self.acquire_as(false).await
    }

    async fn acquire_as(&self, with_token: bool) -> Permit {
        let mut changed = self.changes();
        loop {
            changed.mark_unchanged();
            match self.try_acquire_as(with_token) {
                Ok(permit) => return permit,
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

    /// Returns a permit for a request with the token, or how long to wait; [`Duration::MAX`] if that depends on others.
    pub fn try_acquire(&self) -> Result<Permit, Duration> {
        self.try_acquire_as(true)
    }

    /// Returns a permit for a request without our token, or how long to wait, like [`CircuitBreaker::try_acquire`].
    pub fn try_acquire_without_token(&self) -> Result<Permit, Duration> {
        self.try_acquire_as(false)
    }

    fn try_acquire_as(&self, with_token: bool) -> Result<Permit, Duration> {
        let now = self.0.clock.elapsed();
        let mut state = self.locked();
        if with_token && state.token_refused {
            return Err(Duration::MAX);
        }
        let blocked_for = state.blocked_until.saturating_sub(now);
        if !blocked_for.is_zero() {
            return Err(blocked_for);
        }
        if state.probing {
            return Err(Duration::MAX);
        }
        let is_token_proven =
            state.token_proven_at.is_some_and(|at| now.saturating_sub(at) < TOKEN_PROOF_LIFETIME);
        if with_token && !is_token_proven && state.with_token >= MAX_UNPROVEN_IN_FLIGHT {
            return Err(Duration::MAX);
        }
        while state.answered.front().is_some_and(|at| now.saturating_sub(*at) >= GLOBAL_WINDOW) {
            state.answered.pop_front();
        }
        if state.in_flight + state.answered.len() >= GLOBAL_LIMIT {
            let oldest = state.answered.front();
            return Err(oldest.map_or(Duration::MAX, |at| (*at + GLOBAL_WINDOW).saturating_sub(now)));
        }
        state.in_flight += 1;
        state.with_token += usize::from(with_token);
        state.probing = state.blocked_reason.is_some();
        Ok(Permit { breaker: self.clone(), probe: state.probing, with_token })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }
}

impl State {
    /// How long to pause, if there were too many refusals by `now`.
    fn too_many(&mut self, now: Duration) -> Option<Duration> {
        while self.refused.front().is_some_and(|at| now.saturating_sub(*at) >= REFUSAL_WINDOW) {
            self.refused.pop_front();
        }
        let over = self.refused.len().checked_sub(REFUSALS)?;
        // Wait until enough refusals have left the window to be below the limit again.
        self.refused.get(over).map(|at| (*at + REFUSAL_WINDOW).saturating_sub(now))
    }
}

impl Permit {
    /// Records the outcome of the request.
    pub fn report(self, attempt: &Attempt) {
        // A 429 that is not a ban is one of Discord's rate limits.
        let is_discords = attempt.code.is_some() || attempt.status == Some(429);
        self.settle(is_discords, &attempt.outcome, attempt.counts_as_invalid());
    }

    /// Records a failure, and whether Discord counts it as a refusal.
    pub(super) fn failed(self, failure: DiscordFailure, is_refusal: bool) -> DiscordFailure {
        let is_discords = failure.code.is_some() || failure.status == Some(429);
        self.settle(is_discords, &failure.outcome, is_refusal);
        failure
    }

    /// Records whether an error was Discord's own, the outcome, and whether Discord counts it as a refusal.
    fn settle(self, is_discords: bool, outcome: &Outcome, is_refusal: bool) {
        let breaker = &self.breaker;
        match outcome {
            Outcome::Sent(_) => self.succeeded(),
            Outcome::Paused { scope: PauseScope::Account, .. } => {
                breaker.trip(OpenReason::Token, Duration::MAX)
            }
            Outcome::Paused { scope: PauseScope::Address, after } => {
                breaker.trip(OpenReason::Address, *after)
            }
            Outcome::Paused { scope: PauseScope::Ban, .. } => self.banned(),
            _ if is_discords => self.lift_block(),
            // Whatever answered the probe, it was not Discord.
            _ if self.probe => self.banned(),
            _ => {}
        }
        if is_refusal {
            let now = breaker.0.clock.elapsed();
            let span = {
                let mut state = breaker.locked();
                state.refused.push_back(now);
                state.too_many(now)
            };
            if let Some(span) = span {
                breaker.trip(OpenReason::Refusals, span);
            }
        }
    }
}

impl Permit {
    /// Records a success.
    pub(super) fn report_success(self) {
        self.succeeded();
    }

    fn succeeded(&self) {
        self.lift_block();
        self.breaker.0.successes.send_modify(|count| *count += 1);
    }

    /// Blocks requests until the next probe. Requests sent together with the one that triggered the block add no
    /// evidence.
    fn banned(&self) {
        let now = self.breaker.0.clock.elapsed();
        let span = {
            let mut state = self.breaker.locked();
            if !self.probe && (state.blocked_until > now || state.blocked_reason.is_some()) {
                return;
            }
            state.bans = state.bans.saturating_add(1);
            schedule::probe(state.bans)
        };
        self.breaker.trip(OpenReason::Address, span);
    }

    /// Ends a block after a response by Discord itself.
    fn lift_block(&self) {
        let breaker = &self.breaker;
        let now = breaker.0.clock.elapsed();
        let mut state = breaker.locked();
        if self.with_token {
            state.token_proven_at = Some(now);
        }
        // A request that was sent before the block does not lift it while it lasts.
        if self.probe || state.blocked_until <= now {
            state.blocked_reason = None;
            state.bans = 0;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        {
            let now = self.breaker.0.clock.elapsed();
            let mut state = self.breaker.locked();
            state.in_flight = state.in_flight.saturating_sub(1);
            state.with_token = state.with_token.saturating_sub(usize::from(self.with_token));
            state.answered.push_back(now);
            if self.probe {
                state.probing = false;
            }
        }
        self.breaker.notify();
    }
}

#[cfg(test)]
mod tests;
