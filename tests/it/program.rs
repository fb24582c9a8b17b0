//! The built `nuncio`, run in a directory and an environment of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot run its program has failed")]

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::NO_CERTIFICATES;

/// A working directory, with a `.env` or without.
pub struct Program {
    dir: TempDir,
    environment: Vec<(String, OsString)>,
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
    lines: Receiver<String>,
    /// Where it listens.
    pub address: String,
    /// What it said before that.
    pub said: Vec<String>,
}

impl Serving {
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// Waits until it writes a line with `part` in it, and gives the line back.
    pub fn logs(&self, part: &str) -> String {
        let next = || self.lines.recv_timeout(Duration::from_secs(60));
        std::iter::from_fn(|| Some(next().unwrap_or_else(|_| panic!("never said: {part}"))))
            .find(|line| line.contains(part))
            .unwrap()
    }

    /// Waits for its end: the exit code, `None` if a signal killed it.
    pub fn ends(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
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
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
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
            .envs([NO_CERTIFICATES])
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

    /// The same as another user than root, where this test is run by root.
    pub fn serves_as_nobody(&self) -> Serving {
        const NOBODY: u32 = 65534;
        if !rustix::process::geteuid().is_root() {
            return self.serves();
        }
        // The build's folder may be closed to others.
        let program = self.path().join("nuncio");
        std::fs::copy(env!("CARGO_BIN_EXE_nuncio"), &program).unwrap();
        for path in [self.path().to_owned(), self.path().join(".env")] {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut command = Command::new(program);
        std::os::unix::process::CommandExt::uid(&mut command, NOBODY);
        std::os::unix::process::CommandExt::gid(&mut command, NOBODY);
        self.serves_as(command)
    }

    /// Runs to its end with its output into `file`, a device that refuses it for instance. The exit code, and what it
    /// wrote to stderr.
    pub fn run_into<A: AsRef<OsStr>>(&self, file: &str, args: &[A], input: &[u8]) -> (i32, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nuncio"))
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .envs([NO_CERTIFICATES])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(std::fs::File::options().write(true).open(file).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn serves_as(&self, mut command: Command) -> Serving {
        command
            .current_dir(self.path())
            .env_clear()
            .envs([NO_CERTIFICATES])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = loop {
            match command.spawn() {
                // A script that was just written: another test's child still holds its file until it executes.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::yield_now()
                }
                spawned => break spawned.unwrap(),
            }
        };
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut said = Vec::new();
        let address = lines.find_map(|line| {
            said.push(line);
            let line = said.last()?;
            // Without XTSystems there is no door for webhooks.
            let rest = line.split_once("POST http://").or_else(|| line.split_once("API: http://"))?.1;
            Some(rest.split('/').next()?.to_owned())
        });
        // What it says afterwards is read, so that it can go on saying it.
        let (heard, hears) = std::sync::mpsc::channel();
        std::thread::spawn(move || lines.for_each(|line| drop(heard.send(line))));
        let address = address.unwrap_or_else(|| panic!("it did not start: {said:#?}"));
        Serving { child, lines: hears, address, said }
    }
}
