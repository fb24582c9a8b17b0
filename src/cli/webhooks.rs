//! `nuncio webhooks`: the webhooks of XTSystems, which send its events here or elsewhere. It replaces the Node bot's
//! `webhook-setup.js`. No secret is printed: neither the API key nor a webhook's signing secret.

mod change;
mod failure;
mod lookup;
mod rows;

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app;
use crate::cli::start::CannotStart;
use crate::cli::{FAILED, Usage, database, print, say, table};
use crate::clock::Clock;
use crate::config::Config;
use crate::secret::Secret;
use crate::store::Store;
use crate::xtsystems::{NO_SECRET, PlatformWebhook, Registrar, RegistrationRequest, XtSystemsClient};

/// A shorter HMAC key can be found by brute force.
const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: u64 = 4096;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Have XTSystems send its events to this nuncio, signed: creates the webhook there, or updates it
    Register {
        #[command(flatten)]
        wanted: WantedArgs,
    },
    /// Create another webhook, for this nuncio or another receiver; asks for the secret of another receiver
    Create {
        /// Display name in XTSystems
        #[arg(long)]
        name: String,
        #[command(flatten)]
        wanted: WantedArgs,
    },
    /// List the webhooks: URL, kinds, and whether each is enabled
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a webhook; what is not given stays unchanged
    Update {
        /// The webhook's id, the beginning of its id, or its name
        id: String,
        /// Display name in XTSystems
        #[arg(long)]
        name: Option<String>,
        /// Receiver's URL
        #[arg(long)]
        url: Option<String>,
        /// Kinds to send, comma-separated: ticket.created,alert.*
        #[arg(long, value_name = "KINDS", value_delimiter = ',')]
        events: Option<Vec<String>>,
        /// Send only the events of this customer (its id in XTSystems)
        #[arg(long, value_name = "ID")]
        company: Option<String>,
        /// Sign with this nuncio's `WEBHOOK_SECRET`
        #[arg(long, conflicts_with = "ask_secret")]
        our_secret: bool,
        /// Sign with another secret; asks for it, or reads it from stdin
        #[arg(long)]
        ask_secret: bool,
    },
    /// Enable a webhook
    Enable {
        /// The webhook's id, the beginning of its id, or its name
        id: String,
    },
    /// Disable a webhook: it sends nothing until it is enabled
    Disable {
        /// The webhook's id, the beginning of its id, or its name
        id: String,
    },
    /// Delete a webhook in XTSystems permanently
    Delete {
        /// The webhook's id, the beginning of its id, or its name
        id: String,
        /// Do not ask for confirmation; required without a terminal
        #[arg(long)]
        yes: bool,
    },
    /// Have XTSystems send a test, and print the receiver's answer
    Test {
        /// The webhook's id, the beginning of its id, or its name (default: the one that sends here)
        id: Option<String>,
    },
    /// List a webhook's recent deliveries, newest first, with the receiver's answers
    Deliveries {
        /// The webhook's id, the beginning of its id, or its name (default: the one that sends here)
        id: Option<String>,
        /// Maximum number of deliveries
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..))]
        limit: u8,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct WantedArgs {
    /// Receiver's URL (default: this nuncio, from `PUBLIC_URL` and `WEBHOOK_PATH`)
    #[arg(long)]
    url: Option<String>,
    /// Kinds to send, comma-separated: ticket.created,alert.* (default: all)
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    events: Option<Vec<String>>,
    /// Send only the events of this customer (its id in XTSystems)
    #[arg(long, value_name = "ID")]
    company: Option<String>,
}

/// The state shared by the subcommands.
struct RegistrationAdmin {
    platform: XtSystemsClient,
    config: Config,
    /// The URL at which this nuncio takes events; `None` if only a running one knows its port.
    here: Option<String>,
}

/// Runs a subcommand, with or without a running `nuncio serve`.
///
/// # Errors
/// If there is no API key, the database cannot be used, or XTSystems fails or refuses.
pub(super) async fn run(args: Args, config: Config) -> anyhow::Result<ExitCode> {
    let (clock, admin) = admin(config)?;
    match args.command {
        Command::List { json } => admin.list(json).await,
        Command::Deliveries { id, limit, json } => admin.deliveries(id.as_deref(), limit, json).await,
        command => {
            // Nothing is changed that the audit log cannot record.
            let store = database::open(&admin.config, clock).await?;
            let done = match app::unlock(&store, &admin.config.encryption).await {
                Ok(()) => admin.change(command, &store).await,
                Err(error) => Err(error),
            };
            store.close().await;
            done
        }
    }
}

fn admin(config: Config) -> anyhow::Result<(Clock, RegistrationAdmin)> {
    let clock = Clock::system();
    let Some(platform) = XtSystemsClient::new(&config.xtsystems, clock.clone()) else {
        return Err(CannotStart(
            "XTSYSTEMS_API_KEY is not set, so XTSystems cannot be asked. Make a key that may manage webhooks in XTSystems, \
             put it into .env, and try again."
                .to_owned(),
        )
        .into());
    };
    let is_known = config.webhook.public_url.is_some() || config.webhook.port != 0;
    let here = is_known.then(|| config.webhook.url(config.webhook.port));
    Ok((clock, RegistrationAdmin { platform, config, here }))
}

/// Registers this nuncio at XTSystems for all its events, and records it in the audit log. Returns what was done.
///
/// # Errors
/// Those of [`run`].
pub(super) async fn register_here(config: Config) -> anyhow::Result<String> {
    let (clock, admin) = admin(config)?;
    let before =
        admin.platform.registration(admin.here()?).await.map_err(|failure| admin.explained(&failure))?;
    let store = database::open(&admin.config, clock).await?;
    let done = match app::unlock(&store, &admin.config.encryption).await {
        Ok(()) => admin.registered(RegistrationRequest::default(), &store).await,
        Err(error) => Err(error),
    };
    store.close().await;
    let registration = done?;
    let (webhook, url) = (registration.registered.webhook(), table::clean(&registration.url, 200));
    let way_back = before.filter(|before| !is_same(&before.url, &registration.url)).map(|before| {
        format!(
            " It sent to {} before; to go back: nuncio webhooks update {} --url {}",
            table::clean(&before.url, 200),
            table::clean(&before.id, 60),
            table::clean(&before.url, 200)
        )
    });
    let events = change::kinds(webhook);
    Ok(format!(
        "XTSystems sends {events} to {url} now, signed with WEBHOOK_SECRET.{}",
        way_back.unwrap_or_default()
    ))
}

impl RegistrationAdmin {
    async fn change(&self, command: Command, store: &Store) -> anyhow::Result<ExitCode> {
        match command {
            Command::Register { wanted } => self.register(wanted.checked()?, store).await,
            Command::Create { name, wanted } => self.create(name, wanted.checked()?, store).await,
            Command::Update { id, name, url, events, company, our_secret, ask_secret } => {
                let wanted = WantedArgs { url, events, company }.checked()?;
                let webhook = self.named(&id).await?;
                let secret = match (our_secret, ask_secret) {
                    (true, _) => Some(self.secret()?),
                    (_, true) => Some(asked_secret()?),
                    _ => None,
                };
                self.update(webhook, name, wanted, secret, store).await
            }
            Command::Enable { id } => self.activate(&id, true, store).await,
            Command::Disable { id } => self.activate(&id, false, store).await,
            Command::Delete { id, yes } => self.delete(&id, yes, store).await,
            Command::Test { id } => self.test(id.as_deref(), store).await,
            Command::List { json } => self.list(json).await,
            Command::Deliveries { id, limit, json } => self.deliveries(id.as_deref(), limit, json).await,
        }
    }

    async fn list(&self, as_json: bool) -> anyhow::Result<ExitCode> {
        let webhooks = self.webhooks().await?;
        if as_json {
            print(&rows::webhooks_as_json(&webhooks, self.here.as_deref()).to_string());
            return Ok(ExitCode::SUCCESS);
        }
        if webhooks.is_empty() {
            say("XTSystems has no webhook. nuncio webhooks register makes the one that sends here.");
            return Ok(ExitCode::SUCCESS);
        }
        let rows = rows::webhooks(&webhooks, self.here.as_deref());
        say(&rows[0]);
        rows[1..].iter().for_each(|row| print(&table::fitted(row)));
        if let Some(here) = &self.here
            && !webhooks.iter().any(|webhook| is_same(&webhook.url, here))
        {
            say(&format!("None of them sends to this nuncio ({here}): nuncio webhooks register makes one."));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn deliveries(&self, id: Option<&str>, limit: u8, as_json: bool) -> anyhow::Result<ExitCode> {
        let webhook = self.named_or_ours(id).await?;
        let sent = self.platform.deliveries(&webhook.id, limit).await;
        let sent = sent.map_err(|failure| self.explained(&failure))?;
        if as_json {
            print(&rows::deliveries_as_json(&sent).to_string());
            return Ok(ExitCode::SUCCESS);
        }
        let name = table::clean(&webhook.name, 80);
        if sent.is_empty() {
            say(&format!(
                "{name} sent nothing yet. Try it: nuncio webhooks test {}",
                table::clean(&webhook.id, 60)
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let rows = rows::deliveries(&sent);
        say(&rows[0]);
        rows[1..].iter().for_each(|row| print(&table::fitted(row)));
        if let Some(advice) = sent[0].response_status.and_then(|status| self.advice(&webhook, status)) {
            say(&format!("The newest was answered {advice}"));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn webhooks(&self) -> anyhow::Result<Vec<PlatformWebhook>> {
        self.platform.webhooks().await.map_err(|failure| self.explained(&failure))
    }

    async fn named(&self, id: &str) -> anyhow::Result<PlatformWebhook> {
        lookup::find(&self.webhooks().await?, id).cloned()
    }

    async fn named_or_ours(&self, id: Option<&str>) -> anyhow::Result<PlatformWebhook> {
        if let Some(id) = id {
            return self.named(id).await;
        }
        let here = self.here()?;
        let ours = self.platform.registration(here).await.map_err(|failure| self.explained(&failure))?;
        ours.with_context(|| {
            format!("XTSystems has no webhook that sends to {here}: nuncio webhooks register makes one")
        })
    }

    fn here(&self) -> anyhow::Result<&str> {
        self.here.as_deref().ok_or_else(|| {
            Usage(
                "WEBHOOK_PORT is 0, any free port, so only the running nuncio knows its address: set PUBLIC_URL, or give \
                 --url or an id"
                    .to_owned(),
            )
            .into()
        })
    }

    /// The secret that this nuncio verifies events with.
    fn secret(&self) -> anyhow::Result<Secret> {
        let secret = self.config.webhook.secret.clone();
        secret.ok_or_else(|| CannotStart(NO_SECRET.to_owned()).into())
    }

    fn registrar(&self, url: &str) -> Registrar {
        Registrar::new(Some(self.platform.clone()), url.to_owned(), self.config.webhook.secret.clone())
    }

    fn is_ours(&self, webhook: &PlatformWebhook) -> bool {
        self.here.as_deref().is_some_and(|here| is_same(&webhook.url, here))
    }

    /// Advice for a receiver's answer that is not 2xx.
    fn advice(&self, webhook: &PlatformWebhook, status: u16) -> Option<String> {
        let advice = match status {
            200..=299 => return None,
            401 if self.is_ours(webhook) => {
                "its secret is not this nuncio's WEBHOOK_SECRET, or the clocks differ: nuncio webhooks register sets the \
                 secret, and the log says which it was"
            }
            401 | 403 => {
                "the receiver does not take its signature: nuncio webhooks update ID --ask-secret sets its secret"
            }
            404 | 405 => {
                "nothing takes events there: nuncio webhooks update ID --url URL sets another address"
            }
            429 | 503 => "the receiver asks for patience: try again in a while",
            _ => "the receiver's log says why",
        };
        Some(format!("{status}: {}.", advice.replace("ID", &table::clean(&webhook.id, 60))))
    }
}

impl WantedArgs {
    fn checked(self) -> anyhow::Result<RegistrationRequest> {
        let trimmed = |events: Vec<String>| {
            let events = events.iter().map(|kind| kind.trim().to_owned());
            events.filter(|kind| !kind.is_empty()).collect()
        };
        let Self { url, events, company } = self;
        let wanted = RegistrationRequest { url, events: events.map(trimmed), company };
        wanted.checked().map_err(|why| Usage(why.to_string()).into())
    }
}

/// Whether two addresses are equal, apart from a slash at the end.
fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// A secret from the prompt or from stdin.
fn asked_secret() -> anyhow::Result<Secret> {
    let text = if is_terminal() {
        rpassword::prompt_password("What it signs with, at least 16 characters (it is not shown): ")
            .context("the prompt")?
    } else {
        let mut lines = std::io::stdin().lock().take(LONGEST_SECRET).lines();
        lines.next().transpose().context("stdin holds no text")?.unwrap_or_default()
    };
    let secret = text.trim();
    if secret.len() < SHORTEST_SECRET {
        return Err(Usage(
            "a secret has at least 16 characters, and comes from the prompt or from stdin: openssl rand -hex 32 makes one. \
             Nothing was changed"
                .to_owned(),
        )
        .into());
    }
    Ok(Secret::new(secret))
}

/// Whether the operator at the terminal answers yes.
fn confirmed(question: &str) -> anyhow::Result<bool> {
    say(question);
    let mut answer = String::new();
    std::io::stdin().lock().take(LONGEST_SECRET).read_line(&mut answer).context("the prompt")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Whether an operator can be asked.
fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// The exit code of an operation that failed.
fn failed() -> ExitCode {
    ExitCode::from(FAILED)
}
