//! Channels and threads themselves: whether they are there, and opening threads again.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::discord::{Client, Failure, Permit, answer};
use crate::model::Snowflake;

/// Forums and media channels hold posts, categories hold channels (Discord: "Channel Types").
const WITHOUT_MESSAGES: [u8; 4] = [4, 14, 15, 16];

/// What Discord says about a channel or thread, as far as it matters for writing there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// Its id: what names another channel, or none, is not the answer.
    #[serde(deserialize_with = "answer::id")]
    id: Snowflake,
    /// What kind of channel it is.
    #[serde(rename = "type", default)]
    pub kind: u8,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its server.
    #[serde(default)]
    pub guild_id: Option<Snowflake>,
    /// Of a thread: the channel it belongs to. Of a channel: its category.
    #[serde(default)]
    pub parent_id: Option<Snowflake>,
    /// Its newest message, whoever may read it.
    #[serde(default)]
    pub last_message_id: Option<Snowflake>,
    /// Of a thread: how it stands.
    #[serde(default)]
    thread_metadata: Option<Thread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Thread {
    #[serde(default)]
    locked: bool,
}

impl Place {
    /// Whether it is a thread in which only moderators may write.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.thread_metadata.is_some_and(|thread| thread.locked)
    }

    /// Whether messages can stand there, permissions aside.
    #[must_use]
    pub fn takes_messages(&self) -> bool {
        !WITHOUT_MESSAGES.contains(&self.kind) && !self.is_locked()
    }
}

impl Client {
    /// Asks for a channel (Discord: "Get Channel").
    pub async fn channel(&self, pass: Permit, channel: Snowflake) -> Result<Place, Failure> {
        let place = self.get(pass, &format!("/channels/{channel}")).await?;
        self.is_about(channel, place)
    }

    /// Opens an archived thread (Discord: "Modify Channel").
    pub async fn unarchive(&self, pass: Permit, thread: Snowflake) -> Result<(), Failure> {
        let body = json!({"archived": false});
        let path = format!("/channels/{thread}");
        let place = self.ask::<_, Place>(pass, Method::PATCH, &path, Some(&body)).await?;
        self.is_about(thread, place).map(drop)
    }

    /// Makes a text channel in a server (Discord: "Create Guild Channel"): its id.
    pub async fn make_channel(
        &self,
        pass: Permit,
        server: Snowflake,
        name: &str,
    ) -> Result<Snowflake, Failure> {
        let body = json!({"name": name, "type": 0});
        let made: Place =
            self.ask(pass, Method::POST, &format!("/guilds/{server}/channels"), Some(&body)).await?;
        Ok(made.id)
    }

    /// An answer about another channel was given to another request.
    fn is_about(&self, channel: Snowflake, place: Place) -> Result<Place, Failure> {
        if place.id == channel {
            return Ok(place);
        }
        self.transport().distrust();
        Err(Failure::stale())
    }
}
