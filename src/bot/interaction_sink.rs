//! Where interactions go that serenity could not read.

use serde_json::Value;
use serenity::all::{Context, Ready};
use serenity::async_trait;

/// A [`Forwarder`](crate::bot::forward::Forwarder), whatever framework it is.
#[async_trait]
pub(super) trait InteractionSink: Send + Sync {
    /// Reads an interaction leniently and passes it on; says so if there is nothing to be read.
    async fn forward_interaction(&self, context: Context, told: Value);

    /// Passes on a READY that was read here: serenity, which could not read it, tells nobody of it.
    async fn forward_ready(&self, context: Context, ready: Ready);
}
