//! Survey of the API keys.

use std::path::Path;

use super::open;
use crate::clock::{Clock, Timestamp};
use crate::config::{Database, Entrance, Variables};
use crate::store::Result;
use crate::store::path::resolve;
use crate::store::sql::query_scalar;

/// Returns whether the database at `path` holds an API key that is accepted at `now`. `false` if there is no database,
/// or an older nuncio made it.
///
/// # Errors
/// If the database cannot be read.
fn has_api_key(path: &Path, now: Timestamp) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let connection = open(&resolve(path)?)?;
    let table = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'api_keys'";
    if query_scalar::<i64>(table).one_on(&connection)? == Some(0) {
        return Ok(false);
    }
    let valid =
        "SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)";
    let keys: Option<i64> = query_scalar(valid).bind(now.as_millis()).one_on(&connection)?;
    Ok(keys > Some(0))
}

/// Whether `variables` must let something in themselves: not if their database holds an API key. A database that cannot be
/// read holds none; the start itself says what is wrong with it.
#[must_use]
pub fn entrance_of(variables: &Variables) -> Entrance {
    let now = Clock::system().now();
    let stored = Database::of(variables).and_then(|database| has_api_key(&database.path, now).ok());
    if stored == Some(true) { Entrance::StoredKey } else { Entrance::Configured }
}
