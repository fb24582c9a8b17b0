//! Whether Discord can be reached, as the attempts of its sinks show it.

use crate::hub::{Condition, Conditions};
use crate::model::{Attempt, Outcome};

/// A short reason for the wait that a failed attempt causes, if any.
pub(in crate::dispatch) fn trouble(attempt: &Attempt) -> Option<String> {
    Some(match (&attempt.outcome, attempt.status) {
        _ if attempt.is_foreign() => "something else answered in Discord's place".to_owned(),
        (Outcome::Retry { .. }, None) if attempt.was_asked() => "Discord was out of reach".to_owned(),
        (Outcome::Retry { .. } | Outcome::Paused { .. }, Some(429)) => "Discord's rate limit".to_owned(),
        (Outcome::Retry { .. } | Outcome::Paused { .. }, Some(401)) => {
            "the bot's token was refused".to_owned()
        }
        (Outcome::Denied(_), _) => "the bot was not allowed".to_owned(),
        (Outcome::Retry { .. } | Outcome::Paused { .. }, Some(status)) => {
            format!("Discord answered {status}")
        }
        _ => return None,
    })
}

/// Keeps `/health` accurate: whether Discord as a whole is reachable.
pub(in crate::dispatch) fn note(conditions: &Conditions, attempt: &Attempt) {
    match &attempt.outcome {
        Outcome::Sent(_) if conditions.clear(Condition::DiscordUnreachable) => {
            tracing::info!("Discord can be reached again");
        }
        _ if attempt.is_foreign() => {
            let status = attempt.status.unwrap_or_default();
            conditions.raise(
                Condition::DiscordUnreachable,
                format!(
                    "what answers in Discord's place ({status}) is not Discord: a proxy, a firewall or a login page. \
                     Deliveries wait and are tried again. Let this machine reach discord.com"
                ),
            );
        }
        _ if attempt.is_outage() => {
            conditions.raise(
                Condition::DiscordUnreachable,
                "Discord cannot be reached or does not work: deliveries wait and are tried again",
            );
        }
        _ => {}
    }
}
