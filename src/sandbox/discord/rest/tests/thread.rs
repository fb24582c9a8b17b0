use reqwest::Method;

use super::*;

#[tokio::test]
async fn a_message_opens_one_thread_which_has_its_id() {
    let t = Stage::start().await;
    let (_, made) = t.posted(&text("topic")).await;
    let message = made["id"].as_str().unwrap();
    let path = format!("/channels/{}/messages/{message}/threads", t.tickets());
    let opened = t.say("bot", &path, &json!({"name": "talk", "auto_archive_duration": 60})).await;
    assert_eq!((opened.status, &opened.body["id"], &opened.body["type"]), (201, &made["id"], &json!(11)));
    assert_eq!(t.say("bot", &path, &json!({"name": "again"})).await.refused(), (400, 160_004));
    let shown = &t.discord.messages(t.tickets())[0];
    assert_eq!((&shown["flags"], &shown["thread"]["name"]), (&json!(32), &json!("talk")));
    t.say("bot", &format!("/channels/{message}/messages"), &text("in it")).await.done();
    let active = t.read(&format!("/guilds/{}/threads/active", t.discord.guild_id())).await.done();
    assert_eq!(
        (&active["threads"][0]["message_count"], &active["members"][0]["id"]),
        (&json!(1), &made["id"])
    );
    t.end().await;
}

#[tokio::test]
async fn archived_threads_come_back_and_locked_ones_stay() {
    let t = Stage::start().await;
    let path = format!("/channels/{}/threads", t.tickets());
    let body = json!({"name": "t", "type": 11});
    let thread = t.say("bot", &path, &body).await.done();
    let thread = format!("/channels/{}", thread["id"].as_str().unwrap());
    let messages = format!("{thread}/messages");
    let message = t.say("bot", &messages, &text("a")).await.done();
    let message = format!("{messages}/{}", message["id"].as_str().unwrap());
    let archive = json!({"archived": true});
    assert_eq!(
        t.ask("bot", Method::PATCH, &thread, Some(&archive)).await.done()["thread_metadata"]["archived"],
        true
    );
    assert_eq!(t.ask("bot", Method::PATCH, &message, Some(&text("b"))).await.refused(), (400, 50083));
    t.say("bot", &messages, &text("wake up")).await.done();
    assert_eq!(t.read(&thread).await.done()["thread_metadata"]["archived"], false);
    let lock = json!({"locked": true, "archived": true});
    assert_eq!(t.ask("bot", Method::PATCH, &thread, Some(&lock)).await.refused(), (403, 50013));
    t.ask("alice", Method::PATCH, &thread, Some(&lock)).await.done();
    assert_eq!(t.say("bot", &messages, &text("?")).await.refused(), (400, 160_005));
    t.end().await;
}

#[tokio::test]
async fn private_threads_are_for_their_members() {
    let t = Stage::start().await;
    let path = format!("/channels/{}/threads", t.tickets());
    let thread = t.say("bot", &path, &json!({"name": "secret"})).await.done();
    assert_eq!(thread["type"], 12);
    let thread = format!("/channels/{}", thread["id"].as_str().unwrap());
    assert_eq!(t.ask("carol", Method::GET, &thread, None).await.refused(), (403, 50001));
    let carol = t.discord.user_id("carol").unwrap();
    let member = format!("{thread}/thread-members/{carol}");
    assert_eq!(t.ask("bot", Method::PUT, &member, None).await.status, 204);
    t.ask("carol", Method::GET, &thread, None).await.done();
    t.end().await;
}

#[tokio::test]
async fn a_forum_holds_posts_with_tags() {
    let t = Stage::start().await;
    let forum = t.discord.channel_id("ideas").unwrap();
    let tag = t.read(&format!("/channels/{forum}")).await.done()["available_tags"][0]["id"].clone();
    assert_eq!(
        t.say("bot", &format!("/channels/{forum}/messages"), &text("a")).await.refused(),
        (400, 40058)
    );
    let path = format!("/channels/{forum}/threads");
    assert_eq!(t.say("bot", &path, &json!({"name": "p"})).await.refused(), (400, 50035));
    let body = json!({"name": "p", "message": {"content": "first"}, "applied_tags": [tag]});
    let post = t.say("bot", &path, &body).await.done();
    assert_eq!((&post["id"], &post["message"]["content"]), (&post["message"]["id"], &json!("first")));
    assert!(post["message"].get("thread").is_none(), "it is in its thread, not before it");
    let rule = json!({"flags": 16});
    t.ask("alice", Method::PATCH, &format!("/channels/{forum}"), Some(&rule)).await.done();
    let untagged = json!({"name": "p", "message": {"content": "first"}});
    assert_eq!(t.say("bot", &path, &untagged).await.refused(), (400, 40067));

    let hook = t.say("bot", &format!("/channels/{forum}/webhooks"), &json!({"name": "w"})).await.done();
    let hook = format!("/webhooks/{}/{}", hook["id"].as_str().unwrap(), hook["token"].as_str().unwrap());
    assert_eq!(t.say("nobody", &hook, &text("a")).await.refused(), (400, 220_001));
    let named = json!({"content": "a", "thread_name": "n", "applied_tags": [tag]});
    let thread = post["id"].as_str().unwrap();
    let both = format!("{hook}?thread_id={thread}");
    assert_eq!(t.say("nobody", &both, &named).await.refused(), (400, 220_002));
    assert_eq!(t.say("nobody", &both, &text("a")).await.status, 204);
    let made = t.say("nobody", &format!("{hook}?wait=true"), &named).await.done();
    assert_eq!(made["channel_id"], made["id"]);
    t.end().await;
}

#[tokio::test]
async fn reactions_and_pins_come_and_go() {
    let t = Stage::start().await;
    let (_, made) = t.posted(&text("a")).await;
    let message = format!("/channels/{}/messages/{}", t.tickets(), made["id"].as_str().unwrap());
    let own = format!("{message}/reactions/%F0%9F%91%8D/@me");
    for who in ["bot", "bob", "bob"] {
        assert_eq!(t.ask(who, Method::PUT, &own, None).await.status, 204);
    }
    let shown = t.read(&message).await.done();
    assert_eq!(
        (&shown["reactions"][0]["emoji"]["name"], &shown["reactions"][0]["count"]),
        (&json!("👍"), &json!(2))
    );
    let who = t.read(&format!("{message}/reactions/%F0%9F%91%8D")).await.done();
    assert_eq!(who[1]["username"], "bob");
    assert_eq!(t.ask("bot", Method::DELETE, &own, None).await.status, 204);
    assert_eq!(
        t.ask("bot", Method::PUT, &format!("{message}/reactions/x/@me"), None).await.refused(),
        (400, 10014)
    );
    let pin = format!("/channels/{}/messages/pins/{}", t.tickets(), made["id"].as_str().unwrap());
    assert_eq!(t.ask("bob", Method::PUT, &pin, None).await.refused(), (403, 50013));
    assert_eq!(t.ask("alice", Method::PUT, &pin, None).await.status, 204);
    let pins = t.read(&format!("/channels/{}/messages/pins", t.tickets())).await.done();
    assert_eq!(pins["items"][0]["message"]["pinned"], true);
    t.end().await;
}

#[tokio::test]
async fn channels_and_roles_are_changed_by_those_who_may() {
    let t = Stage::start().await;
    let guild = t.discord.guild_id();
    let path = format!("/guilds/{guild}/channels");
    assert_eq!(t.say("bot", &path, &json!({"name": "new"})).await.refused(), (403, 50013));
    let made = t.say("alice", &path, &json!({"name": "new", "topic": "t"})).await.done();
    let one = format!("/channels/{}", made["id"].as_str().unwrap());
    t.ask("alice", Method::PATCH, &one, Some(&json!({"name": "newer"}))).await.done();
    assert!(t.discord.channel_id("newer").is_some());
    assert_eq!(t.ask("alice", Method::DELETE, &one, None).await.status, 200);
    let (carol, role) = (t.discord.user_id("carol").unwrap(), t.discord.role_id("Approvers").unwrap());
    let path = format!("/guilds/{guild}/members/{carol}/roles/{role}");
    assert_eq!(t.ask("bob", Method::PUT, &path, None).await.refused(), (403, 50013));
    assert_eq!(t.ask("alice", Method::PUT, &path, None).await.status, 204);
    let member = t.read(&format!("/guilds/{guild}/members/{carol}")).await.done();
    assert_eq!(member["roles"], json!([role]));
    t.end().await;
}
