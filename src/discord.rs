//! Our own REST client for what is delivered: typed requests in, an [`Attempt`](crate::model::Attempt) with its
//! outcome out.
//!
//! It knows Discord's addresses, headers and error codes, and nothing of lanes, schedules or the store. It never
//! tries again, and says how long to wait instead of waiting: that is decided by whoever asked. Every request wants a
//! [`Pass`] of its [`Gate`]. No error it gives out holds a token.

mod answer;
mod bucket;
mod channel;
mod code;
mod gate;
mod gateway;
#[cfg(test)]
mod lies;
mod limits;
mod message;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};

use crate::clock::Clock;
use crate::config::DiscordBase;
use crate::discord::answer::Answer;
use crate::discord::bucket::Buckets;
use crate::model::Snowflake;
use crate::secret::Secret;

pub use answer::{Failure, NO_ANSWER_LIMIT};
pub use channel::Place;
pub use gate::{Gate, Pass, REFUSAL_WINDOW, REFUSALS, Shut, Standing};
pub use gateway::{Gateway, SessionStartLimit};
pub use message::Look;

/// How long a request may take in all.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Discord: "API Reference", User Agent.
const USER_AGENT: &str =
    concat!("DiscordBot (https://crates.io/crates/nuncio, ", env!("CARGO_PKG_VERSION"), ")");

/// A client for one bot token. Clones share it.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: DiscordBase,
    token: Secret,
    clock: Clock,
    gate: Gate,
    buckets: Buckets,
    /// Made when it is first used: reading the system's certificates takes longer than everything else at start.
    http: OnceLock<reqwest::Client>,
}

/// Who the token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Myself {
    /// The bot user's id, which is also the application's for all but very old bots.
    pub id: Snowflake,
    /// The bot user's name.
    pub username: String,
}

impl Client {
    /// A client that speaks to `base` with `token`.
    #[must_use]
    pub fn new(base: DiscordBase, token: Secret, clock: Clock) -> Self {
        let (gate, buckets) = (Gate::new(clock.clone()), Buckets::default());
        Self(Arc::new(Inner { base, token, clock, gate, buckets, http: OnceLock::new() }))
    }

    /// Asks who the token belongs to (Discord: "Get Current User").
    pub async fn myself(&self, pass: Pass) -> Result<Myself, Failure> {
        self.get(pass, "/users/@me").await
    }

    /// What every request passes.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Where Discord is.
    #[must_use]
    pub fn base(&self) -> &DiscordBase {
        &self.0.base
    }

    /// The bot's token.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.0.token
    }

    /// The HTTP client underneath, with our deadlines and without redirects: connections and certificates are shared
    /// by whoever else speaks to Discord.
    pub fn transport(&self) -> Result<&reqwest::Client, Failure> {
        if let Some(http) = self.0.http.get() {
            return Ok(http);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(DEADLINE)
            .connect_timeout(CONNECT_DEADLINE)
            .redirect(reqwest::redirect::Policy::none());
        if self.0.base.is_loopback() {
            // What is on this machine is not reached through HTTPS_PROXY.
            builder = builder.no_proxy();
        }
        let built = builder.build().map_err(Failure::network)?;
        Ok(self.0.http.get_or_init(|| built))
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        Ok(self
            .transport()?
            .request(method, format!("{}{path}", self.0.base.rest()))
            .header("authorization", format!("Bot {}", self.0.token.expose())))
    }

    /// Asks for what is at `path`.
    async fn get<T: serde::de::DeserializeOwned>(&self, pass: Pass, path: &str) -> Result<T, Failure> {
        self.ask::<(), T>(pass, Method::GET, path, None).await
    }

    /// One request that brings something.
    async fn ask<B: serde::Serialize + Sync, T: serde::de::DeserializeOwned>(
        &self,
        pass: Pass,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, Failure> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = Answer::read(request.send().await.map_err(Failure::network)?).await;
        let found = answer::json(&answer);
        match &found {
            Ok(_) => pass.came_through(),
            Err(failure) => pass.settle(failure.status, &failure.outcome, answer.is_refusal()),
        }
        found
    }
}
