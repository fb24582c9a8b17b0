//! `nuncio dispatch`, beside a running server and without one.

use serde_json::{Value, json};

use super::Platform;

#[tokio::test]
async fn every_function_has_a_command() {
    let p = Platform::start().await;
    p.stores_all_categories().await;
    let all: [(&[&str], &str); 9] = [
        (&["settings-update", "--changed", "site_name", "--updated-by", "bob"], "⚙️ System Settings Updated"),
        (&["server-state", "Survival", "crashed", "--node", "node-1"], "💥 Server Crashed"),
        (
            &["sync-completion", "failed", "--failed", "servers=timeout", "--count", "nodes=2"],
            "❌ Sync Failed",
        ),
        (&["system-alert", "Database", "refused", "--severity", "critical"], "🚨 Database"),
        (&["support-ticket", "created", "T-1", "Cannot log in"], "🎫 Support Ticket Created"),
        (&["node-alert", "node-1", "disk", "93.5%", "80"], "⚠️ Disk Space Usage Alert"),
        (&["billing-event", "payment", "Invoice 7", "--amount", "€ 12.50"], "💳 Payment Processed"),
        (&["custom", "Hello", "--field", "A=1", "--color", "#3498db"], "Hello"),
        (&["event", "user.registered", "--data", r#"{"username":"jane"}"#], "👤 User Registered"),
    ];
    for (args, title) in all {
        let args: Vec<&str> = ["dispatch"].iter().chain(args).chain(&["--wait", "--json"]).copied().collect();
        let ran = p.t.runs(&args).await;
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
        let said: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&said["sent"], &said["results"][0]["state"]), (&json!(1), &json!("delivered")), "{said}");
        assert_eq!(p.next("general").await.title(), title);
    }
    let ran = p.t.runs(&["dispatch", "custom", "Hello"]).await;
    assert!(
        ran.code == 0 && ran.stdout.starts_with("evt_") && ran.stdout.contains("for 1 webhook"),
        "{}",
        ran.stdout
    );
    p.next("general").await;
    p.finish().await;
}

#[tokio::test]
async fn it_says_what_is_wrong_and_what_waits() {
    let mut p = Platform::start().await;
    let nobody = p.t.runs(&["dispatch", "custom", "Hello"]).await;
    assert_eq!(nobody.code, 1);
    assert!(
        nobody
            .stderr
            .contains("No webhooks configured for this event type. It is kept: nuncio events show evt_"),
        "{}",
        nobody.stderr
    );
    let usage: [(&[&str], &str); 4] = [
        (&["dispatch", "custom", " "], "TITLE is empty"),
        (&["dispatch", "custom", "T", "--scopes", "USER"], "scope USER needs user_id"),
        (&["dispatch", "server-state", "S", "gone"], "online"),
        (&["dispatch", "event", "x", "--data", "[1]"], "no JSON object"),
    ];
    for (args, words) in usage {
        let ran = p.t.runs(args).await;
        assert!(ran.code == 2 && ran.stderr.contains(words), "{args:?}: {} {}", ran.code, ran.stderr);
    }
    p.stores("general", json!({"type": "CUSTOM"})).await;
    p.t.stop().await;
    let kept = p.t.runs(&["dispatch", "custom", "Later", "--wait"]).await;
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    assert!(
        kept.stderr.contains("nuncio is not running on this database: it is sent at its next start."),
        "{}",
        kept.stderr
    );
    p.t.boot().await;
    assert_eq!(p.next("general").await.title(), "Later");
    p.finish().await;
}
