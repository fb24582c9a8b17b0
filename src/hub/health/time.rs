//! Clock monitoring: whether this machine's clock is right, and what is on hold while that is unknown.
//!
//! Durations are in steady time and are not affected. Appointments (mutes, expiry) use a proven time where the wall
//! clock differs from it, and after a start they wait for one. Retention is on hold while the clock is in doubt: a
//! removal cannot be undone. The clock counts as wrong when it differs from Discord's by more than 30 s, or when it
//! jumped that far and no later source has confirmed it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Moment, TOLERANCE, Timestamp, Witness, differ};
use crate::hub::{Condition, Hub, error};
use crate::model::{AuditEntry, By, Problem};
use crate::store::Result;

/// Check interval of the clock.
const LOOK: Duration = Duration::from_secs(1);
/// Precision of a comparison of the wall clock with steady time.
const INEXACT: Duration = Duration::from_millis(500);
/// A change of the steady time's lead is persisted from this size on, in milliseconds.
const WORTH_KEEPING: u64 = 1_000;
/// Without a proven time: the gap after the newest event beyond which retention is on hold.
const SILENCE: Duration = Duration::from_secs(7 * 86_400);
/// Key of the newest event before the clock came into doubt.
const DOUBTED: &str = "clock.doubted";

/// State of the clock check.
#[derive(Debug, Default)]
pub(in crate::hub) struct Time(Mutex<State>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Whether this process makes requests to Discord, whose answers prove the time.
    has_witness: bool,
    /// Lead of steady time over the wall clock, in milliseconds, when the clock was last known to be right.
    right: i64,
    /// The lead at the last check.
    last: i64,
    /// The lead as persisted.
    kept: i64,
    /// When the clock was last seen to be set, by [`Clock::elapsed`](crate::clock::Clock::elapsed).
    set_at: Option<Duration>,
    /// The wall clock's time at that moment.
    showed: Timestamp,
    /// The newest event from before this start.
    newest: Option<Timestamp>,
}

impl State {
    /// How far the clock has jumped since it was known to be right, in milliseconds.
    const fn jumped(&self) -> i64 {
        self.right.saturating_sub(self.last)
    }
}

/// Whether a difference exceeds the tolerance; the two clocks are not read at the very same moment.
fn is_far(millis: i64) -> bool {
    Duration::from_millis(millis.unsigned_abs()) > TOLERANCE + INEXACT
}

const fn lead(now: Moment) -> i64 {
    now.steady.as_millis().saturating_sub(now.wall.as_millis())
}

impl Hub {
    /// Assumes that the clock is right until there is evidence. `has_witness`: whether this process will make
    /// requests to Discord. Called once, by the composition root.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn trust_clock(&self, has_witness: bool) -> Result<()> {
        let newest = match self.0.store.meta(DOUBTED).await?.and_then(|millis| millis.parse().ok()) {
            Some(millis) => Some(Timestamp::from_millis(millis)),
            None => self.0.store.newest_event().await?.map(|(_, at)| at),
        };
        let lead = lead(self.0.clock.moment());
        let known = State { has_witness, right: lead, last: lead, kept: lead, newest, ..State::default() };
        *self.time() = known;
        Ok(())
    }

    /// Checks the clock each second. Never returns.
    pub async fn watch_clock(&self) {
        loop {
            self.0.clock.sleep(LOOK).await;
            self.check_clock().await;
        }
    }

    /// Whether Discord should be asked for the time: the clock was set after the last proof.
    #[must_use]
    pub fn wants_time(&self) -> bool {
        let state = *self.time();
        state.has_witness && state.set_at.is_some_and(|at| !self.is_proven_since(at))
    }

    /// Whether appointments wait: after a start, until there is a first proof of the time.
    pub(in crate::hub) fn appointments_wait(&self) -> bool {
        self.time().has_witness && self.0.clock.proof().is_none()
    }

    /// Records that an operator confirms this machine's clock. A running `nuncio serve` picks it up within a second.
    ///
    /// # Errors
    /// [`Error::Forbidden`](error::Error::Forbidden), or the database cannot be written.
    pub async fn confirm_clock(&self, by: &By) -> error::Result<()> {
        self.authorize(by, "clock").await?;
        let at = self.0.clock.now();
        let entry = AuditEntry { detail: format!("it shows {}", at.to_rfc3339()), ..by.entry("clock") };
        Ok(self.0.store.confirm_clock(at, entry).await?)
    }

    /// Why retention must be on hold now, if it must; a sentence that says what to do.
    pub(in crate::hub) async fn doubts_clock(&self) -> Result<Option<String>> {
        let (state, clock) = (*self.time(), &self.0.clock);
        let now = clock.moment();
        let because = match clock.proof() {
            Some(proof) => {
                let proven = proof.at(clock.elapsed());
                differ(proven, now.wall).then(|| format!("Discord's shows {}", proven.to_rfc3339()))
            }
            None => state.newest.filter(|newest| now.wall.since(*newest) > SILENCE).map(|newest| {
                format!("the newest event from before the start came at {}", newest.to_rfc3339())
            }),
        };
        let doubted = because.as_ref().and(state.newest);
        if doubted.is_some() != self.0.store.meta(DOUBTED).await?.is_some_and(|text| !text.is_empty()) {
            let text = doubted.map(|at| at.as_millis().to_string()).unwrap_or_default();
            self.0.store.set_meta(DOUBTED, text).await?;
        }
        Ok(because.map(|because| {
            format!(
                "Nothing old is removed: the clock of this machine shows {}, and {because}. Set the clock right \
                 (`timedatectl` says whether NTP keeps it). If it is right, run: nuncio clock confirm",
                now.wall.to_rfc3339()
            )
        }))
    }

    async fn check_clock(&self) {
        let now = self.0.clock.moment();
        let (before, after) = {
            let mut state = self.time();
            let before = *state;
            state.last = lead(now);
            if is_far(before.last.saturating_sub(state.last)) {
                state.set_at = Some(self.0.clock.elapsed());
                state.showed = now.wall;
            }
            (before, *state)
        };
        if before.set_at != after.set_at {
            if self.0.clock.proof().is_some_and(|proof| proof.witness == Witness::Person) {
                self.0.clock.forget_proof();
            }
            if is_far(after.jumped()) {
                tracing::warn!("{}", jumped(&after));
            }
        }
        if after.kept.abs_diff(after.last) > WORTH_KEEPING {
            match self.0.store.keep_lead(after.last).await {
                Ok(()) => self.time().kept = after.last,
                Err(error) => tracing::debug!(%error, "how the clock was set is saved a second later"),
            }
        }
        if self.conditions().holds(Condition::ClockWrong) || self.conditions().holds(Condition::RetentionHeld)
        {
            self.apply_confirmation().await;
        }
        self.update_clock_condition();
        if self.conditions().holds(Condition::RetentionHeld) && matches!(self.doubts_clock().await, Ok(None))
        {
            self.conditions().clear(Condition::RetentionHeld);
            tracing::info!("the clock is right again: old events are removed as usual");
        }
    }

    /// Applies an operator's confirmation of the clock.
    async fn apply_confirmation(&self) {
        let Ok(Some(confirmed)) = self.0.store.clock_confirmed().await else { return };
        let now = self.0.clock.now();
        // An older confirmation was about another setting of the clock.
        if !differ(confirmed, now) {
            self.0.clock.prove(Witness::Person, now);
        }
    }

    /// Updates the `ClockWrong` condition.
    fn update_clock_condition(&self) {
        let now = self.0.clock.moment();
        let proof = self.0.clock.proof();
        let off =
            proof.map(|proof| proof.at(self.0.clock.elapsed())).filter(|proven| differ(*proven, now.wall));
        let state = {
            let mut state = self.time();
            let proven = proof.is_some_and(|proof| state.set_at.is_none_or(|at| proof.heard_at > at));
            if proven && off.is_none() {
                state.right = state.last;
            }
            *state
        };
        let sentence = match (is_far(state.jumped()), off) {
            (true, None) => Some(jumped(&state)),
            (true, Some(proven)) => Some(format!("{} {}", jumped(&state), differs(proven, now.wall))),
            (false, Some(proven)) => Some(differs(proven, now.wall)),
            (false, None) => None,
        };
        let raise = |sentence: &String| self.conditions().raise(Condition::ClockWrong, sentence.clone());
        match sentence {
            // A jump was logged when it was detected.
            Some(sentence) if raise(&sentence) && state.set_at.is_none() => tracing::warn!("{sentence}"),
            Some(_) => {}
            None if self.conditions().clear(Condition::ClockWrong) => {
                tracing::info!("the clock of this machine is right again");
            }
            None => {}
        }
    }

    fn is_proven_since(&self, at: Duration) -> bool {
        self.0.clock.proof().is_some_and(|proof| proof.heard_at > at)
    }

    fn time(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.time.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sentence for the operator: the clock jumped.
fn jumped(state: &State) -> String {
    let by = state.jumped();
    let way = if by < 0 { "back" } else { "forward" };
    format!(
        "The clock of this machine jumped {way} by {}, to {}. Waits go on as they were. Check NTP: `timedatectl` says \
         whether the clock is right (a machine that slept jumps forward). If it is right, run: nuncio clock confirm",
        span(by.unsigned_abs()),
        state.showed.to_rfc3339()
    )
}

/// The problem of a clock that differs by `millis` (positive: ahead) from that of `other`, which is right.
#[must_use]
pub fn clock_off(millis: i64, other: &str) -> Problem {
    let direction = if millis < 0 { "behind" } else { "ahead of" };
    Problem {
        code: Condition::ClockWrong.as_str(),
        found: format!(
            "The clock of this machine is {} {direction} {other}'s. Mutes and expiry go by Discord's, nothing old is \
             removed until they agree, and webhooks that are signed more than 5 min off are refused",
            span(millis.unsigned_abs())
        ),
        remedy: Some(
            "Let NTP set the clock (`timedatectl set-ntp true`; `timedatectl` shows whether it does)"
                .to_owned(),
        ),
    }
}

/// A sentence for the operator: the clock differs from Discord's.
fn differs(proven: Timestamp, wall: Timestamp) -> String {
    clock_off(wall.as_millis().saturating_sub(proven.as_millis()), "Discord").sentence()
}

/// For example "45 s", "60 min", "31 days".
fn span(millis: u64) -> String {
    let secs = (millis + 500) / 1000;
    match secs {
        ..120 => format!("{secs} s"),
        120..172_800 => format!("{} min", (secs + 30) / 60),
        _ => format!("{} days", (secs + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(31_400, "31 s")]
    #[case(3_600_000, "60 min")]
    #[case(86_399_600, "1440 min")]
    #[case(31 * 86_400_000, "31 days")]
    fn spans_in_words(#[case] millis: u64, #[case] expected: &str) {
        assert_eq!(span(millis), expected);
    }
}
