//! Discord REST client for deliveries: typed requests in, an [`Attempt`](crate::model::Attempt) with its outcome out.
//!
//! The client knows Discord's addresses, headers and error codes, and nothing about lanes, schedules or the store. It
//! never retries and never waits; it returns how long to wait, and the caller decides. Every request needs a [`Permit`]
//! of the [`CircuitBreaker`]. No error that it returns holds a token.

mod answer;
mod bucket;
mod channel;
mod circuit_breaker;
mod code;
mod command;
mod failure;
mod gateway;
#[cfg(test)]
mod hostile_answers;
mod limits;
mod message;
mod survey;
mod time;
mod transport;
mod webhook;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};

use crate::clock::{Clock, Timestamp};
use crate::config::DiscordBase;
use crate::discord::answer::Answer;
use crate::discord::time::DiscordTime;
use crate::model::Snowflake;
use crate::secret::Secret;

pub use bucket::Share;
pub use channel::ChannelObject;
pub use circuit_breaker::{BreakerState, CircuitBreaker, OpenReason, Permit, REFUSAL_WINDOW, REFUSALS};
pub use failure::DiscordFailure;
pub use gateway::{GatewayInfo, SessionStartLimit};
pub use message::{MessagePage, Posted};
pub use survey::{Application, NamedServer};
pub use transport::{HttpTransport, NO_ANSWER_LIMIT};
pub use webhook::WebhookLookup;

/// Access to Discord: the transport, and the bot's client if there is a token.
#[derive(Clone, Debug)]
pub struct Access {
    transport: HttpTransport,
    client: Option<Client>,
}

impl Access {
    /// Creates access to `base`, as the bot if `token` is given.
    #[must_use]
    pub fn new(base: DiscordBase, token: Option<Secret>, clock: Clock) -> Self {
        let transport = HttpTransport::new(base, clock.clone());
        let (me, time) = (OnceLock::new(), DiscordTime::default());
        let client = token
            .map(|token| Client(Arc::new(Inner { transport: transport.clone(), clock, token, me, time })));
        Self { transport, client }
    }

    /// The transport, for requests that need no bot.
    #[must_use]
    pub fn transport(&self) -> &HttpTransport {
        &self.transport
    }

    /// The bot's client; `None` without a token.
    #[must_use]
    pub fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }
}

/// A client for one bot token. Clones share its state.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: HttpTransport,
    clock: Clock,
    token: Secret,
    /// The bot user's id, once Discord has returned it.
    me: OnceLock<Snowflake>,
    time: DiscordTime,
}

/// The user that the token belongs to (Discord: "Get Current User").
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Myself {
    /// The bot user's id. Equals the application's id for all but very old bots.
    #[serde(deserialize_with = "answer::id")]
    pub id: Snowflake,
    /// The bot user's name, without a discriminator.
    pub username: String,
}

impl Client {
    /// Fetches the user that the token belongs to (Discord: "Get Current User").
    pub async fn myself(&self, permit: Permit) -> Result<Myself, DiscordFailure> {
        let myself: Myself = self.get(permit, "/users/@me").await?;
        // A second call gets an equal id.
        let _ = self.0.me.set(myself.id);
        Ok(myself)
    }

    /// The bot user's id, once Discord has returned it.
    #[must_use]
    pub fn me(&self) -> Option<Snowflake> {
        self.0.me.get().copied()
    }

    /// A lower bound for Discord's own clock at `moment` of [`Clock::elapsed`], from the `Date` headers of its
    /// responses. `None` until a server at this address has recognized our token: before that, they prove nothing.
    #[must_use]
    pub fn time_at(&self, moment: Duration) -> Option<Timestamp> {
        self.me()?;
        self.0.time.at_least(moment)
    }

    /// The circuit breaker that every request passes.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        self.0.transport.circuit_breaker()
    }

    /// The base address of Discord's API.
    #[must_use]
    pub fn base(&self) -> &DiscordBase {
        self.0.transport.base()
    }

    /// Whether the server is known to deduplicate messages by a recently used nonce.
    #[must_use]
    pub fn nonces_work(&self) -> bool {
        self.0.transport.leads_to_discord()
    }

    /// The bot's token.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.0.token
    }

    /// The underlying HTTP client, for other users of Discord to share connections and certificates.
    pub fn http_client(&self) -> Result<reqwest::Client, DiscordFailure> {
        self.0.transport.http_client()
    }

    fn transport(&self) -> &HttpTransport {
        &self.0.transport
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, DiscordFailure> {
        let request = self.0.transport.request(method, path)?;
        Ok(request.header("authorization", format!("Bot {}", self.0.token.expose())))
    }

    /// Records the time of a response whose content proves that Discord sent it.
    fn hear_time(&self, answer: &Answer) {
        self.0.time.hear(answer, self.0.clock.elapsed());
    }

    /// Sends a GET request for `path` and parses the response.
    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        permit: Permit,
        path: &str,
    ) -> Result<T, DiscordFailure> {
        self.ask::<(), T>(permit, Method::GET, path, None).await
    }

    /// Sends one request and parses the response.
    async fn ask<B: serde::Serialize + Sync, T: serde::de::DeserializeOwned>(
        &self,
        permit: Permit,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, DiscordFailure> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        let began = self.0.clock.elapsed();
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(permit.failed(DiscordFailure::network(error), false)),
        };
        self.0.transport.hear(&answer);
        match failure::json(&answer) {
            Ok(found) => {
                self.hear_time(&answer);
                self.0.transport.learn_time(&answer, began);
                permit.report_success();
                Ok(found)
            }
            Err(failure) => {
                if failure.code.is_none() {
                    self.0.transport.distrust();
                }
                Err(permit.failed(failure, answer.is_refusal()))
            }
        }
    }
}
