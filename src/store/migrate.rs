//! Schema migrations: applied in order under the write lock, all or none, and recorded with their checksums.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::store::sql::{Tx, query, query_as, query_scalar};
use crate::store::{Error, Result};

/// All migrations, oldest first: one file for each capability.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "baseline", sql: include_str!("../../migrations/0001_baseline.sql") },
    Migration { number: 2, name: "api", sql: include_str!("../../migrations/0002_api.sql") },
    Migration {
        number: 3,
        name: "discord_webhooks",
        sql: include_str!("../../migrations/0003_discord_webhooks.sql"),
    },
    Migration { number: 4, name: "console", sql: include_str!("../../migrations/0004_console.sql") },
];

/// The record of applied migrations.
const RECORD: &str = "CREATE TABLE IF NOT EXISTS schema_migrations \
     (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum BYTEA NOT NULL)";

/// The record that development versions before the first release kept: their schemas are not migrated.
const DEVELOPMENT_RECORD: &str = "_sqlx_migrations";

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
        Sha256::digest(self.sql.as_bytes()).to_vec()
    }
}

/// Returns whether no migration is needed. Most commands only read, and so do not wait for a writer.
pub(super) async fn is_up_to_date(tx: &mut Tx) -> Result<bool> {
    if !has_record(tx).await? {
        return Ok(false);
    }
    let applied = applied(tx).await?;
    let known = MIGRATIONS.iter().map(|migration| (migration.number, migration.checksum()));
    Ok(applied.into_iter().eq(known))
}

/// Migrates under the write lock, from before the check until the end: a process that opens the database meanwhile
/// waits, and finds it migrated. All migrations are applied, or none.
pub(super) async fn migrate(tx: &mut Tx, path: &Path) -> Result<()> {
    migrate_with(tx, path, MIGRATIONS).await
}

async fn migrate_with(tx: &mut Tx, path: &Path, migrations: &[Migration]) -> Result<()> {
    tx.begin().await?;
    let migrated = apply(tx, path, migrations).await;
    if migrated.is_ok() {
        return tx.commit().await;
    }
    tx.rollback().await;
    migrated
}

async fn apply(tx: &mut Tx, path: &Path, migrations: &[Migration]) -> Result<()> {
    if !has_record(tx).await? && has_tables(tx).await? {
        let is_development = has_table(tx, DEVELOPMENT_RECORD).await?;
        let unknown = if is_development { Error::Development } else { Error::Foreign };
        return Err(unknown(path.to_owned()));
    }
    tx.batch(RECORD).await?;
    let applied = applied(tx).await?;
    for (number, checksum) in &applied {
        let Some(known) = migrations.iter().find(|known| known.number == *number) else {
            return Err(Error::Newer(*number));
        };
        if known.checksum() != *checksum {
            return Err(Error::Changed(*number));
        }
    }
    let done = |migration: &&Migration| applied.iter().any(|(number, ..)| *number == migration.number);
    for migration in migrations.iter().filter(|migration| !done(migration)) {
        tx.batch(migration.sql).await?;
        query("INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)")
            .bind(migration.number)
            .bind(migration.name)
            .bind(migration.checksum())
            .execute(tx)
            .await?;
    }
    Ok(())
}

async fn has_record(tx: &mut Tx) -> Result<bool> {
    has_table(tx, "schema_migrations").await
}

async fn has_table(tx: &mut Tx, name: &str) -> Result<bool> {
    let tables: i64 = query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1")
        .bind(name)
        .fetch_one(tx)
        .await?;
    Ok(tables > 0)
}

async fn has_tables(tx: &mut Tx) -> Result<bool> {
    let tables: i64 =
        query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").fetch_one(tx).await?;
    Ok(tables > 0)
}

async fn applied(tx: &mut Tx) -> Result<Vec<(i64, Vec<u8>)>> {
    query_as("SELECT version, checksum FROM schema_migrations ORDER BY version").fetch_all(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::sqlite::SqliteConnection;

    const BROKEN: &[Migration] = &[
        Migration { number: 1, name: "one", sql: "CREATE TABLE one (n BIGINT)" },
        Migration { number: 2, name: "two", sql: "CREATE TABLE two (n BIGINT); SELECT nothing" },
    ];

    // Control: with a transaction for each migration, the tables of the first one stay.
    #[tokio::test]
    async fn all_migrations_are_applied_or_none() {
        let mut tx = Tx::Sqlite(SqliteConnection::writable(Path::new(":memory:"), -512).unwrap());
        assert!(migrate_with(&mut tx, Path::new("x"), BROKEN).await.is_err());
        assert!(!has_tables(&mut tx).await.unwrap());
        migrate_with(&mut tx, Path::new("x"), &BROKEN[..1]).await.unwrap();
        assert!(migrate_with(&mut tx, Path::new("x"), BROKEN).await.is_err());
        assert_eq!(applied(&mut tx).await.unwrap(), [(1, BROKEN[0].checksum())]);
    }
}
