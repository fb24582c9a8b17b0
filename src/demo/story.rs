//! The demo's story: a morning at Acme, sent as events over signed HTTP like any others.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::demo::Stage;

/// The pause after each event, for the viewer.
const BEAT: Duration = Duration::from_millis(1500);

/// Plays the story once. Returns how many events were accepted.
///
/// # Errors
/// If the webhook cannot be reached.
pub async fn play(stage: &Stage, clock: &Clock) -> reqwest::Result<usize> {
    let mut accepted = 0;
    for event in events(clock) {
        accepted += usize::from(stage.send(event).await?);
        clock.sleep(BEAT).await;
    }
    Ok(accepted)
}

fn events(clock: &Clock) -> Vec<Value> {
    let now = clock.now();
    let ago = |minutes: u64| now.minus(Duration::from_secs(minutes * 60)).to_rfc3339();
    let event = |kind: &str, mut data: Value| {
        data["company_name"] = "Acme".into();
        json!({"event_type": kind, "company_id": "acme", "data": data})
    };
    vec![
        event("webhook.test", json!({})),
        event(
            "ticket.created",
            json!({
                "id": "tic-1001", "seq_id": 1001, "title": "No internet on the second floor", "status": "open",
                "priority": "high", "created_by": "jane@acme.example", "created_at": ago(2),
                "description": "Since this morning nobody on the second floor can reach anything. The first floor works.",
            }),
        ),
        event(
            "alert.triggered",
            json!({
                "alert_type": "network", "severity": "critical", "title": "Switch unreachable", "source": "SW-2F-01",
                "message": "No answer to 5 pings in a row", "details": {"last_seen": ago(4), "uplink": "SW-CORE-01 port 12"},
            }),
        ),
        event(
            "asset.created",
            json!({
                "id": "ast-77", "name": "SW-2F-01-NEW", "asset_type": "Switch", "created_by": "bob@acme.example",
                "description": "Replacement for the second floor, 48 ports, configured from last night's backup",
            }),
        ),
        event(
            "machine.registered",
            json!({
                "asset_id": "mac-301", "hostname": "DESKTOP-001", "ip_address": "192.168.1.100",
                "operating_system": "Windows 11 Pro", "status": "pending", "registered_at": ago(1),
            }),
        ),
        event(
            "ticket.updated",
            json!({
                "id": "tic-1001", "seq_id": 1001, "title": "No internet on the second floor", "status": "in progress",
                "priority": "critical", "updated_by": "Bob", "updated_at": ago(0),
                "changes": {"priority": ["high", "critical"], "status": ["open", "in progress"]},
                "notes": [{"content": "The switch on 2F is dead. Putting the spare in."}],
            }),
        ),
        event(
            "alert.triggered",
            json!({
                "alert_type": "disk", "severity": "warning", "title": "Disk 85 % full", "source": "SRV-DB1",
                "message": "/var/lib/postgresql has 31 GB left", "details": {"used": "85 %", "growth": "1.2 GB a day"},
            }),
        ),
        event(
            "user.created",
            json!({"id": "usr-9", "name": "Jane Doe", "email": "jane@acme.example", "role": "Office"}),
        ),
        event(
            "asset.updated",
            json!({
                "id": "ast-77", "name": "SW-2F-01-NEW", "asset_type": "Switch", "updated_by": "bob@acme.example",
                "changes": {"location": ["Store room", "Second floor, rack 2"]},
            }),
        ),
        event(
            "ticket.closed",
            json!({
                "id": "tic-1001", "seq_id": 1001, "title": "No internet on the second floor", "status": "closed",
                "closed_by": "Bob", "resolution": "Switch replaced, all 38 desks are back online",
            }),
        ),
    ]
}
