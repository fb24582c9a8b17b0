//! A person at a shell, beside the running nuncio: the built program with the same configuration.

use std::process::Stdio;

use tokio::process::Command;

use super::{Harness, within};

/// What a command came to.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Harness {
    /// Runs `nuncio ARGS…` to its end.
    pub async fn runs(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nuncio"));
        command.args(args).current_dir(self.folder.path()).env_clear().envs(&self.variables);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = within(&format!("nuncio {args:?}"), output).await.unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
