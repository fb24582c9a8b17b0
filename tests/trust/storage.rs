//! F-1, F-3: the disk is full; the database is locked by somebody else.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use super::stage::Stage;
use super::table::{Holds, Row};
use super::verdict::Verdict;
use super::{ASK_AGAIN, PATIENCE, Size, within};

pub const F1: &str = "only 503 with Retry-After, healed ≤ 5 s after there is room, 0 lost";
pub const F3: &str = "only 503 with Retry-After, healed ≤ 1 s after the lock is gone, 0 lost";
const F1_LIMIT: Duration = Duration::from_secs(5);
const F3_LIMIT: Duration = Duration::from_secs(1);
/// How long the database is locked at full length.
const HELD: Duration = Duration::from_secs(60);

/// What the sender was answered while the database could not write.
#[derive(Debug, Default)]
struct Answers {
    unavailable: usize,
    accepted: usize,
    other: usize,
    without_retry_after: usize,
}

/// F-1.
pub async fn disk_full(size: Size) -> anyhow::Result<Row> {
    let disk = match Disk::mount(16).await {
        Ok(disk) => disk,
        Err(error) => return Ok(Row::skipped("F-1", F1, &format!("{error:#}"))),
    };
    let mut stage = Stage::set_in(2, Some(disk.path())).await?;
    stage.start().await?;
    stage.sender.deliver_all(0..20).await?;
    stage.settle(PATIENCE).await?;
    let filler = disk.fill()?;
    let (answers, next) = send_until_refused(&stage, 20, size.of(10, 200), Duration::ZERO).await?;
    let health = stage.health().await?;
    std::fs::remove_file(filler)?;
    let healed = until_accepted(&stage, next).await?;
    row(Case {
        case: "F-1",
        done: format!(
            "a full disk (tmpfs, 16 MiB) while events come in; /health says {}: {}",
            health["status"], health["problems"]
        ),
        required: F1,
        answers,
        healed,
        limit: F1_LIMIT,
        size,
        stage,
    })
    .await
}

/// F-3.
pub async fn locked(size: Size) -> anyhow::Result<Row> {
    let mut stage = Stage::set(2).await?;
    stage.start().await?;
    stage.sender.deliver_all(0..20).await?;
    stage.settle(PATIENCE).await?;
    let other = stage.database().await?;
    other.execute("BEGIN EXCLUSIVE", ()).await?;
    let held = size.of(Duration::ZERO, HELD);
    let began = Instant::now();
    let (answers, next) = send_until_refused(&stage, 20, 2, held).await?;
    let held = began.elapsed();
    other.execute("ROLLBACK", ()).await?;
    let healed = until_accepted(&stage, next).await?;
    row(Case {
        case: "F-3",
        done: format!(
            "another process holds `BEGIN EXCLUSIVE` for {} s while events come in",
            held.as_secs()
        ),
        required: F3,
        answers,
        healed,
        limit: F3_LIMIT,
        size,
        stage,
    })
    .await
}

struct Case {
    case: &'static str,
    done: String,
    required: &'static str,
    answers: Answers,
    healed: Duration,
    limit: Duration,
    size: Size,
    stage: Stage,
}

async fn row(mut this: Case) -> anyhow::Result<Row> {
    let verdict = this.stage.verdict().await?;
    let facts = this.stage.facts().await?;
    // The control: had those that were refused been answered 200, the verdict would see each of them lost.
    let mut forged = facts.clone();
    let book = this.stage.sender.ledger().read()?;
    let refused = book.refused.keys().filter(|tag| !book.acknowledged.contains_key(*tag));
    forged.acknowledged.extend(refused.map(|tag| (tag.clone(), "evt_forged".to_owned())));
    let control = Verdict::of(&forged).lost.len();
    let Answers { unavailable, accepted, other, without_retry_after } = this.answers;
    let as_required = unavailable > 0
        && other == 0
        && without_retry_after == 0
        && verdict.is_clean()
        && this.size.in_time(this.healed, this.limit);
    Ok(Row {
        case: this.case,
        done: this.done,
        required: this.required,
        measured: format!(
            "{unavailable} × 503, {accepted} × 200 while there was still room, {other} others; accepted again after {:.1} s; {verdict}",
            this.healed.as_secs_f64()
        ),
        holds: Holds::both(as_required, control == unavailable),
        control: format!("the same with each 503 taken for a 200: {control} of {unavailable} lost"),
    })
}

/// Sends one event after the other, each once, until so many were refused and so much time is over. Answers the next
/// number as well.
async fn send_until_refused(
    stage: &Stage,
    first: usize,
    refused: usize,
    at_least: Duration,
) -> anyhow::Result<(Answers, usize)> {
    let (mut answers, mut number) = (Answers::default(), first);
    let began = Instant::now();
    let sending = async {
        while answers.unavailable + answers.other < refused || began.elapsed() < at_least {
            let answer = stage.sender.once(&stage.sender.event(number)).await?;
            number += 1;
            match answer.as_ref().map_or(0, |answer| answer.status) {
                200 => answers.accepted += 1,
                503 => answers.unavailable += 1,
                _ => answers.other += 1,
            }
            let told = answer.is_none_or(|answer| answer.status == 200 || answer.retry_after.is_some());
            answers.without_retry_after += usize::from(!told);
        }
        anyhow::Ok(())
    };
    within("the database to be refused its writes", 5 * PATIENCE, sending).await??;
    Ok((answers, number))
}

/// How long it takes until an event is accepted.
async fn until_accepted(stage: &Stage, first: usize) -> anyhow::Result<Duration> {
    let (began, event) = (Instant::now(), stage.sender.event(first));
    let accepted = async {
        while stage.sender.once(&event).await?.is_none_or(|answer| answer.status != 200) {
            nuncio::clock::Clock::system().sleep(ASK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    within("an event to be accepted again", PATIENCE, accepted).await??;
    Ok(began.elapsed())
}

/// A small disk of its own. Unmounted when dropped.
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// A tmpfs of so many MiB.
    pub async fn mount(size: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().display().to_string();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs", &path]).await?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte; answers the file that does.
    fn fill(&self) -> anyhow::Result<PathBuf> {
        let path = self.path().join("filler");
        let mut file = std::fs::File::create(&path)?;
        for piece in [&[0_u8; 1 << 16][..], &[0]] {
            while std::io::Write::write_all(&mut file, piece).is_ok() {}
        }
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Runs a program of the system to its end.
pub async fn run(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("no {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.success(), "{program}: {said}");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
