//! Discord: the token, its application, the bot's guilds.

use std::collections::BTreeSet;

use crate::bot::{RESERVE, Snapshot};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, DiscordBase};
use crate::discord::{Access, Application, Client, DiscordFailure, SessionStartLimit};
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT, beside, channels, commands, webhooks};
use crate::hub::{Problem, Rules, interactions_elsewhere, judge_servers};
use crate::model::Snowflake;
use crate::store::{BotSurvey, survey_bot};

/// The most guilds read in full. Each takes four requests.
const MOST_SERVERS: usize = 25;
/// Warns when only one in this many of a day's logins is left.
const FEW_LOGINS: u32 = 10;
const PORTAL: &str = "https://discord.com/developers/applications";

/// All checks of Discord.
pub(super) async fn checks(config: &Config, clock: &Clock) -> Vec<Check> {
    let access = Access::new(config.discord.base.clone(), config.discord.token.clone(), clock.clone());
    let path = config.database.path.clone();
    // Another check reports a database that cannot be read.
    let looked = tokio::task::spawn_blocking(move || {
        let survey = survey_bot(&path);
        (survey.is_ok() || !path.exists(), survey.unwrap_or_default())
    });
    let (knows_stored, survey) = looked.await.unwrap_or_default();
    let mut checks = match access.client() {
        Some(client) => of_bot(config, client, clock, &survey).await,
        None if !config.needs_bot() => vec![Check::ok(
            Code::DiscordToken,
            "DISCORD_TOKEN is not set: there is no bot, and nothing that is configured needs one.",
        )],
        None => vec![Check::warn(
            Code::DiscordTokenMissing,
            "DISCORD_TOKEN is not set: there is no bot, and what is for channels waits.",
            format!(
                "Copy the token (Developer Portal {PORTAL}, your application, Bot, Reset Token) into DISCORD_TOKEN."
            ),
        )],
    };
    let is_reachable = !checks.iter().any(|check| check.code == Code::DiscordUnreachable);
    checks.extend(webhooks::checks(config, access.transport(), clock, &survey.webhooks, is_reachable).await);
    if knows_stored {
        checks.extend(webhooks::unknown(config, &survey.webhooks));
    }
    checks
}

/// The checks of the bot's token, and of the bot of a running nuncio.
async fn of_bot(config: &Config, client: &Client, clock: &Clock, survey: &BotSurvey) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Err(problem) = talk(config, client, clock, survey, &mut checks).await {
        checks.push(problem);
    }
    checks.extend(beside::checks(config, clock).await);
    checks
}

/// Makes the requests in order; stops at the first failure that makes the rest impossible.
async fn talk(
    config: &Config,
    client: &Client,
    clock: &Clock,
    survey: &BotSurvey,
    checks: &mut Vec<Check>,
) -> Result<(), Check> {
    let host = client.base().host();
    let permit = client.circuit_breaker().acquire().await;
    let me = match clock.within(LIMIT, client.myself(permit)).await {
        Some(Ok(me)) => me,
        Some(Err(failure)) => return Err(away(client.base(), &failure)),
        None => return Err(silent(&host)),
    };
    checks.push(Check::ok(
        Code::DiscordToken,
        format!("Discord accepts DISCORD_TOKEN: the bot is {} ({}).", me.username, me.id),
    ));
    // A third-party implementation of Discord may lack this.
    if let Some(Ok(gateway)) = clock.within(LIMIT, client.gateway()).await {
        checks.extend(of_logins(&gateway.session_start_limit));
    }
    // A third-party implementation of Discord may have no applications.
    let application = clock.within(LIMIT, client.application()).await.and_then(Result::ok);
    if let Some(application) = &application {
        checks.extend(of_application(config, application));
    }
    let servers = match clock.within(LIMIT, client.servers()).await {
        Some(Ok(servers)) => servers,
        Some(Err(failure)) => return Err(away(client.base(), &failure)),
        None => return Err(silent(&host)),
    };
    let application = application.map(|application| application.id);
    let mut snapshot = Snapshot::new(me.id);
    // Guilds that the configuration names come first.
    let mut ids: Vec<Snowflake> = servers.iter().map(|server| server.id).collect();
    ids.sort_by_key(|id| !config.discord.guilds.contains(id));
    let mut unread = ids.len().saturating_sub(MOST_SERVERS);
    for id in ids.iter().take(MOST_SERVERS) {
        match clock.within(LIMIT, client.server(*id)).await {
            Some(Ok(server)) => snapshot.add(&server),
            Some(Err(_)) => unread += 1,
            None => return Err(silent(&host)),
        }
    }
    let channels: BTreeSet<Snowflake> = {
        let targets = config.routes.routes().iter().flat_map(|route| &route.targets);
        targets.filter_map(crate::model::route::Target::channel).collect()
    };
    if unread == 0 {
        checks.extend(of_servers(config, &snapshot, &channels, application, clock.now()));
    } else {
        checks.push(Check::warn(
            Code::DiscordServersUnread,
            format!("{unread} of the bot's {} servers could not be looked at: roles were not checked, nor channels there.", ids.len()),
            "Start nuncio: its log and /health name what is wrong with them.",
        ));
    }
    // Without a guild there is no channel: that is one problem, not one for each channel.
    if !servers.is_empty() {
        channels::learn_unlisted(client, clock, &mut snapshot, &channels).await;
        // Nothing is known about a channel in an unread guild.
        checks.extend(channels::checks(&snapshot, &channels, unread == 0));
    }
    // A bot and its application share one id, except for very old ones.
    let application = application.or(config.discord.application_id).unwrap_or(me.id);
    checks.extend(commands::checks(config, client, clock, application, &servers, survey.has_logged_in).await);
    Ok(())
}

/// Warns if so many logins were made today that something must be logging in again and again. Restarts by hand stay
/// far below that.
fn of_logins(limit: &SessionStartLimit) -> Option<Check> {
    let found = format!(
        "Discord lets this bot log in {} more times within the next {} min, of {} a day: something logs in again and again.",
        limit.remaining,
        limit.resets_after().as_secs().div_ceil(60),
        limit.total,
    );
    let remedy = "Look for a program that is restarted again and again, this nuncio (its log, systemctl status nuncio) or \
                  another with the same token, and stop it. If it is not yours, reset the token (Developer Portal, Bot, Reset \
                  Token) and put the new one into DISCORD_TOKEN. Discord resets it by itself after the last login.";
    if limit.remaining <= RESERVE {
        Some(Check::fail(Code::DiscordLoginsLow, found, remedy))
    } else if limit.remaining <= limit.total / FEW_LOGINS {
        Some(Check::warn(Code::DiscordLoginsLow, found, remedy))
    } else {
        None
    }
}

pub(crate) fn of_application(config: &Config, application: &Application) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(configured) = config.discord.application_id.filter(|configured| *configured != application.id)
    {
        checks.push(Check::warn(
            Code::DiscordApplicationDiffers,
            format!(
                "DISCORD_CLIENT_ID is {configured}, but DISCORD_TOKEN belongs to the application {}: one of the two is \
                 another bot's.",
                application.id
            ),
            format!("Set DISCORD_CLIENT_ID to {}, or leave it out; or set the token of the other bot.", application.id),
        ));
    }
    if application.takes_interactions_away() {
        checks.push(of_problem(interactions_elsewhere(application.id)));
    }
    if checks.is_empty() {
        let who = match application.bot_public {
            Some(true) => "anybody may invite the bot, and nuncio heeds the operator's servers only",
            Some(false) => "only its owner may invite the bot",
            None => "who may invite the bot is not known",
        };
        checks.push(Check::ok(
            Code::DiscordApplication,
            format!("The application is {}: {who}.", application.id),
        ));
    }
    checks
}

/// The problems of the guilds and the configured roles, by the rules of a running nuncio.
pub(crate) fn of_servers(
    config: &Config,
    snapshot: &Snapshot,
    channels: &BTreeSet<Snowflake>,
    application: Option<Snowflake>,
    now: Timestamp,
) -> Vec<Check> {
    let rules = Rules {
        guilds: config.discord.guilds.clone(),
        approvers: config.decisions.approvers.clone(),
        operators: config.decisions.operators.clone(),
        ..Rules::default()
    };
    let routed = config.routes.routes().iter().flat_map(|route| route.ping.iter().copied());
    let pinged = config.pings.all_roles().chain(routed).collect();
    let servers = snapshot.servers(channels, application);
    let problems = judge_servers(&servers, &rules, &pinged, now);
    if problems.is_empty() {
        let names: Vec<&str> = servers.all.values().flatten().map(String::as_str).collect();
        return vec![Check::ok(Code::DiscordServers, format!("The bot is in {}.", names.join(", ")))];
    }
    problems.into_iter().map(of_problem).collect()
}

/// A check with the text of a running nuncio's problem.
fn of_problem(problem: Problem) -> Check {
    let (found, remedy) = (format!("{}.", problem.found), problem.remedy.unwrap_or_default());
    match problem.code {
        "bot_in_no_server" => Check::fail(Code::DiscordNoServer, found, remedy),
        "unknown_role" => Check::fail(Code::RoleUnknown, found, remedy),
        "role_is_everyone" => Check::fail(Code::RoleIsEveryone, found, remedy),
        "unknown_ping_role" => Check::warn(Code::PingRoleUnknown, found, remedy),
        "interactions_elsewhere" => Check::fail(Code::DiscordInteractionsEndpoint, found, remedy),
        "bot_timed_out" => Check::fail(Code::BotTimedOut, found, remedy),
        "ping_reaches_nobody" => Check::warn(Code::PingReachesNobody, found, remedy),
        // "unknown_server"
        _ => Check::fail(Code::DiscordServerUnknown, found, remedy),
    }
}

/// Why Discord did not answer a request.
pub(crate) fn away(base: &DiscordBase, failure: &DiscordFailure) -> Check {
    if failure.status == Some(401) {
        return Check::fail(
            Code::DiscordTokenRefused,
            "Discord refuses DISCORD_TOKEN: it was reset, or is not a bot's token.",
            format!(
                "Make a new one (Developer Portal {PORTAL}, your application, Bot, Reset Token) and put it into DISCORD_TOKEN."
            ),
        );
    }
    Check::fail(
        Code::DiscordUnreachable,
        format!("Discord ({}) does not answer as it should: {failure}.", base.host()),
        format!(
            "Check the network of this machine: curl -i {}/gateway. DISCORD_API_URL is for tests and proxies only.",
            base.rest()
        ),
    )
}

pub(crate) fn silent(host: &str) -> Check {
    Check::fail(
        Code::DiscordUnreachable,
        format!("Discord ({host}) did not answer within {} s.", LIMIT.as_secs()),
        "Check the network of this machine and its firewall.",
    )
}
