//! Another program with the same token: it answers clicks and commands that this process was told of, too.
//!
//! Discord's gateway may tell an interaction twice by itself, after a resume, and then our own second answer is refused
//! (40060). So that code counts only for an interaction that was told to this process once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::bot::http;
use crate::clock::Clock;
use crate::hub::{Condition, Hub, TOKEN_SHARED};

/// How many interactions are remembered. An answer is refused within seconds.
const REMEMBERED: usize = 256;
/// After how long without a refused answer nobody is warned any more.
const QUIET: Duration = Duration::from_secs(3600);

/// Notices another program with this token.
pub(super) struct Rival {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was told to this process, the oldest first, and whether it was told again.
    told: VecDeque<(u64, bool)>,
    /// When an answer was last refused for it.
    noticed: Option<Duration>,
}

impl Rival {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Discord told of an interaction: it sends them here.
    pub(super) fn told(&self, hub: &Hub, interaction: u64) {
        hub.conditions().clear(Condition::InteractionsElsewhere);
        let mut state = self.state();
        if let Some((_, again)) = state.told.iter_mut().find(|(known, _)| *known == interaction) {
            *again = true;
            return;
        }
        if state.told.len() == REMEMBERED {
            state.told.pop_front();
        }
        state.told.push_back((interaction, false));
    }

    /// The first answer to an interaction failed.
    pub(super) fn refused(&self, hub: &Hub, interaction: u64, error: &serenity::Error) {
        if http::code(error) != Some(http::ALREADY_ANSWERED) {
            return;
        }
        let is_ours = {
            let mut state = self.state();
            let is_ours = !state.told.iter().any(|(known, again)| *known == interaction && !again);
            if !is_ours {
                state.noticed = Some(self.clock.elapsed());
            }
            is_ours
        };
        if !is_ours && hub.conditions().raise(Condition::TokenShared, TOKEN_SHARED) {
            tracing::warn!("{TOKEN_SHARED}");
        }
    }

    /// Warns no more once it has long been quiet.
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
