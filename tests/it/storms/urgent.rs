//! Urgent alerts by the hundred: decisions go before them, the worst have cards, every one is named.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `Priority::Decision`: decisions are as urgent as alerts | `a_thousand_…`, `behind_five_thousand_…`, `one_place_of_five_…` |
//! | storms: urgent alerts stay in packs | `a_thousand_…`, `whoever_is_named_only_…`, `a_restart_in_the_midst_…` |
//! | `NAMED`; the worst first; whom the count pings | `of_thousands_…` |
//! | `Share::Ordinary` may use all of a bucket | `one_place_of_five_…` |
//! | packs of urgent alerts | `more_than_five_…`, `a_fleet_…`, `a_digest_of_alerts_that_is_refused_…` |
//! | what shows already is no part of a storm | `the_same_alert_again_…` |
//! | the roles that digests ping | `whoever_is_named_only_…` |
//! | after four decisions an alert | `a_fleet_that_asks_to_join_…` |

mod waiting;

// L-5
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use nuncio::sandbox::discord::{Allowance, Fault, RateLimits};
use serde_json::{Value, json};

use super::{hold_back, one_channel, posted, read_all, settle_in_time, ticket};
use crate::harness::{Harness, Message};

fn alert(number: usize, severity: &str) -> Value {
    json!({"event_type": "alert.triggered", "data": {"severity": severity, "title": format!("Disk {number} full"),
        "source": format!("SRV-{number}")}})
}

fn critical(number: usize) -> Value {
    alert(number, "critical")
}

fn machine(number: usize) -> Value {
    json!({"event_type": "machine.registered", "data": {"id": format!("m-{number}"), "hostname": format!("PC-{number}")}})
}

/// All of it comes in at once, while the channel takes nothing.
async fn all_at_once(t: &Harness, storm: Vec<Value>) {
    t.discord.faults().next_on("POST", 1, Fault::rate_limited(Duration::from_secs(30), "user"));
    let timestamp = t.clock.now().as_secs().to_string();
    for some in storm.chunks(100) {
        let accepts = some.iter().map(|event| {
            let body = serde_json::to_vec(event).unwrap();
            let event =
                nuncio::ingress::source::xtsystems::parse(&body.into(), &timestamp, t.clock.now()).unwrap();
            t.hub().accept(event)
        });
        for accepted in join_all(accepts).await {
            accepted.unwrap();
        }
    }
}

fn embeds(message: &Message) -> &Vec<Value> {
    message.0["embeds"].as_array().unwrap()
}

/// Whether it is a digest of alerts.
fn is_digest(message: &Message) -> bool {
    message.title().contains(" urgent alert")
}

/// The lines of a digest.
fn lines(message: &Message) -> impl Iterator<Item = &str> {
    let fields = embeds(message)[0]["fields"].as_array().into_iter().flatten();
    fields.flat_map(|field| field["value"].as_str().unwrap().lines())
}

/// How often each alert is named, by its host: by a card, or in a line.
fn named(messages: &[Message]) -> BTreeMap<String, usize> {
    let mut named = BTreeMap::new();
    let hosts = messages.iter().flat_map(|message| {
        let host = |text: &str| {
            let rest = &text[text.find("SRV-")?..];
            Some(
                rest.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '-'))
                    .next()
                    .unwrap()
                    .to_owned(),
            )
        };
        if is_digest(message) {
            lines(message).filter_map(host).collect::<Vec<_>>()
        } else {
            embeds(message).iter().filter_map(|embed| host(embed["description"].as_str()?)).collect()
        }
    });
    hosts.for_each(|host| *named.entry(host).or_default() += 1);
    named
}

/// Each of so many alerts is named once.
fn assert_all_named(messages: &[Message], alerts: usize) {
    let named = named(messages);
    assert_eq!(named.len(), alerts);
    assert_eq!(named.iter().find(|(_, times)| **times != 1), None);
}

#[tokio::test]
async fn a_thousand_critical_alerts_are_all_named_within_a_minute_and_a_decision_goes_first() {
    let t = one_channel().await;
    let storm = (0..1_000).map(|number| alert(number, if number % 20 == 7 { "critical" } else { "error" }));
    all_at_once(&t, storm.chain([machine(1)]).collect()).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert!(messages[0].title().contains("PC-1 wants to join"), "{}", messages[0].title());
    assert_eq!(embeds(&messages[0]).len(), 1, "it travels alone");
    assert_all_named(&messages[1..], 1_000);
    // Four messages in five seconds: the fifth is kept.
    let seconds = messages.len().div_ceil(4) * 5;
    assert!(seconds < 60, "{} messages take {seconds} s", messages.len());
    // The fifty worst have cards, the first ones first.
    let cards: Vec<_> =
        messages[1..].iter().take_while(|message| !is_digest(message)).flat_map(embeds).collect();
    let critical = cards.iter().filter(|card| card["title"].as_str().unwrap().contains("CRITICAL")).count();
    assert_eq!(critical, 50, "each of the worst has a card");
    // On a busy machine a pack may leave before all of the storm is there.
    assert!(cards.len() <= 60, "{} cards", cards.len());
    let digest = messages.iter().find(|message| is_digest(message)).unwrap();
    assert!(lines(digest).all(|line| line.contains(" #") && line.contains(':')), "{:#}", digest.0);
    let backlog = t.store().backlog().await.unwrap();
    assert_eq!((backlog.pending, backlog.sending, backlog.dead), (0, 0, 0));
    t.finish().await;
}

/// How many events the digests count that name only the first of them.
fn counted(messages: &[Message]) -> Vec<usize> {
    let first = |message: &&Message| {
        let fields = embeds(message)[0]["fields"].as_array().into_iter().flatten();
        is_digest(message) && fields.clone().any(|field| field["name"] == "Look first")
    };
    messages.iter().filter(first).map(super::events_in).collect()
}

#[tokio::test]
async fn of_thousands_the_worst_thousand_are_named_and_one_digest_counts_the_rest() {
    let mut t = one_channel().await;
    let general = t.discord.channel_id("general").unwrap();
    let acme = t.discord.role_id("Approvers").unwrap();
    let map = json!({"default": [general], "alert.*@acme": {"channels": [general], "ping": [acme]}});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.restart().await;
    let of_acme = |number| {
        let mut alert = alert(number, "error");
        alert["company_id"] = json!("acme");
        alert
    };
    // What is worst comes last, and those of a customer are left for the count.
    let storm = (0..2_000).map(|number| alert(number, "error"));
    let storm = storm.chain((2_000..2_300).map(of_acme)).chain((2_300..2_700).map(critical));
    all_at_once(&t, storm.collect()).await;
    // Slowly: what is late pings nobody.
    t.settle_in_steps(Duration::from_millis(10)).await;
    let messages = read_all(&t).await;
    let counted = counted(&messages);
    assert_eq!(counted.len(), 1, "{counted:?}");
    let last = messages.last().unwrap();
    assert_eq!(super::events_in(last), counted[0], "behind those that name: {}", last.title());
    let named = named(&messages[..messages.len() - 1]);
    assert_eq!(named.iter().find(|(_, times)| **times != 1), None);
    assert_eq!(named.len() + counted[0], 2_700, "each is named or counted");
    assert!((1_000..1_100).contains(&named.len()), "{} named", named.len());
    assert!((2_300..2_700).all(|number| named.contains_key(&format!("SRV-{number}"))), "the worst are");
    assert_eq!(last.content().matches(&format!("<@&{acme}>")).count(), 1, "theirs are only counted");
    let text = last.description();
    let id = &text[text.find("--digest ").unwrap() + 9..][..8];
    let listed = t.runs(&["events", "--json", "--limit", "3000", "--digest", id]).await;
    let listed: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed.len(), counted[0], "the command lists exactly these");
    let backlog = t.store().backlog().await.unwrap();
    assert_eq!((backlog.pending, backlog.sending, backlog.dead), (0, 0, 0));
    t.finish().await;
}

#[tokio::test]
async fn behind_five_thousand_mixed_events_a_decision_goes_first() {
    let t = one_channel().await;
    let storm = (0..5_000).map(|number| match number % 10 {
        0 => critical(number),
        _ => ticket(number),
    });
    all_at_once(&t, storm.chain([machine(1)]).collect()).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert!(messages[0].title().contains("PC-1 wants to join"), "{}", messages[0].title());
    let alerts: Vec<_> = messages.into_iter().filter(|message| !message.title().contains("📦")).collect();
    assert_all_named(&alerts[1..], 500);
    t.finish().await;
}

#[tokio::test]
async fn one_place_of_five_is_kept_for_a_decision() {
    let t = one_channel().await;
    let create_message = Allowance::new(5, Duration::from_secs(3_600));
    t.discord.set_rate_limits(RateLimits { create_message, ..RateLimits::default() });
    let general = t.channel("general");
    for number in 0..4 {
        t.sends_body(ticket(number)).await;
    }
    general.next_messages(4).await;
    // The last place of this hour.
    t.sends_body(ticket(4)).await;
    t.sends_body(critical(1)).await;
    t.sends_body(machine(1)).await;
    assert!(general.next_message().await.title().contains("PC-1 wants to join"));
    t.clock.advance(Duration::from_secs(3_600));
    settle_in_time(&t).await;
    assert_eq!(general.next_messages(2).await[0].title(), "🚨 CRITICAL · Disk 1 full");
    t.finish().await;
}

#[tokio::test]
async fn more_than_five_urgent_alerts_share_messages_and_each_card_lives() {
    let mut t = one_channel().await;
    let role = t.discord.role_id("Operators").unwrap();
    t.set("PING", json!({"alert.*": [role]}).to_string());
    t.restart().await;
    hold_back(&t, (0..12).map(critical)).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_eq!(embeds(&messages[0]).len(), 10);
    assert!(
        messages.iter().all(|message| message.content().matches("<@&").count() == 1),
        "one ping for each"
    );
    assert_all_named(&messages, 12);
    // The same alert again, which is no worse, changes its embed and notifies nobody.
    t.sends_body(alert(3, "error")).await;
    settle_in_time(&t).await;
    let pack = t.channel("general").now(messages[0].id());
    assert_eq!(embeds(&pack).len(), 10);
    let changed = embeds(&pack).iter().filter(|embed| embed["description"].as_str().unwrap().contains("×2"));
    assert_eq!(changed.count(), 1);
    t.finish().await;
}

#[tokio::test]
async fn up_to_five_urgent_alerts_travel_alone() {
    let t = one_channel().await;
    hold_back(&t, (0..5).map(critical)).await;
    settle_in_time(&t).await;
    assert_eq!(read_all(&t).await.len(), 5);
    t.finish().await;
}

#[tokio::test]
async fn with_off_alerts_have_messages_of_their_own_behind_the_decision() {
    let mut t = one_channel().await;
    t.set("COALESCE", "off");
    t.restart().await;
    all_at_once(&t, (0..30).map(critical).chain([machine(1)]).collect()).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert!(messages[0].title().contains("PC-1 wants to join"));
    assert_eq!(messages.len(), 31);
    t.finish().await;
}

#[tokio::test]
async fn with_cards_alerts_are_never_named_in_lines() {
    let mut t = one_channel().await;
    t.set("COALESCE", "cards");
    t.restart().await;
    all_at_once(&t, (0..250).map(critical).collect()).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert!(!messages.iter().any(is_digest));
    assert_all_named(&messages, 250);
    t.finish().await;
}

#[tokio::test]
async fn the_same_alert_again_and_again_is_one_card_and_no_storm() {
    let t = one_channel().await;
    let again = |count: usize| {
        json!({"event_type": "alert.triggered", "data": {"severity": "critical",
        "title": "Disk 1 full", "source": "SRV-1", "details": count}})
    };
    all_at_once(&t, (0..401).map(again).collect()).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_eq!(messages.len(), 1);
    let shown = t.channel("general").now(messages[0].id());
    assert!(shown.description().contains("×401"), "{}", shown.description());
    t.finish().await;
}

#[tokio::test]
async fn whoever_is_named_only_in_a_line_is_pinged_once() {
    let mut t = one_channel().await;
    let (operators, acme) =
        (t.discord.role_id("Operators").unwrap(), t.discord.role_id("Approvers").unwrap());
    let general = t.discord.channel_id("general").unwrap();
    let map = json!({"default": [general], "alert.*@acme": {"channels": [general], "ping": [acme]}});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.set("PING", json!({"alert.*": [operators]}).to_string());
    t.restart().await;
    let of_acme = |number| {
        let mut alert = alert(number, "error");
        alert["company_id"] = json!("acme");
        alert
    };
    all_at_once(&t, (0..60).map(critical).chain((60..400).map(of_acme)).collect()).await;
    // Slowly: what is late pings nobody.
    t.settle_in_steps(Duration::from_millis(10)).await;
    let messages = read_all(&t).await;
    assert_all_named(&messages, 400);
    let pinged = |role: &str| {
        let pings = messages.iter().filter(|message| message.content().contains(&format!("<@&{role}>")));
        pings.map(is_digest).collect::<Vec<_>>()
    };
    assert_eq!(pinged(&operators.to_string()), [false; 5], "each message with cards, and no line");
    assert_eq!(pinged(&acme.to_string()), [true], "none of their alerts has a card");
    t.finish().await;
}

// K-3
#[tokio::test]
async fn a_restart_in_the_midst_of_a_storm_loses_and_doubles_nothing() {
    let mut t = one_channel().await;
    all_at_once(&t, (0..400).map(critical).collect()).await;
    // Discord takes a digest, and the answer never comes.
    t.discord.faults().next_about("POST", "urgent alerts", 1, Fault::HangAfter);
    posted(&t, "🚨").await;
    t.restart().await;
    settle_in_time(&t).await;
    assert_all_named(&read_all(&t).await, 400);
    t.finish().await;
}

#[tokio::test]
async fn a_digest_of_alerts_that_is_refused_falls_apart() {
    let t = one_channel().await;
    all_at_once(&t, (0..300).map(critical).collect()).await;
    t.discord.faults().next_about(
        "POST",
        "urgent alerts",
        1,
        Fault::refusal(400, 50035, "Invalid Form Body"),
    );
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_all_named(&messages, 300);
    assert_eq!(t.store().backlog().await.unwrap().dead, 0);
    t.finish().await;
}

#[tokio::test]
async fn a_digest_of_alerts_that_must_wait_stays_one_message() {
    let t = one_channel().await;
    all_at_once(&t, (0..400).map(critical).collect()).await;
    t.discord.faults().next_about(
        "POST",
        "urgent alerts",
        2,
        Fault::rate_limited(Duration::from_secs(3), "user"),
    );
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_all_named(&messages, 400);
    t.finish().await;
}

#[tokio::test]
async fn a_fleet_that_asks_to_join_does_not_silence_the_alerts() {
    let t = one_channel().await;
    let fleet = (0..20).map(machine);
    all_at_once(&t, (0..10).map(critical).chain(fleet).collect()).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    let first = messages.iter().position(|message| message.title().contains("CRITICAL"));
    // One of the four was tried before, while the channel took nothing.
    assert_eq!(first, Some(3), "four decisions go first");
    assert_eq!(messages.len(), 21);
    t.finish().await;
}

#[tokio::test]
async fn late_alerts_say_how_late_and_why_and_ping_nobody_while_new_ones_do() {
    let mut t = one_channel().await;
    let role = t.discord.role_id("Operators").unwrap();
    t.set("PING", json!({"alert.*": [role]}).to_string());
    t.restart().await;
    t.discord.faults().break_for(Duration::from_secs(42 * 60));
    for number in 0..250 {
        t.sends_body(critical(number)).await;
    }
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_all_named(&messages, 250);
    assert!(!messages.iter().any(|message| message.content().contains("<@&")));
    let digest = messages.iter().find(|message| is_digest(message)).unwrap();
    let late = digest.description().lines().find(|line| line.contains(" min late: ")).unwrap();
    assert!(late.ends_with("min late: Discord answered 503."), "{late}");
    t.finish().await;
}
