//! A database file as another program opens it, beside nuncio or when it does not run. SQLite may have to wait, so the
//! calls wait on a thread of their own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags, Params, Row};

/// One connection. It waits five seconds for whoever holds the database, and looks after foreign keys, unless it is told
/// otherwise (`PRAGMA …`).
pub struct Database(Arc<Mutex<Connection>>);

impl Database {
    /// Opens a file that is there.
    pub async fn open(path: impl AsRef<Path>) -> rusqlite::Result<Self> {
        Self::with(path.as_ref(), OpenFlags::SQLITE_OPEN_READ_WRITE).await
    }

    /// Opens a file, and makes it if it is not there.
    pub async fn create(path: impl AsRef<Path>) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::with(path.as_ref(), flags).await
    }

    async fn with(path: &Path, flags: OpenFlags) -> rusqlite::Result<Self> {
        let path = path.to_owned();
        let open = move || -> rusqlite::Result<Connection> {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON")?;
            Ok(connection)
        };
        Ok(Self(Arc::new(Mutex::new(blocking(open).await?))))
    }

    /// Runs one statement to its end; answers how many rows it changed.
    pub async fn execute<P>(&self, sql: impl Into<String>, values: P) -> rusqlite::Result<u64>
    where
        P: Params + Send + 'static,
    {
        let sql = sql.into();
        self.run(move |connection| {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(values)?;
            while rows.next()?.is_some() {}
            Ok(connection.changes())
        })
        .await
    }

    /// The first value that a query answers.
    pub async fn value<T: FromSql + Send + 'static>(&self, sql: impl Into<String>) -> rusqlite::Result<T> {
        let sql = sql.into();
        self.run(move |connection| connection.query_row(&sql, (), |row| row.get(0))).await
    }

    /// All rows of a query, each as `read` reads it.
    pub async fn rows<T, F>(&self, sql: impl Into<String>, read: F) -> rusqlite::Result<Vec<T>>
    where
        T: Send + 'static,
        F: FnMut(&Row<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let sql = sql.into();
        self.run(move |connection| connection.prepare(&sql)?.query_map((), read)?.collect()).await
    }

    /// Closes it; the last one to do so folds the log into the file.
    pub async fn close(self) -> rusqlite::Result<()> {
        let alone = Arc::into_inner(self.0);
        blocking(move || {
            let connection = alone.map(|alone| alone.into_inner().unwrap_or_else(PoisonError::into_inner));
            connection.map_or(Ok(()), |connection| connection.close().map_err(|(_, error)| error))
        })
        .await
    }

    async fn run<T, F>(&self, work: F) -> rusqlite::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.0);
        blocking(move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
