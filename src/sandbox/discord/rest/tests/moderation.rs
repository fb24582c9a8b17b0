use reqwest::Method;

use super::ask::next;
use super::*;

#[tokio::test]
async fn a_role_is_made_changed_and_deleted() {
    let t = Stage::start().await;
    let guild = t.discord.guild_id();
    let roles = format!("/guilds/{guild}/roles");
    let mut events = t.discord.dispatches();

    let made = t.say("alice", &roles, &json!({"name": "Night shift", "permissions": "2048"})).await.done();
    assert_eq!(made["permissions"], "2048");
    assert_eq!(next(&mut events, "GUILD_ROLE_CREATE").await["role"], made);
    let one = format!("{roles}/{}", made["id"].as_str().unwrap());
    let changed = json!({"name": "Day shift"});
    let changed = t.ask("alice", Method::PATCH, &one, Some(&changed)).await.done();
    assert_eq!((&changed["name"], &changed["permissions"]), (&"Day shift".into(), &"2048".into()));
    assert_eq!(next(&mut events, "GUILD_ROLE_UPDATE").await["role"], changed);
    let all = t.read(&roles).await.done();
    let position = |role: &Value| role["position"].as_u64().unwrap();
    let places: std::collections::BTreeSet<u64> = all.as_array().unwrap().iter().map(position).collect();
    assert_eq!(places.len(), all.as_array().unwrap().len(), "two roles stand in one place: {all}");

    t.ask("alice", Method::DELETE, &one, None).await.done();
    assert_eq!(next(&mut events, "GUILD_ROLE_DELETE").await["role_id"], made["id"]);
    assert_eq!(t.read(&one).await.refused(), (404, 10011));
    t.end().await;
}

#[tokio::test]
async fn roles_are_managed_from_above() {
    let t = Stage::start().await;
    let roles = format!("/guilds/{}/roles", t.discord.guild_id());
    let role = |name: &str| format!("{roles}/{}", t.discord.role_id(name).unwrap());
    let rights = |bits: u64| json!({"permissions": bits.to_string()});
    let (manage_roles, administrator) = (1 << 28, 1 << 3);

    let refused = t.ask("bot", Method::PATCH, &role("Approvers"), Some(&rights(0))).await;
    assert_eq!(refused.refused(), (403, 50013), "without Manage Roles");
    // The owner grants it, as an operator would in the guild's settings.
    t.ask("alice", Method::PATCH, &role("nuncio"), Some(&rights(manage_roles | 1 << 10))).await.done();
    let own = t.ask("bot", Method::PATCH, &role("nuncio"), Some(&rights(0))).await;
    assert_eq!(own.refused(), (403, 50013), "its own role is not below its own role");
    let more = t.say("bot", &roles, &rights(administrator)).await;
    assert_eq!(more.refused(), (403, 50013), "nobody gives what they do not have");
    let made = t.say("bot", &roles, &rights(1 << 10)).await.done();
    let made = format!("{roles}/{}", made["id"].as_str().unwrap());
    t.ask("bot", Method::DELETE, &made, None).await.done();

    for fixed in [role("nuncio"), format!("{roles}/{}", t.discord.guild_id())] {
        let refused = t.ask("alice", Method::DELETE, &fixed, None).await;
        assert_eq!(refused.refused(), (400, 50028), "{fixed}");
    }
    t.end().await;
}

#[tokio::test]
async fn many_messages_are_deleted_at_once() {
    let t = Stage::start().await;
    let mut ids = Vec::new();
    for content in ["a", "b", "c"] {
        ids.push(t.posted(&text(content)).await.1["id"].clone());
    }
    let path = format!("/channels/{}/messages/bulk-delete", t.tickets());
    let two = json!({"messages": ids[..2]});
    assert_eq!(t.say("bot", &path, &two).await.refused(), (403, 50013), "without Manage Messages");
    let one = t.say("alice", &path, &json!({"messages": ids[..1]})).await;
    assert_eq!(one.first_error(), ".messages: BASE_TYPE_BAD_LENGTH");
    let words = t.say("alice", &path, &json!({"messages": ["x", "y"]})).await;
    assert_eq!(words.first_error(), ".messages.0: NUMBER_TYPE_COERCE");

    let mut events = t.discord.dispatches();
    t.say("alice", &path, &two).await.done();
    assert_eq!(next(&mut events, "MESSAGE_DELETE_BULK").await["ids"], two["messages"]);
    assert_eq!(t.shown(), 1);
    t.clock.advance(Duration::from_secs(15 * 86_400));
    let old = t.say("alice", &path, &json!({"messages": ids[1..]})).await;
    assert_eq!(old.refused(), (400, 50034), "older than two weeks");
    t.end().await;
}
