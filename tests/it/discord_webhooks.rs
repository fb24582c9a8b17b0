//! Stored Discord webhooks through the API, against the sandbox: kept whole, looked at, tested, healthy or not, and seen by
//! those only who may.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the look in `DiscordWebhooks::add` | `an_address_is_looked_at_before_it_is_stored` |
//! | `deserialize_with = "given"` on a field of `WebhookPatch` | `a_webhook_is_stored_changed_and_removed` |
//! | `enabled` in the lane | `what_comes_for_a_disabled_webhook_waits_for_it` |
//! | `id <> $2` in `notice_webhooks`, or its company | `notices_go_to_the_system_webhooks_of_the_same_company` |
//! | `access::sight` in a use case | `each_key_sees_and_changes_its_own` |
//! | `access::within` | `no_key_gives_itself_more_than_it_has` |
//! | the unique index | `fifty_requests_store_one_webhook` |

mod access;
mod import;

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, http, one_by_one};
use crate::limits::{asked, recorded, ticket};
use crate::webhooks::{makes_webhook, url};

pub const KEY: &str = "a-bootstrap-key-of-these-tests";
pub const ROOT: &str = "/v1/discord-webhooks";

/// nuncio with an API, and a message of its own for every event.
pub async fn harness() -> Harness {
    Harness::with(|variables| {
        one_by_one(variables);
        variables.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
        variables.insert("API_RATE_LIMIT".to_owned(), "60000/1m".to_owned());
    })
    .await
}

/// A request with this key; status and body.
pub async fn call(t: &Harness, key: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = http().request(method.parse().unwrap(), t.url(path)).bearer_auth(key);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

pub async fn post(t: &Harness, path: &str, body: Value) -> (u16, Value) {
    call(t, KEY, "POST", path, Some(body)).await
}

pub async fn patch(t: &Harness, id: &str, body: Value) -> (u16, Value) {
    call(t, KEY, "PATCH", &format!("{ROOT}/{id}"), Some(body)).await
}

pub async fn get(t: &Harness, id: &str) -> Value {
    let (status, body) = call(t, KEY, "GET", &format!("{ROOT}/{id}"), None).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// Stores a webhook; answers its id.
pub async fn stores(t: &Harness, body: Value) -> String {
    let (status, body) = post(t, ROOT, body).await;
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

fn mark(url: &str) -> String {
    let (rest, token) = url.rsplit_once('/').unwrap();
    format!("…/webhooks/{}/••••{}", rest.rsplit('/').next().unwrap(), &token[token.len() - 4..])
}

// Contract 5; TS-19: what is left out stays, what is set is read back.
#[tokio::test]
async fn a_webhook_is_stored_changed_and_removed() {
    let t = harness().await;
    let url = url(&t);
    // The old dispatcher's names, and a field that nuncio does not have.
    let body = json!({
        "name": "Acme alerts", "webhookUrl": url, "type": "SECURITY", "scope": "USER", "userId": "u-1",
        "avatarUrl": "https://icons.example/a.png", "description": "for the night", "testSuccessAt": "2001-01-01T00:00:00Z",
    });
    let (status, stored) = post(&t, ROOT, body.clone()).await;
    assert_eq!(status, 201, "{stored}");
    let id = stored["id"].as_str().unwrap();
    assert_eq!(stored["webhook_url"], mark(&url));
    assert_eq!((&stored["type"], &stored["scope"]), (&json!("SECURITY"), &json!("USER")));
    assert_eq!((&stored["user_id"], &stored["enabled"]), (&json!("u-1"), &json!(true)));
    assert_eq!(stored["discord"]["name"], "Captain Hook");
    assert_eq!(stored["discord"]["channel_id"], t.discord.channel_id("general").unwrap().to_string());
    assert_eq!(stored["discord"]["guild_id"], t.discord.guild_id().to_string());
    assert_eq!(stored["warnings"][0]["pointer"], "/testSuccessAt", "{stored}");
    assert_eq!(stored["test_success_at"], Value::Null, "nobody sets it but a message that arrives");

    let (status, again) = post(&t, ROOT, body).await;
    assert_eq!(
        (status, &again["code"], &again["id"]),
        (409, &json!("already_exists"), &json!(id)),
        "{again}"
    );

    // Absent is not null.
    let (status, changed) =
        patch(&t, id, json!({"enabled": false, "description": null, "name": "Acme"})).await;
    assert_eq!(status, 200, "{changed}");
    let after = json!({
        "name": "Acme", "enabled": false, "description": null, "avatar_url": "https://icons.example/a.png", "user_id": "u-1",
        "type": "SECURITY", "scope": "USER", "webhook_url": mark(&url),
    });
    let read = get(&t, id).await;
    for (name, value) in after.as_object().unwrap() {
        assert_eq!((&read[name], &changed[name]), (value, value), "{name}");
    }
    for (body, pointer) in [
        (json!({"name": null}), "/name"),
        (json!({"enabled": null}), "/enabled"),
        (json!({"user_id": null}), "/user_id"),
        (json!({"avatar_url": "https://127.0.0.1/a.png"}), "/avatar_url"),
        (json!({"avatar_url": "http://icons.example/a.png"}), "/avatar_url"),
        (json!({"type": "PAGER"}), "/type"),
        (json!({"webhook_url": "https://evil.example/api/webhooks/1/2"}), "/webhook_url"),
    ] {
        let (status, refused) = patch(&t, id, body.clone()).await;
        assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!(pointer)), "{body} {refused}");
    }
    assert_eq!(get(&t, id).await, read, "what is refused changes nothing");
    assert_eq!(patch(&t, id, json!({})).await.0, 200);
    // What was read can be sent back: the address stays.
    let (status, put) = call(
        &t,
        KEY,
        "PUT",
        &format!("{ROOT}/{id}"),
        Some(json!({"name": "New", "webhook_url": mark(&url)})),
    )
    .await;
    assert_eq!(status, 200, "{put}");
    assert_eq!(
        (&put["type"], &put["scope"], &put["enabled"]),
        (&json!("CUSTOM"), &json!("ADMIN"), &json!(true))
    );
    assert_eq!(
        (&put["avatar_url"], &put["user_id"], &put["description"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(put["webhook_url"], mark(&url));

    let (_, listed) = call(&t, KEY, "GET", ROOT, None).await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &json!("New")));
    let (_, none) = call(&t, KEY, "GET", &format!("{ROOT}?type=VPS"), None).await;
    assert_eq!(none, json!([]));
    assert_eq!(call(&t, KEY, "DELETE", &format!("{ROOT}/{id}"), None).await.0, 204);
    assert_eq!(call(&t, KEY, "GET", &format!("{ROOT}/{id}"), None).await.0, 404);
    assert_eq!(call(&t, KEY, "DELETE", &format!("{ROOT}/{id}"), None).await.0, 404);
    let audit: Vec<String> = t
        .store()
        .audited(20)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| format!("{} {}", entry.action, entry.detail))
        .collect();
    assert!(audit.contains(&"discord-webhook.change name, description, enabled".to_owned()), "{audit:#?}");
    t.finish().await;
}

#[tokio::test]
async fn an_address_is_looked_at_before_it_is_stored() {
    let t = harness().await;
    let (alive, dead) = (url(&t), makes_webhook(&t, "assets").await);
    let id = dead.rsplit('/').nth(1).unwrap().parse::<nuncio::sandbox::Snowflake>().unwrap();
    assert!(t.discord.delete_webhook(id));
    let (status, refused) = post(&t, ROOT, json!({"name": "Dead", "webhook_url": dead})).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(refused["errors"][0]["pointer"], "/webhook_url");
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("10015"), "{refused}");
    let (rest, last) = alive.split_at(alive.len() - 1);
    let wrong = format!("{rest}{}", if last == "x" { 'y' } else { 'x' });
    assert_eq!(post(&t, ROOT, json!({"name": "Wrong", "webhook_url": wrong})).await.0, 422);
    // Before it is stored, a test says what Discord says.
    let test = format!("{ROOT}/test");
    let (status, said) = post(&t, &test, json!({"webhook_url": dead})).await;
    assert_eq!(
        (status, &said["success"], &said["status"], &said["code"]),
        (200, &json!(false), &json!(404), &json!(10015)),
        "{said}"
    );
    let (_, said) = post(&t, &test, json!({"webhookUrl": alive})).await;
    assert_eq!((&said["success"], &said["status"]), (&json!(true), &json!(200)), "{said}");
    let card = t.channel("general").next_message().await;
    assert_eq!((card.title(), &card.0["embeds"][0]["color"]), ("🧪 Webhook Test", &json!(3_066_993)));
    assert_eq!(t.store().webhooks().await.unwrap().len(), 0);
    // A Discord that is not well does not keep a webhook from being stored.
    t.discord.faults().next_on("GET /api/v10/webhooks/", 1, Fault::status(503));
    let (status, stored) = post(&t, ROOT, json!({"name": "Alive", "webhook_url": alive})).await;
    assert_eq!((status, &stored["discord"]), (201, &Value::Null), "{stored}");
    assert_eq!(stored["warnings"][0]["code"], "not_checked", "{stored}");
    t.log.expect(Level::WARN, "is stored without a look at it");
    // Through the stored one, even if it is disabled; once for each key.
    let id = stored["id"].as_str().unwrap();
    assert_eq!(patch(&t, id, json!({"enabled": false})).await.0, 200);
    for _ in 0..2 {
        let request = http().post(t.url(&format!("{ROOT}/{id}/test"))).bearer_auth(KEY);
        let answer = request.header("idempotency-key", "one").send().await.unwrap();
        let said: Value = answer.json().await.unwrap();
        assert_eq!(said["success"], true, "{said}");
    }
    t.channel("general").next_message().await;
    let read = get(&t, id).await;
    assert!(read["test_success_at"].is_string() && read["last_success_at"].is_string(), "{read}");
    assert_eq!((&read["failure_rate"], &read["consecutive_failures"]), (&json!(0.0), &json!(0)));
    t.finish().await;
}

/// Tickets go to this webhook, and nothing else goes anywhere.
async fn routes_tickets(t: &mut Harness, id: &str) {
    t.set("DISCORD_WEBHOOK_CHANNELS", json!({"ticket.*": [id]}).to_string());
    t.restart().await;
}

// TS-13
#[tokio::test]
async fn what_comes_for_a_disabled_webhook_waits_for_it() {
    let mut t = harness().await;
    let id = stores(&t, json!({"name": "Acme NOC", "webhook_url": url(&t)})).await;
    routes_tickets(&mut t, &id).await;
    t.sends_body(ticket(1)).await;
    t.channel("general").next_message().await;
    t.settle().await;
    assert!(get(&t, &id).await["test_success_at"].is_string(), "any message that arrives sets it");
    assert_eq!(patch(&t, &id, json!({"enabled": false})).await.0, 200);
    for number in 2..=4 {
        t.sends_body(ticket(number)).await;
    }
    t.clock.advance(Duration::from_secs(60));
    t.restart().await;
    assert_eq!(get(&t, &id).await["waiting"], 3);
    assert_eq!(asked(&t, &["POST", "/webhooks/"]), 1);
    let listed = t.runs(&["discord-webhooks", "list"]).await.stdout;
    assert!(listed.contains("disabled"), "{listed}");
    let enabled = t.runs(&["discord-webhooks", "enable", "Acme NOC"]).await;
    assert_eq!(enabled.code, 0, "{}", enabled.stderr);
    assert!(
        enabled.stderr.contains("3 deliveries that waited for it are sent within a second"),
        "{}",
        enabled.stderr
    );
    t.settle_in_steps(Duration::from_millis(200)).await;
    let messages = t.channel("general").next_messages(3).await;
    assert!(messages[0].title().contains("#2 ") && messages[2].title().contains("#4 "), "{messages:#?}");
    assert_eq!(t.runs(&["discord-webhooks", "edit", &id, "--name", "NOC", "--type", "vps"]).await.code, 0);
    assert_eq!(t.runs(&["discord-webhooks", "edit", &id]).await.code, 2);
    assert_eq!((&get(&t, &id).await["name"], &get(&t, &id).await["type"]), (&json!("NOC"), &json!("VPS")));
    t.finish().await;
}

#[tokio::test]
async fn a_webhook_in_trouble_says_so_and_sends_what_waits_once_it_has_another_address() {
    let mut t = harness().await;
    let id = stores(&t, json!({"name": "Acme NOC", "webhook_url": url(&t)})).await;
    routes_tickets(&mut t, &id).await;
    t.discord.faults().next_on("POST /api/v10/webhooks/", 1, Fault::status(503));
    t.sends_body(ticket(1)).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.channel("general").next_message().await;
    let read = get(&t, &id).await;
    assert_eq!((&read["consecutive_failures"], &read["failure_rate"]), (&json!(0), &json!(0.5)), "{read}");
    assert!(t.discord.delete_webhook(t.discord.webhook_id()));
    t.sends_body(ticket(2)).await;
    t.log.seen(Level::ERROR, "Acme NOC is closed").await;
    t.log.expect(Level::ERROR, "Acme NOC is closed");
    recorded(&t).await;
    let read = get(&t, &id).await;
    assert_eq!((&read["consecutive_failures"], &read["waiting"]), (&json!(1), &json!(1)), "{read}");
    assert!(read["closed_reason"].as_str().unwrap().contains("10015"), "{read}");
    assert!(read["last_error"].as_str().unwrap().contains("10015"), "{read}");
    let metrics = t.looks_at("/metrics").await.1;
    assert!(metrics.contains("nuncio_discord_webhooks{state=\"closed\"} 1"), "{metrics}");
    assert!(
        metrics.contains(&format!("nuncio_discord_webhook_consecutive_failures{{webhook=\"{id}\"}} 1")),
        "{metrics}"
    );
    let (status, changed) = patch(&t, &id, json!({"webhook_url": makes_webhook(&t, "assets").await})).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(
        (&changed["closed_reason"], &changed["discord"]["name"]),
        (&Value::Null, &json!("Hook")),
        "{changed}"
    );
    t.settle_in_steps(Duration::from_millis(200)).await;
    assert!(t.channel("assets").next_message().await.title().contains("#2 "));
    assert!(!t.looks_at("/metrics").await.1.contains(&id), "only those in trouble have series of their own");
    // A day later its failures are history.
    t.clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(get(&t, &id).await["failure_rate"], Value::Null);
    t.finish().await;
}

// Without a map. A notice never goes through what it is about, and never causes another.
#[tokio::test]
async fn notices_go_to_the_system_webhooks_of_the_same_company() {
    let mut t = harness().await;
    let (noc, other) = (makes_webhook(&t, "assets").await, makes_webhook(&t, "machines").await);
    let id = stores(&t, json!({"name": "Acme NOC", "webhook_url": url(&t), "type": "SYSTEM"})).await;
    let system = stores(&t, json!({"name": "Operators", "webhook_url": noc, "type": "SYSTEM"})).await;
    for about in [
        json!({"name": "Another company", "webhook_url": other, "type": "SYSTEM", "company_id": "other"}),
        json!({"name": "A customer", "webhook_url": other, "type": "SYSTEM", "scope": "USER", "user_id": "u-1"}),
        json!({"name": "Another topic", "webhook_url": other, "type": "VPS"}),
    ] {
        stores(&t, about).await;
    }
    routes_tickets(&mut t, &id).await;
    assert!(t.discord.delete_webhook(t.discord.webhook_id()));
    t.sends_body(ticket(1)).await;
    let told = t.channel("assets").next_message().await;
    assert!(told.title().ends_with("Acme NOC is closed"), "{told:?}");
    t.log.expect(Level::ERROR, "Acme NOC is closed");
    recorded(&t).await;
    // Both are dead now: the second one's end is in the log, and in nobody's channel.
    let deletes = noc.rsplit('/').nth(1).unwrap().parse::<nuncio::sandbox::Snowflake>().unwrap();
    assert!(t.discord.delete_webhook(deletes));
    let (status, changed) = patch(&t, &id, json!({"webhook_url": makes_webhook(&t, "general").await})).await;
    assert_eq!(status, 200, "{changed}");
    t.clock.advance(Duration::from_secs(1));
    t.log.seen(Level::ERROR, "Operators is closed").await;
    t.log.expect(Level::ERROR, "Operators is closed");
    t.channel("general").next_message().await;
    recorded(&t).await;
    let kinds: Vec<String> = t
        .store()
        .recent(20)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.unwrap().kind.as_str().to_owned())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "destination.closed").count(), 1, "{kinds:?}");
    assert!(get(&t, &system).await["closed_reason"].is_string());
    t.finish_with_backlog(1).await;
}

//
#[tokio::test]
async fn fifty_requests_store_one_webhook() {
    let t = harness().await;
    let body = json!({"name": "Twin", "webhook_url": url(&t)});
    let all = futures_util::future::join_all((0..50).map(|_| post(&t, ROOT, body.clone()))).await;
    let stored: Vec<&Value> =
        all.iter().filter(|(status, _)| *status == 201).map(|(_, body)| &body["id"]).collect();
    assert_eq!(stored.len(), 1, "{all:?}");
    assert!(
        all.iter().all(|(status, body)| *status == 201 || (*status == 409 && body["id"] == *stored[0])),
        "{all:?}"
    );
    // With a key, all of them are the same request.
    let other = json!({"name": "Once", "webhook_url": makes_webhook(&t, "assets").await});
    let once = |body: Value| {
        let request =
            http().post(t.url(ROOT)).bearer_auth(KEY).header("idempotency-key", "store-it").json(&body);
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let all = futures_util::future::join_all((0..50).map(|_| once(other.clone()))).await;
    assert!(all.iter().all(|answer| *answer == all[0] && answer.0 == 201), "{all:?}");
    assert_eq!(once(json!({"name": "Another", "webhook_url": url(&t)})).await.0, 422);
    assert_eq!(t.store().webhooks().await.unwrap().len(), 2);
    t.finish().await;
}
