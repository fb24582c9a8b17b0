//! K-5: SIGTERM under load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use nuncio::clock::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::sender::{finish, signature};
use super::stage::Stage;
use super::table::{Holds, Row};
use super::{PATIENCE, Size, until, within};

/// Requests whose bodies are half sent when the signal comes.
const IN_FLIGHT: usize = 8;
/// Events that come in meanwhile.
const LOAD: usize = 40;
const GO_ON: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";
const LIMIT: Duration = Duration::from_secs(10);

pub const K5: &str = "what is under way is answered, exit 0 in ≤ 10 s, 0 lost, 0 doubled";

/// How nuncio is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Term,
    Kill,
}

/// K-5.
pub async fn under_load(size: Size) -> anyhow::Result<Row> {
    let rounds = size.of(2, 20);
    let mut stage = Stage::set(2).await?;
    let (mut answered, mut longest, mut in_order) = (0, Duration::ZERO, true);
    for round in 0..rounds {
        let (answers, took, success) = stopped(&mut stage, round, By::Term).await?;
        answered += answers;
        longest = longest.max(took);
        in_order &= success;
    }
    stage.start().await?;
    let verdict = stage.verdict().await?;
    let killed = stopped(&mut Stage::set(2).await?, 0, By::Kill).await?.0;
    let all = rounds * IN_FLIGHT;
    let exit = if in_order { "always 0" } else { "not always 0" };
    Ok(Row {
        case: "K-5",
        done: format!("{rounds} × SIGTERM under load, {IN_FLIGHT} requests half received each time"),
        required: K5,
        measured: format!(
            "{answered} of {all} answered 200, exit {exit}, the longest took {:.1} s; {verdict}",
            longest.as_secs_f64()
        ),
        holds: Holds::both(
            answered == all && in_order && size.in_time(longest, LIMIT) && verdict.is_clean(),
            killed < IN_FLIGHT,
        ),
        control: format!("SIGKILL instead: {killed} of {IN_FLIGHT} answered"),
    })
}

/// Has nuncio ended under load. How many requests that were under way were answered 200, how long it took to end, and
/// whether it ended in order.
async fn stopped(stage: &mut Stage, round: usize, by: By) -> anyhow::Result<(usize, Duration, bool)> {
    stage.start().await?;
    let base = round * (LOAD + IN_FLIGHT);
    let allowed = Arc::new(Semaphore::new(LOAD));
    let load = stage.sender.stream(base..base + LOAD, 4, &allowed);
    let mut halves = Vec::new();
    for number in base + LOAD..base + LOAD + IN_FLIGHT {
        halves.push(Half::sent(stage, number).await?);
    }
    let address = stage.program()?.address.split('/').nth(2).context("an address")?.to_owned();
    let began = Instant::now();
    stage.program()?.signal(if by == By::Term { "TERM" } else { "KILL" }).await?;
    // It has heard when it lets nobody else in.
    until("nuncio to close its door", async || TcpStream::connect(&address).await.err().map(drop)).await?;
    let finishing = halves.into_iter().map(|half| half.finish(stage));
    let answers = futures_util::future::join_all(finishing).await;
    let status = stage.program()?.ended().await?;
    let took = began.elapsed();
    // What the load had under way is sent again once there is somebody to take it.
    stage.restarts().await?;
    within("the rest of the load", PATIENCE, finish(load)).await??;
    stage.terminate().await?;
    Ok((answers.into_iter().filter(|answered| *answered).count(), took, status.success()))
}

/// A request of which nuncio has the head and half of the body.
struct Half {
    connection: TcpStream,
    tag: String,
    rest: Vec<u8>,
}

impl Half {
    async fn sent(stage: &mut Stage, number: usize) -> anyhow::Result<Self> {
        let event = stage.sender.event(number);
        let now = Clock::system().now().as_secs().to_string();
        let address = stage.program()?.address.clone();
        let mut parts = address.splitn(4, '/').skip(2);
        let (host, path) = (parts.next().context("a host")?, parts.next().context("a path")?);
        let head = format!(
            "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             X-XTSystems-Timestamp: {now}\r\nX-XTSystems-Signature: {}\r\nConnection: close\r\n\
             Expect: 100-continue\r\n\r\n",
            event.body.len(),
            signature(&now, &event.body)
        );
        let (half, rest) = event.body.as_bytes().split_at(event.body.len() / 2);
        let mut connection = TcpStream::connect(host).await?;
        connection.write_all(head.as_bytes()).await?;
        // Now nuncio has the request: it asks for its body.
        let mut asked = [0; GO_ON.len()];
        within("nuncio to ask for the body", PATIENCE, connection.read_exact(&mut asked)).await??;
        ensure!(asked == *GO_ON, "{}", String::from_utf8_lossy(&asked));
        connection.write_all(half).await?;
        stage.sender.ledger().sent(&event.tag, "half")?;
        Ok(Self { connection, tag: event.tag, rest: rest.to_vec() })
    }

    /// Sends the other half; whether it was answered 200.
    async fn finish(mut self, stage: &Stage) -> bool {
        let mut answer = Vec::new();
        if self.connection.write_all(&self.rest).await.is_err() {
            return false;
        }
        let read = within("an answer", PATIENCE, self.connection.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let id = answer.split_once("\"event_id\":\"").and_then(|(_, rest)| rest.split('"').next());
        match (read, id) {
            (Ok(Ok(_)), Some(id)) if answer.starts_with("HTTP/1.1 200 ") => {
                stage.sender.ledger().acknowledged(&self.tag, id).is_ok()
            }
            _ => false,
        }
    }
}
