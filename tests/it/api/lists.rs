//! A-9: lists in pages.

use serde_json::{Value, json};

use super::Api;

fn names(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_hold_every_entry_once_while_others_come_and_go() {
    let api = Api::start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(api.key(json!({"name": format!("k{n}"), "role": "reader"})).await.0);
    }
    let first = api.get("/v1/keys?limit=2").await.json();
    assert_eq!(names(&first), ["k0", "k1"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    api.key(json!({"name": "k5", "role": "reader"})).await;
    let second = api.get(&format!("/v1/keys?limit=3&cursor={cursor}")).await.json();
    assert_eq!(names(&second), ["k2", "k3", "k4"]);
    let cursor = second["next_cursor"].as_str().unwrap();
    let last = api.get(&format!("/v1/keys?limit=3&cursor={cursor}")).await.json();
    assert_eq!((names(&last), &last["next_cursor"]), (vec!["k5".to_owned()], &Value::Null));
    // Whoever asks for more than there can be gets as many as there can be.
    for limit in ["0", "-1"] {
        assert_eq!(names(&api.get(&format!("/v1/keys?limit={limit}")).await.json()), ["k0"], "{limit}");
    }
    for limit in ["1000000000", "999999999999999999999999"] {
        assert_eq!(names(&api.get(&format!("/v1/keys?limit={limit}")).await.json()).len(), 6, "{limit}");
    }
    api.finish().await;
}

// A-9. Control: with a constant in the place of the key in the scope (`src/api/list.rs`), the first row is 200.
#[tokio::test]
async fn a_cursor_is_its_keys_own_and_cannot_be_made() {
    let api = Api::start().await;
    let (_, one) = api.key(json!({"name": "one", "role": "admin"})).await;
    let (_, other) = api.key(json!({"name": "other", "role": "admin"})).await;
    let page = api.send(api.request("GET", "/v1/keys?limit=1").bearer_auth(&one)).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let with = async |key: &str, cursor: &str| {
        let encoded: String = cursor.bytes().map(|byte| format!("%{byte:02x}")).collect();
        api.send(api.request("GET", &format!("/v1/keys?cursor={encoded}")).bearer_auth(key)).await
    };
    let own = with(&one, cursor).await;
    assert_eq!((own.status, names(&own.json())), (200, vec!["other".to_owned()]), "the control");
    assert_eq!(with(&other, cursor).await.code(), "invalid_cursor");
    let first_id = page["data"][0]["id"].as_str().unwrap();
    for made in [
        "",
        "0",
        "' OR 1=1 --",
        "../../etc/passwd",
        &"f".repeat(64),
        &cursor[..63],
        first_id,
        &"x".repeat(5000),
    ] {
        assert_eq!(with(&one, made).await.code(), "invalid_cursor", "{made:.80}");
    }
    api.finish().await;
}

// A-9
#[tokio::test]
async fn a_query_is_read_strictly() {
    let api = Api::start().await;
    for (query, fault) in [
        ("limti=3", "?limti unknown_field"),
        ("limit=1&limit=2", "?limit duplicate_field"),
        ("limit=1%27%20OR%201%3D1", "?limit wrong_type"),
        ("limit=", "?limit wrong_type"),
        ("order=id%3BDROP%20TABLE%20api_keys", "?order unknown_field"),
    ] {
        let reply = api.get(&format!("/v1/keys?{query}")).await;
        assert_eq!(
            (reply.code().as_str(), reply.faults()),
            ("invalid_query", vec![fault.to_owned()]),
            "{query}"
        );
    }
    let meant = api.get("/v1/keys?limti=3").await;
    assert!(meant.text.contains(r#"Did you mean \"limit\"?"#), "{}", meant.text);
    // An id that is none is not found, whatever it is instead.
    for id in [
        "1",
        "key_",
        "key_zz",
        "dst_00000000000000000000000000000000",
        "%27%20OR%201=1",
        "%00",
        "%F0%9F%92%A5",
    ] {
        let request = api.request("DELETE", &format!("/v1/keys/{id}")).bearer_auth(super::BOOTSTRAP);
        assert_eq!(api.send(request).await.code(), "not_found", "{id}");
    }
    api.finish().await;
}
