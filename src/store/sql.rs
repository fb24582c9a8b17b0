//! Statements and rows without a database driver: what units and queries see. `engine` runs them.
//!
//! One text of SQL serves every engine. Arguments are `$1`, `$2`, …, in any order and as often as needed.

use std::borrow::Cow;

use futures_util::FutureExt as _;

use crate::store::engine::sqlite;
use crate::store::values::{Arg, FromCell, FromRow, Statement};
use crate::store::{Error, Result};

pub(super) use crate::store::values::Row;

/// The connection of the writer, within a transaction.
pub(super) enum Tx {
    /// SQLite, on the caller's own thread.
    Sqlite(sqlite::SqliteConnection),
}

impl Tx {
    /// Begins a transaction that may write.
    pub(super) async fn begin(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.batch("BEGIN IMMEDIATE"),
        }
    }

    /// Commits the transaction.
    pub(super) async fn commit(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.batch("COMMIT"),
        }
    }

    /// Runs statements without arguments.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.batch(sql),
        }
    }

    /// Rolls the transaction back. After some errors the engine already did, and this fails: either way nothing of it
    /// remains.
    pub(super) async fn rollback(&mut self) {
        let _ = match self {
            Self::Sqlite(connection) => connection.batch("ROLLBACK"),
        };
    }
}

/// Runs statements: a transaction, or the pool of read connections.
pub(super) trait Executor: Send {
    /// The first `most` rows that a statement returns.
    fn rows(self, statement: Statement<'_>, most: usize) -> impl Future<Output = Result<Vec<Row>>> + Send;
}

impl Executor for &mut Tx {
    async fn rows(self, statement: Statement<'_>, most: usize) -> Result<Vec<Row>> {
        match self {
            Tx::Sqlite(connection) => connection.rows(&statement, most),
        }
    }
}

impl Executor for &sqlite::Reads {
    async fn rows(self, statement: Statement<'_>, most: usize) -> Result<Vec<Row>> {
        let statement = statement.into_owned();
        self.run(move |connection| connection.rows(&statement, most)).await
    }
}

/// Runs `work` in one snapshot of the database, however long that takes. It may wait for nothing but its own statements.
pub(super) async fn snapshot<T: Send + 'static>(
    reads: &sqlite::Reads,
    work: impl AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
) -> Result<T> {
    let read = reads.snapshot(move |connection| {
        let mut tx = Tx::Sqlite(connection);
        work(&mut tx).now_or_never().unwrap_or(Err(Error::Closed))
    });
    read.await
}

/// A statement whose rows are read by column name, or whose answer is the number of changed rows.
pub(super) fn query<'a>(sql: impl Into<Cow<'static, str>>) -> Query<'a> {
    Query(Statement { sql: sql.into(), args: Vec::new() })
}

/// A statement whose rows have one column.
pub(super) fn query_scalar<'a, T: FromCell>(sql: impl Into<Cow<'static, str>>) -> Typed<'a, T> {
    Typed(query(sql), |row| row.at(0))
}

/// A statement whose rows are read as tuples.
pub(super) fn query_as<'a, T: FromRow>(sql: impl Into<Cow<'static, str>>) -> Typed<'a, T> {
    Typed(query(sql), T::from_row)
}

/// A statement under construction: see [`query`].
#[must_use]
pub(super) struct Query<'a>(Statement<'a>);

impl<'a> Query<'a> {
    /// Adds the next argument.
    pub(super) fn bind(mut self, value: impl Into<Arg<'a>>) -> Self {
        self.0.args.push(value.into());
        self
    }

    /// Runs the statement. Returns how many rows it changed.
    pub(super) async fn execute(self, tx: &mut Tx) -> Result<u64> {
        match tx {
            Tx::Sqlite(connection) => connection.execute(&self.0),
        }
    }

    /// All rows.
    pub(super) async fn fetch_all(self, on: impl Executor) -> Result<Vec<Row>> {
        on.rows(self.0, usize::MAX).await
    }

    /// The first row, if there is one.
    pub(super) async fn fetch_optional(self, on: impl Executor) -> Result<Option<Row>> {
        Ok(on.rows(self.0, 1).await?.pop())
    }

    /// All rows, read on the caller's own thread.
    pub(super) fn all_on(self, connection: &sqlite::SqliteConnection) -> Result<Vec<Row>> {
        connection.rows(&self.0, usize::MAX)
    }

    /// Hands each row to `take`, on the caller's own thread, without keeping any. Returns how many there were.
    pub(super) fn each_on(
        self,
        connection: &sqlite::SqliteConnection,
        take: impl FnMut(&Row) -> Result<()>,
    ) -> Result<usize> {
        connection.each(&self.0, take)
    }

    /// The first row of a statement that always returns one.
    pub(super) async fn fetch_one(self, on: impl Executor) -> Result<Row> {
        self.fetch_optional(on).await?.ok_or(Error::Stale("a query returned no row"))
    }
}

/// A statement whose rows have a type: see [`query_scalar`] and [`query_as`].
#[must_use]
pub(super) struct Typed<'a, T>(Query<'a>, fn(&Row) -> Result<T>);

impl<'a, T> Typed<'a, T> {
    /// Adds the next argument.
    pub(super) fn bind(self, value: impl Into<Arg<'a>>) -> Self {
        Self(self.0.bind(value), self.1)
    }

    /// All rows.
    pub(super) async fn fetch_all(self, on: impl Executor) -> Result<Vec<T>> {
        self.0.fetch_all(on).await?.iter().map(self.1).collect()
    }

    /// The first row, if there is one.
    pub(super) async fn fetch_optional(self, on: impl Executor) -> Result<Option<T>> {
        self.0.fetch_optional(on).await?.as_ref().map(self.1).transpose()
    }

    /// All rows, read on the caller's own thread.
    pub(super) fn all_on(self, connection: &sqlite::SqliteConnection) -> Result<Vec<T>> {
        self.0.all_on(connection)?.iter().map(self.1).collect()
    }

    /// The first row, read on the caller's own thread.
    pub(super) fn one_on(self, connection: &sqlite::SqliteConnection) -> Result<Option<T>> {
        connection.rows(&self.0.0, 1)?.first().map(self.1).transpose()
    }

    /// The first row of a statement that always returns one.
    pub(super) async fn fetch_one(self, on: impl Executor) -> Result<T> {
        (self.1)(&self.0.fetch_one(on).await?)
    }
}
