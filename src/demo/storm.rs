//! The demo's storm: many events at once.

use serde_json::{Value, json};

use crate::clock::Clock;

/// A storm at Acme: `count` events at once, over all channels.
#[must_use]
pub fn storm(count: usize, clock: &Clock) -> Vec<Value> {
    // Makes the events of each storm distinct.
    let storm = clock.now().as_millis();
    let number = |n: usize| 2000 + n;
    (0..count)
        .map(|n| match n % 4 {
            0 => json!({"event_type": "alert.triggered", "company_id": "acme", "data": {
                "alert_type": "host", "severity": "warning", "title": format!("Host {n} does not answer"),
                "source": format!("SRV-{n:03}"), "storm": storm,
            }}),
            1 => json!({"event_type": "ticket.created", "company_id": "acme", "data": {
                "id": format!("tic-{storm}-{n}"), "seq_id": number(n), "title": "My computer cannot reach the server",
                "status": "open", "priority": "medium", "created_by": format!("user{n}@acme.example"),
            }}),
            2 => json!({"event_type": "asset.updated", "company_id": "acme", "data": {
                "id": format!("ast-{n}"), "name": format!("SRV-{n:03}"), "updated_by": "monitoring", "storm": storm,
                "changes": {"state": ["online", "offline"]},
            }}),
            _ => json!({"event_type": "backup.skipped", "company_id": "acme", "data": {
                "host": format!("SRV-{n:03}"), "reason": "host offline", "storm": storm,
            }}),
        })
        .collect()
}
