//! Lenient parsing of READY: the bot's identity is enough to continue.
//!
//! Discord-compatible servers may omit the resume URL, send whole guilds where Discord only announces them, or have no
//! application object. Serenity waits for a READY that it can parse, but otherwise continues; with fields missing, a
//! lost connection only starts a new session instead of resuming.

use serde_json::{Value, json};
use serenity::all::Ready;

use crate::bot::guild::Guild;
use crate::bot::lenient::{guild, id};

/// Parses a READY that serenity could not, and the whole guilds in it.
///
/// # Errors
/// A sentence, if the bot's identity is missing.
pub(in crate::bot::gateway) fn ready(raw: &Value) -> Result<(Ready, Vec<Guild>), String> {
    let Some(bot) = id(&raw["user"]["id"]) else {
        return Err("the gateway's READY event cannot be read: it has no user.id".to_owned());
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let guilds = || raw["guilds"].as_array().into_iter().flatten();
    let announced: Vec<Value> = guilds()
        .filter_map(|raw| Some(json!({"id": id(&raw["id"])?.to_string(), "unavailable": true})))
        .collect();
    // The application's id equals the bot's for all but very old bots.
    let application = id(&raw["application"]["id"]).unwrap_or(bot);
    let whole = json!({
        "v": 10, "session_id": text(&raw["session_id"]), "resume_gateway_url": text(&raw["resume_gateway_url"]),
        "user": {"id": bot.to_string(), "username": text(&raw["user"]["username"]), "bot": true},
        "guilds": announced, "application": {"id": application.to_string(), "flags": 0},
    });
    let ready = serde_json::from_value(whole)
        .map_err(|error| format!("the gateway's READY event cannot be read ({error})"))?;
    let whole = guilds().filter(|raw| raw["channels"].is_array()).filter_map(|raw| guild(raw, bot));
    Ok((ready, whole.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_the_bot_is_will_do() {
        let (ready, guilds) = ready(&json!({"user": {"id": 9}})).unwrap();
        assert_eq!((ready.user.id.get(), ready.application.id.get()), (9, 9));
        assert!(ready.guilds.is_empty() && guilds.is_empty());
        assert!(super::ready(&json!({"v": 10, "guilds": []})).unwrap_err().contains("has no user.id"));
    }

    // As YEPCord sends it: no `unavailable`, and the guilds whole.
    #[test]
    fn servers_that_are_told_whole_are_taken() {
        let raw = json!({
            "v": 9, "user": {"id": "9", "username": "nuncio"}, "session_id": "s", "application": {"id": "8"},
            "guilds": [
                {"id": "5", "properties": {"name": "Acme"}, "channels": [{"id": "6", "name": "tickets", "type": 0}]},
                {"id": "7", "unavailable": true},
            ],
        });
        let (ready, guilds) = ready(&raw).unwrap();
        assert_eq!(ready.guilds.iter().map(|guild| guild.id.get()).collect::<Vec<_>>(), [5, 7]);
        assert_eq!((guilds.len(), guilds[0].name.as_str()), (1, "Acme"));
        assert_eq!(ready.application.id.get(), 8);
    }
}
