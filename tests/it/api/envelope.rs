//! What every answer has, and how many there are.

use serde_json::json;

use super::{Api, BOOTSTRAP, routes};

/// Security headers and a request id on every route, whatever it answers.
// W-5. Control: without `envelope::wrap` in `router.rs`, it is red.
#[tokio::test]
async fn every_answer_has_its_headers() {
    let api = Api::start().await;
    let mut asked: Vec<(String, String)> =
        routes().iter().map(|route| (route.method.clone(), route.concrete())).collect();
    asked.extend(
        ["/openapi.json", "/docs", "/docs/style.css", "/v1/nothing"]
            .map(|path| ("GET".to_owned(), path.to_owned())),
    );
    for (method, path) in &asked {
        for key in [None, Some(BOOTSTRAP)] {
            let request = api.request(method, path);
            let reply =
                api.send(key.map_or_else(|| api.request(method, path), |key| request.bearer_auth(key))).await;
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(reply.header(name), value, "{method} {path}: {name}");
            }
            let policy = reply.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{path}: {policy}"
            );
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert!(reply.header("x-request-id").starts_with("req_"), "{path}");
            // Whoever calls decides nothing about who else may read it.
            assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
        }
    }
    let chosen = api.request("GET", "/v1/keys").header("x-request-id", "trace-1.a_B");
    assert_eq!(api.send(chosen).await.json()["request_id"], "trace-1.a_B");
    for other in ["a b", "<script>", &"x".repeat(65)] {
        let reply = api.send(api.request("GET", "/v1/keys").header("x-request-id", other)).await;
        assert!(reply.header("x-request-id").starts_with("req_"), "{other}");
    }
    api.finish().await;
}

/// A burst of 200 passes: a full sync. Each key has its own; whoever has none has the address's.
// Control: with the burst at 600, or all charged to one bucket, the counts differ.
#[tokio::test]
async fn a_key_has_two_hundred_at_once_and_then_waits() {
    let api = Api::with_limit("600/600d").await;
    let (_, other) = api.key(json!({"name": "other", "role": "admin"})).await;
    let mut passed = 1;
    let refused = loop {
        let reply = api.get("/v1/keys?limit=1").await;
        if reply.status == 429 {
            break reply;
        }
        assert_eq!(reply.status, 200, "{}", reply.text);
        passed += 1;
    };
    assert_eq!(passed, 200);
    assert_eq!(refused.code(), "rate_limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=24 * 3600 + 1).contains(&wait), "{wait}");
    assert_eq!(api.send(api.request("GET", "/v1/keys").bearer_auth(&other)).await.status, 200, "another key");

    // Without a key: the address pays, and is refused even with the next wrong key, but no valid one is.
    let mut failures = 0;
    while api.send(api.request("GET", "/v1/keys").bearer_auth("wrong")).await.status == 401 {
        failures += 1;
    }
    assert_eq!(failures, 200);
    assert_eq!(api.send(api.request("GET", "/v1/keys")).await.code(), "rate_limited");
    assert_eq!(api.send(api.request("GET", "/v1/keys").bearer_auth(&other)).await.status, 200, "a valid key");
    api.finish().await;
}
