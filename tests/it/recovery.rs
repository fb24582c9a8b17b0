//! What survives: the real program, killed at the worst moments, against a Discord that lives on.

mod decision;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nuncio::clock::Clock;
use nuncio::demo::XtSystems;
use nuncio::sandbox::discord::{Fault, RateLimits, Setup};
use nuncio::sandbox::{self, Discord};
use nuncio::secret::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::harness::{NO_CERTIFICATES, SECRET, within};

/// A Discord, and a folder with the `.env` of a nuncio that posts everything to `#general`.
pub struct Stage {
    pub discord: Discord,
    pub folder: TempDir,
    stop: CancellationToken,
}

/// A running `nuncio serve`.
pub struct Program {
    pub child: Child,
    /// Where webhooks are received.
    pub address: String,
    /// What it says on stderr, from when it was ready.
    said: JoinHandle<String>,
}

impl Stage {
    pub async fn set() -> Self {
        let discord = Discord::new(Clock::system(), Setup::default());
        discord.set_rate_limits(RateLimits::unlimited());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}/api", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(sandbox::serve(discord.clone(), listener, stop.clone()));
        let folder = TempDir::new().unwrap();
        let env = format!(
            "DISCORD_TOKEN={}\nDISCORD_API_URL={api}\nWEBHOOK_SECRET={SECRET:?}\nWEBHOOK_HOST=127.0.0.1\n\
             WEBHOOK_PORT=0\nCARDS=append\nFOLD_REPEATS=off\nCOALESCE=off\nDISCORD_WEBHOOK_CHANNELS={{\"default\":[\"{}\"]}}\n",
            discord.bot_token().expose(),
            discord.channel_id("general").unwrap(),
        );
        std::fs::write(folder.path().join(".env"), env).unwrap();
        Self { discord, folder, stop }
    }

    pub async fn start(&self) -> Program {
        Program::start(self.folder.path()).await
    }

    pub async fn arrived(&self, count: usize) {
        let general = self.discord.channel_id("general").unwrap();
        within(&format!("{count} messages"), self.discord.wait_for_messages(general, count)).await;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Program {
    async fn start(folder: &Path) -> Self {
        Self::of(serve(folder)).await
    }

    /// Starts `command`, which becomes a `nuncio serve`.
    pub async fn of(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = within("nuncio to be ready", async {
            loop {
                let line = lines.next_line().await.unwrap().expect("it says where it listens");
                if let Some((_, address)) = line.split_once("webhooks: POST ") {
                    break address.to_owned();
                }
            }
        })
        .await;
        // Somebody must read on, or the program waits for its own log.
        let said = tokio::spawn(async move {
            let mut said = String::new();
            while let Ok(Some(line)) = lines.next_line().await {
                said.push_str(&line);
                said.push('\n');
            }
            said
        });
        Self { child, address, said }
    }

    pub fn platform(&self) -> XtSystems {
        XtSystems::new(self.address.clone(), Secret::new(SECRET), Clock::system()).unwrap()
    }

    /// `kill -9`.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits until it ends by itself: its exit code, and what it said.
    pub async fn ends(mut self) -> (Option<i32>, String) {
        let status = within("nuncio to end", self.child.wait()).await.unwrap();
        (status.code(), self.said.await.unwrap())
    }

    pub async fn terminate(mut self) -> std::process::ExitStatus {
        let id = self.child.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        within("nuncio to stop", self.child.wait()).await.unwrap()
    }
}

/// `nuncio serve` in `folder`, not yet started.
pub fn serve(folder: &Path) -> Command {
    in_folder(Command::new(env!("CARGO_BIN_EXE_nuncio")), folder)
}

/// `command` with nothing in its environment.
pub fn in_folder(mut command: Command, folder: &Path) -> Command {
    command.env_clear().envs([NO_CERTIFICATES]).current_dir(folder).kill_on_drop(true).stdin(Stdio::null());
    command
}

/// XTSystems sends event `number`: each time the same bytes, signed for the present second, as its retries are.
pub async fn send(platform: &XtSystems, number: usize) -> Option<u16> {
    let body =
        json!({"event_type": "printer.jammed", "data": {"number": number}, "timestamp": 1_705_314_600});
    let now = Clock::system().now().as_secs().to_string();
    Some(platform.post(&now, body.to_string()).await.ok()?.status)
}

/// Takes the number out of a generic card's description, which is where these events differ.
pub fn numbers(stage: &Stage) -> Vec<u64> {
    let number = |message: &Value| {
        let text = message["embeds"][0]["description"].as_str().unwrap();
        text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    let mut numbers: Vec<u64> =
        stage.discord.messages(stage.discord.channel_id("general").unwrap()).iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

// K-2
#[tokio::test]
async fn killed_between_commit_and_send_nothing_is_lost_or_doubled() {
    let stage = Stage::set().await;
    let program = stage.start().await;
    // Discord takes no message yet, so everything that is acknowledged waits.
    stage.discord.faults().break_for(Duration::from_secs(3600));
    let platform = program.platform();
    for number in 0..20 {
        assert_eq!(send(&platform, number).await, Some(200));
    }
    program.kill().await;
    stage.discord.faults().clear();
    let program = stage.start().await;
    stage.arrived(20).await;
    assert!(program.terminate().await.success());
    assert_eq!(numbers(&stage), (0..20).collect::<Vec<_>>());
}

/// What Discord tells the program that comes back.
#[derive(Clone, Copy, Debug)]
enum RecordedRequest {
    /// Everything it is asked for, in whatever order it happens to ask.
    All,
    /// Nothing but what stands in the channel.
    TheChannel,
    /// All but that, at first.
    TheRest,
}

// K-3: the program that comes back asks for the message again, before anything else. As long as it has heard nothing
// that only Discord says, it looks into the channel; after that the nonce does.
#[rstest::rstest]
#[tokio::test]
async fn killed_after_discord_took_a_message_it_is_not_sent_twice(
    #[values(RecordedRequest::All, RecordedRequest::TheChannel, RecordedRequest::TheRest)]
    told: RecordedRequest,
) {
    let stage = Stage::set().await;
    let program = stage.start().await;
    stage.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    assert_eq!(send(&program.platform(), 1).await, Some(200));
    stage.arrived(1).await;
    program.kill().await;
    let before = stage.discord.requests().len();
    match told {
        RecordedRequest::All => {}
        RecordedRequest::TheChannel => {
            // Whoever shows a channel must have known our token before.
            for part in ["/gateway/", "/applications/"] {
                stage.discord.faults().next_on(part, 100, Fault::Delay(Duration::from_secs(3600)));
            }
        }
        RecordedRequest::TheRest => {
            let refusal = Fault::refusal(500, 0, "500: Internal Server Error");
            stage.discord.faults().next_on("/messages?", 1, refusal);
        }
    }
    let program = stage.start().await;
    assert_eq!(send(&program.platform(), 2).await, Some(200));
    stage.arrived(2).await;
    assert!(program.terminate().await.success());
    assert_eq!(numbers(&stage), [1, 2]);
    let asked = stage.discord.requests().split_off(before);
    let looked = asked.iter().any(|asked| asked.path.contains("/messages?") && asked.status == Some(200));
    let brought_back = stage.discord.counts().deduplicated;
    let found = match told {
        RecordedRequest::TheChannel => looked && brought_back == 0,
        // Where the machine stands still for a quarter of a minute, it looks once more.
        RecordedRequest::All | RecordedRequest::TheRest => looked || brought_back == 1,
    };
    assert!(found, "{told:?}: looked: {looked}, brought back: {brought_back}, {asked:#?}");
}

// K-1, K-2: the sender tries again whatever was not acknowledged.
#[tokio::test]
async fn killed_under_load_again_and_again_nothing_is_lost_or_doubled() {
    const ROUNDS: usize = 4;
    const EACH: usize = 50;
    let stage = Stage::set().await;
    let mut owed: Vec<usize> = Vec::new();
    for round in 0..ROUNDS {
        let program = stage.start().await;
        owed.extend(round * EACH..(round + 1) * EACH);
        let platform = program.platform();
        let (first, rest) = owed.split_at(EACH / 2);
        for number in first {
            assert_eq!(send(&platform, *number).await, Some(200));
        }
        // The rest is on its way when the blow falls.
        let attempts = futures_util::future::join_all(rest.iter().map(|number| send(&platform, *number)));
        let (answers, ()) = tokio::join!(attempts, program.kill());
        let unanswered = rest.iter().zip(answers).filter(|(_, answer)| answer.is_none());
        owed = unanswered.map(|(number, _)| *number).collect();
    }
    let program = stage.start().await;
    for number in owed {
        assert_eq!(send(&program.platform(), number).await, Some(200));
    }
    stage.arrived(ROUNDS * EACH).await;
    assert!(program.terminate().await.success());
    assert_eq!(numbers(&stage), (0..(ROUNDS * EACH) as u64).collect::<Vec<_>>());
}

// K-5, N-6. serenity reads a connection that was closed without a code again and again, and waits on it for the answer to
// its goodbye. Control: without the word to the shard before its goodbye (`bot/gateway/session.rs`) the program does not
// end.
#[tokio::test]
async fn a_connection_that_was_closed_without_a_code_stops_neither_messages_nor_the_end() {
    let stage = Stage::set().await;
    let program = stage.start().await;
    let gateway = stage.discord.gateway();
    within("the bot to be online", gateway.wait_for_session()).await;
    gateway.close_all_without_code();
    for number in 0..20 {
        assert_eq!(send(&program.platform(), number).await, Some(200));
    }
    stage.arrived(20).await;
    assert!(program.terminate().await.success());
}

// The certificates come from a pipe into which nobody writes: loading them never ends. Control: if the bot and the lanes
// load them themselves, on the threads that answer senders, nothing is answered.
#[tokio::test]
async fn events_are_accepted_before_the_certificates_are_loaded() {
    let stage = Stage::set().await;
    let pipe = stage.folder.path().join("certificates");
    assert!(Command::new("mkfifo").arg(&pipe).status().await.unwrap().success());
    let mut loading = serve(stage.folder.path());
    loading.env("SSL_CERT_FILE", &pipe);
    let program = Program::of(loading).await;
    let platform = program.platform();
    for number in 0..20 {
        let accepted = send(&platform, number);
        assert_eq!(within("an answer before the certificates", accepted).await, Some(200));
    }
    program.kill().await;
    let program = stage.start().await;
    stage.arrived(20).await;
    assert!(program.terminate().await.success());
    assert_eq!(numbers(&stage), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_second_serve_on_the_same_data_says_so() {
    let stage = Stage::set().await;
    let program = stage.start().await;
    let second = within("the second one to give up", serve(stage.folder.path()).output()).await.unwrap();
    assert_eq!(second.status.code(), Some(78));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another nuncio (process "), "{said}");
    assert!(program.terminate().await.success());
}

#[tokio::test]
async fn redeliver_reaches_a_running_serve() {
    let stage = Stage::set().await;
    let env = stage.folder.path().join(".env");
    let whole = std::fs::read_to_string(&env).unwrap();
    std::fs::write(&env, whole.replace("\"default\"", "\"ticket.*\"")).unwrap();
    let program = stage.start().await;
    assert_eq!(send(&program.platform(), 1).await, Some(200));
    std::fs::write(&env, whole).unwrap();
    let mut redeliver = serve(stage.folder.path());
    let done = within("redeliver", redeliver.args(["redeliver", "--unrouted"]).output()).await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 event has a route now"), "{said}");
    stage.arrived(1).await;
    assert!(program.terminate().await.success());
}

#[tokio::test]
async fn somebody_elses_database_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("nuncio.db");
    let theirs = Database::create(&path).await.unwrap();
    theirs.execute("CREATE TABLE customers (id TEXT)", ()).await.unwrap();
    let (hints, _nobody) = nuncio::store::HintSender::channel();
    let opened = nuncio::store::Store::open(&path, Clock::system(), hints.clone()).await;
    assert!(matches!(opened, Err(nuncio::store::Error::Foreign(_))));

    // Control: without the look at its record, a development version's database counts as another program's.
    theirs.execute("CREATE TABLE _sqlx_migrations (version BIGINT)", ()).await.unwrap();
    let opened = nuncio::store::Store::open(&path, Clock::system(), hints).await;
    assert!(matches!(opened, Err(nuncio::store::Error::Development(_))));
    assert!(matches!(nuncio::store::survey(&path), Err(nuncio::store::Error::Development(_))));
}
