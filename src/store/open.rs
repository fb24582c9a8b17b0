//! Opening the database: its settings, its migrations, and taking over from whoever served it before.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Executor as _, SqlSafeStr as _};

use crate::clock::Clock;
use crate::store::fault::Health;
use crate::store::intake::Intake;
use crate::store::wal::Wal;
use crate::store::writer::{Desk, Unit, Writer};
use crate::store::{Error, HintSender, Inner, Lock, Result, Store, steady};

/// How long a connection waits for another process's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many connections read. Each has a thread and takes 300 KB.
const READERS: u32 = 3;
/// How long one read may take. As long as it lasts, the write-ahead log cannot be cut.
const READ_DEADLINE: Duration = Duration::from_secs(30);
/// After how many of its steps SQLite asks whether to go on: well under a millisecond.
const STEPS: i32 = 20_000;
/// Pages that the writer keeps at hand besides its intake, in KiB, negative by SQLite's custom.
const WRITER_CACHE: &str = "-2048";
/// The same for one that reads: what it looks for is another thing each time, and in the system's cache.
const READER_CACHE: &str = "-512";
/// The first release without the WAL-reset fault (SQLite: "The WAL-Reset Bug").
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// Every migration there is, oldest first: a file each, one for every capability.
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
    Text { number: 18, name: "steady", sql: include_str!("../../migrations/0018_steady.sql") },
];

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
    /// Opens the database at `path`, makes it if it is not there, and brings its schema up to date. Hints at what
    /// is accepted go to `hints`.
    pub async fn open(path: &Path, clock: Clock, hints: HintSender) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| Error::File { path: folder.to_owned(), error: Arc::new(error) })?;
        }
        if path.is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(Error::File { path: path.to_owned(), error: Arc::new(error) });
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "0")
            // A statement that changes many rows keeps a journal of its own: in a file, it costs more than the rows.
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging();

        let mut connection = options.clone().pragma("cache_size", WRITER_CACHE).connect().await?;
        check_version(&mut connection).await?;
        migrate(&mut connection, path).await?;
        steady::take_up(&mut connection, &clock).await?;
        let health = Health::default();
        let log = Wal::beside(path);
        let checkpoints =
            tokio::spawn(log.clone().checkpoint(options.connect().await?, clock.clone(), health.clone()));
        let options = options.read_only(true).create_if_missing(false).pragma("cache_size", READER_CACHE);
        let read = readers(options, READ_DEADLINE);
        let desk = Desk::new(Intake::of(path), connection, clock.clone(), hints.clone(), log, health.clone());
        let writer = Writer::start(desk);
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            clock,
            read,
            writer,
            health,
            audit_key: OnceLock::new(),
            seal_key: OnceLock::new(),
            hints,
            tasks: Mutex::new(vec![checkpoints]),
        })))
    }

    /// Makes this process the one whose results count: raises every lane's epoch and marks what the last one left
    /// in flight as ambiguous. No stored wait lies further ahead then than its rule can give. Wants the lock as proof that the last one is gone.
    pub async fn take_over(&self, _proof: &Lock) -> Result<()> {
        self.writer().submit(TakeOver).await?;
        self.settle_line().await
    }
}

/// A connection that is asked directly, not through sqlx. It keeps `cache` pages at hand: in KiB, negative by SQLite's
/// custom.
pub(super) fn direct(database: &Path, access: OpenFlags, cache: i64) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", cache)?;
    Ok(connection)
}

/// The connections that only read. Each use of one ends by itself after `limit`.
fn readers(options: SqliteConnectOptions, limit: Duration) -> SqlitePool {
    // Nobody moves this clock: what SQLite does takes the machine's own time.
    let (clock, again) = (Clock::system(), Clock::system());
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(Duration::from_secs(60))
        // Setting the deadline asks the connection anyhow.
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

/// Lets the next use of `connection` take as long as it does.
pub(super) async fn never_end(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    connection.lock_handle().await?.remove_progress_handler();
    Ok(())
}

struct TakeOver;

impl Unit for TakeOver {
    type Output = ();

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<()> {
        // A start is a person's wish to try closed channels again. A cooldown, and where we are denied, is not waited
        // for less because of it: a process may be started again and again.
        tx.execute(
            "UPDATE destinations SET lane_epoch = lane_epoch + 1, \
             not_before = CASE WHEN sink = 'channel' AND closed_reason IS NOT NULL THEN 0 ELSE not_before END, \
             closed_reason = CASE WHEN sink = 'channel' THEN NULL ELSE closed_reason END",
        )
        .await?;
        // A digest that was refused, and gave back the last of what it carried before that was recorded.
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
        Ok(())
    }
}

async fn check_version(connection: &mut SqliteConnection) -> Result<()> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let found: [u32; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    if found < OLDEST_SQLITE { Err(Error::TooOld(version)) } else { Ok(()) }
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut *connection)
        .await?;
    if !tables.is_empty() && !tables.iter().any(|table| table == "_sqlx_migrations") {
        return Err(Error::Foreign(path.to_owned()));
    }
    // A table that others name can only be replaced without looking at them; within a transaction that is no choice.
    connection.execute("PRAGMA foreign_keys = OFF").await?;
    let migrated = Migrator::with_migrations(MIGRATIONS.iter().map(|migration| migration.read()).collect())
        .run_direct(None, connection, false)
        .await;
    connection.execute("PRAGMA foreign_keys = ON").await?;
    Ok(migrated?)
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
    const LONG: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) SELECT COUNT(*) FROM n";

    /// Brings a database up to `number`, and no further.
    async fn migrated_to(path: &Path, number: i64) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true);
        let mut connection = options.connect().await.unwrap();
        let some = MIGRATIONS.iter().filter(|text| text.number <= number).map(Text::read);
        Migrator::with_migrations(some.collect()).run_direct(None, &mut connection, false).await.unwrap();
        connection
    }

    // Control: with foreign keys on, the deliveries go with the table that is replaced.
    #[tokio::test]
    async fn what_was_stored_before_subjects_had_their_index_stays() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("nuncio.db");
        let mut before = migrated_to(&path, 12).await;
        before
            .execute(
                "INSERT INTO destinations (id, sink, address, name, origin, created_at, updated_at) \
                 VALUES ('dst_1', 'channel', '1', 'x', 'environment', 0, 0); \
                 INSERT INTO events (id, source, kind, dedupe_key, subject, occurred_at, received_at, unrouted, body) \
                 VALUES ('evt_1', 'xtsystems', 'ticket.created', 'a', 'ticket:1', 1, 2, FALSE, x'7b7d'), \
                 ('evt_2', 'xtsystems', 'x', 'b', '', 3, 4, TRUE, x'7b7d'); \
                 INSERT INTO deliveries (id, event_id, destination_id, status, due_at) \
                 VALUES ('dlv_1', 'evt_1', 'dst_1', 'pending', 0)",
            )
            .await
            .unwrap();
        before.close().await.unwrap();
        let (hints, _nobody) = HintSender::channel();
        let store = Store::open(&path, Clock::system(), hints).await.unwrap();
        let kept: Vec<String> = sqlx::query_scalar(
            "SELECT e.id || ' ' || e.subject || ' ' || e.dedupe_key || ' ' || CAST(e.body AS TEXT) || ' ' || \
             COALESCE(d.id, 'none') FROM events AS e LEFT JOIN deliveries AS d ON d.event_id = e.id ORDER BY e.id",
        )
        .fetch_all(store.read())
        .await
        .unwrap();
        assert_eq!(kept, ["evt_1 ticket:1 a {} dlv_1", "evt_2  b {} none"]);
        store.close().await;
        // Whoever deletes an event deletes what was to become of it, as before.
        let mut after = migrated_to(&path, 13).await;
        let broken = after.execute("INSERT INTO deliveries (id, event_id, destination_id, status, due_at) VALUES ('dlv_2', 'evt_9', 'dst_1', 'pending', 0)");
        assert!(broken.await.is_err(), "it names an event that is not there");
        after.execute("DELETE FROM events WHERE id = 'evt_1'").await.unwrap();
        let left: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM deliveries").fetch_one(&mut after).await.unwrap();
        assert_eq!(left, 0);
    }

    /// Without `.cargo/config.toml` nuncio works too, and more slowly.
    #[tokio::test]
    async fn sqlite_is_built_as_the_project_says() {
        let mut connection = SqliteConnectOptions::new().in_memory(true).connect().await.unwrap();
        let options: Vec<String> =
            sqlx::query_scalar("PRAGMA compile_options").fetch_all(&mut connection).await.unwrap();
        let has = |name: &str| options.iter().any(|option| option == name);
        assert!(has("DEFAULT_MEMSTATUS=0") && has("DEFAULT_PCACHE_INITSZ=0"), "{options:?}");
        assert!(!has("ENABLE_MEMORY_MANAGEMENT") && !has("ENABLE_API_ARMOR"), "{options:?}");
    }

    // F-5
    #[tokio::test]
    async fn a_read_of_ours_ends_by_itself_and_its_connection_goes_on() {
        let pool = readers(SqliteConnectOptions::new().in_memory(true), Duration::from_millis(200));
        for _ in 0..2 * READERS {
            let error = sqlx::query_scalar::<_, i64>(ENDLESS).fetch_one(&pool).await.unwrap_err();
            assert!(matches!(Error::from(error), Error::ReadTooLong));
            // The deadline of the last one is over: this one has its own. On a busy machine even that may pass for once.
            let mut tries = 0;
            let counted = loop {
                match sqlx::query_scalar::<_, i64>(LONG).fetch_one(&pool).await {
                    Err(_) if tries < 5 => tries += 1,
                    counted => break counted.unwrap(),
                }
            };
            assert_eq!(counted, 10_000);
        }
    }
}
