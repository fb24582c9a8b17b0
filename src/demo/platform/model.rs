//! The state of the fake platform.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::demo::WebhookAnswer;
use crate::demo::platform::RecordedRequest;
use crate::demo::platform::fault::Faults;
use crate::demo::platform::hook::Hook;
use crate::demo::platform::reply::ApiReply;
use crate::secret::Secret;

/// The number of the first ticket.
const FIRST_TICKET: u64 = 5001;
/// The customer of everything created on the platform itself.
const OUR_COMPANY: &str = "acme";

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) hooks: Vec<Hook>,
    deliveries: Vec<Value>,
    pub(super) tickets: BTreeMap<String, Value>,
    /// Status by machine id.
    pub(super) machines: BTreeMap<String, String>,
    /// The customers that events from others named, by the id of the subject; null if they named none.
    companies: BTreeMap<String, Value>,
    pub(super) ledger: Vec<RecordedRequest>,
    pub(super) faults: Faults,
    /// Answers by idempotency key, so that a repeated call is executed once.
    pub(super) answered: HashMap<String, ApiReply>,
    made: u64,
}

impl Model {
    /// An unused id: `<prefix>-<n>`.
    pub(super) fn mint(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}-{}", self.made)
    }

    pub(super) fn next_ticket(&self) -> u64 {
        let numbers = self.tickets.values().filter_map(|ticket| ticket["seq_id"].as_u64());
        numbers.max().map_or(FIRST_TICKET, |last| last.max(FIRST_TICKET - 1) + 1)
    }

    pub(super) fn add_hook(
        &mut self,
        name: &str,
        url: &str,
        events: Vec<String>,
        secret: Secret,
        now: Timestamp,
    ) -> Hook {
        let hook = Hook {
            id: self.mint("whk"),
            name: name.to_owned(),
            url: url.to_owned(),
            events,
            active: true,
            secret,
            created_at: now,
            updated_at: now,
        };
        self.hooks.push(hook.clone());
        hook
    }

    pub(super) fn hook(&mut self, id: &str) -> Option<&mut Hook> {
        self.hooks.iter_mut().find(|hook| hook.id == id)
    }

    pub(super) fn hooks_for(&self, kind: &str) -> Vec<Hook> {
        self.hooks.iter().filter(|hook| hook.is_subscribed_to(kind)).cloned().collect()
    }

    pub(super) fn note_delivery(
        &mut self,
        hook: &str,
        kind: &str,
        payload: Value,
        answer: Option<&WebhookAnswer>,
        now: Timestamp,
    ) {
        let id = self.mint("whd");
        let arrived = answer.is_some_and(|answer| (200..300).contains(&answer.status));
        self.deliveries.push(json!({
            "id": id, "webhook_id": hook, "event_type": kind, "payload": payload,
            "response_status": answer.map(|answer| answer.status),
            "response_body": answer.map(|answer| answer.body.to_string()),
            "attempts": 1, "delivered_at": arrived.then(|| now.to_rfc3339()), "created_at": now.to_rfc3339(),
        }));
    }

    /// The deliveries of a webhook, newest first.
    pub(super) fn deliveries(&self, hook: &str, limit: usize) -> Vec<Value> {
        let its = self.deliveries.iter().rev().filter(|delivery| delivery["webhook_id"] == hook);
        its.take(limit).cloned().collect()
    }

    /// The customer of an event's subject: as named by an earlier event, otherwise the platform's one customer.
    pub(super) fn company_of(&self, data: &Value) -> Value {
        let ids = ["id", "asset_id"].iter().filter_map(|key| data[*key].as_str());
        ids.filter_map(|id| self.companies.get(id)).next().cloned().unwrap_or_else(|| OUR_COMPANY.into())
    }

    /// Creates the subject of an event.
    pub(super) fn learn(&mut self, event: &Value) {
        let data = &event["data"];
        let id = ["id", "asset_id"].iter().find_map(|key| data[*key].as_str());
        let (Some(kind), Some(id)) = (event["event_type"].as_str(), id) else { return };
        for id in ["id", "asset_id"].iter().filter_map(|key| data[*key].as_str()) {
            self.companies.insert(id.to_owned(), event["company_id"].clone());
        }
        match kind {
            "machine.registered" => {
                self.machines.insert(id.to_owned(), "pending".to_owned());
                // Platforms differ in which of the two fields they use.
                if let Some(asset) = data["asset_id"].as_str() {
                    self.machines.insert(asset.to_owned(), "pending".to_owned());
                }
            }
            "ticket.created" | "ticket.updated" | "ticket.closed" => {
                self.tickets.insert(id.to_owned(), data.clone());
            }
            _ => {}
        }
    }
}
