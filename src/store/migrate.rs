//! Schema migrations: applied in order under the write lock, all or none, and recorded with their checksums.

use std::path::Path;

use sha2::{Digest as _, Sha384};

use crate::store::sql::{Tx, query, query_as, query_scalar};
use crate::store::{Error, Result};

/// All migrations, oldest first: one file for each capability.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "line", sql: include_str!("../../migrations/0001_line.sql") },
    Migration { number: 2, name: "cards", sql: include_str!("../../migrations/0002_cards.sql") },
    Migration { number: 3, name: "decisions", sql: include_str!("../../migrations/0003_decisions.sql") },
    Migration { number: 4, name: "audit", sql: include_str!("../../migrations/0004_audit.sql") },
    Migration { number: 5, name: "delivery", sql: include_str!("../../migrations/0005_delivery.sql") },
    Migration { number: 6, name: "mutes", sql: include_str!("../../migrations/0006_mutes.sql") },
    Migration { number: 7, name: "redelivery", sql: include_str!("../../migrations/0007_redelivery.sql") },
    Migration {
        number: 8,
        name: "discord_webhooks",
        sql: include_str!("../../migrations/0008_discord_webhooks.sql"),
    },
    Migration { number: 9, name: "routes", sql: include_str!("../../migrations/0009_routes.sql") },
    Migration {
        number: 10,
        name: "muted_alerts",
        sql: include_str!("../../migrations/0010_muted_alerts.sql"),
    },
    Migration { number: 11, name: "digests", sql: include_str!("../../migrations/0011_digests.sql") },
    Migration { number: 12, name: "asked", sql: include_str!("../../migrations/0012_asked.sql") },
    Migration { number: 13, name: "subjects", sql: include_str!("../../migrations/0013_subjects.sql") },
    Migration { number: 14, name: "doubt", sql: include_str!("../../migrations/0014_doubt.sql") },
    Migration { number: 16, name: "retry", sql: include_str!("../../migrations/0016_retry.sql") },
    Migration { number: 18, name: "steady", sql: include_str!("../../migrations/0018_steady.sql") },
    Migration { number: 20, name: "ranks", sql: include_str!("../../migrations/0020_ranks.sql") },
    Migration { number: 22, name: "companies", sql: include_str!("../../migrations/0022_companies.sql") },
];

/// The record of applied migrations. Its name and shape are those of the library that applied them in earlier
/// versions.
const RECORD: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, \
     description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
     success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";

/// The schema version of this program.
pub(super) fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.number).max().unwrap_or_default()
}

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        Sha384::digest(self.sql.as_bytes()).to_vec()
    }
}

/// Returns whether no migration is needed. Most commands only read, and so do not wait for a writer.
pub(super) async fn is_up_to_date(tx: &mut Tx) -> Result<bool> {
    if !has_record(tx).await? {
        return Ok(false);
    }
    let applied = applied(tx).await?;
    Ok(applied.len() == MIGRATIONS.len()
        && MIGRATIONS.iter().zip(applied).all(|(migration, (number, checksum, success))| {
            success && migration.number == number && migration.checksum() == checksum
        }))
}

/// Migrates under the write lock, from before the check until the end: a process that opens the database meanwhile
/// waits, and finds it migrated. All migrations are applied, or none.
pub(super) async fn migrate(tx: &mut Tx, path: &Path) -> Result<()> {
    migrate_to(tx, path, newest_schema()).await
}

/// Migrates up to the schema `newest`, and no further.
pub(super) async fn migrate_to(tx: &mut Tx, path: &Path, newest: i64) -> Result<()> {
    tx.begin().await?;
    let migrated = apply(tx, path, newest).await;
    if migrated.is_ok() {
        return tx.commit().await;
    }
    tx.rollback().await;
    migrated
}

async fn apply(tx: &mut Tx, path: &Path, newest: i64) -> Result<()> {
    if !has_record(tx).await? && has_tables(tx).await? {
        return Err(Error::Foreign(path.to_owned()));
    }
    tx.batch(RECORD).await?;
    let applied = applied(tx).await?;
    for (number, checksum, success) in &applied {
        let Some(known) = MIGRATIONS.iter().find(|known| known.number == *number) else {
            return Err(Error::Newer(*number));
        };
        if !success || known.checksum() != *checksum {
            return Err(Error::Changed(*number));
        }
    }
    let done = |migration: &&Migration| applied.iter().any(|(number, ..)| *number == migration.number);
    for migration in MIGRATIONS.iter().filter(|migration| migration.number <= newest && !done(migration)) {
        tx.batch(migration.sql).await?;
        query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ($1, $2, TRUE, $3, 0)",
        )
        .bind(migration.number)
        .bind(migration.name)
        .bind(migration.checksum())
        .execute(tx)
        .await?;
    }
    Ok(())
}

async fn has_record(tx: &mut Tx) -> Result<bool> {
    let tables: i64 = query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(tx)
        .await?;
    Ok(tables > 0)
}

async fn has_tables(tx: &mut Tx) -> Result<bool> {
    let tables: i64 =
        query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").fetch_one(tx).await?;
    Ok(tables > 0)
}

async fn applied(tx: &mut Tx) -> Result<Vec<(i64, Vec<u8>, bool)>> {
    query_as("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version").fetch_all(tx).await
}
