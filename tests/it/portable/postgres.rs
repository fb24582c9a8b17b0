//! A PostgreSQL of the test's own: in a temporary folder, reachable through a socket there only, gone at the end.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A running server. It is stopped when this is dropped, after a failed test as well.
pub struct Postgres {
    programs: PathBuf,
    /// Holds the data, the log and the socket.
    folder: TempDir,
    /// Who runs it: PostgreSQL refuses root.
    account: Option<(u32, u32)>,
}

impl Postgres {
    /// Starts the newest PostgreSQL that is installed; `None` if there is none.
    pub fn start() -> Option<Self> {
        let programs = programs()?;
        let account = rustix::process::geteuid().is_root().then(unprivileged);
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        if let Some((user, group)) = account {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let server = Self { programs, folder, account };
        let data = server.data();
        server.run(
            server.program("initdb").arg("-D").arg(&data).args([
                "-U",
                "nuncio",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ]),
            "initdb",
        );
        let folder = server.folder.path().to_str().unwrap();
        let options = format!("-k '{folder}' -c listen_addresses='' -c fsync=off -c max_connections=5");
        let log = server.folder.path().join("log");
        server.run(
            server
                .program("pg_ctl")
                .arg("start")
                .arg("-w")
                .arg("-D")
                .arg(&data)
                .arg("-l")
                .arg(&log)
                .args(["-o", &options]),
            "pg_ctl start",
        );
        Some(server)
    }

    /// The folder with its socket.
    pub fn socket(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Runs a script. Returns what it printed.
    pub fn psql(&self, script: &str, stops_at_errors: bool) -> String {
        let mut psql = self.program("psql");
        psql.args(["-X", "-A", "-t", "-q", "-U", "nuncio", "-d", "postgres", "-h"]).arg(self.folder.path());
        psql.args(["-v", if stops_at_errors { "ON_ERROR_STOP=1" } else { "ON_ERROR_STOP=0" }]);
        // From a file, so that nobody waits for a pipe that is full.
        let mut file = tempfile::tempfile_in(self.folder.path()).unwrap();
        file.write_all(script.as_bytes()).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let output = psql.stdin(file).output().unwrap();
        if stops_at_errors {
            succeeded("psql", &output);
        }
        String::from_utf8(output.stdout).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        // Nothing of the caller's own PostgreSQL: PGHOST, PGDATA, PGOPTIONS.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs a program that may leave a server behind: it must not hold a pipe of ours.
    fn run(&self, command: &mut Command, what: &str) {
        let said = self.folder.path().join("said");
        let file = || fs::File::options().create(true).append(true).open(&said).unwrap();
        let status = command.stdout(file()).stderr(file()).status().unwrap();
        assert!(status.success(), "{what}: {}", fs::read_to_string(&said).unwrap());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "-w", "-m", "immediate", "-D"]).arg(self.data());
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn succeeded(what: &str, output: &Output) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Where the newest PostgreSQL is: in Debian's folder, or in the search path.
fn programs() -> Option<PathBuf> {
    let is_whole =
        |folder: &PathBuf| ["initdb", "pg_ctl", "psql"].iter().all(|name| folder.join(name).is_file());
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = debian.filter(|folder| is_whole(&folder.join("bin"))).max_by_key(version);
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.map(|folder| folder.join("bin")).or_else(|| std::env::split_paths(&path).find(is_whole))
}

/// An account that is not root: `postgres`, else `nobody`.
fn unprivileged() -> (u32, u32) {
    let accounts = fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let ids = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().ok());
        Some((fields.next()??, fields.next()??))
    };
    ids("postgres").or_else(|| ids("nobody")).unwrap()
}
