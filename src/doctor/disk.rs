//! The disk below the data: its user, its file system, whether it is writable at all, how much data is kept on it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::config::Config;
use crate::doctor::Check;
use crate::doctor::code::Code;
use crate::store::Survey;

/// File systems on another machine, or behind a program that forwards them (FUSE). SQLite: "Use of WAL without shared
/// memory", "How To Corrupt", 2.1.
const NETWORK: [&str; 21] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse.ceph-fuse",
    "fuse.davfs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
    "vboxsf",
];
const MIB: u64 = 1024 * 1024;
const DAY: u64 = 86_400;

/// The user of this process. Root can do everything, so its checks prove nothing about the user who owns the data.
pub(super) fn user(database: &Path) -> Check {
    let me = geteuid().as_raw();
    let owner = database.ancestors().find_map(|path| fs::metadata(path).ok()).map(|found| found.uid());
    match owner {
        Some(owner) if me == 0 && owner != 0 => Check::warn(
            Code::UserIsRoot,
            format!(
                "This runs as root, and the data belongs to {}: what that user may not read or write is not seen here.",
                name_of(owner)
            ),
            format!("Run it as that user: sudo -u '#{owner}' nuncio doctor"),
        ),
        _ => Check::ok(Code::User, format!("This runs as {}.", name_of(me))),
    }
}

/// `nuncio (998)`, or `user 998` if the name is unknown.
fn name_of(id: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| format!("{name} ({id})"))
    });
    named.unwrap_or_else(|| format!("user {id}"))
}

/// A read-only disk: no user can write to it, whatever their rights.
pub(super) fn read_only(data: &Path, at: &Path) -> Check {
    let mount = mounted_at(at).map(|mount| mount.point).unwrap_or_else(|| at.to_owned());
    Check::fail(
        Code::DataFolderReadOnly,
        format!(
            "The database belongs in {}, but its disk is mounted read-only ({}).",
            data.display(),
            mount.display()
        ),
        format!(
            "Mount it for writing: mount -o remount,rw {}. If the system made it read-only by itself, look for errors of the \
             disk first: dmesg. In a container, take `:ro` off the volume.",
            mount.display()
        ),
    )
}

/// A file system on which SQLite's write-ahead log does not work, if the data is on one.
pub(super) fn network(data: &Path) -> Option<Check> {
    let mount = mounted_at(data).filter(|mount| NETWORK.contains(&mount.kind.as_str()))?;
    Some(Check::warn(
        Code::NetworkFileSystem,
        format!(
            "The data folder {} lies on a network file system ({}, mounted at {}): SQLite's locks and its log are not safe \
             there, and the database can be damaged.",
            data.display(),
            mount.kind,
            mount.point.display()
        ),
        "Set NUNCIO_DATABASE_URL to a disk of this machine, and copy backups to the network: nuncio db backup FILE",
    ))
}

/// The retention period, and how much is stored.
pub(super) fn retention(config: &Config, survey: &Survey) -> Check {
    let days = config.retention.as_secs() / DAY;
    let events = survey.events;
    let oldest =
        survey.oldest_event.map(|at| format!(", the oldest from {}", at.to_rfc3339())).unwrap_or_default();
    let noun = if events == 1 { "event" } else { "events" };
    let size = match survey.bytes {
        bytes @ ..10_485_760 => format!("{} KiB", bytes / 1024),
        bytes => format!("{} MiB", bytes / MIB),
    };
    Check::ok(
        Code::Retention,
        format!(
            "Finished events are kept for {days} days (RETENTION_DAYS). The database has {size}: {events} {noun}{oldest}."
        ),
    )
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    kind: String,
}

/// The mount of `path`, or of the part of it that exists.
fn mounted_at(path: &Path) -> Option<Mount> {
    let there = path.ancestors().find_map(|path| path.canonicalize().ok())?;
    mount_of(&fs::read_to_string("/proc/self/mountinfo").ok()?, &there)
}

/// The mount of `path` among `mounts` (Linux: proc(5), `/proc/pid/mountinfo`). Of two mounts at one place the later one
/// is visible.
fn mount_of(mounts: &str, path: &Path) -> Option<Mount> {
    let mounts = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point =
            before.split(' ').nth(4)?.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
        Some(Mount { point: PathBuf::from(point), kind: after.split(' ').next()?.to_owned() })
    });
    mounts.filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| mount.point.components().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:40 / /srv/nuncio rw,relatime shared:7 master:2 - nfs4 filer:/nuncio rw,vers=4.2
31 30 254:1 / /srv/nuncio/data rw - ext4 /dev/vdb rw
32 27 0:41 / /mnt/a\\040share rw - fuse.sshfs user@host:/ rw
33 27 0:42 / /media rw - vfat /dev/sdb1 rw
34 27 0:43 / /media rw - cifs //filer/media rw
";

    // Controls: with the first mount instead of the longest, of two at one place the first instead of the last, the mount's
    // source instead of its type, or without the escape of a blank, this fails.
    #[rstest::rstest]
    #[case("/srv/nuncio", Some("nfs4"))]
    #[case("/srv/nuncio/logs", Some("nfs4"))]
    #[case("/mnt/a share/data", Some("fuse.sshfs"))]
    #[case("/media/data", Some("cifs"))]
    // Near misses: a disk of its own below a share, a name that only begins like one.
    #[case("/srv/nuncio/data", None)]
    #[case("/srv/nuncio-2", None)]
    #[case("/var/lib/nuncio", None)]
    fn a_folder_lies_on_the_nearest_mount_above_it(#[case] path: &str, #[case] network: Option<&str>) {
        let mount = mount_of(MOUNTS, Path::new(path)).unwrap();
        assert_eq!(Some(mount.kind.as_str()).filter(|kind| NETWORK.contains(kind)), network);
    }
}
