//! The programs under measurement: started, queried, observed from outside, and killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::request::{PATH, SECRET};

/// Clock ticks per second in `/proc/PID/stat`, the same on every Linux (`USER_HZ`).
const TICKS: f64 = 100.0;

/// The paths of the programs.
pub struct Programs {
    nuncio: PathBuf,
    myself: PathBuf,
}

impl Programs {
    /// Builds nuncio with this example's profile, and finds both; or takes `program` for nuncio.
    pub fn find(program: Option<PathBuf>) -> anyhow::Result<Self> {
        let myself = std::env::current_exe()?;
        if let Some(nuncio) = program {
            return Ok(Self { nuncio: std::fs::canonicalize(nuncio)?, myself });
        }
        let folder = myself.parent().and_then(Path::parent).context("this program is in no target folder")?;
        ensure!(folder.ends_with("release"), "only what is built with --release says anything");
        if let Some(cargo) = std::env::var_os("CARGO") {
            let built = Blocking::new(cargo)
                .args(["build", "--release", "--locked", "--bin", "nuncio", "--manifest-path"])
                .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
                .status()?;
            ensure!(built.success(), "nuncio could not be built");
        }
        let nuncio = folder.join("nuncio");
        ensure!(nuncio.exists(), "{} is not there: cargo build --release", nuncio.display());
        Ok(Self { nuncio, myself })
    }

    /// Starts the ceiling with an empty database.
    pub async fn ceiling(&self) -> anyhow::Result<Running> {
        let folder = tempfile::tempdir()?;
        let mut child = Command::new(&self.myself)
            .arg("ceiling")
            .arg(folder.path().join("ceiling.db"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = lines(child.stdout.take())?;
        let line = lines.next_line().await?.context("the bare loop did not start")?;
        Ok(Running { child, folder, address: line.parse()? })
    }

    /// Starts a sandbox Discord with the limits of the real one.
    pub async fn sandbox(&self) -> anyhow::Result<Sandbox> {
        let mut child = Command::new(&self.nuncio)
            .arg("sandbox")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = lines(child.stdout.take())?;
        let line = lines.next_line().await?.context("the sandbox did not start")?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Sandbox { child, told: serde_json::from_str(&line)?, client })
    }

    /// Starts nuncio with an empty database and the given `map`, connected to `discord`. Also returns the time from its
    /// start until it was ready.
    pub async fn nuncio(&self, discord: &Sandbox, map: &Value) -> anyhow::Result<(Running, Duration)> {
        let folder = tempfile::tempdir()?;
        let began = Instant::now();
        let mut child = Command::new(&self.nuncio)
            .current_dir(folder.path())
            .env_clear()
            .env("DISCORD_TOKEN", discord.text("bot_token"))
            .env("DISCORD_API_URL", discord.text("api"))
            .env("DISCORD_WEBHOOK_CHANNELS", map.to_string())
            .env("WEBHOOK_HOST", "127.0.0.1")
            .env("WEBHOOK_PORT", "0")
            .env("WEBHOOK_SECRET", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut output = errors(child.stderr.take())?;
        let mut last = String::new();
        let address = loop {
            let line = output.next_line().await?.with_context(|| format!("nuncio did not start: {last}"))?;
            let found = line.split_once("POST http://").and_then(|(_, rest)| rest.split_once(PATH));
            if let Some((address, _)) = found {
                break address.parse()?;
            }
            last = line;
        };
        let running = Running { child, folder, address };
        while running.get("/health/ready").await.is_none_or(|answer| !answer.starts_with("HTTP/1.1 200")) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ready = began.elapsed();
        // Its further output must be read, or it would block.
        tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
        Ok((running, ready))
    }
}

fn lines(stdout: Option<ChildStdout>) -> anyhow::Result<Lines<BufReader<ChildStdout>>> {
    Ok(BufReader::new(stdout.context("no stdout")?).lines())
}

fn errors(stderr: Option<ChildStderr>) -> anyhow::Result<Lines<BufReader<ChildStderr>>> {
    Ok(BufReader::new(stderr.context("no stderr")?).lines())
}

/// A program under load.
pub struct Running {
    child: Child,
    folder: TempDir,
    pub address: SocketAddr,
}

impl Running {
    /// The processor time used so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = self.proc("stat")?;
        // The name in parentheses may hold anything, so the fields are counted from behind it.
        let (_, fields) = stat.rsplit_once(')').context("no process")?;
        let ticks: u64 = fields
            .split_ascii_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap_or(0))
            .sum();
        Ok(Duration::from_secs_f64(ticks as f64 / TICKS))
    }

    /// The memory in use now, in MiB.
    pub fn memory_mib(&self) -> anyhow::Result<f64> {
        self.status("VmRSS:")
    }

    /// The peak memory, in MiB.
    pub fn most_memory_mib(&self) -> anyhow::Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> anyhow::Result<f64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such figure")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let pid = self.child.id().context("the program has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{pid}/{file}"))?)
    }

    /// The number of events in nuncio's database.
    pub fn stored(&self) -> anyhow::Result<usize> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database =
            rusqlite::Connection::open_with_flags(self.folder.path().join("data/nuncio.db"), flags)?;
        let sql = "SELECT COUNT(*) FROM events WHERE source = 'xtsystems'";
        let count: i64 = database.query_row(sql, [], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }

    /// The answer of `/health`; `None` if there is none.
    pub async fn health(&self) -> Option<Value> {
        let answer = self.get("/health").await?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// Waits until the bot is connected.
    pub async fn connected(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.health().await.is_none_or(|health| health["discord"] != "connected") {
            ensure!(began.elapsed() < Duration::from_secs(20), "the bot did not connect to the sandbox");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The number of deliveries that wait.
    pub async fn pending(&self) -> anyhow::Result<u64> {
        let health = self.health().await.context("nuncio does not answer")?;
        health["pending"].as_u64().context("no figure")
    }

    /// Waits until no delivery waits, at most for `patience`.
    pub async fn drained(&self, patience: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < patience && self.pending().await? > 0 {
            // Not more often: each poll counts all deliveries that wait.
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Ok(())
    }

    /// The whole answer to one request on a new connection.
    async fn get(&self, path: &str) -> Option<String> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = TcpStream::connect(self.address).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }

    /// Suspends it, so that it takes nothing from another's turn.
    pub fn pause(&self) -> anyhow::Result<()> {
        signal(&self.child, "STOP")
    }

    /// Resumes it.
    pub fn resume(&self) -> anyhow::Result<()> {
        signal(&self.child, "CONT")
    }

    /// Kills it.
    pub async fn end(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

fn signal(child: &Child, name: &str) -> anyhow::Result<()> {
    let pid = child.id().context("the program has ended")?.to_string();
    let done = Blocking::new("kill").args([format!("-{name}"), pid]).status()?;
    ensure!(done.success(), "kill -{name} failed");
    Ok(())
}

/// A `nuncio sandbox`.
pub struct Sandbox {
    child: Child,
    /// The JSON that it printed at its start.
    told: Value,
    client: reqwest::Client,
}

/// A posted message.
pub struct Posted {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The message as JSON.
    pub body: String,
}

impl Sandbox {
    fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap_or_default()
    }

    /// The id of a channel.
    pub fn channel(&self, name: &str) -> &str {
        self.told["channels"][name].as_str().unwrap_or_default()
    }

    /// A map with a channel for every family.
    pub fn map(&self) -> Value {
        json!({
            "ticket.*": [self.channel("tickets")],
            "asset.*": [self.channel("assets")],
            "alert.*": [self.channel("alerts")],
            "machine.*": [self.channel("machines")],
            "default": [self.channel("general")],
        })
    }

    /// Suspends it, so that it takes nothing from another's turn.
    pub fn pause(&self) -> anyhow::Result<()> {
        signal(&self.child, "STOP")
    }

    /// Resumes it.
    pub fn resume(&self) -> anyhow::Result<()> {
        signal(&self.child, "CONT")
    }

    /// Delays every request from now on by `seconds`.
    pub async fn slow(&self, seconds: f64) -> anyhow::Result<()> {
        let orders = json!({"fail": {"kind": "delay", "seconds": seconds, "n": 1_000_000}});
        let answer = self
            .client
            .post(format!("{}sandbox/control", self.text("page")))
            .header("Authorization", self.text("user_token"))
            .json(&orders)
            .send()
            .await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// The messages posted to a channel, oldest first; of very many only the last.
    pub async fn posted(&self, channel: &str) -> anyhow::Result<Vec<Posted>> {
        let ledger: Value = self
            .client
            .get(format!("{}sandbox/ledger", self.text("page")))
            .header("Authorization", self.text("user_token"))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let path = format!("/channels/{channel}/messages");
        let asked = ledger["asked"].as_array().context("no ledger")?.iter();
        let posted = asked.filter(|one| {
            one["method"] == "POST"
                && one["status"] == 200
                && one["path"].as_str().is_some_and(|asked| asked.ends_with(&path))
        });
        posted
            .map(|one| {
                let at = one["at"].as_str().and_then(nuncio::clock::Timestamp::parse_rfc3339);
                Ok(Posted { at_ms: at.context("no time")?.as_millis(), body: one["body"].to_string() })
            })
            .collect()
    }
}
