//! `GET /webhooks/config` and `POST /webhooks/register`: the same as the commands, as JSON, with the API key.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | both want the key, also from this machine | `operator` |
//! | keys cannot be tried without end | the layer on the routes |
//! | another address is read strictly | `address` |

use nuncio::demo::PlatformFault;
use serde_json::{Value, json};
use tracing::Level;

use super::Stage;
use crate::harness::{SECRET, http};

const API_KEY: &str = "canary-api-key-0123456789";

async fn stage() -> Stage {
    Stage::with(|variables| drop(variables.insert("NUNCIO_API_KEY".to_owned(), API_KEY.to_owned()))).await
}

/// Status and JSON of what a request with the key is answered.
async fn asks(s: &Stage, path: &str, body: Option<&str>) -> (u16, Value) {
    let request = match body {
        None => http().get(s.t.url(path)),
        Some(body) => http().post(s.t.url(path)).body(body.to_owned()),
    };
    let answer = request.bearer_auth(API_KEY).send().await.unwrap();
    assert_eq!(answer.headers().get("content-type").unwrap(), "application/json");
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_configuration_is_told_to_the_letter() {
    let s = stage().await;
    let (status, told) = asks(&s, "/webhooks/config", None).await;
    let map: Value = serde_json::from_str(s.t.variable("DISCORD_WEBHOOK_CHANNELS")).unwrap();
    let channels: Value = map
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, ids)| (key.clone(), if ids.is_array() { ids.clone() } else { json!([ids]) }))
        .collect();
    let expected = json!({
        "webhook_url": s.t.url("/webhooks/xtsystems").replace("127.0.0.1", "localhost"),
        "supported_events": [
            "ticket.created", "ticket.updated", "ticket.closed", "asset.created", "asset.updated", "user.created",
            "company.created", "machine.registered", "machine.approved", "alert.triggered", "webhook.test",
        ],
        "discord_channels": channels,
        "security": {
            "signature_header": "X-XTSystems-Signature",
            "timestamp_header": "X-XTSystems-Timestamp",
            "algorithm": "HMAC-SHA256",
        },
    });
    assert_eq!((status, &told), (200, &expected));
    assert!(!told.to_string().contains(SECRET) && !told.to_string().contains(API_KEY));
    s.finish().await;
}

#[tokio::test]
async fn registering_does_what_the_command_does() {
    let s = stage().await;
    let done = json!({"success": true, "webhook_id": "whk-1", "message": "Webhook registered successfully in XTSystems"});
    assert_eq!(asks(&s, "/webhooks/register", Some("")).await, (200, done.clone()));
    let wanted = json!({
        "webhook_url": "https://nuncio.example/hook", "events": ["ticket.*"], "company_id": "acme-1", "other": 1,
    });
    assert_eq!(asks(&s, "/webhooks/register", Some(&wanted.to_string())).await, (200, done.clone()));
    assert_eq!(asks(&s, "/webhooks/register", Some("{}")).await, (200, done));
    let told = s.platform.recorded_requests();
    let asked: Vec<_> = told.iter().map(|told| format!("{} {}", told.method, told.path)).collect();
    assert_eq!(asked, ["POST /v1/webhooks", "PUT /v1/webhooks/whk-1", "PUT /v1/webhooks/whk-1"]);
    let ours = s.t.url("/webhooks/xtsystems").replace("127.0.0.1", "localhost");
    let shown = |at: usize| {
        (told[at].body["url"].clone(), told[at].body["events"].clone(), told[at].body["company_id"].clone())
    };
    assert_eq!(shown(0), (json!(ours), json!(["*"]), Value::Null));
    assert_eq!(shown(1), (json!("https://nuncio.example/hook"), json!(["ticket.*"]), json!("acme-1")));
    assert_eq!(shown(2), (json!(ours), json!(["*"]), Value::Null));
    let entry = s.audited(3).await;
    assert_eq!(
        (entry.action.as_str(), entry.outcome.as_str(), entry.actor_name.as_str()),
        ("api.register-webhook", "done", "whoever has NUNCIO_API_KEY")
    );
    // What the platform signs with is our secret: its events are accepted.
    let answers = s.platform.emit("ticket.created", json!({"id": "t-1", "title": "New"})).await;
    assert_eq!((answers.len(), answers[0].status), (1, 200));
    s.t.channel("tickets").next_message().await;
    s.finish().await;
}

#[tokio::test]
async fn what_was_not_registered_says_why() {
    let s = stage().await;
    let refused = |details: &str| (500, json!({"error": "Failed to register webhook", "details": details}));
    let no_address = "That is not an address for a webhook: one begins with http:// or https:// and holds no user name, ? or #. Leave it out for nuncio's own. Nothing was changed.";
    for url in ["file:///etc/passwd", "https://user:pass@nuncio.example/", "nuncio.example"] {
        let body = json!({"webhook_url": url}).to_string();
        assert_eq!(asks(&s, "/webhooks/register", Some(&body)).await, refused(no_address), "{url}");
    }
    let (status, told) = asks(&s, "/webhooks/register", Some(r#"{"events":["a; drop"]}"#)).await;
    assert_eq!(status, 500);
    assert!(told["details"].as_str().unwrap().starts_with("Those are not kinds of events."), "{told}");
    for body in ["[", "[]", r#"{"events":"ticket.created"}"#, r#"{"webhook_url":1}"#] {
        let (status, told) = asks(&s, "/webhooks/register", Some(body)).await;
        assert_eq!((status, told), (400, json!({"error": "Invalid JSON"})), "{body}");
    }
    assert_eq!(asks(&s, "/webhooks/register", Some(&" ".repeat(100_000))).await.0, 413);
    assert!(s.platform.recorded_requests().is_empty());
    s.platform.fails_next("POST /v1/webhooks", 1, PlatformFault::Status(500, json!({"detail": "no disk"})));
    let (status, told) = asks(&s, "/webhooks/register", Some("{}")).await;
    assert_eq!((status, &told["error"]), (500, &json!("Failed to register webhook")));
    assert!(told["details"].as_str().unwrap().contains("no disk"), "{told}");
    assert_eq!(s.audited(5).await.outcome, "failed");
    s.finish().await;
}

#[tokio::test]
async fn a_platform_elsewhere_is_not_told_localhost() {
    let s = Stage::with(|variables| {
        variables.insert("NUNCIO_API_KEY".to_owned(), API_KEY.to_owned());
        variables.insert("XTSYSTEMS_API_URL".to_owned(), "http://192.0.2.1".to_owned());
    })
    .await;
    for body in ["{}", r#"{"webhook_url":"http://127.1:3000/webhooks/xtsystems"}"#] {
        let (status, told) = asks(&s, "/webhooks/register", Some(body)).await;
        assert_eq!(status, 500);
        assert!(told["details"].as_str().unwrap().contains("set PUBLIC_URL"), "{told}");
    }
    s.finish().await;
}

#[tokio::test]
async fn both_want_the_key_and_only_so_many_may_be_tried() {
    let mut s = stage().await;
    let status = async |s: &Stage, method: reqwest::Method, path: &str, key: Option<&str>| {
        let request = http().request(method, s.t.url(path));
        let request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
        request.send().await.unwrap()
    };
    let (get, post) = (reqwest::Method::GET, reqwest::Method::POST);
    for key in [None, Some("wrong"), Some("")] {
        for (method, path) in [(&get, "/webhooks/config"), (&post, "/webhooks/register")] {
            let answer = status(&s, method.clone(), path, key).await;
            assert_eq!(answer.status(), 401, "{path} {key:?}");
            assert_eq!(answer.headers().get("www-authenticate").unwrap(), "Bearer");
            let told: Value = answer.json().await.unwrap();
            assert_eq!(
                told,
                json!({"error": "This needs Authorization: Bearer with NUNCIO_API_KEY or an admin key of no company"})
            );
        }
    }
    assert_eq!(status(&s, post.clone(), "/webhooks/config", Some(API_KEY)).await.status(), 405);
    // Both have one bucket: seven of its hundred are gone.
    let mut answers = std::collections::BTreeMap::new();
    for _ in 0..110 {
        let answer = status(&s, get.clone(), "/webhooks/config", Some("wrong")).await;
        *answers.entry(answer.status().as_u16()).or_insert(0) += 1;
        if answer.status() == 429 {
            let after: u64 = answer.headers().get("retry-after").unwrap().to_str().unwrap().parse().unwrap();
            assert!((1..=9).contains(&after), "{after}");
            let told: Value = answer.json().await.unwrap();
            assert_eq!(told, json!({"error": "Too many requests from this IP"}));
        }
    }
    assert!(answers[&401] >= 93 && answers[&429] > 0, "{answers:?}");
    s.t.log.expect(Level::WARN, "an address sends more requests than RATE_LIMIT allows");
    assert_eq!(s.t.looks_at("/").await.0, 200, "nothing else is kept out");
    assert!(s.platform.recorded_requests().is_empty());
    // Without a key of our own, no key opens them.
    s.t.unset("NUNCIO_API_KEY");
    s.t.restart().await;
    assert_eq!(status(&s, get, "/webhooks/config", Some("")).await.status(), 401);
    s.finish().await;
}
