//! Our own REST client for what is delivered: typed requests in, an [`Attempt`](crate::model::Attempt) with its
//! outcome out.
//!
//! It knows Discord's addresses, headers and error codes, and nothing of lanes, schedules or the store. It never
//! tries again, and says how long to wait instead of waiting: that is decided by whoever asked. Every request wants a
//! [`Permit`] of its [`CircuitBreaker`]. No error it gives out holds a token.

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
pub use channel::Place;
pub use circuit_breaker::{BreakerState, CircuitBreaker, OpenReason, Permit, REFUSAL_WINDOW, REFUSALS};
pub use failure::Failure;
pub use gateway::{Gateway, SessionStartLimit};
pub use message::{Page, Posted};
pub use survey::{Application, NamedServer};
pub use transport::{HttpTransport, NO_ANSWER_LIMIT};

/// All of Discord that can be reached: with the bot's token, if there is one, and without.
#[derive(Clone, Debug)]
pub struct Access {
    transport: HttpTransport,
    client: Option<Client>,
}

impl Access {
    /// Access to `base`, as the bot where its token is known.
    #[must_use]
    pub fn new(base: DiscordBase, token: Option<Secret>, clock: Clock) -> Self {
        let transport = HttpTransport::new(base, clock.clone());
        let (me, time) = (OnceLock::new(), DiscordTime::default());
        let client = token
            .map(|token| Client(Arc::new(Inner { transport: transport.clone(), clock, token, me, time })));
        Self { transport, client }
    }

    /// The way there, for what needs no bot.
    #[must_use]
    pub fn transport(&self) -> &HttpTransport {
        &self.transport
    }

    /// The bot's client.
    #[must_use]
    pub fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }
}

/// A client for one bot token. Clones share it.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: HttpTransport,
    clock: Clock,
    token: Secret,
    /// Who the token belongs to, once Discord has said so.
    me: OnceLock<Snowflake>,
    time: DiscordTime,
}

/// Who the token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Myself {
    /// The bot user's id, which is also the application's for all but very old bots.
    #[serde(deserialize_with = "answer::id")]
    pub id: Snowflake,
    /// The bot user's name.
    pub username: String,
}

impl Client {
    /// Asks who the token belongs to (Discord: "Get Current User").
    pub async fn myself(&self, pass: Permit) -> Result<Myself, Failure> {
        let myself: Myself = self.get(pass, "/users/@me").await?;
        // Whoever asks twice hears the same.
        let _ = self.0.me.set(myself.id);
        Ok(myself)
    }

    /// Who the token belongs to, once Discord has said so.
    #[must_use]
    pub fn me(&self) -> Option<Snowflake> {
        self.0.me.get().copied()
    }

    /// What Discord's own clock showed at least when [`Clock::elapsed`] was `moment`, by the `Date` of its answers. They
    /// prove nothing before somebody at this address has known our token.
    #[must_use]
    pub fn time_at(&self, moment: Duration) -> Option<Timestamp> {
        self.me()?;
        self.0.time.at_least(moment)
    }

    /// What every request passes.
    #[must_use]
    pub fn gate(&self) -> &CircuitBreaker {
        self.0.transport.gate()
    }

    /// Where Discord is.
    #[must_use]
    pub fn base(&self) -> &DiscordBase {
        self.0.transport.base()
    }

    /// Whether a message with a nonce that was used just now is not posted twice, as far as is known.
    #[must_use]
    pub fn heeds_nonces(&self) -> bool {
        self.0.transport.leads_to_discord()
    }

    /// The bot's token.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.0.token
    }

    /// The HTTP client underneath: connections and certificates are shared by whoever else speaks to Discord.
    pub fn http_client(&self) -> Result<reqwest::Client, Failure> {
        self.0.transport.http_client()
    }

    fn transport(&self) -> &HttpTransport {
        &self.0.transport
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let request = self.0.transport.request(method, path)?;
        Ok(request.header("authorization", format!("Bot {}", self.0.token.expose())))
    }

    /// Takes in the time of an answer that says what Discord would.
    fn hear_time(&self, answer: &Answer) {
        self.0.time.hear(answer, self.0.clock.elapsed());
    }

    /// Asks for what is at `path`.
    async fn get<T: serde::de::DeserializeOwned>(&self, pass: Permit, path: &str) -> Result<T, Failure> {
        self.ask::<(), T>(pass, Method::GET, path, None).await
    }

    /// One request that brings something.
    async fn ask<B: serde::Serialize + Sync, T: serde::de::DeserializeOwned>(
        &self,
        pass: Permit,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, Failure> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        let began = self.0.clock.elapsed();
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(pass.failed(Failure::network(error), false)),
        };
        self.0.transport.hear(&answer);
        match failure::json(&answer) {
            Ok(found) => {
                self.hear_time(&answer);
                self.0.transport.learn_time(&answer, began);
                pass.came_through();
                Ok(found)
            }
            Err(failure) => {
                if failure.code.is_none() {
                    self.0.transport.distrust();
                }
                Err(pass.failed(failure, answer.is_refusal()))
            }
        }
    }
}
