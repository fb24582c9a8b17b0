//! Messages in channels.

use std::time::Duration;

use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::discord::answer::{self, Answer};
use crate::discord::{Client, Failure, limits};
use crate::model::{Arrived, Attempt, Nonce, Outcome, Snowflake};

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
        self.attempt(Method::POST, &path, &create, |answer| answer.outcome(channel)).await
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
        self.attempt(Method::PATCH, &path, body, |answer| answer.edit_outcome(channel, message)).await
    }

    /// Sends one request and says what came of it.
    async fn attempt<B: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        body: &B,
        outcome: impl FnOnce(&Answer) -> Outcome,
    ) -> Attempt {
        let started_at = self.0.clock.now();
        let began = self.0.clock.elapsed();
        let sent = match self.request(method, path) {
            Ok(request) => request.json(body).send().await.map_err(Some),
            Err(_) => Err(None),
        };
        let attempt = |outcome| Attempt {
            started_at,
            took: self.0.clock.elapsed().saturating_sub(began),
            status: None,
            code: None,
            response: Vec::new(),
            shared_limit: false,
            cooldown: Duration::ZERO,
            outcome,
        };
        match sent {
            Ok(response) => {
                let answer = Answer::read(response).await;
                let outcome = outcome(&answer);
                let sent = matches!(outcome, Outcome::Sent(_));
                Attempt {
                    status: Some(answer.status),
                    code: answer.code(),
                    response: if sent { Vec::new() } else { answer.excerpt() },
                    shared_limit: limits::is_shared(&answer.headers),
                    cooldown: limits::cooldown(&answer.headers),
                    ..attempt(outcome)
                }
            }
            Err(Some(error)) => {
                let attempt = attempt(answer::no_answer(&error));
                Attempt { response: answer::sentence(error).into_bytes(), ..attempt }
            }
            Err(None) => {
                let attempt = attempt(Outcome::Retry { after: None, arrived: Arrived::No });
                Attempt { response: b"TLS could not be set up".to_vec(), ..attempt }
            }
        }
    }

    /// Looks for a message of ours among the newest of `channel`, posted since `planned_at`: by its nonce, or by `tag`
    /// at the end of an embed's footer, as later reads need not repeat the nonce (Discord: "Get Channel Messages").
    pub async fn find_message(
        &self,
        channel: Snowflake,
        nonce: &Nonce,
        tag: &str,
        planned_at: Timestamp,
    ) -> Result<Option<Snowflake>, Failure> {
        let messages: Vec<Value> =
            self.get(&format!("/channels/{channel}/messages?limit={READ_BACK}")).await?;
        let ours = |message: &&Value| {
            let by_nonce = message["nonce"].as_str() == Some(nonce.as_str());
            let footers = message["embeds"].as_array().into_iter().flatten();
            by_nonce
                || footers
                    .filter_map(|embed| embed["footer"]["text"].as_str())
                    .any(|footer| !tag.is_empty() && footer.ends_with(tag))
        };
        let earliest = planned_at.minus(SKEW);
        Ok(messages
            .iter()
            .filter(ours)
            .filter_map(|message| message["id"].as_str()?.parse().ok())
            .find(|id: &Snowflake| id.created_at() >= earliest))
    }
}
