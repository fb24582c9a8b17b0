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

// Control: with LITTLE_ROOM at 0, neither of the first two is named; with NO_ROOM at 0, the second is a warning.
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

// Control: with `is_read_only` always false, it is named as a matter of rights.
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

// The kernel's list of mounts has a line more. Controls: with `network` left out, the first is not named; with any line of the
// list taken for the data's, the near miss is.
#[tokio::test]
async fn data_on_a_network_file_system() {
    if !can_mount() {
        return;
    }
    let mut rig = Rig::set().await;
    std::fs::create_dir(rig.path("data")).unwrap();
    let folder = rig.path("").canonicalize().unwrap();
    let listed = |place: &str, kind: &str| {
        let line = format!("99 1 0:99 / {place} rw,relatime - {kind} filer:/nuncio rw");
        // The process stays the same when the shell becomes nuncio.
        format!(
            "{{ cat /proc/self/mountinfo; echo '{line}'; }} > mountinfo && mount --bind mountinfo /proc/$$/mountinfo"
        )
    };
    let on_network = listed(folder.to_str().unwrap(), "nfs4");
    let seen = rig.looks_behind(&on_network).await;
    assert_eq!((seen.code, &*seen.wrong), (0, &["network-file-system".to_owned()][..]), "{}", seen.text);
    assert!(seen.text.contains("(nfs4, mounted at "), "{}", seen.text);
    // Near misses: a local disk there, and a share elsewhere.
    for near in [listed(folder.to_str().unwrap(), "ext4"), listed("/srv/share", "nfs4")] {
        assert_eq!(rig.looks_behind(&near).await.wrong, NOTHING);
    }
    // What it says, carried out: the database is on a disk of this machine.
    let local = tempfile::tempdir().unwrap();
    rig.set_to("NUNCIO_DATABASE_URL", &format!("sqlite://{}/nuncio.db", local.path().display()));
    assert_eq!(rig.looks_behind(&on_network).await.wrong, NOTHING);
}

// Controls: with the mode of the key, or of the database, not looked at, neither is named.
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

// Controls: with `is_opened_by` always true the key is not named; with `Foreign` not looked for, a database of somebody else
// is sound.
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
    rig.changes_database("DROP TABLE _sqlx_migrations").await;
    rig.finds(1, &["database-unusable"]).await;
    let (code, said) = rig.cannot_serve().await;
    assert!(code == 78 && said.contains("NUNCIO_DATABASE_URL"), "{said}");
    rig.set_to("NUNCIO_DATABASE_URL", "sqlite://data/other.db");
    rig.finds(0, &NOTHING).await;
}

// Control: with the owner not looked at, nothing is named.
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
