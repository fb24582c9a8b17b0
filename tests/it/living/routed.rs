//! Where an event goes whose kind no key of the map names: to the cards of its thing.
//!
//! Item 17. Control: without `cards_of` all of these are red but those of the named key and of `append`.

use nuncio::model::DeliveryFilter;
use std::collections::BTreeMap;

use nuncio::sandbox::Discord;
use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};
use tracing::Level;

use super::{ticket, titles, written};
use crate::harness::{Harness, at_shell};

/// With this map, made of the ids of channels.
async fn start(map: impl FnOnce(&dyn Fn(&str) -> String) -> Value) -> Harness {
    Harness::with_discord(|variables: &mut BTreeMap<String, String>, discord: &Discord| {
        let id = |name: &str| discord.channel_id(name).unwrap().to_string();
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map(&id).to_string());
    })
    .await
}

/// As the old bot's: only what opens a card is named.
fn old_map(id: &dyn Fn(&str) -> String) -> Value {
    json!({"ticket.created": [id("tickets")], "machine.registered": [id("machines")], "default": [id("general")]})
}

#[tokio::test]
async fn what_the_map_does_not_name_changes_the_card_where_it_is() {
    let t = start(old_map).await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    let card = t.channel("tickets").next_message().await;
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({"resolution": "switch replaced"}))).await;
    let reply = t.channel("tickets").next_message().await;
    assert_eq!(reply.content(), "🔒 #1001 closed: switch replaced");
    assert_eq!(reply.0["message_reference"]["message_id"], card.0["id"]);
    assert_eq!(titles(&t.channel("tickets")), ["🔒 #1001 Network Issue"]);
    t.settle().await;
    assert!(t.channel("general").unread().is_empty());
    // A thing without a card goes along `default`, and has its card there.
    let asset = |kind: &str| json!({"event_type": kind, "data": {"id": "a-1", "name": "Server-001"}});
    t.sends_body(asset("asset.created")).await;
    t.channel("general").next_message().await;
    t.sends_body(asset("asset.updated")).await;
    t.settle().await;
    assert_eq!(titles(&t.channel("general")), ["🔧 Server-001"]);
    t.finish().await;
}

#[tokio::test]
async fn a_machine_that_is_approved_upstream_has_one_card_without_decisions_too() {
    let t = start(old_map).await;
    let machine = |kind: &str, data: Value| json!({"event_type": kind, "data": data, "company_id": "ACME"});
    t.sends_body(machine("machine.registered", json!({"asset_id": "m-1", "hostname": "DESKTOP-001"}))).await;
    t.channel("machines").next_message().await;
    t.sends_body(machine("machine.approved", json!({"asset_id": "m-1"}))).await;
    t.settle().await;
    assert_eq!(titles(&t.channel("machines")), ["✅ DESKTOP-001 approved"]);
    assert!(t.channel("general").unread().is_empty());
    let replies = t.channel("machines").unread().len();
    t.channel("machines").next_messages(replies).await;
    t.finish().await;
}

#[tokio::test]
async fn a_key_that_names_the_kind_goes_before_the_card() {
    let t = start(|id| {
        json!({"ticket.created": [id("tickets")], "ticket.closed": [id("alerts")],
               "ticket.updated": [], "default": [id("general")]})
    })
    .await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    t.channel("tickets").next_message().await;
    written(&t, ticket("ticket.updated", 1_705_314_650, json!({"priority": "low"}))).await;
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({}))).await;
    t.channel("alerts").next_message().await;
    t.settle().await;
    assert_eq!(titles(&t.channel("tickets")), ["🎫 #1001 Network Issue"]);
    t.finish().await;
}

#[tokio::test]
async fn a_card_that_is_still_to_be_posted_counts_and_no_route_is_needed() {
    let t = start(|id| json!({"ticket.created": [id("tickets")]})).await;
    t.discord.faults().next_on("/messages", 1, Fault::status(503));
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({}))).await;
    assert_eq!(t.health().await["unrouted"], 0);
    t.settle_in_steps(std::time::Duration::from_secs(1)).await;
    assert_eq!(titles(&t.channel("tickets")), ["🔒 #1001 Network Issue"]);
    let shown = t.channel("tickets").unread().len();
    t.channel("tickets").next_messages(shown).await;
    t.finish().await;
}

#[tokio::test]
async fn what_came_before_its_route_changes_the_card_that_came_meanwhile() {
    let mut t = start(|id| json!({"machine.registered": [id("machines")]})).await;
    written(&t, ticket("ticket.updated", 1_705_314_650, json!({"priority": "low"}))).await;
    t.log.expect(Level::WARN, "no key of DISCORD_WEBHOOK_CHANNELS matches ticket.updated");
    let map = json!({"ticket.created": [t.discord.channel_id("tickets").unwrap()]});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.restart().await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    t.channel("tickets").next_message().await;
    let done = t.hub().redeliver_unrouted(&at_shell(), |_| {}).await.unwrap();
    assert_eq!((done.routed, done.deliveries, done.unrouted), (1, 1, 0));
    t.settle().await;
    assert_eq!(titles(&t.channel("tickets")), ["📝 #1001 Network Issue"]);
    let replies = t.channel("tickets").unread().len();
    t.channel("tickets").next_messages(replies).await;
    t.finish().await;
}

#[tokio::test]
async fn with_append_such_events_go_along_default() {
    let t = start(|id| {
        json!({"ticket.created": {"channels": [id("tickets")], "cards": "append"}, "default": [id("general")]})
    })
    .await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({}))).await;
    t.channel("tickets").next_message().await;
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({}))).await;
    t.channel("general").next_message().await;
    t.finish().await;
}

#[tokio::test]
async fn redelivery_makes_a_card_of_its_own_and_a_closed_channel_does_not_count() {
    let t = start(old_map).await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    t.channel("tickets").next_message().await;
    written(&t, ticket("ticket.updated", 1_705_314_650, json!({"priority": "low"}))).await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    let letters = t.store().delivery_details_of(DeliveryFilter::All, 10).await.unwrap();
    let updated = letters.iter().rfind(|letter| letter.kind.as_str() == "ticket.updated").unwrap();
    t.hub().redeliver(updated.id, &at_shell()).await.unwrap();
    assert_eq!(t.channel("tickets").next_message().await.title(), "📝 #1001 Network Issue");
    t.settle().await;

    // The channel is deleted: what comes for it waits there.
    t.discord.delete_channel(t.discord.channel_id("tickets").unwrap());
    written(&t, ticket("ticket.updated", 1_705_314_660, json!({"priority": "high"}))).await;
    assert!(t.channel("general").next_message().await.title().contains("is closed"));
    t.log.expect(Level::ERROR, "is closed");
    // Its card cannot be changed any more, and somebody must hear of the end.
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({}))).await;
    assert_eq!(t.channel("general").next_message().await.title(), "🔒 #1001 Network Issue");
    let moved = t.hub().redeliver_closed(&at_shell(), |_| {}).await.unwrap();
    assert_eq!(moved.moved, 1, "{moved:?}");
    t.settle().await;
    assert_eq!(titles(&t.channel("general")).iter().filter(|title| title.contains("#1001")).count(), 1);
    let shown = t.channel("general").unread().len();
    t.channel("general").next_messages(shown).await;
    t.finish().await;
}
