//! Corrupt rows in lists.

use crate::model::CorruptRow;
use serde_json::{Value, json};

use crate::store::Store;

/// Shown in place of a corrupt row's status.
pub(super) const UNREADABLE: &str = "unreadable";

/// What the operator can do about corrupt rows.
pub(super) fn advice(store: &Store) -> String {
    format!(
        "Another program, or the disk, changed the unreadable rows; everything else goes on. Check the file with: \
         sqlite3 {} 'PRAGMA integrity_check'. Then repair the row, or restore a backup.",
        store.path().display()
    )
}

/// The id and the reason: all that is known of a corrupt row.
pub(super) fn json(row: &CorruptRow) -> Value {
    json!({"id": row.id, "status": UNREADABLE, "reason": row.why})
}
