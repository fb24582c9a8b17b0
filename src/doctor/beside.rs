//! The bot of a nuncio that runs on the same database, according to its `/health`.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::code::Code;
use crate::doctor::{Check, LIMIT, ingress};
use crate::hub::{Condition, TOKEN_SHARED};
use crate::outgoing::{NUNCIO_LIMIT, Outgoing, USER_AGENT, read_body};
use crate::store::Lock;

/// The time limit for a nuncio on this machine, which answers at once.
const NEAR: Duration = Duration::from_secs(3);
/// The pause after an answer before the next request.
const AGAIN: Duration = Duration::from_millis(500);

/// Whether its bot is connected, and whether another program answers in its place; nothing if no nuncio runs.
pub(super) async fn checks(config: &Config, clock: &Clock) -> Vec<Check> {
    let webhook = &config.webhook;
    if webhook.port == 0 || !config.discord.gateway || !Lock::is_held(&config.database.path) {
        return Vec::new();
    }
    let near = SocketAddr::new(ingress::reachable(webhook.host), webhook.port);
    let until = clock.elapsed() + LIMIT;
    let health = loop {
        let Some(health) = health(near).await else { return Vec::new() };
        // Shortly after its start it is still connecting, and has no reason to report.
        if health["discord"] != "disconnected" || reason(&health).is_some() || clock.elapsed() >= until {
            break health;
        }
        clock.sleep(AGAIN).await;
    };
    let mut checks = Vec::new();
    let is_shared = |problem: &str| [TOKEN_SHARED, Condition::TokenShared.as_str()].contains(&problem);
    if problems(&health).any(is_shared) {
        checks.push(Check::fail(
            Code::DiscordTokenShared,
            "Another program uses DISCORD_TOKEN: within the last hour it answered a click or a command before the running \
             nuncio did.",
            "Stop that program, an old bot for instance. If you cannot find it, reset the token (Developer Portal, Bot, Reset \
             Token), put the new one into DISCORD_TOKEN and restart nuncio.",
        ));
    }
    if health["discord"] == "disconnected" {
        checks.push(Check::warn(
            Code::BotOffline,
            format!(
                "The running nuncio has no connection to Discord: commands and buttons do not work. {}",
                reason(&health).unwrap_or("Its log says why (logs/error.log).")
            ),
            "It tries again by itself, but not with a token that Discord refused: once DISCORD_TOKEN is right, restart it.",
        ));
    }
    checks
}

fn problems(health: &Value) -> impl Iterator<Item = &str> {
    health["problems"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Why its bot is not connected, as it reports.
fn reason(health: &Value) -> Option<&str> {
    problems(health).find(|problem| problem.starts_with("The bot") || problem.starts_with("Discord"))
}

/// The running nuncio's `/health`; `None` if no nuncio answers.
async fn health(near: SocketAddr) -> Option<Value> {
    let http = Outgoing::new(USER_AGENT, NEAR, true).client().ok()?;
    let response = http.get(format!("http://{near}/health")).send().await.ok()?;
    let body = read_body(response, NUNCIO_LIMIT).await.ok()?;
    serde_json::from_slice::<Value>(&body).ok().filter(|health| health["service"] == "nuncio")
}
