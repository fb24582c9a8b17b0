//! The stage of a rig: a sandbox, a sender, a folder with nuncio's data, and nuncio, which comes and goes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use nuncio::clock::{Clock, Timestamp};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::database::Database;
use super::program::{self, Program, Said};
use super::sandbox::Sandbox;
use super::sender::{self, SECRET, Sender};
use super::verdict::{Facts, Verdict};
use super::{PATIENCE, until, within};

/// All that takes part.
pub struct Stage {
    /// Discord.
    pub sandbox: Sandbox,
    /// The platform.
    pub sender: Sender,
    /// What nuncio is started with.
    pub variables: BTreeMap<String, String>,
    /// The ids of the channels, by the numbers the sender gives them.
    pub channels: Vec<String>,
    /// What nuncio said that must not go unheard.
    pub said: Said,
    program: Option<Program>,
    folder: TempDir,
    database: PathBuf,
}

impl Stage {
    /// Everything but nuncio, with so many channels; the data in a folder of its own.
    pub async fn set(channels: usize) -> anyhow::Result<Self> {
        Self::set_in(channels, None).await
    }

    /// The same with nuncio's database in `data`.
    pub async fn set_in(channels: usize, data: Option<&Path>) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start().await?;
        let names: Vec<String> = (0..channels).map(|channel| format!("rig-{channel}")).collect();
        let ids = sandbox.add_channels(&names).await?;
        let folder = tempfile::tempdir()?;
        let database = data.unwrap_or(folder.path()).join("nuncio.db");
        let kinds = |(channel, id): (usize, &String)| {
            let kind = sender::kind(channel);
            [(kind.replace("rig.", "rig.poison."), json!([id])), (kind, json!([id]))]
        };
        let map: Map<String, Value> = ids.iter().enumerate().flat_map(kinds).collect();
        let variables = [
            ("DISCORD_TOKEN", sandbox.says("bot_token").to_owned()),
            ("DISCORD_API_URL", sandbox.says("api").to_owned()),
            ("DISCORD_GATEWAY", "off".to_owned()),
            ("DISCORD_WEBHOOK_CHANNELS", Value::Object(map).to_string()),
            ("WEBHOOK_SECRET", SECRET.to_owned()),
            ("WEBHOOK_HOST", "127.0.0.1".to_owned()),
            ("WEBHOOK_PORT", "0".to_owned()),
            ("NUNCIO_DATABASE_URL", format!("sqlite://{}", database.display())),
            ("LOG_DIR", folder.path().join("logs").display().to_string()),
            // One card for each event, each in a message of its own: what is counted is what was sent.
            ("CARDS", "append".to_owned()),
            ("COALESCE", "off".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            // It calls nothing but this machine; reading the system's certificates takes longer than the rest of a start.
            ("SSL_CERT_FILE", "/dev/null".to_owned()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Self {
            sender: Sender::new(&folder.path().join("sender.ledger"), channels)?,
            sandbox,
            variables,
            channels: ids,
            said: Said::default(),
            program: None,
            folder,
            database,
        })
    }

    /// Routes everything to stored webhooks instead, one of each channel; answers their ids and addresses.
    pub async fn through_webhooks(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        let (mut map, mut made) = (Map::new(), Vec::new());
        for (channel, id) in self.channels.clone().into_iter().enumerate() {
            let url = self.sandbox.add_webhook(&id).await?;
            let name = format!("rig-{channel}");
            let add = ["discord-webhooks", "add", "--name", &name];
            let stored = program::run(self.folder.path(), &self.variables, &add, &url).await?;
            map.insert(sender::kind(channel), json!([stored.trim()]));
            made.push((stored.trim().to_owned(), url));
        }
        self.variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), Value::Object(map).to_string());
        Ok(made)
    }

    /// Runs another command of nuncio's beside it; answers what it printed.
    pub async fn runs(&self, args: &[&str], input: &str) -> anyhow::Result<String> {
        program::run(self.folder.path(), &self.variables, args, input).await
    }

    /// From now on every event is a ticket of its own, all of them go to the first channel, and they are shown as they
    /// are by default: with packs, and from `depth` waiting ones on with digests.
    pub fn tells_of_tickets(&mut self, depth: usize) -> anyhow::Result<()> {
        let map = json!({"default": [self.channels.first().context("a channel")?]});
        self.variables.retain(|name, _| !["CARDS", "COALESCE"].contains(&name.as_str()));
        self.variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
        self.variables.insert("COALESCE_DEPTH".to_owned(), depth.to_string());
        self.sender = Sender::of_tickets(&self.folder.path().join("tickets.ledger"))?;
        Ok(())
    }

    /// Starts nuncio on the data there is.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let program = Program::start(self.folder.path(), &self.variables, &self.said).await?;
        self.sender.points_at(Some(program.address.clone()));
        self.program = Some(program);
        Ok(())
    }

    /// nuncio, which runs.
    pub fn program(&mut self) -> anyhow::Result<&mut Program> {
        self.program.as_mut().context("nuncio does not run")
    }

    /// `kill -9`.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.leave()?.kill().await
    }

    /// Starts nuncio again after it has ended by itself.
    pub async fn restarts(&mut self) -> anyhow::Result<()> {
        drop(self.leave()?);
        self.start().await
    }

    /// SIGTERM, which must end it with 0.
    pub async fn terminate(&mut self) -> anyhow::Result<()> {
        self.leave()?.terminate().await
    }

    fn leave(&mut self) -> anyhow::Result<Program> {
        let program = self.program.take().context("nuncio does not run")?;
        self.sender.points_at(None);
        Ok(program)
    }

    /// Throws nuncio's data away, as nothing that is relied on does.
    pub fn delete_database(&self) -> anyhow::Result<()> {
        for ending in ["", "-wal", "-shm"] {
            let path = format!("{}{ending}", self.database.display());
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// nuncio's database, opened beside it.
    pub async fn database(&self) -> anyhow::Result<Database> {
        open(&self.database).await
    }

    /// Where nuncio answers `path`.
    pub fn url(&mut self, path: &str) -> anyhow::Result<String> {
        let address = &self.program()?.address;
        let host = address.split('/').nth(2).context("an address")?;
        Ok(format!("http://{host}{path}"))
    }

    /// `/health`.
    pub async fn health(&mut self) -> anyhow::Result<Value> {
        Ok(reqwest::get(self.url("/health")?).await?.json().await?)
    }

    /// Waits until nothing is left to deliver.
    pub async fn settle(&mut self, limit: Duration) -> anyhow::Result<()> {
        let url = self.url("/health")?;
        let settled = async {
            let settled = async || {
                let health: Value = reqwest::get(&url).await.ok()?.json().await.ok()?;
                (health["pending"] == 0 && health["database"] == "ok").then_some(())
            };
            while until("everything to be delivered", settled).await.is_err() {}
        };
        within("everything to be delivered", limit, settled).await
    }

    /// How long the lane that waits longest would still wait.
    pub async fn longest_wait(&self) -> anyhow::Result<Duration> {
        let latest = "SELECT COALESCE(MAX(not_before), 0) FROM destinations";
        let latest: i64 = self.database().await?.value(latest).await?;
        Ok(Timestamp::from_millis(latest).since(Clock::system().now()))
    }

    /// As much time passes as any lane waits for. nuncio must not run.
    pub async fn waits_are_over(&self) -> anyhow::Result<()> {
        self.database().await?.execute("UPDATE destinations SET not_before = 0", ()).await?;
        Ok(())
    }

    /// Waits until so many were given up.
    pub async fn given_up(&self, count: usize) -> anyhow::Result<()> {
        let dead = async || Some(self.dead().await.ok()?.len()).filter(|dead| *dead >= count).map(drop);
        until(&format!("{count} to be given up"), dead).await
    }

    /// Settles, stops nuncio in order, and compares the books.
    pub async fn verdict(&mut self) -> anyhow::Result<Verdict> {
        self.settle(5 * PATIENCE).await?;
        self.terminate().await?;
        Ok(Verdict::of(&self.facts().await?))
    }

    /// What is known from outside.
    pub async fn facts(&self) -> anyhow::Result<Facts> {
        let mut facts = self.sender.ledger().read()?.facts();
        facts.delivered = self.sandbox.delivered().await?;
        facts.dead = self.dead().await?;
        facts.tried_again = self.sandbox.tried_again().await?;
        Ok(facts)
    }

    /// What was given up, and why.
    async fn dead(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let sql = "SELECT e.body, COALESCE(d.reason, '') AS reason FROM deliveries AS d \
                   JOIN events AS e ON e.id = d.event_id WHERE d.status = 'dead'";
        let database = self.database().await?;
        let rows: Vec<(Vec<u8>, String)> =
            database.rows(sql, |row| Ok((row.get("body")?, row.get("reason")?))).await?;
        let dead = |(body, reason): (Vec<u8>, String)| {
            let tags = sender::tags_in(&String::from_utf8_lossy(&body));
            tags.into_iter().map(move |tag| (tag, reason.clone()))
        };
        Ok(rows.into_iter().flat_map(dead).collect())
    }
}

/// Opens a database beside whoever has it open.
pub async fn open(path: &Path) -> anyhow::Result<Database> {
    let database = Database::open(path).await.context("nuncio's database")?;
    database.execute("PRAGMA busy_timeout = 30000", ()).await?;
    Ok(database)
}
