//! Who receives a dispatch.

use nuncio::model::dispatch::{DispatchFunction, DispatchOptions};
use nuncio::model::{Category, Scope};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::{KEY, Platform};
use crate::database::Database;
use crate::harness::http;

const NOBODY: &str = "No webhooks configured for this event type";

async fn reached(p: &Platform, function: &str, body: Value) -> Vec<String> {
    let answer = p.awaits(function, body).await;
    let results = answer["results"].as_array().unwrap();
    let mut names: Vec<String> =
        results.iter().map(|one| one["webhook"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(answer["sent"], names.len(), "{answer}");
    p.t.channel("general").next_messages(names.len()).await;
    names
}

#[tokio::test]
async fn each_option_chooses_as_the_contract_says() {
    let p = Platform::start().await;
    let stores = [
        ("admin", json!({"type": "BILLING"})),
        ("off", json!({"type": "BILLING", "enabled": false})),
        ("user-1", json!({"type": "BILLING", "scope": "USER", "user_id": "1"})),
        ("user-2", json!({"type": "BILLING", "scope": "USER", "user_id": "2"})),
        ("public", json!({"type": "BILLING", "scope": "PUBLIC"})),
        ("public-game", json!({"type": "GAME_SERVER", "scope": "PUBLIC"})),
        ("custom", json!({"type": "CUSTOM"})),
    ];
    let mut off = String::new();
    for (name, mut about) in stores {
        about["name"] = json!(name);
        let id = p.stores("general", about).await;
        if name == "off" {
            off = id;
        }
    }
    let bill = |options: Value| json!({"event_type": "invoice", "details": "7", "options": options});
    let cases = [
        (json!({}), vec!["admin"]),
        (json!({"scopes": []}), vec!["admin"]),
        (json!({"types": []}), vec!["admin"]),
        (json!({"scopes": ["USER"], "user_id": "1"}), vec!["user-1"]),
        (json!({"scopes": ["USER", "ADMIN"], "userId": 2}), vec!["admin", "user-2"]),
        (json!({"user_id": "1"}), vec!["admin"]),
        (json!({"types": ["CUSTOM"]}), vec!["custom"]),
        (json!({"types": ["CUSTOM", "BILLING"]}), vec!["admin", "custom"]),
        (json!({"onlyEnabled": false}), vec!["admin", "off"]),
    ];
    for (options, expected) in cases {
        assert_eq!(reached(&p, "billing-event", bill(options.clone())).await, expected, "{options}");
    }
    // Its switch did not move.
    let listed =
        http().get(p.t.url(&format!("/v1/discord-webhooks/{off}"))).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(listed.json::<Value>().await.unwrap()["enabled"], false);
    // What is internal reaches no PUBLIC webhook, and the answer says why.
    let none = p.dispatches("billing-event", bill(json!({"scopes": ["PUBLIC"]}))).await;
    assert_eq!((&none["deliveries"], &none["errors"][0]["error"]), (&json!(0), &json!(NOBODY)));
    assert!(
        none["warnings"][0]["message"].as_str().unwrap().contains("never receive billing-event"),
        "{none}"
    );
    let online = json!({"serverName": "S", "newState": "online", "options": {"scopes": ["PUBLIC"]}});
    assert_eq!(reached(&p, "server-state", online).await, ["public-game"]);
    p.finish().await;
}

#[tokio::test]
async fn what_nobody_wants_says_so_and_goes_out_once_somebody_does() {
    let p = Platform::start().await;
    let body = json!({"server_name": "S", "new_state": "crashed"});
    let accepted = p.dispatches("server-state", body.clone()).await;
    let error = json!([{"webhook": "system", "error": NOBODY}]);
    assert_eq!((&accepted["deliveries"], &accepted["errors"]), (&json!(0), &error));
    let waited = p.awaits("server-state", body).await;
    assert_eq!(
        (&waited["success"], &waited["sent"], &waited["failed"], &waited["errors"]),
        (&json!(false), &json!(0), &json!(0), &error)
    );
    assert_eq!(p.t.health().await["status"], "ok", "nobody has to mend that: {}", p.t.health().await);
    let id = accepted["event_id"].as_str().unwrap();
    let shown = p.t.runs(&["events", "show", id]).await;
    assert!(
        shown.stdout.contains("no webhook for it")
            && shown.stdout.contains("GAME_SERVER webhooks, scope ADMIN, enabled"),
        "{}",
        shown.stdout
    );
    p.stores("general", json!({"type": "GAME_SERVER"})).await;
    let again = p.t.runs(&["redeliver", id]).await;
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert_eq!(p.next("general").await.title(), "💥 Server Crashed");
    p.finish().await;
}

// The map is not asked, and does not take what waits: dispatches are for stored webhooks.
#[tokio::test]
async fn the_map_receives_no_dispatch() {
    let p = Platform::start().await;
    let accepted = p.dispatches("custom", json!({"embed": {"title": "T"}})).await;
    assert_eq!(accepted["deliveries"], 0);
    let ran = p.t.runs(&["redeliver", accepted["event_id"].as_str().unwrap()]).await;
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    p.finish().await;
}

#[tokio::test]
async fn a_company_reaches_its_own_webhooks_only() {
    let p = Platform::start().await;
    let mut keys = Vec::new();
    for company in ["acme", "other"] {
        let made =
            p.posts("/v1/keys", json!({"name": company, "role": "admin", "company_id": company})).await;
        let key = made.body["key"].as_str().unwrap().to_owned();
        let url = crate::webhooks::makes_webhook(&p.t, "general").await;
        let about = json!({"name": company, "type": "CUSTOM", "webhook_url": url});
        let stored = p.posts_with(&key, &[], "/v1/discord-webhooks", &about).await;
        assert_eq!(stored.status, 201, "{}", stored.body);
        keys.push(key);
    }
    p.stores("general", json!({"name": "none", "type": "CUSTOM"})).await;
    let embed = json!({"title": "T"});
    let reached = async |key: &str, options: Value| {
        let body = json!({"embed": embed, "options": options});
        let reply = p.posts_with(key, &[], "/v1/dispatch/custom?wait=true", &body).await;
        let names: Vec<Value> = reply.body["results"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["webhook"].clone())
            .collect();
        p.t.channel("general").next_messages(names.len()).await;
        (reply.status, names)
    };
    assert_eq!(reached(&keys[0], json!({})).await, (200, vec![json!("acme")]));
    assert_eq!(reached(&keys[1], json!({"company_id": "other"})).await, (200, vec![json!("other")]));
    assert_eq!(reached(&keys[1], json!({"companyId": "acme"})).await, (422, vec![]));
    assert_eq!(reached(KEY, json!({})).await, (200, vec![json!("none")]));
    assert_eq!(reached(KEY, json!({"company_id": "acme"})).await, (200, vec![json!("acme")]));
    p.finish().await;
}

/// Webhooks of many owners, whose rows were written by hand: each would otherwise need a Discord webhook of its own.
const OWNERS: [&str; 12] =
    ["1", "2", "10", "cus_1", "CUS_1", "cus%", "cus_", "", "O'Brien", "1 OR 1=1", "ü", "10\u{200b}"];

async fn many_owners(p: &Platform) {
    let database = Database::open(p.t.store().path()).await.unwrap();
    let mut number = 0_u128;
    for company in ["", "acme"] {
        for owner in OWNERS {
            for category in Category::ALL {
                for scope in Scope::ALL {
                    number += 1;
                    let id = (1_u128 << 100) + number;
                    database
                        .execute(
                            "INSERT INTO destinations (id, sink, company_id, owner, address, name, origin, category, scope, \
                             created_at, updated_at) VALUES (?, 'discord_webhook', ?, ?, ?, ?, 'stored', ?, ?, 0, 0)",
                            (
                                id.to_be_bytes(),
                                company,
                                owner,
                                format!("{}/abcd", 100_000_000_000_000_000 + number),
                                format!("{company}\n{owner}\n{category}\n{scope}"),
                                category.as_str(),
                                scope.as_str(),
                            ),
                        )
                        .await
                        .unwrap();
                }
            }
        }
    }
}

// 10,000 cases: a customer's event reaches no other's webhook, and each reaches its owner's.
#[tokio::test]
async fn no_customers_event_reaches_another() {
    let p = Platform::start().await;
    many_owners(&p).await;
    let names: std::collections::HashMap<String, String> = {
        let all = p.t.store().webhooks().await.unwrap();
        all.into_iter().map(|webhook| (webhook.id.to_string(), webhook.about.name)).collect()
    };
    let options = (
        prop::collection::vec(prop::sample::select(Category::ALL), 0..4),
        prop::collection::vec(prop::sample::select(Scope::ALL), 0..3),
        prop::sample::select(OWNERS.to_vec()),
        any::<bool>(),
        prop::sample::select(vec!["", "acme"]),
        prop::sample::select(DispatchFunction::ALL.to_vec()),
        prop::sample::select(Category::ALL),
    );
    let (mut runner, mut owned) = (TestRunner::deterministic(), 0);
    for _ in 0..10_000 {
        let (types, mut scopes, user, only_enabled, company, function, own) =
            options.new_tree(&mut runner).unwrap().current();
        scopes.push(Scope::User);
        let options = DispatchOptions {
            types: types.clone(),
            scopes: scopes.clone(),
            user_id: Some(user.to_owned()),
            only_enabled,
            company_id: None,
        };
        let Ok(selection) = options.selection(function, own, company) else {
            assert_eq!(user, "", "USER without a customer is refused, and nothing else");
            continue;
        };
        let wanted = if types.is_empty() { vec![own] } else { types };
        let mut of_owner = std::collections::HashSet::new();
        for found in p.t.store().selected_webhooks(&selection).await.unwrap() {
            let name = &names[&found.id.to_string()];
            let [its_company, its_owner, category, scope] = name.split('\n').collect::<Vec<_>>()[..] else {
                panic!("{name}")
            };
            assert_eq!(its_company, company);
            let scope = Scope::from_word(scope).unwrap();
            assert!(
                scopes.contains(&scope) && wanted.iter().any(|one| one.as_str() == category),
                "{options:?}: {name:?}"
            );
            assert!(scope != Scope::Public || !function.is_internal(), "{function:?}: {name:?}");
            if scope == Scope::User {
                assert_eq!(its_owner, user, "another customer's: {options:?}");
                of_owner.insert(category.to_owned());
            }
        }
        let all: std::collections::HashSet<String> =
            wanted.iter().map(|one| one.as_str().to_owned()).collect();
        assert_eq!(of_owner, all, "its owner's: {options:?}");
        owned += 1;
    }
    assert!(owned > 8_000, "{owned}");
    p.finish().await;
}
