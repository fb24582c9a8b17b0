//! Metrics of stored webhooks: how many are in which state, and the health of those in trouble, by their id.
//!
//! Ids make a series each, so only webhooks that need somebody have one, and at most [`MOST`] of them: the worst.

use crate::hub::Hub;
use crate::model::StoredWebhook;
use crate::telemetry::metric::Exposition;

/// The most webhooks with series of their own.
const MOST: usize = 50;

const STATES: [&str; 5] = ["ok", "failing", "refusing", "closed", "disabled"];

fn state(webhook: &StoredWebhook) -> &'static str {
    match webhook {
        _ if !webhook.about.enabled => "disabled",
        _ if webhook.closed.is_some() => "closed",
        _ if webhook.denied.is_some() => "refusing",
        _ if webhook.failures > 0 => "failing",
        _ => "ok",
    }
}

impl Hub {
    /// Writes them. Omits them if the database does not answer.
    pub(super) async fn write_webhooks(&self, text: &mut Exposition) {
        let Ok(webhooks) = self.0.store.webhooks().await else { return };
        let count = |word| webhooks.iter().filter(|webhook| state(webhook) == word).count() as u64;
        text.gauges(
            "nuncio_discord_webhooks",
            "Stored Discord webhooks, by the state they are in.",
            "state",
            STATES.map(|word| (word, count(word))),
        );
        let mut worst: Vec<&StoredWebhook> =
            webhooks.iter().filter(|webhook| !matches!(state(webhook), "ok" | "disabled")).collect();
        worst.sort_by_key(|webhook| std::cmp::Reverse((webhook.failures, webhook.waiting, webhook.id)));
        worst.truncate(MOST);
        let of = |value: fn(&StoredWebhook) -> f64| {
            worst.iter().map(move |webhook| (webhook.id.to_string(), value(webhook))).collect::<Vec<_>>()
        };
        text.gauges_by(
            "nuncio_discord_webhook_consecutive_failures",
            "Failed attempts since the last message that arrived, of webhooks in trouble.",
            "webhook",
            of(|webhook| webhook.failures as f64),
        );
        text.gauges_by(
            "nuncio_discord_webhook_failure_ratio",
            "Share of attempts that failed in the last 24 hours, of webhooks in trouble.",
            "webhook",
            of(|webhook| webhook.failure_rate().unwrap_or_default()),
        );
        text.gauges_by(
            "nuncio_discord_webhook_waiting",
            "Deliveries that wait, of webhooks in trouble.",
            "webhook",
            of(|webhook| webhook.waiting as f64),
        );
    }
}
