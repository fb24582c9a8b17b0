use reqwest::Method;

use super::*;

impl Stage {
    /// The path of the webhook in the default setup.
    fn hook(&self) -> String {
        let url = self.discord.webhook_url("127.0.0.1:1".parse().unwrap());
        url.expose().split_once("/api").unwrap().1.to_owned()
    }
}

#[tokio::test]
async fn a_webhook_sends_edits_and_deletes_without_an_account() {
    let t = Stage::start().await;
    let hook = t.hook();
    let looked = t.ask("nobody", Method::GET, &hook, None).await.done();
    assert!(looked["user"].is_null() && looked["application_id"].is_null());
    assert_eq!(t.say("nobody", &hook, &text("quiet")).await.status, 204);
    let body = json!({"content": "hi", "username": "Bell", "avatar_url": "https://a.b/c.png", "nonce": "x", "wait": 1});
    let sent = t.say("nobody", &format!("{hook}?wait=true"), &body).await.done();
    assert_eq!((&sent["author"]["username"], &sent["author"]["bot"]), (&json!("Bell"), &json!(true)));
    assert_eq!((&sent["webhook_id"], &sent["author"]["id"]), (&looked["id"], &looked["id"]));
    assert!(sent.get("nonce").is_none());
    let message = format!("{hook}/messages/{}", sent["id"].as_str().unwrap());
    let edited = t.ask("nobody", Method::PATCH, &message, Some(&text("ho"))).await.done();
    assert_eq!(edited["content"], "ho");
    assert_eq!(t.ask("nobody", Method::GET, &message, None).await.done(), edited);
    assert_eq!(t.ask("nobody", Method::DELETE, &message, None).await.status, 204);
    assert_eq!(t.ask("nobody", Method::GET, &message, None).await.refused(), (404, 10008));
    assert_eq!(t.say("nobody", &format!("{hook}x"), &text("a")).await.refused(), (401, 50027));
    assert_eq!(t.ask("nobody", Method::DELETE, &hook, None).await.status, 204);
    assert_eq!(t.say("nobody", &hook, &text("a")).await.refused(), (404, 10015));
    t.end().await;
}

#[rstest]
#[case(json!({}), 50006)]
#[case(json!({"content": "a", "username": "Mr Discord"}), 50035)]
#[case(json!({"content": "a", "username": "x".repeat(81)}), 50035)]
#[case(json!({"content": "a", "thread_name": "t"}), 220_003)]
#[case(json!({"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "a", "custom_id": "a"}]}]}), 50035)]
#[tokio::test]
async fn what_a_webhook_may_not_send_is_refused(#[case] body: Value, #[case] code: u64) {
    let t = Stage::start().await;
    let hook = format!("{}?with_components=true", t.hook());
    assert_eq!(t.say("nobody", &hook, &body).await.refused(), (400, code));
    t.end().await;
}

#[tokio::test]
async fn components_of_a_webhook_need_the_word_and_clicks_need_an_application() {
    let t = Stage::start().await;
    let hook = t.hook();
    let link =
        json!([{"type": 1, "components": [{"type": 2, "style": 5, "label": "a", "url": "https://a.b"}]}]);
    let body = json!({"content": "a", "components": link});
    let sent = t.say("nobody", &format!("{hook}?wait=true"), &body).await.done();
    assert_eq!(sent["components"], json!([]));
    let sent = t.say("nobody", &format!("{hook}?wait=true&with_components=true"), &body).await.done();
    assert_eq!(sent["components"][0]["components"][0]["label"], "a");

    let path = format!("/channels/{}/webhooks", t.tickets());
    let own = t.say("bot", &path, &json!({"name": "own"})).await.done();
    assert_eq!(own["application_id"], json!(t.discord.application_id()));
    let hook = own["url"].as_str().unwrap().split_once("/api").unwrap().1.to_owned();
    let button =
        json!([{"type": 1, "components": [{"type": 2, "style": 1, "label": "a", "custom_id": "a"}]}]);
    let sent = t.say("nobody", &format!("{hook}?wait=true"), &json!({"components": button})).await.done();
    let click = json!({"type": 3, "channel_id": sent["channel_id"], "message_id": sent["id"],
        "data": {"component_type": 2, "custom_id": "a"}});
    assert_eq!(t.say("carol", "/interactions", &click).await.status, 204);
    t.end().await;
}

#[tokio::test]
async fn a_channel_has_room_for_fifteen_webhooks() {
    let t = Stage::start().await;
    let path = format!("/channels/{}/webhooks", t.tickets());
    assert_eq!(t.say("carol", &path, &json!({"name": "w"})).await.refused(), (403, 50013));
    assert_eq!(t.say("bot", &path, &json!({"name": "Clyde's"})).await.refused(), (400, 50035));
    for _ in 0..15 {
        t.say("bot", &path, &json!({"name": "w"})).await.done();
    }
    assert_eq!(t.say("bot", &path, &json!({"name": "w"})).await.refused(), (400, 30007));
    assert_eq!(t.read(&path).await.done().as_array().unwrap().len(), 15);
    let all = t.read(&format!("/guilds/{}/webhooks", t.discord.guild_id())).await.done();
    assert_eq!(all.as_array().unwrap().len(), 16);
    t.end().await;
}
