//! Opening tests: migrations and concurrent opens.

use super::*;
use crate::store::migrate::migrate_to;

/// Migrates a database up to `number`, and no further.
async fn migrated_to(path: &Path, number: i64) -> Tx {
    let mut tx = Tx::Sqlite(SqliteConnection::writable(path, WRITER_CACHE).unwrap());
    tx.batch("PRAGMA foreign_keys = OFF").await.unwrap();
    migrate_to(&mut tx, path, number).await.unwrap();
    tx.batch("PRAGMA foreign_keys = ON").await.unwrap();
    tx
}

// Control: with foreign keys on, the deliveries are deleted with the table that is replaced.
#[tokio::test]
async fn what_was_stored_before_subjects_had_their_index_stays() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("nuncio.db");
    let mut before = migrated_to(&path, 12).await;
    before
        .batch(
            "INSERT INTO destinations (id, sink, address, name, origin, created_at, updated_at) \
             VALUES ('dst_1', 'channel', '1', 'x', 'environment', 0, 0); \
             INSERT INTO events (id, source, kind, dedupe_key, subject, occurred_at, received_at, unrouted, body) \
             VALUES ('evt_1', 'xtsystems', 'ticket.created', 'a', 'ticket:1', 1, 2, FALSE, x'7b7d'), \
             ('evt_2', 'xtsystems', 'x', 'b', '', 3, 4, TRUE, x'7b7d'); \
             INSERT INTO deliveries (id, event_id, destination_id, status, due_at) \
             VALUES ('dlv_1', 'evt_1', 'dst_1', 'pending', 0)",
        )
        .await
        .unwrap();
    drop(before);
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(&path, Clock::system(), hints).await.unwrap();
    let kept: Vec<String> = query_scalar(
        "SELECT e.id || ' ' || e.subject || ' ' || e.dedupe_key || ' ' || CAST(e.body AS TEXT) || ' ' || \
         COALESCE(d.id, 'none') FROM events AS e LEFT JOIN deliveries AS d ON d.event_id = e.id ORDER BY e.id",
    )
    .fetch_all(store.read())
    .await
    .unwrap();
    assert_eq!(kept, ["evt_1 ticket:1 a {} dlv_1", "evt_2  b {} none"]);
    store.close().await;
    // Deleting an event still deletes its deliveries.
    let mut after = migrated_to(&path, i64::MAX).await;
    let broken = after.batch("INSERT INTO deliveries (id, event_id, destination_id, status, due_at) VALUES ('dlv_2', 'evt_9', 'dst_1', 'pending', 0)");
    assert!(broken.await.is_err(), "it names an event that is not there");
    after.batch("DELETE FROM events WHERE id = 'evt_1'").await.unwrap();
    let left: i64 = query_scalar("SELECT COUNT(*) FROM deliveries").fetch_one(&mut after).await.unwrap();
    assert_eq!(left, 0);
}

// A7. Controls: with a single try, one round in forty is red; without the write lock around the migrator as well, the
// first round is.
#[rstest::rstest]
#[case::empty(0)]
#[case::older(12)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_open_it_at_once_it_opens(#[case] number: i64) {
    for round in 0..40 {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("nuncio.db");
        if number > 0 {
            drop(migrated_to(&path, number).await);
        }
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let path = path.clone();
            opening.spawn(async move {
                let (hints, _nobody) = HintSender::channel();
                let store = Store::open(&path, Clock::system(), hints).await?;
                store.set_meta("x", "y".to_owned()).await?;
                store.close().await;
                Result::Ok(())
            });
        }
        while let Some(opened) = opening.join_next().await {
            opened.unwrap().unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
    }
}

// A3: decisions that were pending before they had a priority of their own.
#[tokio::test]
async fn decisions_that_waited_before_they_had_a_rank_go_first() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("nuncio.db");
    let mut before = migrated_to(&path, 13).await;
    before
        .batch(
            "INSERT INTO destinations (id, sink, address, name, origin, created_at, updated_at) \
             VALUES ('dst_1', 'channel', '1', 'x', 'environment', 0, 0); \
             INSERT INTO events (id, source, kind, dedupe_key, occurred_at, received_at, body) VALUES \
             ('evt_1', 'xtsystems', 'alert.triggered', 'a', 1, 2, x'7b7d'), \
             ('evt_2', 'xtsystems', 'Machine_Registered', 'b', 3, 4, x'7b7d'), \
             ('evt_3', 'nuncio', 'decision.confirmed', 'c', 3, 4, x'7b7d'), \
             ('evt_4', 'xtsystems', 'decision.confirmed', 'd', 3, 4, x'7b7d'), \
             ('evt_5', 'xtsystems', 'machine.registered', 'e', 3, 4, x'7b7d'); \
             INSERT INTO deliveries (id, event_id, destination_id, rank, status, due_at) VALUES \
             ('dlv_1', 'evt_1', 'dst_1', 0, 'pending', 0), ('dlv_2', 'evt_2', 'dst_1', 0, 'pending', 0), \
             ('dlv_3', 'evt_3', 'dst_1', 0, 'sending', 0), ('dlv_4', 'evt_4', 'dst_1', 1, 'pending', 0), \
             ('dlv_5', 'evt_5', 'dst_1', 0, 'delivered', 0)",
        )
        .await
        .unwrap();
    drop(before);
    let mut after = migrated_to(&path, i64::MAX).await;
    let ranks: Vec<i64> =
        query_scalar("SELECT rank FROM deliveries ORDER BY id").fetch_all(&mut after).await.unwrap();
    assert_eq!(ranks, [0, -1, -1, 1, 0]);
}

/// Without `.cargo/config.toml` nuncio works too, but more slowly.
#[tokio::test]
async fn sqlite_is_built_as_the_project_says() {
    let mut tx = Tx::Sqlite(SqliteConnection::writable(Path::new(":memory:"), WRITER_CACHE).unwrap());
    let options: Vec<String> = query_scalar("PRAGMA compile_options").fetch_all(&mut tx).await.unwrap();
    let has = |name: &str| options.iter().any(|option| option == name);
    assert!(has("DEFAULT_MEMSTATUS=0") && has("DEFAULT_PCACHE_INITSZ=0"), "{options:?}");
    assert!(!has("ENABLE_MEMORY_MANAGEMENT") && !has("ENABLE_API_ARMOR"), "{options:?}");
}

// 12. Control: without the migration a ticket's next event finds no card.
#[tokio::test]
async fn what_was_stored_before_subjects_named_the_customer_is_still_found() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("nuncio.db");
    let mut before = migrated_to(&path, 13).await;
    before
        .batch(
            "INSERT INTO destinations (id, sink, address, name, origin, created_at, updated_at) \
             VALUES ('dst_1', 'channel', '1', 'x', 'environment', 0, 0); \
             INSERT INTO events (id, source, kind, company_id, dedupe_key, subject, occurred_at, received_at, body) \
             VALUES ('evt_1', 'xtsystems', 'ticket.created', 'A@B', 'a', 'ticket:1', 1, 2, x'7b7d'), \
             ('evt_2', 'xtsystems', 'ticket.created', '', 'b', 'ticket:2', 3, 4, x'7b7d'), \
             ('evt_3', 'xtsystems', 'alert.triggered', 'ACME', 'c', 'alert:0f', 3, 4, x'7b7d'), \
             ('evt_4', 'xtsystems', 'ticket.created', '', 'd', 'ticket:3@x', 3, 4, x'7b7d'), \
             ('evt_5', 'xtsystems', 'printer.jammed', 'ACME', 'e', '', 3, 4, x'7b7d'); \
             INSERT INTO messages (id, destination_id, nonce, action, form, state, lane_epoch, created_at) \
             VALUES ('msg_1', 'dst_1', 'n', 'create', 'single', 'sent', 0, 0); \
             INSERT INTO cards (destination_id, source, subject, message_id, since, state_at, updated_at) \
             VALUES ('dst_1', 'xtsystems', 'ticket:1', 'msg_1', 'evt_1', 0, 0), \
             ('dst_1', 'xtsystems', 'ticket:2', 'msg_1', 'evt_2', 0, 0); \
             INSERT INTO decisions (id, token, kind, source, subject, round, object, label, event_id, asked_at, verdict, created_at) \
             VALUES ('dec_1', 't', 'ticket', 'xtsystems', 'ticket:1', 1, '1', '#1', 'evt_1', 0, 'open', 0)",
        )
        .await
        .unwrap();
    drop(before);
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(&path, Clock::system(), hints).await.unwrap();
    let kept: Vec<String> = query_scalar(
        "SELECT subject FROM (SELECT '1' || id AS place, subject FROM events \
         UNION ALL SELECT '2' || since, subject FROM cards \
         UNION ALL SELECT '3', subject || ' of ' || company_id FROM decisions) AS kept ORDER BY place",
    )
    .fetch_all(store.read())
    .await
    .unwrap();
    let now = |id, company| crate::model::subject("ticket", id, company);
    let one = now("1", "A@B");
    let mut expected = vec![one.clone(), now("2", ""), "alert:0f".to_owned(), now("3@x", ""), String::new()];
    expected.extend([one.clone(), now("2", ""), format!("{one} of A@B")]);
    assert_eq!(kept, expected);
    store.close().await;
}
