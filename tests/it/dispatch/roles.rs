//! Who may dispatch what (A-1).

use serde_json::{Value, json};

use super::Platform;

#[tokio::test]
async fn a_key_dispatches_within_its_role_and_its_customer() {
    let p = Platform::start().await;
    for (name, about) in [
        ("admin", json!({"type": "CUSTOM"})),
        ("one", json!({"type": "CUSTOM", "scope": "USER", "user_id": "1"})),
        ("two", json!({"type": "CUSTOM", "scope": "USER", "user_id": "2"})),
        ("public", json!({"type": "CUSTOM", "scope": "PUBLIC"})),
    ] {
        let mut about = about;
        about["name"] = json!(name);
        p.stores("general", about).await;
    }
    let key = async |about: Value| {
        let made = p.posts("/v1/keys", about).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["key"].as_str().unwrap().to_owned()
    };
    let reader = key(json!({"name": "r", "role": "reader"})).await;
    let sender = key(json!({"name": "s", "role": "sender"})).await;
    let own = key(json!({"name": "o", "role": "sender", "owner": "1"})).await;
    let own_admin = key(json!({"name": "oa", "role": "admin", "owner": "1"})).await;
    let to = |scopes: &[&str], user: Option<&str>| json!({"scopes": scopes, "user_id": user});
    let cases = [
        (reader.as_str(), json!({}), 403, 0),
        ("nun_none", json!({}), 401, 0),
        (&sender, json!({}), 200, 1),
        (&sender, to(&["USER"], Some("2")), 200, 1),
        (&sender, to(&["PUBLIC", "ADMIN"], None), 200, 2),
        (&own, json!({}), 422, 0),
        (&own, to(&["USER"], Some("1")), 200, 1),
        (&own, to(&["USER"], Some("2")), 422, 0),
        (&own, to(&["USER", "ADMIN"], Some("1")), 422, 0),
        (&own, to(&["PUBLIC"], None), 422, 0),
        (&own_admin, to(&["USER"], Some("1")), 200, 1),
        (&own_admin, to(&["USER"], Some("2")), 422, 0),
        (&own_admin, json!({}), 422, 0),
    ];
    let mut arrived = 0;
    for (key, options, status, sent) in cases {
        let body = json!({"embed": {"title": "T"}, "options": options});
        let reply = p.posts_with(key, &[], "/v1/dispatch/custom?wait=true", &body).await;
        assert_eq!(reply.status, status, "{options}: {}", reply.body);
        assert_eq!(reply.body["sent"].as_u64().unwrap_or(0), sent, "{options}: {}", reply.body);
        arrived += sent;
    }
    p.t.channel("general").next_messages(usize::try_from(arrived).unwrap()).await;
    p.finish().await;
}
