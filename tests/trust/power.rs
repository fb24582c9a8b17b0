//! K-7: power cuts. A disk of its own (ext4 on a loop device, past the page cache) under nuncio's database; its backing
//! file, copied at some moment, is what a disk holds after a power cut then.
//!
//! What counts is read before the copy is begun, and nuncio is stopped (SIGSTOP) while it is made, so that the copy is
//! of one moment. The copy is mounted, which replays the file system's journal, and opened, which replays SQLite's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use nuncio::clock::Clock;
use nuncio::signature::sha256_hex;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::sender::finish;
use super::stage::{Stage, open};
use super::storage::run;
use super::table::{Holds, Row};
use super::{Size, twin};

pub const K7: &str = "0 acknowledged lost, 0 corrupt; the control loses";
/// Events for each cut.
const EACH: usize = 60;
const SIZE: &str = "192M";

/// K-7.
pub async fn cuts(size: Size) -> anyhow::Result<Row> {
    let disk = match Disk::new().await {
        Ok(disk) => disk,
        Err(error) => return Ok(Row::skipped("K-7", K7, &format!("{error:#}"))),
    };
    let cuts = size.of(4, 100);
    let (mut owed, mut lost, mut corrupt) = (0, 0, 0);
    {
        let mut stage = Stage::set_in(4, Some(&disk.path())).await?;
        stage.start().await?;
        let (clock, mut random) = (Clock::system(), SmallRng::seed_from_u64(7));
        let allowed = Arc::new(Semaphore::new(0));
        let sending = stage.sender.stream(0..cuts * EACH, 8, &allowed);
        for _ in 0..cuts {
            allowed.add_permits(EACH);
            clock.sleep(Duration::from_millis(random.random_range(5..150))).await;
            let book = stage.sender.ledger().read()?;
            stage.program()?.signal("STOP").await?;
            let copy = disk.cut().await;
            stage.program()?.signal("CONT").await?;
            let found = Found::on(&copy?).await;
            owed += book.acknowledged.len();
            match found {
                Ok(found) => lost += book.acknowledged.keys().filter(|tag| !found.holds(tag, &book)).count(),
                Err(_) => corrupt += 1,
            }
        }
        finish(sending).await?;
        stage.kill().await?;
    }
    drop(disk);
    let (full, full_of) = twin::losses("FULL", size.of(2, 20)).await?;
    let (normal, normal_of) = twin::losses("NORMAL", size.of(4, 20)).await?;
    Ok(Row {
        case: "K-7",
        done: format!(
            "{cuts} power cuts under load: ext4 on a loop device with direct I/O, its backing file copied, mounted and counted"
        ),
        required: K7,
        measured: format!(
            "**{lost} lost** of {owed} acknowledged (each counted at every cut that came after it), {corrupt} corrupt"
        ),
        holds: Holds::both(lost == 0 && corrupt == 0 && owed > 0 && full == 0, normal > 0),
        control: format!(
            "a writer with the same settings: `synchronous=NORMAL` loses {normal} of {normal_of}, `FULL` {full} of {full_of}"
        ),
    })
}

/// What a database holds after a cut.
struct Found(std::collections::BTreeMap<String, String>);

impl Found {
    /// Opens the database of a copy: recovers it, checks it whole, and reads what it holds.
    async fn on(disk: &Disk) -> anyhow::Result<Self> {
        let database = open(&disk.path().join("nuncio.db")).await?;
        let checked: String = database.value("PRAGMA integrity_check").await?;
        anyhow::ensure!(checked == "ok", "{checked}");
        let sql = "SELECT e.body FROM events AS e JOIN deliveries AS d ON d.event_id = e.id";
        let bodies: Vec<Vec<u8>> = database.rows(sql, |row| row.get(0)).await?;
        let mut found = std::collections::BTreeMap::new();
        for body in bodies {
            let tags = super::sender::tags_in(&String::from_utf8_lossy(&body));
            found.extend(tags.into_iter().map(|tag| (tag, sha256_hex(&[&body]))));
        }
        database.close().await?;
        Ok(Self(found))
    }

    /// Whether it holds the event with its delivery, byte for byte.
    fn holds(&self, tag: &str, book: &super::ledger::Book) -> bool {
        self.0.get(tag).is_some_and(|hash| book.sent.get(tag) == Some(hash))
    }
}

/// An ext4 of its own on a loop device. Unmounted and detached when dropped.
pub struct Disk {
    folder: TempDir,
    device: String,
}

impl Disk {
    /// A fresh one.
    pub async fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let image = folder.path().join("image");
        std::fs::File::create(&image)?;
        run("truncate", &["-s", SIZE, &image.display().to_string()]).await?;
        run("mkfs.ext4", &["-q", "-F", &image.display().to_string()]).await?;
        Self::attach(folder).await
    }

    /// What a disk would hold if the power failed now.
    pub async fn cut(&self) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (from, to) = (self.folder.path().join("image"), folder.path().join("image"));
        let (from, to) = (from.display().to_string(), to.display().to_string());
        run("cp", &["--sparse=always", &from, &to]).await?;
        Self::attach(folder).await
    }

    async fn attach(folder: TempDir) -> anyhow::Result<Self> {
        let image = folder.path().join("image").display().to_string();
        let device = run("losetup", &["--find", "--show", "--direct-io=on", &image]).await?;
        let disk = Self { folder, device };
        std::fs::create_dir(disk.path()).context("a place to mount at")?;
        run("mount", &[&disk.device, &disk.path().display().to_string()]).await?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        mounted(self.folder.path())
    }
}

fn mounted(folder: &Path) -> PathBuf {
    folder.join("mounted")
}

impl Drop for Disk {
    fn drop(&mut self) {
        let system = |program: &str, arguments: &[&str]| {
            let _ = std::process::Command::new(program).args(arguments).output();
        };
        // Lazily: a connection that was dropped may close its files a moment later.
        system("umount", &["--lazy", &self.path().display().to_string()]);
        system("losetup", &["--detach", &self.device]);
    }
}
