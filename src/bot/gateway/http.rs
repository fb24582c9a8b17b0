//! Serenity's HTTP client, built in the only safe way.

use serenity::http::{Http, HttpBuilder, HttpError};

use crate::bot::responder::ResponseError;
use crate::discord::{Client, DiscordFailure};

/// Serenity's client with `client`'s token, over the same connections.
///
/// The base URL and the rate limiter depend on each other: with its limiter on, serenity ignores its proxy setting and
/// calls discord.com, with the token. With it off it loses `retry_after`, which matters for deliveries only, and those
/// do not use this client.
pub(super) fn serenity(client: &Client) -> Result<Http, DiscordFailure> {
    Ok(HttpBuilder::new(client.token().expose())
        .client(client.http_client()?)
        .proxy(client.base().proxy())
        .ratelimiter_disabled(true)
        .build())
}

/// Why a response to an interaction did not arrive.
pub(super) fn response_error(error: &serenity::Error) -> ResponseError {
    let (status, code) = match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
            (Some(answer.status_code.as_u16()), i64::try_from(answer.error.code).ok())
        }
        _ => (None, None),
    };
    ResponseError { status, code, sentence: sentence(error) }
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
