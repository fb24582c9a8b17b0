//! Plain requests without a key or token: who answers at an address, and what time it is there.

use std::time::Duration;

use serde_json::Value;

use crate::clock::{Clock, Timestamp};
use crate::doctor::LIMIT;
use crate::outgoing::{NUNCIO_LIMIT, Outgoing, USER_AGENT, cause, is_local, read_body};

/// Whether a nuncio answers at `base`; `Err` has the reason if there was no answer at all.
pub(super) async fn is_nuncio(base: &str, limit: Duration) -> Result<bool, String> {
    let url = format!("{base}/health");
    let http = Outgoing::new(USER_AGENT, limit, is_local(&url)).client().map_err(|error| cause(&error))?;
    let response = http.get(url).send().await.map_err(|error| cause(&error))?;
    let body = read_body(response, NUNCIO_LIMIT).await.unwrap_or_else(|error| error.read);
    let health: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(health["service"] == "nuncio")
}

/// The time in the answer of `url`, and ours in the middle of the exchange; `None` without a time that is new.
pub(super) async fn times(url: &str, clock: &Clock) -> Option<(Timestamp, Timestamp)> {
    let http = Outgoing::new(USER_AGENT, LIMIT, is_local(url)).client().ok()?;
    let (began, asked) = (clock.elapsed(), clock.now());
    let response = http.get(url).send().await.ok()?;
    let headers = response.headers();
    if headers.contains_key("age") {
        return None;
    }
    let theirs = Timestamp::parse_http_date(headers.get("date")?.to_str().ok()?)?;
    let took = clock.elapsed().saturating_sub(began);
    Some((theirs, asked.plus(took / 2)))
}
