//! Opening tests: concurrent opens, and how SQLite is built.

use super::*;

// A7. Controls: with a single try, one round in forty is red; without the write lock around the migrator as well, the
// first round is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_open_it_at_once_it_opens() {
    for round in 0..40 {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("nuncio.db");
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

/// Without `.cargo/config.toml` nuncio works too, but more slowly.
#[tokio::test]
async fn sqlite_is_built_as_the_project_says() {
    let mut tx = Tx::Sqlite(SqliteConnection::writable(Path::new(":memory:"), WRITER_CACHE).unwrap());
    let options: Vec<String> = query_scalar("PRAGMA compile_options").fetch_all(&mut tx).await.unwrap();
    let has = |name: &str| options.iter().any(|option| option == name);
    assert!(has("DEFAULT_MEMSTATUS=0") && has("DEFAULT_PCACHE_INITSZ=0"), "{options:?}");
    assert!(!has("ENABLE_MEMORY_MANAGEMENT") && !has("ENABLE_API_ARMOR"), "{options:?}");
}
