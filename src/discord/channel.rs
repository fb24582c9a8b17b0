//! Channels and threads as Discord objects: fetching them, creating channels, and unarchiving threads.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::discord::{Client, DiscordFailure, Permit, answer};
use crate::model::Snowflake;

/// Forums and media channels hold posts, categories hold channels (Discord: "Channel Types").
const WITHOUT_MESSAGES: [u8; 4] = [4, 14, 15, 16];

/// The fields of a channel or thread that matter for posting to it (Discord: "Channel Object").
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChannelObject {
    /// A response with another id, or none, is not the response to this request.
    #[serde(deserialize_with = "answer::id")]
    id: Snowflake,
    /// The channel type (Discord: "Channel Types").
    #[serde(rename = "type", default)]
    pub kind: u8,
    /// The channel's name; `None` if Discord leaves it out.
    #[serde(default)]
    pub name: Option<String>,
    /// The guild that the channel is in; `None` for direct messages.
    #[serde(default)]
    pub guild_id: Option<Snowflake>,
    /// For a thread: the channel it belongs to. For a channel: its category.
    #[serde(default)]
    pub parent_id: Option<Snowflake>,
    /// The newest message's id. Visible without permission to read messages.
    #[serde(default)]
    pub last_message_id: Option<Snowflake>,
    /// Only for threads.
    #[serde(default)]
    thread_metadata: Option<Thread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Thread {
    #[serde(default)]
    locked: bool,
}

impl ChannelObject {
    /// Whether it is a thread in which only moderators may write.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.thread_metadata.is_some_and(|thread| thread.locked)
    }

    /// Whether it can hold messages, permissions aside.
    #[must_use]
    pub fn takes_messages(&self) -> bool {
        !WITHOUT_MESSAGES.contains(&self.kind) && !self.is_locked()
    }
}

impl Client {
    /// Fetches a channel (Discord: "Get Channel").
    pub async fn channel(&self, permit: Permit, channel: Snowflake) -> Result<ChannelObject, DiscordFailure> {
        let place = self.get(permit, &format!("/channels/{channel}")).await?;
        self.is_about(channel, place)
    }

    /// Reopens an archived thread (Discord: "Modify Channel").
    pub async fn unarchive(&self, permit: Permit, thread: Snowflake) -> Result<(), DiscordFailure> {
        let body = json!({"archived": false});
        let path = format!("/channels/{thread}");
        let place = self.ask::<_, ChannelObject>(permit, Method::PATCH, &path, Some(&body)).await?;
        self.is_about(thread, place).map(drop)
    }

    /// Creates a text channel in a guild and returns its id (Discord: "Create Guild Channel").
    pub async fn make_channel(
        &self,
        permit: Permit,
        server: Snowflake,
        name: &str,
    ) -> Result<Snowflake, DiscordFailure> {
        let body = json!({"name": name, "type": 0});
        let made: ChannelObject =
            self.ask(permit, Method::POST, &format!("/guilds/{server}/channels"), Some(&body)).await?;
        Ok(made.id)
    }

    /// Rejects a response about another channel: it belongs to another request.
    fn is_about(&self, channel: Snowflake, place: ChannelObject) -> Result<ChannelObject, DiscordFailure> {
        if place.id == channel {
            return Ok(place);
        }
        self.transport().distrust();
        Err(DiscordFailure::stale())
    }
}
