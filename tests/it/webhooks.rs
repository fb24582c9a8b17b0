//! Stored Discord webhooks as destinations: sent through, labelled where it may be a duplicate, left alone when dead.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | the bot's token stays away from webhooks | the request built by the bot's client | `the_bots_token_is_not_sent…` |
//! | a repetition says that it may be a duplicate | `note_maybe_duplicate` in the sink | `what_may_stand_twice…` |
//! | a dead webhook is never used again | the exception in `reopen` of a redelivery | `a_deleted_webhook…` |
//! | its 401 is not the bot's token's | `webhook_meaning` for 401 | `a_wrong_token…::case_2_bare` |
//! | the address is sealed, and for its row only | the parts stored as they are | `its_address_is_nowhere…`, `a_row_that_was_tampered…` |

mod doubt;
mod gone;
mod shell;

use std::net::SocketAddr;
use std::time::Duration;

use nuncio::config::DiscordBase;
use nuncio::model::{Actor, By, Category, DestinationId, NewWebhook, WebhookUrl};
use nuncio::sandbox::discord::Fault;
use serde_json::json;
use tracing::Level;

use crate::database::Database;
use crate::harness::{Answering, Harness, Receiver, at_shell, http, one_by_one, stored, within};
use crate::limits::{asked, health_says, recorded, ticket};

/// Where the sandbox's Discord is.
fn address(t: &Harness) -> SocketAddr {
    let url = t.variable("DISCORD_API_URL");
    url.trim_start_matches("http://").trim_end_matches("/api").parse().unwrap()
}

/// The address of the webhook that leads to #general.
pub fn url(t: &Harness) -> String {
    t.discord.webhook_url(address(t)).expose().to_owned()
}

/// Somebody with the right to makes a webhook; answers its address.
pub async fn makes_webhook(t: &Harness, channel: &str) -> String {
    let id = t.discord.channel_id(channel).unwrap();
    let request = http().post(format!("http://{}/api/v10/channels/{id}/webhooks", address(t)));
    let request = request.header("authorization", format!("Bot {}", t.discord.bot_token().expose()));
    let made: serde_json::Value =
        request.json(&json!({"name": "Hook"})).send().await.unwrap().json().await.unwrap();
    made["url"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

pub fn parsed(t: &Harness, url: &str) -> WebhookUrl {
    WebhookUrl::parse(url, &DiscordBase::parse(t.variable("DISCORD_API_URL")).unwrap().proxy()).unwrap()
}

pub async fn stores(t: &Harness, url: &str) -> DestinationId {
    let about = NewWebhook { category: Category::Support, ..NewWebhook::named("Acme NOC") };
    let by = By::new(Actor::Shell, "discord-webhook.add");
    t.hub().add_webhook(about, &parsed(t, url), None, None, &by).await.unwrap().done().unwrap().id
}

/// Tickets, assets and machines go through a stored webhook to #general; what is told to the admins stands in #alerts.
pub async fn routed(t: &mut Harness) -> DestinationId {
    let id = stores(t, &url(t)).await;
    routes_to(t, id).await;
    id
}

pub async fn routes_to(t: &mut Harness, id: DestinationId) {
    let alerts = t.discord.channel_id("alerts").unwrap().to_string();
    let map = json!({"ticket.*": [id], "asset.*": [id], "machine.*": [id], "default": [alerts]});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.restart().await;
}

pub fn footer(message: &crate::harness::Message) -> &str {
    message.0["embeds"][0]["footer"]["text"].as_str().unwrap()
}

#[tokio::test]
async fn without_a_token_cards_come_through_the_webhook_and_live() {
    let mut t = Harness::start().await;
    t.unset("DISCORD_TOKEN");
    let id = routed(&mut t).await;
    assert!(
        t.hub().table().iter().any(|line| line.contains("Acme NOC (…/webhooks/")),
        "{:#?}",
        t.hub().table()
    );
    let (at, data) =
        (t.clock.now().as_secs(), json!({"id": "t-1", "seq_id": 1001, "title": "Network Issue"}));
    t.sends_body(json!({"event_type": "ticket.created", "data": data, "timestamp": at})).await;
    let card = t.channel("general").next_message().await;
    assert_eq!(card.0["webhook_id"], t.discord.webhook_id().to_string());
    assert!(card.title().contains("#1001 Network Issue"), "{card:?}");
    assert_eq!(asked(&t, &["POST", "/webhooks/", "wait=true"]), 1);
    // Later events change it, and say so in a line of their own.
    let data =
        json!({"id": "t-1", "seq_id": 1001, "title": "Network Issue", "resolution": "switch replaced"});
    t.sends_body(json!({"event_type": "ticket.closed", "data": data, "timestamp": at + 1})).await;
    assert_eq!(t.channel("general").next_message().await.content(), "🔒 #1001 closed: switch replaced");
    assert_eq!(t.channel("general").now(card.id()).title(), "🔒 #1001 Network Issue");
    let path = format!("/messages/{}", card.id());
    assert_eq!(asked(&t, &["PATCH", "/webhooks/", &path]), 1);
    let every = t.discord.requests();
    let mut written = every.iter().filter(|asked| asked.method != "GET" && asked.path.contains("/webhooks/"));
    assert!(written.all(|asked| asked.had_allowed_mentions), "D-1: {every:#?}");
    // What is for a channel waits for a token.
    t.sends_body(json!({"event_type": "company.created", "data": {"name": "Acme"}})).await;
    health_says(&t, "DISCORD_TOKEN is not set", true).await;
    assert_eq!(t.store().webhooks().await.unwrap()[0].id, id);
    recorded(&t).await;
    t.finish_with_backlog(1).await;
}

// A machine's card through a webhook cannot ask: it says where to decide, and shows what was decided.
#[tokio::test]
async fn a_card_without_buttons_says_where_to_decide() {
    let mut t = Harness::with(|variables| {
        variables.insert("XTSYSTEMS_API_KEY".to_owned(), "a-key-of-the-tests".to_owned());
    })
    .await;
    routed(&mut t).await;
    t.sends("machine_registered.json").await;
    let card = t.channel("general").next_message().await;
    assert!(card.buttons().is_empty(), "{card:?}");
    assert!(card.description().contains("Decide with /machine"), "{card:?}");
    assert!(
        t.discord
            .requests()
            .iter()
            .all(|asked| { asked.body.as_ref().is_none_or(|body| body.get("components").is_none()) })
    );
    t.sends("machine_approved.json").await;
    t.channel("general").becomes(card.id(), "approved", |card| card.title().starts_with("✅")).await;
    t.finish().await;
}

#[tokio::test]
async fn the_bots_token_is_not_sent_to_webhooks() {
    let receiver = Receiver::start().await;
    let mut t = Harness::plain().await;
    let id = stores(&t, &url(&t)).await;
    let base = format!("{}/api", receiver.url());
    t.set("DISCORD_API_URL", &base);
    routes_to(&mut t, id).await;
    receiver.next(20, &Answering::With(200, r#"{"id":"7","channel_id":"8","username":"nuncio"}"#));
    t.sends_body(ticket(1)).await;
    t.settle().await;
    let told = receiver.recorded_requests();
    let posted: Vec<_> = told.iter().filter(|told| told.line.contains("/webhooks/")).collect();
    assert_eq!(posted.len(), 1, "{told:#?}");
    assert_eq!(posted[0].authorization, "", "the bot's token");
    assert!(posted[0].body.get("nonce").is_none() && posted[0].body.get("components").is_none());
    assert_eq!(posted[0].body["allowed_mentions"]["parse"], json!([]));
    t.finish().await;
}

// K-3, N-1: no nonce brings the first one back. One more may stand there, and says so.
#[rstest::rstest]
#[case::cut(Fault::CutAfter, 2)]
#[case::bad_gateway(Fault::status(502), 1)]
#[tokio::test]
async fn what_may_stand_twice_says_so(#[case] fault: Fault, #[case] stands: usize) {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    t.discord.faults().next_on("POST /api/v10/webhooks/", 1, fault);
    t.sends_body(ticket(1)).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    let messages = t.channel("general").next_messages(stands).await;
    assert!(footer(messages.last().unwrap()).ends_with(" · may be a duplicate"), "{messages:#?}");
    assert!(messages[..stands - 1].iter().all(|first| !footer(first).contains("may be a duplicate")));
    // What comes after it is not in doubt.
    t.sends_body(ticket(2)).await;
    assert!(!footer(&t.channel("general").next_message().await).contains("may be a duplicate"));
    t.finish().await;
}

#[tokio::test]
async fn what_cannot_have_arrived_is_sent_again_without_a_word() {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    t.discord.faults().next_on(
        "POST /api/v10/webhooks/",
        1,
        Fault::rate_limited(Duration::from_secs(2), "user"),
    );
    t.sends_body(ticket(1)).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    assert!(!footer(&t.channel("general").next_message().await).contains("may be a duplicate"));
    t.finish().await;
}

// N-5, D-12: somebody who knew the address deleted the webhook.
#[tokio::test]
async fn a_deleted_webhook_is_left_alone_told_of_and_replaced() {
    let mut t = Harness::plain().await;
    let id = routed(&mut t).await;
    assert!(t.discord.delete_webhook(t.discord.webhook_id()));
    let mut last = String::new();
    for number in 1..=3 {
        let answer = t.sends_body(ticket(number)).await;
        last = answer.body["event_id"].as_str().unwrap().to_owned();
    }
    let told = t.channel("alerts").next_message().await;
    let command = format!("nuncio discord-webhooks replace {id}");
    assert!(told.title().ends_with("Acme NOC is closed"), "{told:?}");
    assert!(told.0.to_string().contains(&command) && told.0.to_string().contains("…/webhooks/"), "{told:?}");
    t.log.expect(Level::ERROR, "Acme NOC is closed: Discord does not know this webhook (10015)");
    health_says(&t, &command, true).await;
    // Neither time, nor a start, nor a redelivery wakes the dead.
    recorded(&t).await;
    t.clock.advance(Duration::from_secs(3600));
    t.restart().await;
    let ran = t.runs(&["redeliver", &last]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    t.sends_body(ticket(4)).await;
    t.clock.advance(Duration::from_secs(3600));
    t.sends_body(json!({"event_type": "alert.triggered", "data": {"title": "Another lane works"}})).await;
    t.channel("alerts").next_message().await;
    assert_eq!(asked(&t, &["POST", "/webhooks/"]), 1, "one request after it was deleted");
    let ran = t
        .runs_with(&["discord-webhooks", "replace", &id.to_string()], &makes_webhook(&t, "assets").await)
        .await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("4 deliveries that waited for it are sent within a second"),
        "{}",
        ran.stderr
    );
    t.settle_in_steps(Duration::from_millis(200)).await;
    let messages = t.channel("assets").next_messages(4).await;
    for (number, message) in (1..).zip(&messages) {
        assert!(message.title().contains(&format!("#{number} ")), "in order: {message:?}");
    }
    assert!(t.channel("alerts").next_message().await.title().ends_with("takes messages again"));
    health_says(&t, "is closed", false).await;
    t.finish().await;
}

// N-5: 50027. The bot's token has nothing to do with it.
#[rstest::rstest]
#[case::unknown(Fault::refusal(401, 50027, "Invalid Webhook Token"))]
#[case::bare(Fault::refusal(401, 0, "401: Unauthorized"))]
#[tokio::test]
async fn a_wrong_token_closes_the_webhook_and_nothing_else(#[case] fault: Fault) {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    t.discord.faults().next_on("POST /api/v10/webhooks/", usize::MAX, fault);
    t.sends_body(ticket(1)).await;
    let told = t.channel("alerts").next_message().await;
    assert!(told.title().ends_with("is closed"), "{told:?}");
    t.log.expect(Level::ERROR, "Acme NOC is closed");
    t.sends_body(json!({"event_type": "alert.triggered", "data": {"title": "The bot still writes"}})).await;
    t.channel("alerts").next_message().await;
    recorded(&t).await;
    assert_eq!(asked(&t, &["POST", "/webhooks/"]), 1);
    assert!(!t.health().await["problems"].to_string().contains("refused DISCORD_TOKEN"));
    t.discord.faults().clear();
    t.finish_with_backlog(1).await;
}

// N-4 the other way round: a dead bot token does not stop webhooks.
#[tokio::test]
async fn a_dead_bot_token_does_not_stop_webhooks() {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    t.stop().await;
    t.discord.revoke_token();
    t.boot().await;
    health_says(&t, "refused DISCORD_TOKEN", true).await;
    t.log.expect(Level::ERROR, "Discord refused DISCORD_TOKEN");
    for number in 1..=3 {
        t.sends_body(ticket(number)).await;
    }
    t.channel("general").next_messages(3).await;
    t.finish().await;
}

#[tokio::test]
async fn a_row_that_was_tampered_with_closes_and_harms_nobody() {
    let mut t = Harness::plain().await;
    let (one, other) = (routed(&mut t).await, stores(&t, &makes_webhook(&t, "assets").await).await);
    t.stop().await;
    let database = Database::open(t.folder().join("nuncio.db")).await.unwrap();
    // What was sealed for another row does not open here.
    let swap =
        "UPDATE destinations SET sealed = (SELECT sealed FROM destinations WHERE id = ?2) WHERE id = ?1";
    database.execute(swap, [stored(one), stored(other)]).await.unwrap();
    drop(database);
    t.boot().await;
    t.sends_body(ticket(1)).await;
    t.channel("alerts").next_message().await;
    t.log.expect(Level::ERROR, "its address cannot be unsealed");
    recorded(&t).await;
    assert_eq!(asked(&t, &["POST", "/webhooks/"]), 0);
    t.finish_with_backlog(1).await;
}

// A-12
#[tokio::test]
async fn the_same_address_is_stored_once_for_each_owner() {
    let t = Harness::plain().await;
    let url = parsed(&t, &url(&t));
    let about = |owner: &str| NewWebhook { owner: owner.to_owned(), ..NewWebhook::named("Twin") };
    let by = at_shell();
    let adding = (0..20).map(|_| t.hub().add_webhook(about(""), &url, None, None, &by));
    let added = futures_util::future::join_all(adding).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 1, "{added:?}");
    t.hub().add_webhook(about("u-1"), &url, None, None, &at_shell()).await.unwrap();
    assert_eq!(t.store().webhooks().await.unwrap().len(), 2);
    t.finish().await;
}

#[tokio::test]
async fn what_waits_for_a_removed_webhook_is_taken_back() {
    let mut t = Harness::with(one_by_one).await;
    let id = routed(&mut t).await;
    t.discord.faults().next_on("POST /api/v10/webhooks/", usize::MAX, Fault::status(503));
    t.sends_body(ticket(1)).await;
    within(
        "it to be tried",
        t.discord.wait_until(|_| (asked(&t, &["POST", "/webhooks/"]) > 0).then_some(())),
    )
    .await;
    let ran = t.runs(&["discord-webhooks", "remove", "Acme NOC"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains(r#"still names it at "ticket.*""#), "{}", ran.stderr);
    assert!(ran.stderr.contains("then `kill -HUP` nuncio or restart it"), "{}", ran.stderr);
    // The map of the running nuncio names it still: what comes for it is taken back as well.
    t.sends_body(ticket(2)).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.discord.faults().clear();
    t.set("DISCORD_WEBHOOK_CHANNELS", json!({"ticket.*": [id]}).to_string());
    t.restart().await;
    assert!(t.hub().table().iter().any(|line| line.ends_with("no such destination is stored")));
    t.finish().await;
}

#[tokio::test]
async fn a_webhook_of_a_user_needs_its_owner() {
    let t = Harness::plain().await;
    let add = ["discord-webhooks", "add", "--name", "Mine", "--scope", "USER"];
    let ran = t.runs_with(&add, &url(&t)).await;
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("of scope USER needs its owner's id"), "{}", ran.stderr);
    let ran = t.runs_with(&[&add[..], &["--owner", "u-1"]].concat(), &url(&t)).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    t.finish().await;
}
