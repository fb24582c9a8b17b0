//! Who sees and changes which webhook: every kind of key against every kind of webhook, on every route.

use serde_json::{Value, json};

use super::{KEY, ROOT, call, harness, post, stores};
use crate::harness::Harness;
use crate::webhooks::makes_webhook;

const ROLES: [&str; 3] = ["reader", "sender", "admin"];
const COMPANIES: [Option<&str>; 3] = [None, Some("acme"), Some("other")];
const OWNERS: [Option<&str>; 2] = [None, Some("u-1")];

/// A key, and what it is for.
struct Key {
    text: String,
    role: &'static str,
    company: Option<&'static str>,
    owner: Option<&'static str>,
}

struct Stored {
    id: String,
    company: &'static str,
    scope: &'static str,
    owner: &'static str,
}

async fn key(
    t: &Harness,
    role: &'static str,
    company: Option<&'static str>,
    owner: Option<&'static str>,
) -> Key {
    let body = json!({"name": format!("{role} {company:?} {owner:?}"), "role": role, "company_id": company, "owner": owner});
    let (status, made) = post(t, "/v1/keys", body).await;
    assert_eq!(status, 201, "{made}");
    Key { text: made["key"].as_str().unwrap().to_owned(), role, company, owner }
}

async fn all_keys(t: &Harness) -> Vec<Key> {
    let mut keys = Vec::new();
    for role in ROLES {
        for company in COMPANIES {
            for owner in OWNERS {
                keys.push(key(t, role, company, owner).await);
            }
        }
    }
    keys
}

async fn all_webhooks(t: &Harness) -> Vec<Stored> {
    let url = makes_webhook(t, "general").await;
    let mut all = Vec::new();
    for company in ["", "acme", "other"] {
        for (scope, owner) in [("ADMIN", ""), ("USER", "u-1"), ("USER", "u-2"), ("PUBLIC", "public")] {
            let about = json!({
                "name": format!("{company} {scope} {owner}"), "webhook_url": url, "scope": scope, "user_id": owner,
                "company_id": company,
            });
            all.push(Stored { id: stores(t, about).await, company, scope, owner });
        }
    }
    all
}

/// The rules once more, as the contract has them: all of it, that it exists, or nothing.
fn sees(key: &Key, webhook: &Stored) -> &'static str {
    if key.company.is_some_and(|company| company != webhook.company) {
        return "nothing";
    }
    let is_own = match key.owner {
        Some(owner) => webhook.scope == "USER" && webhook.owner == owner,
        None => key.role == "admin",
    };
    match webhook.scope {
        _ if is_own => "all",
        "PUBLIC" => "that it exists",
        _ => "nothing",
    }
}

/// Whether the key's role changes webhooks at all.
fn changes(key: &Key) -> bool {
    key.role == "admin" || (key.role == "sender" && key.owner.is_some())
}

//
#[tokio::test]
async fn each_key_sees_and_changes_its_own() {
    let t = harness().await;
    let (keys, webhooks) = (all_keys(&t).await, all_webhooks(&t).await);
    let (mut asked, mut tests) = (0, 0);
    for key in &keys {
        let who = format!("{} {:?} {:?}", key.role, key.company, key.owner);
        let (status, listed) = call(&t, &key.text, "GET", &format!("{ROOT}?limit=200"), None).await;
        assert_eq!(status, 200, "{who}: {listed}");
        let ids: Vec<&str> =
            listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        let expected: Vec<&str> = webhooks
            .iter()
            .filter(|webhook| sees(key, webhook) != "nothing")
            .map(|webhook| webhook.id.as_str())
            .collect();
        assert_eq!(ids, expected, "{who}");
        for webhook in &webhooks {
            let (path, sight) = (format!("{ROOT}/{}", webhook.id), sees(key, webhook));
            let what = format!("{who} and {} {} {}", webhook.company, webhook.scope, webhook.owner);
            let (status, read) = call(&t, &key.text, "GET", &path, None).await;
            match sight {
                "all" => assert!(
                    status == 200 && read["webhook_url"].is_string() && read.get("waiting").is_some(),
                    "{what}"
                ),
                "that it exists" => {
                    assert!(status == 200 && read["webhook_url"].is_null(), "{what}: {read}");
                    for hidden in ["user_id", "company_id", "waiting", "last_error", "discord"] {
                        assert!(read.get(hidden).is_none(), "{what}: {hidden} {read}");
                    }
                }
                _ => assert_eq!((status, &read["code"]), (404, &json!("not_found")), "{what}: {read}"),
            }
            let expected = match (changes(key), sight) {
                (false, _) => 403,
                (true, "all") => 200,
                (true, _) => 404,
            };
            for (method, path, body) in [
                ("PATCH", path.clone(), json!({"description": "x"})),
                ("POST", format!("{path}/test"), json!({})),
            ] {
                let (status, answer) = call(&t, &key.text, method, &path, Some(body)).await;
                assert_eq!(status, expected, "{method} {what}: {answer}");
                // Discord's rate limit holds some of them back.
                tests += usize::from(answer["success"] == true);
            }
            // Whoever may change it would.
            if expected != 200 {
                for (method, body) in
                    [("DELETE", None), ("PUT", Some(json!({"name": "Mine", "scope": "ADMIN"})))]
                {
                    let (status, answer) = call(&t, &key.text, method, &path, body).await;
                    assert_eq!(status, expected, "{method} {what}: {answer}");
                }
            }
            asked += 1;
        }
    }
    assert_eq!(asked, 18 * 12);
    t.channel("general").next_messages(tests).await;
    assert_eq!(t.store().webhooks().await.unwrap().len(), webhooks.len());
    t.finish().await;
}

// mass assignment.
#[tokio::test]
async fn no_key_gives_itself_more_than_it_has() {
    let t = harness().await;
    let owners = key(&t, "sender", Some("acme"), Some("u-1")).await;
    let admins = key(&t, "admin", Some("acme"), None).await;
    let url = makes_webhook(&t, "general").await;
    let new = |more: Value| {
        let mut body = json!({"name": "Mine", "webhook_url": url});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(body)
    };
    for (key, more, pointer) in [
        (&owners, json!({"scope": "ADMIN"}), "/scope"),
        (&owners, json!({"scope": "PUBLIC"}), "/scope"),
        (&owners, json!({"user_id": "u-2"}), "/user_id"),
        (&owners, json!({"company_id": "other"}), "/company_id"),
        (&admins, json!({"company_id": "other"}), "/company_id"),
    ] {
        let (status, refused) = call(&t, &key.text, "POST", ROOT, new(more.clone())).await;
        assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!(pointer)), "{more} {refused}");
    }
    let (status, mine) = call(&t, &owners.text, "POST", ROOT, new(json!({}))).await;
    assert_eq!(status, 201, "{mine}");
    assert_eq!(
        (&mine["scope"], &mine["user_id"], &mine["company_id"]),
        (&json!("USER"), &json!("u-1"), &json!("acme"))
    );
    let path = format!("{ROOT}/{}", mine["id"].as_str().unwrap());
    for (method, body, pointer) in [
        ("PATCH", json!({"scope": "ADMIN"}), "/scope"),
        ("PATCH", json!({"user_id": "u-2"}), "/user_id"),
        ("PUT", json!({"name": "Mine", "scope": "ADMIN"}), "/scope"),
        ("PUT", json!({"name": "Mine", "user_id": "u-2"}), "/user_id"),
    ] {
        let (status, refused) = call(&t, &owners.text, method, &path, Some(body.clone())).await;
        assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!(pointer)), "{body} {refused}");
    }
    // What nobody sets is left out, and said.
    let body = json!({"id": "dst_00000000000000000000000000000000", "company_id": "other", "created_at": "2001-01-01T00:00:00Z"});
    let (status, changed) = call(&t, &owners.text, "PATCH", &path, Some(body)).await;
    assert_eq!((status, changed["warnings"].as_array().unwrap().len()), (200, 3), "{changed}");
    let (_, read) = call(&t, KEY, "GET", &path, None).await;
    for name in ["id", "company_id", "scope", "user_id", "created_at"] {
        assert_eq!(read[name], mine[name], "{name}");
    }
    let (status, put) = call(&t, &owners.text, "PUT", &path, Some(json!({"name": "Still mine"}))).await;
    assert_eq!((status, &put["scope"], &put["user_id"]), (200, &json!("USER"), &json!("u-1")), "{put}");
    t.finish().await;
}

//
#[tokio::test]
async fn a_page_ends_where_the_next_one_begins() {
    let t = harness().await;
    let webhooks = all_webhooks(&t).await;
    let (mut seen, mut next) = (Vec::new(), format!("{ROOT}?limit=5"));
    while !next.is_empty() {
        let answer = crate::harness::http().get(t.url(&next)).bearer_auth(KEY).send().await.unwrap();
        let link =
            answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned()).unwrap_or_default();
        next = link.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let page: Vec<Value> = answer.json().await.unwrap();
        seen.extend(page.into_iter().map(|webhook| webhook["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, webhooks.into_iter().map(|webhook| webhook.id).collect::<Vec<_>>());
    t.finish().await;
}
