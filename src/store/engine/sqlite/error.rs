//! SQLite error codes and what they mean for the operator. (SQLite: "Result and Error Codes".)

use std::sync::Arc;

use crate::store::Error;

/// Primary result codes: the lowest byte.
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;
const INTERRUPT: u32 = 9;
/// Extended result codes of a failed fsync. The operating system reports such an error only once, so the next
/// successful fsync proves nothing about earlier writes.
const IOERR_FSYNC: u32 = 1034;
const IOERR_DIR_FSYNC: u32 = 1290;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
        if let InvalidColumnType(..) | FromSqlConversionFailure(..) | Utf8Error(..) = error {
            return Self::Corrupt(error.to_string());
        }
        let code = error.sqlite_error().map(|error| error.extended_code.cast_unsigned());
        code.and_then(|code| meaning(code, error.to_string()))
            .unwrap_or_else(|| Self::Database(Arc::new(error)))
    }
}

/// Maps an extended code to an error, if that is more specific than SQLite's own `message`.
fn meaning(code: u32, message: String) -> Option<Error> {
    Some(match (code, code & 0xff) {
        (IOERR_FSYNC | IOERR_DIR_FSYNC, _) => Error::NotSynced(message),
        (_, BUSY | LOCKED) => Error::Occupied,
        (_, INTERRUPT) => Error::ReadTooLong,
        (_, READONLY) => Error::ReadOnly(message),
        (_, CANTOPEN) => Error::Unopened(message),
        (_, FULL) => Error::Full,
        (_, IOERR) => Error::Disk(message),
        (_, CORRUPT | NOTADB) => Error::Damaged(message),
        _ => return None,
    })
}
