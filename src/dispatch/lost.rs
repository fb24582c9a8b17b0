//! Stored webhooks at the start: one that was deleted meanwhile is named at once, and not only when an event is for it.

use std::sync::Arc;

use crate::discord::HttpTransport;
use crate::dispatch::Context;
use crate::hub::lost_webhook;

/// How many are asked for at most.
const MOST_ASKED: usize = 25;

/// Asks for each stored webhook that is in use, and sends nothing through it.
pub(super) async fn name_lost_webhooks(transport: HttpTransport, context: Arc<Context>) {
    let webhooks = match context.hub.webhooks_in_use().await {
        Ok(webhooks) => webhooks,
        Err(error) => return tracing::debug!(%error, "the stored webhooks cannot be looked up"),
    };
    for webhook in webhooks.iter().take(MOST_ASKED) {
        let Ok(Some(url)) = context.store.webhook_url(webhook.id).await else { continue };
        if let Ok(Some(lost)) = transport.webhook(&url).await {
            let problem = lost_webhook(webhook.id, &webhook.about.name, &webhook.mark, lost);
            tracing::warn!("{}", problem.sentence());
        }
    }
}
