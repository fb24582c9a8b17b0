//! A4: a channel is deleted, and what waited for it goes where the map leads now: `nuncio redeliver --closed`.
//!
//! | protection | test that covers it |
//! | --- | --- |
//! | the look for what stands at the target in `Move::reroute` | `what_another_place_has_already_…` |
//! | `destination_id` in `Begin`'s look | `a_message_begins_only_with_deliveries_of_its_own_destination` |
//! | `is_mapped` in `stranded` | `a_deleted_channel_gives_up_its_events_to_the_new_one` |
//! | `sink IN ('channel', 'discord_webhook')` in `waiting_destinations` | `calls_are_never_rerouted` |

use nuncio::model::{Action, DeliveryFilter, Form, Message as Planned, Sink, Status};
use serde_json::{Value, json};
use tracing::Level;

use super::Stage;
use crate::harness::{Harness, Message, nuncio_id, one_by_one, within};
use crate::limits::ticket;

/// Waits until a channel's destination is closed.
async fn closed(t: &Harness) {
    let closed = async {
        while !t.store().troubled_destinations().await.unwrap().iter().any(|found| found.closed.is_some()) {
            tokio::task::yield_now().await;
        }
    };
    within("the channel to be closed", closed).await;
}

/// The map with tickets in this channel, or nowhere.
fn map(t: &Harness, tickets: Option<&str>) -> String {
    let id = |name: &str| t.discord.channel_id(name).unwrap().to_string();
    let mut map =
        json!({"machine.*": [id("machines")], "asset.*": [id("assets")], "default": [id("general")]});
    if let Some(name) = tickets {
        map["ticket.*"] = json!([id(name)]);
    }
    map.to_string()
}

/// #tickets is deleted, and `count` tickets wait for it.
async fn lose(t: &Harness, count: usize) {
    t.discord.delete_channel(t.discord.channel_id("tickets").unwrap());
    for number in 1..=count {
        t.sends_body(ticket(number)).await;
    }
    closed(t).await;
    let notice = t.channel("general").next_message().await;
    assert!(notice.title().contains("is closed"), "{}", notice.title());
    let todo = notice.0["embeds"][0]["fields"][1]["value"].as_str().unwrap();
    assert!(
        todo.contains("nuncio redeliver \\--closed") || todo.contains("nuncio redeliver --closed"),
        "{todo}"
    );
    assert!(todo.contains("HUP"), "the map counts without a restart: {todo}");
    t.log.expect(Level::ERROR, "is closed");
}

fn titles(messages: &[Message]) -> String {
    messages.iter().map(|message| message.0.to_string()).collect()
}

#[tokio::test]
async fn a_deleted_channel_gives_up_its_events_to_the_new_one() {
    let mut t = Harness::plain().await;
    lose(&t, 5).await;
    let problems = t.health().await["problems"].to_string();
    assert!(problems.contains("nuncio redeliver --closed"), "{problems}");

    // Nothing has changed yet: they wait, and are counted.
    let ran = t.runs(&["redeliver", "--closed"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "0 deliveries go where the map leads now.\n"));
    assert!(ran.stderr.contains("5 still wait: the map names no other channel"), "{}", ran.stderr);

    t.discord.add_channel("desk");
    t.set("DISCORD_WEBHOOK_CHANNELS", map(&t, Some("desk")));
    t.restart().await;
    t.log.seen(Level::ERROR, "is closed").await;
    t.log.expect(Level::ERROR, "is closed");
    t.log.seen(Level::WARN, "5 deliveries wait for channel").await;
    closed(&t).await;
    let waits = async {
        while t.store().backlog().await.unwrap().sending > 0 {
            tokio::task::yield_now().await;
        }
    };
    within("nothing to be in flight", waits).await;
    let problems = t.health().await["problems"].to_string();
    assert!(problems.contains("which the map names no more"), "{problems}");

    // Beside the running server, which sends it within a second.
    let ran = t.runs(&["redeliver", "--closed"]).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "5 deliveries go where the map leads now.\n"),
        "{}",
        ran.stderr
    );
    let cards = t.channel("desk").next_messages(5).await;
    for number in 1..=5 {
        assert!(titles(&cards).contains(&format!("#{number} ")), "ticket {number}");
    }
    t.settle().await;
    let entry = t.store().audited(1).await.unwrap().remove(0);
    assert_eq!((entry.actor_id.as_str(), entry.action.as_str()), ("shell", "command.redeliver"));
    assert_eq!(entry.detail, "5 rerouted, 0 cancelled");

    let ran = t.runs(&["redeliver", "--closed"]).await;
    assert_eq!(ran.stdout, "0 deliveries go where the map leads now.\n");
    t.settle().await;
    assert!(!t.health().await["problems"].to_string().contains("is closed"), "nothing waits there any more");
    t.finish().await;
}

// Without a route: they stay and are counted, and go once there is one.
#[tokio::test]
async fn what_has_no_route_stays() {
    let mut t = Harness::plain().await;
    lose(&t, 2).await;
    t.stop().await;
    let id = |name: &str| t.discord.channel_id(name).unwrap().to_string();
    let none = json!({"asset.*": [id("assets")]}).to_string();
    t.set("DISCORD_WEBHOOK_CHANNELS", none);
    let ran = t.runs(&["redeliver", "--closed"]).await;
    assert!(ran.stderr.contains("2 still wait"), "{}", ran.stderr);
    t.set("DISCORD_WEBHOOK_CHANNELS", map(&t, None));
    let ran = t.runs(&["redeliver", "--closed"]).await;
    assert_eq!(ran.stdout, "2 deliveries go where the map leads now.\n", "{}", ran.stderr);
    assert!(ran.stderr.contains("nuncio is not running on this database"), "{}", ran.stderr);
    t.boot().await;
    t.channel("general").next_messages(2).await;
    t.finish().await;
}

// A living card of the same subject in the new channel: the older event changes it, and is shown once.
#[tokio::test]
async fn a_living_card_takes_in_what_is_rerouted() {
    let mut t = Harness::start().await;
    lose(&t, 1).await;
    t.discord.add_channel("desk");
    t.set("DISCORD_WEBHOOK_CHANNELS", map(&t, Some("desk")));
    t.restart().await;
    let update = json!({"event_type": "ticket.updated",
        "data": {"id": ticket(1)["data"]["id"], "seq_id": 1, "title": "Printer", "status": "In Progress"}});
    t.sends_body(update).await;
    let card = t.channel("desk").next_message().await;
    t.log.seen(Level::ERROR, "is closed").await;
    t.log.expect(Level::ERROR, "is closed");
    closed(&t).await;
    let ran = t.runs(&["redeliver", "--closed"]).await;
    assert_eq!(ran.stdout, "1 delivery goes where the map leads now.\n", "{}", ran.stderr);
    t.settle().await;
    let more = t.channel("desk").unread();
    assert!(more.iter().all(|message| message["message_reference"]["message_id"] == card.id()), "{more:#?}");
    t.channel("desk").next_messages(more.len()).await;
    t.finish().await;
}

// The event of a route with two places has arrived in one of them: it is not shown there twice.
#[tokio::test]
async fn what_another_place_has_already_is_not_shown_there_twice() {
    let mut t = Harness::with_discord(|variables, discord| {
        one_by_one(variables);
        let id = |name: &str| discord.channel_id(name).unwrap().to_string();
        let map = json!({"ticket.*": [id("tickets"), id("assets")], "default": [id("general")]});
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
    })
    .await;
    lose(&t, 1).await;
    t.channel("assets").next_message().await;
    t.stop().await;
    let id = |name: &str| t.discord.channel_id(name).unwrap().to_string();
    let map = json!({"ticket.*": [id("assets")], "default": [id("general")]}).to_string();
    t.set("DISCORD_WEBHOOK_CHANNELS", map);
    let ran = t.runs(&["redeliver", "--closed"]).await;
    assert!(ran.stderr.contains("1 were cancelled: their events already go there"), "{}", ran.stderr);
    t.boot().await;
    t.finish().await;
}

#[tokio::test]
async fn calls_are_never_rerouted() {
    let mut s = Stage::start().await;
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.stop().await;
    let id = |name: &str| s.t.discord.channel_id(name).unwrap().to_string();
    let map = json!({"default": [id("general")]}).to_string();
    s.t.set("DISCORD_WEBHOOK_CHANNELS", map);
    let ran = s.t.runs(&["redeliver", "--closed"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let letters = s.t.store_letters().await;
    assert!(
        letters.iter().any(|call| call["destination"]["sink"] == "xtsystems" && call["status"] == "pending")
    );
    s.t.boot().await;
    s.t.online().await;
    s.t.clock.advance(super::GRACE);
    s.platform.call(1).await;
    s.says(&card, "✅").await;
    s.finish().await;
}

// A lane may hold in memory what is rerouted under it.
#[tokio::test]
async fn a_message_begins_only_with_deliveries_of_its_own_destination() {
    let t = Harness::plain().await;
    lose(&t, 1).await;
    let letters = t.store().delivery_details_of(DeliveryFilter::Pending, 10).await.unwrap();
    let waiting =
        letters.iter().find(|letter| letter.status == Status::Pending && letter.closed.is_some()).unwrap();
    let other = nuncio_id(t.discord.channel_id("assets").unwrap());
    let other = t.store().ensure_destination(Sink::Channel(other), "x", "test").await.unwrap();
    let mut message = Planned::new(other.id, Action::Create, Form::Single, t.clock.moment());
    let page = t.store().waiting_behind(waiting.destination_id, None, 10).await.unwrap();
    message.deliveries.push(page[0].clone());
    assert!(!t.store().begin(&message, other.epoch).await.unwrap(), "it waits for another destination");
    t.finish_with_backlog(1).await;
}

// The machine's card goes with what waits: its buttons work in the new channel.
#[tokio::test]
async fn a_machine_that_asks_after_its_channel_was_deleted_is_decided_in_the_new_one() {
    let mut s = Stage::start().await;
    s.t.discord.delete_channel(s.t.discord.channel_id("machines").unwrap());
    s.t.sends("machine_registered.json").await;
    closed(&s.t).await;
    s.t.channel("general").next_message().await;
    s.t.log.expect(Level::ERROR, "is closed");
    let id = s.t.discord.channel_id("assets").unwrap().to_string();
    let general = s.t.discord.channel_id("general").unwrap().to_string();
    s.t.set("DISCORD_WEBHOOK_CHANNELS", json!({"machine.*": [id], "default": [general]}).to_string());
    s.t.restart().await;
    s.t.online().await;
    s.t.log.expect(Level::ERROR, "is closed");
    closed(&s.t).await;
    let ran = s.t.runs(&["redeliver", "--closed"]).await;
    assert_eq!(ran.stdout, "1 delivery goes where the map leads now.\n", "{}", ran.stderr);
    let card = s.t.channel("assets").next_message().await;
    s.t.person("alice").clicks("assets", &card, "Approve").await;
    s.t.channel("assets").becomes(card.id(), "⏳", |now| now.title().contains("⏳")).await;
    s.t.clock.advance(super::GRACE);
    s.t.channel("assets").becomes(card.id(), "✅", |now| now.title().contains("✅")).await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.finish().await;
}

impl Harness {
    /// `nuncio deliveries --json`.
    async fn store_letters(&self) -> Vec<Value> {
        serde_json::from_str(&self.runs(&["deliveries", "--json"]).await.stdout).unwrap()
    }
}
