//! O-2: the database's file removed, replaced, linked; its lock removed; opened by many at once.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tracing::Level;

use super::{event, send_many};
use crate::harness::Harness;
use crate::program::Program;

/// A harness whose events go nowhere, and whose commands listen where nobody else does.
async fn silent() -> Harness {
    Harness::with(|variables| {
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), json!({"default": []}).to_string());
        variables.insert("WEBHOOK_HOST".to_owned(), "127.0.0.1".to_owned());
        variables.insert("WEBHOOK_PORT".to_owned(), "0".to_owned());
    })
    .await
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", database.display()))
}

/// Has every connection that reads opened: one that is opened later finds no file, or another one, and says so.
async fn all_readers_are_open(t: &Harness) {
    let reads = (0..12).map(|_| t.store().recent(1));
    futures_util::future::try_join_all(reads).await.unwrap();
}

async fn assert_refusing(t: &Harness) {
    let health = t.health().await;
    assert_eq!((&health["status"], &health["database"]), (&json!("degraded"), &json!("failed")), "{health}");
    assert!(
        health["problems"].to_string().contains("is no longer the file that nuncio has open"),
        "{health}"
    );
    assert_eq!(t.looks_at("/health/ready").await.0, 503);
}

// A7. Control: without `check_before` and `check_after` each is answered 200, and lost.
#[rstest::rstest]
#[case::removed(|database: &Path| fs::remove_file(database).unwrap())]
#[case::moved_away(|database: &Path| fs::rename(database, beside(database, ".old")).unwrap())]
#[case::replaced_by_a_copy(|database: &Path| {
    fs::copy(database, beside(database, ".copy")).unwrap();
    fs::rename(beside(database, ".copy"), database).unwrap();
})]
#[case::replaced_by_nothing(|database: &Path| {
    fs::remove_file(database).unwrap();
    fs::write(database, "").unwrap();
})]
#[case::its_log_removed(|database: &Path| fs::remove_file(beside(database, "-wal")).unwrap())]
#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_nobody_will_find(#[case] harm: fn(&Path)) {
    let t = silent().await;
    t.sends_body(event(0, 10)).await;
    all_readers_are_open(&t).await;
    harm(t.store().path());
    assert_eq!(send_many(&t, 1..3, 10).await, [503, 503]);
    assert_refusing(&t).await;
    t.log.expect(Level::ERROR, "an event could not be stored");
    t.finish().await;
}

// A7: nobody sends anything, and it is told all the same, once.
#[tokio::test]
async fn a_database_that_is_gone_is_told_before_anything_is_lost_and_heals() {
    let t = silent().await;
    t.sends_body(event(0, 10)).await;
    let (database, away) = (t.store().path().to_owned(), t.folder().join("away"));
    all_readers_are_open(&t).await;
    fs::rename(&database, &away).unwrap();
    t.clock.advance(Duration::from_secs(1));
    t.log.seen(Level::ERROR, "is no longer the file that nuncio has open").await;
    assert_refusing(&t).await;
    t.clock.advance(Duration::from_secs(1));
    assert_eq!(send_many(&t, 1..3, 10).await, [503, 503]);
    fs::rename(&away, &database).unwrap();
    assert_eq!(send_many(&t, 1..3, 10).await, [200, 200]);
    assert_eq!(t.health().await["database"], "ok");
    assert_eq!(t.store().recent(10).await.unwrap().len(), 3, "each once");
    t.log.expect(Level::ERROR, "is no longer the file");
    t.log.expect(Level::ERROR, "an event could not be stored");
    t.finish().await;
}

// A7. Controls: without `resolve` the symbolic link is another database, without `refuse_hard_links` the hard link is,
// and without the row in `meta` the removed lock lets the second one in.
#[tokio::test]
async fn a_database_has_one_server_whatever_it_is_called() {
    let mut t = silent().await;
    t.sends_body(event(0, 10)).await;
    let database = t.store().path().to_owned();
    let here = format!("process {} on ", std::process::id());
    let by_symlink = t.folder().join("link.db");
    symlink("nuncio.db", &by_symlink).unwrap();
    let by_hard_link = t.folder().join("hard.db");

    t.set("NUNCIO_DATABASE_URL", format!("sqlite://{}", by_symlink.display()));
    let second = t.runs(&["serve"]).await;
    assert_eq!(second.code, 78, "{}", second.stderr);
    assert!(second.stderr.contains(&here) && second.stderr.contains("nuncio.db.lock"), "{}", second.stderr);
    let events = t.runs(&["events", "--json"]).await;
    assert!(events.stdout.contains("printer.jammed"), "a command by the link: {}", events.stderr);

    fs::hard_link(&database, &by_hard_link).unwrap();
    for path in [&database, &by_hard_link] {
        t.set("NUNCIO_DATABASE_URL", format!("sqlite://{}", path.display()));
        let second = t.runs(&["serve"]).await;
        assert_eq!(second.code, 78, "{}", second.stderr);
        assert!(second.stderr.contains("2 names (hard links)"), "{}", second.stderr);
    }
    assert!(t.health().await["problems"].to_string().contains("2 names (hard links)"));
    assert_eq!(t.runs(&["events"]).await.code, 78, "by a second name, a command would destroy it as well");
    fs::remove_file(&by_hard_link).unwrap();
    assert_eq!(t.health().await["status"], "ok");

    t.set("NUNCIO_DATABASE_URL", format!("sqlite://{}", database.display()));
    fs::remove_file(beside(&database, ".lock")).unwrap();
    fs::remove_file(t.folder().join("nuncio.lock")).unwrap();
    let second = t.runs(&["serve"]).await;
    assert_eq!(second.code, 78, "{}", second.stderr);
    // Either the row in `meta` names us, or we have taken the lock again already.
    assert!(second.stderr.contains(&here), "{}", second.stderr);
    t.clock.advance(Duration::from_secs(1));
    t.log.seen_times(Level::WARN, "is locked again", 2).await;
    let second = t.runs(&["serve"]).await;
    assert!(second.code == 78 && second.stderr.contains("is locked)"), "{}", second.stderr);
    t.finish().await;
}

const DOTENV: &str =
    "WEBHOOK_SECRET=0123456789abcdef0123456789abcdef\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT=0\n";

// A7: real processes on an empty folder. Control: see `however_many_open_it_at_once_it_opens`.
#[test]
fn a_server_starts_beside_commands_on_an_empty_folder() {
    for round in 0..6 {
        let program = Program::with_dotenv(DOTENV);
        std::thread::scope(|scope| {
            let commands = ["events", "deliveries", "audit"].map(|command| {
                let program = &program;
                scope.spawn(move || (command, program.run(&[command])))
            });
            drop(program.serves());
            for command in commands {
                let (command, run) = command.join().unwrap();
                assert_eq!(run.code, 0, "round {round}, {command}: {}", run.stderr);
            }
        });
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

// Issue 14 item 32. Control: with the modes left to the umask, the database and the lock are 644.
#[test]
fn what_nuncio_makes_is_for_its_own_user_only() {
    let program = Program::with_dotenv(&format!("{DOTENV}NUNCIO_DATABASE_URL=sqlite://var/data/nuncio.db\n"));
    let serving = program.serves();
    let data = program.path().join("var/data");
    for folder in ["var", "var/data", "logs"] {
        assert_eq!(mode(&program.path().join(folder)), 0o700, "{folder}");
    }
    let mut files: Vec<PathBuf> = [data.clone(), program.path().join("logs")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .collect();
    files.push(program.path().join("nuncio.key"));
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    for ending in
        ["nuncio.db", "nuncio.db-wal", "nuncio.db-shm", "nuncio.db.lock", "nuncio.lock", "error.log"]
    {
        assert!(names.iter().any(|name| name.ends_with(ending)), "{ending} is not among {names:?}");
    }
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert!(!serving.said.iter().any(|line| line.contains("other users")), "{:#?}", serving.said);
    drop(serving);
    // What exists keeps its rights, and the start says so.
    fs::set_permissions(data.join("nuncio.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let serving = program.serves();
    assert_eq!(mode(&data.join("nuncio.db")), 0o644);
    assert!(serving.said.iter().any(|line| line.contains("chmod 600")), "{:#?}", serving.said);
}

/// What `nuncio serve` says about its key.
fn key_line(program: &Program) -> String {
    let said = program.serves().said.join("\n");
    said.lines().find(|line| line.contains(" key: ")).unwrap_or_else(|| panic!("{said}")).to_owned()
}

// Issue 14 item 32. Control: with the key beside the `.env` that there is not, the second container exits 78.
#[test]
fn without_a_dotenv_the_key_is_beside_the_data() {
    let volume = tempfile::tempdir().unwrap();
    let container = || {
        Program::bare()
            .env("WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef")
            .env("WEBHOOK_HOST", "127.0.0.1")
            .env("WEBHOOK_PORT", "0")
            .env("NUNCIO_DATABASE_URL", format!("sqlite://{}/nuncio.db", volume.path().display()))
    };
    let key = volume.path().join("nuncio.key");
    let line = key_line(&container());
    assert!(line.contains(&key.display().to_string()) && line.contains("beside the data"), "{line}");
    let made = fs::read_to_string(&key).unwrap();
    // The container is replaced; its volume stays.
    let replaced = container();
    key_line(&replaced);
    assert!(!replaced.path().join("nuncio.key").exists());
    assert_eq!(fs::read_to_string(&key).unwrap(), made);

    // As it was before: the key is in the working directory, and goes on being used there.
    let earlier = container();
    fs::rename(&key, earlier.path().join("nuncio.key")).unwrap();
    let line = key_line(&earlier);
    assert!(line.contains("nuncio.key") && !line.contains("beside the data"), "{line}");
    assert!(!key.exists());
}
