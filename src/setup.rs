//! `nuncio setup`: from nothing to a card in the channel. It asks for what is missing, and checks every answer.
//!
//! Each step is a file below this one. First all of them ask ([`Prompt`] answers: a terminal, or the flags alone); a
//! value already in `.env` is checked like an answer and kept. Then the change is shown, and only after the operator
//! agrees, `finish` does everything that leaves a trace: channels, `.env`, the webhook in XTSystems, a
//! test event.
//!
//! The invariant: an operator who stops before that changed nothing.

mod bot;
mod channels;
mod database;
mod draft;
mod final_test;
mod finish;
mod ingress;
mod platform;
mod prompt;
mod roles;
mod server;

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Variables;
use crate::discord::Client;
use crate::model::{Actor, Snowflake};

pub use prompt::{Choices, Prompt, PromptQuestion, SetupStop};

use draft::EnvDraft;
use server::Servers;

/// A shorter secret is not masked in sentences: it would match parts of ordinary words.
const SHORTEST_HIDDEN: usize = 6;

/// The flags of the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder that holds `.env`.
    pub folder: PathBuf,
    /// The base URL of XTSystems.
    pub xtsystems_url: Option<String>,
    /// True to set up without XTSystems.
    pub no_xtsystems: bool,
    /// The guild, by its id or name.
    pub guild: Option<String>,
    /// Keys of the map, each with the id or name of its channel.
    pub channels: Vec<(String, String)>,
    /// The roles of approvers, by id or name.
    pub approver_roles: Vec<String>,
    /// The roles of operators, by id or name.
    pub operator_roles: Vec<String>,
    /// The URL at which XTSystems reaches nuncio.
    pub public_url: Option<String>,
    /// The port to listen on.
    pub port: Option<u16>,
    /// True to replace the secret, even a good one.
    pub new_secret: bool,
    /// True to ask everything, even what is set and right.
    pub again: bool,
    /// True to leave XTSystems' webhooks as they are.
    pub no_register: bool,
    /// True to send no test event.
    pub no_test: bool,
    /// The caller, for the audit log.
    pub actor: Actor,
}

/// The result of a setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupOutcome {
    /// True if everything that was tried worked.
    pub is_well: bool,
    /// True if the operator wants nuncio to serve now.
    pub serves: bool,
    /// True if a nuncio serves already.
    pub is_running: bool,
}

/// What every step needs.
struct Setup<'a> {
    options: &'a Options,
    draft: EnvDraft,
    prompt: &'a mut dyn Prompt,
    clock: &'a Clock,
}

/// What the steps found out, besides the draft.
struct Plan {
    client: Client,
    servers: Servers,
    /// Channels to create, in the order of their placeholder ids.
    new_channels: Vec<NewChannel>,
}

/// A channel to create. Until then a placeholder id is in the map.
struct NewChannel {
    name: String,
    placeholder: Snowflake,
}

/// Asks, shows the change, and makes it. Ctrl-C between two questions cancels `stop`.
///
/// # Errors
/// Why it ended before anything was done.
pub async fn run(
    options: &Options,
    variables: &Variables,
    clock: &Clock,
    prompt: &mut dyn Prompt,
    stop: &CancellationToken,
) -> Result<SetupOutcome, SetupStop> {
    let file = finish::EnvFile::read(&options.folder)?;
    let mut setup = Setup { options, draft: EnvDraft::new(variables, prompt)?, prompt, clock };
    let plan = tokio::select! {
        biased;
        () = stop.cancelled() => Err(SetupStop::Aborted),
        plan = setup.ask() => plan,
    };
    setup.prompt.wait_for(None);
    let plan = plan?;
    if stop.is_cancelled() {
        return Err(SetupStop::Aborted);
    }
    finish::all(&mut setup, &file, plan, stop).await
}

impl Setup<'_> {
    async fn ask(&mut self) -> Result<Plan, SetupStop> {
        platform::ask(self).await?;
        let found = bot::ask(self).await?;
        let mut servers = server::ask(self, found).await?;
        let new_channels = channels::ask(self, &mut servers).await?;
        roles::ask(self, &servers)?;
        ingress::secret(self);
        ingress::ask(self).await?;
        Ok(Plan { client: servers.client.clone(), servers, new_channels })
    }

    fn keep(&mut self, what: &str) {
        self.say(&format!("keep: {what}"));
    }

    fn say(&mut self, text: &str) {
        let text = self.without_secrets(text);
        self.prompt.say(&text);
    }

    fn wrong(&mut self, found: &str, remedy: &str) -> Result<(), SetupStop> {
        let (found, remedy) = (self.without_secrets(found), self.without_secrets(remedy));
        self.prompt.wrong(&found, &remedy)
    }

    /// Masks the secrets: a remote answer may repeat what it was sent.
    fn without_secrets(&self, text: &str) -> String {
        let secrets = [draft::TOKEN, draft::KEY, draft::SECRET, draft::PREVIOUS];
        let secrets = secrets.iter().filter_map(|name| self.draft.value(name));
        let long = secrets.filter(|secret| secret.len() >= SHORTEST_HIDDEN);
        long.fold(text.to_owned(), |text, secret| text.replace(secret, "••••"))
    }
}
