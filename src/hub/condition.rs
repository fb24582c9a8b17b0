//! What stands in the way at the moment, for `/health` and for people.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::hub::Problem;
use crate::model::Snowflake;

/// What is said while [`Condition::TokenShared`] holds.
pub const TOKEN_SHARED: &str = "Another program uses DISCORD_TOKEN: it answered a click or a command before nuncio did \
    (Discord: 40060), and whatever it does not know fails. Stop the other program; if you cannot find it, reset the token \
    (Developer Portal → Bot → Reset Token), put the new one into DISCORD_TOKEN and restart nuncio";

/// The application has an address of its own for interactions.
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

/// Something that can stand in the way. A closed set; each is there or not, with a sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// There is no bot token.
    NoToken,
    /// Discord refused the bot token.
    TokenRefused,
    /// Discord could not be asked who we are.
    DiscordUnreachable,
    /// The bot's connection to the gateway is down, or was given up.
    GatewayDown,
    /// Another program answers for the bot.
    TokenShared,
    /// Discord sends clicks and commands elsewhere.
    InteractionsElsewhere,
    /// Discord asked everything from this address to wait.
    Paused,
    /// The platform cannot be reached, or fails.
    PlatformUnreachable,
    /// The platform refused our key.
    KeyRefused,
    /// The database does not take what lanes have to record.
    StoreFailing,
    /// The clock of this machine jumped, or differs from Discord's.
    ClockWrong,
    /// Nothing old is removed, because nobody knows whether the clock is right.
    RetentionHeld,
    /// A changed configuration was not taken over.
    ConfigurationRefused,
}

impl Condition {
    /// All of them.
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

    /// Its name in metrics, and the code of the problem.
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

/// The conditions that hold now.
#[derive(Debug, Default)]
pub struct Conditions(Mutex<BTreeMap<Condition, String>>);

impl Conditions {
    /// Says that `condition` holds, in a sentence for the operator. Answers whether that is news.
    pub fn raise(&self, condition: Condition, sentence: impl Into<String>) -> bool {
        self.lock().insert(condition, sentence.into()).is_none()
    }

    /// Says that it is over. Answers whether it held.
    pub fn clear(&self, condition: Condition) -> bool {
        self.lock().remove(&condition).is_some()
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, condition: Condition) -> bool {
        self.lock().contains_key(&condition)
    }

    /// All that hold, as problems.
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
