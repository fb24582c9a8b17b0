//! Where the data lies: a disk that is nearly full or read-only, files that others may read, another user's data.
//!
//! A disk of its own takes root and the right to mount. Where that is not allowed, those tests say so and pass.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};

use super::rig::{NOTHING, Rig};

const NOBODY: u32 = 65534;

pub fn can_mount() -> bool {
    let tried =
        std::process::Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped: a disk of its own takes root and the right to mount");
    }
    can
}

fn set_mode(rig: &Rig, name: &str, mode: u32) {
    std::fs::set_permissions(rig.path(name), Permissions::from_mode(mode)).unwrap();
}

// Controls: without LITTLE_ROOM, or without NO_ROOM, this fails.
#[tokio::test]
async fn a_disk_that_is_nearly_full() {
    if !can_mount() {
        return;
    }
    let rig = Rig::set().await;
    std::fs::create_dir(rig.path("data")).unwrap();
    for (size, code, wrong) in
        [("300m", 0, vec!["disk-nearly-full"]), ("20m", 1, vec!["disk-nearly-full"]), ("600m", 0, vec![])]
    {
        let seen = rig.looks_behind(&format!("mount -t tmpfs -o size={size} tmpfs data")).await;
        assert_eq!(
            (seen.code, seen.wrong),
            (code, wrong.iter().map(|code| (*code).to_owned()).collect()),
            "{}",
            seen.text
        );
    }
}

// Control: without the look at `is_read_only` this fails.
#[tokio::test]
async fn a_disk_that_is_read_only_is_told_apart_from_missing_rights() {
    if !can_mount() {
        return;
    }
    let rig = Rig::set().await;
    std::fs::create_dir(rig.path("data")).unwrap();
    let seen = rig.looks_behind("mount -t tmpfs -o size=600m,ro tmpfs data").await;
    assert_eq!(seen.wrong, ["data-folder-read-only"], "{}", seen.text);
    let data = rig.path("data");
    assert!(seen.text.contains(&format!("mount -o remount,rw {}", data.display())), "{}", seen.text);
    // What it says, carried out to the letter.
    let remedy =
        format!("mount -t tmpfs -o size=600m,ro tmpfs data && mount -o remount,rw {}", data.display());
    assert_eq!(rig.looks_behind(&remedy).await.wrong, NOTHING);
}

// Controls: without the look at the mode of the key, or of the database, this fails.
#[tokio::test]
async fn files_that_other_users_may_read() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.ends_serving().await;
    rig.finds(0, &NOTHING).await;
    set_mode(&rig, "nuncio.key", 0o640);
    rig.finds(0, &["key-file-open"]).await;
    set_mode(&rig, "nuncio.key", 0o600);
    set_mode(&rig, "data/nuncio.db", 0o604);
    rig.finds(0, &["database-open"]).await;
    // Near miss: its owner alone, though without a right that is not needed.
    set_mode(&rig, "data/nuncio.db", 0o600);
    set_mode(&rig, "nuncio.key", 0o400);
    rig.finds(0, &NOTHING).await;
}

// Controls: without `is_opened_by`, or without `Foreign`, this fails.
#[tokio::test]
async fn a_database_that_is_not_ours_or_does_not_go_with_the_key() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.ends_serving().await;
    let key = std::fs::read(rig.path("nuncio.key")).unwrap();
    std::fs::write(rig.path("nuncio.key"), "5e".repeat(32)).unwrap();
    rig.finds(1, &["key-does-not-fit"]).await;
    // At the start, too.
    let (code, said) = rig.cannot_serve().await;
    assert!(code == 78 && said.contains("key"), "{said}");
    std::fs::write(rig.path("nuncio.key"), &key).unwrap();
    rig.finds(0, &NOTHING).await;
    rig.changes_database("DROP TABLE schema_migrations").await;
    rig.finds(1, &["database-unusable"]).await;
    let (code, said) = rig.cannot_serve().await;
    assert!(code == 78 && said.contains("NUNCIO_DATABASE_URL"), "{said}");
    rig.set_to("NUNCIO_DATABASE_URL", "sqlite://data/other.db");
    rig.finds(0, &NOTHING).await;
}

// Control: without the look at the owner this fails.
#[tokio::test]
async fn root_is_told_that_the_data_is_another_users() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: it takes root");
        return;
    }
    let rig = Rig::set().await;
    std::fs::create_dir(rig.path("data")).unwrap();
    rig.finds(0, &NOTHING).await;
    chown(rig.path("data"), Some(NOBODY), Some(NOBODY)).unwrap();
    let seen = rig.finds(0, &["user-is-root"]).await;
    assert!(seen.text.contains("nobody (65534)"), "{}", seen.text);
}

// The kernel's list of mounts is covered by one that says so: there is no other machine for a test. Control: without
// `network` this fails.
#[tokio::test]
async fn a_data_folder_on_a_network_file_system() {
    if !can_mount() {
        return;
    }
    let rig = Rig::set().await;
    std::fs::create_dir(rig.path("data")).unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let data = rig.path("data").canonicalize().unwrap();
    for (kind, wrong) in [("nfs4", vec!["network-file-system"]), ("xfs", vec![])] {
        let line = format!("999 1 0:99 / {} rw - {kind} filer:/nuncio rw\n", data.display());
        std::fs::write(rig.path("mounts"), format!("{mounts}{line}")).unwrap();
        let seen = rig.looks_behind("mount --bind mounts /proc/$$/mountinfo").await;
        assert_eq!(seen.wrong, wrong, "{}", seen.text);
    }
}

// A row whose parent is gone is damage, though SQLite reads every page. Control: without the look at `faults` this fails.
#[tokio::test]
async fn a_database_with_rows_that_lead_nowhere_is_damaged() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    assert_eq!(rig.sends_a_ticket().await, 200);
    rig.ends_serving().await;
    rig.finds(0, &NOTHING).await;
    rig.changes_database("PRAGMA foreign_keys = OFF; DELETE FROM destinations").await;
    let seen = rig.finds(1, &["database-damaged"]).await;
    assert!(seen.text.contains("names a row of destinations that is not there"), "{}", seen.text);
}
