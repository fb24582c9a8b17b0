//! Serenity's HTTP client, built in the only safe way.

use serenity::all::CreateAllowedMentions;
use serenity::http::{Http, HttpBuilder, HttpError};

use crate::discord::{Client, Failure};

/// Serenity's client with `client`'s token, over the same connections.
///
/// The base URL and the rate limiter depend on each other: with its limiter on, serenity ignores its proxy setting and
/// calls discord.com, with the token. With it off it loses `retry_after`, which matters for deliveries only, and those
/// do not use this client.
///
/// The allowed mentions for everything it sends are set here: none. (Serenity does not apply them to edits of a reply:
/// see `component::edit`.)
pub(super) fn serenity(client: &Client) -> Result<Http, Failure> {
    Ok(HttpBuilder::new(client.token().expose())
        .client(client.http_client()?)
        .proxy(client.base().proxy())
        .ratelimiter_disabled(true)
        .default_allowed_mentions(CreateAllowedMentions::new())
        .build())
}

/// The HTTP status of Discord's response, if there was one.
pub(super) fn status(error: &serenity::Error) -> Option<u16> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => Some(answer.status_code.as_u16()),
        _ => None,
    }
}

/// Discord: "JSON Error Codes", the interaction was answered.
pub(super) const ALREADY_ANSWERED: isize = 40060;

/// Discord's JSON error code, if there is one.
pub(super) fn code(error: &serenity::Error) -> Option<isize> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => Some(answer.error.code),
        _ => None,
    }
}

/// Whether the interaction can no longer be answered: the gateway delivered it twice (40060), or it expired (10062).
pub(super) fn is_over(error: &serenity::Error) -> bool {
    matches!(code(error), Some(ALREADY_ANSWERED | 10062))
}

/// The error without its URL: interaction URLs contain tokens.
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
