//! Arguments become requests: `clients/conformance/requests.json`, both ways.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::{call, options};
use super::fake::Fake;
use super::{KEY, client, conformance};
use crate::{DispatchOptions, Embed, WebhookScope, WebhookType};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requests {
    every_request: Every,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Every {
    method: String,
    headers: BTreeMap<String, String>,
    headers_present: Vec<String>,
    wait_query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    function: String,
    arguments: Vec<Value>,
    #[serde(default)]
    options: Value,
    path: String,
    body: Value,
}

fn accepted() -> Value {
    json!({ "status": 202, "body": { "event_id": "evt_1", "deliveries": 1 } })
}

// Controls: another name of a field, a null where nothing is given, `0.0` for 0: each is named by its case.
#[tokio::test]
async fn arguments_become_requests() {
    let fake = Fake::start().await;
    let nuncio = client(&format!("{}/below/", fake.url));
    let Requests { every_request: every, cases } = conformance("requests");
    let functions: BTreeSet<&str> = cases.iter().map(|case| case.function.as_str()).collect();
    assert_eq!(functions.len(), 8, "{functions:?}");
    for case in &cases {
        for waits in [false, true] {
            let answer = if waits {
                json!({ "status": 200, "body": { "success": true, "sent": 1, "failed": 0, "errors": [] } })
            } else {
                accepted()
            };
            fake.next([answer]);
            let result = call(&nuncio, &case.function, &case.arguments, options(&case.options), waits).await;
            assert_eq!(result["errors"], json!([]), "{}", case.name);
            let request = fake.requests().pop().unwrap();
            assert_eq!(request.method, every.method);
            let query = if waits { &every.wait_query } else { "" };
            assert_eq!(request.path, format!("/below{}{query}", case.path), "{}", case.name);
            for (name, value) in &every.headers {
                assert_eq!(request.headers[name], fake.filled(value), "{}", case.name);
            }
            assert!(every.headers_present.iter().all(|name| !request.headers[name].is_empty()));
            assert_eq!(request.body(), case.body, "{}", case.name);
        }
    }
}

// A call is an event of its own, also the same call again. Control: a key per client, and the set is smaller.
#[tokio::test]
async fn two_calls_have_two_idempotency_keys() {
    let fake = Fake::start().await;
    let nuncio = client(&fake.url);
    fake.next([accepted(), accepted()]);
    for _ in 0..2 {
        nuncio.settings_update(["a"]).await;
    }
    let keys: BTreeSet<_> =
        fake.requests().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn an_embed_is_built_or_brought() {
    let fake = Fake::start().await;
    let nuncio = client(&fake.url);
    fake.next([accepted(), accepted()]);
    let built = Embed::new("My Event")
        .description("Something happened")
        .color(3_447_003)
        .field("Field", "Value", true);
    nuncio.dispatch(WebhookType::Custom, &built).await;
    nuncio.dispatch(WebhookType::Custom, Embed::new("T")).await;
    let Requests { cases, .. } = conformance("requests");
    let requests = fake.requests();
    assert_eq!(requests[0].body(), cases[0].body);
    assert_eq!(requests[1].body(), json!({ "type": "CUSTOM", "embed": { "title": "T" } }));
}

#[tokio::test]
async fn webhooks_are_chosen_one_choice_at_a_time() {
    let fake = Fake::start().await;
    let nuncio = client(&fake.url);
    fake.next([accepted(), accepted(), accepted()]);
    nuncio.sync_completion(true).types([WebhookType::Custom]).include_disabled().await;
    nuncio.sync_completion(true).for_user("cus_1").await;
    let all = DispatchOptions { scopes: Some(vec![WebhookScope::Public]), ..DispatchOptions::default() };
    nuncio.sync_completion(true).for_user("cus_1").options(all).await;
    let chosen: Vec<Value> =
        fake.requests().iter().map(|request| request.body()["options"].clone()).collect();
    assert_eq!(
        chosen,
        [
            json!({ "types": ["CUSTOM"], "only_enabled": false }),
            json!({ "scopes": ["USER"], "user_id": "cus_1" }),
            json!({ "scopes": ["PUBLIC"] }),
        ]
    );
    assert!(!format!("{nuncio:?} {:?}", nuncio.sync_completion(true)).contains(KEY));
}

#[tokio::test]
async fn errors_numbers_and_durations_are_taken_as_they_are() {
    let fake = Fake::start().await;
    let nuncio = client(&fake.url);
    fake.next([accepted(), accepted(), accepted()]);
    nuncio.system_alert("Sync", std::fmt::Error).await;
    nuncio.sync_completion(true).duration(std::time::Duration::from_millis(1500)).await;
    nuncio.support_ticket(crate::TicketAction::Updated, 1001, "s").await;
    let bodies: Vec<Value> = fake.requests().iter().map(|request| request.body()).collect();
    assert_eq!(bodies[0]["error"], std::fmt::Error.to_string());
    assert_eq!(bodies[1], json!({ "success": true, "duration": 1.5 }));
    assert_eq!(bodies[2]["ticket_id"], 1001);
}
