//! A card that was decided about changes, whatever else the lane has to do, and the card that was pressed shows it.

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};

use super::{GRACE, Stage};
use crate::harness::{Message, by, within};

const HOUR: Duration = Duration::from_secs(3600);

fn ticket(number: usize) -> Value {
    json!({"event_type": "ticket.created", "data": {"id": format!("t-{number}"), "seq_id": number, "title": "Printer"}})
}

fn machine(kind: &str, id: &str) -> Value {
    json!({"event_type": kind, "data": {"id": id, "hostname": id.to_uppercase()}})
}

/// Tickets go where machines go.
async fn in_one_channel() -> Stage {
    Stage::with(|variables| {
        let map = &variables["DISCORD_WEBHOOK_CHANNELS"];
        let mut map: Value = serde_json::from_str(map).unwrap();
        map["ticket.*"] = map["machine.*"].clone();
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
    })
    .await
}

impl Stage {
    /// The hour of Discord's 429 passes at once, and what comes then in small steps.
    async fn moved_on_until(&self, what: &str, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let stands = self.t.discord.wait_until(|discord| {
            let messages = discord.messages(discord.channel_id("machines")?);
            is(&messages).then_some(messages)
        });
        tokio::pin!(stands);
        within("the channel to be left alone", async {
            while self.t.store().destination_counts(self.t.clock.steady()).await.unwrap().cooling == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        self.t.clock.advance(HOUR);
        within(what, async {
            loop {
                tokio::select! {
                    biased;
                    messages = &mut stands => break messages,
                    () = tokio::task::yield_now() => self.t.clock.advance(Duration::from_millis(100)),
                }
            }
        })
        .await
    }
}

// Control: with the event's delivery left in the ordinary rank, the digest sweeps it in and the card stays open.
#[tokio::test]
async fn approved_elsewhere_in_the_midst_of_a_storm_closes_its_card() {
    let s = in_one_channel().await;
    s.t.sends_body(machine("machine.registered", "lab-7")).await;
    let card = s.t.channel("machines").next_message().await;
    s.t.settle().await;
    s.t.discord.faults().next_on("POST", 1, Fault::rate_limited(HOUR, "user"));
    for number in 0..75 {
        s.t.sends_body(ticket(number)).await;
    }
    s.t.sends_body(machine("machine.approved", "lab-7")).await;
    s.t.sends_body(machine("machine.registered", "lab-8")).await;
    for number in 75..150 {
        s.t.sends_body(ticket(number)).await;
    }
    let digest = |message: &Value| message["content"].as_str().is_some_and(|said| said.starts_with("📦"));
    s.moved_on_until("the digest", |messages| messages.iter().any(digest)).await;
    let closed = s.says(&card, "✅ LAB-7 approved in XTSystems").await;
    assert_eq!(closed.buttons(), ["Details"]);
    s.t.settle().await;

    // What asks for a decision shares its message with nothing, and has overtaken the storm.
    let channel = s.t.channel("machines");
    let messages = channel.next_messages(channel.unread().len()).await;
    let asks = messages.iter().position(|message| message.title().starts_with("🖥️ LAB-8")).unwrap();
    assert_eq!(messages[asks].0["embeds"].as_array().unwrap().len(), 1);
    assert_eq!(messages[asks].buttons(), ["Approve", "Deny", "Details"]);
    assert!(messages[asks + 1..].iter().any(|message| digest(&message.0)), "before the digest");
    s.finish().await;
}

// Control: with muted destinations counted among those that draw the card anyway, nothing draws it.
#[tokio::test]
async fn a_muted_approval_closes_its_card_all_the_same() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.t.hub().mute("machine.*", HOUR, "", &by("Alice")).await.unwrap();
    s.t.sends_body(json!({"event_type": "machine.approved", "data": {"asset_id": "asset-uuid"}})).await;
    s.says(&card, "✅ DESKTOP-001 approved in XTSystems").await;
    s.finish().await;
}

// Control: with the first card's event in place of the pressed one's, the second card never says so.
#[tokio::test]
async fn with_a_card_for_each_event_the_pressed_one_shows_what_came_of_it() {
    let s = Stage::with(|variables| drop(variables.insert("CARDS".to_owned(), "append".to_owned()))).await;
    let tell = |kind: &str, title: &str| json!({"event_type": kind, "data": {"id": "t-1", "seq_id": 7, "title": title}});
    s.t.sends_body(tell("ticket.created", "Printer")).await;
    let first = s.t.channel("tickets").next_message().await;
    s.t.sends_body(tell("ticket.updated", "Printer on fire")).await;
    let second = s.t.channel("tickets").next_message().await;
    let (alice, bob) = (s.t.person("alice"), s.t.person("bob"));
    assert_eq!(alice.clicks("tickets", &second, "Take").await["data"]["flags"], 64, "not an operator");
    s.audited(1).await;
    bob.clicks("tickets", &second, "Take").await;
    let taken = |now: &Message| now.description().contains("🙋 taken by @Bob");
    let shown = s.t.channel("tickets").becomes(second.id(), "taken", taken).await;
    assert_eq!(shown.title(), "📝 #7 Printer on fire");
    s.t.settle().await;

    let opened = bob.clicks("tickets", &first, "Note…").await;
    bob.submits("tickets", &opened, "It is the fuser").await;
    let noted = |now: &Message| now.description().contains("📝 note by @Bob");
    assert_eq!(s.t.channel("tickets").becomes(first.id(), "noted", noted).await.title(), "🎫 #7 Printer");
    assert_eq!(s.platform.recorded_requests().len(), 2);
    s.finish().await;
}

#[tokio::test]
async fn an_alert_that_came_again_says_so_to_its_old_button() {
    let s = Stage::with(|variables| {
        variables.insert("CARDS".to_owned(), "append".to_owned());
        variables.insert("FOLD_REPEATS".to_owned(), "off".to_owned());
    })
    .await;
    let alert = |n: u64| json!({"event_type": "alert.triggered", "data": {"source": "SRV-1", "severity": "error", "title": "Disk full", "n": n}});
    s.t.sends_body(alert(1)).await;
    let old = s.t.channel("alerts").next_message().await;
    s.t.sends_body(alert(2)).await;
    let new = s.t.channel("alerts").next_message().await;
    let bob = s.t.person("bob");
    bob.clicks("alerts", &old, "On it").await;
    let whisper = s.t.whisper(1).await;
    assert_eq!(whisper["content"], "Disk full has come again since: use the buttons on its newest card.");
    bob.clicks("alerts", &new, "On it").await;
    s.t.channel("alerts")
        .becomes(new.id(), "on it", |now| now.description().contains("🙋 Bob is on it"))
        .await;
    s.finish().await;
}

// A card that waits while it is decided about shows what was decided when it comes.
#[tokio::test]
async fn what_was_decided_by_command_before_its_card_stood_is_on_it() {
    let s = in_one_channel().await;
    s.t.discord.faults().next_on("POST", 1, Fault::rate_limited(HOUR, "user"));
    s.t.sends_body(machine("machine.registered", "lab-9")).await;
    s.t.sends_body(machine("machine.approved", "lab-9")).await;
    let stands = |messages: &[Value]| {
        messages.iter().any(|message| message["embeds"][0]["title"] == "✅ LAB-9 approved in XTSystems")
    };
    s.moved_on_until("the card", stands).await;
    let card = s.t.channel("machines").next_message().await;
    assert_eq!(card.buttons(), ["Details"]);
    s.t.clock.advance(GRACE);
    s.finish().await;
}
