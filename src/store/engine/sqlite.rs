//! SQLite connections that run statements on the caller's own thread.

pub(in crate::store) mod bulk_insert;
mod error;
mod reads;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, Rows, ToSql};

use crate::store::values::{Arg, Cell, Row, Statement};
use crate::store::{Error, Result};

pub(in crate::store) use reads::Reads;

/// How long a connection waits for another process's transaction.
pub(in crate::store) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of prepared statements that a connection keeps.
const STATEMENTS: usize = 128;

/// A connection. It can move between threads, but two cannot use it at a time.
pub(in crate::store) struct SqliteConnection {
    driver: Connection,
    /// The shapes of constant statements, by the address and length of their text.
    shapes: RefCell<HashMap<(usize, usize), Arc<StatementShape>>>,
}

/// What is asked of SQLite once for each statement: for each execution, it would cost more than many of them do.
struct StatementShape {
    /// For each parameter the number of its argument, counted from 1; 0 if it has none.
    arguments: Box<[usize]>,
    columns: Arc<[Box<str>]>,
}

impl StatementShape {
    fn of(prepared: &CachedStatement<'_>) -> Self {
        let number = |index| prepared.parameter_name(index)?.strip_prefix('$')?.parse().ok();
        Self {
            arguments: (1..=prepared.parameter_count()).map(|index| number(index).unwrap_or(0)).collect(),
            columns: prepared.column_names().into_iter().map(Box::from).collect(),
        }
    }
}

impl SqliteConnection {
    /// Opens a connection that may write, and creates the file if needed. `cache` is its page cache in KiB; negative
    /// by SQLite's convention.
    pub(in crate::store) fn writable(database: &Path, cache: i64) -> Result<Self> {
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = open(database, access, cache)?;
        for (name, value) in [("foreign_keys", "ON"), ("journal_mode", "WAL"), ("synchronous", "FULL")] {
            connection.pragma_update(None, name, value)?;
        }
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(Self::of(connection)?)
    }

    /// Opens a read-only connection.
    pub(in crate::store) fn read_only(database: &Path, cache: i64) -> Result<Self> {
        Ok(Self::of(open(database, OpenFlags::SQLITE_OPEN_READ_ONLY, cache)?)?)
    }

    /// Opens a connection that may write, if the file exists, and changes none of the database's settings.
    pub(in crate::store) fn existing(database: &Path, cache: i64) -> Result<Self> {
        Ok(Self::of(open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, cache)?)?)
    }

    /// Opens a database that nothing else has open and that has no log: no file is created beside it.
    pub(in crate::store) fn immutable(database: &Path, cache: i64) -> Result<Self> {
        let name = database.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{name}?immutable=1");
        let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        Ok(Self::of(open(Path::new(&uri), access, cache)?)?)
    }

    fn of(connection: Connection) -> rusqlite::Result<Self> {
        // A statement that changes many rows keeps a journal of its own: in a file, that costs more than the rows.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self { driver: connection, shapes: RefCell::default() })
    }

    /// Runs statements without arguments.
    pub(in crate::store) fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.driver.execute_batch(sql)?)
    }

    /// Limits how long this connection waits for a lock that another one holds.
    pub(in crate::store) fn wait_at_most(&self, timeout: Duration) -> Result<()> {
        Ok(self.driver.busy_timeout(timeout)?)
    }

    /// Interrupts what runs as soon as `goes_on` returns `false`; it is asked after every `steps` steps of SQLite's
    /// virtual machine.
    fn interrupt_unless(&self, steps: i32, mut goes_on: impl FnMut() -> bool + Send + 'static) -> Result<()> {
        Ok(self.driver.progress_handler(steps, Some(move || !goes_on()))?)
    }

    /// Removes the limit that [`Self::interrupt_unless`] set.
    fn never_interrupt(&self) -> Result<()> {
        Ok(self.driver.progress_handler(0, None::<fn() -> bool>)?)
    }

    fn prepare(&self, statement: &Statement<'_>) -> Result<(CachedStatement<'_>, Arc<StatementShape>)> {
        let prepared = self.driver.prepare_cached(&statement.sql)?;
        let Cow::Borrowed(text) = statement.sql else {
            let shape = Arc::new(StatementShape::of(&prepared));
            return Ok((prepared, shape));
        };
        let mut shapes = self.shapes.borrow_mut();
        let shape = shapes
            .entry((text.as_ptr().addr(), text.len()))
            .or_insert_with(|| StatementShape::of(&prepared).into());
        let shape = Arc::clone(shape);
        Ok((prepared, shape))
    }

    /// Runs a statement. Returns how many rows it changed.
    pub(in crate::store) fn execute(&self, statement: &Statement<'_>) -> Result<u64> {
        let (mut prepared, shape) = self.prepare(statement)?;
        let mut rows = run(&mut prepared, &shape, &statement.args)?;
        while rows.next()?.is_some() {}
        drop(rows);
        Ok(self.driver.changes())
    }

    /// The first `most` rows that a statement returns.
    pub(in crate::store) fn rows(&self, statement: &Statement<'_>, most: usize) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        self.take_rows(statement, most, |row| {
            found.push(row);
            Ok(())
        })?;
        Ok(found)
    }

    /// Hands each row that a statement returns to `take`, without keeping any. Returns how many there were.
    pub(in crate::store) fn each(
        &self,
        statement: &Statement<'_>,
        mut take: impl FnMut(&Row) -> Result<()>,
    ) -> Result<usize> {
        self.take_rows(statement, usize::MAX, |row| take(&row))
    }

    fn take_rows(
        &self,
        statement: &Statement<'_>,
        most: usize,
        mut take: impl FnMut(Row) -> Result<()>,
    ) -> Result<usize> {
        let (mut prepared, shape) = self.prepare(statement)?;
        let columns = &shape.columns;
        let mut rows = run(&mut prepared, &shape, &statement.args)?;
        let mut taken = 0;
        while taken < most
            && let Some(row) = rows.next()?
        {
            let cells = (0..columns.len()).map(|at| Ok(cell(row.get_ref(at)?)));
            take(Row::new(Arc::clone(columns), cells.collect::<rusqlite::Result<_>>()?))?;
            taken += 1;
        }
        Ok(taken)
    }
}

fn open(database: &Path, access: OpenFlags, cache: i64) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", cache)?;
    Ok(connection)
}

/// Binds each `$n` to the argument of that number. SQLite itself numbers them by where they first appear.
fn run<'a>(
    prepared: &'a mut CachedStatement<'_>,
    shape: &StatementShape,
    args: &[Arg<'_>],
) -> Result<Rows<'a>> {
    for (index, number) in (1..).zip(&shape.arguments) {
        let Some(arg) = number.checked_sub(1).and_then(|at| args.get(at)) else {
            return Err(Error::from(rusqlite::Error::InvalidParameterCount(args.len(), index)));
        };
        prepared.raw_bind_parameter(index, arg)?;
    }
    Ok(prepared.raw_query())
}

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(flag) => ValueRef::Integer(i64::from(*flag)),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Id(id) => ValueRef::Blob(id.as_bytes()),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(text.to_vec()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests;
