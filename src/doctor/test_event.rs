//! A test event: posted to the ingress of this machine, signed with `WEBHOOK_SECRET`, and followed to its destinations.
//!
//! `nuncio doctor --send` and the end of `nuncio setup` send one. Both read its deliveries from the database, so it does
//! not matter which process serves.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::config::WebhookConfig;
use crate::model::{EventId, Status};
use crate::outgoing::{NUNCIO_LIMIT, Outgoing, USER_AGENT, cause, read_body};
use crate::signature::sign;
use crate::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::store::{self, StoppedAt, way_of};

/// The time limit for an answer. Longer than ingress waits for the store.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often the database is asked how far the event is.
const POLL: Duration = Duration::from_millis(50);

/// Why a test event was not accepted.
#[derive(Debug)]
pub(crate) enum Rejected {
    /// There was no answer; the cause.
    NoAnswer(String),
    /// The HTTP status of an answer that accepts no event.
    Status(u16),
}

/// Posts `body` with the current timestamp to `base`, where this machine reaches its ingress. Returns the event's id.
///
/// # Errors
/// If it is not accepted.
pub(crate) async fn post(
    webhook: &WebhookConfig,
    base: &str,
    mut body: Map<String, Value>,
    clock: &Clock,
) -> Result<EventId, Rejected> {
    let now = clock.now().as_secs();
    body.insert("timestamp".to_owned(), now.into());
    let (body, timestamp) = (Value::Object(body).to_string(), now.to_string());
    let Some(secret) = &webhook.secret else {
        return Err(Rejected::NoAnswer("WEBHOOK_SECRET is not set".to_owned()));
    };
    let signature = sign(secret, &[timestamp.as_bytes(), body.as_bytes()]);
    let http = Outgoing::new(USER_AGENT, DEADLINE, true).client();
    let http = http.map_err(|error| Rejected::NoAnswer(cause(&error)))?;
    let request = http
        .post(format!("{base}{}", webhook.path))
        .header("content-type", "application/json")
        .header(TIMESTAMP_HEADER, timestamp)
        .header(SIGNATURE_HEADER, signature);
    let response = request.body(body).send().await;
    let response = response.map_err(|error| Rejected::NoAnswer(cause(&error)))?;
    let status = response.status().as_u16();
    let answer = read_body(response, NUNCIO_LIMIT).await.unwrap_or_else(|error| error.read);
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let event = answer["event_id"].as_str().and_then(|id| id.parse().ok());
    event.filter(|_| status == 200).ok_or(Rejected::Status(status))
}

/// Where `event` went: as soon as no delivery is open, or after `limit`.
///
/// # Errors
/// If the database cannot be read.
pub(crate) async fn follow(
    database: &Path,
    event: EventId,
    clock: &Clock,
    limit: Duration,
) -> store::Result<Vec<StoppedAt>> {
    let until = clock.elapsed() + limit;
    loop {
        let stops = way_of(database, event)?;
        let is_open = |stop: &StoppedAt| matches!(stop.status, Status::Pending | Status::Sending);
        if !stops.iter().any(is_open) || clock.elapsed() >= until {
            return Ok(stops);
        }
        clock.sleep(POLL).await;
    }
}
