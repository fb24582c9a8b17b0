//! Detection of another program with the same token: it answers clicks and commands that this process also receives.
//!
//! Discord's gateway may deliver an interaction twice by itself, after a resume, and then our own second answer is
//! refused (40060). So that code counts only for an interaction that this process received once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::bot::responder::ResponseError;
use crate::clock::Clock;
use crate::hub::{Condition, Hub, TOKEN_SHARED};

/// How many interactions are remembered. A refused answer shows within seconds.
const REMEMBERED: usize = 256;
/// Time without a refused answer after which the warning ends.
const QUIET: Duration = Duration::from_secs(3600);

/// Detects another program with this token.
pub(super) struct Rival {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Interactions that this process received, oldest first, and whether each came again.
    seen: VecDeque<(u64, bool)>,
    /// When an answer was last refused because of another program.
    noticed: Option<Duration>,
}

impl Rival {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Records an interaction. Its arrival also proves that Discord sends interactions to the gateway.
    pub(super) fn record_interaction(&self, hub: &Hub, interaction: u64) {
        hub.conditions().clear(Condition::InteractionsElsewhere);
        let mut state = self.state();
        if let Some((_, again)) = state.seen.iter_mut().find(|(known, _)| *known == interaction) {
            *again = true;
            return;
        }
        if state.seen.len() == REMEMBERED {
            state.seen.pop_front();
        }
        state.seen.push_back((interaction, false));
    }

    /// Records that the first answer to an interaction failed.
    pub(super) fn refused(&self, hub: &Hub, interaction: u64, error: &ResponseError) {
        if !error.is_answered_already() {
            return;
        }
        let is_ours = {
            let mut state = self.state();
            let is_ours = !state.seen.iter().any(|(known, again)| *known == interaction && !again);
            if !is_ours {
                state.noticed = Some(self.clock.elapsed());
            }
            is_ours
        };
        if !is_ours && hub.conditions().raise(Condition::TokenShared, TOKEN_SHARED) {
            tracing::warn!("{TOKEN_SHARED}");
        }
    }

    /// Clears the warning after [`QUIET`] without a refused answer.
    pub(super) fn settle(&self, hub: &Hub) {
        let now = self.clock.elapsed();
        let is_over = self.state().noticed.is_some_and(|noticed| now.saturating_sub(noticed) >= QUIET);
        if is_over && hub.conditions().clear(Condition::TokenShared) {
            tracing::info!("no other program has answered for the bot for {} min", QUIET.as_secs() / 60);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
