//! The extractor: limit → verify → parse. What comes out was signed by the source and can be read.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::hub::Hub;
use crate::ingress::rejection::Rejection;
use crate::ingress::{Door, xtsystems};
use crate::model::{NewEvent, Source};
use crate::signature::xtsystems::{Reason, SIGNATURE_HEADER, TIMESTAMP_HEADER, check};

/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(15);

/// An event whose signature holds.
pub(super) struct Signed(pub(super) NewEvent);

impl FromRequest<Door> for Signed {
    type Rejection = Rejection;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Rejection> {
        let door = &door.0;
        // The window is checked against this time: a slow body must not stretch it.
        let received_at = door.clock.now();
        let (head, body) = request.into_parts();
        check_media(&head.headers)?;
        let limit = door.webhook.body_limit;
        check_length(&head.headers, limit)?;
        let (signature, timestamp) = credentials(&head.headers)?;
        let body = read(&door.clock, body, limit).await?;

        match check(&door.webhook.secret, timestamp, signature, &body, received_at) {
            Ok(()) => {}
            // Under the same MAC, a body that begins with a digit may have lost that digit's timestamp.
            Err(Reason::BodyNotAnObject) if !body.first().is_some_and(u8::is_ascii_digit) => {
                return Err(quarantine(&door.hub, "it does not begin with {", &body).await);
            }
            Err(reason) => return Err(refuse(reason)),
        }
        // Ten digits, as the check has seen.
        let timestamp = str::from_utf8(timestamp).unwrap_or_default();
        match xtsystems::parse(&body, timestamp, received_at) {
            Ok(event) => Ok(Self(event)),
            Err(reason) => Err(quarantine(&door.hub, &reason, &body).await),
        }
    }
}

/// Keeps a copy of what was signed but is no event, and says so.
async fn quarantine(hub: &Hub, reason: &str, body: &[u8]) -> Rejection {
    tracing::warn!(
        bytes = body.len(),
        "a signed webhook cannot be read: {reason}. A copy is kept in quarantine"
    );
    match hub.quarantine(Source::XtSystems, reason, body).await {
        Ok(()) => Rejection::BadJson,
        Err(error) => Rejection::unavailable(error),
    }
}

/// JSON or nothing said, and not compressed: the signature is over the raw bytes.
fn check_media(headers: &HeaderMap) -> Result<(), Rejection> {
    let json = match headers.get(header::CONTENT_TYPE) {
        None => true,
        Some(value) => value.to_str().is_ok_and(|text| {
            let essence = text.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        }),
    };
    if json && !headers.contains_key(header::CONTENT_ENCODING) {
        Ok(())
    } else {
        Err(Rejection::UnsupportedMedia)
    }
}

/// Refuses what says itself that it is too large, before a byte of it is read.
fn check_length(headers: &HeaderMap, limit: usize) -> Result<(), Rejection> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) { Err(Rejection::TooLarge) } else { Ok(()) }
}

/// The two headers, each exactly once. Twice is refused even if both are equal: a proxy and we might read different
/// ones.
fn credentials(headers: &HeaderMap) -> Result<(&[u8], &[u8]), Rejection> {
    let one = |name: &'static str, missing| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Ok(value.as_bytes()),
            (Some(_), Some(_)) => Err(refuse(Reason::Doubled(name))),
            (Some(_) | None, _) => Err(refuse(missing)),
        }
    };
    Ok((one(SIGNATURE_HEADER, Reason::NoSignature)?, one(TIMESTAMP_HEADER, Reason::NoTimestamp)?))
}

/// The operator learns the reason, the sender a bare sentence.
fn refuse(reason: Reason) -> Rejection {
    tracing::warn!("a webhook was refused: {reason}");
    match reason {
        Reason::NoSignature | Reason::NoTimestamp => Rejection::Unsigned,
        Reason::OutsideWindow { .. } => Rejection::TooOld,
        Reason::Doubled(_)
        | Reason::MalformedTimestamp { .. }
        | Reason::MalformedSignature(_)
        | Reason::Mismatch
        | Reason::BodyNotAnObject => Rejection::BadSignature,
    }
}

async fn read(clock: &crate::clock::Clock, body: Body, limit: usize) -> Result<Bytes, Rejection> {
    let collected = clock.within(BODY_DEADLINE, Limited::new(body, limit).collect()).await;
    match collected.ok_or(Rejection::TooSlow)? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Rejection::TooLarge),
        // The sender went away in the middle: nobody reads this answer.
        Err(_) => Err(Rejection::BadJson),
    }
}
