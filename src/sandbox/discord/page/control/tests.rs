use reqwest::{Client, Response};
use rstest::rstest;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock::Clock;
use crate::sandbox::discord::Setup;
use crate::sandbox::serve;

struct Stage {
    discord: Discord,
    base: String,
    client: Client,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Stage {
    async fn start() -> Self {
        let discord = Discord::new(Clock::system(), Setup::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(discord.clone(), listener, stop.clone()));
        Self { discord, base, client: Client::new(), stop, serving }
    }

    async fn order(&self, orders: &Value) -> Response {
        let request = self.client.post(format!("{}/sandbox/control", self.base));
        let request = request.header("Authorization", self.discord.user_token().expose());
        request.json(orders).send().await.unwrap()
    }

    /// The status of the bot's request for its own user.
    async fn own_status(&self) -> u16 {
        let request = self.client.get(format!("{}/api/v10/users/@me", self.base));
        let token = format!("Bot {}", self.discord.bot_token().expose());
        request.header("Authorization", token).send().await.unwrap().status().as_u16()
    }

    async fn end(self) {
        drop(self.client);
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

#[rstest]
#[case(json!({"fail": {"status": 502}}), &[502, 200])]
#[case(json!({"fail": {"n": 2, "on": "/users/", "status": 403, "code": 50013}}), &[403, 403, 200])]
#[case(json!({"fail": {"status": 429, "seconds": 3, "scope": "global"}}), &[429, 200])]
#[case(json!({"fail": {"status": 418, "headers": {"x": "y"}}}), &[418, 200])]
#[case(json!({"fail": {"kind": "wrong_headers", "headers": {"x-ratelimit-remaining": "-1"}}}), &[200])]
#[case(json!({"fail": {"kind": "false_success"}, "dialect": "discord"}), &[200])]
// Earlier names.
#[case(json!({"fail": {"kind": "pretended"}, "manner": "discord"}), &[200])]
#[case(json!({"fail": {"kind": "garbage"}}), &[200])]
#[case(json!({"fail": {"kind": "lying"}}), &[200])]
#[case(json!({"fail": {"about": "nobody says this", "status": 500}}), &[200])]
#[case(json!({"storm": {"seed": 1, "share": 1, "on": "POST ", "seconds": 1}}), &[200])]
#[case(json!({"limits": "none", "nonce_window_s": 0}), &[200])]
#[case(json!({"break_s": 20}), &[503, 503])]
#[case(json!({"break_s": 20, "advance_s": 21}), &[200])]
#[case(json!({"break_s": 20, "clear": true}), &[200])]
#[case(json!({"ban_s": 60}), &[429, 429])]
#[case(json!({"revoke_token": true}), &[401])]
#[case(json!({"revoke_token": true, "restore_token": true}), &[200])]
#[tokio::test]
async fn orders_are_carried_out(#[case] orders: Value, #[case] statuses: &[u16]) {
    let t = Stage::start().await;
    assert_eq!(t.order(&orders).await.status(), 200);
    for status in statuses {
        assert_eq!(t.own_status().await, *status, "{orders}");
    }
    t.end().await;
}

#[tokio::test]
async fn channels_and_webhooks_go_by_name_or_id() {
    let t = Stage::start().await;
    let alerts = t.discord.channel_id("alerts").unwrap();
    assert_eq!(t.order(&json!({"delete_channel": "tickets"})).await.status(), 200);
    assert_eq!(t.order(&json!({"delete_channel": alerts})).await.status(), 200);
    assert_eq!((t.discord.channel_id("tickets"), t.discord.channel_id("alerts")), (None, None));
    assert_eq!(t.order(&json!({"delete_webhook": true})).await.status(), 200);
    assert_eq!(t.order(&json!({"gateway": {"reconnect": true}})).await.status(), 200);
    assert_eq!(t.order(&json!({"add_channel": ["one", "two"]})).await.status(), 200);
    assert!(t.discord.channel_id("one").is_some() && t.discord.channel_id("two").is_some());
    let permission = json!({"channel": "one", "permission": "send_messages"});
    assert_eq!(t.order(&json!({"deny": permission, "allow": permission})).await.status(), 200);
    for wrong in [
        json!({"storm": {"share": 2, "seconds": 1}}),
        json!({"limits": "few"}),
        json!({"deny": {"channel": "one", "permission": "dance"}}),
        json!({"delete_webhook": true}),
        json!({"delete_channel": "x"}),
        json!({"dance": 1}),
        json!({"invite_bot": "all"}),
        json!({"gateway": {"dance": 1}}),
        json!({"break_s": -1}),
        json!({"replay_interaction": true}),
    ] {
        assert_eq!(t.order(&wrong).await.status(), 400, "{wrong}");
    }
    t.end().await;
}

#[tokio::test]
async fn the_ledger_tells_what_was_asked_without_tokens() {
    let t = Stage::start().await;
    let hook = t.discord.webhook_url(t.base.trim_start_matches("http://").parse().unwrap());
    let sent = t.client.post(hook.expose()).json(&json!({"content": "a"})).send().await.unwrap();
    assert_eq!(sent.status(), 204);
    let request = || t.client.get(format!("{}/sandbox/ledger", t.base));
    assert_eq!(request().send().await.unwrap().status(), 401);
    let bot = format!("Bot {}", t.discord.bot_token().expose());
    assert_eq!(request().header("Authorization", bot).send().await.unwrap().status(), 401);
    let mine = request().header("Authorization", t.discord.user_token().expose()).send().await.unwrap();
    let ledger: Value = mine.json().await.unwrap();
    assert_eq!(
        (&ledger["asked"][0]["status"], &ledger["asked"][0]["body"]["content"]),
        (&json!(204), &json!("a"))
    );
    assert_eq!(ledger["counts"]["sent"], 1);
    assert!(!ledger.to_string().contains(hook.expose().rsplit('/').next().unwrap()));
    t.end().await;
}

#[tokio::test]
async fn whoever_waits_is_answered_once_it_is_so_and_can_read_every_message() {
    let t = Stage::start().await;
    let get = |path: &str| {
        let request = t.client.get(format!("{}/sandbox/{path}", t.base));
        request.header("Authorization", t.discord.user_token().expose()).send()
    };
    let hook = t.discord.webhook_url(t.base.trim_start_matches("http://").parse().unwrap());
    let post = || t.client.post(hook.expose()).json(&json!({"content": "a"})).send();
    let (waited, _, _) = tokio::join!(get("wait?sent=2"), post(), post());
    assert_eq!(waited.unwrap().json::<Value>().await.unwrap()["sent"], 2);
    let messages: Value = get("messages").await.unwrap().json().await.unwrap();
    let general = t.discord.channel_id("general").unwrap().to_string();
    assert_eq!(messages[general].as_array().unwrap().len(), 2);
    for path in ["wait?sent=0", "messages"] {
        let stranger = t.client.get(format!("{}/sandbox/{path}", t.base)).send().await.unwrap();
        assert_eq!(stranger.status(), 401, "{path}");
    }
    t.end().await;
}

#[rstest]
#[case("evil.example", None, 403)]
#[case("evil.example:80", None, 403)]
#[case("127.0.0.1.evil.example", None, 403)]
#[case("localhost:1", None, 200)]
#[case("[::1]:1", None, 200)]
#[case("127.0.0.1", Some("http://evil.example"), 403)]
#[case("127.0.0.1", Some("null"), 403)]
#[case("127.0.0.1", Some("http://localhost:9"), 200)]
#[tokio::test]
async fn only_this_machine_is_let_in(#[case] host: &str, #[case] origin: Option<&str>, #[case] status: u16) {
    let t = Stage::start().await;
    let request = t.client.get(format!("{}/sandbox/state", t.base)).header("Host", host);
    let request = match origin {
        Some(origin) => request.header("Origin", origin),
        None => request,
    };
    assert_eq!(request.send().await.unwrap().status(), status);
    t.end().await;
}
