//! The requests that the clients send, replayed as they are (`clients/conformance/requests.json`): each is accepted, without a
//! warning, and arrives. Their answers have the fields that the clients read.

use serde_json::{Value, json};

use super::Platform;

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/clients/conformance/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["cases"].as_array().unwrap().clone()
}

/// The same in camelCase, as older callers write it.
fn camel(value: &Value) -> Value {
    let camel_name = |name: &str| {
        let mut parts = name.split('_');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + &part[..1].to_uppercase() + &part[1..])
    };
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (camel_name(name), camel(value))).collect()
        }
        Value::Array(items) => items.iter().map(camel).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_request_of_the_clients_is_accepted_and_arrives() {
    let p = Platform::with(&[("FOLD_REPEATS", "off")]).await;
    p.stores_all_categories().await;
    for category in ["BILLING", "CUSTOM"] {
        p.stores(
            "general",
            json!({"name": "a customer's", "type": category, "scope": "USER", "user_id": "cus_1"}),
        )
        .await;
    }
    let all = cases("requests.json");
    assert!(all.len() >= 20);
    for (at, case) in all.iter().enumerate() {
        let path = case["path"].as_str().unwrap();
        for (spelling, body) in [("snake", case["body"].clone()), ("camel", camel(&case["body"]))] {
            let key = format!("case-{at}-{spelling}");
            let reply = p
                .posts_with(super::KEY, &[("idempotency-key", &key)], &format!("{path}?wait=true"), &body)
                .await;
            assert_eq!(reply.status, 200, "{}: {}", case["name"], reply.body);
            assert!(reply.body.get("warnings").is_none(), "{}: {}", case["name"], reply.body);
            let sent = usize::try_from(reply.body["sent"].as_u64().unwrap()).unwrap();
            assert!(
                sent >= 1 && reply.body["success"] == true && reply.body["errors"] == json!([]),
                "{}",
                reply.body
            );
            p.t.channel("general").next_messages(sent).await;
        }
    }
    p.finish().await;
}

#[tokio::test]
async fn changed_fields_are_those_that_the_clients_find() {
    for case in cases("changed_fields.json") {
        let found = nuncio::model::dispatch::changed_fields(&case["before"], &case["after"]);
        assert_eq!(json!(found), case["changed"], "{}", case["name"]);
    }
}

// What is new to nuncio is left out with a warning; what it cannot do without is named, all at once.
#[tokio::test]
async fn unknown_fields_are_taken_and_missing_ones_named() {
    let p = Platform::start().await;
    p.stores("general", json!({"type": "CUSTOM"})).await;
    let embed =
        json!({"title": "T", "url": "https://a.example", "thumbnail": {"url": "https://a.example/i.png"}});
    let taken = p.dispatches("custom", json!({"embed": embed, "priority": "high"})).await;
    let warned: Vec<&str> =
        taken["warnings"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!(warned, ["/embed/url", "/embed/thumbnail", "/priority"], "{taken}");
    p.next("general").await;
    let cases = [
        ("server-state", json!({"new_state": "gone"}), vec!["/new_state", "/server_name"]),
        ("server-state", json!({"new_state": "online", "server_name": " "}), vec!["/server_name"]),
        (
            "node-alert",
            json!({"node_name": "n", "alert_type": "cpu", "usage": "high"}),
            vec!["/usage", "/threshold"],
        ),
        (
            "node-alert",
            json!({"node_name": "n", "alert_type": "cpu", "usage": -1, "threshold": 1e300}),
            vec!["/usage", "/threshold"],
        ),
        ("settings-update", json!({}), vec!["/changed_fields"]),
        ("sync-completion", json!({"operations": []}), vec!["/success"]),
        ("billing-event", json!({"details": "x"}), vec!["/event_type"]),
        ("custom", json!({"embed": {"title": ""}}), vec!["/embed/title"]),
        ("event", json!({"event": "x", "data": [1]}), vec!["/data"]),
        (
            "system-alert",
            json!({"title": "t", "error": "e", "options": {"scopes": ["USER"]}}),
            vec!["/options/user_id"],
        ),
        (
            "system-alert",
            json!({"title": "t", "error": "e", "options": {"types": ["MAIL"]}}),
            vec!["/options/types/0"],
        ),
    ];
    for (function, body, pointers) in cases {
        let reply = p.posts(&format!("/v1/dispatch/{function}"), body.clone()).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.body);
        let mut found: Vec<&str> = reply.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["pointer"].as_str().unwrap())
            .collect();
        found.sort_unstable();
        let mut wanted = pointers.clone();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{body}: {}", reply.body);
    }
    p.finish().await;
}

//
#[tokio::test]
async fn one_key_is_one_dispatch_with_and_without_waiting() {
    let p = Platform::start().await;
    p.stores("general", json!({"type": "CUSTOM"})).await;
    for path in ["/v1/dispatch/custom", "/v1/dispatch/custom?wait=true"] {
        let key = [("idempotency-key", path)];
        let body = json!({"embed": {"title": "Once"}});
        let first = p.posts_with(super::KEY, &key, path, &body).await;
        let again = p.posts_with(super::KEY, &key, path, &body).await;
        assert!([200, 202].contains(&first.status), "{first:?}");
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let other = p.posts_with(super::KEY, &key, path, &json!({"embed": {"title": "Other"}})).await;
        assert_eq!(other.status, 422, "{}", other.body);
        p.next("general").await;
        // Many at once are one, too.
        let key = [("idempotency-key", if path.contains("wait") { "many-w" } else { "many" })];
        let at_once = (0..20).map(|_| p.posts_with(super::KEY, &key, path, &body));
        let replies = futures_util::future::join_all(at_once).await;
        let mut ids: Vec<String> = replies
            .iter()
            .filter(|reply| reply.status < 300)
            .map(|reply| reply.body["event_id"].to_string())
            .collect();
        assert!(replies.iter().all(|reply| [200, 202, 409].contains(&reply.status)), "{replies:?}");
        ids.dedup();
        assert_eq!(ids.len(), 1, "{replies:?}");
        p.next("general").await;
    }
    p.finish().await;
}
