//! Startup check of stored webhooks: a deleted webhook is reported at once, not only when an event is due for it.

use std::sync::Arc;

use crate::discord::{HttpTransport, WebhookLookup};
use crate::dispatch::Context;
use crate::hub::lost_webhook;

/// Maximum number of webhooks to check.
const MOST_ASKED: usize = 25;

/// Checks each stored webhook that is in use, without sending anything through it.
pub(super) async fn name_lost_webhooks(transport: HttpTransport, context: Arc<Context>) {
    let webhooks = match context.hub.webhooks_in_use().await {
        Ok(webhooks) => webhooks,
        Err(error) => return tracing::debug!(%error, "the stored webhooks cannot be looked up"),
    };
    for webhook in webhooks.iter().take(MOST_ASKED) {
        let Ok(Some(url)) = context.store.webhook_url(webhook.id).await else { continue };
        if let Ok(WebhookLookup::Lost(lost, _)) = transport.webhook(&url).await {
            let problem = lost_webhook(webhook.id, &webhook.about.name, &webhook.mark, lost);
            tracing::warn!("{}", problem.sentence());
        }
    }
}
