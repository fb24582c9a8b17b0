//! Text for people about a muted event.

use crate::clock::Timestamp;
use crate::model::mute::muted_words;
use crate::store::Result;
use crate::store::sql::Row;

/// Describes the mute of an event that arrived at `at`, from the columns `mute_until` and `mute_by` of `row`.
pub(super) fn muted(row: &Row, at: Timestamp) -> Result<String> {
    let until: Option<i64> = row.try_get("mute_until")?;
    let by: Option<String> = row.try_get("mute_by")?;
    let mute = until.map(|until| (Timestamp::from_millis(until), by.as_deref().unwrap_or_default()));
    Ok(muted_words(mute, at))
}
