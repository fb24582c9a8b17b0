//! Database opening: settings, migrations, and the takeover from the process that served it before.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _};

use crate::clock::{Clock, Timestamp};
use crate::store::bulk_insert::BulkInsert;
use crate::store::connect::BUSY_TIMEOUT;
use crate::store::database_files::DatabaseFiles;
use crate::store::error::Health;
use crate::store::path::{make_file, make_folder, refuse_hard_links, resolve, unusable};
use crate::store::server::{self, Server};
use crate::store::unit::Unit;
use crate::store::wal::Wal;
use crate::store::writer::{Files, Writer, WriterState};
use crate::store::{Error, HintSender, Inner, Lock, Result, Store, steady};

/// How long to wait while other processes open the database.
const OPENING: Duration = Duration::from_secs(10);
/// Delay between two tries.
const AGAIN: Duration = Duration::from_millis(10);
/// Number of read connections. Each has a thread and takes 300 KB.
const READERS: u32 = 3;
/// Time limit of one read. While a read lasts, the write-ahead log cannot be truncated.
const READ_DEADLINE: Duration = Duration::from_secs(30);
/// Number of SQLite VM steps between two checks of the time limit: well under a millisecond.
const STEPS: i32 = 20_000;
/// Page cache of the writer, without its bulk insert, in KiB; negative by SQLite's convention.
const WRITER_CACHE: &str = "-2048";
/// Page cache of a read connection in KiB; negative by SQLite's convention. Small: each read looks for other rows,
/// and the system's cache holds those.
const READER_CACHE: &str = "-512";
/// The first SQLite release without the WAL-reset bug (SQLite: "The WAL-Reset Bug").
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// All migrations, oldest first: one file for each capability.
const MIGRATIONS: &[Text] = &[
    Text { number: 1, name: "line", sql: include_str!("../../migrations/0001_line.sql") },
    Text { number: 2, name: "cards", sql: include_str!("../../migrations/0002_cards.sql") },
    Text { number: 3, name: "decisions", sql: include_str!("../../migrations/0003_decisions.sql") },
    Text { number: 4, name: "audit", sql: include_str!("../../migrations/0004_audit.sql") },
    Text { number: 5, name: "delivery", sql: include_str!("../../migrations/0005_delivery.sql") },
    Text { number: 6, name: "mutes", sql: include_str!("../../migrations/0006_mutes.sql") },
    Text { number: 7, name: "redelivery", sql: include_str!("../../migrations/0007_redelivery.sql") },
    Text {
        number: 8,
        name: "discord_webhooks",
        sql: include_str!("../../migrations/0008_discord_webhooks.sql"),
    },
    Text { number: 9, name: "routes", sql: include_str!("../../migrations/0009_routes.sql") },
    Text { number: 10, name: "muted_alerts", sql: include_str!("../../migrations/0010_muted_alerts.sql") },
    Text { number: 11, name: "digests", sql: include_str!("../../migrations/0011_digests.sql") },
    Text { number: 12, name: "asked", sql: include_str!("../../migrations/0012_asked.sql") },
    Text { number: 13, name: "subjects", sql: include_str!("../../migrations/0013_subjects.sql") },
    Text { number: 14, name: "doubt", sql: include_str!("../../migrations/0014_doubt.sql") },
    Text { number: 16, name: "retry", sql: include_str!("../../migrations/0016_retry.sql") },
    Text { number: 18, name: "steady", sql: include_str!("../../migrations/0018_steady.sql") },
    Text { number: 20, name: "ranks", sql: include_str!("../../migrations/0020_ranks.sql") },
    Text { number: 22, name: "companies", sql: include_str!("../../migrations/0022_companies.sql") },
];

/// The schema version of this program.
pub(super) fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|text| text.number).max().unwrap_or_default()
}

struct Text {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

impl Text {
    fn read(&self) -> Migration {
        let (name, sql) = (Cow::Borrowed(self.name), self.sql.into_sql_str());
        Migration::new(self.number, name, MigrationType::Simple, sql, false)
    }
}

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
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "0")
            // A statement that changes many rows keeps a journal of its own: in a file, that costs more than the
            // rows.
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging();

        let mut connection = connect(&options.clone().pragma("cache_size", WRITER_CACHE), path).await?;
        let database_files = Arc::new(DatabaseFiles::of(path)?);
        steady::take_up(&mut connection, &clock).await?;
        let health = Health::default();
        let log = Wal::beside(path);
        let checkpoints =
            tokio::spawn(log.clone().checkpoint(options.connect().await?, clock.clone(), health.clone()));
        let options = options.read_only(true).create_if_missing(false).pragma("cache_size", READER_CACHE);
        let read = readers(options, READ_DEADLINE);
        let files = Files {
            bulk_insert: BulkInsert::of(path),
            connection,
            wal: log,
            database_files: Arc::clone(&database_files),
        };
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

/// The pool of read-only connections. Each use of one is interrupted after `limit`.
fn readers(options: SqliteConnectOptions, limit: Duration) -> SqlitePool {
    // Not the test clock: SQLite's work takes real time.
    let (clock, again) = (Clock::system(), Clock::system());
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(Duration::from_secs(60))
        // Setting the deadline already checks the connection.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let clock = clock.clone();
            Box::pin(async move { end_in(connection, clock, limit).await })
        })
        .before_acquire(move |connection, _| {
            let clock = again.clone();
            Box::pin(async move { end_in(connection, clock, limit).await.map(|()| true) })
        })
        .connect_lazy_with(options)
}

async fn end_in(connection: &mut SqliteConnection, clock: Clock, limit: Duration) -> sqlx::Result<()> {
    let end = clock.elapsed() + limit;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || clock.elapsed() < end);
    Ok(())
}

struct TakeOver {
    now: Timestamp,
}

impl Unit for TakeOver {
    type Output = Option<Server>;

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<Option<Server>> {
        if let Some(other) = server::enter(tx, self.now).await? {
            return Ok(Some(other));
        }
        // A restart is the operator's request to try closed channels again. It does not shorten a cooldown or the
        // wait of a denied destination: a process may be restarted again and again.
        tx.execute(
            "UPDATE destinations SET lane_epoch = lane_epoch + 1, \
             not_before = CASE WHEN sink = 'channel' AND closed_reason IS NOT NULL THEN 0 ELSE not_before END, \
             closed_reason = CASE WHEN sink = 'channel' THEN NULL ELSE closed_reason END",
        )
        .await?;
        // A digest that was refused and had released all its deliveries before that was recorded.
        tx.execute(
            "UPDATE messages SET state = 'withdrawn' WHERE state = 'sending' AND form = 'digest' \
             AND finished_at IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = messages.id)",
        )
        .await?;
        tx.execute(
            "UPDATE messages SET ambiguous_since = COALESCE(ambiguous_since, created_at), lane_epoch = \
             COALESCE((SELECT lane_epoch FROM destinations WHERE destinations.id = messages.destination_id), lane_epoch) \
             WHERE state = 'sending'",
        )
        .await?;
        Ok(None)
    }
}

async fn check_version(connection: &mut SqliteConnection) -> Result<()> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let found: [u32; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    if found < OLDEST_SQLITE { Err(Error::TooOld(version)) } else { Ok(()) }
}

/// Opens the first connection, and migrates the database. Works while other processes open it at the same time: to
/// switch a database to WAL, SQLite needs exclusive access, and fails at once without it.
async fn connect(options: &SqliteConnectOptions, path: &Path) -> Result<SqliteConnection> {
    // Not the test clock: other processes take real time.
    let clock = Clock::system();
    let until = clock.elapsed() + OPENING;
    loop {
        match connect_once(options, path).await {
            Err(Error::Occupied) if clock.elapsed() < until => clock.sleep(AGAIN).await,
            connected => return connected,
        }
    }
}

async fn connect_once(options: &SqliteConnectOptions, path: &Path) -> Result<SqliteConnection> {
    let mut connection = options.connect().await?;
    check_version(&mut connection).await?;
    if !is_up_to_date(&mut connection).await? {
        // A table that others reference can only be replaced with foreign keys off, and a transaction cannot turn
        // them off.
        connection.execute("PRAGMA foreign_keys = OFF").await?;
        migrate(&mut connection, path).await?;
        connection.execute("PRAGMA foreign_keys = ON").await?;
    }
    Ok(connection)
}

/// Returns whether no migration is needed. Most commands only read, and so do not wait for a writer.
async fn is_up_to_date(connection: &mut SqliteConnection) -> Result<bool> {
    let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await?;
    if known == 0 {
        return Ok(false);
    }
    let query = "SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version";
    let applied: Vec<(i64, Vec<u8>, bool)> = sqlx::query_as(query).fetch_all(connection).await?;
    let wanted = MIGRATIONS.iter().map(|text| (text.number, text.read().checksum.into_owned(), true));
    Ok(wanted.eq(applied))
}

/// Migrates under the write lock, from before the check until the end: a process that opens the database meanwhile
/// waits, and finds it migrated. All migrations are applied, or none.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&mut *tx).await?;
    if !tables.is_empty() && !tables.iter().any(|table| table == "_sqlx_migrations") {
        return Err(Error::Foreign(path.to_owned()));
    }
    Migrator::with_migrations(MIGRATIONS.iter().map(Text::read).collect())
        .run_direct(None, &mut *tx, false)
        .await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests;
