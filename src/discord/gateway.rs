//! The gateway's address, and the remaining session starts.

use std::time::Duration;

use serde::Deserialize;

use crate::discord::{Client, DiscordFailure};

/// The response to "Get Gateway Bot".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GatewayInfo {
    /// The address to connect to: `wss://…`.
    pub url: String,
    /// How many shards Discord recommends; more than one only for bots in very many guilds.
    #[serde(default = "one")]
    pub shards: u32,
    /// The remaining session starts of this token.
    #[serde(default)]
    pub session_start_limit: SessionStartLimit,
}

/// The session start limit: remaining logins (IDENTIFY) (Discord: "Session Start Limit Object").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SessionStartLimit {
    /// How many logins are granted in a day.
    pub total: u32,
    /// How many logins are left. Beyond the last one Discord resets the token.
    pub remaining: u32,
    /// Milliseconds until the count resets.
    pub reset_after: u64,
}

impl SessionStartLimit {
    /// The time until the count resets.
    #[must_use]
    pub const fn resets_after(&self) -> Duration {
        Duration::from_millis(self.reset_after)
    }
}

impl Default for SessionStartLimit {
    /// The default where a proxy omits the limit: nothing is used up.
    fn default() -> Self {
        Self { total: 1000, remaining: 1000, reset_after: 0 }
    }
}

impl Client {
    /// Fetches the gateway's address (Discord: "Get Gateway Bot"). Fails at once while the circuit breaker blocks
    /// requests.
    pub async fn gateway(&self) -> Result<GatewayInfo, DiscordFailure> {
        let permit = self.circuit_breaker().try_acquire().map_err(DiscordFailure::breaker_open)?;
        match self.get(permit, "/gateway/bot").await {
            // A server without a bot-specific endpoint still has a gateway.
            Err(failure) if failure.status == Some(404) => {
                let permit = self.circuit_breaker().try_acquire().map_err(DiscordFailure::breaker_open)?;
                self.get(permit, "/gateway").await
            }
            answered => answered,
        }
    }
}

const fn one() -> u32 {
    1
}
