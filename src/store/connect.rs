//! Single database connections outside the read pool.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long a connection waits for another process's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a connection. `cache` is its page cache in KiB; negative by SQLite's convention.
pub(super) fn direct(database: &Path, access: OpenFlags, cache: i64) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", cache)?;
    Ok(connection)
}
