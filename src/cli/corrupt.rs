//! What lists show of a row that cannot be read.

use serde_json::{Value, json};

use crate::store::{CorruptRow, Store};

/// What stands where other rows say how they are.
pub(super) const UNREADABLE: &str = "unreadable";

/// What to do about such rows.
pub(super) fn advice(store: &Store) -> String {
    format!(
        "Another program, or the disk, changed the unreadable rows; everything else goes on. Check the file with: \
         sqlite3 {} 'PRAGMA integrity_check'. Then repair the row, or restore a backup.",
        store.path().display()
    )
}

/// As much as can be told.
pub(super) fn json(row: &CorruptRow) -> Value {
    json!({"id": row.id, "status": UNREADABLE, "reason": row.why})
}
