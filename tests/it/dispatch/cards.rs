//! The cards of all functions, field by field as the TypeScript dispatcher posted them. Differences that are wanted: the
//! footer is the brand with the event's tag, there is one timestamp, a summary line for push notifications, and the
//! legend's colors (a critical alert is orange).

use serde_json::{Value, json};

use super::{Platform, shown};

fn field(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value, "inline": true})
}

fn wide(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value, "inline": false})
}

/// A function, its body, and the embed: title, description, color, fields in their order.
type Case = (&'static str, Value, &'static str, &'static str, u64, Vec<Value>);

fn all() -> Vec<Case> {
    const GREEN: u64 = 3_066_993;
    const RED: u64 = 15_158_332;
    const YELLOW: u64 = 16_776_960;
    const BLUE: u64 = 3_447_003;
    const ORANGE: u64 = 15_105_570;
    const CYAN: u64 = 65_535;
    let server = |state: &str| json!({"server_name": "Survival", "new_state": state, "node_id": "node-1"});
    let server_fields =
        |state: &str| vec![field("Server", "Survival"), field("Status", state), field("Node", "node-1")];
    let ticket = |action: &str| json!({"action": action, "ticket_id": 1001, "subject": "Cannot log in", "details": "since noon"});
    let ticket_fields = |action: &str| {
        vec![field("Ticket ID", "1001"), field("Action", action), wide("Details", "since noon")]
    };
    let alert = |severity: &str| json!({"title": format!("Database {severity}"), "error": "refused", "severity": severity});
    let node = |resource: &str, usage: f64| json!({"node_name": "node-1", "alert_type": resource, "usage": usage, "threshold": 80});
    let node_fields =
        |usage: &str| vec![field("Node", "node-1"), field("Current Usage", usage), field("Threshold", "80%")];
    vec![
        (
            "settings-update",
            json!({"changed_fields": ["site_name", "smtp.host"], "updated_by": "admin@example.com"}),
            "⚙️ System Settings Updated",
            "Settings have been modified",
            YELLOW,
            vec![wide("Changed Fields", r"site\_name, smtp.host"), field("Updated By", "admin@example.com")],
        ),
        (
            "settings-update",
            json!({"changed_fields": []}),
            "⚙️ System Settings Updated",
            "Settings have been modified",
            YELLOW,
            vec![wide("Changed Fields", "Unknown")],
        ),
        (
            "server-state",
            server("online"),
            "🟢 Server Online",
            "Survival is now online",
            GREEN,
            server_fields("Online"),
        ),
        (
            "server-state",
            server("offline"),
            "🔴 Server Offline",
            "Survival is now offline",
            RED,
            server_fields("Offline"),
        ),
        (
            "server-state",
            server("crashed"),
            "💥 Server Crashed",
            "Survival is now crashed",
            ORANGE,
            server_fields("Crashed"),
        ),
        (
            "sync-completion",
            json!({"success": true, "details": "All synced", "duration": 45.23, "summary": {"nodes": 2, "locations": 1}}),
            "✅ Sync Completed",
            "All synced",
            GREEN,
            vec![
                field("Status", "Success"),
                field("Duration", "45.23s"),
                field("Locations", "1"),
                field("Nodes", "2"),
            ],
        ),
        (
            "sync-completion",
            json!({"operations": [{"name": "nodes", "ok": true}, {"name": "servers", "ok": false, "error": "timeout"}]}),
            "❌ Sync Failed",
            "The sync has failed",
            RED,
            vec![field("Status", "Failed"), wide("Failed Operations", "• servers: timeout")],
        ),
        (
            "sync-completion",
            json!({"success": false, "cancelled": true, "duration": "3s"}),
            "🚫 Sync Cancelled",
            "The sync was cancelled",
            YELLOW,
            vec![field("Status", "Cancelled"), field("Duration", "3s")],
        ),
        ("system-alert", alert("info"), "ℹ️ Database info", "refused", BLUE, vec![field("Severity", "Info")]),
        (
            "system-alert",
            alert("warning"),
            "⚠️ Database warning",
            "refused",
            YELLOW,
            vec![field("Severity", "Warning")],
        ),
        (
            "system-alert",
            alert("error"),
            "🚨 Database error",
            "refused",
            RED,
            vec![field("Severity", "Error")],
        ),
        (
            "system-alert",
            alert("critical"),
            "🚨 Database critical",
            "refused",
            ORANGE,
            vec![field("Severity", "Critical")],
        ),
        (
            "support-ticket",
            ticket("created"),
            "🎫 Support Ticket Created",
            "Cannot log in",
            CYAN,
            ticket_fields("Created"),
        ),
        (
            "support-ticket",
            ticket("updated"),
            "🔄 Support Ticket Updated",
            "Cannot log in",
            YELLOW,
            ticket_fields("Updated"),
        ),
        (
            "support-ticket",
            ticket("resolved"),
            "✅ Support Ticket Resolved",
            "Cannot log in",
            GREEN,
            ticket_fields("Resolved"),
        ),
        (
            "node-alert",
            node("cpu", 89.5),
            "⚠️ CPU Usage Alert",
            "node-1 has high cpu usage",
            YELLOW,
            node_fields("89.5%"),
        ),
        (
            "node-alert",
            node("memory", 90.0),
            "⚠️ Memory Usage Alert",
            "node-1 has high memory usage",
            ORANGE,
            node_fields("90%"),
        ),
        (
            "node-alert",
            node("disk", 81.25),
            "⚠️ Disk Space Usage Alert",
            "node-1 has high disk usage",
            YELLOW,
            node_fields("81.25%"),
        ),
        (
            "node-alert",
            node("network", 0.0),
            "⚠️ Network Usage Alert",
            "node-1 has high network usage",
            YELLOW,
            node_fields("0%"),
        ),
        (
            "billing-event",
            json!({"event_type": "invoice", "details": "Invoice 7", "amount": 12.5}),
            "📄 Invoice Generated",
            "Invoice 7",
            BLUE,
            vec![field("Type", "Invoice"), field("Amount", "12.5")],
        ),
        (
            "billing-event",
            json!({"event_type": "payment", "details": "Invoice 7 was paid", "amount": "€ 12.50"}),
            "💳 Payment Processed",
            "Invoice 7 was paid",
            GREEN,
            vec![field("Type", "Payment"), field("Amount", "€ 12.50")],
        ),
        (
            "billing-event",
            json!({"event_type": "subscription", "details": "Renewed"}),
            "📅 Subscription Updated",
            "Renewed",
            BLUE,
            vec![field("Type", "Subscription")],
        ),
        (
            "custom",
            json!({"type": "CUSTOM", "embed": {"title": "My Event", "description": "**Bold** and [linked](https://a.example)",
                "color": 1_234_567, "fields": [{"name": "Field", "value": "Value", "inline": true}, {"name": "Long", "value": 7}],
                "footer": {"text": "theirs"}, "timestamp": "2020-01-01T00:00:00Z"}}),
            "My Event",
            "**Bold** and [linked](https://a.example)",
            1_234_567,
            vec![field("Field", "Value"), wide("Long", "7")],
        ),
        (
            "event",
            json!({"event": "user.registered", "data": {"username": "jane", "apiToken": "xyz"}}),
            "👤 User Registered",
            "",
            BLUE,
            vec![field("Username", "jane"), field("Api token", "(hidden)")],
        ),
        (
            "event",
            json!({"event": "printer.jammed", "data": {"message": "Paper", "floor": 3}}),
            "📢 Notification",
            "Paper",
            BLUE,
            vec![field("Floor", "3")],
        ),
    ]
}

#[tokio::test]
async fn every_function_shows_what_the_typescript_dispatcher_showed() {
    let p = Platform::start().await;
    p.stores_all_categories().await;
    for (function, body, title, description, color, fields) in all() {
        let category = match function {
            "settings-update" | "sync-completion" => "SYSTEM",
            "server-state" => "GAME_SERVER",
            "system-alert" => "SECURITY",
            "support-ticket" => "SUPPORT",
            "node-alert" => "VPS",
            "billing-event" => "BILLING",
            "event" if title.contains("User") => "SYSTEM",
            _ => "CUSTOM",
        };
        let answer = p.awaits(function, body.clone()).await;
        assert_eq!((&answer["success"], &answer["sent"]), (&json!(true), &json!(1)), "{body}: {answer}");
        assert!(answer.get("warnings").is_none() && answer.get("pending").is_none(), "{body}: {answer}");
        let result = &answer["results"][0];
        assert_eq!(
            (&result["webhook"], &result["status"], &result["state"]),
            (&json!(category), &json!(200), &json!("delivered")),
            "{answer}"
        );
        let message = p.next("general").await;
        let mut expected = json!({"title": title, "color": color});
        if !description.is_empty() {
            expected["description"] = json!(description);
        }
        if !fields.is_empty() {
            expected["fields"] = json!(fields);
        }
        let mut embed = shown(&message);
        // Discord shows what is not inline as such, whether it is said or not.
        for field in embed["fields"].as_array_mut().into_iter().flatten() {
            let inline = field.get("inline").cloned().unwrap_or(json!(false));
            field["inline"] = inline;
        }
        assert_eq!(embed, expected, "{function} {body}");
        let event = answer["event_id"].as_str().unwrap();
        let footer = message.0["embeds"][0]["footer"]["text"].as_str().unwrap().to_owned();
        assert_eq!(footer, format!("NodeByte · {}", &event[event.len() - 8..]));
        assert_eq!(message.0["author"]["username"], category, "the webhook's own name wins");
        let text = message.0.to_string();
        assert_eq!(text.matches("<t:").count(), 0, "one timestamp, the embed's own: {text}");
        assert!(message.0["embeds"][0]["timestamp"].is_string());
        assert!(!message.content().is_empty() && message.content().chars().count() <= 121);
    }
    p.finish().await;
}

#[tokio::test]
async fn a_webhook_without_a_name_for_discord_is_signed_by_the_brand() {
    let p = Platform::with(&[
        ("DISPATCH_NAME", "NodeByte"),
        ("DISPATCH_ICON_URL", "https://a.example/brand.png"),
    ])
    .await;
    p.stores("general", json!({"name": "Discord alerts", "type": "CUSTOM"})).await;
    p.stores("assets", json!({"name": "Own", "type": "CUSTOM", "avatar_url": "https://a.example/own.png"}))
        .await;
    let sent = p.awaits("custom", json!({"embed": {"title": "T"}})).await;
    assert_eq!(sent["sent"], 2, "{sent}");
    assert_eq!(p.next("general").await.0["author"]["username"], "NodeByte");
    assert_eq!(p.next("assets").await.0["author"]["username"], "Own");
    let icons: Vec<Value> =
        p.t.discord
            .requests()
            .into_iter()
            .filter_map(|asked| asked.body.as_ref()?.get("avatar_url").cloned())
            .collect();
    assert_eq!(icons.len(), 2);
    assert!(
        icons.contains(&json!("https://a.example/brand.png"))
            && icons.contains(&json!("https://a.example/own.png")),
        "{icons:?}"
    );
    p.finish().await;
}

// Control: with `before` in the body that is kept, the canary is in the database.
#[tokio::test]
async fn values_of_settings_are_nowhere() {
    let p = Platform::start().await;
    p.stores("general", json!({"type": "SYSTEM"})).await;
    let (before, after) = (
        json!({"smtp": {"password": "canary-old"}, "a": 1}),
        json!({"smtp": {"password": "canary-new"}, "a": 1.0}),
    );
    let sent =
        p.awaits("settings-update", json!({"before": before, "after": after, "updatedBy": "bob"})).await;
    assert_eq!(sent["sent"], 1, "{sent}");
    let message = p.next("general").await;
    assert_eq!(message.0["embeds"][0]["fields"][0]["value"], "smtp");
    assert!(!message.0.to_string().contains("canary"));
    // Nothing differs: nothing is sent, and nothing is kept.
    let kept = p.t.store().recent(10).await.unwrap().len();
    let same = p.posts("/v1/dispatch/settings-update", json!({"before": after, "after": after})).await;
    assert_eq!((same.status, &same.body), (200, &json!({"event_id": null, "deliveries": 0})));
    assert_eq!(p.t.store().recent(10).await.unwrap().len(), kept);
    for file in ["nuncio.db", "nuncio.db-wal"] {
        let bytes = std::fs::read(p.t.folder().join(file)).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{file}");
    }
    assert!(p.t.log.all().iter().all(|line| !line.contains("canary")));
    p.finish().await;
}
