//! Messages in channels.

use std::time::Duration;

use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::discord::answer::{self, Answer};
use crate::discord::bucket::Route;
use crate::discord::{Client, Failure, Pass};
use crate::model::{Attempt, Nonce, Snowflake};

/// How far back a channel is read (Discord: "Get Channel Messages", `limit` ≤ 100).
const READ_BACK: u8 = 100;

/// How far Discord's clock and ours may be apart.
const SKEW: Duration = Duration::from_secs(30);

/// The body of "Create Message": what is shown, and what makes a repetition the same message.
#[derive(Serialize)]
struct Create<'a, B> {
    #[serde(flatten)]
    body: &'a B,
    nonce: &'a str,
    enforce_nonce: bool,
}

impl Client {
    /// Posts `body` to `channel` (Discord: "Create Message"). Within Discord's memory of nonces, a repetition with the
    /// same nonce brings back the first message instead of a second one.
    pub async fn create_message<B: Serialize + Sync>(
        &self,
        channel: Snowflake,
        nonce: &Nonce,
        body: &B,
    ) -> Attempt {
        let create = Create { body, nonce: nonce.as_str(), enforce_nonce: true };
        let path = format!("/channels/{channel}/messages");
        let request = self.request(Method::POST, &path);
        self.wire().attempt(create_in(channel), request, &create, |answer| answer.outcome(channel)).await
    }

    /// Makes `body` the whole of a message of ours (Discord: "Edit Message"). What `body` leaves out stays, so it
    /// should leave out nothing. Doing it twice is doing it once.
    pub async fn edit_message<B: Serialize + Sync>(
        &self,
        channel: Snowflake,
        message: Snowflake,
        body: &B,
    ) -> Attempt {
        let path = format!("/channels/{channel}/messages/{message}");
        let outcome = |answer: &Answer| answer.edit_outcome(channel, message);
        let request = self.request(Method::PATCH, &path);
        self.wire().attempt(edit_in(channel), request, body, outcome).await
    }

    /// How long the next message to `channel` should wait for its bucket.
    #[must_use]
    pub fn ready_in(&self, channel: Snowflake) -> Duration {
        self.wire().ready_in(create_in(channel))
    }

    /// How long the next change of a message in `channel` should wait for its bucket.
    #[must_use]
    pub fn ready_to_edit_in(&self, channel: Snowflake) -> Duration {
        self.wire().ready_in(edit_in(channel))
    }

    /// Looks for a message of ours in `channel`, posted since `planned_at`: by its nonce, by one of `tags` in an embed's
    /// footer, as later reads need not repeat the nonce, or by its whole `content` where it has no embed (Discord: "Get
    /// Channel Messages").
    pub async fn find_message(
        &self,
        pass: Pass,
        channel: Snowflake,
        nonce: &Nonce,
        tags: &[String],
        content: Option<&str>,
        planned_at: Timestamp,
    ) -> Result<Look, Failure> {
        let path = format!("/channels/{channel}/messages?limit={READ_BACK}");
        let messages: Vec<Value> = self.get(pass, &path).await?;
        let ours = |message: &&Value| {
            let by_nonce = message["nonce"].as_str() == Some(nonce.as_str());
            let footers = message["embeds"].as_array().into_iter().flatten();
            let by_content = content.is_some_and(|content| message["content"].as_str() == Some(content));
            by_nonce
                || by_content
                || footers
                    .filter_map(|embed| embed["footer"]["text"].as_str())
                    .any(|footer| tags.iter().any(|tag| footer.contains(tag.as_str())))
        };
        let earliest = planned_at.minus(SKEW);
        let since = |message: &&Value| posted_at(message).is_none_or(|at| at >= earliest);
        let found = messages.iter().filter(ours).find(since);
        if let Some(found) = found.and_then(|message| answer::id_of(&message["id"])) {
            return Ok(Look::Found(found));
        }
        let reaches_back = messages.len() < usize::from(READ_BACK)
            || messages.iter().any(|message| posted_at(message).is_some_and(|at| at < earliest));
        // Without Read Message History Discord shows an empty channel instead of refusing.
        Ok(if messages.is_empty() || !reaches_back { Look::Unclear } else { Look::Absent })
    }
}

/// When a message was posted: as it says itself, for ids hold Discord's time at Discord only.
fn posted_at(message: &Value) -> Option<Timestamp> {
    let said = message["timestamp"].as_str().and_then(Timestamp::parse_rfc3339);
    said.or_else(|| answer::id_of(&message["id"]).map(Snowflake::created_at))
}

/// What a look into a channel brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It stands there.
    Found(Snowflake),
    /// It does not.
    Absent,
    /// Nothing was shown, or not enough: it may stand there.
    Unclear,
}

const fn create_in(channel: Snowflake) -> Route {
    Route { template: "POST /channels/{channel}/messages", major: channel }
}

const fn edit_in(channel: Snowflake) -> Route {
    Route { template: "PATCH /channels/{channel}/messages/{message}", major: channel }
}
