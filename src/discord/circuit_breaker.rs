//! The gate that every request passes: shut while Discord wants nothing from this address or with this token.
//!
//! It is a circuit breaker: after a pause one request goes first and finds out; the others follow when it came through.
//! So a ban that lasts is met with one request a pause, not with one a lane. Only Discord's own answer counts as come
//! through; one that meets anything else is followed by the next after 5, 10, 20, 40, 60 s. It also keeps to Discord's global limit, and stops far below
//! the number of refusals that Discord answers with a ban. Nothing waits while holding the lock.
//!
//! It tells nobody: whoever wants to know follows [`CircuitBreaker::changes`] and asks how it [stands](Gate::standing).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::discord::Failure;
use crate::model::{Attempt, Outcome, PauseScope, schedule};

/// Discord: "Rate Limits", global: 50 requests a second.
const GLOBAL_LIMIT: usize = 50;
const GLOBAL_WINDOW: Duration = Duration::from_secs(1);
/// Discord bans an address after 10,000 refusals in 10 minutes ("Invalid Request Limit"). We stop at a tenth.
pub const REFUSALS: usize = 1_000;
/// The ten minutes in which refusals are counted.
pub const REFUSAL_WINDOW: Duration = Duration::from_secs(600);

/// How long an answer vouches for the token.
const VOUCHED_FOR: Duration = Duration::from_secs(10);
/// How many requests may be on their way while no answer vouches for the token: as many as find out that it was revoked,
/// however many lanes have something to send.
const UNVOUCHED: usize = 3;

/// Why the gate is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenReason {
    /// The token was refused: it is not used again by this process, for repeating it leads to a ban.
    Token,
    /// Discord, or the wall before it, wants nothing from this address for a while.
    Address,
    /// There were so many refusals that more would lead to a ban.
    Refusals,
}

/// How the gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests come through.
    Open,
    /// It is shut, or nobody has come through since it was.
    OpenReason {
        /// Why.
        why: OpenReason,
        /// For how long still; zero while somebody finds out.
        left: Duration,
    },
}

/// What all requests with one token share. Clones share it.
#[derive(Clone, Debug)]
pub struct CircuitBreaker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    state: Mutex<State>,
    /// Bumped whenever whoever waits or watches should look again.
    changed: watch::Sender<u64>,
    /// How many requests brought what they were sent for.
    successes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// Shut until this time of the clock's [`Clock::elapsed`].
    shut_until: Duration,
    /// Why it was shut; `None` once somebody has come through.
    suspicion: Option<OpenReason>,
    /// Whether somebody is finding out.
    probing: bool,
    /// How many in a row found out that nobody comes through.
    bans: u32,
    /// Whether the token was refused. That is for good, and only for those that carry it.
    token_refused: bool,
    /// How many requests are on their way.
    in_flight: usize,
    /// How many of them carry the token.
    with_token: usize,
    /// When an answer came last that only a valid token gets.
    vouched: Option<Duration>,
    /// When the requests of the last second were answered. A place is free again a second after the answer, not after
    /// the request: between the two nobody knows when Discord counted it.
    answered: VecDeque<Duration>,
    /// When the refusals of the last ten minutes came.
    refused: VecDeque<Duration>,
}

/// A request that was let through. Whoever holds it reports what came of it; dropped without that, it counts as not
/// come through.
#[derive(Debug)]
pub struct Permit {
    gate: CircuitBreaker,
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

    /// Shuts the gate for `span`; a gate that is shut for longer stays so. For a refused token it is shut for ever, but
    /// only to those that carry it.
    pub fn shut(&self, why: OpenReason, span: Duration) {
        let until = self.0.clock.elapsed().saturating_add(span);
        {
            let mut state = self.state();
            if why == OpenReason::Token {
                state.token_refused = true;
            } else if until >= state.shut_until {
                state.shut_until = until;
                state.suspicion = Some(why);
            }
        }
        self.bump();
    }

    /// Counts refusals that an earlier process met, each by how long ago it was, the oldest first.
    pub fn recall(&self, refusals: impl IntoIterator<Item = Duration>) {
        let now = self.0.clock.elapsed();
        // This clock may have begun later than the refusal came: counted from its beginning, it is counted longer.
        let earlier: VecDeque<Duration> = refusals.into_iter().map(|ago| now.saturating_sub(ago)).collect();
        let span = {
            let mut state = self.state();
            state.refused = earlier;
            state.too_many(now)
        };
        if let Some(span) = span {
            self.shut(OpenReason::Refusals, span);
        }
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> BreakerState {
        let now = self.0.clock.elapsed();
        let state = self.state();
        match state.suspicion {
            Some(why) => BreakerState::OpenReason { why, left: state.shut_until.saturating_sub(now) },
            None if state.token_refused => {
                BreakerState::OpenReason { why: OpenReason::Token, left: Duration::MAX }
            }
            None => BreakerState::Open,
        }
    }

    /// Changes whenever the gate may stand otherwise.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Counts the requests that brought what they were sent for.
    #[must_use]
    pub fn successes(&self) -> watch::Receiver<u64> {
        self.0.successes.subscribe()
    }

    /// Waits until a request with the token may leave.
    pub async fn pass(&self) -> Permit {
        self.pass_as(true).await
    }

    /// Waits until a request may leave that carries no token of ours.
    pub async fn pass_without_token(&self) -> Permit {
        self.pass_as(false).await
    }

    async fn pass_as(&self, with_token: bool) -> Permit {
        let mut changed = self.changes();
        loop {
            changed.mark_unchanged();
            match self.try_pass_as(with_token) {
                Ok(pass) => return pass,
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

    /// Lets a request with the token through, or says how long to wait; [`Duration::MAX`] if that depends on others.
    pub fn try_pass(&self) -> Result<Permit, Duration> {
        self.try_pass_as(true)
    }

    /// The same for one that carries no token of ours.
    pub fn try_pass_without_token(&self) -> Result<Permit, Duration> {
        self.try_pass_as(false)
    }

    fn try_pass_as(&self, with_token: bool) -> Result<Permit, Duration> {
        let now = self.0.clock.elapsed();
        let mut state = self.state();
        if with_token && state.token_refused {
            return Err(Duration::MAX);
        }
        let shut_for = state.shut_until.saturating_sub(now);
        if !shut_for.is_zero() {
            return Err(shut_for);
        }
        if state.probing {
            return Err(Duration::MAX);
        }
        let vouched = state.vouched.is_some_and(|at| now.saturating_sub(at) < VOUCHED_FOR);
        if with_token && !vouched && state.with_token >= UNVOUCHED {
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
        state.probing = state.suspicion.is_some();
        Ok(Permit { gate: self.clone(), probe: state.probing, with_token })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bump(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }
}

impl State {
    /// How long to stop, if there were too many refusals by `now`.
    fn too_many(&mut self, now: Duration) -> Option<Duration> {
        while self.refused.front().is_some_and(|at| now.saturating_sub(*at) >= REFUSAL_WINDOW) {
            self.refused.pop_front();
        }
        let over = self.refused.len().checked_sub(REFUSALS)?;
        // When the one has left the window with which there are fewer again.
        self.refused.get(over).map(|at| (*at + REFUSAL_WINDOW).saturating_sub(now))
    }
}

impl Permit {
    /// Takes in what came of the request.
    pub fn report(self, attempt: &Attempt) {
        // A 429 that was no ban is a limit of Discord's.
        let is_discords = attempt.code.is_some() || attempt.status == Some(429);
        self.settle(is_discords, &attempt.outcome, attempt.counts_as_invalid());
    }

    /// Takes in that it failed, and whether Discord counts it as a refusal.
    pub(super) fn failed(self, failure: Failure, is_refusal: bool) -> Failure {
        let is_discords = failure.code.is_some() || failure.status == Some(429);
        self.settle(is_discords, &failure.outcome, is_refusal);
        failure
    }

    /// Takes in whether an error was Discord's own, its outcome, and whether Discord counts it as a refusal.
    fn settle(self, is_discords: bool, outcome: &Outcome, is_refusal: bool) {
        let gate = &self.gate;
        match outcome {
            Outcome::Sent(_) => self.succeeded(),
            Outcome::Paused { scope: PauseScope::Account, .. } => gate.shut(OpenReason::Token, Duration::MAX),
            Outcome::Paused { scope: PauseScope::Address, after } => gate.shut(OpenReason::Address, *after),
            Outcome::Paused { scope: PauseScope::Ban, .. } => self.banned(),
            _ if is_discords => self.open(),
            // Whatever it met, it did not come through to Discord.
            _ if self.probe => self.banned(),
            _ => {}
        }
        if is_refusal {
            let now = gate.0.clock.elapsed();
            let span = {
                let mut state = gate.state();
                state.refused.push_back(now);
                state.too_many(now)
            };
            if let Some(span) = span {
                gate.shut(OpenReason::Refusals, span);
            }
        }
    }
}

impl Permit {
    /// It brought what was asked for.
    pub(super) fn came_through(self) {
        self.succeeded();
    }

    fn succeeded(&self) {
        self.open();
        self.gate.0.successes.send_modify(|count| *count += 1);
    }

    /// Shuts the gate until the next probe. What left together with the request that shut it says nothing new.
    fn banned(&self) {
        let now = self.gate.0.clock.elapsed();
        let span = {
            let mut state = self.gate.state();
            if !self.probe && (state.shut_until > now || state.suspicion.is_some()) {
                return;
            }
            state.bans = state.bans.saturating_add(1);
            schedule::probe(state.bans)
        };
        self.gate.shut(OpenReason::Address, span);
    }

    fn open(&self) {
        let gate = &self.gate;
        let now = gate.0.clock.elapsed();
        let mut state = gate.state();
        if self.with_token {
            state.vouched = Some(now);
        }
        // What was on its way before the gate was shut does not open it.
        if self.probe || state.shut_until <= now {
            state.suspicion = None;
            state.bans = 0;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        {
            let now = self.gate.0.clock.elapsed();
            let mut state = self.gate.state();
            state.in_flight = state.in_flight.saturating_sub(1);
            state.with_token = state.with_token.saturating_sub(usize::from(self.with_token));
            state.answered.push_back(now);
            if self.probe {
                state.probing = false;
            }
        }
        self.gate.bump();
    }
}

#[cfg(test)]
mod tests;
