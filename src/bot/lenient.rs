//! Lenient parsing of guilds from Discord-compatible servers that omit fields or use other ones.
//!
//! nuncio needs only part of a guild: names, roles and channels. A missing field never adds access.

use serde_json::Value;

use crate::bot::guild::{Channel, Guild, Overwrite, Role, Whom, unfit};
use crate::clock::Timestamp;

/// Discord: "Channel Types", announcement, public and private threads.
const THREADS: [u64; 3] = [10, 11, 12];

/// Parses the needed fields of a guild; `None` without an id.
pub(super) fn guild(raw: &Value, bot: u64) -> Option<Guild> {
    let all = |name: &str| raw[name].as_array().into_iter().flatten();
    // Servers built for user clients put a guild's own properties into an object of their own.
    let facts = if raw["properties"].is_object() { &raw["properties"] } else { raw };
    let me = all("members").find(|member| id(&member["user"]["id"]) == Some(bot));
    let role = |role: &Value| {
        Some((
            id(&role["id"])?,
            Role {
                name: name(role),
                grants: bits(&role["permissions"]),
                mentionable: role["mentionable"] == true,
            },
        ))
    };
    Some(Guild {
        id: id(&raw["id"])?,
        name: name(facts),
        owner: id(&facts["owner_id"]).unwrap_or_default(),
        roles: all("roles").filter_map(role).collect(),
        held: me
            .into_iter()
            .flat_map(|me| me["roles"].as_array().into_iter().flatten())
            .filter_map(id)
            .collect(),
        timed_out_until: me
            .and_then(|me| Timestamp::parse_rfc3339(me["communication_disabled_until"].as_str()?))
            .map(|until| Timestamp::from_secs(until.as_secs())),
        channels: all("channels").chain(all("threads")).filter_map(channel).collect(),
    })
}

fn channel(raw: &Value) -> Option<(u64, Channel)> {
    let is_thread = raw["type"].as_u64().is_some_and(|kind| THREADS.contains(&kind));
    let overwrite = |raw: &Value| {
        let whom = id(&raw["id"])?;
        let is_role = raw["type"] == 0 || raw["type"] == "role";
        let whom = if is_role { Whom::Role(whom) } else { Whom::Member(whom) };
        Some(Overwrite { whom, allow: bits(&raw["allow"]), deny: bits(&raw["deny"]) })
    };
    let overwrites = raw["permission_overwrites"].as_array().into_iter().flatten();
    let channel = Channel {
        name: name(raw),
        unfit: raw["type"].as_u64().and_then(unfit),
        is_locked: raw["thread_metadata"]["locked"] == true,
        category: id(&raw["parent_id"]).filter(|_| !is_thread),
        thread_of: id(&raw["parent_id"]).filter(|_| is_thread),
        overwrites: overwrites.filter_map(overwrite).collect(),
    };
    Some((id(&raw["id"])?, channel))
}

fn name(raw: &Value) -> String {
    raw["name"].as_str().unwrap_or_default().to_owned()
}

pub(super) fn id(raw: &Value) -> Option<u64> {
    raw.as_u64().or_else(|| raw.as_str()?.parse().ok())
}

fn bits(raw: &Value) -> u64 {
    id(raw).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_server_is_read_from_what_is_needed_of_it() {
        let raw = json!({
            "id": "5", "name": "Acme", "roles": [{"id": "5", "name": "@everyone", "permissions": "1024"}],
            "members": [{"user": {"id": "9"}, "roles": ["11"]}],
            "channels": [{"id": 6, "name": "tickets", "type": 0,
                "permission_overwrites": [{"id": "11", "type": 0, "allow": "0", "deny": "2048"}]}],
        });
        let guild = guild(&raw, 9).unwrap();
        assert_eq!((guild.name.as_str(), guild.roles[&5].grants), ("Acme", 1024));
        assert!(guild.held.contains(&11));
        assert_eq!(guild.channels[&6].overwrites[0].deny, 2048);
    }

    // As YEPCord sends it, in READY.
    #[test]
    fn a_server_whose_facts_stand_apart_is_read() {
        let raw =
            json!({"id": "5", "properties": {"name": "Acme", "owner_id": 7}, "channels": [], "roles": []});
        let guild = guild(&raw, 9).unwrap();
        assert_eq!((guild.name.as_str(), guild.owner), ("Acme", 7));
    }
}
