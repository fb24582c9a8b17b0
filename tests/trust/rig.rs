//! What `tests/trust` and `examples/trust.rs` share: the stage, and one rig for each case of the fault model.
//!
//! Everything is seen from outside: the real program and the sandbox Discord are processes of their own, the sender
//! keeps a book, and at the end sets are compared. A rig also shows its control: the same with the protection taken
//! away, which the verdict must see.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use nuncio::clock::Clock;

pub mod click;
#[path = "../database.rs"]
pub mod database;
pub mod decision;
pub mod kill;
pub mod ledger;
pub mod network;
pub mod pace;
pub mod packed;
pub mod people;
pub mod platform;
pub mod poison;
pub mod power;
pub mod program;
pub mod proxy;
pub mod refused;
pub mod sandbox;
pub mod sender;
pub mod stage;
pub mod stop;
pub mod storage;
pub mod table;
pub mod twin;
pub mod verdict;
pub mod webhook;

/// Long enough for a busy machine; reaching it means that something never comes.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How long until something that cannot tell us is asked again.
pub const ASK_AGAIN: Duration = Duration::from_millis(50);

static NUNCIO: OnceLock<PathBuf> = OnceLock::new();

/// Says which program is on trial. The first word counts.
pub fn try_program(path: impl Into<PathBuf>) {
    let _ = NUNCIO.set(path.into());
}

/// The program on trial.
pub fn nuncio() -> anyhow::Result<&'static Path> {
    NUNCIO.get().map(PathBuf::as_path).context("nobody said which program is on trial")
}

/// How much of a rig is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Enough to see a protection break, within `cargo test`; nothing is timed.
    Short,
    /// All of it, on a machine that has nothing else to do.
    Full,
}

impl Size {
    /// The one or the other.
    pub fn of<T>(self, short: T, full: T) -> T {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }

    /// Whether a limit of time was kept, or may be broken because the machine has other things to do.
    pub fn in_time(self, took: Duration, limit: Duration) -> bool {
        self == Self::Short || took <= limit
    }
}

/// Waits for what must come, but not for ever.
pub async fn within<T>(what: &str, limit: Duration, work: impl Future<Output = T>) -> anyhow::Result<T> {
    Clock::system().within(limit, work).await.with_context(|| format!("waited in vain for {what}"))
}

/// Asks again and again until there is an answer: for what no one tells us.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
    let clock = Clock::system();
    let asking = async {
        loop {
            match ask().await {
                Some(answer) => return answer,
                None => clock.sleep(ASK_AGAIN).await,
            }
        }
    };
    within(what, PATIENCE, asking).await
}
