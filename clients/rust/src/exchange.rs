//! One call: up to three tries within its time, all with one idempotency key. Every fault is a text, none is a panic.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::DispatchError;
use crate::answer::Object;
use crate::clock::Sleep;
use crate::connection::{Address, Connection};

pub(crate) const TRIES: u32 = 3;
/// The time of a call, with all tries and pauses: nuncio waits ten seconds for Discord, the rest is for the way.
pub(crate) const CALL: Duration = Duration::from_secs(15);
/// The shortest first pause. It doubles, and up to as much again is random, so that callers do not return all at once.
const BACKOFF: Duration = Duration::from_millis(250);
pub(crate) const ANSWER_BYTES: usize = 1024 * 1024;

/// The JSON object of a 2xx answer. No text of it holds the key.
pub(crate) struct Answer {
    pub(crate) body: Object,
    pub(crate) errors: Vec<DispatchError>,
}

/// The end of a try.
#[derive(Debug)]
enum Outcome<T> {
    Answered(T),
    /// No other try would help.
    Failed(String),
    /// Another try may follow, after this time at the earliest.
    Passing(String, Duration),
}

struct Request<'a> {
    to: &'a Address,
    http: &'a reqwest::Client,
    url: String,
    body: String,
    idempotency_key: String,
}

struct Response {
    status: u16,
    retry_after: Option<String>,
    text: String,
}

impl Connection {
    /// Posts an event. `body` is `None` if it could not be written as JSON.
    pub(crate) async fn post(&self, route: &str, wait: bool, body: Option<String>) -> Result<Answer, String> {
        let to = self.to.as_ref().map_err(Clone::clone)?;
        let Some(body) = body else {
            return Err("The event was not sent: it cannot be written as JSON".to_owned());
        };
        if Handle::try_current().is_err() {
            return Err("The event was not sent: await it within a Tokio runtime".to_owned());
        }
        let Some(http) = self.http() else {
            return Err("The event was not sent: TLS cannot be set up".to_owned());
        };
        let url = format!("{}/v1/dispatch/{route}{}", to.url, if wait { "?wait=true" } else { "" });
        let request = Request { to, http, url, body, idempotency_key: Uuid::new_v4().to_string() };
        match caught(self.repeat(&request)).await {
            Some(Ok(body)) => read(to, body),
            Some(Err(error)) => Err(to.clean(&error)),
            None => Err("The event was not sent: the Tokio runtime needs its timers and its I/O, as by \
                         `enable_all`"
                .to_owned()),
        }
    }

    async fn repeat(&self, request: &Request<'_>) -> Result<Object, String> {
        let (mut left, mut step) = (CALL, BACKOFF);
        let mut tried = 1;
        loop {
            let begun = self.clock.now();
            let (error, earliest) = match self.once(request, left, tried > 1).await {
                Outcome::Answered(body) => return Ok(body),
                Outcome::Failed(error) => return Err(error),
                Outcome::Passing(error, earliest) => (error, earliest),
            };
            left = left.saturating_sub(self.clock.now().saturating_duration_since(begun));
            let pause = step.max(earliest) + step.mul_f64(self.clock.random());
            // A pause beyond the call's time is not begun: the caller learns the reason now.
            if tried == TRIES || pause >= left {
                return Err(error);
            }
            left -= pause;
            self.clock.pause(pause).await;
            tried += 1;
            step *= 2;
        }
    }

    async fn once(&self, request: &Request<'_>, limit: Duration, again: bool) -> Outcome<Object> {
        let url = &request.to.url;
        match before(self.clock.deadline(limit), request.exchange()).await {
            None => Outcome::Failed(format!(
                "nuncio at {url} did not answer in time. It may have the event: look there first"
            )),
            Some(Err(error)) => Outcome::Passing(
                format!("nuncio cannot be reached at {url} ({})", cause(&error)),
                Duration::ZERO,
            ),
            Some(Ok(response)) => response.outcome(url, again),
        }
    }
}

impl Request<'_> {
    async fn exchange(&self) -> Result<Response, reqwest::Error> {
        let request = self
            .http
            .post(&self.url)
            .header(AUTHORIZATION, self.to.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .header("Idempotency-Key", &self.idempotency_key);
        let mut response = request.body(self.body.clone()).send().await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > ANSWER_BYTES {
                // Longer than any answer of nuncio. Dropping the response closes the connection.
                bytes.clear();
                break;
            }
            bytes.extend_from_slice(&chunk);
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(Response {
            status: response.status().as_u16(),
            retry_after: retry_after.map(str::to_owned),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

impl Response {
    fn outcome(self, url: &str, again: bool) -> Outcome<Object> {
        let (status, body) = (self.status, Object::parse(&self.text));
        match status {
            200..300 => return body.map_or_else(|| Outcome::Failed(unreadable(url)), Outcome::Answered),
            300..400 => {
                return Outcome::Failed(format!(
                    "{url} answers with a redirect. Set NUNCIO_URL to the address that it leads to"
                ));
            }
            _ => {}
        }
        let body = body.unwrap_or_default();
        let reason = ["detail", "title", "error"].iter().find_map(|name| body.shown(name));
        let reason = reason.unwrap_or_else(|| format!("asked at {url}"));
        // Sentences become parts of one.
        let part = |text: &str| text.strip_suffix('.').unwrap_or(text).to_owned();
        let mut error = format!("nuncio answered HTTP {status}: {}", part(&reason));
        for fault in body.list("errors") {
            let text = |name| fault.shown(name).unwrap_or_default();
            error += &format!("; {} {}", text("pointer"), part(&text("message")));
        }
        match status {
            401 => Outcome::Failed(format!("{error}. Set NUNCIO_API_KEY to a key of `nuncio keys create`")),
            429 | 502..=504 => Outcome::Passing(error, retry_after(self.retry_after.as_deref())),
            // To a repeat: nuncio still works on the try whose answer was lost.
            409 if again => Outcome::Passing(error, retry_after(self.retry_after.as_deref())),
            _ => Outcome::Failed(error),
        }
    }
}

fn read(to: &Address, body: Object) -> Result<Answer, String> {
    if !body.is_number(if body.shown("sent").is_some() { "sent" } else { "deliveries" }) {
        return Err(unreadable(&to.url));
    }
    let text =
        |of: &Object, name, absent: &str| to.clean(&of.shown(name).unwrap_or_else(|| absent.to_owned()));
    let errors = body.list("errors");
    let errors = errors.iter().map(|one| DispatchError {
        webhook: text(one, "webhook", "?"),
        error: text(one, "error", "no reason given"),
    });
    Ok(Answer { errors: errors.collect(), body })
}

fn unreadable(url: &str) -> String {
    format!("{url} gave an answer that is not nuncio's. Is NUNCIO_URL right?")
}

/// What is at the bottom of an error: "Connection refused (os error 111)".
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Seconds or a date, as the time from now. Anything else is ignored.
fn retry_after(header: Option<&str>) -> Duration {
    let Some(header) = header else { return Duration::ZERO };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (seconds, fraction) = header.split_once('.').unwrap_or((header, "0"));
    if are_digits(seconds) && seconds.len() <= 9 && are_digits(fraction) {
        return header.parse().map_or(Duration::ZERO, Duration::from_secs_f64);
    }
    let date = httpdate::parse_http_date(header).ok();
    date.and_then(|date| date.duration_since(SystemTime::now()).ok()).unwrap_or_default()
}

/// The work's value, or `None` if the deadline is there first.
async fn before<T>(mut deadline: Sleep, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => deadline.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The work's value, or `None` if it panicked: Tokio does where a runtime lacks timers.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)))
            .map_or(Poll::Ready(None), |poll| poll.map(Some))
    })
    .await
}
