//! The table of waits is whole.

use std::collections::BTreeSet;

use nuncio::model::wait::{RECORDS, WAITS, WaitKind, WaitStorage};

use crate::database::Database;
use crate::harness::Harness;

/// Words in the name of a column that may hold a time.
const OF_TIME: [&str; 11] =
    ["_at", "_from", "at", "until", "since", "before", "due", "_ms", "expire", "wait", "time"];

fn may_hold_a_time(column: &str) -> bool {
    column == "at" || OF_TIME.iter().any(|word| *word != "at" && column.contains(word))
}

#[tokio::test]
async fn each_column_that_may_hold_a_time_is_a_wait_or_a_record() {
    let t = Harness::start().await;
    let database = Database::open(t.store().path()).await.unwrap();
    let sql = "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
               WHERE m.type = 'table' AND c.type = 'BIGINT'";
    let columns: Vec<(String, String)> =
        database.rows(sql, |row| Ok((row.get(0)?, row.get(1)?))).await.unwrap();
    let found: BTreeSet<String> = columns
        .into_iter()
        .filter(|(_, column)| may_hold_a_time(column))
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    let waits = WAITS.iter().filter_map(|wait| match wait.storage {
        WaitStorage::Column { table, column, .. } => Some(format!("{table}.{column}")),
        WaitStorage::Meta(_) | WaitStorage::Derived(_) => None,
    });
    let records = RECORDS
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |column| format!("{table}.{column}")));
    let listed: Vec<String> = waits.chain(records).collect();
    let known: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(known.len(), listed.len(), "each once: {listed:#?}");
    let missing: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(missing.is_empty(), "in neither model::wait::WAITS nor RECORDS: {missing:?}");
    assert!(gone.is_empty(), "not in the schema: {gone:?}");
    // Whatever a duration can be is no longer than an hour, so that no mistake is.
    for wait in WAITS {
        if let (WaitKind::Duration { longest }, WaitStorage::Column { .. } | WaitStorage::Meta(_)) =
            (wait.kind, wait.storage)
        {
            assert!(longest.as_secs() <= 3600, "{}", wait.what);
        }
    }
    t.finish().await;
}
