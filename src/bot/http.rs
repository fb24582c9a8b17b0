//! Serenity's HTTP client, made in the one way that is safe.

use serenity::all::CreateAllowedMentions;
use serenity::http::{Http, HttpBuilder, HttpError};

use crate::discord::{Client, Failure};

/// Serenity's client for `client`'s token, on the same connections.
///
/// The base and the rate limiter go together: with its limiter on, serenity ignores its proxy and asks discord.com,
/// with the token. With it off it loses `retry_after`, which matters for deliveries only: those are not its business.
///
/// Whom a message may notify is said here for everything it sends: nobody. (For changes of an answer serenity does not
/// ask this: `component::edit`.)
pub(super) fn serenity(client: &Client) -> Result<Http, Failure> {
    Ok(HttpBuilder::new(client.token().expose())
        .client(client.http_client()?)
        .proxy(client.base().proxy())
        .ratelimiter_disabled(true)
        .default_allowed_mentions(CreateAllowedMentions::new())
        .build())
}

/// The status that Discord answered with, if it did.
pub(super) fn status(error: &serenity::Error) -> Option<u16> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => Some(answer.status_code.as_u16()),
        _ => None,
    }
}

/// Discord: "JSON Error Codes", the interaction was answered.
pub(super) const ALREADY_ANSWERED: isize = 40060;

/// Discord's code of an error, if it gave one.
pub(super) fn code(error: &serenity::Error) -> Option<isize> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => Some(answer.error.code),
        _ => None,
    }
}

/// Whether there is nothing to answer any more: the gateway told of it twice (40060), or the person's time was over
/// (10062).
pub(super) fn is_over(error: &serenity::Error) -> bool {
    matches!(code(error), Some(ALREADY_ANSWERED | 10062))
}

/// What went wrong, without the address: those of interactions hold tokens.
pub(super) fn sentence(error: &serenity::Error) -> String {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
            format!(
                "Discord answered {} {}: {}",
                answer.status_code.as_u16(),
                answer.error.code,
                answer.error.message
            )
        }
        serenity::Error::Http(HttpError::Request(error)) if error.is_timeout() => {
            "no answer in time".to_owned()
        }
        serenity::Error::Http(HttpError::Request(error)) if error.is_connect() => "no connection".to_owned(),
        serenity::Error::Http(_) => "the request failed".to_owned(),
        serenity::Error::Json(_) => "Discord's answer cannot be read".to_owned(),
        serenity::Error::Gateway(error) => error.to_string(),
        serenity::Error::Model(error) => error.to_string(),
        _ => "an error of the Discord library".to_owned(),
    }
}
