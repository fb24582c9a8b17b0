//! The bot's slash commands: whether Discord has those that this nuncio registers, where it registers them.

use std::time::Duration;

use serde_json::Value;

use crate::bot::{self, CommandDifferences};
use crate::clock::Clock;
use crate::config::Config;
use crate::discord::{Client, DiscordFailure, NamedServer};
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT};
use crate::hub::invite_link;
use crate::model::Snowflake;
use crate::store::Lock;

/// The most guilds searched where nuncio registers no commands: as many as it sweeps at its start.
const MOST_SWEPT: usize = 20;
/// The pause between two looks while a nuncio that has just started registers its commands.
const AGAIN: Duration = Duration::from_millis(500);

/// The commands found, by place.
struct FoundCommands {
    /// The differences where nuncio registers its commands.
    own: CommandDifferences,
    /// Our commands where nuncio registers none: members see them twice.
    doubles: Vec<String>,
    /// Other commands where nuncio registers none: the name of the place, its id if it is a guild, and the commands.
    elsewhere: Vec<(String, Option<Snowflake>, Vec<String>)>,
    /// Guilds where the bot may have no commands.
    without_scope: Vec<String>,
    /// True if something could not be read.
    is_partial: bool,
}

/// All checks of commands.
pub(super) async fn checks(
    config: &Config,
    client: &Client,
    clock: &Clock,
    application: Snowflake,
    servers: &[NamedServer],
    has_logged_in: bool,
) -> Vec<Check> {
    if !config.discord.gateway {
        let found = "DISCORD_GATEWAY is off: this nuncio registers no commands and hears no clicks.";
        return vec![Check::ok(Code::Commands, found)];
    }
    let Some(ours) = bot::commands() else { return Vec::new() };
    let is_running = Lock::is_held(&config.database.path);
    let until = clock.elapsed() + LIMIT;
    let found = loop {
        let found = look(config, client, clock, application, servers, &ours).await;
        let is_behind = !found.own.is_none() || !found.doubles.is_empty();
        if !is_running || !is_behind || clock.elapsed() >= until {
            break found;
        }
        clock.sleep(AGAIN).await;
    };
    judge(&found, application, is_running, has_logged_in)
}

fn judge(found: &FoundCommands, application: Snowflake, is_running: bool, has_logged_in: bool) -> Vec<Check> {
    let mut checks = Vec::new();
    for server in &found.without_scope {
        checks.push(Check::fail(
            Code::CommandsScopeMissing,
            format!("The bot is in {server} without the scope applications.commands: it can have no commands there."),
            format!("Open this link and choose {server} again; nothing is lost: {}", invite_link(application)),
        ));
    }
    let own = &found.own;
    let parts = [
        ("missing", &own.missing),
        ("changed", &own.outdated),
        ("of another bot", &own.foreign),
        ("twice", &found.doubles),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", names.join(" ")))
        .collect();
    let is_fresh = !has_logged_in
        && !is_running
        && own.outdated.is_empty()
        && own.foreign.is_empty()
        && found.doubles.is_empty();
    if is_fresh && !own.missing.is_empty() {
        checks
            .push(Check::ok(Code::Commands, "nuncio registers its commands in Discord at its first start."));
    } else if !parts.is_empty() {
        let remedy = if is_running {
            "Restart nuncio: it registers its commands at every start. If that does not help, its log says why Discord refuses \
             them (\"could not be registered\")."
        } else {
            "Start nuncio: it registers its commands at every start."
        };
        let found = format!("Discord has other commands than this nuncio registers ({}).", parts.join("; "));
        checks.push(Check::warn(Code::CommandsOutdated, found, remedy));
    } else if !found.is_partial && found.without_scope.is_empty() {
        checks.push(Check::ok(Code::Commands, "Discord has the commands that this nuncio registers."));
    }
    for (place, guild, names) in &found.elsewhere {
        let once = match guild {
            None => "without DISCORD_GUILD_ID, then again with it".to_owned(),
            Some(guild) => format!("with DISCORD_GUILD_ID={guild}, then again without it"),
        };
        checks.push(Check::warn(
            Code::CommandsForeign,
            format!(
                "Discord shows commands {place} that this nuncio does not know, left by another bot of this application: {}. \
                 They fail unless another program answers them.",
                names.join(" ")
            ),
            format!("If no other program needs them, start nuncio once {once}: its own take their place and are cleared away."),
        ));
    }
    checks
}

async fn look(
    config: &Config,
    client: &Client,
    clock: &Clock,
    application: Snowflake,
    servers: &[NamedServer],
    ours: &Value,
) -> FoundCommands {
    let mut found = FoundCommands {
        own: CommandDifferences::default(),
        doubles: Vec::new(),
        elsewhere: Vec::new(),
        without_scope: Vec::new(),
        is_partial: false,
    };
    let named: Vec<&NamedServer> =
        servers.iter().filter(|server| config.discord.guilds.contains(&server.id)).collect();
    let is_everywhere = config.discord.guilds.is_empty();
    let own: Vec<Option<&NamedServer>> =
        if is_everywhere { vec![None] } else { named.into_iter().map(Some).collect() };
    // Another check reports a guild that the bot is not in.
    found.is_partial = own.is_empty();
    for place in own {
        match listed(client, clock, application, place).await {
            Some(Ok(theirs)) => found.own.add(CommandDifferences::between(ours, &theirs)),
            Some(Err(failure)) if failure.status == Some(403) && place.is_some() => {
                found.without_scope.extend(place.map(|server| server.name.clone()));
            }
            _ => found.is_partial = true,
        }
    }
    let elsewhere: Vec<Option<&NamedServer>> =
        if is_everywhere { servers.iter().take(MOST_SWEPT).map(Some).collect() } else { vec![None] };
    for place in elsewhere {
        // A guild where the bot may have no commands has none.
        let Some(Ok(theirs)) = listed(client, clock, application, place).await else { continue };
        let differences = CommandDifferences::between(ours, &theirs);
        found.doubles.extend(differences.present(ours));
        if !differences.foreign.is_empty() {
            let name = place.map_or_else(|| "everywhere".to_owned(), |server| format!("in {}", server.name));
            found.elsewhere.push((name, place.map(|server| server.id), differences.foreign));
        }
    }
    found
}

async fn listed(
    client: &Client,
    clock: &Clock,
    application: Snowflake,
    place: Option<&NamedServer>,
) -> Option<Result<Vec<Value>, DiscordFailure>> {
    clock.within(LIMIT, client.whole_commands(application, place.map(|server| server.id))).await
}
