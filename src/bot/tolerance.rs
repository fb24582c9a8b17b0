//! What servers other than Discord tell in fewer words: read all the same, by what nuncio needs of it.
//!
//! Serenity gives what it cannot read whole as an unknown event. Of an interaction only who, where, what and how to
//! answer is needed; of a server only names, roles and channels. What is missing is never guessed in anybody's favour:
//! somebody without roles has none, and a message without an author is not ours.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};
use serenity::all::{Client, Context, Framework, FullEvent, Interaction};
use serenity::async_trait;

use crate::bot::component::Clicks;
use crate::bot::guild::{Channel, Guild, Overwrite, Role, Whom};

/// The author of a message whose author is not told: nobody.
const NOBODY: u64 = 1;
/// Discord: "Channel Types", announcement, public and private threads.
const THREADS: [u64; 3] = [10, 11, 12];

/// Poise, within reach of what serenity could not read.
pub(super) struct Commands<F> {
    poise: Option<F>,
    ready: Arc<OnceLock<F>>,
}

/// Where an interaction goes that serenity could not read.
pub(super) struct Hearing<F> {
    clicks: Clicks,
    commands: Arc<OnceLock<F>>,
}

impl<F: Framework> Commands<F> {
    /// `poise`, and the hearing that shares it.
    pub(super) fn around(poise: F, clicks: Clicks) -> (Self, Hearing<F>) {
        let ready = Arc::new(OnceLock::new());
        (Self { poise: Some(poise), ready: Arc::clone(&ready) }, Hearing { clicks, commands: ready })
    }
}

#[async_trait]
impl<F: Framework> Framework for Commands<F> {
    async fn init(&mut self, client: &Client) {
        if let Some(mut poise) = self.poise.take() {
            poise.init(client).await;
            let _ = self.ready.set(poise);
        }
    }

    async fn dispatch(&self, context: Context, event: FullEvent) {
        if let Some(poise) = self.ready.get() {
            poise.dispatch(context, event).await;
        }
    }
}

/// As [`Hearing::hear`], whatever framework it is.
#[async_trait]
pub(super) trait Hears: Send + Sync {
    /// Reads an interaction leniently and passes it on; says so if there is nothing to be read.
    async fn hear(&self, context: Context, told: Value);
}

#[async_trait]
impl<F: Framework> Hears for Hearing<F> {
    async fn hear(&self, context: Context, told: Value) {
        match interaction(&told) {
            Ok(interaction) => {
                self.clicks.hear(&context, &interaction).await;
                if let Some(commands) = self.commands.get() {
                    commands.dispatch(context, FullEvent::InteractionCreate { interaction }).await;
                }
            }
            Err(error) => {
                let fields: Vec<&str> =
                    told.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                tracing::warn!(
                    "somebody pressed a button or typed a command, and the gateway told of it in a way that cannot be \
                     read ({error}); its fields are {}. Nothing was done",
                    fields.join(" ")
                );
            }
        }
    }
}

/// An interaction out of what is needed of it.
fn interaction(told: &Value) -> serde_json::Result<Interaction> {
    let channel = [&told["channel_id"], &told["channel"]["id"], &told["message"]["channel_id"]];
    let mut whole = json!({
        "version": 1, "locale": "en-US", "entitlements": [], "attachment_size_limit": 0, "app_permissions": null,
        "channel_id": channel.into_iter().find(|id| !id.is_null()),
        "data": told["data"],
    });
    keep(&mut whole, told, &["id", "application_id", "type", "guild_id", "token", "user"]);
    if let Some(data) = whole["data"].as_object_mut() {
        let kind = if told["type"] == 3 { ("component_type", 2) } else { ("type", 1) };
        data.entry(kind.0).or_insert_with(|| kind.1.into());
    }
    let member = &told["member"];
    if member.is_object() {
        let user = if member["user"].is_object() { &member["user"] } else { &told["user"] };
        whole["member"] = json!({
            "user": user, "roles": [], "deaf": false, "mute": false, "flags": 0, "joined_at": null,
            "permissions": text_of(&member["permissions"]),
        });
        keep(&mut whole["member"], member, &["nick", "roles", "communication_disabled_until"]);
    }
    let message = &told["message"];
    if message.is_object() {
        whole["message"] = json!({
            "channel_id": whole["channel_id"], "author": {"id": NOBODY.to_string(), "username": ""}, "content": "",
            "timestamp": "1970-01-01T00:00:00Z", "edited_timestamp": null, "tts": false, "mention_everyone": false,
            "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "pinned": false, "type": 0,
        });
        let author = &message["author"];
        keep(&mut whole["message"], message, &["id", "webhook_id"]);
        if !author["id"].is_null() {
            whole["message"]["author"]["id"] = author["id"].clone();
        }
    }
    serde_json::from_value(whole)
}

/// Copies what is told of these fields.
fn keep(to: &mut Value, from: &Value, fields: &[&str]) {
    for field in fields {
        if let Some(value) = from.get(field).filter(|value| !value.is_null()) {
            to[*field] = value.clone();
        }
    }
}

/// Permission bits, which Discord writes as text.
fn text_of(bits: &Value) -> Option<String> {
    bits.as_str().map(str::to_owned).or_else(|| bits.as_u64().map(|bits| bits.to_string()))
}

/// A server out of what is needed of it; `None` without an id.
pub(super) fn guild(told: &Value, bot: u64) -> Option<Guild> {
    let all = |name: &str| told[name].as_array().into_iter().flatten();
    let me = all("members").find(|member| id(&member["user"]["id"]) == Some(bot));
    let role = |role: &Value| {
        Some((id(&role["id"])?, Role { name: name(role), grants: bits(&role["permissions"]) }))
    };
    Some(Guild {
        id: id(&told["id"])?,
        name: name(told),
        owner: id(&told["owner_id"]).unwrap_or_default(),
        roles: all("roles").filter_map(role).collect(),
        held: me
            .into_iter()
            .flat_map(|me| me["roles"].as_array().into_iter().flatten())
            .filter_map(id)
            .collect(),
        channels: all("channels").chain(all("threads")).filter_map(channel).collect(),
    })
}

fn channel(told: &Value) -> Option<(u64, Channel)> {
    let is_thread = told["type"].as_u64().is_some_and(|kind| THREADS.contains(&kind));
    let overwrite = |told: &Value| {
        let whom = id(&told["id"])?;
        let is_role = told["type"] == 0 || told["type"] == "role";
        let whom = if is_role { Whom::Role(whom) } else { Whom::Member(whom) };
        Some(Overwrite { whom, allow: bits(&told["allow"]), deny: bits(&told["deny"]) })
    };
    let overwrites = told["permission_overwrites"].as_array().into_iter().flatten();
    let channel = Channel {
        name: name(told),
        thread_of: id(&told["parent_id"]).filter(|_| is_thread),
        overwrites: overwrites.filter_map(overwrite).collect(),
    };
    Some((id(&told["id"])?, channel))
}

fn name(told: &Value) -> String {
    told["name"].as_str().unwrap_or_default().to_owned()
}

fn id(told: &Value) -> Option<u64> {
    told.as_u64().or_else(|| told.as_str()?.parse().ok())
}

fn bits(told: &Value) -> u64 {
    id(told).unwrap_or_default()
}

/// Why the first word of a connection cannot be read.
pub(super) fn unreadable_ready(told: Value) -> String {
    let needed = ["v", "user", "guilds", "session_id", "resume_gateway_url", "application"];
    let empty = Map::new();
    let fields = told.as_object().unwrap_or(&empty);
    let missing: Vec<&str> = needed.into_iter().filter(|field| !fields.contains_key(*field)).collect();
    if missing.is_empty() {
        let error = serde_json::from_value::<serenity::all::Ready>(told).err();
        let error = error.map_or_else(String::new, |error| format!(" ({error})"));
        return format!("the gateway's READY cannot be read{error}");
    }
    format!("the gateway's READY cannot be read: it lacks {}", missing.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Value {
        json!({
            "id": "7", "application_id": "9", "type": 3, "token": "t", "guild_id": 5, "channel_id": "6",
            "member": {"user": {"id": "8", "username": "alice"}, "roles": ["11", 12], "permissions": 32},
            "message": {"id": "10"}, "data": {"custom_id": "v1:approve:x"},
        })
    }

    #[test]
    fn a_click_is_read_from_what_is_needed_of_it() {
        let Interaction::Component(click) = interaction(&told()).unwrap() else { panic!("no click") };
        let member = click.member.as_ref().unwrap();
        assert_eq!(member.roles.len(), 2);
        assert!(member.permissions.unwrap().manage_guild());
        assert_eq!((click.user.id.get(), click.message.author.id.get()), (8, NOBODY));
        assert_eq!(click.channel_id.get(), 6);
    }

    // What this module stands on: serenity gives what it cannot read as unknown, and does not drop it.
    #[test]
    fn what_cannot_be_read_comes_as_unknown() {
        use serenity::all::{Event, GatewayEvent};
        for kind in ["INTERACTION_CREATE", "GUILD_CREATE", "READY"] {
            let event = json!({"op": 0, "s": 1, "t": kind, "d": told()});
            match serde_json::from_value::<GatewayEvent>(event) {
                Ok(GatewayEvent::Dispatch(1, Event::Unknown(unknown))) => assert_eq!(unknown.kind, kind),
                other => panic!("{kind}: {other:?}"),
            }
        }
    }

    // D-4: what is missing makes nobody mightier.
    #[test]
    fn what_is_missing_is_not_guessed() {
        let mut told = told();
        told["member"] = json!({"user": {"id": "8", "username": "alice"}});
        let Interaction::Component(click) = interaction(&told).unwrap() else { panic!("no click") };
        let member = click.member.unwrap();
        assert!(member.roles.is_empty() && member.permissions.is_none());
        for needed in ["id", "token", "type", "data"] {
            let mut told = self::told();
            told.as_object_mut().unwrap().remove(needed);
            assert!(interaction(&told).is_err(), "{needed}");
        }
    }

    #[test]
    fn a_server_is_read_from_what_is_needed_of_it() {
        let told = json!({
            "id": "5", "name": "Acme", "roles": [{"id": "5", "name": "@everyone", "permissions": "1024"}],
            "members": [{"user": {"id": "9"}, "roles": ["11"]}],
            "channels": [{"id": 6, "name": "tickets", "type": 0,
                "permission_overwrites": [{"id": "11", "type": 0, "allow": "0", "deny": "2048"}]}],
        });
        let guild = guild(&told, 9).unwrap();
        assert_eq!((guild.name.as_str(), guild.roles[&5].grants), ("Acme", 1024));
        assert!(guild.held.contains(&11));
        assert_eq!(guild.channels[&6].overwrites[0].deny, 2048);
    }

    #[test]
    fn an_unreadable_ready_says_what_it_lacks() {
        assert_eq!(
            unreadable_ready(
                json!({"v": 10, "user": {}, "guilds": [], "session_id": "s", "application": {}})
            ),
            "the gateway's READY cannot be read: it lacks resume_gateway_url"
        );
    }
}
