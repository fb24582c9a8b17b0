//! Messages in channels: posting, editing and reading them.

use std::time::Duration;

use reqwest::Method;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::discord::answer::{self, Answer, Creation};
use crate::discord::bucket::{BucketRoute, Share};
use crate::discord::{Client, DiscordFailure, Permit};
use crate::model::{Attempt, Nonce, Outcome, Receipt, Snowflake};

/// How many messages are read back (Discord: "Get Channel Messages", `limit` ≤ 100).
const READ_BACK: u8 = 100;

/// The body of "Create Message": the content, and the nonce that makes a repetition the same message.
#[derive(Serialize)]
struct Create<'a, B> {
    #[serde(flatten)]
    body: &'a B,
    nonce: &'a str,
    enforce_nonce: bool,
}

impl Client {
    /// Posts `body` to `channel` (Discord: "Create Message"). While Discord remembers the nonce, a repetition returns
    /// the first message instead of posting a second one. `is_repeat`: whether an earlier try may have arrived.
    pub async fn create_message<B: Serialize + Sync>(
        &self,
        channel: Snowflake,
        nonce: &Nonce,
        body: &B,
        is_repeat: bool,
    ) -> Attempt {
        let create = Create { body, nonce: nonce.as_str(), enforce_nonce: true };
        let create = serde_json::to_value(create).unwrap_or_default();
        let path = format!("/channels/{channel}/messages");
        let request = self.request(Method::POST, &path);
        let outcome = |answer: &Answer| {
            let (nonce, content) = (nonce.as_str(), create["content"].as_str());
            // This response may be the first that reveals whether the server is Discord.
            let is_discord = self.transport().leads_to_discord();
            let outcome = answer.outcome(&Creation { channel, nonce, content, is_repeat, is_discord });
            if matches!(outcome, Outcome::Sent(Receipt::Message { message: Some(_), .. })) {
                self.hear_time(answer);
            }
            outcome
        };
        self.transport().attempt(create_in(channel), request, &create, outcome).await
    }

    /// Replaces one of our messages with `body` (Discord: "Edit Message"). Omitted fields keep their old value, so
    /// `body` should omit nothing. The edit is idempotent.
    pub async fn edit_message<B: Serialize + Sync>(
        &self,
        channel: Snowflake,
        message: Snowflake,
        body: &B,
    ) -> Attempt {
        let path = format!("/channels/{channel}/messages/{message}");
        let outcome = |answer: &Answer| answer.edit_outcome(channel, message);
        let request = self.request(Method::PATCH, &path);
        self.transport().attempt(edit_in(channel), request, body, outcome).await
    }

    /// How long the next message to `channel` should wait for its bucket.
    #[must_use]
    pub fn ready_in(&self, channel: Snowflake, share: Share) -> Duration {
        self.transport().ready_in(create_in(channel), share)
    }

    /// How long the next edit in `channel` should wait for its bucket.
    #[must_use]
    pub fn ready_to_edit_in(&self, channel: Snowflake, share: Share) -> Duration {
        self.transport().ready_in(edit_in(channel), share)
    }

    /// Fetches the newest messages of `channel` (Discord: "Get Channel Messages").
    pub async fn recent_messages(
        &self,
        permit: Permit,
        channel: Snowflake,
    ) -> Result<MessagePage, DiscordFailure> {
        let path = format!("/channels/{channel}/messages?limit={READ_BACK}");
        let messages: Vec<Posted> = self.get(permit, &path).await?;
        Ok(MessagePage { is_whole: messages.len() < usize::from(READ_BACK), messages })
    }
}

/// One page with the newest messages of a channel.
#[derive(Clone, Debug, Default)]
pub struct MessagePage {
    /// The messages, in Discord's order.
    pub messages: Vec<Posted>,
    /// Whether there are no older messages.
    pub is_whole: bool,
}

/// A message read back from its channel: the fields that identify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The message's id.
    pub id: Snowflake,
    /// The author's user id, if the message names one.
    pub author: Option<Snowflake>,
    /// The message's own timestamp: ids encode the time only on the real Discord.
    pub at: Timestamp,
    /// The nonce that it was posted with. Reads need not return it.
    pub nonce: Option<String>,
    /// The message's text content.
    pub content: String,
    /// The footer texts of its embeds.
    pub footers: Vec<String>,
    /// The message that it replies to.
    pub answers: Option<Snowflake>,
}

impl Posted {
    /// Parses a message object; `None` if `message` is not one.
    #[must_use]
    pub fn read(message: &Value) -> Option<Self> {
        let id = answer::id_of(message.get("id")?)?;
        let embeds = message["embeds"].as_array().into_iter().flatten();
        Some(Self {
            id,
            author: answer::id_of(&message["author"]["id"]),
            at: message["timestamp"]
                .as_str()
                .and_then(Timestamp::parse_rfc3339)
                .unwrap_or_else(|| id.created_at()),
            nonce: message["nonce"].as_str().map(str::to_owned),
            content: message["content"].as_str().unwrap_or_default().to_owned(),
            footers: embeds.filter_map(|embed| Some(embed["footer"]["text"].as_str()?.to_owned())).collect(),
            answers: answer::id_of(&message["message_reference"]["message_id"]),
        })
    }
}

impl<'de> Deserialize<'de> for Posted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no message"))
    }
}

const fn create_in(channel: Snowflake) -> BucketRoute {
    BucketRoute { template: "POST /channels/{channel}/messages", major: channel }
}

const fn edit_in(channel: Snowflake) -> BucketRoute {
    BucketRoute { template: "PATCH /channels/{channel}/messages/{message}", major: channel }
}
