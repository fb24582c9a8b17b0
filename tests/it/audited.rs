//! Who changes something is in the audit log, whatever they came by; and who may not changes nothing, whatever asks.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `audit::append` in the unit of a change (its error ignored) | `no_change_is_made_that_the_log_cannot_record` |
//! | `Hub::authorize` in one use case | `whoever_may_not_changes_nothing_whatever_asks_for_it` |
//! | `Hub::refused` in `mute`, `unmute` or `add_webhook` | `what_the_shell_does_and_is_refused_has_an_entry` |

use std::collections::BTreeSet;
use std::time::Duration;

use nuncio::hub::{ChannelInfo, Error};
use nuncio::model::route::RouteKey;
use nuncio::model::{
    Actor, ApiKeyId, ApiRole, By, DeliveryFilter, DeliveryId, NewApiKey, NewWebhook, Person, Snowflake,
    Status, WebhookChange,
};
use nuncio::store::EndedSessions;
use serde_json::{Value, json};

use crate::database::Database;
use crate::harness::{Harness, by, nuncio_id};
use crate::webhooks::{makes_webhook, parsed, url};

const HOUR: Duration = Duration::from_secs(3600);

/// A stored webhook of this name.
fn about(name: &str) -> NewWebhook {
    NewWebhook::named(name)
}

/// A change that disables a webhook.
fn disabled() -> WebhookChange {
    WebhookChange { enabled: Some(false), ..WebhookChange::default() }
}

/// The channel #general, as the gateway would report it.
fn general(t: &Harness) -> (Snowflake, ChannelInfo) {
    let channel = ChannelInfo {
        guild_id: Some(nuncio_id(t.discord.guild_id())),
        guild: "Acme NOC".to_owned(),
        roles: BTreeSet::new(),
        channel: "general".to_owned(),
        problems: Vec::new(),
    };
    (nuncio_id(t.discord.channel_id("general").unwrap()), channel)
}

/// A ticket's delivery that arrived.
async fn delivered(t: &Harness) -> DeliveryId {
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    t.store().delivery_details_of(DeliveryFilter::All, 1).await.unwrap()[0].id
}

/// Asks for every kind of change; each answer, with the name of the change.
async fn asks_for_everything(t: &Harness, by: &By) -> Vec<(&'static str, Result<(), Error>)> {
    let hub = t.hub();
    let (new, other) = (makes_webhook(t, "general").await, makes_webhook(t, "general").await);
    let (new, other) = (parsed(t, &new), parsed(t, &other));
    let stored = t.store().webhooks().await.unwrap()[0].id;
    let delivery = t.store().delivery_details_of(DeliveryFilter::All, 1).await.unwrap()[0].clone();
    let message = t.channel("tickets").shown()[0]["id"].as_str().unwrap().parse().unwrap();
    let (channel, info) = general(t);
    let route = hub.set_routes()[0].id;
    let api_key = t.store().api_keys().await.unwrap()[0].id;
    let key = RouteKey::read("asset.*").unwrap();
    vec![
        ("mute", hub.mute("alert.*", HOUR, "", by).await.map(drop)),
        ("unmute", hub.unmute("ticket.*", by).await.map(drop)),
        ("set_route", hub.set_route(key, channel, Some(&info), by).await.map(drop)),
        // First: then the message still shows the delivery.
        ("redeliver_message", hub.redeliver_message(message, by).await.map(drop)),
        ("redeliver", hub.redeliver(delivery.id, by).await.map(drop)),
        ("redeliver_event", hub.redeliver_event(delivery.event_id, by).await.map(drop)),
        ("redeliver_unrouted", hub.redeliver_unrouted(by, |_| {}).await.map(drop)),
        ("remove_route", hub.remove_route(route, by).await.map(drop)),
        ("add_webhook", hub.add_webhook(about("Another"), &new, None, None, by).await.map(drop)),
        ("replace_webhook", hub.replace_webhook(stored, &other, by).await),
        ("change_webhook", hub.change_webhook(stored, disabled(), None, by).await.map(drop)),
        ("remove_webhook", hub.remove_webhook(stored, by).await.map(drop)),
        ("send_test", hub.send_test(by).await.map(drop)),
        ("confirm_clock", hub.confirm_clock(by).await),
        ("create_key", hub.create_key(new_key("another"), None, by).await.map(drop)),
        ("rotate_key", hub.rotate_key(api_key, HOUR, None, by).await.map(drop)),
        ("revoke_key", hub.revoke_key(api_key, by).await.map(drop)),
        ("console_link", hub.console_link(by).await.map(drop)),
        ("end_console_sessions", hub.end_console_sessions(EndedSessions::All, by).await.map(drop)),
    ]
}

/// Everything that these changes change.
async fn state(t: &Harness) -> String {
    let store = t.store();
    let deliveries: Vec<(Status, u64)> = store
        .delivery_details_of(DeliveryFilter::All, 100)
        .await
        .unwrap()
        .iter()
        .map(|delivery| (delivery.status, delivery.generation))
        .collect();
    let webhooks: Vec<_> =
        store.webhooks().await.unwrap().into_iter().map(|webhook| (webhook.id, webhook.mark)).collect();
    format!(
        "{:?} {:?} {deliveries:?} {webhooks:?} {:?} {:?} {} {:?}",
        store.mutes().await.unwrap(),
        store.routes().await.unwrap(),
        store.clock_confirmed().await.unwrap(),
        store.backlog().await.unwrap(),
        store.recent(100).await.unwrap().len(),
        store.api_keys().await.unwrap(),
    )
}

/// A nuncio in which there is something to change of every kind.
async fn with_something_of_everything() -> Harness {
    let t = Harness::with_discord(|variables, discord| {
        // What has no route is there for `redeliver_unrouted`; it has one once `user.*` is set.
        let map: Value = serde_json::from_str(&variables["DISCORD_WEBHOOK_CHANNELS"]).unwrap();
        let map = json!({"ticket.*": map["ticket.*"], "webhook.test": map["default"]});
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
        variables.insert("DISCORD_GUILD_ID".to_owned(), discord.guild_id().to_string());
    })
    .await;
    t.sends("user_created.json").await;
    t.log.expect(tracing::Level::WARN, "no key of DISCORD_WEBHOOK_CHANNELS matches user.created");
    delivered(&t).await;
    let (channel, info) = general(&t);
    t.hub().mute("ticket.*", HOUR, "", &by("Alice")).await.unwrap();
    t.hub().set_route(RouteKey::read("user.*").unwrap(), channel, Some(&info), &by("Alice")).await.unwrap();
    t.hub().add_webhook(about("Acme NOC"), &parsed(&t, &url(&t)), None, None, &by("Alice")).await.unwrap();
    t.hub().create_key(new_key("web shop"), None, &by("Alice")).await.unwrap();
    t
}

/// An API key of this name.
fn new_key(name: &str) -> NewApiKey {
    NewApiKey { name: name.to_owned(), role: ApiRole::Sender, company: None, owner: None, expires_at: None }
}

// The change and its entry are one unit.
#[tokio::test]
async fn no_change_is_made_that_the_log_cannot_record() {
    let t = with_something_of_everything().await;
    let database = Database::open(t.folder().join("nuncio.db")).await.unwrap();
    let refuse =
        "CREATE TRIGGER audit_is_full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'it is full'); END";
    database.execute(refuse, ()).await.unwrap();
    let (before, entries) = (state(&t).await, t.store().audited(100).await.unwrap().len());
    for (what, answer) in asks_for_everything(&t, &by("Alice")).await {
        assert!(matches!(&answer, Err(Error::Unavailable(_))), "{what}: {answer:?}");
    }
    assert_eq!(state(&t).await, before);
    assert_eq!(t.store().audited(100).await.unwrap().len(), entries);

    // The control of this test: each of them changes something where the log takes its entry.
    database.execute("DROP TRIGGER audit_is_full", ()).await.unwrap();
    for (what, answer) in asks_for_everything(&t, &by("Alice")).await {
        assert!(answer.is_ok(), "{what}: {answer:?}");
    }
    let all = t.store().audited(100).await.unwrap();
    assert_eq!(all.len(), entries + 19, "{all:#?}");
    t.settle().await;
    for channel in ["tickets", "general"] {
        let unread = t.channel(channel).unread().len();
        t.channel(channel).next_messages(unread).await;
    }
    t.finish().await;
}

// D-4
#[tokio::test]
async fn whoever_may_not_changes_nothing_whatever_asks_for_it() {
    let t = with_something_of_everything().await;
    let person = |guild| Person {
        id: Snowflake::new(7),
        name: "Mallory".to_owned(),
        guild,
        roles: Vec::new(),
        may_manage: guild.is_none() || guild == Some(Snowflake::new(99)),
        is_timed_out: false,
    };
    let before = state(&t).await;
    let mut entries = t.store().audited(200).await.unwrap().len();
    // A member of the operator's guild, the owner of a stranger's, somebody in a direct message, and a key.
    for (actor, why) in [
        (Actor::Person(person(Some(nuncio_id(t.discord.guild_id())))), "may not manage the server"),
        (Actor::Person(person(Some(Snowflake::new(99)))), "in server 99, which is none of the operator's"),
        (Actor::Person(person(None)), "not in a server"),
        (Actor::ApiKey, "API keys are not for this"),
        (Actor::Key { id: ApiKeyId::new(), name: "web shop".to_owned() }, "API keys are not for this"),
    ] {
        let (by, name) = (By::new(actor.clone(), "test"), actor.name());
        let asked = asks_for_everything(&t, &by).await;
        for (what, answer) in &asked {
            assert!(matches!(answer, Err(Error::Forbidden(_))), "{what}: {answer:?}");
        }
        let all = t.store().audited(200).await.unwrap();
        entries += asked.len();
        assert_eq!(all.len(), entries, "an entry for each: {all:#?}");
        for entry in &all[..asked.len()] {
            let found = (entry.outcome.as_str(), entry.actor_name.as_str(), entry.detail.as_str());
            assert_eq!(found, ("refused", name, why), "{entry:?}");
        }
    }
    assert_eq!(state(&t).await, before);
    t.finish().await;
}

// What the program does has an entry with the name of who ran it, also what it refuses to do.
#[tokio::test]
async fn what_the_shell_does_and_is_refused_has_an_entry() {
    let t = Harness::plain().await;
    let webhook = url(&t);
    let add = ["discord-webhooks", "add", "--name", "Acme"];
    let runs: [(&[&str], &str, i32, &str); 15] = [
        (&["mute", "alert.*", "--for", "1h"], "", 0, "command.mute done mute alert.*"),
        (
            &["mute", "machine.registered", "--for", "1h"],
            "",
            2,
            "command.mute refused mute machine.registered",
        ),
        (&["unmute", "alert.*"], "", 0, "command.unmute done mute alert.*"),
        (&["unmute", "alert.*"], "", 2, "command.unmute refused mute alert.*"),
        (&["clock", "confirm"], "", 0, "command.clock-confirm done clock"),
        (&add, &webhook, 0, "discord-webhook.add done …"),
        (&add, &webhook, 1, "discord-webhook.add refused …"),
        (&["discord-webhooks", "test", "Acme"], "", 0, "discord-webhook.test done …"),
        (&["discord-webhooks", "remove", "Acme"], "", 0, "discord-webhook.remove done …"),
        (&["keys", "create", "web shop", "--role", "sender"], "", 0, "key.create done API key web shop"),
        (&["keys", "rotate", "web shop"], "", 0, "key.rotate done API key web shop"),
        (&["keys", "revoke", "web shop"], "", 0, "key.revoke done API key web shop"),
        (&["keys", "create", " ", "--role", "reader"], "", 2, "key.create refused API key "),
        (&["console"], "", 0, "console.link done console"),
        (&["console", "--sign-everybody-out"], "", 0, "console.sign-everybody-out done console"),
    ];
    for (number, (args, input, code, entry)) in runs.into_iter().enumerate() {
        let ran = t.runs_with(args, input).await;
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        let all = t.store().audited(100).await.unwrap();
        assert_eq!(all.len(), number + 1, "{args:?}");
        let newest = format!("{} {} {}", all[0].action, all[0].outcome, all[0].subject);
        assert!(newest.starts_with(entry), "{args:?}: {newest}");
        assert_eq!(all[0].actor_id, "shell", "{args:?}");
        assert!(!format!("{:?}", all[0]).contains(&webhook), "{args:?}: a webhook's address is a password");
    }
    t.channel("general").next_message().await;
    t.finish().await;
}
