//! Clicks as nobody should tell them (D-4, D-5), and as other servers than Discord do: over the wire.

use serde_json::{Value, json};

use nuncio::sandbox::discord::Fault;

use super::{GRACE, Stage};
use crate::harness::{Harness, Message};

impl Stage {
    /// Asks for a machine of its own.
    async fn machine(&self, id: &str) -> Message {
        let data = json!({"id": id, "hostname": id.to_uppercase()});
        self.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
        self.t.channel("machines").next_message().await
    }

    /// Presses a button while interactions are told with `changes`; what the person is told.
    async fn told(&self, who: &str, card: &Message, changes: Value) -> String {
        let before = self.t.whispers().len();
        self.t.discord.distort_interactions(Some(changes));
        let answer = self.t.person(who).clicks("machines", card, "Approve").await;
        self.t.discord.distort_interactions(None);
        let said = match answer["type"].as_u64() {
            Some(6) => self.t.whisper(before + 1).await["content"].clone(),
            _ => answer["data"]["content"].clone(),
        };
        said.as_str().unwrap().to_owned()
    }
}

// D-4, D-5. Control: each of the checks taken away lets its case through.
#[tokio::test]
async fn a_forged_click_changes_nothing() {
    let s = Stage::start().await;
    s.t.table_line("Acme NOC / #machines  ok").await;
    let (card, other) = (s.machine("m-1").await, s.machine("m-2").await);
    s.t.settle().await;
    let alice = json!({"id": s.t.discord.user_id("alice"), "username": "alice"});
    let general = s.t.discord.channel_id("general");
    let elsewhere = "This is not where nuncio posted its card";
    let only = "Only <@&";
    let strange = "Commands and buttons do not work in this server: it is not one of the operator's. If it is yours, put its id `99`";
    let cases = [
        (
            "a direct message",
            "alice",
            json!({"guild_id": null, "member": null, "user": alice}),
            "use the buttons on the card",
        ),
        ("nobody's member", "alice", json!({"member": null, "user": alice}), "use the buttons on the card"),
        (
            "in timeout",
            "alice",
            json!({"member": {"communication_disabled_until": "2999-01-01T00:00:00Z"}}),
            "You are in timeout",
        ),
        ("an administrator without the role", "carol", json!({"member": {"permissions": "8"}}), only),
        ("a moderator without the role", "carol", json!({"member": {"permissions": "8192"}}), only),
        (
            "an approver of another server",
            "carol",
            json!({"guild_id": "99", "member": {"roles": ["99"]}}),
            strange,
        ),
        (
            "the owner of another server",
            "carol",
            json!({"guild_id": "99", "member": {"permissions": "8"}}),
            strange,
        ),
        ("another server", "alice", json!({"guild_id": "99"}), strange),
        ("another channel", "alice", json!({"channel_id": general}), elsewhere),
        ("another machine's card", "alice", json!({"message": {"id": other.id()}}), elsewhere),
        (
            "somebody else's message",
            "alice",
            json!({"message": {"id": "4242", "author": {"id": "77"}}}),
            elsewhere,
        ),
        ("a webhook's copy", "alice", json!({"message": {"id": "4242", "webhook_id": "77"}}), elsewhere),
        ("a message of nobody's", "alice", json!({"message": {"id": "4242", "author": null}}), elsewhere),
        ("garbage", "alice", json!({"data": {"custom_id": "x".repeat(100)}}), "This button has expired"),
        (
            "another version",
            "alice",
            json!({"data": {"custom_id": format!("v9:approve:{}", "a".repeat(26))}}),
            "This button has expired",
        ),
        (
            "a token of nobody's",
            "alice",
            json!({"data": {"custom_id": format!("v1:approve:{}", "a".repeat(26))}}),
            "This button has expired",
        ),
    ];
    for (what, who, changes, expected) in cases {
        let said = s.told(who, &card, changes).await;
        assert!(said.contains(expected), "{what}: {said}");
        assert_eq!(
            s.t.channel("machines").now(card.id()).buttons(),
            ["Approve", "Deny", "Details"],
            "{what}"
        );
    }
    // All but the two that do not even look like ours.
    s.audited(14).await;
    assert!(s.audit().await.iter().all(|line| line.ends_with("approve refused")));
    s.t.clock.advance(GRACE);
    s.t.settle().await;
    assert!(s.platform.recorded_requests().is_empty());

    // Where it stands, it works.
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅ M-1 approved").await;
    assert_eq!(s.t.channel("machines").now(other.id()).title(), "🖥️ M-2 wants to join");
    s.finish().await;
}

// Control: without `tolerance::interaction` most of them are never answered.
#[tokio::test]
async fn a_click_told_in_fewer_words_counts() {
    let s = Stage::start().await;
    let number = |id: String| id.parse::<u64>().unwrap();
    let guild = number(s.t.discord.guild_id().to_string());
    let channel = number(s.t.discord.channel_id("machines").unwrap().to_string());
    let cases = [
        json!({"app_permissions": null, "entitlements": null, "authorizing_integration_owners": null, "context": null}),
        json!({"attachment_size_limit": null}),
        json!({"version": null, "locale": null, "guild_locale": null, "guild": null, "channel": null}),
        json!({"member": {"permissions": null, "deaf": null, "mute": null, "flags": null, "joined_at": null}}),
        json!({"member": {"permissions": 0, "avatar": "", "premium_since": "never"}}),
        json!({"message": {"author": null, "guild_id": null, "timestamp": null, "flags": null}}),
        json!({"message": {"embeds": null, "components": null, "mentions": null, "mention_roles": null, "tts": null}}),
        json!({"message": {"type": 999, "components": [{"type": 99, "more": [1]}], "embeds": [{"surprise": {"a": 1}}]}}),
        json!({"guild_id": guild, "channel_id": channel}),
        json!({"surprise": {"a": [1, null]}, "data": {"component_type": null, "id": null}}),
    ];
    for (n, changes) in cases.into_iter().enumerate() {
        let card = s.machine(&format!("m-{n}")).await;
        s.t.discord.distort_interactions(Some(changes.clone()));
        if n % 2 == 0 {
            s.clicks("alice", &card, "Approve").await;
        } else {
            assert_eq!(s.denies("alice", &card, "not ours").await["type"], 6, "{changes}");
        }
        s.says(&card, "⏳").await;
        s.t.clock.advance(GRACE);
        s.says(&card, if n % 2 == 0 { "✅" } else { "❌" }).await;
    }
    assert_eq!(s.platform.recorded_requests().len(), 10);
    s.finish().await;
}

#[tokio::test]
async fn a_command_told_in_fewer_words_is_answered() {
    let s = Stage::start().await;
    s.t.commands().await;
    s.t.discord.distort_interactions(Some(json!({
        "app_permissions": null, "entitlements": null, "attachment_size_limit": null, "locale": null, "version": null,
    })));
    let answer = s.t.person("alice").types("webhook-status").await;
    assert!(answer["data"]["embeds"][0]["description"].is_string(), "{answer:#}");
    s.finish().await;
}

#[tokio::test]
async fn a_click_that_cannot_be_read_is_told_to_the_operator() {
    let s = Stage::start().await;
    let card = s.machine("m-1").await;
    s.t.discord.distort_interactions(Some(json!({"token": null})));
    let person = s.t.person("alice");
    person.acts(&person.click("machines", &card, "Approve")).await;
    s.t.log
        .seen(tracing::Level::WARN, "a click or command that nuncio cannot read (missing field `token`")
        .await;
    assert!(
        !s.t.log.all().iter().any(|line| line.contains(&card.custom_id("Approve"))),
        "only names of fields"
    );
    s.finish().await;
}

#[tokio::test]
async fn a_server_without_a_gateway_for_bots_is_asked_for_the_other() {
    let t = Harness::with_discord(|variables, discord| {
        variables.remove("DISCORD_GATEWAY");
        discord.faults().next_on("GET /api/v10/gateway/bot", 100, Fault::status(404));
    })
    .await;
    t.online().await;
    t.finish().await;
}
