//! A person at a shell, beside the running nuncio: the built program with the same configuration.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Harness, NO_CERTIFICATES, within};

/// What a command came to.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Harness {
    /// Runs `nuncio ARGS…` to its end.
    pub async fn runs(&self, args: &[&str]) -> Ran {
        self.runs_with(args, "").await
    }

    /// The same with `input` on stdin.
    pub async fn runs_with(&self, args: &[&str], input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nuncio"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs([NO_CERTIFICATES])
            .envs(&self.variables);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        // A program that ends without reading closes the pipe; that is its right.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = within(&format!("nuncio {args:?}"), child.wait_with_output()).await.unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
