//! `nuncio discord-webhooks`: Discord webhooks as destinations. Their addresses are passwords: they come from a prompt
//! or from stdin, and are never shown again.

mod edit;
mod import;
mod list;

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::{FAILED, Usage, database, print, say, table};
use crate::clock::Clock;
use crate::config::Config;
use crate::discord::Access;
use crate::discord_webhooks::{DiscordWebhooks, not_looked_at};
use crate::dispatch;
use crate::hub::Hub;
use crate::model::route::Target;
use crate::model::{By, Category, DestinationId, NewWebhook, Outcome, Scope, WebhookChange, WebhookUrl};
use crate::store::{Lock, Store};

/// The most bytes read as an address.
const LONGEST: u64 = 4096;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Store a webhook; asks for its address, or reads it from stdin
    Add {
        /// Display name
        #[arg(long)]
        name: String,
        /// Type of events it is for: `GAME_SERVER`, `VPS`, `SYSTEM`, `BILLING`, `SECURITY`, `SUPPORT` or `CUSTOM`
        #[arg(long = "type", value_name = "TYPE", default_value = "CUSTOM", value_parser = category)]
        category: Category,
        /// Audience: ADMIN, USER (requires --owner) or PUBLIC
        #[arg(long, default_value = "ADMIN", value_parser = scope)]
        scope: Scope,
        /// Id of the user who owns it
        #[arg(long, value_name = "USER_ID", default_value = "")]
        owner: String,
        /// Id of the company that it belongs to, if API keys have companies
        #[arg(long, value_name = "COMPANY_ID", default_value = "")]
        company: String,
        /// Purpose
        #[arg(long, default_value = "")]
        description: String,
        /// The icon of its messages: a public https address
        #[arg(long, value_name = "URL")]
        avatar_url: Option<String>,
        /// Rejected: an address must not be an argument
        #[arg(hide = true)]
        surplus: Vec<String>,
    },
    /// List the stored webhooks, without their addresses
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a webhook's name, type, audience, owner, purpose or icon; what is left out stays
    Edit(edit::Args),
    /// Enable a webhook: what waited for it is sent
    Enable {
        /// The webhook's id, the last 8 characters of its id, or its name
        id: String,
    },
    /// Disable a webhook: what comes for it waits until it is enabled
    Disable {
        /// The webhook's id, the last 8 characters of its id, or its name
        id: String,
    },
    /// Send a test message and print Discord's answer; also through a disabled webhook
    Test {
        /// The webhook's id, the last 8 characters of its id, or its name
        id: String,
    },
    /// Replace a webhook's address after it leaked or was deleted; asks for the new one, or reads it from stdin
    Replace {
        /// The webhook's id, the last 8 characters of its id, or its name
        id: String,
        /// Rejected: an address must not be an argument
        #[arg(hide = true)]
        surplus: Vec<String>,
    },
    /// Remove a webhook: nothing more is sent to it
    Remove {
        /// The webhook's id, the last 8 characters of its id, or its name
        id: String,
    },
    /// Import the webhooks of the old dispatcher. Only shows what it would do, unless --yes is given
    Import(import::Args),
}

/// The state shared by the subcommands.
struct WebhookAdmin {
    webhooks: DiscordWebhooks,
    store: Store,
    clock: Clock,
    config: Config,
}

/// Runs a subcommand, with or without a running `nuncio serve`.
///
/// # Errors
/// If the database or its key cannot be used, or the operation is refused.
pub(super) async fn run(args: Args, config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let store = database::open(&config, clock.clone()).await?;
    let hub =
        Hub::beside_server(store.clone(), clock.clone(), config.routes.clone(), config.pings.clone()).await?;
    let access = Access::new(config.discord.base.clone(), None, clock.clone());
    dispatch::recall_pauses(&store, &clock, access.transport().circuit_breaker()).await?;
    let webhooks = DiscordWebhooks::new(hub, store.clone(), access.transport().clone(), clock.clone());
    let admin = WebhookAdmin { webhooks, store, clock, config };
    let done = admin.run(args.command).await;
    admin.store.close().await;
    done
}

impl WebhookAdmin {
    async fn run(&self, command: Command) -> anyhow::Result<ExitCode> {
        if let Command::List { json } = command {
            return list::run(&self.webhooks.hub().webhooks().await?, json);
        }
        app::unlock(&self.store, &self.config.encryption).await?;
        match command {
            Command::Add { name, category, scope, owner, company, description, avatar_url, surplus } => {
                let about = NewWebhook {
                    category,
                    scope,
                    owner,
                    company,
                    description,
                    avatar_url,
                    ..NewWebhook::named(name)
                };
                self.add(about, &surplus).await
            }
            Command::Replace { id, surplus } => self.replace(&id, &surplus).await,
            Command::Edit(args) => self.edit(args).await,
            Command::Enable { id } => self.switch(&id, true).await,
            Command::Disable { id } => self.switch(&id, false).await,
            Command::Test { id } => self.test(&id).await,
            Command::Remove { id } => self.remove(&id).await,
            Command::Import(args) => import::run(&self.webhooks, &self.clock, args).await,
            Command::List { json } => list::run(&self.webhooks.hub().webhooks().await?, json),
        }
    }

    async fn add(&self, about: NewWebhook, surplus: &[String]) -> anyhow::Result<ExitCode> {
        let url = self.address(surplus)?;
        let added = self.webhooks.add(about, &url, None, &by("add")).await.map_err(at_shell)?;
        let Some(webhook) = added.done() else { return Ok(ExitCode::SUCCESS) };
        let (id, name) = (webhook.id, table::clean(&webhook.about.name, 80));
        print(&id.to_string());
        say(&format!(
            "{name} ({url}) is stored: dispatches of its type reach it. To send other events there, name it in \
             DISCORD_WEBHOOK_CHANNELS, then `kill -HUP` nuncio or restart it:\n  {{\"alert.*\":[\"{id}\"]}}\nTry it: nuncio \
             discord-webhooks test {}",
            id.short()
        ));
        not_looked_at(&webhook).into_iter().for_each(|warning| say(&format!("{warning}.")));
        Ok(ExitCode::SUCCESS)
    }

    async fn replace(&self, id: &str, surplus: &[String]) -> anyhow::Result<ExitCode> {
        let webhook = self.webhooks.hub().webhook_named(id).await.map_err(at_shell)?;
        let url = self.address(surplus)?;
        let (change, by) = (WebhookChange::default(), by("replace"));
        let replaced = self.webhooks.change(webhook.id, change, Some(&url), &by).await.map_err(at_shell)?;
        print(&format!("{} now has the address {url}.", table::clean(&webhook.about.name, 80)));
        not_looked_at(&replaced).into_iter().for_each(|warning| say(&format!("{warning}.")));
        self.say_when(replaced.waiting);
        Ok(ExitCode::SUCCESS)
    }

    /// Says when waiting deliveries are sent.
    fn say_when(&self, waiting: u64) {
        let when = if Lock::is_held(&self.config.database.path) {
            "within a second"
        } else {
            "at the next start: nuncio is not running"
        };
        if waiting > 0 {
            say(&format!("{waiting} deliveries that waited for it are sent {when}."));
        }
    }

    async fn test(&self, id: &str) -> anyhow::Result<ExitCode> {
        let webhook = self.webhooks.hub().webhook_named(id).await.map_err(at_shell)?;
        let test = self.webhooks.test(webhook.id, &by("test")).await.map_err(at_shell)?;
        let attempt = &test.attempt;
        let (name, ms) = (table::clean(&webhook.about.name, 80), attempt.took.as_millis());
        let answer = attempt.status.map_or("nothing".to_owned(), |status| status.to_string());
        match &attempt.outcome {
            Outcome::Sent(_) => {
                print(&format!("A test arrived at {name}: Discord answered {answer} after {ms} ms."));
                if !webhook.about.enabled {
                    say(&format!("It is disabled: nuncio discord-webhooks enable {}", webhook.id.short()));
                } else if webhook.closed.is_some() {
                    say("It was closed and is open again: nuncio sends what waits for it.");
                }
                Ok(ExitCode::SUCCESS)
            }
            Outcome::Closed(why) | Outcome::Denied(why) | Outcome::Refused(why) => {
                print(&format!("No test arrived at {name}: {why}"));
                say(&format!("Give it another address: nuncio discord-webhooks replace {}", webhook.id));
                Ok(ExitCode::from(FAILED))
            }
            _ => {
                let response = table::clean(&String::from_utf8_lossy(&attempt.response), 300);
                print(&format!(
                    "No test arrived at {name}: Discord answered {answer} after {ms} ms: {response}"
                ));
                say("Try again in a while.");
                Ok(ExitCode::from(FAILED))
            }
        }
    }

    async fn remove(&self, id: &str) -> anyhow::Result<ExitCode> {
        let hub = self.webhooks.hub();
        let webhook = hub.webhook_named(id).await.map_err(at_shell)?;
        let taken_back = hub.remove_webhook(webhook.id, &by("remove")).await.map_err(at_shell)?;
        print(&format!("{} is removed.", table::clean(&webhook.about.name, 80)));
        if taken_back > 0 {
            say(&format!("{taken_back} deliveries that waited for it were taken back."));
        }
        for key in self.keys_of(webhook.id) {
            say(&format!(
                "DISCORD_WEBHOOK_CHANNELS still names it at {key:?}: take it out there, then \
                 `kill -HUP` nuncio or restart it."
            ));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The keys of the map that lead to a destination.
    fn keys_of(&self, id: DestinationId) -> Vec<&str> {
        let routes = self.config.routes.routes().iter();
        routes
            .filter(|route| route.targets.contains(&Target::Stored(id)))
            .map(|route| route.key.as_str())
            .collect()
    }

    /// The address, from the prompt or from stdin.
    fn address(&self, surplus: &[String]) -> anyhow::Result<WebhookUrl> {
        if !surplus.is_empty() {
            return Err(Usage(
                "a webhook's address is a password, and arguments can be seen by others (ps, the shell's history): leave \
                 it out, and paste it when it is asked for, or pipe it in. If it was one, make a new webhook"
                    .to_owned(),
            )
            .into());
        }
        let text = if std::io::stdin().is_terminal() {
            rpassword::prompt_password("The webhook's address (it is not shown): ").context("the prompt")?
        } else {
            let mut lines = std::io::stdin().lock().take(LONGEST).lines();
            lines.next().transpose().context("stdin holds no text")?.unwrap_or_default()
        };
        self.webhooks
            .parse(&text)
            .map_err(|why| Usage(format!("this is not a webhook address: {why}")).into())
    }
}

/// Whoever runs this command.
fn by(subcommand: &str) -> By {
    By::new(actor(), format!("discord-webhook.{subcommand}"))
}

fn category(text: &str) -> Result<Category, String> {
    Category::from_word(&word(text)).ok_or_else(|| one_of(Category::ALL.iter().map(|one| one.as_str())))
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::from_word(&word(text)).ok_or_else(|| one_of(Scope::ALL.iter().map(|one| one.as_str())))
}

fn word(text: &str) -> String {
    text.trim().to_ascii_uppercase().replace('-', "_")
}

fn one_of(words: impl Iterator<Item = &'static str>) -> String {
    format!("one of {}", words.collect::<Vec<_>>().join(", "))
}
