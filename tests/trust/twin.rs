//! The control of K-7: a writer with the settings of nuncio's own, but for the one that is on trial.
//!
//! nuncio has no knob that makes it forget, and is not given one for a test. So a twin is put on the same kind of disk
//! and cut in the same way, once with `synchronous=FULL` and once with `NORMAL`: the rig must see the second one lose,
//! and must not see the first one lose.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nuncio::clock::Clock;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::database::Database;
use super::power::Disk;
use super::stage::open;

const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// Cuts a twin's disk so many times. How many of how many acknowledged rows were lost.
pub async fn losses(synchronous: &str, cuts: u32) -> anyhow::Result<(usize, usize)> {
    let disk = Disk::new().await?;
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    // Held while a row is written: whoever holds it besides sees the disk stand still.
    let pen = Arc::new(tokio::sync::Mutex::new(()));
    let database = twin(&disk.path().join("twin.db"), synchronous).await?;
    let writing = tokio::spawn(write(database, Arc::clone(&pen), Arc::clone(&acknowledged)));
    let (mut lost, mut owed) = (0, 0);
    let mut random = SmallRng::seed_from_u64(7);
    for _ in 0..cuts {
        Clock::system().sleep(Duration::from_millis(random.random_range(50..400))).await;
        let sure = acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let held = pen.lock().await;
        let copy = disk.cut().await?;
        drop(held);
        let found = open(&copy.path().join("twin.db")).await?;
        // What never reached the disk, not even as a table, holds no row.
        let rows: Vec<i64> =
            found.rows("SELECT number FROM events", |row| row.get(0)).await.unwrap_or_default();
        let rows: BTreeSet<i64> = rows.into_iter().collect();
        found.close().await?;
        lost += sure.difference(&rows).count();
        owed += sure.len();
    }
    writing.abort();
    // The database is closed before its disk is taken away.
    let _ = writing.await;
    Ok((lost, owed))
}

async fn twin(path: &Path, synchronous: &str) -> anyhow::Result<Database> {
    let database = Database::create(path).await?;
    let synchronous = format!("synchronous = {synchronous}");
    for setting in ["journal_mode = WAL", &synchronous, "wal_autocheckpoint = 0", "temp_store = MEMORY"] {
        database.execute(format!("PRAGMA {setting}"), ()).await?;
    }
    database.execute("CREATE TABLE events (number BIGINT PRIMARY KEY, body BYTEA NOT NULL)", ()).await?;
    // What is there from the start is on disk in either case.
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)", ()).await?;
    Ok(database)
}

async fn write(
    database: Database,
    pen: Arc<tokio::sync::Mutex<()>>,
    acknowledged: Arc<Mutex<BTreeSet<i64>>>,
) -> anyhow::Result<()> {
    let (clock, mut checkpointed) = (Clock::system(), Duration::ZERO);
    for number in 0_i64.. {
        let _held = pen.lock().await;
        // As often as nuncio does it; this is when `NORMAL` makes things durable.
        if clock.elapsed() - checkpointed >= CHECKPOINT_EVERY {
            database.execute("PRAGMA wal_checkpoint(PASSIVE)", ()).await?;
            checkpointed = clock.elapsed();
        }
        let insert = "INSERT INTO events (number, body) VALUES (?1, ?2)";
        database.execute(insert, (number, vec![0x5A_u8; 400])).await?;
        acknowledged.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }
    Ok(())
}
