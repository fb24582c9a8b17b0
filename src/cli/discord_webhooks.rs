//! `nuncio discord-webhooks`: Discord webhooks as destinations. Their addresses are passwords: they come from a prompt
//! or from stdin, and are never shown again.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::{FAILED, Usage, database, print, say, table};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::discord::Access;
use crate::dispatch;
use crate::hub::Hub;
use crate::model::route::Target;
use crate::model::{By, Category, DestinationId, NewWebhook, Outcome, Scope, StoredWebhook, WebhookUrl};
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
        /// Purpose
        #[arg(long, default_value = "")]
        description: String,
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
    /// Send a test message and print Discord's answer
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
}

/// The state shared by the subcommands.
struct DestinationAdmin {
    hub: Hub,
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
    let admin = DestinationAdmin { hub, store, clock, config };
    let done = admin.run(args.command).await;
    admin.store.close().await;
    done
}

impl DestinationAdmin {
    async fn run(&self, command: Command) -> anyhow::Result<ExitCode> {
        if let Command::List { json } = command {
            return self.list(json).await;
        }
        app::unlock(&self.store, &self.config.encryption).await?;
        match command {
            Command::Add { name, category, scope, owner, description, surplus } => {
                self.add(NewWebhook { name, category, scope, owner, description }, &surplus).await
            }
            Command::Replace { id, surplus } => self.replace(&id, &surplus).await,
            Command::Test { id } => self.test(&id).await,
            Command::Remove { id } => self.remove(&id).await,
            Command::List { json } => self.list(json).await,
        }
    }

    async fn add(&self, about: NewWebhook, surplus: &[String]) -> anyhow::Result<ExitCode> {
        let url = self.address(surplus)?;
        let name = table::clean(&about.name, 80);
        let id = self.hub.add_webhook(about, &url, &by("add")).await.map_err(at_shell)?;
        print(&id.to_string());
        say(&format!(
            "{name} ({url}) is stored. To send events there, name it in DISCORD_WEBHOOK_CHANNELS, then `kill -HUP` \
             nuncio or restart it:\n  {{\"alert.*\":[\"{id}\"]}}\nTry it: nuncio discord-webhooks test {}",
            id.short()
        ));
        Ok(ExitCode::SUCCESS)
    }

    async fn replace(&self, id: &str, surplus: &[String]) -> anyhow::Result<ExitCode> {
        let webhook = self.hub.webhook_named(id).await.map_err(at_shell)?;
        let url = self.address(surplus)?;
        self.hub.replace_webhook(webhook.id, &url, &by("replace")).await.map_err(at_shell)?;
        print(&format!("{} now has the address {url}.", table::clean(&webhook.about.name, 80)));
        if webhook.waiting > 0 {
            let when = if Lock::is_held(&self.config.database.path) {
                "within a second"
            } else {
                "at the next start: nuncio is not running"
            };
            say(&format!("{} deliveries that waited for it are sent {when}.", webhook.waiting));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn test(&self, id: &str) -> anyhow::Result<ExitCode> {
        let webhook = self.hub.webhook_named(id).await.map_err(at_shell)?;
        let access = Access::new(self.config.discord.base.clone(), None, self.clock.clone());
        let attempt =
            dispatch::try_webhook(&self.store, access.transport(), &self.clock, &webhook, &by("test"))
                .await?;
        let (name, ms) = (table::clean(&webhook.about.name, 80), attempt.took.as_millis());
        let answer = attempt.status.map_or("nothing".to_owned(), |status| status.to_string());
        match &attempt.outcome {
            Outcome::Sent(_) => {
                print(&format!("A test arrived at {name}: Discord answered {answer} after {ms} ms."));
                if webhook.closed.is_some() {
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
        let webhook = self.hub.webhook_named(id).await.map_err(at_shell)?;
        let taken_back = self.hub.remove_webhook(webhook.id, &by("remove")).await.map_err(at_shell)?;
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

    async fn list(&self, as_json: bool) -> anyhow::Result<ExitCode> {
        let webhooks = self.hub.webhooks().await?;
        if as_json {
            print(&Value::Array(webhooks.iter().map(json_of).collect()).to_string());
        } else if webhooks.is_empty() {
            say("No webhook is stored. nuncio discord-webhooks add --name NAME asks for its address.");
        } else {
            say(&columns("ID", "NAME", "TYPE", "SCOPE", "WAITING", "ADDRESS AND STATE"));
            webhooks.iter().for_each(|webhook| print(&table::fitted(&line(webhook))));
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
        WebhookUrl::parse(&text, &self.config.discord.base.proxy())
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

fn columns(id: &str, name: &str, category: &str, scope: &str, waiting: &str, rest: &str) -> String {
    format!("{id:8}  {name:20}  {category:11}  {scope:6}  {waiting:>7}  {rest}").trim_end().to_owned()
}

fn line(webhook: &StoredWebhook) -> String {
    let state = match (&webhook.closed, &webhook.denied) {
        _ if !webhook.enabled => "  disabled".to_owned(),
        (Some(why), _) => format!("  closed: {}", table::clean(why, 200)),
        (None, Some(why)) => format!("  takes nothing for now: {}", table::clean(why, 200)),
        (None, None) => String::new(),
    };
    columns(
        &webhook.id.short(),
        &table::clean(&webhook.about.name, 20),
        webhook.about.category.as_str(),
        webhook.about.scope.as_str(),
        &webhook.waiting.to_string(),
        &format!("{}{state}", webhook.mark),
    )
}

fn json_of(webhook: &StoredWebhook) -> Value {
    let owner = Some(&webhook.about.owner).filter(|owner| !owner.is_empty());
    json!({
        "id": webhook.id,
        "name": webhook.about.name,
        "webhook_url": webhook.mark.to_string(),
        "type": webhook.about.category.as_str(),
        "scope": webhook.about.scope.as_str(),
        "description": webhook.about.description,
        "user_id": owner,
        "enabled": webhook.enabled,
        "closed": webhook.closed,
        "denied": webhook.denied,
        "waiting": webhook.waiting,
        "last_success_at": webhook.last_success_at.map(Timestamp::to_rfc3339),
        "test_success_at": webhook.test_success_at.map(Timestamp::to_rfc3339),
        "created_at": webhook.created_at.to_rfc3339(),
    })
}
