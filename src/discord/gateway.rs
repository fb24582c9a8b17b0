//! Where the gateway is, and how often one may log in to it.

use std::time::Duration;

use serde::Deserialize;

use crate::discord::{Client, Failure};

/// The answer to "Get Gateway Bot".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Gateway {
    /// The address to connect to: `wss://…`.
    pub url: String,
    /// How many connections Discord recommends; more than one only for bots in very many servers.
    #[serde(default = "one")]
    pub shards: u32,
    /// How many logins are left.
    #[serde(default)]
    pub session_start_limit: SessionStartLimit,
}

/// How many logins (IDENTIFY) are left (Discord: "Session Start Limit Object").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SessionStartLimit {
    /// How many are granted in a day.
    pub total: u32,
    /// How many are left. Beyond the last one Discord resets the token.
    pub remaining: u32,
    /// After how many milliseconds the count begins anew.
    pub reset_after: u64,
}

impl SessionStartLimit {
    /// After what time the count begins anew.
    #[must_use]
    pub const fn resets_after(&self) -> Duration {
        Duration::from_millis(self.reset_after)
    }
}

impl Default for SessionStartLimit {
    /// What counts where a proxy leaves the limit out: nothing known to be used up.
    fn default() -> Self {
        Self { total: 1000, remaining: 1000, reset_after: 0 }
    }
}

impl Client {
    /// Asks where the gateway is (Discord: "Get Gateway Bot"), unless nothing may be asked at the moment.
    pub async fn gateway(&self) -> Result<Gateway, Failure> {
        let pass = self.gate().try_pass().map_err(Failure::shut)?;
        match self.get(pass, "/gateway/bot").await {
            // A server that has no bots of its own kind still has a gateway.
            Err(failure) if failure.status == Some(404) => {
                let pass = self.gate().try_pass().map_err(Failure::shut)?;
                self.get(pass, "/gateway").await
            }
            answered => answered,
        }
    }
}

const fn one() -> u32 {
    1
}
