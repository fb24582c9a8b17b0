//! What `nuncio serve` prints at its start when something is wrong: what happened, what nuncio does, what to do.
//!
//! Discord's words are in `broken_discord`, the configuration's in `broken`.

use std::os::unix::fs::PermissionsExt as _;

use super::disk::can_mount;
use super::rig::Rig;
use crate::harness::within;

// Control of both: without `start::explained`, the words are those of the lock file, and name no way out.
#[tokio::test]
async fn a_data_folder_without_write_permission() {
    let mut rig = Rig::set().await;
    rig.belongs_to_nobody();
    let data = rig.path("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o555)).unwrap();
    let (code, said) = rig.cannot_serve().await;
    assert_eq!(code, 78, "{said}");
    for words in [
        "cannot be written by this user (permission denied). nuncio did not start.",
        "Let the user that nuncio runs as write there (chown, chmod u+rwx ",
        "or set NUNCIO_DATABASE_URL to another place",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}

#[tokio::test]
async fn a_read_only_disk() {
    if !can_mount() {
        return;
    }
    let rig = Rig::set().await;
    std::fs::create_dir(rig.path("data")).unwrap();
    let (code, said) = rig.runs_behind("mount -t tmpfs -o size=600m,ro tmpfs data", "serve").await;
    assert_eq!(code, 78, "{said}");
    let data = rig.path("data").canonicalize().unwrap();
    for words in [
        "its disk is mounted read-only".to_owned(),
        "nuncio did not start.".to_owned(),
        format!("mount -o remount,rw {}", data.display()),
    ] {
        assert!(said.contains(&words), "{words:?} is not in {said}");
    }
}

// Control: without the sentence in `platform_probe`, it is red.
#[tokio::test]
async fn xtsystems_that_cannot_be_reached() {
    let mut rig = Rig::set().await;
    rig.set_to("XTSYSTEMS_API_URL", "http://127.0.0.1:9");
    prints(
        &rig,
        &[
            "XTSystems (http://127.0.0.1:9) cannot be reached",
            "Decisions are kept and sent later; nuncio keeps trying",
            "Check XTSYSTEMS_API_URL and whether it runs",
        ],
    )
    .await;
}

#[tokio::test]
async fn xtsystems_that_refuses_the_key() {
    let mut rig = Rig::set().await;
    rig.set_to("XTSYSTEMS_API_KEY", "another-key-0123456789");
    prints(
        &rig,
        &[
            "XTSystems refused XTSYSTEMS_API_KEY (401)",
            "Until then decisions are kept and not sent",
            "Set a key that may do this",
        ],
    )
    .await;
}

// A test does not set this machine's clock: Discord's is set back, so that ours is ahead.
#[tokio::test]
async fn a_clock_that_is_wrong() {
    let rig = Rig::set().await;
    rig.discord.clock().step_wall(-360_000);
    prints(
        &rig,
        &[
            "The clock of this machine is 6 min ahead of Discord's",
            "Mutes and expiry go by Discord's, nothing old is removed until they agree",
            "Let NTP set the clock (`timedatectl set-ntp true`",
        ],
    )
    .await;
}

// Control: with a sentence of doctor's own, it is red.
#[tokio::test]
async fn doctor_and_health_say_the_same_about_the_clock() {
    let mut rig = Rig::set().await;
    rig.discord.clock().step_wall(-360_000);
    let port = rig.serve_on_a_port().await;
    let problems = within("the clock in /health", async {
        loop {
            let url = format!("http://127.0.0.1:{port}/health");
            let health = crate::harness::http().get(url).send().await.unwrap();
            let health: serde_json::Value = health.json().await.unwrap();
            if health["problems"].to_string().contains("The clock of this machine") {
                break health["problems"].as_array().unwrap().clone();
            }
        }
    })
    .await;
    let seen = rig.looks().await;
    let check = seen.check("clock-skewed");
    let sentence = format!("{} {}", check["found"].as_str().unwrap(), check["remedy"].as_str().unwrap());
    let sentence = sentence.trim_end_matches('.');
    assert!(problems.iter().any(|problem| problem == sentence), "{sentence:?} is not in {problems:#?}");
    rig.ends_serving().await;
}

async fn prints(rig: &Rig, words: &[&str]) {
    let printed = rig.starts(words).await;
    for word in words {
        assert!(printed.contains(word), "{word:?} is not in {printed}");
    }
}
