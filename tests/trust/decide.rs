//! K-4: `kill -9` between a decision and the platform's word.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use nuncio::clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::sender::Event;
use super::stage::Stage;
use super::table::{Holds, Row};
use super::{PATIENCE, Size, until, within};

pub const K4: &str = "finished ≤ 5 s after the restart, each decision told as one call";
const LIMIT: Duration = Duration::from_secs(5);
/// Time to kill nuncio between the click and the call.
const GRACE: &str = "1s";

/// When nuncio is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// When the decision stands, and nobody was called yet.
    BeforeTheCall,
    /// When the platform was called and has not answered.
    DuringTheCall,
}

/// K-4.
pub async fn after_the_click(size: Size) -> anyhow::Result<Row> {
    let rounds = size.of(2, 20);
    let platform = Platform::start().await?;
    let mut stage = deciding(&platform).await?;
    let (mut longest, mut finished) = (Duration::ZERO, 0);
    for round in 0..rounds {
        let killed = if round % 2 == 0 { Killed::BeforeTheCall } else { Killed::DuringTheCall };
        let card = decided(&mut stage, &platform, round, killed).await?;
        let began = Instant::now();
        stage.start().await?;
        until("the decision to be finished", async || {
            title(&stage, &card).await.filter(|title| title.starts_with('✅'))
        })
        .await?;
        longest = longest.max(began.elapsed());
        finished += 1;
        stage.terminate().await?;
    }
    let calls = platform.calls();
    let mut keys: Vec<&str> = calls.iter().map(|call| call.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let one_each = keys.len() == rounds && calls.iter().all(|call| !call.key.is_empty());
    let untold = without_its_database().await?;
    Ok(Row {
        case: "K-4",
        done: format!(
            "{rounds} × Approve and `kill -9`, by turns before XTSystems is called and while it has not answered"
        ),
        required: K4,
        measured: format!(
            "{finished} of {rounds} finished, the longest {:.1} s after the restart; {} calls with {} keys",
            longest.as_secs_f64(),
            calls.len(),
            keys.len()
        ),
        holds: Holds::both(finished == rounds && one_each && size.in_time(longest, LIMIT), untold == 1),
        control: format!("the database deleted between kill and restart: {untold} of 1 never told"),
    })
}

/// The control: a decision whose row is gone is not told to anybody.
async fn without_its_database() -> anyhow::Result<usize> {
    let platform = Platform::start().await?;
    let mut stage = deciding(&platform).await?;
    decided(&mut stage, &platform, 0, Killed::BeforeTheCall).await?;
    stage.delete_database()?;
    stage.start().await?;
    // Later than it would have been told.
    Clock::system().sleep(2 * Duration::from_secs(1)).await;
    Ok(1_usize.saturating_sub(platform.calls().len()))
}

/// A stage with the bot connected, a platform to be called, and somebody who may decide.
async fn deciding(platform: &Platform) -> anyhow::Result<Stage> {
    let mut stage = Stage::set(1).await?;
    let state = stage.sandbox.look("state").await?;
    let roles = state["guilds"][0]["roles"].as_array().context("no roles")?;
    let approvers = roles.iter().find(|role| role["name"] == "Approvers").context("no Approvers")?;
    stage.variables.remove("DISCORD_GATEWAY");
    let set = [
        ("DISCORD_WEBHOOK_CHANNELS", json!({"machine.*": [stage.channels[0]]}).to_string()),
        ("XTSYSTEMS_API_URL", platform.url.clone()),
        ("XTSYSTEMS_API_KEY", "a-key-of-the-rig".to_owned()),
        ("APPROVER_ROLES", approvers["id"].as_str().context("an id")?.to_owned()),
        ("DECISION_GRACE", GRACE.to_owned()),
    ];
    stage.variables.extend(set.map(|(name, value)| (name.to_owned(), value)));
    Ok(stage)
}

/// Has a machine ask to join, Alice approve it, and nuncio killed. Answers the card's id.
async fn decided(
    stage: &mut Stage,
    platform: &Platform,
    round: usize,
    killed: Killed,
) -> anyhow::Result<String> {
    platform.hangs(killed == Killed::DuringTheCall);
    stage.start().await?;
    let event = stage.sender.event(round);
    let data = json!({"id": format!("m-{round}"), "hostname": format!("RIG-{round}")});
    let body = json!({"event_type": "machine.registered", "data": data}).to_string();
    stage.sender.deliver(&Event { body, ..event }).await?;
    let wants = format!("RIG-{round} wants to join");
    let card = until("the card", async || {
        card_of(stage, &|card| {
            card["embeds"][0]["title"].as_str().is_some_and(|title| title.contains(&wants))
        })
        .await
    })
    .await?;
    let id = card["id"].as_str().context("a message without an id")?.to_owned();
    let url = stage.url("/health")?;
    until("the bot to be online", async || {
        let health: Value = reqwest::get(&url).await.ok()?.json().await.ok()?;
        (health["discord"] == "connected").then_some(())
    })
    .await?;
    let calls = platform.calls().len();
    stage.sandbox.clicks(&stage.channels[0], &card).await?;
    match killed {
        Killed::BeforeTheCall => {
            until("the decision to stand", async || {
                title(stage, &id).await.filter(|title| title.starts_with('⏳'))
            })
            .await?;
        }
        Killed::DuringTheCall => {
            until("XTSystems to be called", async || (platform.calls().len() > calls).then_some(())).await?;
        }
    }
    stage.kill().await?;
    ensure!(
        killed == Killed::DuringTheCall || platform.calls().len() == calls,
        "it was too slow to be killed in time"
    );
    platform.hangs(false);
    Ok(id)
}

/// The first message of the channel that is meant.
async fn card_of(stage: &Stage, is: &dyn Fn(&Value) -> bool) -> Option<Value> {
    let channels = stage.sandbox.look("messages").await.ok()?;
    let messages = channels[stage.channels[0].as_str()].as_array()?;
    messages.iter().find(|message| is(message)).cloned()
}

async fn title(stage: &Stage, card: &str) -> Option<String> {
    let card = card_of(stage, &|message| message["id"] == card).await?;
    card["embeds"][0]["title"].as_str().map(str::to_owned)
}

/// XTSystems: a recorder of calls, which may leave them without an answer.
struct Platform {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    hangs: bool,
}

/// One call.
#[derive(Clone, Debug)]
struct Call {
    key: String,
}

impl Platform {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { url, state })
    }

    fn hangs(&self, hangs: bool) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).hangs = hangs;
    }

    fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }
}

/// Takes one request of a connection, and closes it.
async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) -> anyhow::Result<()> {
    let (mut head, mut piece) = (String::new(), [0; 4096]);
    while !head.contains("\r\n\r\n") {
        let read = within("a request", PATIENCE, stream.read(&mut piece)).await??;
        ensure!(read > 0, "cut");
        head.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("idempotency-key").then(|| value.trim().to_owned())
    });
    let hangs = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.calls.push(Call { key: key.unwrap_or_default() });
        state.hangs
    };
    if hangs {
        // Until the other side is gone.
        while stream.read(&mut piece).await? > 0 {}
        return Ok(());
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await?;
    Ok(())
}
