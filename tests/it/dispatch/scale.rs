//! a thousand webhooks, a third of them dead.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::Level;

use super::Platform;
use crate::harness::within;

/// A Discord with any number of webhooks, which are called by their number: some are dead, some hang.
#[derive(Clone)]
pub struct Hooks(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    dead: Mutex<HashSet<u64>>,
    hanging: Mutex<HashSet<u64>>,
    /// How many messages each received.
    posted: Mutex<HashMap<u64, usize>>,
    answered: watch::Sender<usize>,
}

/// The first id: an id of Discord's has 17 digits or more.
const FIRST: u64 = 100_000_000_000_000_000;

impl Hooks {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hooks = Self(Arc::new(Inner {
            address: listener.local_addr().unwrap(),
            dead: Mutex::default(),
            hanging: Mutex::default(),
            posted: Mutex::default(),
            answered: watch::Sender::new(0),
        }));
        let router = Router::new()
            .route("/api/v10/webhooks/{id}/{token}", post(take).get(exists))
            .with_state(hooks.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        hooks
    }

    pub fn url(&self) -> String {
        format!("http://{}/api", self.0.address)
    }

    pub fn hangs(&self, number: u64) {
        self.0.hanging.lock().unwrap().insert(FIRST + number);
    }

    fn dies(&self, number: u64) {
        self.0.dead.lock().unwrap().insert(FIRST + number);
    }

    /// Waits until so many messages were answered.
    pub async fn answered(&self, count: usize) {
        let mut answered = self.0.answered.subscribe();
        within(&format!("{count} messages"), answered.wait_for(|now| *now >= count)).await.unwrap();
    }

    /// Stores so many webhooks, numbered from 0 on.
    pub async fn store(&self, p: &Platform, count: u64, about: impl Fn(u64) -> Value) {
        let all: Vec<u64> = (0..count).collect();
        for some in all.chunks(50) {
            let storing = some.iter().map(|number| {
                let mut body = about(*number);
                let (host, token) = (self.0.address, "t".repeat(68));
                body["webhook_url"] = json!(format!("http://{host}/api/webhooks/{}/{token}", FIRST + number));
                p.posts("/v1/discord-webhooks", body)
            });
            for stored in futures_util::future::join_all(storing).await {
                assert_eq!(stored.status, 201, "{}", stored.body);
            }
        }
    }
}

async fn exists(Path((id, _)): Path<(u64, String)>) -> Json<Value> {
    Json(json!({"id": id.to_string(), "name": "Hook", "channel_id": "1", "guild_id": "2"}))
}

async fn take(State(hooks): State<Hooks>, Path((id, _)): Path<(u64, String)>) -> Response {
    if hooks.0.hanging.lock().unwrap().contains(&id) {
        return std::future::pending().await;
    }
    *hooks.0.posted.lock().unwrap().entry(id).or_default() += 1;
    hooks.0.answered.send_modify(|count| *count += 1);
    if hooks.0.dead.lock().unwrap().contains(&id) {
        let gone = json!({"message": "Unknown Webhook", "code": 10015});
        return (StatusCode::NOT_FOUND, Json(gone)).into_response();
    }
    Json(json!({"id": (id + 1_000_000).to_string(), "channel_id": "1", "webhook_id": id.to_string()}))
        .into_response()
}

#[tokio::test]
async fn a_thousand_webhooks_of_which_a_third_are_dead() {
    const ALL: u64 = 1000;
    let hooks = Hooks::start().await;
    let p = Platform::with(&[("DISCORD_API_URL", &hooks.url()), ("DISCORD_TOKEN", "")]).await;
    hooks.store(&p, ALL, |number| json!({"name": format!("hook-{number}"), "type": "VPS"})).await;
    (0..ALL).filter(|number| number % 3 == 0).for_each(|number| hooks.dies(number));
    let body = json!({"node_name": "node-1", "alert_type": "cpu", "usage": 99, "threshold": 80});
    let accepted = p.dispatches("node-alert", body).await;
    assert_eq!(accepted["deliveries"], ALL);
    hooks.answered(usize::try_from(ALL).unwrap()).await;
    let id = accepted["event_id"].as_str().unwrap().parse().unwrap();
    let results = within("every outcome", async {
        loop {
            if p.t.store().awaited(id).await.unwrap() == 0 {
                break p.t.store().dispatch_results(id).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(results.len(), 1000);
    for result in &results {
        let number: u64 = result.webhook.strip_prefix("hook-").unwrap().parse().unwrap();
        let expected = if number.is_multiple_of(3) {
            (Some(404), Some("HTTP 404: Not Found".to_owned()))
        } else {
            (Some(200), None)
        };
        assert_eq!((result.status, result.error()), expected, "{result:?}");
        assert_eq!(hooks.0.posted.lock().unwrap()[&(FIRST + number)], 1, "{result:?}");
    }
    let mut p = p;
    p.t.stop().await;
    let errors = p.t.log.at(Level::ERROR);
    assert!(
        errors.iter().all(|line| line.contains("is closed: Discord does not know this webhook")),
        "{errors:#?}"
    );
}
