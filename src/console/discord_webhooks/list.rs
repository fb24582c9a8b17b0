//! The list of stored webhooks.

use askama::Template;

use crate::clock::Timestamp;
use crate::console::discord_webhooks::words::{self, State, When};
use crate::console::page::Frame;
use crate::model::StoredWebhook;

#[derive(Template)]
#[template(path = "console/discord_webhooks/list.html")]
pub(super) struct WebhookList {
    frame: Frame,
    rows: Vec<WebhookRow>,
}

struct WebhookRow {
    id: String,
    name: String,
    mark: String,
    description: String,
    company: String,
    kind: &'static str,
    audience: String,
    state: State,
    last_success: Option<When>,
    waiting: u64,
    is_enabled: bool,
}

impl WebhookList {
    pub(super) fn new(frame: Frame, webhooks: &[StoredWebhook], now: Timestamp) -> Self {
        Self { frame, rows: webhooks.iter().map(|webhook| WebhookRow::new(webhook, now)).collect() }
    }
}

impl WebhookRow {
    fn new(webhook: &StoredWebhook, now: Timestamp) -> Self {
        let about = &webhook.about;
        Self {
            id: webhook.id.to_string(),
            name: about.name.clone(),
            mark: webhook.mark.to_string(),
            description: about.description.clone(),
            company: about.company.clone(),
            kind: words::category(about.category).0,
            audience: words::audience(webhook),
            state: State::of(webhook),
            last_success: webhook.last_success_at.map(|at| When::new(at, now)),
            waiting: webhook.waiting,
            is_enabled: about.enabled,
        }
    }
}
