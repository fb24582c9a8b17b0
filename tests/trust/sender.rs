//! The sender: a platform that signs events, keeps a book, and sends each again until it is acknowledged.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nuncio::clock::Clock;
use nuncio::secret::Secret;
use nuncio::signature::{sha256_hex, sign};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::verdict::Tag;

/// What the sender and the program both know.
pub const SECRET: &str = "a secret of the trust rigs";
/// How long the sender waits for an answer.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long it waits before it sends again what was not acknowledged.
const PAUSE: Duration = Duration::from_millis(20);
const DIGITS: usize = 8;
const CHECK: usize = 8;

/// The platform. Clones are the same one.
#[derive(Clone)]
pub struct Sender(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    clock: Clock,
    ledger: Ledger,
    /// Where the program listens; nothing while it does not run.
    address: watch::Sender<Option<String>>,
    timestamp: i64,
    channels: usize,
    /// Whether every event is a ticket, and none has a channel of its own.
    tickets: bool,
}

/// What an event was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub event_id: String,
    pub duplicate: bool,
    pub retry_after: Option<String>,
}

/// One event: always the same bytes, as a platform's retries are.
#[derive(Clone, Debug)]
pub struct Event {
    pub tag: Tag,
    pub body: String,
}

impl Sender {
    /// One that keeps its book at `book` and spreads its events over so many channels.
    pub fn new(book: &Path, channels: usize) -> anyhow::Result<Self> {
        Self::telling(book, channels, false)
    }

    /// One that sends new tickets.
    pub fn of_tickets(book: &Path) -> anyhow::Result<Self> {
        Self::telling(book, 1, true)
    }

    fn telling(book: &Path, channels: usize, tickets: bool) -> anyhow::Result<Self> {
        let http = nuncio::outgoing::builder().no_proxy().timeout(DEADLINE).build()?;
        let (clock, address) = (Clock::system(), watch::Sender::new(None));
        let timestamp = clock.now().as_secs();
        let ledger = Ledger::create(book)?;
        Ok(Self(Arc::new(Inner { http, clock, ledger, address, timestamp, channels, tickets })))
    }

    /// Its book.
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Tells it where the program listens from now on.
    pub fn points_at(&self, address: Option<String>) {
        self.0.address.send_replace(address);
    }

    /// The event of this number; which channel it is for follows from its number.
    pub fn event(&self, number: usize) -> Event {
        self.event_for(number, number % self.0.channels)
    }

    /// The event of this number, for this channel.
    pub fn event_for(&self, number: usize, channel: usize) -> Event {
        let tag = tag(number, self.0.timestamp);
        let (kind, data) = match self.0.tickets {
            true => {
                ("ticket.created".to_owned(), json!({"id": number, "title": "Printer", "description": tag}))
            }
            false => (kind(channel), json!({"tag": tag})),
        };
        let body = json!({"event_type": kind, "data": data, "timestamp": self.0.timestamp});
        Event { tag, body: body.to_string() }
    }

    /// Sends an event once, signed for the present second. Nothing if there was no answer.
    pub async fn once(&self, event: &Event) -> anyhow::Result<Option<Answer>> {
        let Some(address) = self.0.address.borrow().clone() else { return Ok(None) };
        self.0.ledger.sent(&event.tag, &sha256_hex(&[event.body.as_bytes()]))?;
        let Some(answer) = self.post(&address, event).await else { return Ok(None) };
        match answer.status {
            200 => self.0.ledger.acknowledged(&event.tag, &answer.event_id)?,
            status => self.0.ledger.refused(&event.tag, status)?,
        }
        Ok(Some(answer))
    }

    /// Sends an event until it is acknowledged, however often the program dies meanwhile.
    pub async fn deliver(&self, event: &Event) -> anyhow::Result<Answer> {
        let mut address = self.0.address.subscribe();
        loop {
            let _ = address.wait_for(Option::is_some).await;
            match self.once(event).await? {
                Some(answer) if answer.status == 200 => return Ok(answer),
                _ => self.0.clock.sleep(PAUSE).await,
            }
        }
    }

    /// Delivers the events of these numbers, `workers` at a time, each as soon as it is `allowed`.
    pub fn stream(
        &self,
        numbers: std::ops::Range<usize>,
        workers: usize,
        allowed: &Arc<Semaphore>,
    ) -> JoinSet<anyhow::Result<()>> {
        let next = Arc::new(std::sync::atomic::AtomicUsize::new(numbers.start));
        let mut tasks = JoinSet::new();
        for _ in 0..workers {
            let (sender, next, allowed, end) =
                (self.clone(), Arc::clone(&next), Arc::clone(allowed), numbers.end);
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= end {
                        return Ok(());
                    }
                    allowed.acquire().await?.forget();
                    sender.deliver(&sender.event(number)).await?;
                }
            });
        }
        tasks
    }

    /// Delivers the events of these numbers as fast as it can.
    pub async fn deliver_all(&self, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
        let allowed = Arc::new(Semaphore::new(numbers.len()));
        finish(self.stream(numbers, 16, &allowed)).await
    }

    async fn post(&self, address: &str, event: &Event) -> Option<Answer> {
        let now = self.0.clock.now().as_secs().to_string();
        let request = self.0.http.post(address).header("content-type", "application/json");
        let request = request.header("x-xtsystems-timestamp", &now);
        let request = request.header("x-xtsystems-signature", signature(&now, &event.body));
        let response = request.body(event.body.clone()).send().await.ok()?;
        let status = response.status().as_u16();
        let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = header.map(str::to_owned);
        let body: Value = serde_json::from_slice(&response.bytes().await.ok()?).unwrap_or_default();
        let event_id = body["event_id"].as_str().unwrap_or_default().to_owned();
        // A 200 that names no event would be an answer nobody can hold the program to.
        let status = if status == 200 && event_id.is_empty() { 0 } else { status };
        Some(Answer { status, event_id, duplicate: body["duplicate"] == true, retry_after })
    }
}

/// Waits for workers to finish.
pub async fn finish(mut workers: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(worked) = workers.join_next().await {
        worked??;
    }
    Ok(())
}

/// The kind of the events for a channel.
pub fn kind(channel: usize) -> String {
    format!("rig.c{channel:02}")
}

/// The signature over `now` and `body`.
pub fn signature(now: &str, body: &str) -> String {
    sign(&Secret::new(SECRET), &[now.as_bytes(), body.as_bytes()])
}

/// `t00000042x1a2b3c4d`: a number and its checksum, so that no part of it can change unseen.
fn tag(number: usize, timestamp: i64) -> Tag {
    let check = sha256_hex(&[format!("{timestamp} {number}").as_bytes()]);
    format!("t{number:0DIGITS$}x{}", &check[..CHECK])
}

/// All tags in a text.
pub fn tags_in(text: &str) -> Vec<Tag> {
    let is_tag = |word: &&str| {
        let Some((number, check)) = word.strip_prefix('t').and_then(|rest| rest.split_once('x')) else {
            return false;
        };
        number.len() == DIGITS
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && check.len() == CHECK
            && check.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_tag).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_on_its_card_and_half_a_tag_is_not() {
        let tag = tag(42, 1);
        assert_eq!(tags_in(&format!("tag: {tag} · more, `{tag}`")), [tag.clone(), tag.clone()]);
        assert!(tags_in(&tag[..tag.len() - 1]).is_empty());
        assert!(tags_in("the text of a ticket x t1x2").is_empty());
    }

    #[test]
    fn an_event_is_the_same_bytes_every_time_and_goes_round_the_channels() {
        let folder = tempfile::tempdir().unwrap();
        let sender = Sender::new(&folder.path().join("book"), 3).unwrap();
        assert_eq!(sender.event(4).body, sender.event(4).body);
        assert!(sender.event(4).body.contains("\"rig.c01\""));
        assert_ne!(sender.event(4).tag, sender.event(5).tag);
    }
}
