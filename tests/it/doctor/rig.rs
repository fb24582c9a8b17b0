//! A folder with a `.env`, a Discord and an XTSystems for it, and the real `nuncio doctor` in it.

mod online;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use nuncio::clock::Clock;
use nuncio::demo::{Platform, XtSystems};
use nuncio::sandbox::discord::{RateLimits, Setup};
use nuncio::sandbox::{self, Discord};
use nuncio::secret::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::doctor::seen::Seen;
use crate::harness::{free_port, http, within};
use crate::recovery::{self, in_folder, serve};

pub const NOTHING: [&str; 0] = [];
const KEY: &str = "the-key-of-this-platform";
const NAME: &str = "Discord Bot Integration";
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";
const NOBODY: u32 = 65534;

pub struct Rig {
    pub discord: Discord,
    pub platform: Platform,
    /// Where its API is.
    pub platform_url: String,
    pub environment: Vec<(String, String)>,
    /// Of `.env`.
    pub mode: u32,
    variables: BTreeMap<String, String>,
    lines: Vec<String>,
    folder: TempDir,
    as_nobody: bool,
    /// What is made of the text of `.env` before it is written.
    dress: fn(&str) -> String,
    serving: Option<recovery::Program>,
    stop: CancellationToken,
}

impl Rig {
    /// All is well.
    pub async fn set() -> Self {
        let rig = Self::unregistered().await;
        rig.platform.add_webhook(NAME, &format!("{NOWHERE}/webhooks/xtsystems"), Secret::new("x"));
        rig
    }

    /// The same without a webhook in XTSystems.
    pub async fn unregistered() -> Self {
        let discord = Discord::new(Clock::system(), Setup::default());
        discord.set_rate_limits(RateLimits::unlimited());
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}/api", listener.local_addr().unwrap());
        tokio::spawn(sandbox::serve(discord.clone(), listener, stop.clone()));
        let platform = Platform::new(Secret::new(KEY), Clock::system());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Platform::url(listener.local_addr().unwrap());
        tokio::spawn(platform.clone().serve(listener, stop.clone()));
        let variables = [
            ("DISCORD_TOKEN", discord.bot_token().expose()),
            ("DISCORD_CLIENT_ID", &discord.application_id().to_string()),
            ("DISCORD_API_URL", &api),
            ("WEBHOOK_SECRET", "9f86d081884c7d659a2feaa0c55ad015"),
            ("WEBHOOK_HOST", "127.0.0.1"),
            ("WEBHOOK_PORT", "0"),
            ("PUBLIC_URL", NOWHERE),
            ("XTSYSTEMS_API_URL", &url),
            ("XTSYSTEMS_API_KEY", KEY),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut rig = Self {
            discord,
            platform,
            platform_url: url.clone(),
            environment: Vec::new(),
            mode: 0o600,
            variables,
            lines: Vec::new(),
            folder: TempDir::new().unwrap(),
            as_nobody: false,
            dress: str::to_owned,
            serving: None,
            stop,
        };
        let (alerts, general) = (rig.id("alerts"), rig.id("general"));
        rig.map(json!({"alert.*": [alerts], "default": [general]}));
        rig
    }

    /// The same without any variable.
    pub fn without_anything(mut self) -> Self {
        self.variables.clear();
        self
    }

    pub fn set_to(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub fn take_out(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Another line for `.env`, as somebody types it.
    pub fn add_line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
        // Said twice, a variable is noted.
        self.take_out(line.split(['=', ' ']).next().unwrap());
    }

    /// Another editor writes `.env` from now on.
    pub fn dresses_file(&mut self, dress: fn(&str) -> String) {
        self.dress = dress;
    }

    pub fn clear_lines(&mut self) {
        self.lines.clear();
    }

    /// Everything goes to these channels.
    pub fn map_to(&mut self, channels: &[&str]) {
        self.map(json!({"default": channels}));
    }

    /// This kind alone has a channel.
    pub fn map_only(&mut self, kind: &str) {
        let alerts = self.id("alerts");
        self.map(json!({kind: [alerts]}));
    }

    fn map(&mut self, map: Value) {
        self.set_to("DISCORD_WEBHOOK_CHANNELS", &map.to_string());
    }

    pub fn id(&self, channel: &str) -> String {
        self.discord.channel_id(channel).unwrap().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the sandbox Discord answers, without its API.
    pub fn discord_address(&self) -> String {
        self.variables["DISCORD_API_URL"].trim_end_matches("/api").to_owned()
    }

    /// From now on another user than root runs the program, where this test is run by root.
    pub fn belongs_to_nobody(&mut self) {
        if rustix::process::geteuid().is_root() {
            self.as_nobody = true;
            // The build's folder may be closed to others.
            std::fs::copy(env!("CARGO_BIN_EXE_nuncio"), self.path("nuncio")).unwrap();
            std::os::unix::fs::chown(self.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// The same with every file and folder that is there.
    pub fn belongs_to_nobody_with_everything(&mut self) {
        self.belongs_to_nobody();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if self.as_nobody {
                    std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
                }
                folders.extend(path.is_dir().then_some(path));
            }
        }
    }

    /// A key of its own, as it has after a first start.
    pub fn has_a_key(&self) {
        std::fs::write(self.path("nuncio.key"), "5e".repeat(32)).unwrap();
        std::fs::set_permissions(self.path("nuncio.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Every file in the folder and how long it is, but for logs.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for folder in ["", "data"] {
            for entry in std::fs::read_dir(self.path(folder)).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    files.push(path.strip_prefix(self.folder.path()).unwrap().display().to_string());
                }
            }
        }
        files.sort_unstable();
        files
    }

    fn write(&self) {
        let path = self.path(".env");
        let values = self.variables.iter().map(|(name, value)| format!("{name}='{value}'\n"));
        let text: String = values.chain(self.lines.iter().map(|line| format!("{line}\n"))).collect();
        if text.is_empty() {
            return;
        }
        std::fs::write(&path, (self.dress)(&text)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(self.mode)).unwrap();
        if self.as_nobody {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Runs `nuncio ARGS…`: its exit code, and all that it printed.
    pub async fn runs(&self, args: &[&str]) -> (i32, String) {
        self.write();
        let mut command = match self.as_nobody {
            true => Command::new(self.path("nuncio")),
            false => Command::new(env!("CARGO_BIN_EXE_nuncio")),
        };
        if self.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut command = in_folder(command, self.folder.path());
        command.args(args).envs(self.environment.iter().map(|(name, value)| (name, value)));
        // As long as a child of another test, forked while the program was copied, has not begun its own, Linux calls it busy.
        let output = within("nuncio doctor", async {
            loop {
                match command.output().await {
                    Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                        tokio::task::yield_now().await;
                    }
                    done => break done.unwrap(),
                }
            }
        })
        .await;
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    pub async fn looks(&self) -> Seen {
        self.looks_with(&[]).await
    }

    /// The same with more arguments.
    pub async fn looks_with(&self, more: &[&str]) -> Seen {
        let (code, text) = self.runs(&[&["doctor", "--json"], more].concat()).await;
        Seen::of(code, &text)
    }

    /// The same after `script` was run where only the program sees it: in a mount namespace of its own.
    pub async fn looks_behind(&self, script: &str) -> Seen {
        let (code, text) = self.runs_behind(script, "doctor --json").await;
        Seen::of(code, &text)
    }

    /// Runs `nuncio ARGS` after `script` was run in a mount namespace of its own: its exit code, and all that it printed.
    pub async fn runs_behind(&self, script: &str, args: &str) -> (i32, String) {
        self.write();
        let mut command = Command::new("unshare");
        let script = format!("PATH=/usr/sbin:/usr/bin:/sbin:/bin; {script} && exec \"$0\" {args}");
        command.args(["-m", "sh", "-c", &script, env!("CARGO_BIN_EXE_nuncio")]);
        let output = within("nuncio to end", in_folder(command, self.folder.path()).output()).await.unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    }

    /// Exactly these are not ok.
    pub async fn finds(&self, code: i32, wrong: &[&str]) -> Seen {
        self.finds_with(&[], code, wrong).await
    }

    /// The same with more arguments. Whoever expects the bot of the nuncio that runs to be online waits until it is:
    /// doctor waits for ten seconds, and a busy machine may need more.
    pub async fn finds_with(&self, more: &[&str], code: i32, wrong: &[&str]) -> Seen {
        if !wrong.contains(&"bot-offline") {
            self.is_online().await;
        }
        let seen = self.looks_with(more).await;
        assert_eq!(
            (seen.code, seen.wrong.iter().map(String::as_str).collect()),
            (code, wrong.to_vec()),
            "{}",
            seen.text
        );
        seen
    }

    /// Serves on a port of its own, which is registered in XTSystems.
    pub async fn serve_on_a_port(&mut self) -> u16 {
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        self.platform.add_webhook("beside", &format!("{url}/webhooks/xtsystems"), Secret::new("x"));
        self.set_to("WEBHOOK_PORT", &port.to_string());
        self.set_to("PUBLIC_URL", &url);
        self.write();
        self.serving = Some(recovery::Program::of(serve(self.folder.path())).await);
        port
    }

    /// XTSystems sends a new ticket: the status of the answer.
    pub async fn sends_a_ticket(&self) -> u16 {
        let address = self.serving.as_ref().unwrap().address.clone();
        let secret = Secret::new(self.variables["WEBHOOK_SECRET"].clone());
        let sender = XtSystems::new(address, secret, Clock::system()).unwrap();
        let body = json!({"event_type": "ticket.created", "data": {"id": "t-1", "title": "Printer"}});
        sender.send(body).await.unwrap().status
    }

    /// Whoever closes a database last removes its log and index, if they may write.
    pub async fn folds_the_log_in(&self) {
        let database = Database::open(self.path("data/nuncio.db")).await.unwrap();
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)", ()).await.unwrap();
        database.close().await.unwrap();
    }

    /// It is reached by another address, which is registered in XTSystems.
    pub fn is_reached_by(&mut self, url: &str) {
        self.platform.add_webhook(url, &format!("{url}/webhooks/xtsystems"), Secret::new("x"));
        self.set_to("PUBLIC_URL", url);
    }

    /// Starts serving with the variables as they are.
    pub async fn serve_again(&mut self) {
        self.write();
        self.serving = Some(recovery::Program::of(serve(self.folder.path())).await);
    }

    /// What `nuncio serve` says that cannot start, and its exit code.
    pub async fn cannot_serve(&self) -> (i32, String) {
        self.runs(&["serve"]).await
    }

    /// Where it receives webhooks.
    pub fn webhook_address(&self) -> String {
        self.serving.as_ref().unwrap().address.clone()
    }

    /// Sends it `signal`.
    pub fn signals(&self, signal: rustix::process::Signal) {
        let id = self.serving.as_ref().unwrap().child.id().unwrap();
        let process = rustix::process::Pid::from_raw(id.try_into().unwrap()).unwrap();
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// Changes the database from outside: statements, with semicolons between.
    pub async fn changes_database(&self, sql: &str) {
        let database = Database::open(self.path("data/nuncio.db")).await.unwrap();
        for statement in sql.split(';') {
            database.execute(statement, ()).await.unwrap();
        }
        database.close().await.unwrap();
    }

    /// What stands in `.env` for a variable.
    pub fn value(&self, name: &str) -> &str {
        &self.variables[name]
    }

    /// XTSystems' answer to a request to its API.
    pub async fn asks_platform(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.variables["XTSYSTEMS_API_URL"]);
        let request = http().request(method, url).bearer_auth(KEY);
        let answer =
            request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    pub async fn ends_serving(&mut self) {
        assert!(self.serving.take().unwrap().terminate().await.success());
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
