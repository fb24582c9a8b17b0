//! A webhook of the platform: its address, event kinds and secret.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::secret::Secret;

#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) active: bool,
    pub(super) secret: Secret,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Hook {
    /// The object in `GET /v1/webhooks`: without the secret.
    pub(super) fn object(&self) -> Value {
        json!({
            "id": self.id, "company_id": null, "name": self.name, "url": self.url, "events": self.events,
            "active": self.active, "headers": {}, "retry_count": 3, "timeout_seconds": 30,
            "created_at": self.created_at.to_rfc3339(), "updated_at": self.updated_at.to_rfc3339(),
        })
    }

    /// Whether it is subscribed to events of `kind`.
    pub(super) fn is_subscribed_to(&self, kind: &str) -> bool {
        let matches = |wanted: &String| match wanted.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => wanted == kind,
        };
        self.active && self.events.iter().any(matches)
    }

    /// Applies name, url, events, active and secret of `body`.
    pub(super) fn change(&mut self, body: &Value, now: Timestamp) {
        if let Some(name) = body["name"].as_str() {
            self.name = name.to_owned();
        }
        if let Some(url) = body["url"].as_str() {
            self.url = url.to_owned();
        }
        if let Some(events) = body["events"].as_array() {
            self.events = events.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
        }
        if let Some(active) = body["active"].as_bool() {
            self.active = active;
        }
        if let Some(secret) = body["secret"].as_str() {
            self.secret = Secret::new(secret);
        }
        self.updated_at = now;
    }
}
