//! Servers that are none of the operator's: whoever owns one can invite the bot, and may do everything there.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `authorize::check_guild` before every command | `whoever_invites_the_bot_does_and_reads_nothing_by_any_command` |
//! | `check_guild` in `may_operate`, in `leaf`, or in `may` | `no_button_menu_or_dialog_counts_in_a_strangers_server` |
//! | the look at the channel's server in `Hub::set_route` | `a_channel_of_another_server_is_not_set` |
//! | the count of servers in `judge` in `hub/guilds/access.rs` | `a_fresh_installation_hears_its_only_server` |

use std::collections::BTreeMap;

use nuncio::sandbox::discord::RateLimits;
use serde_json::{Value, json};
use tracing::Level;

use super::permission::{all, registered};
use super::{Stage, content};
use crate::harness::Message;

const STRANGE: &str = "Commands and buttons do not work in this server: it is not one of the operator's. If it is yours, put its id `";

/// Carol's own server, with the bot in it: its id, and its only channel's.
pub(super) struct Strange {
    guild: String,
    pub(super) channel: String,
}

/// Carol invites the bot.
pub(super) async fn invited(s: &Stage) -> Strange {
    let (guild, channel) = s.t.discord.invite("Mallory", "carol", "lair").unwrap();
    s.t.discord.set_rate_limits(RateLimits::unlimited());
    s.t.log.seen(Level::WARN, &format!("the bot is also in the server Mallory ({guild})")).await;
    Strange { guild: guild.to_string(), channel: channel.to_string() }
}

impl Strange {
    /// Carol, who owns the place, does something there; the first answer.
    pub(super) async fn acts(&self, s: &Stage, kind: u64, data: &Value, message: Option<&str>) -> Value {
        let mut body =
            json!({"type": kind, "channel_id": self.channel, "guild_id": self.guild, "data": data});
        if let Some(message) = message {
            body["message_id"] = json!(message);
        }
        let carol = s.t.person("carol");
        let id = carol.acts(&body).await;
        carol.answer(&id).await
    }

    /// The bot posts a message with a button there.
    async fn posts(&self, s: &Stage, custom_id: &str) -> String {
        let button = json!({"type": 2, "style": 1, "label": "Press", "custom_id": custom_id});
        let body = json!({"content": "a button", "components": [{"type": 1, "components": [button]}]});
        let url = format!("{}/v10/channels/{}/messages", s.t.variable("DISCORD_API_URL"), self.channel);
        let token = format!("Bot {}", s.t.discord.bot_token().expose());
        let posted = crate::harness::http().post(url).header("authorization", token).json(&body).send().await;
        let posted: Value = posted.unwrap().json().await.unwrap();
        s.t.channel("lair").next_message().await;
        posted["id"].as_str().unwrap_or_else(|| panic!("{posted:#}")).to_owned()
    }
}

/// Whether the answer is the refusal, for this person alone.
pub(super) fn is_refused(what: &str, answer: &Value) {
    assert_eq!((&answer["type"], &answer["data"]["flags"]), (&json!(4), &json!(64)), "{what}: {answer:#}");
    assert!(content(&answer["data"]).starts_with(STRANGE), "{what}: {answer:#}");
}

// D-4, D-10
#[tokio::test]
async fn whoever_invites_the_bot_does_and_reads_nothing_by_any_command() {
    let s = Stage::start().await;
    s.t.sends("machine_registered.json").await;
    let card = s.t.channel("machines").next_message().await;
    s.t.settle().await;
    let strange = invited(&s).await;
    let message = strange.posts(&s, "v1:route").await;
    let mut refused = 0;
    for (name, mut data) in all(&registered(&s)) {
        if data["type"] == 3 {
            data["target_id"] = json!(message);
        }
        is_refused(&name, &strange.acts(&s, 2, &data, None).await);
        refused += 1;
        let entry = s.audited(refused).await;
        let action = format!("command.{}", name.split(' ').next().unwrap().to_lowercase());
        assert!(entry.action.starts_with(&action), "{name}: {}", entry.action);
        assert_eq!((entry.subject.as_str(), entry.outcome.as_str()), ("server", "refused"));
        assert!(entry.detail.contains(&format!("in server {}", strange.guild)), "{}", entry.detail);
    }
    assert!(refused >= 15, "{refused}");
    // Nor is anything suggested.
    let half = |command: &str, sub: Option<&str>, name: &str| {
        let typed = json!([{"name": name, "type": 3, "value": "", "focused": true}]);
        let options = sub.map_or(typed.clone(), |sub| json!([{"name": sub, "type": 1, "options": typed}]));
        json!({"name": command, "type": 1, "options": options})
    };
    for data in [
        half("machine", Some("approve"), "machine"),
        half("mute", None, "kind"),
        half("unmute", None, "mute"),
    ] {
        let answer = strange.acts(&s, 4, &data, None).await;
        assert_eq!(
            (&answer["type"], &answer["data"]["choices"]),
            (&json!(8), &json!([])),
            "{data}: {answer:#}"
        );
    }
    assert_eq!(s.platform.recorded_requests(), []);
    assert_eq!((s.t.hub().mutes().await.unwrap(), s.t.hub().set_routes()), (vec![], vec![]));
    assert_eq!(s.t.channel("machines").now(card.id()).buttons(), ["Approve", "Deny", "Details"]);
    // At home all is as it was.
    let suggested =
        s.suggestions("machine", half("machine", Some("approve"), "machine")["options"].clone()).await;
    assert_eq!(suggested.len(), 1, "{suggested:?}");
    s.finish().await;
}

/// The configuration, and the menu of channels that Set channel comes to in the end.
async fn asked_where(s: &Stage) -> (Message, Message) {
    s.types("webhook-config", json!([])).await;
    let config = s.sees("the configuration", |now| now.buttons() == ["Set channel"]).await;
    s.chooses(&config, 2, "v1:route", &[]).await;
    let keys = s.sees("the first step", |now| now.content() == "Which events?").await;
    s.chooses(&keys, 3, "v1:route-key", &["default"]).await;
    let places = s.sees("the second step", |now| now.content().starts_with("Where do events of")).await;
    (config, places)
}

// D-4: every button there is, pressed by the owner of the server it stands in.
#[tokio::test]
async fn no_button_menu_or_dialog_counts_in_a_strangers_server() {
    let s = Stage::start().await;
    s.t.sends("machine_registered.json").await;
    let card = s.t.channel("machines").next_message().await;
    let (config, places) = asked_where(&s).await;
    s.chooses(&config, 2, "v1:route", &[]).await;
    let keys = s.sees("the first step again", |now| now.content() == "Which events?").await;
    let dialog = s.chooses(&keys, 3, "v1:route-key", &["v1:route-other"]).await;
    let strange = invited(&s).await;
    let carol = s.t.discord.user_id("carol").unwrap();
    let mut refused = 0;
    for custom_id in [
        "v1:route".to_owned(),
        "v1:unroute".to_owned(),
        format!("v1:page:pending:0:{carol}"),
        format!("v1:page:failed:1:{carol}"),
        card.custom_id("Approve"),
        card.custom_id("Deny"),
        card.custom_id("Details"),
    ] {
        let message = strange.posts(&s, &custom_id).await;
        let data = json!({"component_type": 2, "custom_id": custom_id});
        is_refused(&custom_id, &strange.acts(&s, 3, &data, Some(&message)).await);
        refused += 1;
        assert_eq!(s.audited(refused).await.outcome, "refused", "{custom_id}");
    }

    // What only an answer to an answer holds, told as if it came from there.
    let owner = json!({"guild_id": strange.guild, "member": {"permissions": "8", "roles": []}});
    s.t.discord.distort_interactions(Some(owner));
    is_refused("the dialog", &s.t.person("alice").submits("general", &dialog, "ticket.*").await);
    refused += 1;
    assert_eq!(s.audited(refused).await.action, "route.set");
    let lair = s.t.discord.channel_id("general").unwrap().to_string();
    for (on, kind, custom_id, values) in [
        (&keys, 3, "v1:route-key", vec!["default"]),
        (&places, 8, "v1:route-to:default", vec![lair.as_str()]),
    ] {
        is_refused(custom_id, &s.chooses(on, kind, custom_id, &values).await);
        refused += 1;
        assert_eq!(s.audited(refused).await.action, "route.set", "{custom_id}");
    }
    s.t.discord.distort_interactions(None);

    assert_eq!((s.platform.recorded_requests(), s.t.hub().set_routes()), (vec![], vec![]));
    assert_eq!(s.t.channel("machines").now(card.id()).buttons(), ["Approve", "Deny", "Details"]);
    s.finish().await;
}

// A menu of channels that somebody kept from elsewhere.
#[tokio::test]
async fn a_channel_of_another_server_is_not_set() {
    let s = Stage::start().await;
    let strange = invited(&s).await;
    let (_, places) = asked_where(&s).await;
    s.t.discord.distort_interactions(Some(json!({"data": {"values": [strange.channel]}})));
    let general = s.t.discord.channel_id("general").unwrap().to_string();
    s.chooses(&places, 8, "v1:route-to:default", &[&general]).await;
    let told = "that channel is in another server: set it there, or in DISCORD\\_WEBHOOK\\_CHANNELS. Nothing was changed.";
    s.sees("an answer", |now| now.content() == told).await;
    assert_eq!(s.audited(1).await.outcome, "refused");
    assert_eq!(s.t.hub().set_routes(), []);
    s.t.discord.distort_interactions(None);
    s.finish().await;
}

fn without_a_map(variables: &mut BTreeMap<String, String>) {
    variables.remove("DISCORD_WEBHOOK_CHANNELS");
}

/// Alice asks for the status; what she is told.
async fn status(s: &Stage) -> Value {
    s.types("webhook-status", json!([])).await
}

// Before anything is set up, commands help to set it up; as soon as there is a doubt whose bot it is, they do not.
#[tokio::test]
async fn a_fresh_installation_hears_its_only_server() {
    let mut s = Stage::with(without_a_map).await;
    let home = s.t.discord.guild_id().to_string();
    assert!(status(&s).await["embeds"][0].is_object());
    let _ = s.t.discord.invite("Mallory", "carol", "lair").unwrap();
    let problem = "commands and buttons are refused to everybody: the bot is in several servers, and the map names no \
                   channel, so nuncio does not know which server is yours. Put its id into DISCORD_GUILD_ID and restart";
    s.t.log.seen(Level::WARN, problem).await;
    assert_eq!(
        content(&status(&s).await),
        format!(
            "nuncio does not know which server is the operator's, so commands and buttons work in none. If it is this one, \
             put its id `{home}` into DISCORD_GUILD_ID in .env and restart nuncio."
        )
    );
    let problems = s.t.health().await["problems"].clone();
    assert!(problems.as_array().unwrap().contains(&json!(problem)), "{problems:#}");

    // What the sentence says helps.
    s.t.set("DISCORD_GUILD_ID", home);
    s.t.restart().await;
    s.t.online().await;
    assert!(status(&s).await["embeds"][0].is_object());
    s.t.log.seen(Level::WARN, "the bot is also in the server Mallory").await;
    let problems = s.t.health().await["problems"].clone();
    assert!(!problems.as_array().unwrap().contains(&json!(problem)), "{problems:#}");
    s.finish().await;
}

// A click that comes with the first words of the gateway is not refused for being early.
#[tokio::test]
async fn who_is_at_home_is_heard_right_after_a_start() {
    let mut s = Stage::start().await;
    s.t.sends("machine_registered.json").await;
    let card: Message = s.t.channel("machines").next_message().await;
    s.t.settle().await;
    s.t.restart().await;
    // Connected, but the servers may not have arrived yet.
    s.t.online().await;
    let answer = s.t.person("alice").clicks("machines", &card, "Details").await;
    assert_eq!(answer["type"], 5, "{answer:#}");
    s.finish().await;
}

#[tokio::test]
async fn a_server_whose_channel_is_deleted_can_still_set_another() {
    let s = Stage::with(|variables| {
        let map: Value = serde_json::from_str(&variables["DISCORD_WEBHOOK_CHANNELS"]).unwrap();
        variables
            .insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), json!({"default": map["asset.*"]}).to_string());
    })
    .await;
    s.t.table_line("Acme NOC / #assets  ok").await;
    s.t.discord.delete_channel(s.t.discord.channel_id("assets").unwrap());
    s.t.table_line("or the bot is not in that server").await;
    assert!(status(&s).await["embeds"][0].is_object());
    s.finish().await;
}
