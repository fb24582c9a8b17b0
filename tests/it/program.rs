//! The built `nuncio`, run in a directory and an environment of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot run its program has failed")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A working directory, with a `.env` or without.
pub struct Program {
    dir: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run came to.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// `nuncio serve`, running. Killed when dropped.
pub struct Serving {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Serving {
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// An empty directory and an empty environment.
    pub fn bare() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// A directory with this `.env`, readable by its owner only.
    pub fn with_dotenv(text: &str) -> Self {
        let program = Self::bare();
        let path = program.path().join(".env");
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        program
    }

    /// The same with a variable in the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The working directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs to its end with nothing on stdin.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Run {
        self.run_with(args, b"")
    }

    /// Runs to its end with `input` on stdin.
    pub fn run_with<A: AsRef<OsStr>>(&self, args: &[A], input: &[u8]) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nuncio"))
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that ends without reading closes the pipe; that is its right.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Serves, and says where.
    pub fn serves(&self) -> Serving {
        self.serves_as(Command::new(env!("CARGO_BIN_EXE_nuncio")))
    }

    /// The same where the system lets a process have only so many open files.
    pub fn serves_with_files(&self, files: u32) -> Serving {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("ulimit -n {files} && exec \"$0\""), env!("CARGO_BIN_EXE_nuncio")]);
        self.serves_as(shell)
    }

    fn serves_as(&self, mut command: Command) -> Serving {
        let mut child = command
            .current_dir(self.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let address = lines.find_map(|line| {
            let rest = line.split_once("POST http://")?.1;
            Some(rest.split('/').next()?.to_owned())
        });
        // What it says afterwards is read, so that it can go on saying it.
        std::thread::spawn(move || lines.for_each(drop));
        Serving { child, address: address.unwrap() }
    }
}
