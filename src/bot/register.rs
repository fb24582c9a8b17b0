//! Registration of the slash commands with Discord. Never fatal: commands registered earlier keep working.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use crate::bot::gateway::command;
use crate::bot::{Shared, portal};
use crate::discord::DiscordFailure;
use crate::model::Snowflake;

/// Initial backoff; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Discord: "JSON Error Codes".
const UNKNOWN_GUILD: u64 = 10_004;
const MISSING_ACCESS: u64 = 50_001;
const INVALID_FORM: u64 = 50_035;
/// Maximum number of guilds that are searched for old commands.
const MOST_SWEPT: usize = 20;

/// Registers the commands in the background, once per process.
/// `seen` are the guilds that the bot is in.
pub(super) fn begin(shared: &Arc<Shared>, application: u64, seen: Vec<Snowflake>) {
    if shared.registered.swap(true, Ordering::AcqRel) {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let stopping = shared.stopping.clone();
        let work = async {
            tokio::join!(portal::inspect(&shared), register(&shared, Snowflake::new(application), &seen))
        };
        let _ = stopping.run_until_cancelled(work).await;
    });
}

/// All commands, as the JSON that Discord receives.
#[must_use]
pub fn commands() -> Option<Value> {
    let mut commands = command::definitions().ok()?;
    strip(&mut commands);
    Some(commands)
}

async fn register(shared: &Shared, application: Snowflake, seen: &[Snowflake]) {
    let Some(commands) = commands() else { return };
    if shared.guilds.is_empty() {
        until_done(shared, application, None, &commands).await;
    }
    for guild in &shared.guilds {
        until_done(shared, application, Some(*guild), &commands).await;
    }
    // A command that is registered both globally and in a guild appears there twice.
    let elsewhere: Vec<Option<Snowflake>> =
        if shared.guilds.is_empty() { seen.iter().copied().map(Some).collect() } else { vec![None] };
    for place in elsewhere.into_iter().take(MOST_SWEPT) {
        remove_doubles(shared, application, place, &commands).await;
    }
}

/// Removes our commands from `place`, where an earlier configuration, or the Node bot, left them. Commands under other
/// names stay.
async fn remove_doubles(shared: &Shared, application: Snowflake, place: Option<Snowflake>, commands: &Value) {
    let ours = commands.as_array().into_iter().flatten().filter_map(|command| command["name"].as_str());
    let ours: Vec<&str> = ours.collect();
    // A server without this endpoint has no duplicates either.
    let Ok(found) = shared.client.commands(application, place).await else { return };
    let named = place.map_or_else(|| "everywhere".to_owned(), |guild| format!("in server {guild}"));
    for double in found.iter().filter(|command| ours.contains(&command.name.as_str())) {
        match shared.client.delete_command(application, place, double.id).await {
            Ok(()) => tracing::info!(
                "removed /{} as it was registered {named}: it would have appeared twice",
                double.name
            ),
            Err(failure) => tracing::warn!(
                "/{} is registered {named} as well and appears twice: it could not be removed: {failure}",
                double.name
            ),
        }
    }
}

/// Removes empty values. To Discord both forms are equal; strict servers refuse an option whose `options` are empty or
/// whose `min_value` is null.
fn strip(value: &mut Value) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(list) => list.iter_mut().for_each(strip),
        Value::Object(object) => {
            object.values_mut().for_each(strip);
            object.retain(|_, value| !is_empty(value));
        }
        _ => {}
    }
}

/// Retries until Discord accepts the commands. A guild without the bot is retried too: the bot may be invited later.
async fn until_done(shared: &Shared, application: Snowflake, guild: Option<Snowflake>, commands: &Value) {
    let place = guild.map_or_else(|| "everywhere".to_owned(), |guild| format!("in server {guild}"));
    let mut pause = FIRST;
    loop {
        match shared.client.put_commands(application, guild, commands).await {
            Ok(()) => {
                tracing::info!("commands registered {place}: {}", listed(commands));
                return;
            }
            Err(failure) => {
                tracing::warn!(
                    retry_in_s = pause.as_secs(),
                    "the commands could not be registered {place}: {failure}. {}",
                    remedy(&failure)
                );
                shared.clock.sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}

/// Why the commands were refused, and the fix.
fn remedy(failure: &DiscordFailure) -> &'static str {
    match (failure.status, failure.code) {
        (_, Some(MISSING_ACCESS | UNKNOWN_GUILD)) | (Some(403), None) => {
            "The bot must be in that server, invited with the scope applications.commands"
        }
        (_, Some(INVALID_FORM)) => {
            "This is a bug in nuncio: please report it. The bot keeps the commands it had"
        }
        _ => "The bot keeps the commands it had",
    }
}

/// "/webhook-status /mute; in a message's menu: Redeliver, Show raw".
fn listed(commands: &Value) -> String {
    let named = |is_typed: bool| {
        let all = commands.as_array().into_iter().flatten();
        let of = all.filter(move |command| (command["type"].as_u64().unwrap_or(1) == 1) == is_typed);
        of.map(|command| command["name"].as_str().unwrap_or_default())
    };
    let typed: Vec<String> = named(true).map(|name| format!("/{name}")).collect();
    let menu: Vec<&str> = named(false).collect();
    match menu.is_empty() {
        true => typed.join(" "),
        false => format!("{}; in a message's menu: {}", typed.join(" "), menu.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_says_nothing_is_left_out() {
        let mut value = json!([{
            "name": "a", "nsfw": false, "description": "", "min_value": null,
            "options": [{"name": "b", "options": [], "choices": [], "name_localizations": {}}], "contexts": null,
        }]);
        strip(&mut value);
        let left = json!([{"name": "a", "nsfw": false, "description": "", "options": [{"name": "b"}]}]);
        assert_eq!(value, left);
    }
}
