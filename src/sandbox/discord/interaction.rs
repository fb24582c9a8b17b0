//! Interactions as tests see them: the outcome of each, and ephemeral messages.

use serde_json::Value;

use super::Discord;
use super::model::FIRST_ANSWER;
use crate::sandbox::Snowflake;

impl Discord {
    /// The outcome of an interaction, as last sent to the page: `{id, user_id, channel_id, nonce, type, state, …}`,
    /// where `state` is `opened`, `answered`, `deferred`, `modal`, `autocomplete` or `failed`.
    #[must_use]
    pub fn interaction(&self, id: Snowflake) -> Option<Value> {
        self.state().world.interaction(id).map(|found| found.outcome().clone())
    }

    /// The ephemeral messages of this user, oldest first.
    #[must_use]
    pub fn ephemerals(&self, user: Snowflake) -> Vec<Value> {
        let state = self.state();
        let mine = state.world.ephemerals().filter(|(only, _)| *only == user);
        mine.map(|(_, message)| message).collect()
    }

    /// Sends an interaction to the application again; the last one if none is named. Returns whether it is known.
    pub fn replay_interaction(&self, interaction: Option<Snowflake>) -> bool {
        self.change(|world, _| world.replay(interaction))
    }

    /// Marks an interaction as failed if it has no answer after three seconds.
    pub(super) fn watch(&self, interaction: Snowflake) {
        let until = self.clock().elapsed() + FIRST_ANSWER;
        let discord = self.clone();
        // Interactions begin with requests, which run in a runtime.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                discord.clock().sleep_until_elapsed(until).await;
                discord.change(|world, _| world.expire(interaction));
            });
        }
    }
}
