//! `nuncio doctor`: the diagnosis of a setup, before a start or beside a running server.
//!
//! Each group of checks is a file below this one. [`examine`] writes nothing and sends no message; [`repair`] and
//! [`send_tests`] do, and only on request. A remote check has a time limit of ten seconds. Every finding has a stable
//! [`Code`] with a section in `docs/doctor.md`, and no secret enters one.

mod beside;
mod calls;
pub(crate) mod channels;
mod clock;
mod code;
mod commands;
mod configuration;
pub(crate) mod discord;
mod disk;
pub(crate) mod files;
mod fix;
pub(crate) mod ingress;
mod kinds;
mod probe;
mod public;
mod queue;
mod reach;
mod send;
pub(crate) mod test_event;
mod webhooks;
pub(crate) mod xtsystems;

use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, EncryptionKey, Variables};
use crate::key::Key;
use crate::secret::Secret;
use crate::store;

pub use code::{Code, CodeGroup};
pub use files::cannot_keep_data;
pub use fix::{Repair, Repaired, registration_to_repair, repair};
pub use ingress::cannot_listen;
pub use send::send_tests;

/// The time limit of a remote check.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// A shorter secret is not masked in the findings: it would match parts of ordinary words.
const SHORTEST_HIDDEN: usize = 6;
/// Shown in place of a secret.
const HIDDEN: &str = "••••";

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be, or only worth knowing.
    Ok,
    /// nuncio works, but an operator should look at it.
    Warn,
    /// Something does not work.
    Fail,
}

impl State {
    /// `ok`, `warn` or `fail`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One check with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The stable code; monitors may rely on it.
    pub code: Code,
    /// Whether it passed.
    pub state: State,
    /// What was found, with its cause if that is known.
    pub found: String,
    /// What to do; `None` if there is nothing to do.
    pub remedy: Option<String>,
}

impl Check {
    fn ok(code: Code, found: impl Into<String>) -> Self {
        Self { code, state: State::Ok, found: found.into(), remedy: None }
    }

    fn warn(code: Code, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, state: State::Warn, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn fail(code: Code, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, state: State::Fail, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// All checks of a setup.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// Sorted by group.
    pub checks: Vec<Check>,
    /// True if the configuration is refused: then no check that depends on it ran.
    pub is_refused: bool,
}

impl Diagnosis {
    /// The number of checks in `state`.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }
}

/// Runs every check that `variables` allow.
pub async fn examine(variables: &Variables, clock: &Clock) -> Diagnosis {
    let mut checks = files::dotenv(variables);
    let config = match Config::read(variables, store::entrance_of(variables)) {
        Ok(config) => config,
        Err(report) => {
            checks.extend(configuration::refused(&report));
            return Diagnosis { checks, is_refused: true };
        }
    };
    let (on_disk, survey) = files::checks(&config).await;
    let is_served = on_disk.iter().any(|check| check.code == Code::NuncioRunning);
    checks.extend(on_disk);
    checks.extend(configuration::accepted(&config));
    checks.extend(kinds::checks(&config, survey.as_ref()));
    // A running nuncio has a key. If no key was made yet, no other process can have one.
    let key = match files::read_key(&config) {
        Ok(None) if !is_served => Some(Key::random()),
        read => read.ok().flatten(),
    };
    // A task of its own: the local checks have three seconds, and must not wait while others load certificates.
    let ingress = tokio::spawn({
        let (config, clock) = (config.clone(), clock.clone());
        async move { ingress::checks(&config, key.as_ref(), is_served, &clock).await }
    });
    let (discord, xtsystems, clock_checks) = tokio::join!(
        discord::checks(&config, clock),
        xtsystems::checks(&config, clock),
        clock::checks(&config, clock),
    );
    let ingress = ingress.await.unwrap_or_default();
    checks.extend(discord);
    checks.extend(xtsystems);
    checks.extend(ingress.checks);
    checks.extend(clock_checks);
    checks.extend(survey.iter().flat_map(|survey| queue::checks(survey, clock.now())));
    let refusals = ingress.running.and_then(|proof| proof.arrived.refusals).unwrap_or_default();
    checks.extend(queue::refused(&refusals, clock.now()));
    hide(&mut checks, &config);
    Diagnosis { checks, is_refused: false }
}

/// Masks every secret in the findings: a remote answer may repeat what it was sent.
fn hide(checks: &mut [Check], config: &Config) {
    let secrets = [
        config.discord.token.as_ref(),
        config.webhook.secret.as_ref(),
        config.webhook.previous_secret.as_ref(),
        config.xtsystems.api_key.as_ref(),
        config.api_key.as_ref(),
    ];
    let secrets = secrets.into_iter().flatten().map(Secret::expose);
    let secrets: Vec<&str> = secrets.filter(|secret| secret.len() >= SHORTEST_HIDDEN).collect();
    for check in checks {
        for text in [Some(&mut check.found), check.remedy.as_mut()].into_iter().flatten() {
            for secret in &secrets {
                if text.contains(secret) {
                    *text = text.replace(secret, HIDDEN);
                }
            }
        }
    }
}

/// The place of the key, in words.
fn key_place(key: &EncryptionKey) -> String {
    match key {
        EncryptionKey::Given(_) => "NUNCIO_ENCRYPTION_KEY".to_owned(),
        EncryptionKey::File { path, .. } => path.display().to_string(),
    }
}
