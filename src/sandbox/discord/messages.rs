//! Reading channels without the API and its permissions.
//!
//! A message object is large and made anew for each reader, so whoever waits for one message asks for that one.

use serde_json::Value;

use super::Discord;
use crate::sandbox::Snowflake;

impl Discord {
    /// The messages of a channel as Discord's message objects, oldest first; empty if the channel is unknown.
    #[must_use]
    pub fn messages(&self, channel: Snowflake) -> Vec<Value> {
        self.messages_from(channel, 0)
    }

    /// The messages of a channel without its oldest `skipped`, oldest first.
    #[must_use]
    pub fn messages_from(&self, channel: Snowflake, skipped: usize) -> Vec<Value> {
        let state = self.state();
        let limit = state.world.message_count(channel).saturating_sub(skipped);
        state.world.history(channel, limit)
    }

    /// How many messages a channel holds.
    #[must_use]
    pub fn message_count(&self, channel: Snowflake) -> usize {
        self.state().world.message_count(channel)
    }

    /// A message of a channel as it is now, if it exists.
    #[must_use]
    pub fn message(&self, channel: Snowflake, id: Snowflake) -> Option<Value> {
        let state = self.state();
        let (channel, message) = state.world.find(channel, id).ok()?;
        Some(state.world.message_object(channel, message))
    }

    /// Waits until the channel holds at least `at_least` messages and returns all of them, oldest first.
    pub async fn wait_for_messages(&self, channel: Snowflake, at_least: usize) -> Vec<Value> {
        self.wait_until(|discord| {
            (discord.message_count(channel) >= at_least).then(|| discord.messages(channel))
        })
        .await
    }
}
