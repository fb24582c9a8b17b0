//! `nuncio keys`: the keys of the API. A key is printed once, when it is created; afterwards only its hash exists.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::{database, print, say, table};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, span_of};
use crate::hub::{Hub, KEY_OVERLAP};
use crate::model::{ApiKeyState, ApiRole, By, IssuedApiKey, NewApiKey, StoredApiKey};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a key and print it, once: nuncio keeps only its hash
    Create {
        /// Who or what uses it: "web shop", "alice"
        name: String,
        /// What it may do: admin (everything of its company), sender (dispatch and send, and read), reader (read)
        #[arg(long, value_parser = role)]
        role: ApiRole,
        /// Id of the one company whose data it sees (default: all)
        #[arg(long, value_name = "COMPANY_ID")]
        company: Option<String>,
        /// Id of the one customer whose USER webhooks it sees (default: not limited)
        #[arg(long, value_name = "USER_ID")]
        owner: Option<String>,
        /// How long it is accepted: 12h, 90d (default: until it is revoked)
        #[arg(long = "expires-in", value_name = "SPAN", value_parser = span)]
        expires_in: Option<Duration>,
    },
    /// List the keys, without their text
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: it is refused from the next request on
    Revoke {
        /// The key's id, the last 8 characters of its id, or its name
        id: String,
    },
    /// Replace a key by a new one with the same rights, and print that; the old one is accepted for a while
    Rotate {
        /// The key's id, the last 8 characters of its id, or its name
        id: String,
        /// How long the old key is accepted: 1h, 2d (default: 24h; at most 30d)
        #[arg(long, value_name = "SPAN", value_parser = span, conflicts_with = "now")]
        overlap: Option<Duration>,
        /// Refuse the old key at once, because it leaked
        #[arg(long)]
        now: bool,
    },
}

/// Runs a subcommand, with or without a running `nuncio serve`.
///
/// # Errors
/// If the database or its key cannot be used, or the operation is refused.
pub(super) async fn run(args: Args, config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    // In an empty folder, the first key makes the database.
    let creates = matches!(args.command, Command::Create { .. });
    let store = match creates {
        true => database::open_quietly(&config, clock.clone()).await?,
        false => database::open(&config, clock.clone()).await?,
    };
    let hub = Hub::beside_server(store.clone(), clock.clone(), config.routes.clone(), config.pings.clone());
    let done = match hub.await {
        Ok(hub) => run_on(&hub, &store, &clock, args.command, &config).await,
        Err(error) => Err(error.into()),
    };
    store.close().await;
    done
}

async fn run_on(
    hub: &Hub,
    store: &Store,
    clock: &Clock,
    command: Command,
    config: &Config,
) -> anyhow::Result<ExitCode> {
    if let Command::List { json } = command {
        return list(hub, json).await;
    }
    app::unlock(store, &config.encryption).await?;
    match command {
        Command::Create { name, role, company, owner, expires_in } => {
            let expires_at = expires_in.map(|span| clock.now().plus(span));
            let about = NewApiKey { name, role, company, owner, expires_at };
            let created = hub.create_key(about, None, &by("create")).await.map_err(at_shell)?;
            created.done().iter().for_each(show);
        }
        Command::Revoke { id } => {
            let key = hub.key_named(&id, None).await.map_err(at_shell)?;
            let name = table::clean(&key.about.name, 80);
            if hub.revoke_key(key.id, &by("revoke")).await.map_err(at_shell)? {
                print(&format!("{name} ({}) is revoked: nuncio refuses it from now on.", key.id));
            } else {
                print(&format!("{name} ({}) was revoked before.", key.id));
            }
        }
        Command::Rotate { id, overlap, now } => {
            let key = hub.key_named(&id, None).await.map_err(at_shell)?;
            let overlap = if now { Duration::ZERO } else { overlap.unwrap_or(KEY_OVERLAP) };
            let rotated = hub.rotate_key(key.id, overlap, None, &by("rotate")).await.map_err(at_shell)?;
            rotated.done().iter().for_each(show);
            let old = format!("The old key (…{})", key.ending);
            if overlap.is_zero() {
                say(&format!("{old} is refused from now on."));
            } else {
                let until = clock.now().plus(overlap);
                let until = key.about.expires_at.map_or(until, |end| end.min(until));
                say(&format!("{old} is accepted until {}.", table::short(until)));
            }
        }
        Command::List { json } => return list(hub, json).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// The key on stdout, everything about it on stderr.
fn show(issued: &IssuedApiKey) {
    let IssuedApiKey { key, token } = issued;
    print(token.secret().expose());
    let until = key
        .about
        .expires_at
        .map_or("until it is revoked".to_owned(), |end| format!("until {}", table::short(end)));
    say(&format!(
        "This is the key {} ({}, {}). It is accepted {until}. Copy it now: nuncio does not show it again.\n\
         Use it as `Authorization: Bearer …` or `X-API-Key: …`; clients read it from NUNCIO_API_KEY.",
        table::clean(&key.about.name, 80),
        key.id,
        rights(key),
    ));
}

async fn list(hub: &Hub, as_json: bool) -> anyhow::Result<ExitCode> {
    let (keys, now) = (hub.keys(None).await.map_err(at_shell)?, hub.key_time());
    if as_json {
        print(&keys.iter().map(|key| json_of(key, now)).collect::<Value>().to_string());
    } else if keys.is_empty() {
        say("No API key is stored. nuncio keys create NAME --role sender makes one.");
    } else {
        say(&columns("ID", "NAME", "ENDS IN", "STATE", "LAST USED", "RIGHTS"));
        keys.iter().for_each(|key| print(&table::fitted(&line(key, now))));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever runs this command.
fn by(subcommand: &str) -> By {
    By::new(actor(), format!("key.{subcommand}"))
}

fn role(text: &str) -> Result<ApiRole, String> {
    ApiRole::parse(&text.trim().to_ascii_lowercase()).ok_or_else(|| {
        let words: Vec<&str> = ApiRole::ALL.iter().map(|role| role.as_str()).collect();
        format!("one of {}", words.join(", "))
    })
}

fn span(text: &str) -> Result<Duration, String> {
    span_of(text).filter(|span| !span.is_zero()).ok_or_else(|| "a duration such as 12h or 90d".to_owned())
}

fn columns(id: &str, name: &str, ending: &str, state: &str, used: &str, rights: &str) -> String {
    format!("{id:8}  {name:24}  {ending:7}  {state:8}  {used:20}  {rights}").trim_end().to_owned()
}

fn line(key: &StoredApiKey, now: Timestamp) -> String {
    let state = key.state(now);
    let end = match (state, key.about.expires_at) {
        (ApiKeyState::Active, Some(end)) => format!(", until {}", table::short(end)),
        _ => String::new(),
    };
    let replaced = key.replaced_by.map_or_else(String::new, |new| format!(", replaced by {}", new.short()));
    columns(
        &key.id.short(),
        &table::clean(&key.about.name, 24),
        &key.ending,
        state.as_str(),
        &key.last_used_at.map_or_else(|| "never".to_owned(), table::short),
        &format!("{}{end}{replaced}", rights(key)),
    )
}

fn rights(key: &StoredApiKey) -> String {
    let of = |what: &str, id: &Option<String>| {
        id.as_ref().map_or_else(String::new, |id| format!(", {what} {}", table::clean(id, 40)))
    };
    format!("{}{}{}", key.about.role, of("company", &key.about.company), of("owner", &key.about.owner))
}

fn json_of(key: &StoredApiKey, now: Timestamp) -> Value {
    json!({
        "id": key.id,
        "name": key.about.name,
        "ending": key.ending,
        "role": key.about.role.as_str(),
        "company_id": key.about.company,
        "owner": key.about.owner,
        "state": key.state(now).as_str(),
        "created_by": key.created_by,
        "created_at": key.created_at.to_rfc3339(),
        "expires_at": key.about.expires_at.map(Timestamp::to_rfc3339),
        "last_used_at": key.last_used_at.map(Timestamp::to_rfc3339),
        "replaced_by": key.replaced_by,
        "revoked_at": key.revoked_at.map(Timestamp::to_rfc3339),
    })
}
