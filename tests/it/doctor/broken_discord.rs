//! Broken set-ups of Discord, each four times over: doctor names the cause, and not the near miss beside it; `nuncio serve`
//! prints cause and remedy at its start; what doctor says is carried out to the letter, and then all is green.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | the start names a lost webhook | `lost::name_lost_webhooks` | `case_09_deleted_webhook` |
//! | a bot that is invited nowhere is one problem | the look at `servers` before the channels | `case_04_invited_nowhere` |
//! | a refused token is no outage | 401 in `discord::away` | `case_01_wrong_token` |
//! | a missing scope has a code of its own | 403 in `commands::look` | `case_14_no_commands_scope` |
//! | another bot's commands are named | `foreign` in `commands::look` | `case_15_old_bots_commands` |

use std::time::Duration;

use nuncio::sandbox::discord::Permission;
use serde_json::{Value, json};

use crate::doctor::rig::{NOTHING, Rig};
use crate::harness::{http, nuncio_id};

/// Nobody has this id.
const NOBODY: &str = "1200000000000000009";

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Broken {
    WrongToken,
    TokenWithSpace,
    TokenWithBot,
    InvitedNowhere,
    NoPermission,
    PermissionDeniedInCategory,
    WrongChannel,
    ForumChannel,
    DeletedWebhook,
    WrongServer,
    InteractionsEndpoint,
    UnknownRole,
    TimedOut,
    NoCommandsScope,
    OldBotsCommands,
}

impl Broken {
    /// Breaks it.
    async fn strikes(self, rig: &mut Rig) {
        let token = rig.discord.bot_token().expose().to_owned();
        match self {
            Self::WrongToken => {
                rig.set_to("DISCORD_TOKEN", &token.replace(|letter: char| letter.is_ascii_lowercase(), "x"));
            }
            Self::TokenWithSpace => rig.set_to("DISCORD_TOKEN", &format!("{token} x")),
            Self::TokenWithBot => rig.set_to("DISCORD_TOKEN", &format!("Bot {token}")),
            Self::InvitedNowhere => rig.discord.kick_bot(),
            Self::NoPermission => {
                rig.discord.deny(rig.discord.channel_id("alerts").unwrap(), Permission::SendMessages);
            }
            Self::PermissionDeniedInCategory => deny_in_category(rig, Some(Permission::EmbedLinks)),
            Self::WrongChannel => rig.map_to(&[NOBODY]),
            Self::ForumChannel => rig.map_to(&[&rig.id("ideas")]),
            Self::DeletedWebhook => {
                rig.stores_webhook(&rig.webhook_url()).await;
                assert!(rig.discord.delete_webhook(rig.discord.webhook_id()));
            }
            Self::WrongServer => rig.set_to("DISCORD_GUILD_ID", NOBODY),
            Self::InteractionsEndpoint => {
                rig.discord.set_interactions_endpoint(Some("https://old.example/discord"));
            }
            Self::UnknownRole => rig.set_to("OPERATOR_ROLES", NOBODY),
            Self::TimedOut => {
                let until = rig.discord.clock().now().plus(Duration::from_secs(3600));
                rig.discord.time_bot_out(Some(until));
            }
            Self::NoCommandsScope => {
                rig.set_to("DISCORD_GUILD_ID", &rig.discord.guild_id().to_string());
                rig.discord.forbid_commands();
            }
            Self::OldBotsCommands => {
                registers(rig, Some(rig.discord.guild_id().to_string()), "old-status").await
            }
        }
    }

    /// Does what looks like it and is well.
    async fn nearly(self, rig: &mut Rig) {
        let token = rig.discord.bot_token().expose().to_owned();
        match self {
            Self::WrongToken | Self::TokenWithSpace | Self::TokenWithBot => {
                rig.add_line(&format!("DISCORD_TOKEN =  {token}  "));
            }
            Self::InvitedNowhere => {
                rig.discord.kick_bot();
                let link = nuncio::hub::invite_link(nuncio_id(rig.discord.application_id()));
                assert!(rig.discord.opens_invite(&link));
            }
            Self::NoPermission => {
                // Needed by nothing that nuncio does.
                let alerts = rig.discord.channel_id("alerts").unwrap();
                rig.discord.deny(alerts, Permission::AttachFiles);
                rig.discord.deny(alerts, Permission::AddReactions);
            }
            Self::PermissionDeniedInCategory => deny_in_category(rig, Some(Permission::AttachFiles)),
            Self::WrongChannel => {
                rig.discord.delete_channel(rig.discord.channel_id("machines").unwrap());
            }
            Self::ForumChannel => rig.map_to(&[&rig.id("general")]),
            Self::DeletedWebhook => {
                let other = rig.makes_webhook().await;
                rig.stores_webhook(&other).await;
                assert!(rig.discord.delete_webhook(rig.discord.webhook_id()));
            }
            Self::WrongServer => rig.set_to("DISCORD_GUILD_ID", &rig.discord.guild_id().to_string()),
            Self::InteractionsEndpoint => rig.discord.set_interactions_endpoint(Some(" ")),
            Self::UnknownRole => {
                rig.set_to("OPERATOR_ROLES", &rig.discord.role_id("Operators").unwrap().to_string());
            }
            Self::TimedOut => {
                let over = rig.discord.clock().now();
                rig.discord.time_bot_out(Some(over));
            }
            // Everywhere they need no server's leave.
            Self::NoCommandsScope => rig.discord.forbid_commands(),
            Self::OldBotsCommands => {}
        }
    }

    /// The code, and what doctor exits with.
    fn named(self) -> (&'static str, i32) {
        match self {
            Self::WrongToken => ("discord-token-refused", 1),
            Self::TokenWithSpace | Self::TokenWithBot => ("discord-token-malformed", 78),
            Self::InvitedNowhere => ("discord-no-server", 1),
            Self::NoPermission | Self::PermissionDeniedInCategory => ("channel-permission-missing", 1),
            Self::WrongChannel => ("channel-unknown", 1),
            Self::ForumChannel => ("channel-unfit", 1),
            Self::DeletedWebhook => ("webhook-gone", 1),
            Self::WrongServer => ("discord-server-unknown", 1),
            Self::InteractionsEndpoint => ("discord-interactions-endpoint", 1),
            Self::UnknownRole => ("role-unknown", 1),
            Self::TimedOut => ("bot-timed-out", 1),
            Self::NoCommandsScope => ("commands-scope-missing", 1),
            Self::OldBotsCommands => ("commands-foreign", 0),
        }
    }

    /// Cause and remedy as `nuncio serve` prints them, where it has words of its own.
    fn own_words(self) -> Option<&'static [&'static str]> {
        match self {
            Self::WrongToken => {
                Some(&["Discord refused DISCORD_TOKEN", "Developer Portal → Bot → Reset Token"])
            }
            Self::TokenWithSpace => Some(&["DISCORD_TOKEN (.env line 3)", "Copy"]),
            Self::TokenWithBot => {
                Some(&["DISCORD_TOKEN (.env line 3) begins with \"Bot \"", "the token alone"])
            }
            Self::NoCommandsScope => {
                Some(&["could not be registered in server", "invited with the scope applications.commands"])
            }
            // Nothing of nuncio's fails by them.
            Self::OldBotsCommands => Some(&["commands registered"]),
            _ => None,
        }
    }

    /// Does what doctor said, word by word.
    async fn is_mended(self, rig: &mut Rig, remedy: &str) {
        let says = |words: &str| assert!(remedy.contains(words), "{self:?}: {remedy}");
        match self {
            Self::WrongToken => {
                says("put it into DISCORD_TOKEN");
                rig.set_to("DISCORD_TOKEN", rig.discord.bot_token().expose().to_owned().as_str());
            }
            Self::TokenWithSpace | Self::TokenWithBot => {
                rig.set_to("DISCORD_TOKEN", rig.discord.bot_token().expose().to_owned().as_str());
            }
            Self::InvitedNowhere | Self::NoCommandsScope => {
                let link = remedy.split_whitespace().find(|word| word.starts_with("https://")).unwrap();
                assert!(rig.discord.opens_invite(link), "{link}");
            }
            Self::NoPermission => {
                says(
                    "In the settings of #alerts (Edit Channel, Permissions), choose the bot and allow Send Messages",
                );
                rig.discord.allow(rig.discord.channel_id("alerts").unwrap(), Permission::SendMessages);
            }
            Self::PermissionDeniedInCategory => {
                says("In the settings of the category Customers");
                says("take back the denial of Embed Links for @nuncio");
                deny_in_category(rig, None);
            }
            Self::WrongChannel => {
                says("Copy the channel's id");
                rig.map_to(&[&rig.id("alerts")]);
            }
            Self::ForumChannel => {
                says("the id of a text channel");
                rig.map_to(&[&rig.id("alerts")]);
            }
            Self::DeletedWebhook => {
                let made = rig.makes_webhook().await;
                let command = remedy.split("nuncio discord-webhooks replace ").nth(1).unwrap();
                let id = command.split_whitespace().next().unwrap();
                rig.runs_with(&["discord-webhooks", "replace", id], &made).await;
            }
            Self::WrongServer => {
                says("Correct the id");
                rig.set_to("DISCORD_GUILD_ID", &rig.discord.guild_id().to_string());
            }
            Self::InteractionsEndpoint => {
                says("Empty that field");
                rig.discord.set_interactions_endpoint(None);
            }
            Self::UnknownRole => {
                says("Copy the role's id");
                rig.set_to("OPERATOR_ROLES", &rig.discord.role_id("Operators").unwrap().to_string());
            }
            Self::TimedOut => {
                says("Remove Timeout");
                rig.discord.time_bot_out(None);
            }
            Self::OldBotsCommands => {
                let guild = rig.discord.guild_id().to_string();
                says(&format!("once with DISCORD_GUILD_ID={guild}, then again without it"));
                rig.set_to("DISCORD_GUILD_ID", &guild);
                // The last of its own that are cleared away each time.
                let last = "removed /Show raw as it was registered";
                rig.starts(&[last]).await;
                rig.take_out("DISCORD_GUILD_ID");
                rig.starts(&[last]).await;
            }
        }
    }
}

/// Denies the bot's own role, in a category that #alerts follows.
fn deny_in_category(rig: &Rig, denied: Option<Permission>) {
    let (alerts, role) = (rig.discord.channel_id("alerts").unwrap(), rig.discord.role_id("nuncio").unwrap());
    rig.discord.deny_in_category("Customers", alerts, role, denied);
}

/// Another bot of this application registered a command, in a server or everywhere.
async fn registers(rig: &Rig, guild: Option<String>, name: &str) {
    let place = guild.map(|guild| format!("/guilds/{guild}")).unwrap_or_default();
    let application = rig.discord.application_id();
    let url = format!("{}/api/v10/applications/{application}{place}/commands", rig.discord_address());
    let request =
        http().post(url).header("authorization", format!("Bot {}", rig.discord.bot_token().expose()));
    let answer = request.json(&json!({"name": name, "description": "Of another bot"})).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

fn text<'a>(check: &'a Value, field: &str) -> &'a str {
    check[field].as_str().unwrap().trim_end_matches('.')
}

#[rstest::rstest]
#[case::wrong_token(Broken::WrongToken)]
#[case::token_with_space(Broken::TokenWithSpace)]
#[case::token_with_bot(Broken::TokenWithBot)]
#[case::invited_nowhere(Broken::InvitedNowhere)]
#[case::no_permission(Broken::NoPermission)]
#[case::permission_denied_in_category(Broken::PermissionDeniedInCategory)]
#[case::wrong_channel(Broken::WrongChannel)]
#[case::forum_channel(Broken::ForumChannel)]
#[case::deleted_webhook(Broken::DeletedWebhook)]
#[case::wrong_server(Broken::WrongServer)]
#[case::interactions_endpoint(Broken::InteractionsEndpoint)]
#[case::unknown_role(Broken::UnknownRole)]
#[case::timed_out(Broken::TimedOut)]
#[case::no_commands_scope(Broken::NoCommandsScope)]
#[case::old_bots_commands(Broken::OldBotsCommands)]
#[tokio::test]
async fn what_doctor_says_mends_it(#[case] broken: Broken) {
    let mut near = Rig::set().await;
    broken.nearly(&mut near).await;
    near.finds(0, &NOTHING).await;

    let mut rig = Rig::set().await;
    broken.strikes(&mut rig).await;
    let (code, exit) = broken.named();
    let seen = rig.finds(exit, &[code]).await;
    let check = seen.check(code);
    let (found, remedy) = (text(&check, "found"), text(&check, "remedy"));

    let words = broken.own_words().map_or_else(|| vec![found, remedy], <[_]>::to_vec);
    let printed = rig.starts(&words).await;
    for word in words {
        assert!(printed.contains(word), "{word:?} is not in {printed}");
    }

    broken.is_mended(&mut rig, remedy).await;
    let printed = rig.starts(&["commands registered"]).await;
    assert!(printed.contains("commands registered"), "{printed}");
    rig.finds(0, &NOTHING).await;
}
