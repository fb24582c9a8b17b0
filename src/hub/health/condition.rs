//! Health conditions: current obstacles, for `/health` and for operators.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::hub::Problem;
use crate::model::Snowflake;

/// The text of [`Condition::TokenShared`].
pub const TOKEN_SHARED: &str = "Another program uses DISCORD_TOKEN: it answered a click or a command before nuncio did \
    (Discord: 40060), and whatever it does not know fails. Stop the other program; if you cannot find it, reset the token \
    (Developer Portal → Bot → Reset Token), put the new one into DISCORD_TOKEN and restart nuncio";

/// The problem of an application whose interactions endpoint URL is set, so that clicks go elsewhere.
#[must_use]
pub fn interactions_elsewhere(application: Snowflake) -> Problem {
    Problem {
        code: Condition::InteractionsElsewhere.as_str(),
        found: "The application has an Interactions Endpoint URL: Discord sends commands and clicks there, and nuncio never \
                receives them"
            .to_owned(),
        remedy: Some(format!(
            "Empty that field (https://discord.com/developers/applications/{application}/information, Interactions Endpoint \
             URL) and save"
        )),
    }
}

/// A possible obstacle. A closed set; each is either raised or clear, with a sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// No bot token is configured.
    NoToken,
    /// Discord refused the bot token.
    TokenRefused,
    /// Discord did not answer the request for the bot's identity.
    DiscordUnreachable,
    /// The gateway session is down, or was given up.
    GatewayDown,
    /// Another program uses the bot's token.
    TokenShared,
    /// Discord sends clicks and commands to an endpoint URL instead of the gateway.
    InteractionsElsewhere,
    /// Discord paused every request from this IP address.
    Paused,
    /// The platform is unreachable, or fails.
    PlatformUnreachable,
    /// The platform rejected the API key.
    KeyRefused,
    /// The database rejects what lanes have to record.
    StoreFailing,
    /// The clock of this machine jumped, or differs from Discord's.
    ClockWrong,
    /// Retention is on hold, because the clock may be wrong.
    RetentionHeld,
    /// A changed configuration was rejected.
    ConfigurationRefused,
}

impl Condition {
    /// All conditions.
    pub const ALL: [Self; 13] = [
        Self::NoToken,
        Self::TokenRefused,
        Self::DiscordUnreachable,
        Self::GatewayDown,
        Self::TokenShared,
        Self::InteractionsElsewhere,
        Self::Paused,
        Self::PlatformUnreachable,
        Self::KeyRefused,
        Self::StoreFailing,
        Self::ClockWrong,
        Self::RetentionHeld,
        Self::ConfigurationRefused,
    ];

    /// The name in metrics, which is also the problem's code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::TokenRefused => "token_refused",
            Self::DiscordUnreachable => "discord_unreachable",
            Self::GatewayDown => "gateway_down",
            Self::TokenShared => "token_shared",
            Self::InteractionsElsewhere => "interactions_elsewhere",
            Self::Paused => "paused",
            Self::PlatformUnreachable => "platform_unreachable",
            Self::KeyRefused => "key_refused",
            Self::StoreFailing => "store_failing",
            Self::ClockWrong => "clock_wrong",
            Self::RetentionHeld => "retention_held",
            Self::ConfigurationRefused => "configuration_refused",
        }
    }
}

/// The conditions that are currently raised.
#[derive(Debug, Default)]
pub struct Conditions(Mutex<BTreeMap<Condition, String>>);

impl Conditions {
    /// Raises `condition`, with a sentence for the operator. Returns whether it was clear before.
    pub fn raise(&self, condition: Condition, sentence: impl Into<String>) -> bool {
        self.lock().insert(condition, sentence.into()).is_none()
    }

    /// Clears `condition`. Returns whether it was raised.
    pub fn clear(&self, condition: Condition) -> bool {
        self.lock().remove(&condition).is_some()
    }

    /// Whether `condition` is raised.
    #[must_use]
    pub fn holds(&self, condition: Condition) -> bool {
        self.lock().contains_key(&condition)
    }

    /// All raised conditions, as problems.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.lock()
            .iter()
            .map(|(condition, sentence)| Problem {
                code: condition.as_str(),
                found: sentence.clone(),
                remedy: None,
            })
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Condition, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
