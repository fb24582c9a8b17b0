//! The stage for every test: the real application on a free port, the sandbox Discord, the demo's XTSystems, a
//! temporary database, and a clock that can be moved. Its verbs are the user's.
//!
//! A test ends with [`Harness::finish`], which proves that nothing was left unread, unsent or logged as an error.

mod channel;
mod http;
mod log;
mod person;
mod port;
mod receiver;
mod shell;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nuncio::app::{App, Reloader};
use nuncio::clock::Clock;
use nuncio::config::{Config, Variables};
use nuncio::demo::{WebhookAnswer, XtSystems};
use nuncio::hub::{GatewayState, Hub};
use nuncio::model::{Actor, By, Snowflake};
use nuncio::sandbox::discord::{Permission, Permissions, Setup};
use nuncio::sandbox::{self, Discord};
use nuncio::secret::Secret;
use nuncio::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Level;

pub use channel::{Channel, Message};
pub use http::{NO_CERTIFICATES, http};
use log::Log;
pub use port::free_port;
pub use receiver::{Answering, Receiver};

/// Long enough for a busy machine; reaching it means that something never comes.
const PATIENCE: Duration = Duration::from_secs(180);
pub const SECRET: &str = "a secret of the harness";

pub struct Harness {
    /// Its clock is a twin of `clock`: both move on together, and stepping `clock`'s wall leaves Discord's alone.
    pub discord: Discord,
    pub clock: Clock,
    pub log: Log,
    variables: BTreeMap<String, String>,
    running: Option<Running>,
    /// How many messages of each channel the test has read.
    read: Arc<Mutex<BTreeMap<String, usize>>>,
    sandbox: (CancellationToken, JoinHandle<std::io::Result<()>>),
    folder: TempDir,
}

struct Running {
    hub: Hub,
    store: Store,
    platform: XtSystems,
    address: std::net::SocketAddr,
    admin_address: std::net::SocketAddr,
    reloader: Reloader,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Harness {
    /// Everything as an operator would have it, but for the bot's connection: a map with a channel for every family.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, but with a message of its own for every event, however many there are.
    pub async fn plain() -> Self {
        Self::with(one_by_one).await
    }

    /// The same with the bot connected to the gateway, which takes a moment.
    pub async fn with_bot() -> Self {
        let harness = Self::with(|variables| drop(variables.remove("DISCORD_GATEWAY"))).await;
        harness.online().await;
        harness
    }

    /// Waits until Discord has said who the bot is. From then on it is known to be Discord, and a nonce is trusted.
    pub async fn introduced(&self) {
        self.log.seen(Level::INFO, "Discord knows this token").await;
    }

    /// Waits until the bot is connected to the gateway.
    pub async fn online(&self) {
        self.gateway(|gateway| matches!(gateway, GatewayState::Connected { .. })).await;
    }

    /// Waits until the bot's connection is as it should be.
    pub async fn gateway(&self, mut is: impl FnMut(GatewayState) -> bool) {
        let mut changes = self.hub().gateway_changes();
        within("the bot's connection", changes.wait_for(|gateway| is(*gateway))).await.unwrap();
    }

    /// The same, after `change` has had a look at the variables.
    pub async fn with(change: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        Self::with_discord(|variables, _| change(variables)).await
    }

    /// The same, with the ids of what stands on the sandbox's Discord.
    pub async fn with_discord(change: impl FnOnce(&mut BTreeMap<String, String>, &Discord)) -> Self {
        // A message that forgot to forbid a ping shows only where the bot may ping everyone.
        let setup = Setup { permissions: Permissions::pinging(), ..Setup::default() };
        Self::set_up(setup, change).await
    }

    /// The same in another guild.
    pub async fn in_guild(setup: Setup, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        Self::set_up(setup, |variables, _| change(variables)).await
    }

    async fn set_up(setup: Setup, change: impl FnOnce(&mut BTreeMap<String, String>, &Discord)) -> Self {
        let log = Log::start();
        let clock = Clock::system();
        let discord = Discord::new(clock.twin(), setup);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = tokio::spawn(sandbox::serve(discord.clone(), listener, stop.clone()));
        let folder = TempDir::new().unwrap();
        let id = |name: &str| discord.channel_id(name).unwrap().to_string();
        let map = json!({
            "ticket.*": [id("tickets")],
            "machine.*": [id("machines")],
            "asset.*": id("assets"),
            "alert.*": [id("alerts")],
            "default": [id("general")],
        });
        let mut variables = BTreeMap::from([
            ("DISCORD_TOKEN".to_owned(), discord.bot_token().expose().to_owned()),
            ("DISCORD_API_URL".to_owned(), format!("http://{address}/api")),
            ("DISCORD_GATEWAY".to_owned(), "off".to_owned()),
            ("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string()),
            ("WEBHOOK_SECRET".to_owned(), SECRET.to_owned()),
            // Nobody is there: where a test sets a key alone, no other program of this machine may answer.
            ("XTSYSTEMS_API_URL".to_owned(), "http://127.0.0.1:9".to_owned()),
            (
                "NUNCIO_DATABASE_URL".to_owned(),
                format!("sqlite://{}", folder.path().join("nuncio.db").display()),
            ),
            ("NUNCIO_ENCRYPTION_KEY".to_owned(), "5e".repeat(32)),
            ("LOG_DIR".to_owned(), folder.path().join("logs").display().to_string()),
        ]);
        change(&mut variables, &discord);
        let mut harness = Self {
            discord,
            clock,
            log,
            variables,
            running: None,
            read: Arc::default(),
            sandbox: (stop, served),
            folder,
        };
        harness.boot().await;
        harness
    }

    /// Stops nuncio as SIGTERM does.
    pub async fn stop(&mut self) {
        let running = self.running.take().expect("nuncio is running");
        running.stop.cancel();
        within("nuncio to stop", running.task).await.unwrap();
    }

    /// Starts it again on the same data.
    pub async fn boot(&mut self) {
        assert!(self.running.is_none(), "nuncio is running already");
        let config = Config::from_variables(&Variables::from_map(self.variables.clone()))
            .unwrap_or_else(|report| panic!("{report}"));
        let path = config.webhook.path.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = App::build(config, listener, self.clock.clone()).await.unwrap();
        let (hub, store, address) = (app.hub().clone(), app.store().clone(), app.addr());
        let (reloader, admin_address) = (app.reloader(), app.admin_addr());
        let secret = self.variables.get("WEBHOOK_SECRET").map_or(SECRET, String::as_str);
        let secret = Secret::new(secret);
        let platform =
            XtSystems::over(http().clone(), format!("http://{address}{path}"), secret, self.clock.clone());
        let stop = CancellationToken::new();
        let task = tokio::spawn(app.run(stop.clone()));
        self.running = Some(Running { hub, store, platform, address, admin_address, reloader, stop, task });
    }

    /// Has the variables count that can be read again, as SIGHUP does.
    pub async fn reload(&self) {
        let config = Config::from_variables(&Variables::from_map(self.variables.clone())).unwrap();
        self.running.as_ref().expect("nuncio is running").reloader.apply(config).await.unwrap();
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.boot().await;
    }

    /// Changes a variable; it counts from the next start on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Takes a variable out; it counts from the next start on.
    pub fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Waits until a line of the map's table ends like this.
    pub async fn table_line(&self, end: &str) {
        let mut changes = self.hub().table_changes();
        let told = async {
            while !self.hub().table().iter().any(|line| line.ends_with(end)) {
                changes.changed().await.unwrap();
            }
        };
        within(&format!("{end:?} in the table"), told).await;
    }

    /// Waits until what the gateway told at first is written down, too: channels are called by their names, and none is
    /// opened any more. What it tells next is only taken in after that.
    pub async fn places_noted(&self) {
        let alerts = self.discord.channel_id("alerts").unwrap();
        self.table_line("#alerts  ok").await;
        self.discord.deny(alerts, Permission::ReadMessageHistory);
        self.table_line("#alerts: missing Read Message History (denied to the bot itself)").await;
        self.discord.allow(alerts, Permission::ReadMessageHistory);
        self.table_line("#alerts  ok").await;
    }

    /// Where everything of this test is kept.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    pub fn hub(&self) -> &Hub {
        &self.running.as_ref().expect("nuncio is running").hub
    }

    pub fn store(&self) -> &Store {
        &self.running.as_ref().expect("nuncio is running").store
    }

    /// XTSystems, with this nuncio as its webhook.
    pub fn platform(&self) -> &XtSystems {
        &self.running.as_ref().expect("nuncio is running").platform
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.as_ref().expect("nuncio is running").address)
    }

    /// A path where operators and the API are served: `ADMIN_LISTEN`, if that is set.
    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.as_ref().expect("nuncio is running").admin_address)
    }

    /// Where nuncio listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.running.as_ref().expect("nuncio is running").address
    }

    /// XTSystems sends a fixture, and it is accepted.
    pub async fn sends(&self, fixture: &str) -> WebhookAnswer {
        let body =
            std::fs::read_to_string(format!("{}/src/samples/{fixture}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        self.sends_body(serde_json::from_str(&body).unwrap()).await
    }

    /// XTSystems sends this event, and it is accepted.
    pub async fn sends_body(&self, body: Value) -> WebhookAnswer {
        let answer = self.platform().send(body).await.unwrap();
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        assert_eq!(
            answer.body["duplicate"], false,
            "a test that sends the same event twice in a second says so itself"
        );
        answer
    }

    /// `GET` a path of nuncio's: status and body.
    pub async fn looks_at(&self, path: &str) -> (u16, String) {
        let response = http().get(self.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// `/health`, as JSON.
    pub async fn health(&self) -> Value {
        serde_json::from_str(&self.looks_at("/health").await.1).unwrap()
    }

    /// A channel, to be read message by message.
    pub fn channel(&self, name: &str) -> Channel {
        let id = self.discord.channel_id(name).unwrap_or_else(|| panic!("there is no channel {name}"));
        Channel::new(name, id, self.discord.clone(), Arc::clone(&self.read))
    }

    /// The bot's application posts a message with a button that nuncio did not make; it counts as read.
    pub async fn posts_with_button(&self, channel: &str, custom_id: &str) -> Message {
        let id = self.discord.channel_id(channel).unwrap();
        let button = json!({"type": 2, "style": 1, "label": "Old", "custom_id": custom_id});
        let body = json!({"content": "old", "components": [{"type": 1, "components": [button]}]});
        let url = format!("{}/v10/channels/{id}/messages", self.variables["DISCORD_API_URL"]);
        let token = format!("Bot {}", self.discord.bot_token().expose());
        let posted = http().post(url).header("authorization", token).json(&body).send().await;
        assert_eq!(posted.unwrap().status(), 200);
        self.channel(channel).next_message().await
    }

    /// Waits until nothing is left to deliver.
    pub async fn settle(&self) {
        within("everything to be delivered", self.hub().settled()).await.unwrap();
    }

    /// Moves the clock on by `step`, again and again, until nothing is left to deliver: retries wait for their time.
    pub async fn settle_in_steps(&self, step: Duration) {
        let settled = self.hub().settled();
        tokio::pin!(settled);
        within("everything to be delivered", async {
            loop {
                tokio::select! {
                    biased;
                    settled = &mut settled => break settled.unwrap(),
                    () = tokio::task::yield_now() => self.clock.advance(step),
                }
            }
        })
        .await;
    }

    /// Ends the test: everything was delivered, read, and nothing was logged as an error.
    pub async fn finish(mut self) {
        self.settle().await;
        self.end().await;
    }

    /// Ends a test in which something must stay undelivered.
    pub async fn finish_with_backlog(mut self, pending: u64) {
        let backlog = self.store().backlog().await.unwrap();
        assert_eq!(backlog.pending + backlog.sending, pending, "{backlog:?}");
        self.end().await;
    }

    async fn end(&mut self) {
        for (name, _) in self.discord.channels() {
            let left = self.channel(&name).unread();
            assert!(left.is_empty(), "#{name} holds messages that the test did not read: {left:#?}");
        }
        self.stop().await;
        let (stop, served) = &mut self.sandbox;
        stop.cancel();
        within("the sandbox to stop", served).await.unwrap().unwrap();
        self.log.assert_no_errors();
    }
}

/// An id as the database holds it: the bytes behind its prefix.
pub fn stored(id: impl std::fmt::Display) -> Vec<u8> {
    let id = id.to_string();
    hex::decode(id.split_once('_').expect("an id has a prefix").1).unwrap()
}

/// Somebody of this name at the shell, who may do everything.
pub fn by(name: &str) -> By {
    By::new(Actor::ShellUser(name.to_owned()), "test")
}

/// An id on the sandbox's Discord as nuncio's own type; the two types have only the number in common.
pub fn nuncio_id(id: sandbox::Snowflake) -> Snowflake {
    Snowflake::new(id.get())
}

/// Somebody at the shell.
pub fn at_shell() -> By {
    By::new(Actor::Shell, "command.redeliver")
}

/// A message of its own for every event, however many there are.
pub fn one_by_one(variables: &mut BTreeMap<String, String>) {
    for (name, value) in [("CARDS", "append"), ("FOLD_REPEATS", "off"), ("COALESCE", "off")] {
        variables.insert(name.to_owned(), value.to_owned());
    }
}

/// Waits for what must come, but not for ever.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| {
        panic!("waited in vain for {what}; the log's last lines: {:#?}", log::last_lines())
    })
}
