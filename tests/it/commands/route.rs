//! Set channel and Remove, under `/webhook-config`.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `Routing::load` at the start | `a_channel_that_is_set_counts_at_once_and_after_a_restart` |
//! | the look at the place in `Hub::set_route` | `where_the_bot_cannot_post_nothing_is_set` |
//! | what is told of the places before; the way back | `one_channel_that_takes_the_place_of_several_…` |
//! | the flag in `Routing::changed` | `a_channel_that_was_set_but_cannot_be_read_yet_counts_a_little_later` |
//! | `was_seen` in the unit | `a_choice_that_the_gateway_tells_twice_is_made_once` |

use std::collections::BTreeMap;
use std::time::Duration;

use nuncio::sandbox::discord::Permission;
use serde_json::{Value, json};
use tracing::Level;

use super::{Stage, content};
use crate::database::Database;
use crate::harness::{Message, within};

fn ticket(number: usize) -> Value {
    let data = json!({"id": format!("t-{number}"), "title": format!("Ticket {number}")});
    json!({"event_type": "ticket.created", "data": data})
}

/// Alice opens the configuration.
pub async fn config(s: &Stage, buttons: &[&str]) -> Message {
    s.types("webhook-config", json!([])).await;
    s.sees("the configuration", |now| now.buttons() == buttons).await
}

/// Alice chooses which events, and then the channel; what she is told.
pub async fn sets(s: &Stage, key: &str, channel: &str) -> String {
    let config = config_shown(s).await;
    s.chooses(&config, 2, "v1:route", &[]).await;
    let asked = s.sees("the first step", |now| now.content() == "Which events?").await;
    s.chooses(&asked, 3, "v1:route-key", &[key]).await;
    goes_to(s, channel).await
}

async fn config_shown(s: &Stage) -> Message {
    s.types("webhook-config", json!([])).await;
    s.sees("the configuration", |now| now.title() == "Configuration").await
}

/// Alice chooses the channel.
async fn goes_to(s: &Stage, channel: &str) -> String {
    let asked = s.sees("the second step", |now| now.content().starts_with("Where do events of")).await;
    let custom_id = asked.0["components"][0]["components"][0]["custom_id"].as_str().unwrap();
    let channel = s.t.discord.channel_id(channel).unwrap().to_string();
    let answer = s.chooses(&asked, 8, custom_id, &[&channel]).await;
    assert_eq!(answer["type"], 6, "{answer:#}");
    let told = s.sees("an answer", |now| !now.content().starts_with("Where do events of")).await;
    assert_eq!(told.0["components"], json!([]));
    told.content().to_owned()
}

#[tokio::test]
async fn a_channel_that_is_set_counts_at_once_and_after_a_restart() {
    let mut s = Stage::start().await;
    s.t.table_line("Acme NOC / #tickets  ok").await;
    let general = s.t.discord.channel_id("general").unwrap();
    let told = sets(&s, "ticket.created", "general").await;
    assert_eq!(
        told,
        format!("Events of `ticket.created` go to <#{general}> from now on, also after a restart.")
    );
    s.t.sends_body(ticket(1)).await;
    assert!(s.t.channel("general").next_message().await.title().contains("Ticket 1"));
    s.t.table_line("Acme NOC / #general  ok  (set by Alice)").await;
    let entry = s.audited(1).await;
    assert_eq!(
        (entry.action.as_str(), entry.subject.as_str(), entry.outcome.as_str(), entry.detail.as_str()),
        ("route.set", "route ticket.created", "done", "to Acme NOC / #general")
    );

    s.t.restart().await;
    s.t.online().await;
    s.t.sends_body(ticket(2)).await;
    assert!(s.t.channel("general").next_message().await.title().contains("Ticket 2"));
    s.t.table_line("Acme NOC / #general  ok  (set by Alice)").await;
    s.finish().await;
}

// It is set: nobody may be told otherwise, and the next restart must change nothing.
#[tokio::test]
async fn a_channel_that_was_set_but_cannot_be_read_yet_counts_a_little_later() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #tickets  ok").await;
    let database = Database::open(s.t.folder().join("nuncio.db")).await.unwrap();
    // A row that cannot be read, so the table cannot.
    let broken = "INSERT INTO routes (id, pattern, company_id, destination_id, created_by, created_at) \
                  SELECT 'rte_broken', 'x.y', '', id, 'x', 0 FROM destinations LIMIT 1";
    database.execute(broken, ()).await.unwrap();
    let general = s.t.discord.channel_id("general").unwrap();
    let told = sets(&s, "ticket.created", "general").await;
    assert_eq!(
        told,
        format!("Events of `ticket.created` go to <#{general}> from now on, also after a restart.")
    );
    assert_eq!(s.t.hub().set_routes(), []);
    database.execute("DELETE FROM routes WHERE id = 'rte_broken'", ()).await.unwrap();
    s.t.clock.advance(Duration::from_secs(1));
    within("the route to count", async {
        while s.t.hub().set_routes().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    s.t.sends_body(ticket(1)).await;
    s.t.channel("general").next_message().await;
    s.finish().await;
}

#[tokio::test]
async fn what_is_taken_back_goes_where_the_environment_says() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #tickets  ok").await;
    config(&s, &["Set channel"]).await;
    sets(&s, "ticket.*", "general").await;
    let shown = config(&s, &["Set channel", "Remove"]).await;
    s.chooses(&shown, 2, "v1:unroute", &[]).await;
    let asked = s.sees("which", |now| now.content() == "Which setting do you want to remove?").await;
    let option = &asked.0["components"][0]["components"][0]["options"][0];
    assert_eq!((&option["label"], &option["description"]), (&json!("ticket.*"), &json!("set by Alice")));
    let id = option["value"].as_str().unwrap().to_owned();
    s.chooses(&asked, 3, "v1:unroute-key", &[&id]).await;
    let told = "Events of `ticket.*` go where .env says again: `/webhook-config` shows where.";
    s.sees("an answer", |now| now.content() == told).await;
    s.t.sends_body(ticket(1)).await;
    s.t.channel("tickets").next_message().await;
    let entry = s.audited(2).await;
    assert_eq!((entry.action.as_str(), entry.subject.as_str()), ("route.remove", "route ticket.*"));
    config(&s, &["Set channel"]).await;
    s.finish().await;
}

#[tokio::test]
async fn where_the_bot_cannot_post_nothing_is_set() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #general  ok").await;
    let general = s.t.discord.channel_id("general").unwrap();
    s.t.discord.deny(general, Permission::EmbedLinks);
    s.t.table_line("#general: missing Embed Links (denied to the bot itself)").await;
    s.t.log.expect(Level::WARN, "missing Embed Links");
    let told = sets(&s, "ticket.created", "general").await;
    assert_eq!(
        told,
        "nuncio cannot post in #general: missing Embed Links (denied to the bot itself). Allow it in the channel's settings, \
         then set it again. Nothing was changed."
    );
    assert_eq!(s.audited(1).await.outcome, "refused");
    assert_eq!(s.t.hub().set_routes(), []);
    s.t.sends_body(ticket(1)).await;
    s.t.channel("tickets").next_message().await;
    s.finish().await;
}

#[tokio::test]
async fn what_was_kept_without_a_route_is_sent_once_there_is_one() {
    let s = Stage::with(|variables| {
        let map: Value = serde_json::from_str(&variables["DISCORD_WEBHOOK_CHANNELS"]).unwrap();
        let map = json!({"ticket.*": map["ticket.*"]});
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
    })
    .await;
    s.t.sends_body(json!({"event_type": "printer.jammed", "data": {"tray": 2}})).await;
    s.t.log.expect(Level::WARN, "no key of DISCORD_WEBHOOK_CHANNELS matches printer.jammed");

    let shown = config_shown(&s).await;
    s.chooses(&shown, 2, "v1:route", &[]).await;
    let asked = s.sees("the first step", |now| now.content() == "Which events?").await;
    let opened = s.chooses(&asked, 3, "v1:route-key", &["v1:route-other"]).await;
    let answer = s.t.person("alice").submits("general", &opened, "two words").await;
    assert!(content(&answer["data"]).starts_with("What you wrote is neither a kind of event"), "{answer:#}");

    let shown = config_shown(&s).await;
    s.chooses(&shown, 2, "v1:route", &[]).await;
    let asked = s.sees("the first step", |now| now.content() == "Which events?").await;
    let opened = s.chooses(&asked, 3, "v1:route-key", &["v1:route-other"]).await;
    s.t.person("alice").submits("general", &opened, "Printer_*").await;
    let told = goes_to(&s, "general").await;
    let waiting = "1 event waits for a route: `nuncio redeliver --unrouted` sends what has one now.";
    assert!(told.starts_with("Events of `printer.*` go to") && told.ends_with(waiting), "{told}");

    let ran = s.t.runs(&["redeliver", "--unrouted"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(s.t.channel("general").next_message().await.title(), "📨 printer.jammed");
    s.finish().await;
}

// D-8
#[tokio::test]
async fn a_choice_that_the_gateway_tells_twice_is_made_once() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #tickets  ok").await;
    sets(&s, "asset.*", "general").await;
    let set = s.t.hub().set_routes();
    assert!(s.t.discord.replay_interaction(None));
    sets(&s, "alert.*", "general").await;
    s.audited(2).await;
    assert_eq!(s.t.hub().set_routes()[0], set[0], "the first is the same row still");
    assert_eq!(s.t.hub().set_routes().len(), 2);
    s.finish().await;
}

/// The harness's map, but for `ticket.*`.
fn with_tickets(variables: &mut BTreeMap<String, String>, targets: impl FnOnce(&Value) -> Value) {
    let mut map: Value = serde_json::from_str(&variables["DISCORD_WEBHOOK_CHANNELS"]).unwrap();
    map["ticket.*"] = targets(&map);
    variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
}

#[tokio::test]
async fn one_channel_that_takes_the_place_of_several_is_told_with_the_way_back() {
    let s = Stage::with(|variables| {
        with_tickets(variables, |map| json!([map["ticket.*"][0], map["machine.*"][0], map["asset.*"]]));
    })
    .await;
    s.t.table_line("Acme NOC / #tickets  ok, Acme NOC / #machines  ok, Acme NOC / #assets  ok").await;
    let id = |name: &str| s.t.discord.channel_id(name).unwrap();
    let (tickets, machines, assets) = (id("tickets"), id("machines"), id("assets"));
    let (general, alerts) = (id("general"), id("alerts"));
    let (now, back) = ("from now on, also after a restart.", "**Remove** under `/webhook-config` brings");
    assert_eq!(
        sets(&s, "ticket.*", "general").await,
        format!(
            "Events of `ticket.*` go to <#{general}> only {now} Until now they went to <#{tickets}>, <#{machines}> and \
             <#{assets}>. {back} that back."
        )
    );
    s.t.sends_body(ticket(1)).await;
    s.t.channel("general").next_message().await;
    s.t.settle().await;
    assert!(["tickets", "machines", "assets"].iter().all(|name| s.t.channel(name).unread().is_empty()));
    // What somebody set before: that cannot be brought back by removing it.
    assert_eq!(
        sets(&s, "ticket.*", "alerts").await,
        format!(
            "Events of `ticket.*` go to <#{alerts}> {now} Until now they went to <#{general}>, set by Alice. {back} back \
             what .env says."
        )
    );
    assert_eq!(sets(&s, "ticket.*", "alerts").await, format!("Events of `ticket.*` go to <#{alerts}> {now}"));
    s.finish().await;
}

#[tokio::test]
async fn a_key_that_led_nowhere_and_one_that_was_not_there_say_so() {
    let s = Stage::with(|variables| with_tickets(variables, |_| json!([]))).await;
    s.t.table_line("nowhere, on purpose").await;
    let told = sets(&s, "ticket.*", "general").await;
    assert!(told.contains(" Until now they went nowhere, on purpose. **Remove** under"), "{told}");
    let told = sets(&s, "user.created", "general").await;
    assert!(told.ends_with("also after a restart."), "{told}");
    let told = sets(&s, "user.created", "alerts").await;
    assert!(told.ends_with(", set by Alice."), "there is nothing in .env to go back to: {told}");
    s.finish().await;
}

#[tokio::test]
async fn the_table_stands_in_columns_and_is_whole() {
    let s = Stage::with(|variables| {
        let mut map: Value = serde_json::from_str(&variables["DISCORD_WEBHOOK_CHANNELS"]).unwrap();
        for key in ["ticket.created@a-customer-with-a-long-id", "user.*", "backup.*", "company.created"] {
            map[key] = json!([map["default"][0], map["alert.*"][0]]);
        }
        map["printer.*"] = json!([]);
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
    })
    .await;
    s.t.table_line("Acme NOC / #tickets  ok").await;
    let shown = config(&s, &["Set channel"]).await;
    insta::assert_snapshot!(shown.description(), @r"
    ```
    ticket.*         → Acme NOC / #tickets  ok
    machine.*        → Acme NOC / #machines  ok
    asset.*          → Acme NOC / #assets  ok
    alert.*          → Acme NOC / #alerts  ok
    everything else  → Acme NOC / #general  ok
    ticket.created of customer a-customer-with-a-long-id  → Acme NOC / #general  ok, Acme NOC / #alerts  ok
    user.*           → Acme NOC / #general  ok, Acme NOC / #alerts  ok
    backup.*         → Acme NOC / #general  ok, Acme NOC / #alerts  ok
    company.created  → Acme NOC / #general  ok, Acme NOC / #alerts  ok
    printer.*        → nowhere, on purpose
    ```
    ");
    s.finish().await;
}
