//! `nuncio doctor --fix`: it does what it says and no more, and says each thing.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};

use nuncio::secret::Secret;
use serde_json::Value;

use super::rig::{NOTHING, Rig};
use crate::harness::free_port;

const FIX: &[&str] = &["--fix"];
const NOBODY: u32 = 65534;

fn set_mode(rig: &Rig, name: &str, mode: u32) {
    std::fs::set_permissions(rig.path(name), Permissions::from_mode(mode)).unwrap();
}

fn mode(rig: &Rig, name: &str) -> u32 {
    std::fs::metadata(rig.path(name)).unwrap().permissions().mode() & 0o777
}

/// What it says it did: the code of each, and whether it was done.
fn fixed(text: &str) -> Vec<(String, bool)> {
    let said: Value = serde_json::from_str(text).unwrap();
    let fixed = said["fixed"].as_array().unwrap().iter();
    fixed.map(|one| (one["code"].as_str().unwrap().to_owned(), one["done"].as_bool().unwrap())).collect()
}

fn done(codes: &[&str]) -> Vec<(String, bool)> {
    codes.iter().map(|code| ((*code).to_owned(), true)).collect()
}

// Controls: with --fix always on, without the second examination, or with a right given that was not there, this fails.
#[tokio::test]
async fn modes_are_put_right_and_said_and_without_fix_nothing_is() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.ends_serving().await;
    rig.folds_the_log_in().await;
    rig.mode = 0o644;
    for name in ["nuncio.key", "data/nuncio.db"] {
        set_mode(&rig, name, 0o664);
    }
    let wrong = ["env-file-open", "key-file-open", "database-open"];
    let files = rig.files();
    rig.finds(0, &wrong).await;
    assert_eq!(
        (mode(&rig, "nuncio.key"), mode(&rig, "data/nuncio.db"), rig.files()),
        (0o664, 0o664, files.clone())
    );
    let seen = rig.finds_with(FIX, 0, &NOTHING).await;
    assert_eq!(fixed(&seen.text), done(&wrong));
    assert!(
        seen.text.contains("Changed the mode of") && seen.text.contains("from 664 to 600"),
        "{}",
        seen.text
    );
    assert_eq!([".env", "nuncio.key", "data/nuncio.db"].map(|name| mode(&rig, name)), [0o600; 3]);
    assert_eq!(rig.files(), files);
    // A second time there is nothing to do, and a person reads so.
    rig.mode = 0o600;
    let (code, text) = rig.runs(&["doctor", "--fix"]).await;
    assert!(code == 0 && text.contains("fixed\n  nothing") && text.ends_with("All is well.\n"), "{text}");
}

// Controls: without the look at the owner, without `give_back`, or without that at folders alone, this fails.
#[tokio::test]
async fn what_belongs_to_another_user_is_left_alone_and_what_is_ours_opened() {
    let mut rig = Rig::set().await;
    std::fs::write(rig.path("nuncio.key"), "5e".repeat(32)).unwrap();
    set_mode(&rig, "nuncio.key", 0o644);
    if rustix::process::geteuid().is_root() {
        chown(rig.path("nuncio.key"), Some(NOBODY), Some(NOBODY)).unwrap();
        let seen = rig.finds_with(FIX, 0, &["key-file-open"]).await;
        assert_eq!(fixed(&seen.text), [("key-file-open".to_owned(), false)]);
        assert_eq!(mode(&rig, "nuncio.key"), 0o644);
    }
    std::fs::remove_file(rig.path("nuncio.key")).unwrap();
    rig.belongs_to_nobody();
    for name in ["closed", "logs"] {
        std::fs::create_dir(rig.path(name)).unwrap();
        if rustix::process::geteuid().is_root() {
            chown(rig.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        set_mode(&rig, name, 0o555);
    }
    rig.set_to("NUNCIO_DATABASE_URL", "sqlite://closed/data/nuncio.db");
    rig.finds(1, &["data-folder-unwritable", "log-folder-unwritable"]).await;
    let seen = rig.finds_with(FIX, 0, &NOTHING).await;
    assert_eq!(fixed(&seen.text), done(&["data-folder-unwritable", "log-folder-unwritable"]));
    // What is no folder is not made one, nor opened like one.
    rig.set_to("LOG_DIR", ".env");
    let seen = rig.finds_with(FIX, 0, &["log-folder-unwritable"]).await;
    assert_eq!((fixed(&seen.text), mode(&rig, ".env")), (Vec::new(), 0o600));
}

// Controls: without `is_door_broken`, or without `is_untried`, this fails.
#[tokio::test]
async fn a_registration_is_made_only_where_events_arrive_here() {
    let mut rig = Rig::unregistered().await;
    let port = free_port();
    rig.set_to("WEBHOOK_PORT", &port.to_string());
    rig.set_to("PUBLIC_URL", &rig.discord_address());
    let seen = rig.finds_with(FIX, 1, &["xtsystems-not-registered", "public-url-elsewhere"]).await;
    assert_eq!(fixed(&seen.text), [("xtsystems-not-registered".to_owned(), false)]);
    rig.platform.add_webhook("Discord Bot Integration", "http://127.0.0.1:8/old", Secret::new("x"));
    rig.set_to("WEBHOOK_PORT", "0");
    let seen = rig.finds_with(FIX, 0, &["xtsystems-registered-elsewhere"]).await;
    assert_eq!(fixed(&seen.text), [("xtsystems-registered-elsewhere".to_owned(), false)]);
    assert!(rig.platform.recorded_requests().is_empty());
    rig.set_to("WEBHOOK_PORT", &port.to_string());
    rig.set_to("PUBLIC_URL", &format!("http://127.0.0.1:{port}"));
    let seen = rig.finds_with(FIX, 0, &NOTHING).await;
    assert_eq!(fixed(&seen.text), done(&["xtsystems-registered-elsewhere"]));
    // The way back is said.
    assert!(
        seen.text.contains("It sent to http://127.0.0.1:8/old before; to go back: nuncio webhooks update"),
        "{}",
        seen.text
    );
    assert_eq!(rig.platform.recorded_requests().len(), 1);
    let (_, audit) = rig.runs(&["audit"]).await;
    assert!(audit.contains("register-webhook"), "{audit}");
}

// Control: with the database alone closed this fails.
#[tokio::test]
async fn the_log_and_the_index_of_a_database_are_closed_with_it() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    let files = ["data/nuncio.db", "data/nuncio.db-wal", "data/nuncio.db-shm"];
    for name in files {
        set_mode(&rig, name, 0o644);
    }
    let seen = rig.finds_with(FIX, 0, &NOTHING).await;
    assert_eq!(fixed(&seen.text), done(&["database-open"; 3]));
    assert_eq!(files.map(|name| mode(&rig, name)), [0o600; 3]);
}

// Controls: without the check, or without its repair, this fails.
#[tokio::test]
async fn a_database_that_its_owner_may_not_write_is_given_back() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    rig.ends_serving().await;
    rig.folds_the_log_in().await;
    rig.belongs_to_nobody_with_everything();
    rig.finds(0, &NOTHING).await;
    set_mode(&rig, "data/nuncio.db", 0o400);
    rig.finds(1, &["database-unusable"]).await;
    let seen = rig.finds_with(FIX, 0, &NOTHING).await;
    assert_eq!(fixed(&seen.text), done(&["database-unusable"]));
    assert_eq!(mode(&rig, "data/nuncio.db"), 0o600);
}

// XTSystems is reached through a proxy here, and so it is on no address of this machine. Control: without the look at
// `XtsystemsOutOfReach` this fails.
#[tokio::test]
async fn a_platform_elsewhere_is_given_no_address_that_it_cannot_reach() {
    let mut rig = Rig::unregistered().await;
    rig.environment.push(("http_proxy".to_owned(), rig.platform_url.clone()));
    rig.set_to("XTSYSTEMS_API_URL", "http://xtsystems.invalid");
    let seen = rig.finds_with(FIX, 1, &["xtsystems-out-of-reach", "xtsystems-not-registered"]).await;
    assert_eq!(fixed(&seen.text), [("xtsystems-not-registered".to_owned(), false)]);
    assert!(seen.text.contains("First fix the port and PUBLIC_URL"), "{}", seen.text);
    assert!(rig.platform.recorded_requests().iter().all(|asked| asked.method != "POST"));
}
