//! SIGHUP: the real program reads its `.env` again while it serves.

use nuncio::clock::Clock;
use nuncio::demo::XtSystems;
use nuncio::secret::Secret;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{SECRET, http, within};
use crate::recovery::{Program, Stage, in_folder};

const NEW_SECRET: &str = "another secret of the tests";

struct Reloading {
    stage: Stage,
    program: Program,
    /// `.env` at the start.
    env: String,
}

impl Reloading {
    async fn start() -> Self {
        let stage = Stage::set().await;
        let env = std::fs::read_to_string(stage.folder.path().join(".env")).unwrap();
        let program = stage.start().await;
        Self { stage, program, env }
    }

    /// Writes `.env` and sends SIGHUP.
    async fn rereads(&self, env: &str) {
        std::fs::write(self.stage.folder.path().join(".env"), env).unwrap();
        self.hangs_up().await;
    }

    async fn hangs_up(&self) {
        let id = self.program.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().await.unwrap().success());
    }

    async fn health_with(&self, headers: &[(&str, &str)]) -> Value {
        let base = self.program.address.split("/webhooks").next().unwrap();
        let mut request = http().get(format!("{base}/health"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn health(&self) -> Value {
        self.health_with(&[]).await
    }

    /// Waits until the fingerprint in `/health` is another than `before`.
    async fn is_taken_over(&self, before: &Value) {
        let taken = async { while self.health().await["configuration"] == before["configuration"] {} };
        within("the new configuration", taken).await;
    }

    async fn says(&self, words: &str, holds: bool) {
        let said = async { while self.health().await["problems"].to_string().contains(words) != holds {} };
        within(&format!("health to say {words:?}: {holds}"), said).await;
    }

    /// XTSystems sends an event signed with `secret`; what it is answered.
    async fn sends(&self, secret: &str, number: u64) -> u16 {
        let platform =
            XtSystems::new(self.program.address.clone(), Secret::new(secret), Clock::system()).unwrap();
        let body = json!({"event_type": "printer.jammed", "data": {"number": number}});
        platform.send(body).await.unwrap().status
    }

    async fn arrive(&self, channel: &str, count: usize) {
        let id = self.stage.discord.channel_id(channel).unwrap();
        within(&format!("{count} in #{channel}"), self.stage.discord.wait_for_messages(id, count)).await;
    }

    fn led_to(&self, channel: &str) -> String {
        let id = |name: &str| self.stage.discord.channel_id(name).unwrap().to_string();
        self.env.replace(&id("general"), &id(channel))
    }

    /// The fingerprint that `nuncio config` shows.
    async fn shown(&self) -> Value {
        let mut command = in_folder(Command::new(env!("CARGO_BIN_EXE_nuncio")), self.stage.folder.path());
        let output = command.args(["config", "--json"]).output().await.unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["fingerprint"].clone()
    }

    /// Ends it, and gives back what it said.
    async fn ends(self) -> String {
        let id = self.program.child.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        let (code, said) = self.program.ends().await;
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

#[tokio::test]
async fn another_map_counts_from_the_next_event_on() {
    let r = Reloading::start().await;
    assert_eq!(r.sends(SECRET, 1).await, 200);
    r.arrive("general", 1).await;
    let before = r.health().await;
    r.rereads(&r.led_to("tickets")).await;
    r.is_taken_over(&before).await;
    assert_eq!(r.health().await["configuration"], r.shown().await);
    assert_eq!(r.sends(SECRET, 2).await, 200);
    r.arrive("tickets", 1).await;
    r.arrive("general", 1).await;
    let said = r.ends().await;
    assert!(said.contains("changed, and in effect from now on: DISCORD_WEBHOOK_CHANNELS"), "{said}");
    assert!(said.contains("#tickets  ok"), "the new channel is judged, too: {said}");
}

#[tokio::test]
async fn another_secret_counts_and_the_one_before_no_longer() {
    let r = Reloading::start().await;
    assert_eq!(r.sends(NEW_SECRET, 1).await, 401);
    let before = r.health().await;
    let rotated = r.env.replace(&format!("{SECRET:?}"), &format!("'{NEW_SECRET}'"));
    r.rereads(&format!("{rotated}WEBHOOK_SECRET_PREVIOUS='{SECRET}'\nNUNCIO_API_KEY=0123456789abcdef\n"))
        .await;
    r.is_taken_over(&before).await;
    assert_eq!((r.sends(NEW_SECRET, 2).await, r.sends(SECRET, 3).await), (200, 200), "while it is changed");
    let both = r.health().await;
    // The key counts as well: with it, what came through a proxy may look.
    let bearer = [("x-forwarded-for", "192.0.2.7"), ("authorization", "Bearer 0123456789abcdef")];
    assert_eq!(r.health_with(&bearer).await["configuration"], both["configuration"]);
    r.rereads(&rotated).await;
    r.is_taken_over(&both).await;
    assert_eq!((r.sends(NEW_SECRET, 4).await, r.sends(SECRET, 5).await), (200, 401));
    assert_eq!(r.health_with(&bearer).await["configuration"], Value::Null);
    r.arrive("general", 3).await;
    let said = r.ends().await;
    assert!(
        said.contains("in effect from now on: WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS, NUNCIO_API_KEY"),
        "{said}"
    );
    assert!(!said.contains(NEW_SECRET) && !said.contains("0123456789abcdef"), "{said}");
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_health_says_why_until_it_is_mended() {
    let r = Reloading::start().await;
    let before = r.health().await;
    // What is right in it does not count either.
    r.rereads(&format!("{}RETENTION_DAYS=canary\n", r.led_to("tickets"))).await;
    r.says("RETENTION_DAYS (.env line 10) is not a number of days", true).await;
    let broken = r.health().await;
    assert_eq!((&broken["status"], &broken["configuration"]), (&json!("degraded"), &before["configuration"]));
    assert!(!broken.to_string().contains("canary"), "{broken}");
    assert_eq!(r.sends(SECRET, 1).await, 200);
    r.arrive("general", 1).await;
    // Nor does a file count that is gone, or cannot be read.
    std::fs::remove_file(r.stage.folder.path().join(".env")).unwrap();
    r.hangs_up().await;
    r.says(".env is not there any more", true).await;
    r.rereads(&r.env).await;
    r.says("SIGHUP received", false).await;
    let said = r.ends().await;
    assert!(said.contains("the configuration is accepted again: the problem with .env is over"), "{said}");
    assert!(said.contains("nuncio keeps the previous one: RETENTION_DAYS"), "{said}");
}

#[tokio::test]
async fn what_counts_after_a_restart_only_is_named_and_shows_in_the_fingerprint() {
    let r = Reloading::start().await;
    let before = r.health().await;
    r.rereads(&format!("{}WEBHOOK_PATH=/elsewhere\nRATE_LIMIT=5/1m\n", r.env)).await;
    r.is_taken_over(&before).await;
    let now = r.health().await;
    assert_ne!(now["configuration"], r.shown().await, "the path waits");
    assert_eq!(r.sends(SECRET, 1).await, 200);
    r.arrive("general", 1).await;
    // Five a minute: the sixth that does not verify is put off.
    for number in 0..5 {
        assert_eq!(r.sends(NEW_SECRET, number).await, 401, "{number}");
    }
    assert_eq!(r.sends(NEW_SECRET, 9).await, 429);
    let said = r.ends().await;
    assert!(said.contains("in effect from now on: RATE_LIMIT"), "{said}");
    assert!(said.contains("in effect only after a restart: WEBHOOK_PATH"), "{said}");
}

/// The list in the documentation is the program's.
#[test]
fn the_documentation_names_what_can_be_read_again() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let section = docs.split("### Reading it again").nth(1).unwrap().split("\n## ").next().unwrap();
    for known in nuncio::config::variable::VARIABLES {
        let is_named = section.contains(&format!("`{}`", known.name));
        assert_eq!(is_named, nuncio::config::variable::is_reloadable(known.name), "{}", known.name);
    }
}
