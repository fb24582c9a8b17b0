//! An empty folder, a Discord and an XTSystems for it, and the real `nuncio setup` in it: with everything given beforehand,
//! or at a terminal.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;

use nuncio::clock::Clock;
use nuncio::demo::Platform;
use nuncio::sandbox::discord::{RateLimits, Setup};
use nuncio::sandbox::{self, Discord};
use nuncio::secret::Secret;
use regex::Regex;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::harness::{free_port, within};
use crate::recovery::{in_folder, serve};

pub const KEY: &str = "the-key-of-this-platform";
pub const ENTER: &str = "\r";
pub const ESC: &str = "\u{1b}";
pub const CTRL_C: &str = "\u{3}";
pub const CTRL_D: &str = "\u{4}";
pub const DOWN: &str = "\u{1b}[B";
pub const UP: &str = "\u{1b}[A";
pub const NOBODY: u32 = 65534;

pub struct Rig {
    pub discord: Discord,
    pub platform: Platform,
    pub xtsystems: String,
    pub port: String,
    environment: Vec<(String, String)>,
    folder: TempDir,
    as_nobody: bool,
    stop: CancellationToken,
}

impl Rig {
    pub async fn set() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let discord = Discord::new(Clock::system(), setup);
        discord.set_rate_limits(RateLimits::unlimited());
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}/api", listener.local_addr().unwrap());
        tokio::spawn(sandbox::serve(discord.clone(), listener, stop.clone()));
        let platform = Platform::new(Secret::new(KEY), Clock::system());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let xtsystems = Platform::url(listener.local_addr().unwrap());
        tokio::spawn(platform.clone().serve(listener, stop.clone()));
        let port = free_port().to_string();
        let environment = [("DISCORD_API_URL", api.as_str()), ("WEBHOOK_HOST", "127.0.0.1")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let folder = TempDir::new().unwrap();
        Self { discord, platform, xtsystems, port, environment, folder, as_nobody: false, stop }
    }

    pub fn token(&self) -> String {
        self.discord.bot_token().expose().to_owned()
    }

    /// Both secrets, as they are given on stdin.
    pub fn secrets(&self) -> String {
        format!("DISCORD_TOKEN={}\nXTSYSTEMS_API_KEY={KEY}\n", self.token())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A variable of the environment in which it runs.
    pub fn sets(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What stands in `.env`; `None` if there is none.
    pub fn dotenv(&self) -> Option<String> {
        std::fs::read_to_string(self.path(".env")).ok()
    }

    pub fn write(&self, text: &str) {
        std::fs::write(self.path(".env"), text).unwrap();
    }

    /// Every name in the folder.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Nothing was changed anywhere.
    pub fn is_untouched(&self) {
        assert_eq!(self.files(), [""; 0]);
        assert!(self.discord.requests().iter().all(|asked| asked.method == "GET"));
        assert!(self.platform.recorded_requests().is_empty(), "{:?}", self.platform.recorded_requests());
    }

    /// From now on another user than root runs the program, in a folder of theirs, where this test is run by root.
    pub fn belongs_to_nobody(&mut self) {
        if rustix::process::geteuid().is_root() {
            self.as_nobody = true;
            // The build's folder may be closed to others.
            std::fs::copy(env!("CARGO_BIN_EXE_nuncio"), self.path("nuncio")).unwrap();
            std::os::unix::fs::chown(self.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Whether the user that runs the program may write in the folder.
    pub fn is_open(&self, is_open: bool) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(if is_open { 0o755 } else { 0o555 });
        std::fs::set_permissions(self.folder.path(), mode).unwrap();
    }

    /// A nuncio that serves in this folder.
    pub fn serves(&self) -> Command {
        let mut command = serve(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn command(&self) -> Command {
        let mut command = match self.as_nobody {
            true => Command::new(self.path("nuncio")),
            false => Command::new(env!("CARGO_BIN_EXE_nuncio")),
        };
        if self.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut command = in_folder(command, self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).env("TERM", "xterm");
        command
    }

    /// Runs `nuncio ARGS…` with `input` on stdin: its exit code, and all that it printed.
    pub async fn runs(&self, args: &[&str], input: &str) -> (i32, String) {
        let mut command = self.command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who reads no stdin may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = within("nuncio setup", child.wait_with_output()).await.unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        self.holds_no_secret(&text);
        (output.status.code().unwrap(), text)
    }

    /// The flags that answer everything, with the secrets on stdin.
    pub fn flags<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let all = [
            "setup",
            "--yes",
            "--secrets-from-stdin",
            "--xtsystems-url",
            &self.xtsystems,
            "--port",
            &self.port,
            "--channel",
            "alerts=alerts",
            "--channel",
            "default=general",
            "--approver-role",
            "Approvers",
        ];
        [&all, more].concat()
    }

    /// No output may hold one.
    pub fn holds_no_secret(&self, text: &str) {
        let made = self.dotenv().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("WEBHOOK_SECRET="))?;
            Some(line.to_owned()).filter(|secret| secret.len() > 8)
        });
        for secret in [Some(self.token()), Some(KEY.to_owned()), made].into_iter().flatten() {
            assert!(!text.contains(&secret), "{text}");
        }
    }

    /// Runs `nuncio` at a terminal, with nothing in its environment.
    pub fn types_bare(&self) -> Terminal {
        let mut command = in_folder(Command::new(env!("CARGO_BIN_EXE_nuncio")), self.folder.path());
        command.env("TERM", "xterm");
        Terminal::of(command)
    }

    /// Runs `nuncio ARGS…` at a terminal.
    pub fn types(&self, args: &[&str]) -> Terminal {
        let mut command = self.command();
        command.args(args);
        Terminal::of(command)
    }
}

impl Terminal {
    fn of(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: 60, ws_col: 250, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let side = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().unwrap();
        // It keeps the other ends otherwise, and the terminal never ends.
        drop((command, slave));
        let (sender, seen) = unbounded_channel();
        let reading = master.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Once all ends on the other side are closed, there is an error.
            while let Ok(count @ 1..) = rustix::io::read(&reading, &mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, master, seen, bytes: Vec::new(), at: 0 }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        use std::os::unix::fs::PermissionsExt as _;
        self.stop.cancel();
        let _ = std::fs::set_permissions(self.folder.path(), std::fs::Permissions::from_mode(0o755));
    }
}

/// A terminal in which a program runs.
pub struct Terminal {
    child: Child,
    master: OwnedFd,
    seen: UnboundedReceiver<Vec<u8>>,
    bytes: Vec<u8>,
    /// How much of the text was waited for already.
    at: usize,
}

impl Terminal {
    /// What was shown so far, without colors and movements of the cursor. Of what arrived by halves nothing is in it yet, so
    /// that it only grows.
    pub fn text(&self) -> String {
        static MOVES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[A-Za-z]|\r").unwrap());
        static HALF: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\x1b(\[[0-9;?]*)?$").unwrap());
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&self.bytes[..error.valid_up_to()]).unwrap(),
        };
        let whole = &whole[..HALF.find(whole).map_or(whole.len(), |half| half.start())];
        MOVES.replace_all(whole, "").into_owned()
    }

    /// Waits until `part` is shown, after whatever was waited for before.
    pub async fn shows(&mut self, part: &str) -> &mut Self {
        loop {
            let text = self.text();
            if let Some(found) = text[self.at..].find(part) {
                self.at += found + part.len();
                return self;
            }
            let what = format!("{part:?} in: {text}");
            match within(&what, self.seen.recv()).await {
                Some(more) => self.bytes.extend(more),
                None => panic!("it ended without {what}"),
            }
            while let Ok(more) = self.seen.try_recv() {
                self.bytes.extend(more);
            }
        }
    }

    /// Types.
    pub fn types(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys.as_bytes();
        while !rest.is_empty() {
            let count = rustix::io::write(&self.master, rest).unwrap();
            rest = &rest[count..];
        }
        self
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits for its end: the exit code, and all that was shown.
    pub async fn ends(mut self) -> (i32, String) {
        let status = within(&format!("the end of: {}", self.text()), self.child.wait()).await.unwrap();
        while let Some(more) = within("the end of the terminal", self.seen.recv()).await {
            self.bytes.extend(more);
        }
        (status.code().unwrap(), self.text())
    }
}
