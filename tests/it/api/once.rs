//! requests that are carried out once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Api, BOOTSTRAP, Reply, routes};

impl Api {
    async fn posts_once(&self, path: &str, key: &str, body: &Value) -> Reply {
        let request = self.request("POST", path).bearer_auth(BOOTSTRAP).header("idempotency-key", key);
        self.send(request.json(body)).await
    }

    async fn count(&self) -> usize {
        self.get("/v1/keys?limit=200").await.json()["data"].as_array().unwrap().len()
    }
}

// Control: without `once.claim` in the unit, there are as many keys as requests.
#[tokio::test]
async fn the_same_request_again_has_the_same_answer_and_no_effect() {
    let mut api = Api::start().await;
    let body = json!({"name": "shop", "role": "reader"});
    let first = api.posts_once("/v1/keys", "k-1", &body).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""), "{}", first.text);
    // Also after a restart.
    api.t.restart().await;
    let again = api.posts_once("/v1/keys", "k-1", &body).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"), "{}", again.text);
    assert_eq!((again.text, api.count().await), (first.text.clone(), 1));

    let other = api.posts_once("/v1/keys", "k-1", &json!({"name": "shop", "role": "admin"})).await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_key_reused"));
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let elsewhere = api.posts_once(&format!("/v1/keys/{id}/rotate"), "k-1", &body).await;
    assert_eq!(elsewhere.status, 422, "{}", elsewhere.text);
    // Another caller's keys are its own.
    let (_, admin) = api.key(json!({"name": "admin", "role": "admin"})).await;
    let request = api.request("POST", "/v1/keys").bearer_auth(&admin).header("idempotency-key", "k-1");
    assert_eq!(api.send(request.json(&body)).await.status, 201);
    assert_eq!(api.count().await, 3);
    // Without a key, a repetition is a request.
    api.post("/v1/keys", body.clone()).await;
    api.post("/v1/keys", body.clone()).await;
    assert_eq!(api.count().await, 5);
    // A refused request used nothing up: corrected, it may have the same key.
    assert_eq!(api.posts_once("/v1/keys", "k-2", &json!({"name": ""})).await.status, 422);
    assert_eq!(api.posts_once("/v1/keys", "k-2", &body).await.status, 201);
    // A day later the key is free.
    api.t.clock.advance(Duration::from_secs(24 * 3600 + 60));
    let later = api.posts_once("/v1/keys", "k-1", &body).await;
    assert_eq!((later.status, later.header("idempotent-replayed")), (201, ""), "{}", later.text);
    api.finish().await;
}

//
#[tokio::test]
async fn fifty_at_once_are_one() {
    let api = Api::start().await;
    let body = json!({"name": "shop", "role": "reader"});
    let all = (0..50).map(|_| api.posts_once("/v1/keys", "storm", &body));
    let replies = futures_util::future::join_all(all).await;
    assert!(replies.iter().all(|reply| reply.status == 201 && reply.text == replies[0].text));
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotent-replayed").is_empty()).count(), 1);
    assert_eq!(api.count().await, 1);
    api.finish().await;
}

#[tokio::test]
async fn a_key_is_one_short_visible_text() {
    let api = Api::start().await;
    let long = "x".repeat(256);
    for key in ["", "a b", long.as_str(), "\t"] {
        let reply = api.posts_once("/v1/keys", key, &json!({"name": "x", "role": "reader"})).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_header"), "{key:?}");
    }
    let twice = api.request("POST", "/v1/keys").bearer_auth(BOOTSTRAP).header("idempotency-key", "a");
    let twice = twice.header("idempotency-key", "a").json(&json!({"name": "x", "role": "reader"}));
    assert_eq!(api.send(twice).await.code(), "invalid_header");
    assert_eq!(api.count().await, 0);
    api.finish().await;
}

/// Every POST that makes something takes the header, by its document.
#[test]
fn every_post_that_makes_something_can_be_repeated() {
    for route in routes().iter().filter(|route| route.method == "POST") {
        let answers = route.operation["responses"].as_object().unwrap();
        let makes = answers.contains_key("201") || answers.contains_key("202");
        let parameters = route.operation["parameters"].as_array().cloned().unwrap_or_default();
        let takes = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(makes, takes, "{}", route.path);
    }
}
