//! Statements on SQLite: numbered arguments, types, and the time limit of reads.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::store::sql::{Tx, query, query_as, query_scalar, snapshot};

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
const LONG: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) SELECT COUNT(*) FROM n";

fn memory() -> Tx {
    Tx::Sqlite(SqliteConnection::writable(Path::new(":memory:"), -512).unwrap())
}

fn database(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("x.db");
    drop(SqliteConnection::writable(&path, -512).unwrap());
    path
}

// Control: bound in the order of their appearance, the arguments change places.
#[tokio::test]
async fn arguments_are_bound_by_their_number() {
    let mut tx = memory();
    tx.batch("CREATE TABLE t (id TEXT, n BIGINT)").await.unwrap();
    let insert = "INSERT INTO t (n, id) VALUES ($2, $1), ($2 + 1, $1 || $1)";
    assert_eq!(query(insert).bind("a").bind(7_i64).execute(&mut tx).await.unwrap(), 2);
    let rows: Vec<(String, i64)> =
        query_as("SELECT id, n FROM t ORDER BY n").fetch_all(&mut tx).await.unwrap();
    assert_eq!(rows, [("a".to_owned(), 7), ("aa".to_owned(), 8)]);
}

#[rstest::rstest]
#[case::too_few("SELECT $2", 1)]
#[case::none("SELECT $1", 0)]
#[case::unnumbered("SELECT ?", 1)]
#[tokio::test]
async fn a_statement_without_all_of_its_arguments_fails(#[case] sql: &'static str, #[case] args: usize) {
    let statement = (0..args).fold(query_scalar::<Option<i64>>(sql), |statement, _| statement.bind(1_i64));
    assert!(statement.fetch_one(&mut memory()).await.is_err());
}

#[tokio::test]
async fn a_value_of_another_type_is_corrupt_and_names_its_column() {
    let mut tx = memory();
    let row = query("SELECT 'x' AS n, 1 AS t, NULL AS u, 0.5 AS r, CAST(x'ff' AS TEXT) AS w, x'00' AS b");
    let row = row.fetch_one(&mut tx).await.unwrap();
    let wrong = [
        row.try_get::<i64>("n").unwrap_err(),
        row.try_get::<String>("t").unwrap_err(),
        row.try_get::<String>("u").unwrap_err(),
        row.try_get::<i64>("r").unwrap_err(),
        row.try_get::<String>("w").unwrap_err(),
        row.try_get::<bool>("b").unwrap_err(),
        row.try_get::<i64>("absent").unwrap_err(),
    ];
    for (error, column) in wrong.iter().zip(["n", "t", "u", "r", "w", "b", "absent"]) {
        assert!(error.is_of_one_row() && error.to_string().contains(&format!("\"{column}\"")), "{error}");
    }
    assert_eq!(row.try_get::<Option<String>>("u").unwrap(), None);
    assert_eq!((row.raw("n"), row.raw("t"), row.raw("u")), (b"x".to_vec(), b"1".to_vec(), Vec::new()));
}

#[tokio::test]
async fn a_reader_does_not_write() {
    let folder = TempDir::new().unwrap();
    let reads = Reads::of(&database(&folder), Duration::from_secs(5));
    let written = reads.run(|connection| connection.batch("CREATE TABLE t (n BIGINT)")).await;
    assert!(matches!(written, Err(Error::ReadOnly(_))));
}

// F-5
#[tokio::test]
async fn a_read_of_ours_ends_by_itself_and_its_connection_goes_on() {
    let folder = TempDir::new().unwrap();
    let reads = Reads::of(&database(&folder), Duration::from_millis(200));
    for _ in 0..6 {
        let error = query_scalar::<i64>(ENDLESS).fetch_one(&reads).await.unwrap_err();
        assert!(matches!(error, Error::ReadTooLong));
        // The previous deadline has passed: this read has its own. On a busy machine even that may pass once.
        let mut tries = 0;
        let counted = loop {
            match query_scalar::<i64>(LONG).fetch_one(&reads).await {
                Err(_) if tries < 5 => tries += 1,
                counted => break counted.unwrap(),
            }
        };
        assert_eq!(counted, 10_000);
    }
}

// Control: without the wait in `close`, the second read still runs after it.
#[tokio::test]
async fn a_closed_pool_waits_for_what_runs_and_refuses_what_comes_after() {
    let folder = TempDir::new().unwrap();
    let reads = Reads::of(&database(&folder), Duration::from_secs(5));
    let (begun, begins) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let running = reads.run(move |_| {
        let _ = begun.send(());
        Ok(released.recv().is_ok())
    });
    let closing = async {
        begins.await.unwrap();
        let mut closing = Box::pin(reads.close());
        assert!(futures_util::poll!(&mut closing).is_pending());
        release.send(()).unwrap();
        closing.await;
    };
    let (ran, ()) = tokio::join!(running, closing);
    assert!(ran.unwrap());
    assert!(matches!(query_scalar::<i64>("SELECT 1").fetch_one(&reads).await, Err(Error::Closed)));
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_is_written_meanwhile() {
    let folder = TempDir::new().unwrap();
    let path = database(&folder);
    let writer = SqliteConnection::writable(&path, -512).unwrap();
    writer.batch("CREATE TABLE t (n BIGINT); INSERT INTO t VALUES (1)").unwrap();
    let reads = Reads::of(&path, Duration::from_secs(5));
    let counts = snapshot(&reads, async move |tx| {
        let before: i64 = query_scalar("SELECT COUNT(*) FROM t").fetch_one(&mut *tx).await?;
        writer.batch("INSERT INTO t VALUES (2)")?;
        let after: i64 = query_scalar("SELECT COUNT(*) FROM t").fetch_one(&mut *tx).await?;
        Ok((before, after))
    });
    assert_eq!(counts.await.unwrap(), (1, 1));
    assert_eq!(query_scalar::<i64>("SELECT COUNT(*) FROM t").fetch_one(&reads).await.unwrap(), 2);
}
