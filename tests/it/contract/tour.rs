//! A walk through everything the sandbox serves, with what goes wrong on purpose.

use nuncio::clock::Clock;
use nuncio::sandbox::discord::{Exchange, Permissions, RateLimits, Setup};
use nuncio::sandbox::{self, Discord};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harness::http;

/// Somebody who asks.
#[derive(Clone, Copy)]
enum Who {
    Bot,
    Owner,
    Nobody,
}

struct Tour {
    discord: Discord,
    base: String,
    client: reqwest::Client,
    events: tokio::sync::broadcast::Receiver<std::sync::Arc<sandbox::discord::Dispatch>>,
}

/// Walks, and returns all that was asked and answered.
pub async fn taken() -> Vec<Exchange> {
    let discord =
        Discord::new(Clock::system(), Setup { permissions: Permissions::pinging(), ..Setup::default() });
    discord.set_rate_limits(RateLimits::unlimited());
    discord.keep_exchanges();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v10", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(sandbox::serve(discord.clone(), listener, stop.clone()));
    let events = discord.dispatches();
    let mut tour = Tour { discord: discord.clone(), base, client: http().clone(), events };
    tour.at_start().await;
    tour.messages().await;
    tour.commands().await;
    tour.clicks().await;
    tour.webhooks().await;
    tour.threads().await;
    tour.moderation().await;
    drop(tour);
    stop.cancel();
    serving.await.unwrap().unwrap();
    discord.take_exchanges()
}

fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_else(|| panic!("no {key} in {object}")).to_owned()
}

impl Tour {
    async fn ask(&self, who: Who, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = match who {
            Who::Bot => request.header("Authorization", format!("Bot {}", self.discord.bot_token().expose())),
            Who::Owner => request.header("Authorization", self.discord.user_token().expose()),
            Who::Nobody => request,
        };
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Who::Bot, Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ask(Who::Bot, Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Value {
        self.ask(Who::Bot, Method::PATCH, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Value {
        self.ask(Who::Bot, Method::DELETE, path, None).await
    }

    fn channel(&self, name: &str) -> String {
        format!("/channels/{}", self.discord.channel_id(name).unwrap())
    }

    fn guild(&self) -> String {
        format!("/guilds/{}", self.discord.guild_id())
    }

    async fn at_start(&self) {
        let guild = self.guild();
        let bot = self.discord.application_id();
        for path in [
            "/gateway",
            "/gateway/bot",
            "/users/@me",
            "/users/@me/guilds",
            "/applications/@me",
            "/oauth2/applications/@me",
        ] {
            self.get(path).await;
        }
        for path in ["", "/channels", "/roles", "/members?limit=10", "/webhooks", "/threads/active"] {
            self.get(&format!("{guild}{path}")).await;
        }
        self.get(&format!("{guild}/members/{bot}")).await;
        self.get(&format!("/users/{bot}")).await;
        self.get(&self.channel("ideas")).await;
        self.get(&self.channel("tickets")).await;
        // And what is not there, or not allowed.
        self.get("/channels/5").await;
        self.get("/channels/x").await;
        self.get("/users/5").await;
        self.ask(Who::Nobody, Method::GET, "/users/@me", None).await;
    }

    async fn messages(&self) {
        let messages = format!("{}/messages", self.channel("tickets"));
        let card = json!({
            "content": "a", "nonce": "n", "enforce_nonce": true, "allowed_mentions": {"parse": []},
            "embeds": [{"title": "t", "description": "d", "color": 5, "timestamp": "2024-01-15T10:30:00Z",
                "url": "https://a.b", "fields": [{"name": "n", "value": "v", "inline": true}],
                "author": {"name": "x", "icon_url": "https://a.b/c.png"}, "footer": {"text": "f"},
                "image": {"url": "https://a.b/c.png"}, "thumbnail": {"url": "https://a.b/c.png"}}],
            "components": [
                {"type": 1, "components": [
                    {"type": 2, "style": 3, "label": "Yes", "custom_id": "yes", "emoji": {"name": "✅"}},
                    {"type": 2, "style": 5, "label": "Open", "url": "https://a.b"}]},
                {"type": 1, "components": [{"type": 3, "custom_id": "menu", "options": [{"label": "A", "value": "a"}]}]},
                {"type": 1, "components": [{"type": 5, "custom_id": "who"}]}],
        });
        let made = self.post(&messages, card).await;
        let one = format!("{messages}/{}", text(&made, "id"));
        self.post(&messages, json!({"content": "re", "message_reference": {"message_id": made["id"]}})).await;
        let tree = json!([{"type": 17, "components": [
            {"type": 10, "content": "# hi"}, {"type": 14},
            {"type": 9, "components": [{"type": 10, "content": "x"}],
                "accessory": {"type": 2, "style": 1, "label": "a", "custom_id": "a"}}]}]);
        self.post(&messages, json!({"flags": 1 << 15, "components": tree})).await;
        self.get(&messages).await;
        self.get(&one).await;
        self.patch(&one, json!({"content": "b", "embeds": []})).await;
        let thumb = format!("{one}/reactions/%F0%9F%91%8D");
        self.ask(Who::Bot, Method::PUT, &format!("{thumb}/@me"), None).await;
        self.get(&one).await;
        self.get(&thumb).await;
        self.delete(&format!("{thumb}/@me")).await;
        let pin = format!("{messages}/pins/{}", text(&made, "id"));
        self.ask(Who::Owner, Method::PUT, &pin, None).await;
        self.get(&format!("{messages}/pins")).await;
        self.get(&format!("{}/pins", self.channel("tickets"))).await;
        self.ask(Who::Owner, Method::DELETE, &pin, None).await;
        self.post(&format!("{}/typing", self.channel("tickets")), json!({})).await;
        self.delete(&one).await;
        self.get(&one).await;
        self.post(&messages, json!({})).await;
        self.post(&messages, json!({"embeds": [{"title": "x".repeat(300), "fields": [{"name": ""}]}]})).await;
    }

    async fn commands(&self) {
        let commands = format!("/applications/{}/commands", self.discord.application_id());
        let option = |kind: u8, name: &str| json!({"type": kind, "name": name, "description": "d"});
        let mut levels = option(3, "level");
        levels["choices"] = json!([{"name": "High", "value": "high"}]);
        let made = self
            .post(&commands, json!({"name": "one", "description": "d", "default_member_permissions": "32",
                "options": [levels, option(4, "count"), option(5, "sure"), option(6, "who"), option(7, "where"),
                    option(8, "role"), option(9, "any"), option(10, "part")]}))
            .await;
        let one = format!("{commands}/{}", text(&made, "id"));
        self.post(&commands, json!({"name": "one", "description": "e"})).await;
        self.get(&commands).await;
        self.get(&one).await;
        self.patch(&one, json!({"description": "f"})).await;
        self.delete(&one).await;
        self.delete(&one).await;
        self.post(&commands, json!({"name": "Not One", "options": [{}]})).await;
        let guild = format!("/applications/{}{}/commands", self.discord.application_id(), self.guild());
        let group = json!({"name": "group", "description": "d", "options": [
            {"type": 2, "name": "inner", "description": "d", "options": [
                {"type": 1, "name": "do", "description": "d", "options": [option(3, "x")]}]}]});
        let all = json!([group, {"name": "Look at it", "type": 3}, {"name": "Who", "type": 2},
            {"name": "say", "description": "d"}]);
        self.ask(Who::Bot, Method::PUT, &guild, Some(all)).await;
        self.get(&guild).await;
        self.get(&format!("{guild}/permissions")).await;
    }

    /// Something of which an interaction becomes, and the way to answer it.
    async fn begun(&mut self, body: Value) -> (String, String) {
        self.ask(Who::Owner, Method::POST, "/interactions", Some(body)).await;
        loop {
            let heard = self.events.recv().await.unwrap();
            if heard.t == "INTERACTION_CREATE" {
                let (id, token) = (text(&heard.d, "id"), text(&heard.d, "token"));
                let hook = format!("/webhooks/{}/{token}", self.discord.application_id());
                return (format!("/interactions/{id}/{token}/callback"), hook);
            }
        }
    }

    async fn clicks(&mut self) {
        let channel = self.discord.channel_id("machines").unwrap();
        let button =
            json!([{"type": 1, "components": [{"type": 2, "style": 1, "label": "a", "custom_id": "a"}]}]);
        let card = self
            .post(&format!("/channels/{channel}/messages"), json!({"content": "c", "components": button}))
            .await;
        let click = json!({"type": 3, "channel_id": channel, "message_id": card["id"],
            "data": {"component_type": 2, "custom_id": "a"}});
        let used = json!({"type": 2, "channel_id": channel, "data": {"name": "say"}});
        let answers = [
            (&click, json!({"type": 4, "data": {"content": "x", "flags": 64}})),
            (&used, json!({"type": 4, "data": {"content": "x"}})),
            (&used, json!({"type": 5})),
            (&click, json!({"type": 6})),
            (&click, json!({"type": 7, "data": {"content": "y"}})),
        ];
        for (body, answer) in answers {
            for with in ["", "?with_response=true"] {
                let (callback, hook) = self.begun(body.clone()).await;
                self.ask(Who::Nobody, Method::POST, &format!("{callback}{with}"), Some(answer.clone())).await;
                self.ask(Who::Nobody, Method::POST, &callback, Some(answer.clone())).await;
                let more = self.ask(Who::Nobody, Method::POST, &hook, Some(json!({"content": "more"}))).await;
                let more = format!("{hook}/messages/{}", text(&more, "id"));
                let original = format!("{hook}/messages/@original");
                for path in [more, original] {
                    self.ask(Who::Nobody, Method::GET, &path, None).await;
                    self.ask(Who::Nobody, Method::PATCH, &path, Some(json!({"content": "z"}))).await;
                }
            }
        }
        let (callback, _) = self.begun(click).await;
        let input = json!({"type": 4, "custom_id": "why", "style": 2, "label": "Why?"});
        let modal =
            json!({"custom_id": "m", "title": "M", "components": [{"type": 1, "components": [input]}]});
        let modal = json!({"type": 9, "data": modal});
        self.ask(Who::Nobody, Method::POST, &format!("{callback}?with_response=1"), Some(modal)).await;
        self.ask(Who::Nobody, Method::POST, "/interactions/5/x/callback", Some(json!({"type": 6}))).await;
        self.get(&format!("/channels/{channel}/messages")).await;
    }

    async fn webhooks(&self) {
        let url = self.discord.webhook_url("127.0.0.1:1".parse().unwrap());
        let hook = url.expose().split_once("/api").unwrap().1.to_owned();
        let ask =
            |method, path: String, body| async move { self.ask(Who::Nobody, method, &path, body).await };
        ask(Method::GET, hook.clone(), None).await;
        ask(Method::POST, hook.clone(), Some(json!({"content": "a"}))).await;
        let sent = ask(
            Method::POST,
            format!("{hook}?wait=true"),
            Some(json!({"content": "a", "username": "Bell", "avatar_url": "https://a.b/c.png"})),
        )
        .await;
        let message = format!("{hook}/messages/{}", text(&sent, "id"));
        ask(Method::GET, message.clone(), None).await;
        ask(Method::PATCH, message.clone(), Some(json!({"content": "b"}))).await;
        ask(Method::DELETE, message.clone(), None).await;
        ask(Method::GET, message, None).await;
        ask(Method::POST, format!("{hook}x"), Some(json!({"content": "a"}))).await;
        ask(Method::PATCH, hook.clone(), Some(json!({"name": "new"}))).await;
        let path = format!("{}/webhooks", self.channel("tickets"));
        let own = self.post(&path, json!({"name": "own"})).await;
        self.get(&path).await;
        let managed = format!("/webhooks/{}", text(&own, "id"));
        self.get(&managed).await;
        self.patch(&managed, json!({"name": "newer"})).await;
        self.delete(&managed).await;
        ask(Method::DELETE, hook.clone(), None).await;
        ask(Method::POST, hook, Some(json!({"content": "a"}))).await;
    }

    async fn threads(&self) {
        let tickets = self.channel("tickets");
        let made = self.post(&format!("{tickets}/messages"), json!({"content": "topic"})).await;
        let from = format!("{tickets}/messages/{}/threads", text(&made, "id"));
        let thread = self.post(&from, json!({"name": "talk"})).await;
        self.post(&from, json!({"name": "talk"})).await;
        self.get(&format!("{tickets}/messages")).await;
        let thread = format!("/channels/{}", text(&thread, "id"));
        self.get(&thread).await;
        self.post(&format!("{thread}/messages"), json!({"content": "in"})).await;
        self.get(&format!("{thread}/thread-members")).await;
        self.get(&format!("{thread}/thread-members/{}", self.discord.application_id())).await;
        self.ask(Who::Owner, Method::PUT, &format!("{thread}/thread-members/@me"), None).await;
        self.patch(&thread, json!({"archived": true})).await;
        self.get(&format!("{tickets}/threads/archived/public")).await;
        self.post(&format!("{tickets}/threads"), json!({"name": "private"})).await;
        self.post(&format!("{tickets}/threads"), json!({"name": "public", "type": 11})).await;
        let ideas = self.channel("ideas");
        let post =
            self.post(&format!("{ideas}/threads"), json!({"name": "p", "message": {"content": "a"}})).await;
        self.post(&format!("{ideas}/threads"), json!({"name": "p"})).await;
        self.get(&format!("{}/threads/active", self.guild())).await;
        self.ask(Who::Owner, Method::DELETE, &format!("/channels/{}", text(&post, "id")), None).await;
        let hook = self.post(&format!("{ideas}/webhooks"), json!({"name": "w"})).await;
        let hook = format!("/webhooks/{}/{}", text(&hook, "id"), text(&hook, "token"));
        self.ask(Who::Nobody, Method::POST, &hook, Some(json!({"content": "a"}))).await;
        let named = json!({"content": "a", "thread_name": "n"});
        self.ask(Who::Nobody, Method::POST, &format!("{hook}?wait=true"), Some(named)).await;
    }

    async fn moderation(&self) {
        let path = format!("{}/channels", self.guild());
        let made = self.ask(Who::Owner, Method::POST, &path, Some(json!({"name": "new", "type": 15}))).await;
        let one = format!("/channels/{}", text(&made, "id"));
        self.ask(Who::Owner, Method::PATCH, &one, Some(json!({"name": "newer"}))).await;
        let overwrite = format!("{one}/permissions/{}", self.discord.application_id());
        let deny = json!({"type": 1, "deny": "1024"});
        self.ask(Who::Owner, Method::PUT, &overwrite, Some(deny)).await;
        self.get(&one).await;
        self.ask(Who::Owner, Method::DELETE, &overwrite, None).await;
        self.ask(Who::Owner, Method::DELETE, &one, None).await;
        let role = format!(
            "{}/members/{}/roles/{}",
            self.guild(),
            self.discord.user_id("carol").unwrap(),
            self.discord.role_id("Approvers").unwrap()
        );
        self.ask(Who::Owner, Method::PUT, &role, None).await;
        self.ask(Who::Owner, Method::DELETE, &role, None).await;
        self.ask(Who::Bot, Method::PUT, &role, None).await;
        let roles = format!("{}/roles", self.guild());
        let made = json!({"name": "Night shift", "permissions": "2048"});
        let made = self.ask(Who::Owner, Method::POST, &roles, Some(made)).await;
        let one = format!("{roles}/{}", text(&made, "id"));
        self.get(&one).await;
        self.ask(Who::Owner, Method::PATCH, &one, Some(json!({"name": "Day shift"}))).await;
        self.ask(Who::Owner, Method::DELETE, &one, None).await;
        self.ask(Who::Owner, Method::DELETE, &one, None).await;
        self.ask(Who::Owner, Method::DELETE, &format!("{roles}/{}", self.discord.guild_id()), None).await;
        let messages = format!("{}/messages", self.channel("tickets"));
        let mut ids = Vec::new();
        for content in ["a", "b"] {
            ids.push(text(&self.post(&messages, json!({"content": content})).await, "id"));
        }
        let bulk = format!("{messages}/bulk-delete");
        self.post(&bulk, json!({"messages": ids})).await;
        self.ask(Who::Owner, Method::POST, &bulk, Some(json!({"messages": ids[..1]}))).await;
        self.ask(Who::Owner, Method::POST, &bulk, Some(json!({"messages": ids}))).await;
    }
}
