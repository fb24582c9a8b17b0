//! Configuration from environment variables: reads every variable into [`Config`], reports all problems at once, and
//! holds only valid values afterwards.
//!
//! Must not know who uses the values. A value never enters a message: problems and notes contain names only.

mod api;
mod changes;
mod composition;
mod database;
mod decision;
mod discord_base;
mod dotenv;
mod edit;
mod effective;
mod encryption;
mod ids;
mod json;
mod limits;
mod map;
mod ping;
mod placeholder;
mod reader;
mod report;
pub mod variable;
mod variables;
mod webhook;
mod xtsystems;

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Snowflake;

use crate::model::ping::Pings;
use crate::model::route::RouteMap;
use crate::secret::Secret;
use crate::telemetry;

pub use api::{ApiConfig, Branding, PrivateTargets};
pub use changes::Reloaded;
pub use composition::{Coalesce, Composition};
pub use database::Database;
pub use decision::Decisions;
pub use discord_base::DiscordBase;
pub use edit::{ChangedLine, Edited, edit};
pub use effective::{Effective, Setting, SettingOrigin, SettingValue};
pub use encryption::EncryptionKey;
pub(crate) use limits::span_of;
pub use limits::{RateLimit, Scope, TrustedProxies};
pub use map::{table, table_of};
pub use report::{ConfigProblem, InvalidValue, Report};
pub use variables::Variables;
pub use webhook::WebhookConfig;
pub use xtsystems::XtSystemsConfig;

use reader::Reader;

/// Minimum length of an API key: a shorter one can be found by brute force.
const MIN_API_KEY_BYTES: usize = 16;

/// The complete, validated configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The listener for webhooks.
    pub webhook: WebhookConfig,
    /// The rate limit per client address.
    pub rate_limit: RateLimit,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: TrustedProxies,
    /// How Discord is reached, and with which token.
    pub discord: DiscordConfig,
    /// How the platform is reached, and with which key.
    pub xtsystems: XtSystemsConfig,
    /// Who may decide, and the times of decisions.
    pub decisions: Decisions,
    /// The route map from kinds to channels; [`table`] renders it.
    pub routes: RouteMap,
    /// Which roles are pinged by which events.
    pub pings: Pings,
    /// How events are combined into messages.
    pub composition: Composition,
    /// Location of the database file.
    pub database: Database,
    /// How long finished records are kept: at least a day.
    pub retention: Duration,
    /// The first admin key of the API; as long as a secret should be.
    pub api_key: Option<Secret>,
    /// The API and the dispatcher.
    pub api: ApiConfig,
    /// The key that seals (encrypts or authenticates) data in the database.
    pub encryption: EncryptionKey,
    /// Log directory and filter.
    pub logs: Logs,
    /// Harmless oddities: sentences to be logged as warnings at start.
    pub notes: Vec<String>,
    /// Equal for two processes with equal configurations. For the operator only.
    pub fingerprint: String,
}

/// Whether the variables must let something in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// They must: `WEBHOOK_SECRET` or `NUNCIO_API_KEY`.
    Configured,
    /// They need not: the database holds an API key, or is about to.
    StoredKey,
}

/// How Discord is reached.
#[derive(Clone, Debug)]
pub struct DiscordConfig {
    /// The bot's token. Without it deliveries wait.
    pub token: Option<Secret>,
    /// The application's id; `None`: derived from the token.
    pub application_id: Option<Snowflake>,
    /// Guilds where commands are registered; empty means globally.
    pub guilds: Vec<Snowflake>,
    /// The base URL of Discord's API.
    pub base: DiscordBase,
    /// Whether the bot connects to the gateway; without it deliveries work, but commands and buttons do not.
    pub gateway: bool,
}

/// Log directory and filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// The directory of `combined.log` and `error.log`.
    pub dir: PathBuf,
    /// A filter in the form of `RUST_LOG`.
    pub filter: String,
}

impl Config {
    /// Reads all variables. Something must be able to come in: `WEBHOOK_SECRET` or `NUNCIO_API_KEY` is required.
    ///
    /// # Errors
    /// All problems at once; [`Report`]'s `Display` is the message, with exit code 78.
    pub fn from_variables(variables: &Variables) -> Result<Self, Report> {
        Self::read(variables, Entrance::Configured)
    }

    /// Reads all variables.
    ///
    /// # Errors
    /// Those of [`Config::from_variables`].
    pub fn read(variables: &Variables, entrance: Entrance) -> Result<Self, Report> {
        let mut reader = Reader::new(variables);
        let webhook = WebhookConfig::read(&mut reader);
        let (rate_limit, trusted_proxies) = limits::read(&mut reader);
        let discord = DiscordConfig::read(&mut reader);
        let xtsystems = XtSystemsConfig::read(&mut reader);
        let decisions = Decisions::read(&mut reader);
        let routes = map::read(&mut reader);
        let pings = ping::read(&mut reader);
        let composition = composition::read(&mut reader);
        let routes = routes.with_cards(composition.cards);
        let database = Database::read(&mut reader);
        let retention = database::retention(&mut reader);
        let api_key = reader.optional("NUNCIO_API_KEY", api_key);
        if entrance == Entrance::Configured && webhook.secret.is_none() && api_key.is_none() {
            webhook::report_no_entrance(&mut reader);
        }
        let api = ApiConfig::read(&mut reader, &webhook);
        let encryption = EncryptionKey::read(&mut reader, &database);
        let logs = Logs::read(&mut reader);
        let notes = reader.finish()?;
        let fingerprint = effective::fingerprint(variables, webhook.secret.as_ref().or(api_key.as_ref()));
        Ok(Self {
            webhook,
            rate_limit,
            trusted_proxies,
            discord,
            xtsystems,
            decisions,
            routes,
            pings,
            composition,
            database,
            retention,
            api_key,
            api,
            encryption,
            logs,
            notes,
            fingerprint,
        })
    }
}

impl Config {
    /// Checks a value for one variable by the rules that apply to every variable.
    ///
    /// # Errors
    /// What is wrong with it. A placeholder is an error, too.
    pub fn check(name: &str, value: &str) -> Result<(), InvalidValue> {
        if placeholder::is_placeholder(value) {
            return Err(InvalidValue::new(
                "is a placeholder of the example",
                "Put the real value in its place.",
            ));
        }
        let secret = ("WEBHOOK_SECRET", "0123456789abcdef");
        match Self::from_variables(&Variables::from_map([secret, (name, value)])) {
            Ok(_) => Ok(()),
            Err(report) => {
                let mut problems = report.problems.into_iter();
                problems.find(|problem| problem.variable == name).map_or(Ok(()), |problem| Err(problem.wrong))
            }
        }
    }
}

/// A new random secret of 64 hex digits.
#[must_use]
pub fn fresh_secret() -> Secret {
    report::fresh_secret()
}

impl Config {
    /// Whether anything that is configured needs the bot: XTSystems' events, or a channel in the map.
    #[must_use]
    pub fn needs_bot(&self) -> bool {
        self.webhook.secret.is_some()
            || self
                .routes
                .routes()
                .iter()
                .flat_map(|route| &route.targets)
                .any(|target| target.channel().is_some())
    }
}

impl DiscordConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        let base = reader.or("DISCORD_API_URL", DiscordBase::discord(), DiscordBase::parse);
        if base.exposes_token() {
            reader.note("DISCORD_API_URL is not encrypted (http) and not on this machine: the bot's token travels in the clear");
        }
        Self {
            token: reader.optional("DISCORD_TOKEN", token),
            application_id: reader.optional("DISCORD_CLIENT_ID", |text| snowflake(text.trim())),
            guilds: reader.or("DISCORD_GUILD_ID", Vec::new(), |text| {
                text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(snowflake).collect()
            }),
            base,
            gateway: reader.or("DISCORD_GATEWAY", true, switch),
        }
    }
}

impl Logs {
    /// `RUST_LOG`, else `LOG_LEVEL` (a level only: as a filter `verbose` would name a module), else `info`.
    fn read(reader: &mut Reader<'_>) -> Self {
        let level = reader.optional("LOG_LEVEL", |text| {
            telemetry::level(text).ok_or_else(|| {
                InvalidValue::new(
                    "is not a level of logging",
                    "One of error, warn, info, debug and trace; RUST_LOG takes filters.",
                )
            })
        });
        let filter = reader.optional("RUST_LOG", |text| {
            if telemetry::is_filter(text) {
                Ok(text.to_owned())
            } else {
                Err(InvalidValue::new(
                    "is not a filter for logs",
                    "A level such as info, or a filter such as info,nuncio=debug.",
                ))
            }
        });
        Self {
            dir: reader.or("LOG_DIR", PathBuf::from("logs"), |text| Ok(PathBuf::from(text))),
            filter: filter.or_else(|| level.map(str::to_owned)).unwrap_or_else(|| "info".to_owned()),
        }
    }
}

fn switch(text: &str) -> Result<bool, InvalidValue> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err(InvalidValue::new("is neither on nor off", "on or off.")),
    }
}

fn token(text: &str) -> Result<Secret, InvalidValue> {
    if text.starts_with("Bot ") {
        return Err(InvalidValue::new("begins with \"Bot \"", "Leave that word off: the token alone."));
    }
    header_safe(text)
}

/// Parses an API key that is long enough not to be guessed.
fn api_key(text: &str) -> Result<Secret, InvalidValue> {
    let key = header_safe(text)?;
    if key.expose().len() < MIN_API_KEY_BYTES {
        return Err(InvalidValue::new(
            format!("is shorter than {MIN_API_KEY_BYTES} bytes, so it can be guessed"),
            "Make a new one with: openssl rand -hex 32",
        ));
    }
    Ok(key)
}

/// Parses a value for an `Authorization` header: visible ASCII.
fn header_safe(text: &str) -> Result<Secret, InvalidValue> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Secret::new(text))
    } else {
        Err(InvalidValue::new(
            "holds a space, a line break or a letter outside ASCII",
            "Copy it anew; nothing belongs around it.",
        ))
    }
}

fn snowflake(text: &str) -> Result<Snowflake, InvalidValue> {
    text.parse().map_err(|_| {
        InvalidValue::new(
            "is not a Discord id",
            "A number of 17 to 20 digits (in Discord: right-click, Copy ID).",
        )
    })
}

#[cfg(test)]
mod tests;
