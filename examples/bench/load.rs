//! The load generator: many senders on keep-alive connections, and the latency of each request.
//!
//! All of it runs on one thread and speaks HTTP/1.1 by hand, so that it takes as little as possible from what is
//! measured.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::sleep_until;

use crate::request::Requests;

/// The result of a load.
pub struct Answers {
    /// The latency of each request, sorted.
    took: Vec<Duration>,
    /// How many answers were not 200.
    pub refused: usize,
    /// From the first request to the last answer.
    pub lasted: Duration,
}

impl Answers {
    pub fn count(&self) -> usize {
        self.took.len()
    }

    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.took.len() as f64 / self.lasted.as_secs_f64()
    }

    /// The latency within which this share of the requests was answered.
    pub fn percentile(&self, share: f64) -> Duration {
        let last = self.took.len().saturating_sub(1);
        let at = (self.took.len() as f64 * share).ceil() as usize;
        self.took.get(at.saturating_sub(1).min(last)).copied().unwrap_or_default()
    }
}

/// The order of the requests, and when each may start.
#[derive(Clone)]
struct Order {
    next: Rc<Cell<usize>>,
    began: Instant,
    /// No request starts later than this.
    until: Option<Duration>,
    /// The interval between due requests; `None` if each follows the answer to the one before.
    every: Option<Duration>,
}

/// Closed loop: every sender posts as soon as it has its answer, for `turn` or until `requests` run out.
pub async fn full(
    address: SocketAddr,
    requests: Requests,
    senders: usize,
    turn: Duration,
) -> anyhow::Result<Answers> {
    run(address, requests, senders, Some(turn), None).await
}

/// Open loop: `rate` requests per second, however long answers take. A latency counts from when the request was due.
pub async fn paced(
    address: SocketAddr,
    requests: Requests,
    senders: usize,
    rate: usize,
) -> anyhow::Result<Answers> {
    run(address, requests, senders, None, Some(Duration::from_secs(1) / u32::try_from(rate)?)).await
}

async fn run(
    address: SocketAddr,
    requests: Requests,
    senders: usize,
    until: Option<Duration>,
    every: Option<Duration>,
) -> anyhow::Result<Answers> {
    let mut streams = Vec::with_capacity(senders);
    for _ in 0..senders {
        let stream = TcpStream::connect(address).await.context("connecting to what is measured")?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let count = requests.len();
    let requests = Rc::new(requests);
    let order = Order { next: Rc::default(), began: Instant::now(), until, every };
    let local = LocalSet::new();
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| local.spawn_local(send(stream, Rc::clone(&requests), order.clone())))
        .collect();
    local.await;
    let lasted = order.began.elapsed();
    let mut answers = Answers { took: Vec::with_capacity(count), refused: 0, lasted };
    for task in tasks {
        let (took, refused) = task.await??;
        answers.took.extend(took);
        answers.refused += refused;
    }
    answers.took.sort_unstable();
    ensure!(!answers.took.is_empty(), "nothing was answered");
    Ok(answers)
}

/// One sender. Returns the latency of each request, and how many answers were not 200.
async fn send(
    mut stream: TcpStream,
    requests: Rc<Requests>,
    order: Order,
) -> anyhow::Result<(Vec<Duration>, usize)> {
    let (mut took, mut refused) = (Vec::new(), 0);
    let mut buffer = vec![0; 4096];
    while order.until.is_none_or(|until| order.began.elapsed() < until) {
        let number = order.next.get();
        order.next.set(number + 1);
        let Some(request) = requests.bytes(number) else { break };
        let mut began = Instant::now();
        if let Some(every) = order.every {
            let due = order.began + every * u32::try_from(number)?;
            if due > began {
                sleep_until(due.into()).await;
                began = Instant::now();
            } else {
                began = due;
            }
        }
        stream.write_all(request).await?;
        refused += usize::from(answer(&mut stream, &mut buffer).await? != 200);
        took.push(began.elapsed());
    }
    Ok((took, refused))
}

/// Reads one answer; returns its status.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<u16> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the connection was closed before the answer was whole");
        filled += read;
        if let Some((status, length)) = head(&buffer[..filled])?
            && filled >= length
        {
            return Ok(status);
        }
    }
}

/// The status and length of an answer, once its head is complete.
fn head(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = str::from_utf8(&bytes[..end])?;
    let status = head.get(9..12).context("an answer without a status")?.parse()?;
    let body = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without a length")?;
    Ok(Some((status, end + 4 + body.1.trim().parse::<usize>()?)))
}
