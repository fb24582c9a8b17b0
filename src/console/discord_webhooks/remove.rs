//! The question before a webhook is removed.

use askama::Template;

use crate::console::page::Frame;
use crate::model::StoredWebhook;

#[derive(Template)]
#[template(path = "console/discord_webhooks/remove.html")]
pub(super) struct Removal {
    frame: Frame,
    id: String,
    name: String,
    mark: String,
    waiting: u64,
}

impl Removal {
    pub(super) fn new(frame: Frame, webhook: &StoredWebhook) -> Self {
        Self {
            frame,
            id: webhook.id.to_string(),
            name: webhook.about.name.clone(),
            mark: webhook.mark.to_string(),
            waiting: webhook.waiting,
        }
    }
}
