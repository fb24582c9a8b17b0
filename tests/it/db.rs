//! `nuncio db` and `nuncio health`, beside the real program and without it.

use std::path::Path;

use nuncio::sandbox::discord::Fault;
use serde_json::Value;

use crate::harness::free_port;
use crate::program::{Program as Shell, Run};
use crate::recovery::{Program, Stage, in_folder, send};

/// A nuncio that has received `count` events, and delivered them.
async fn served(count: usize) -> (Stage, Program) {
    let stage = Stage::set().await;
    let program = stage.start().await;
    for number in 0..count {
        assert_eq!(send(&program.platform(), number).await, Some(200));
    }
    stage.arrived(count).await;
    (stage, program)
}

/// Runs `nuncio ARGS…` in a folder.
async fn runs(folder: &Path, args: &[&str]) -> Run {
    let mut command = in_folder(tokio::process::Command::new(env!("CARGO_BIN_EXE_nuncio")), folder);
    let output = command.args(args).output().await.unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn events(folder: &Path) -> usize {
    let run = runs(folder, &["events", "--json", "--limit", "1000"]).await;
    serde_json::from_str::<Value>(&run.stdout).unwrap().as_array().unwrap().len()
}

#[tokio::test]
async fn a_backup_beside_a_server_holds_everything_but_the_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let (stage, program) = served(20).await;
    let folder = stage.folder.path();
    let run = runs(folder, &["db", "backup", "copy.db"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("copy.db holds all of data/nuncio.db: "), "{}", run.stdout);
    assert!(run.stderr.contains("The key (nuncio.key) is not in it."), "{}", run.stderr);
    let copy = folder.join("copy.db");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let key = std::fs::read_to_string(folder.join("nuncio.key")).unwrap();
    let bytes = std::fs::read(&copy).unwrap();
    assert!(!bytes.windows(key.trim().len()).any(|window| window == key.trim().as_bytes()));
    // Nothing that is there is written over.
    let again = runs(folder, &["db", "backup", "copy.db"]).await;
    assert!(again.code != 0 && again.stderr.contains("copy.db"), "{}", again.stderr);
    assert_eq!(std::fs::read(&copy).unwrap(), bytes);
    // It is a database of its own: with the key beside it, everything is there and verifies.
    let other = tempfile::tempdir().unwrap();
    std::fs::create_dir(other.path().join("data")).unwrap();
    std::fs::copy(copy, other.path().join("data/nuncio.db")).unwrap();
    for file in [".env", "nuncio.key"] {
        std::fs::copy(folder.join(file), other.path().join(file)).unwrap();
    }
    assert_eq!(events(other.path()).await, 20);
    let check = runs(other.path(), &["db", "check"]).await;
    assert!(
        check.code == 0 && check.stdout.starts_with("database   ok\naudit log  ok, "),
        "{}",
        check.stdout
    );
    assert!(program.terminate().await.success());
}

#[tokio::test]
async fn a_backup_is_put_back_once_no_server_runs_and_the_old_file_is_kept() {
    let (stage, program) = served(5).await;
    let folder = stage.folder.path();
    assert_eq!(runs(folder, &["db", "backup", "copy.db"]).await.code, 0);
    assert_eq!(send(&program.platform(), 5).await, Some(200));
    stage.arrived(6).await;
    let refused = runs(folder, &["db", "restore", "copy.db"]).await;
    assert_eq!(refused.code, 78, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("another nuncio") && refused.stderr.contains("stop it first"),
        "{}",
        refused.stderr
    );
    assert!(program.terminate().await.success());
    assert_eq!(events(folder).await, 6);
    let run = runs(folder, &["db", "restore", "copy.db"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("Restored data/nuncio.db from copy.db."), "{}", run.stdout);
    assert_eq!(events(folder).await, 5);
    let kept = run.stdout.lines().nth(1).unwrap();
    let kept = kept.strip_prefix("The database from before is kept as ").unwrap().trim_end_matches('.');
    std::fs::rename(kept, folder.join("data/nuncio.db")).unwrap();
    assert_eq!(events(folder).await, 6, "the old file is whole");
    assert!(!folder.join("data/nuncio.db.restoring").exists());
    // It serves on from the backup.
    let _ = std::fs::remove_file(folder.join("data/nuncio.db-wal"));
    assert_eq!(runs(folder, &["db", "restore", "copy.db"]).await.code, 0);
    let program = stage.start().await;
    assert_eq!(send(&program.platform(), 9).await, Some(200));
    stage.arrived(7).await;
    assert!(program.terminate().await.success());
}

#[tokio::test]
async fn what_is_no_sound_database_of_ours_is_not_put_back() {
    let (stage, program) = served(3).await;
    let folder = stage.folder.path();
    assert_eq!(runs(folder, &["db", "backup", "copy.db"]).await.code, 0);
    assert!(program.terminate().await.success());
    std::fs::write(
        folder.join("text.db"),
        "not a database, but a text that is long enough to be read as one",
    )
    .unwrap();
    let mut bytes = std::fs::read(folder.join("copy.db")).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0x5a);
    std::fs::write(folder.join("damaged.db"), bytes).unwrap();
    for file in ["text.db", "damaged.db", "absent.db"] {
        let run = runs(folder, &["db", "restore", file]).await;
        assert_ne!(run.code, 0, "{file}: {}", run.stdout);
        assert!(run.stderr.contains(file) || run.stderr.contains("damaged"), "{file}: {}", run.stderr);
        assert_eq!(events(folder).await, 3, "{file}");
    }
    // Its key is another one: it is put back, and what to do is said.
    std::fs::rename(folder.join("nuncio.key"), folder.join("old.key")).unwrap();
    std::fs::write(folder.join("nuncio.key"), format!("{}\n", "7a".repeat(32))).unwrap();
    let run = runs(folder, &["db", "restore", "copy.db"]).await;
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("sealed with another key"), "{}", run.stderr);
    let check = runs(folder, &["db", "check"]).await;
    assert!(check.code == 1 && check.stdout.contains("audit log  WRONG: "), "{}", check.stdout);
    std::fs::rename(folder.join("old.key"), folder.join("nuncio.key")).unwrap();
    assert_eq!(runs(folder, &["db", "check"]).await.code, 0);
}

#[tokio::test]
async fn a_damaged_database_fails_its_check_and_a_missing_one_is_not_made() {
    let (stage, program) = served(3).await;
    let folder = stage.folder.path();
    assert!(program.terminate().await.success());
    // A backup has no log beside it that could hold the sound pages.
    assert_eq!(runs(folder, &["db", "backup", "copy.db"]).await.code, 0);
    let path = folder.join("data/nuncio.db");
    let mut bytes = std::fs::read(folder.join("copy.db")).unwrap();
    for log in ["data/nuncio.db-wal", "data/nuncio.db-shm"] {
        let _ = std::fs::remove_file(folder.join(log));
    }
    let half = bytes.len() / 2;
    bytes[half..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let run = runs(folder, &["db", "check", "--json"]).await;
    assert_eq!(run.code, 1, "{}", run.stdout);
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(found["ok"] == false && !found["database"].as_array().unwrap().is_empty(), "{found}");
    std::fs::remove_file(&path).unwrap();
    for args in [&["db", "backup", "x.db"][..], &["db", "check"], &["db", "export"]] {
        let run = runs(folder, args).await;
        assert!(run.code != 0 && run.stderr.contains("nuncio.db"), "{args:?}: {}", run.stderr);
    }
    assert!(!path.exists() && !folder.join("x.db").exists());
}

#[tokio::test]
async fn an_export_holds_events_deliveries_and_the_log_and_no_secret() {
    let (stage, program) = served(2).await;
    let folder = stage.folder.path();
    let body =
        serde_json::json!({"event_type": "printer.jammed", "data": {"number": 7, "api_key": "canary-1"}});
    assert_eq!(program.platform().send(body).await.unwrap().status, 200);
    stage.arrived(3).await;
    let url = format!("https://discord.com/api/webhooks/1200000000000000001/{}", "canary2-".repeat(9));
    // Discord would say that there is no such webhook.
    stage.discord.faults().next_on("/webhooks/", 1, Fault::status(502));
    let mut add = in_folder(tokio::process::Command::new(env!("CARGO_BIN_EXE_nuncio")), folder);
    add.args(["discord-webhooks", "add", "--name", "Acme", "--type", "SUPPORT", "--scope", "ADMIN"]);
    let mut child =
        add.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), url.as_bytes()).await.unwrap();
    assert!(child.wait().await.unwrap().success());
    let run = runs(folder, &["db", "export"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stdout.contains("canary"), "{}", run.stdout);
    let rows: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |what: &str| rows.iter().filter(|row| row["type"] == what).collect::<Vec<_>>();
    assert_eq!((of("event").len(), of("delivery").len()), (3, 3));
    assert!(of("audit").iter().any(|row| row["action"] == "discord-webhook.add"), "{rows:#?}");
    assert_eq!(of("event")[2]["body"]["data"]["api_key"], "(hidden)");
    assert_eq!(of("event")[0]["body"]["data"]["number"], 0);
    assert_eq!(of("delivery")[0]["event_id"], of("event")[0]["id"]);
    assert!(program.terminate().await.success());
}

#[tokio::test]
async fn a_health_check_tells_who_serves_from_who_does_not() {
    let stage = Stage::set().await;
    let folder = stage.folder.path();
    let usage = runs(folder, &["health"]).await;
    assert!(usage.code == 2 && usage.stderr.contains("--port"), "{}", usage.stderr);
    let program = stage.start().await;
    let address = program.address.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let port = address.rsplit(':').next().unwrap();
    for (args, path) in [(vec!["health"], "ready"), (vec!["health", "--live"], "live")] {
        let run = runs(folder, &[&args[..], &["--port", port]].concat()).await;
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert_eq!(run.stdout, format!("ok: http://{address}/health/{path}\n"));
    }
    // The database is gone: it lives, and is not ready.
    std::fs::rename(folder.join("data/nuncio.db"), folder.join("data/elsewhere.db")).unwrap();
    let run = runs(folder, &["health", "--port", port]).await;
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stderr.contains("nuncio runs, but cannot store"), "{}", run.stderr);
    assert_eq!(runs(folder, &["health", "--live", "--port", port]).await.code, 0);
    drop(program);
    let free = free_port();
    // What else is wrong with the configuration is none of its business.
    let run = Shell::with_dotenv(&format!("WEBHOOK_PORT={free}\nRETENTION_DAYS=x\n")).run(&["health"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains(&format!("no nuncio answers at 127.0.0.1:{free}")), "{}", run.stderr);
}
