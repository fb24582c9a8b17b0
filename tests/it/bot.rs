//! The bot against the sandbox's gateway: it comes up, and shows what it sees. Nothing that happens to it stops the receiver.

mod gateway;
mod registration;
mod token;

use nuncio::sandbox::discord::Permission;
use serde_json::json;
use tracing::Level;

use crate::harness::{Harness, SECRET, free_port};
use crate::limits::health_says;

#[tokio::test]
async fn the_bot_comes_up_and_names_the_channels() {
    let t = Harness::with_bot().await;
    assert_eq!(t.health().await["discord"], "connected");
    t.table_line("Acme NOC / #tickets  ok").await;
    assert!(
        t.hub().table().contains(&"ticket.*         → Acme NOC / #tickets  ok".to_owned()),
        "{:#?}",
        t.hub().table()
    );
    assert_eq!(t.discord.gateway().identifies(), 1);

    t.places_noted().await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    t.log.expect(Level::INFO, "to Acme NOC / #tickets");
    t.finish().await;
}

#[tokio::test]
async fn webhook_status_is_answered_with_figures_that_only_the_asker_sees() {
    let t = Harness::with_bot().await;
    t.commands().await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    let answer = t.person("alice").types("webhook-status").await;
    assert_eq!(answer["type"], 4);
    assert_eq!(answer["data"]["flags"], 64);
    assert_eq!(answer["data"]["allowed_mentions"]["parse"], json!([]));
    let embed = &answer["data"]["embeds"][0];
    assert_eq!(embed["title"], "✅ All is well");
    let field = |name: &str| {
        let fields = embed["fields"].as_array().unwrap();
        let found = fields.iter().find(|field| field["name"] == name);
        found.unwrap_or_else(|| panic!("no field {name}: {embed:#}"))["value"].as_str().unwrap().to_owned()
    };
    assert!(field("Gateway").starts_with("connected <t:"), "{}", field("Gateway"));
    assert!(field("Last event").starts_with("`ticket.created` <t:"), "{}", field("Last event"));
    assert_eq!(field("Last 24 hours"), "1 accepted · 1 delivered · 0 dead");
    assert_eq!(field("Outbox"), "empty");
    assert_eq!(field("Endpoint"), format!("`POST {}`", t.url("/webhooks/xtsystems")));
    assert!(!answer.to_string().contains(SECRET));
    t.finish().await;
}

#[tokio::test]
async fn a_missing_permission_is_named_with_who_denies_it() {
    let t = Harness::with_bot().await;
    t.table_line("Acme NOC / #alerts  ok").await;
    let alerts = t.discord.channel_id("alerts").unwrap();
    t.discord.deny(alerts, Permission::EmbedLinks);
    t.table_line("Acme NOC / #alerts: missing Embed Links (denied to the bot itself)").await;
    t.discord.allow(alerts, Permission::EmbedLinks);
    t.table_line("Acme NOC / #alerts  ok").await;
    t.discord.delete_channel(alerts);
    t.table_line(&format!("{alerts}: no such channel, or the bot is not in that server")).await;
    t.finish().await;
}

// Control: with the sentence of an answer taken for this, it is red.
#[tokio::test]
async fn a_discord_that_cannot_be_reached_is_named_by_its_host() {
    let mut t = Harness::with_bot().await;
    t.stop().await;
    let port = free_port();
    t.set("DISCORD_API_URL", format!("http://127.0.0.1:{port}/api"));
    t.boot().await;
    health_says(&t, "Discord (127.0.0.1", true).await;
    health_says(&t, ") cannot be reached: ", true).await;
    health_says(&t, "Events are kept and sent later. Commands and buttons do not work until", true).await;
    t.finish().await;
}
