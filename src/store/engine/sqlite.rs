//! SQLite connections that run statements on the caller's own thread.

mod reads;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, OpenFlags, Rows, ToSql};

use crate::store::connect::direct;
use crate::store::values::{Arg, Cell, Row, Statement};
use crate::store::{Error, Result};

pub(in crate::store) use reads::Reads;

/// Number of prepared statements that a connection keeps.
const STATEMENTS: usize = 128;

/// A connection. It can move between threads, but two cannot use it at a time.
pub(in crate::store) struct SqliteConnection(rusqlite::Connection);

impl SqliteConnection {
    /// Opens a connection that may write, and creates the file if needed. `cache` is its page cache in KiB; negative
    /// by SQLite's convention.
    pub(in crate::store) fn writable(database: &Path, cache: i64) -> Result<Self> {
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = direct(database, access, cache)?;
        for (name, value) in [("foreign_keys", "ON"), ("journal_mode", "WAL"), ("synchronous", "FULL")] {
            connection.pragma_update(None, name, value)?;
        }
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(Self::of(connection)?)
    }

    /// Opens a read-only connection.
    pub(in crate::store) fn read_only(database: &Path, cache: i64) -> Result<Self> {
        Ok(Self::of(direct(database, OpenFlags::SQLITE_OPEN_READ_ONLY, cache)?)?)
    }

    fn of(connection: rusqlite::Connection) -> rusqlite::Result<Self> {
        // A statement that changes many rows keeps a journal of its own: in a file, that costs more than the rows.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self(connection))
    }

    /// The driver's connection, for what only SQLite has.
    pub(in crate::store) const fn driver(&mut self) -> &mut rusqlite::Connection {
        &mut self.0
    }

    /// Runs statements without arguments.
    pub(in crate::store) fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.0.execute_batch(sql)?)
    }

    /// Limits how long this connection waits for a lock that another one holds.
    pub(in crate::store) fn wait_at_most(&self, timeout: Duration) -> Result<()> {
        Ok(self.0.busy_timeout(timeout)?)
    }

    /// Interrupts what runs as soon as `goes_on` returns `false`; it is asked after every `steps` steps of SQLite's
    /// virtual machine.
    fn interrupt_unless(&self, steps: i32, mut goes_on: impl FnMut() -> bool + Send + 'static) -> Result<()> {
        Ok(self.0.progress_handler(steps, Some(move || !goes_on()))?)
    }

    /// Removes the limit that [`Self::interrupt_unless`] set.
    fn never_interrupt(&self) -> Result<()> {
        Ok(self.0.progress_handler(0, None::<fn() -> bool>)?)
    }

    /// Runs a statement. Returns how many rows it changed.
    pub(in crate::store) fn execute(&self, statement: &Statement<'_>) -> Result<u64> {
        let mut prepared = self.0.prepare_cached(&statement.sql)?;
        let mut rows = run(&mut prepared, &statement.args)?;
        while rows.next()?.is_some() {}
        drop(rows);
        Ok(self.0.changes())
    }

    /// The first `most` rows that a statement returns.
    pub(in crate::store) fn rows(&self, statement: &Statement<'_>, most: usize) -> Result<Vec<Row>> {
        let mut prepared = self.0.prepare_cached(&statement.sql)?;
        let columns: Arc<[Box<str>]> = prepared.column_names().into_iter().map(Box::from).collect();
        let mut rows = run(&mut prepared, &statement.args)?;
        let mut found = Vec::new();
        while found.len() < most
            && let Some(row) = rows.next()?
        {
            let cells = (0..columns.len()).map(|at| Ok(cell(row.get_ref(at)?)));
            found.push(Row::new(Arc::clone(&columns), cells.collect::<rusqlite::Result<_>>()?));
        }
        Ok(found)
    }
}

/// Binds each `$n` to the argument of that number. SQLite itself numbers them by where they first appear.
fn run<'a>(prepared: &'a mut CachedStatement<'_>, args: &[Arg<'_>]) -> Result<Rows<'a>> {
    for index in 1..=prepared.parameter_count() {
        let number =
            prepared.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let arg = number.and_then(|number| args.get(number.checked_sub(1)?));
        let Some(arg) = arg else {
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
