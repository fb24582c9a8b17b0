//! Text of customers in every field: it mentions nobody, formats nothing and breaks no card.

use serde_json::{Value, json};

use super::Platform;

/// D-1, D-2: mentions, in every form that Discord knows, and markdown around a link.
const HOSTILE: &str = "@everyone @here <@100000000000000001> <@&100000000000000002> <#100000000000000003> </x:1> \
                       @every\u{200b}one [bank](https://evil.example) **b** \u{202e}x";

/// Puts `text` into every text of a body.
fn everywhere(value: &Value, text: &str) -> Value {
    match value {
        Value::String(word) if word == "TEXT" => json!(text),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), everywhere(value, text))).collect()
        }
        Value::Array(items) => items.iter().map(|item| everywhere(item, text)).collect(),
        other => other.clone(),
    }
}

fn bodies() -> Vec<(&'static str, Value)> {
    vec![
        ("settings-update", json!({"changed_fields": ["TEXT", "TEXT"], "updated_by": "TEXT"})),
        ("server-state", json!({"server_name": "TEXT", "new_state": "online", "node_id": "TEXT"})),
        (
            "sync-completion",
            json!({"operations": [{"name": "TEXT", "ok": false, "error": "TEXT"}], "details": "TEXT", "duration": "TEXT"}),
        ),
        ("system-alert", json!({"title": "TEXT", "error": "TEXT"})),
        (
            "support-ticket",
            json!({"action": "created", "ticket_id": "TEXT", "subject": "TEXT", "details": "TEXT"}),
        ),
        ("node-alert", json!({"node_name": "TEXT", "alert_type": "cpu", "usage": 90, "threshold": 80})),
        ("billing-event", json!({"event_type": "invoice", "details": "TEXT", "amount": "TEXT"})),
        (
            "custom",
            json!({"embed": {"title": "TEXT", "description": "TEXT", "fields": [{"name": "TEXT", "value": "TEXT", "inline": true}]}}),
        ),
        ("event", json!({"event": "TEXT", "data": {"message": "TEXT", "TEXT": "TEXT", "other": "TEXT"}})),
        ("event", json!({"event": "sync.failed", "data": {"details": "TEXT", "node": "TEXT"}})),
    ]
}

#[tokio::test]
async fn no_field_of_any_function_mentions_or_formats() {
    let p = Platform::start().await;
    p.stores_all_categories().await;
    for (function, body) in bodies() {
        let answer = p.awaits(function, everywhere(&body, HOSTILE)).await;
        assert_eq!(answer["sent"], 1, "{answer}");
        let message = p.next("general").await;
        let mut embed = message.0["embeds"][0].clone();
        if function == "custom" {
            // Its author formats it; it mentions nobody all the same.
            let description = embed["description"].take();
            let description = description.as_str().unwrap();
            assert!(
                description.contains("[bank](https://evil.example)") && description.contains("**b**"),
                "{description}"
            );
            assert!(
                !description.contains("@everyone")
                    && !description.contains("<@")
                    && !description.contains('\u{202e}')
            );
        }
        let text = format!("{} {embed}", message.content());
        // The summary and the embed show the words; nothing of them is a mention, a link or bold.
        for live in ["@everyone", "@here", "<@1", "<@&1", "[bank](https://evil.example)", "\u{202e}", "**b**"]
        {
            assert!(!text.contains(live), "{function}: {live:?} in {text}");
        }
        for nobody in ["mentions", "mention_roles"] {
            assert_eq!(message.0[nobody], json!([]), "{function}");
        }
        assert_eq!(message.0["mention_everyone"], false, "{function}");
    }
    let posted = p.t.discord.requests();
    assert!(
        posted
            .iter()
            .filter(|asked| asked.method == "POST" && asked.path.contains("/webhooks/"))
            .all(|asked| asked.had_allowed_mentions || asked.path.ends_with("/webhooks"))
    );
    p.finish().await;
}

// D-3. A megabyte is no reason to fail: the old callers never did.
#[tokio::test]
async fn long_and_empty_texts_give_a_card() {
    let p = Platform::start().await;
    p.stores_all_categories().await;
    let long = "👩🏽\u{200d}💻 é **x** ".repeat(2_500);
    for text in [long.as_str(), "\u{200b}", "none", "`", "```"] {
        for (function, body) in bodies() {
            let reply = p.posts(&format!("/v1/dispatch/{function}?wait=true"), everywhere(&body, text)).await;
            assert_eq!(reply.status, 200, "{function} {}: {}", text.len(), reply.body);
            assert_eq!(reply.body["sent"], 1, "{function}: {}", reply.body);
            p.next("general").await;
        }
    }
    let many: Vec<Value> =
        (0..80).map(|at| json!({"name": format!("f{at}"), "value": "v".repeat(900)})).collect();
    let sent = p
        .awaits("custom", json!({"embed": {"title": "T", "description": "d".repeat(4096), "fields": many}}))
        .await;
    assert_eq!(sent["sent"], 1, "{sent}");
    let message = p.next("general").await;
    assert!(message.description().contains("more)"), "what is left out is counted");
    p.finish().await;
}
