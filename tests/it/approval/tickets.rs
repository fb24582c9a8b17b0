//! The buttons of tickets and alerts.

use std::time::Duration;

use serde_json::{Value, json};
use tracing::Level;

use super::Stage;
use crate::database::Database;
use crate::harness::{Answering, Message, by, within};

impl Stage {
    async fn ticket(&self) -> Message {
        self.t.sends("ticket_created.json").await;
        self.t.channel("tickets").next_message().await
    }

    async fn ticket_says(&self, card: &Message, text: &str) -> Message {
        self.t.channel("tickets").becomes(card.id(), text, |now| now.description().contains(text)).await
    }

    async fn whispers(&self, n: usize, text: &str) {
        let whisper = self.t.whisper(n).await;
        assert!(whisper["content"].as_str().unwrap().contains(text), "{whisper:#}");
    }
}

#[tokio::test]
async fn a_ticket_is_taken_noted_and_closed() {
    let s = Stage::start().await;
    let card = s.ticket().await;
    assert_eq!(card.buttons(), ["Take", "Note…", "Close…"]);
    let bob = s.t.person("bob");
    assert_eq!(bob.clicks("tickets", &card, "Take").await["type"], 6);
    let told = s.platform.call(1).await;
    assert_eq!(told.line, "PUT /v1/tickets/ticket-uuid");
    assert_eq!(told.body["assigned_to"], "Bob");
    assert_eq!(told.body["actor"]["name"], "Bob");
    s.whispers(1, "Telling XTSystems that #1001 is yours; the card shows when it is.").await;
    s.ticket_says(&card, "🙋 taken by @Bob").await;

    let opened = bob.clicks("tickets", &card, "Note…").await;
    assert_eq!(bob.submits("tickets", &opened, "The switch is dead").await["type"], 6);
    assert_eq!(s.platform.call(2).await.body["note"], "The switch is dead");
    s.ticket_says(&card, "📝 note by @Bob").await;

    let opened = bob.clicks("tickets", &card, "Close…").await;
    assert_eq!(bob.submits("tickets", &opened, "Switch replaced").await["type"], 6);
    let told = s.platform.call(3).await;
    assert_eq!(
        (&told.body["status"], &told.body["resolution"]),
        (&json!("closed"), &json!("Switch replaced"))
    );
    let closed = s.ticket_says(&card, "🔒 closed by @Bob").await;
    assert!(closed.buttons().is_empty(), "{:?}", closed.buttons());
    assert_eq!(s.audit().await, ["Bob ticket.take done", "Bob ticket.note done", "Bob ticket.close done"]);
    let keys: std::collections::BTreeSet<_> =
        s.platform.recorded_requests().into_iter().map(|call| call.idempotency_key).collect();
    assert_eq!(keys.len(), 3, "three wishes");
    s.finish().await;
}

#[tokio::test]
async fn only_operators_change_tickets() {
    let s = Stage::start().await;
    let card = s.ticket().await;
    let operators = s.t.discord.role_id("Operators").unwrap();
    for (n, label) in ["Take", "Note…", "Close…"].into_iter().enumerate() {
        let answer: Value = s.t.person("alice").clicks("tickets", &card, label).await;
        let said = answer["data"]["content"].as_str().unwrap();
        assert_eq!(said, format!("Only <@&{operators}> can change tickets: ask one of them."));
        s.audited(n + 1).await;
    }
    assert!(s.platform.recorded_requests().is_empty());
    s.finish().await;
}

#[tokio::test]
async fn a_ticket_is_taken_once_at_a_time() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(503, "{}"));
    let card = s.ticket().await;
    let bob = s.t.person("bob");
    let pressed = bob.click("tickets", &card, "Take");
    let (one, other) = tokio::join!(bob.acts(&pressed), bob.acts(&pressed));
    bob.answer(&one).await;
    bob.answer(&other).await;
    let said = [s.t.whisper(1).await, s.t.whisper(2).await];
    let second = said
        .iter()
        .filter(|said| said["content"].as_str().unwrap().contains("the same is on its way already by Bob"));
    assert_eq!(second.count(), 1, "{said:#?}");
    let waiting =
        s.ticket_says(&card, "XTSystems answered 503 Service Unavailable. Attempt 1, next <t:").await;
    assert_eq!(waiting.buttons(), ["Note…", "Close…"]);
    s.t.clock.advance(Duration::from_secs(300));
    s.ticket_says(&card, "🙋 taken by @Bob").await;
    let told = s.platform.recorded_requests();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].idempotency_key, told[1].idempotency_key);
    s.finish().await;
}

#[tokio::test]
async fn a_wish_that_is_not_taken_is_shown_and_can_be_sent_again() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(404, r#"{"detail":"Not Found"}"#));
    let card = s.ticket().await;
    s.t.person("bob").clicks("tickets", &card, "Take").await;
    let held = s.ticket_says(&card, "here, **not** in XTSystems").await;
    assert_eq!(held.buttons(), ["Try again", "Take", "Note…", "Close…"]);
    s.t.log.expect(Level::ERROR, "set XTSYSTEMS_UPDATE_TICKET");
    assert_eq!(s.t.person("bob").clicks("tickets", &held, "Try again").await["type"], 6);
    s.ticket_says(&card, "🙋 taken by @Bob").await;
    s.finish().await;
}

#[tokio::test]
async fn without_a_key_a_ticket_has_no_buttons() {
    let s = Stage::with(|variables| drop(variables.remove("XTSYSTEMS_API_KEY"))).await;
    assert!(s.ticket().await.buttons().is_empty());
    s.finish().await;
}

#[tokio::test]
async fn somebody_is_on_an_alert() {
    let s = Stage::start().await;
    s.t.sends("alert_triggered.json").await;
    let card = s.t.channel("alerts").next_message().await;
    assert_eq!(card.buttons(), ["On it", "Mute 1 h", "Details"]);
    assert_eq!(s.t.person("bob").clicks("alerts", &card, "On it").await["type"], 6);
    let taken =
        s.t.channel("alerts")
            .becomes(card.id(), "who is on it", |now| now.description().contains("🙋 Bob is on it"))
            .await;
    assert!(!taken.buttons().contains(&"On it"));
    assert!(s.platform.recorded_requests().is_empty(), "that is between people");
    assert_eq!(s.audit().await, ["Bob alert.take done"]);
    s.finish().await;
}

// Between people: XTSystems hears nothing of it, so no key for it is needed.
#[tokio::test]
async fn an_alert_is_taken_and_muted_without_a_key_for_the_platform() {
    let mut s = Stage::start().await;
    let mut cards = Vec::new();
    for source in ["SRV-1", "SRV-2"] {
        s.t.sends_body(alert(source, 1, "warning")).await;
        cards.push(s.t.channel("alerts").next_message().await);
    }
    s.t.settle().await;
    s.t.unset("XTSYSTEMS_API_KEY");
    s.t.restart().await;
    s.t.online().await;
    for (n, (press, card)) in ["Mute 1 h", "On it"].into_iter().zip(&cards).enumerate() {
        assert_eq!(s.t.person("bob").clicks("alerts", card, press).await["type"], 6, "{press}");
        s.audited(n + 1).await;
    }
    assert_eq!(s.audit().await, ["Bob alert.mute done", "Bob alert.take done"]);
    assert_eq!(s.t.hub().mutes().await.unwrap().len(), 1);
    s.finish().await;
}

async fn questions(s: &Stage) -> i64 {
    let database = Database::open(s.t.folder().join("nuncio.db")).await.unwrap();
    database.value("SELECT COUNT(*) FROM decisions WHERE kind = 'alert'").await.unwrap()
}

// Control: with the newest question alone looked at, each place makes its own again and again.
#[tokio::test]
async fn an_alert_in_two_places_has_one_question() {
    let s = Stage::with(|variables| {
        let map: Value = serde_json::from_str(&variables["DISCORD_WEBHOOK_CHANNELS"]).unwrap();
        let places = [map["alert.*"][0].clone(), map["default"][0].clone()];
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), json!({"alert.*": places}).to_string());
    })
    .await;
    let (alerts, general) = (s.t.channel("alerts"), s.t.channel("general"));
    s.t.sends_body(alert("SRV-1", 1, "warning")).await;
    let (card, other) = (alerts.next_message().await, general.next_message().await);
    s.t.settle().await;
    // Somebody deletes the other one: the next time it comes there is a new card there, which begins later.
    let channel = s.t.discord.channel_id("general").unwrap();
    let url = format!("{}/v10/channels/{channel}/messages/{}", s.t.variable("DISCORD_API_URL"), other.id());
    let token = format!("Bot {}", s.t.discord.bot_token().expose());
    let deleted = crate::harness::http().delete(url).header("authorization", token).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    s.t.sends_body(alert("SRV-1", 2, "warning")).await;
    let posted = s.t.discord.wait_until(|discord| {
        let newest = Message(discord.messages(channel).pop()?);
        Some(newest).filter(|newest| newest.id() != other.id())
    });
    let new = within("a new card", posted).await;
    s.t.settle().await;
    for count in 3..6 {
        s.t.sends_body(alert("SRV-1", count, "warning")).await;
        s.t.settle().await;
    }
    assert_eq!(questions(&s).await, 1);
    assert_eq!(s.t.person("bob").clicks("general", &new, "On it").await["type"], 6);
    let is_on_it = |now: &Message| now.description().contains("🙋 Bob is on it");
    alerts.becomes(card.id(), "who is on it", is_on_it).await;
    s.t.sends_body(alert("SRV-1", 6, "warning")).await;
    s.t.settle().await;
    assert!(is_on_it(&alerts.now(card.id())) && is_on_it(&general.now(new.id())));
    assert_eq!(questions(&s).await, 1);
    s.finish().await;
}

fn alert(source: &str, count: u32, severity: &str) -> Value {
    let data = json!({"source": source, "title": "Disk full", "severity": severity, "seen": count});
    json!({"event_type": "alert.triggered", "data": data, "company_id": "acme"})
}

// Controls: without the look at the severity what gets worse stays silent, without the one at the subject SRV-2 does.
#[tokio::test]
async fn one_alert_is_muted_from_its_card_and_no_other() {
    let s = Stage::start().await;
    let alerts = s.t.channel("alerts");
    s.t.sends_body(alert("SRV-1", 1, "warning")).await;
    let card = alerts.next_message().await;
    assert_eq!(s.t.person("bob").clicks("alerts", &card, "Mute 1 h").await["type"], 6);
    let said = s.t.whisper(1).await;
    let said = said["content"].as_str().unwrap();
    assert!(said.starts_with("Disk full on SRV-1 is muted until <t:"), "{said}");
    assert!(said.ends_with("`/unmute` ends it sooner."), "{said}");
    let muted = alerts
        .becomes(card.id(), "that it is muted", |now| now.description().contains("🔕 muted by Bob"))
        .await;
    assert_eq!(muted.buttons(), ["On it", "Details"]);

    s.t.sends_body(alert("SRV-1", 2, "warning")).await;
    s.t.settle().await;
    assert!(!alerts.now(card.id()).description().contains("×2"), "it is silent");
    s.t.sends_body(alert("SRV-2", 1, "warning")).await;
    assert!(alerts.next_message().await.description().contains("SRV-2"), "another machine is heard");
    s.t.sends_body(alert("SRV-1", 3, "critical")).await;
    assert!(alerts.next_message().await.title().contains("CRITICAL"), "what gets worse is heard");
    assert_eq!(s.audit().await, ["Bob alert.mute done"]);

    s.t.clock.advance(Duration::from_secs(3605));
    let sum = alerts.next_message().await;
    assert_eq!(sum.title(), "🔔 The mute of Disk full on SRV-1 ended");
    s.finish().await;
}

// Control: without the look at what holds already, within the unit, both mute.
#[tokio::test]
async fn whoever_may_not_mutes_no_alert_and_nobody_mutes_it_twice() {
    let s = Stage::start().await;
    s.t.sends_body(alert("SRV-1", 1, "warning")).await;
    let card = s.t.channel("alerts").next_message().await;
    let answer = s.t.person("carol").clicks("alerts", &card, "Mute 1 h").await;
    let operators = s.t.discord.role_id("Operators").unwrap();
    assert_eq!(
        answer["data"]["content"],
        format!("Only <@&{operators}> can take or mute alerts: ask one of them.")
    );
    s.audited(1).await;
    assert_eq!(s.t.hub().mutes().await.unwrap(), []);

    let pressed = s.t.person("bob").click("alerts", &card, "Mute 1 h");
    let bob = s.t.person("bob");
    let (one, other) = tokio::join!(bob.acts(&pressed), bob.acts(&pressed));
    bob.answer(&one).await;
    bob.answer(&other).await;
    let (first, second) = (s.t.whisper(1).await, s.t.whisper(2).await);
    let told = |said: &Value| said["content"].as_str().unwrap().to_owned();
    let already =
        [told(&first), told(&second)].iter().filter(|said| said.contains("muted already, by Bob")).count();
    assert_eq!(already, 1, "{first:#} {second:#}");
    assert_eq!(s.t.hub().mutes().await.unwrap().len(), 1);
    let mut audit = s.audit().await;
    audit.sort_unstable();
    assert_eq!(audit, ["Bob alert.mute done", "Bob alert.mute refused", "Carol alert.mute refused"]);
    s.t.hub().unmute("Disk full on SRV-1", &by("Alice")).await.unwrap();
    s.t.clock.advance(Duration::from_secs(5));
    // Nothing came meanwhile: there is nothing to sum up, but its card may be muted again.
    s.t.channel("alerts")
        .becomes(card.id(), "that it is heard again", |now| now.buttons().contains(&"Mute 1 h"))
        .await;
    s.finish().await;
}

// D-8. Control: without `was_seen` in the unit, the click that is told again mutes what was unmuted since.
#[tokio::test]
async fn a_mute_that_the_gateway_tells_again_after_it_was_ended_mutes_nothing() {
    let mut s = Stage::start().await;
    s.t.sends_body(alert("SRV-1", 1, "warning")).await;
    let card = s.t.channel("alerts").next_message().await;
    s.t.person("bob").clicks("alerts", &card, "Mute 1 h").await;
    s.t.whisper(1).await;
    s.t.hub().unmute("Disk full on SRV-1", &by("Alice")).await.unwrap();
    let asked = s.t.discord.requests().len();
    assert!(s.t.discord.replay_interaction(None));
    let again = s.t.discord.wait_until(|discord| {
        let mut later = discord.requests().into_iter().skip(asked);
        later.any(|asked| asked.path.contains("/interactions/")).then_some(())
    });
    within("the second answer", again).await;
    // What was heard is seen through to its last word.
    s.t.restart().await;
    assert_eq!(s.t.hub().mutes().await.unwrap(), []);
    assert_eq!(s.audit().await, ["Bob alert.mute done", "Alice test done"]);
    assert_eq!(s.t.whispers().len(), 1, "{:#?}", s.t.whispers());
    s.finish().await;
}
