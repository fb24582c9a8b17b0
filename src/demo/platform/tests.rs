//! Tests of the platform's API from the outside, with its address and key.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

struct Fixture {
    platform: Platform,
    base: String,
    http: reqwest::Client,
}

impl Fixture {
    async fn start() -> Self {
        let platform = Platform::new(Secret::new("key"), Clock::system());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Platform::url(listener.local_addr().unwrap());
        tokio::spawn(platform.clone().serve(listener, CancellationToken::new()));
        Self { platform, base, http: reqwest::Client::new() }
    }

    async fn asks(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth("key");
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn without_the_key_there_is_only_health() {
    let t = Fixture::start().await;
    for (path, status) in [("/health", 200), ("/v1/webhooks", 401), ("/v1/nothing", 401)] {
        let answer = t.http.get(format!("{}{path}", t.base)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    assert_eq!(t.platform.recorded_requests().len(), 0, "whoever only reads tells it nothing");
}

#[tokio::test]
async fn webhooks_are_made_listed_changed_and_removed() {
    let t = Fixture::start().await;
    let hook = json!({"name": "Bot", "url": "http://localhost:1/x", "events": ["ticket.*"]});
    let (status, made) = t.asks(Method::POST, "/v1/webhooks", hook.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(made["secret"].as_str().unwrap().len(), 64);
    let (_, list) = t.asks(Method::GET, "/v1/webhooks", Value::Null).await;
    assert_eq!((list[0]["name"].as_str(), &list[0]["secret"]), (Some("Bot"), &Value::Null));
    let (status, again) = t.asks(Method::POST, "/v1/webhooks", hook).await;
    assert!(status == 400 && again["detail"].as_str().unwrap().contains("already exists"));
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let (_, changed) = t.asks(Method::PUT, &path, json!({"events": ["*"]})).await;
    assert_eq!((&changed["events"], &changed["url"]), (&json!(["*"]), &json!("http://localhost:1/x")));
    let (_, gone) = t.asks(Method::DELETE, &path, Value::Null).await;
    assert_eq!(gone["message"], "Webhook deleted successfully");
    assert_eq!(t.asks(Method::GET, &path, Value::Null).await, (404, json!({"detail": "Webhook not found"})));
    let log = serde_json::to_string(&t.platform.recorded_requests()).unwrap();
    assert!(!log.contains(made["secret"].as_str().unwrap()), "the ledger shows a secret");
}

#[tokio::test]
async fn machines_are_decided_once() {
    let t = Fixture::start().await;
    t.platform.learn(&json!({"event_type": "machine.registered", "data": {"asset_id": "a/1"}}));
    assert_eq!(t.platform.machine("a/1").as_deref(), Some("pending"));
    let (status, _) = t.asks(Method::POST, "/v1/machines/a%2F1/approve", json!({})).await;
    assert_eq!((status, t.platform.machine("a/1").as_deref()), (200, Some("approved")));
    assert_eq!(t.asks(Method::POST, "/v1/machines/b/approve", json!({})).await.0, 200);
    let (status, refused) = t.asks(Method::POST, "/v1/machines/b/deny", json!({})).await;
    assert_eq!((status, &refused["detail"]), (409, &json!("This machine is already approved")));
    assert_eq!(t.platform.machine("b").as_deref(), Some("approved"));
}

// Control: without `resolution` among what a change may set, the ticket has none.
#[tokio::test]
async fn a_closed_ticket_keeps_its_resolution() {
    let t = Fixture::start().await;
    let (_, ticket) = t.asks(Method::POST, "/v1/tickets", json!({"title": "Printer"})).await;
    let path = format!("/v1/tickets/{}", ticket["id"].as_str().unwrap());
    let close = json!({"status": "closed", "resolution": "New toner", "actor": {"name": "Bob"}});
    assert_eq!(t.asks(Method::PUT, &path, close).await.0, 200);
    let (_, kept) = t.asks(Method::GET, &path, Value::Null).await;
    assert_eq!((&kept["status"], &kept["resolution"]), (&json!("closed"), &json!("New toner")));
}

#[tokio::test]
async fn faults_come_as_often_as_they_were_wished() {
    let t = Fixture::start().await;
    t.platform.fails_next("POST /v1/tickets", 1, PlatformFault::Status(500, json!({"detail": "no"})));
    assert_eq!(t.asks(Method::POST, "/v1/tickets", json!({"title": "a"})).await.0, 500);
    let (status, ticket) = t.asks(Method::POST, "/v1/tickets", json!({"title": "a"})).await;
    assert_eq!((status, &ticket["seq_id"]), (201, &json!(5001)));
}
