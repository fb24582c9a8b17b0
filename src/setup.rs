//! `nuncio setup`: from nothing to a card in the channel, asking for what is missing and checking every answer.
//!
//! Each step is a file below this one. First all of them ask ([`Prompt`] is whoever answers: a terminal, or the flags alone);
//! what stands in `.env` already is checked like an answer and kept. Then the change is shown, and only when it is agreed
//! to, [`finish`](mod@finish) does everything that leaves a trace: channels, `.env`, the webhook in XTSystems, a test event.
//!
//! The invariant: whoever stops before that changed nothing.

mod bot;
mod channels;
mod database;
mod door;
mod draft;
mod finish;
mod platform;
mod prompt;
mod roles;
mod server;
mod trial;

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Variables;
use crate::discord::Client;
use crate::model::{Actor, Snowflake};

pub use prompt::{Choices, Prompt, Question, Stop};

use draft::Draft;
use server::Servers;

/// A shorter secret is not looked for in sentences: it would be found in words.
const SHORTEST_HIDDEN: usize = 6;

/// What was given beforehand: the flags of the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of `.env`.
    pub folder: PathBuf,
    /// Where XTSystems is.
    pub xtsystems_url: Option<String>,
    /// There is no XTSystems.
    pub no_xtsystems: bool,
    /// The server, by its id or name.
    pub guild: Option<String>,
    /// Keys of the map with a channel each, by its id or name.
    pub channels: Vec<(String, String)>,
    /// Roles that decide, by id or name.
    pub approver_roles: Vec<String>,
    /// Roles that may change things, by id or name.
    pub operator_roles: Vec<String>,
    /// Where XTSystems reaches nuncio.
    pub public_url: Option<String>,
    /// The port to listen on.
    pub port: Option<u16>,
    /// Makes a new secret, also where there is a good one.
    pub new_secret: bool,
    /// Asks everything, also what is set and right.
    pub again: bool,
    /// Leaves XTSystems' webhooks as they are.
    pub no_register: bool,
    /// Sends no test event.
    pub no_test: bool,
    /// Who runs it, for the audit log.
    pub actor: Actor,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether everything that was tried worked.
    pub is_well: bool,
    /// Whether the person wants nuncio to serve now.
    pub serves: bool,
    /// Whether one serves already.
    pub is_running: bool,
}

/// What the steps work with.
struct Setup<'a> {
    options: &'a Options,
    draft: Draft,
    prompt: &'a mut dyn Prompt,
    clock: &'a Clock,
}

/// What the steps found out, beside what is in the draft.
struct Plan {
    client: Client,
    servers: Servers,
    /// Channels to be made, in the order of their stand-ins.
    new_channels: Vec<NewChannel>,
}

/// A channel that is to be made. Until then a stand-in is in the map.
struct NewChannel {
    name: String,
    stand_in: Snowflake,
}

/// Asks, shows what it comes to, and does it. `stop` is cancelled when the person presses Ctrl-C between two questions.
///
/// # Errors
/// Why it ended before anything was done.
pub async fn run(
    options: &Options,
    variables: &Variables,
    clock: &Clock,
    prompt: &mut dyn Prompt,
    stop: &CancellationToken,
) -> Result<Outcome, Stop> {
    let file = finish::EnvFile::read(&options.folder)?;
    let mut setup = Setup { options, draft: Draft::new(variables, prompt)?, prompt, clock };
    let plan = tokio::select! {
        biased;
        () = stop.cancelled() => Err(Stop::Aborted),
        plan = setup.ask() => plan,
    };
    setup.prompt.wait_for(None);
    let plan = plan?;
    if stop.is_cancelled() {
        return Err(Stop::Aborted);
    }
    finish::all(&mut setup, &file, plan, stop).await
}

impl Setup<'_> {
    async fn ask(&mut self) -> Result<Plan, Stop> {
        platform::ask(self).await?;
        let found = bot::ask(self).await?;
        let mut servers = server::ask(self, found).await?;
        let new_channels = channels::ask(self, &mut servers).await?;
        roles::ask(self, &servers)?;
        door::secret(self);
        door::ask(self).await?;
        Ok(Plan { client: servers.client.clone(), servers, new_channels })
    }

    fn keep(&mut self, what: &str) {
        self.say(&format!("keep: {what}"));
    }

    fn say(&mut self, text: &str) {
        let text = self.without_secrets(text);
        self.prompt.say(&text);
    }

    fn wrong(&mut self, found: &str, remedy: &str) -> Result<(), Stop> {
        let (found, remedy) = (self.without_secrets(found), self.without_secrets(remedy));
        self.prompt.wrong(&found, &remedy)
    }

    /// Others may repeat what they were sent.
    fn without_secrets(&self, text: &str) -> String {
        let secrets = [draft::TOKEN, draft::KEY, draft::SECRET, draft::PREVIOUS];
        let secrets = secrets.iter().filter_map(|name| self.draft.value(name));
        let long = secrets.filter(|secret| secret.len() >= SHORTEST_HIDDEN);
        long.fold(text.to_owned(), |text, secret| text.replace(secret, "••••"))
    }
}
