//! Database opening: settings, migrations, and the takeover from the process that served it before.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::spawn_blocking;

use crate::clock::{Clock, Timestamp};
use crate::store::database_files::DatabaseFiles;
use crate::store::engine::sqlite::{Reads, SqliteConnection};
use crate::store::error::WriterHealth;
use crate::store::migrate;
use crate::store::path::{make_file, make_folder, refuse_hard_links, resolve, unusable};
use crate::store::server::{self, Server};
use crate::store::sql::{Tx, query_scalar};
use crate::store::unit::Unit;
use crate::store::wal::Wal;
use crate::store::writer::{Files, Writer, WriterState};
use crate::store::{Error, HintSender, Inner, Lock, Result, Store, steady};

/// How long to wait while other processes open the database.
const OPENING: Duration = Duration::from_secs(10);
/// Delay between two tries.
const AGAIN: Duration = Duration::from_millis(10);
/// Time limit of one read. While a read lasts, the write-ahead log cannot be truncated.
const READ_DEADLINE: Duration = Duration::from_secs(30);
/// Page cache of the writer in KiB; negative by SQLite's convention. Unique keys are spread over their whole index: a
/// page that is not cached is read again for every event.
const WRITER_CACHE: i64 = -6144;
/// Page cache of the connection that only checkpoints, in KiB; negative by SQLite's convention.
const CHECKPOINT_CACHE: i64 = -64;
/// The first SQLite release without the WAL-reset bug (SQLite: "The WAL-Reset Bug").
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

impl Store {
    /// Opens the database at `path`, creates it if it does not exist, and migrates its schema. Hints for accepted
    /// events go to `hints`.
    pub async fn open(path: &Path, clock: Clock, hints: HintSender) -> Result<Self> {
        make_folder(&resolve(path)?)?;
        let path = &resolve(path)?;
        if path.is_dir() {
            return Err(unusable(path, std::io::ErrorKind::IsADirectory.into()));
        }
        refuse_hard_links(path)?;
        make_file(path)?;
        let mut tx = connect(path).await?;
        let database_files = Arc::new(DatabaseFiles::of(path)?);
        steady::take_up(&mut tx, &clock).await?;
        let health = WriterHealth::default();
        let log = Wal::beside(path);
        let checkpoints = SqliteConnection::writable(path, CHECKPOINT_CACHE)?;
        let checkpoints = tokio::spawn(log.clone().checkpoint(checkpoints, clock.clone(), health.clone()));
        let read = Reads::of(path, READ_DEADLINE);
        let files = Files { tx, wal: log, database_files: Arc::clone(&database_files) };
        let state = WriterState::new(files, clock.clone(), hints.clone(), health.clone());
        let writer = Writer::start(state);
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            clock,
            read,
            writer,
            health,
            database_files,
            audit_key: OnceLock::new(),
            seal_key: OnceLock::new(),
            hints,
            tasks: Mutex::new(vec![checkpoints]),
        })))
    }

    /// Makes this process the owner of all lanes: raises every lane's epoch, marks what the previous process left in
    /// flight as in doubt, and limits every stored wait to the maximum of its rule. Requires the lock as proof that
    /// the previous process is gone, and monitors it from then on.
    pub async fn take_over(&self, proof: &Lock) -> Result<()> {
        if let Some(other) = self.writer().submit(TakeOver { now: self.0.clock.now() }).await? {
            return Err(Error::AlreadyServed(other.to_string()));
        }
        self.0.database_files.held_by(Arc::downgrade(proof.held()));
        self.settle_line().await
    }
}

struct TakeOver {
    now: Timestamp,
}

impl Unit for TakeOver {
    type Output = Option<Server>;

    async fn apply(&self, tx: &mut Tx) -> Result<Option<Server>> {
        if let Some(other) = server::enter(tx, self.now).await? {
            return Ok(Some(other));
        }
        // A restart is the operator's request to try closed channels again. It does not shorten a cooldown or the
        // wait of a denied destination: a process may be restarted again and again.
        tx.batch(
            "UPDATE destinations SET lane_epoch = lane_epoch + 1, \
             not_before = CASE WHEN sink = 'channel' AND closed_reason IS NOT NULL THEN 0 ELSE not_before END, \
             closed_reason = CASE WHEN sink = 'channel' THEN NULL ELSE closed_reason END",
        )
        .await?;
        // A digest that was refused and had released all its deliveries before that was recorded.
        tx.batch(
            "UPDATE messages SET state = 'withdrawn' WHERE state = 'sending' AND form = 'digest' \
             AND NOT settling AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = messages.id)",
        )
        .await?;
        tx.batch(
            "UPDATE messages SET ambiguous_since = COALESCE(ambiguous_since, created_at), lane_epoch = \
             COALESCE((SELECT lane_epoch FROM destinations WHERE destinations.id = messages.destination_id), lane_epoch) \
             WHERE state = 'sending'",
        )
        .await?;
        Ok(None)
    }
}

/// Opens the first connection, and migrates the database. Works while other processes open it at the same time: to
/// switch a database to WAL, SQLite needs exclusive access, and fails at once without it.
async fn connect(path: &Path) -> Result<Tx> {
    // Not the test clock: other processes take real time.
    let clock = Clock::system();
    let until = clock.elapsed() + OPENING;
    loop {
        let path = path.to_owned();
        // Waits for other processes' locks, on a thread where nothing else waits for it.
        let connected =
            spawn_blocking(move || connect_once(&path).now_or_never().unwrap_or(Err(Error::Closed)));
        match connected.await.unwrap_or(Err(Error::Closed)) {
            Err(Error::Occupied) if clock.elapsed() < until => clock.sleep(AGAIN).await,
            connected => return connected,
        }
    }
}

async fn connect_once(path: &Path) -> Result<Tx> {
    let mut tx = Tx::Sqlite(SqliteConnection::writable(path, WRITER_CACHE)?);
    check_version(&mut tx).await?;
    if !migrate::is_up_to_date(&mut tx).await? {
        migrate::migrate(&mut tx, path).await?;
    }
    Ok(tx)
}

async fn check_version(tx: &mut Tx) -> Result<()> {
    let version: String = query_scalar("SELECT sqlite_version()").fetch_one(tx).await?;
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let found: [u32; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    if found < OLDEST_SQLITE { Err(Error::TooOld(version)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
