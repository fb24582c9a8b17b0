//! `nuncio serve`, the real program, as a process that can be killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{PATIENCE, nuncio, within};

/// A running `nuncio serve`. Killed when dropped.
pub struct Program {
    child: Child,
    /// Where it takes events.
    pub address: String,
    said: Said,
}

/// Runs a command of nuncio's to its end with `input` on stdin; answers what it printed.
pub async fn run(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    args: &[&str],
    input: &str,
) -> anyhow::Result<String> {
    let mut command = Command::new(nuncio()?);
    command.args(args).env_clear().envs(variables).current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("nuncio {args:?}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever does not read it does not need it.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = within("nuncio to end", PATIENCE, child.wait_with_output()).await??;
    if !output.status.success() {
        bail!("nuncio {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What programs of one stage said that must not go unheard. Clones share it.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<String>>>);

impl Said {
    fn hear(&self, line: &str) {
        let worth = ["panicked", "ERROR", "please report this"];
        if worth.iter().any(|word| line.contains(word)) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        }
    }

    /// The lines that hold `word`.
    pub fn lines(&self, word: &str) -> Vec<String> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().filter(|line| line.contains(word)).cloned().collect()
    }
}

impl Program {
    /// Starts it in `folder` and waits until it says where it takes events.
    pub async fn start(
        folder: &Path,
        variables: &BTreeMap<String, String>,
        said: &Said,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(nuncio()?);
        command.arg("serve").env_clear().envs(variables).current_dir(folder).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("nuncio serve")?;
        let mut lines = BufReader::new(child.stderr.take().context("nuncio has no output")?).lines();
        let mut heard = Vec::new();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                said.hear(&line);
                if let Some((_, address)) = line.split_once("webhooks: POST ") {
                    return Ok(address.trim().to_owned());
                }
                heard.push(line);
            }
            bail!("nuncio ended without being ready: {heard:#?}")
        };
        let address = within("nuncio to be ready", PATIENCE, ready).await??;
        // Somebody must read on, or the program waits for its own log.
        let ears = said.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                ears.hear(&line);
            }
        });
        Ok(Self { child, address, said: said.clone() })
    }

    /// Its process.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("nuncio has ended by itself")
    }

    /// `kill -9`.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("kill -9")
    }

    /// Sends it a signal by name.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.id()?.to_string();
        Command::new("kill").arg(format!("-{name}")).arg(&id).status().await.context("kill")?;
        Ok(())
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(within("nuncio to stop", PATIENCE, self.child.wait()).await??)
    }

    /// SIGTERM, and waits until it has ended.
    pub async fn terminate(mut self) -> anyhow::Result<()> {
        self.signal("TERM").await?;
        let status = self.ended().await?;
        if !status.success() {
            bail!("after SIGTERM nuncio ended with {status}: {:#?}", self.said.lines(""));
        }
        Ok(())
    }
}
