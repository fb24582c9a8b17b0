use std::io::Write as _;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::{Allowance, Discord, Fault, Permission, Permissions, RateLimits, Setup};
use crate::sandbox::serve;

/// A running Discord server and a client with the bot's token.
struct Stage {
    discord: Discord,
    clock: Clock,
    base: String,
    client: Client,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Stage {
    async fn start() -> Self {
        let clock = Clock::system();
        let discord =
            Discord::new(clock.clone(), Setup { permissions: Permissions::pinging(), ..Setup::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(discord.clone(), listener, stop.clone()));
        Self { discord, clock, base, client: Client::new(), stop, serving }
    }

    fn tickets(&self) -> Snowflake {
        self.discord.channel_id("tickets").unwrap()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let token = format!("Bot {}", self.discord.bot_token().expose());
        self.client.request(method, format!("{}{path}", self.base)).header("Authorization", token)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, &format!("/api/v10{path}")).send().await.unwrap()
    }

    fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        let path = format!("/api/v10/channels/{}/messages", self.tickets());
        self.request(Method::POST, &path).json(body)
    }

    async fn posted(&self, body: &Value) -> (StatusCode, Value) {
        let answer = self.post(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    fn shown(&self) -> usize {
        self.discord.messages(self.tickets()).len()
    }

    /// Stops the server, and proves that it stops.
    async fn end(self) {
        drop(self.client);
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

mod ask;
mod command;
mod hook;
mod interaction;
mod moderation;
mod thread;

fn text(content: &str) -> Value {
    json!({"content": content})
}

#[tokio::test]
async fn a_message_is_made_read_changed_and_deleted() {
    let t = Stage::start().await;
    let answer = t.post(&text("hello")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["x-ratelimit-limit"], "5");
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "4");
    assert!(answer.headers().contains_key("x-ratelimit-reset-after"));
    let made: Value = answer.json().await.unwrap();
    assert_eq!(made["content"], "hello");
    let path = format!("/api/channels/{}/messages/{}", t.tickets(), made["id"].as_str().unwrap());
    let edited = t.request(Method::PATCH, &path).json(&text("bye")).send().await.unwrap();
    assert_eq!(edited.json::<Value>().await.unwrap()["content"], "bye");
    let listed: Value =
        t.get(&format!("/channels/{}/messages?limit=1", t.tickets())).await.json().await.unwrap();
    assert_eq!((listed[0]["id"].clone(), &listed[0]["content"]), (made["id"].clone(), &json!("bye")));
    assert_eq!(t.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    let gone: Value = t.request(Method::GET, &path).send().await.unwrap().json().await.unwrap();
    assert_eq!(gone, json!({"message": "Unknown Message", "code": 10008}));
    t.end().await;
}

#[rstest]
#[case("/gateway", &["url"])]
#[case("/gateway/bot", &["url", "shards", "session_start_limit"])]
#[case("/users/@me", &["id", "username", "bot", "mfa_enabled"])]
#[case("/users/@me/guilds", &[])]
#[case("/users/{bot}", &["id", "public_flags"])]
#[case("/applications/@me", &["id", "name", "verify_key"])]
#[case("/oauth2/applications/@me", &["id", "owner", "flags"])]
#[case("/guilds/{guild}", &["id", "roles", "owner_id"])]
#[case("/guilds/{guild}/channels", &[])]
#[case("/guilds/{guild}/roles", &[])]
#[case("/guilds/{guild}/members?limit=10", &[])]
#[case("/guilds/{guild}/members/{bot}", &["user", "roles", "joined_at"])]
#[case("/channels/{channel}", &["id", "type", "name", "permission_overwrites"])]
#[tokio::test]
async fn what_clients_ask_at_start_is_there(#[case] path: &str, #[case] keys: &[&str]) {
    let t = Stage::start().await;
    let path = path
        .replace("{bot}", &t.discord.application_id().to_string())
        .replace("{guild}", &t.discord.guild_id().to_string())
        .replace("{channel}", &t.tickets().to_string());
    let answer = t.get(&path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let object: Value = answer.json().await.unwrap();
    for key in keys {
        assert!(object.get(key).is_some_and(|value| !value.is_null()), "{path} has no {key}");
    }
    if keys.is_empty() {
        assert!(object[0]["id"].is_string() || object[0]["user"]["id"].is_string(), "{path}: {object}");
    }
    t.end().await;
}

#[rstest]
#[case::unknown_route("GET", "/api/v10/nothing/here", 404, 0)]
#[case::wrong_method("PUT", "/api/v10/users/@me", 405, 0)]
#[case::old_version("GET", "/api/v6/users/@me", 400, 50041)]
#[case::unknown_channel("GET", "/api/v10/channels/5", 404, 10003)]
#[case::no_snowflake("GET", "/api/v10/channels/tickets", 400, 50035)]
#[case::unknown_guild("GET", "/api/v10/guilds/5", 404, 10004)]
#[case::unknown_user("GET", "/api/v10/users/5", 404, 10013)]
#[tokio::test]
async fn what_is_not_there_is_refused_in_discords_words(
    #[case] method: Method,
    #[case] path: &str,
    #[case] status: u16,
    #[case] code: u64,
) {
    let t = Stage::start().await;
    let answer = t.request(method, path).send().await.unwrap();
    assert_eq!(answer.status(), status);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
    t.end().await;
}

#[rstest]
#[case::no_type(None, "{}", 50035)]
#[case::form(Some("application/x-www-form-urlencoded"), "content=a", 50035)]
#[case::broken(Some("application/json"), "{\"content\":", 50109)]
#[case::charset_is_fine_but_empty(Some("application/json; charset=utf-8"), "{}", 50006)]
#[tokio::test]
async fn bodies_that_are_no_message_are_refused(
    #[case] kind: Option<&str>,
    #[case] body: &'static str,
    #[case] code: u64,
) {
    let t = Stage::start().await;
    let path = format!("/api/v10/channels/{}/messages", t.tickets());
    let request = t.request(Method::POST, &path).body(body);
    let request = kind.into_iter().fold(request, |request, kind| request.header("Content-Type", kind));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
    t.end().await;
}

#[tokio::test]
async fn tokens_are_needed_revoked_and_belong_to_people_too() {
    let t = Stage::start().await;
    let path = format!("{}/api/v10/users/@me", t.base);
    let unknown = t.client.get(&path).send().await.unwrap();
    assert_eq!(unknown.status(), 401);
    assert_eq!(unknown.json::<Value>().await.unwrap(), json!({"message": "401: Unauthorized", "code": 0}));
    let bob = t.discord.token_of("bob").unwrap();
    for (token, name) in [(t.discord.user_token(), "alice"), (&bob, "bob")] {
        let me = t.client.get(&path).header("Authorization", token.expose()).send().await.unwrap();
        assert_eq!(me.json::<Value>().await.unwrap()["username"], name);
    }
    t.discord.revoke_token();
    assert_eq!(t.get("/users/@me").await.status(), 401);
    t.discord.restore_token();
    assert_eq!(t.get("/users/@me").await.status(), 200);
    t.end().await;
}

#[tokio::test]
async fn the_sixth_message_in_five_seconds_has_to_wait() {
    let t = Stage::start().await;
    for n in 0..5 {
        assert_eq!(t.posted(&text(&n.to_string())).await.0, 200);
    }
    let limited = t.post(&text("6")).send().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["x-ratelimit-scope"], "user");
    assert_eq!(limited.headers()["x-ratelimit-remaining"], "0");
    assert!(limited.headers().contains_key("retry-after"));
    let body: Value = limited.json().await.unwrap();
    assert_eq!((&body["global"], &body["message"]), (&json!(false), &json!("You are being rate limited.")));
    t.clock.advance(Duration::from_secs_f64(body["retry_after"].as_f64().unwrap()));
    assert_eq!(t.posted(&text("6")).await.0, 200);
    assert_eq!((t.shown(), t.discord.counts().rate_limited), (6, 1));
    t.end().await;
}

#[tokio::test]
async fn who_asks_wrongly_too_often_is_answered_by_the_edge() {
    let t = Stage::start().await;
    let invalid = Allowance::new(2, Duration::from_secs(600));
    t.discord.set_rate_limits(RateLimits { invalid, ..RateLimits::default() });
    t.discord.revoke_token();
    for _ in 0..2 {
        assert_eq!(t.get("/users/@me").await.status(), 401);
    }
    t.discord.restore_token();
    let banned = t.get("/users/@me").await;
    assert_eq!(banned.status(), 429);
    assert!(!banned.headers().contains_key("via"));
    assert_eq!(banned.text().await.unwrap(), "error code: 1015");
    t.clock.advance(Duration::from_secs(601));
    assert_eq!(t.get("/users/@me").await.status(), 200);
    t.end().await;
}

#[rstest]
#[case::before(Fault::CutBefore, 0)]
#[case::after(Fault::CutAfter, 1)]
#[tokio::test]
async fn a_cut_is_a_lost_connection_and_no_answer(#[case] fault: Fault, #[case] shown: usize) {
    let t = Stage::start().await;
    t.discord.faults().next(1, fault);
    let error = t.post(&text("a")).send().await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(t.shown(), shown);
    assert_eq!(t.discord.requests().last().unwrap().status, None);
    assert_eq!(t.posted(&text("b")).await.0, 200);
    assert_eq!((t.shown(), t.discord.counts().failed, t.discord.faults().pending()), (shown + 1, 1, 0));
    t.end().await;
}

#[tokio::test]
async fn a_hanging_answer_ends_with_the_server() {
    let t = Stage::start().await;
    t.discord.faults().next(1, Fault::HangAfter);
    let waiting = tokio::spawn(t.post(&text("a")).send());
    assert_eq!(t.discord.wait_for_messages(t.tickets(), 1).await[0]["content"], "a");
    assert!(!waiting.is_finished());
    t.end().await;
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn wrong_and_truncated_bodies_come_after_the_effect() {
    let t = Stage::start().await;
    t.discord.faults().next(1, Fault::WrongBody);
    let wrong = t.post(&text("a")).send().await.unwrap();
    assert_eq!(wrong.status(), 200);
    assert!(wrong.json::<Value>().await.is_err());
    t.discord.faults().next(1, Fault::Truncated);
    let truncated = t.post(&text("b")).send().await.unwrap();
    assert_eq!(truncated.status(), 200);
    assert!(truncated.bytes().await.is_err());
    assert_eq!(t.shown(), 2);
    t.end().await;
}

#[tokio::test]
async fn delayed_and_slow_answers_are_good_in_the_end() {
    let t = Stage::start().await;
    t.discord.faults().next(1, Fault::Delay(Duration::from_millis(5)));
    t.discord.faults().next(1, Fault::Slow(Duration::from_millis(16)));
    for n in 1..=2 {
        let (status, made) = t.posted(&text("late")).await;
        assert_eq!((status.as_u16(), &made["content"], t.shown()), (200, &json!("late"), n));
    }
    t.end().await;
}

#[tokio::test]
async fn a_delayed_request_takes_effect_after_its_client_has_gone() {
    let t = Stage::start().await;
    t.discord.faults().next(1, Fault::Delay(Duration::from_secs(60)));
    let body = text("late").to_string();
    let address = t.base.trim_start_matches("http://");
    let request = format!(
        "POST /api/channels/{}/messages HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bot {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        t.tickets(),
        t.discord.bot_token().expose(),
        body.len(),
    );
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    drop(socket);
    while t.discord.faults().pending() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(t.shown(), 0);
    // The request waits only once it sleeps, so the clock is advanced until it is done.
    while t.shown() == 0 {
        t.clock.advance(Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    assert_eq!(t.discord.messages(t.tickets())[0]["content"], "late");
    t.end().await;
}

#[tokio::test]
async fn a_discord_that_went_away_comes_back_with_what_it_had() {
    let t = Stage::start().await;
    let discord = t.discord.clone();
    assert_eq!(t.posted(&text("before")).await.0, 200);
    t.end().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (clock, client, stop) = (discord.clock().clone(), Client::new(), CancellationToken::new());
    let serving = tokio::spawn(serve(discord.clone(), listener, stop.clone()));
    let t = Stage { discord, clock, base, client, stop, serving };
    assert_eq!(t.posted(&text("after")).await.0, 200);
    assert_eq!(t.shown(), 2);
    t.end().await;
}

#[tokio::test]
async fn told_answers_have_no_effect_and_may_be_for_one_path_only() {
    let t = Stage::start().await;
    t.discord.faults().next_on("/messages", 1, Fault::status(502));
    t.discord.faults().next_on("POST", 1, Fault::rate_limited(Duration::from_millis(1500), "shared"));
    assert_eq!(t.get("/users/@me").await.status(), 200);
    assert_eq!(t.post(&text("a")).send().await.unwrap().status(), 502);
    let limited = t.post(&text("a")).send().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(
        (&limited.headers()["x-ratelimit-scope"], &limited.headers()["retry-after"]),
        (&"shared".parse().unwrap(), &"2".parse().unwrap())
    );
    assert_eq!(limited.json::<Value>().await.unwrap()["retry_after"], 1.5);
    t.discord.faults().break_for(Duration::from_secs(20));
    assert_eq!(t.post(&text("a")).send().await.unwrap().status(), 503);
    t.clock.advance(Duration::from_secs(20));
    assert_eq!(t.post(&text("a")).send().await.unwrap().status(), 200);
    assert_eq!(t.shown(), 1);
    t.end().await;
}

#[tokio::test]
async fn the_ledger_tells_what_was_asked_and_answered() {
    let t = Stage::start().await;
    t.posted(&json!({"content": "a", "allowed_mentions": {"parse": []}})).await;
    t.discord.deny(t.tickets(), Permission::SendMessages);
    t.posted(&text("b")).await;
    let asked = t.discord.requests();
    let outcomes: Vec<_> = asked
        .iter()
        .map(|one| (one.method.as_str(), one.status, one.code, one.had_allowed_mentions))
        .collect();
    assert_eq!(outcomes, [("POST", Some(200), None, true), ("POST", Some(403), Some(50013), false)]);
    assert_eq!(asked[1].body, Some(text("b")));
    let counts = t.discord.counts();
    assert_eq!((counts.accepted, counts.refused, counts.sent), (1, 1, 1));
    t.end().await;
}

#[tokio::test]
async fn a_form_with_a_file_is_taken() {
    let t = Stage::start().await;
    let body = "--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\":\"see\"}\r\n\
                --x\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.txt\"\r\n\r\nhi\r\n--x--\r\n";
    let path = format!("/api/v10/channels/{}/messages", t.tickets());
    let answer = t
        .request(Method::POST, &path)
        .header("Content-Type", "multipart/form-data; boundary=x")
        .body(body)
        .send()
        .await
        .unwrap();
    let made: Value = answer.json().await.unwrap();
    assert_eq!((&made["content"], &made["attachments"][0]["filename"]), (&json!("see"), &json!("a.txt")));
    assert!(made["attachments"][0]["id"].is_string());
    t.end().await;
}
