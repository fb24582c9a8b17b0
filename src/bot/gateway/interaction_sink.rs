//! A sink for interactions that serenity could not parse.

use serde_json::Value;
use serenity::all::{Context, Ready};
use serenity::async_trait;

/// A [`Forwarder`](crate::bot::gateway::forward::Forwarder) with its framework type erased.
#[async_trait]
pub(super) trait InteractionSink: Send + Sync {
    /// Parses an interaction leniently and forwards it; logs it if that fails.
    async fn forward_interaction(&self, context: Context, raw: Value);

    /// Forwards a READY that was parsed here: serenity could not parse it and notifies no handler of it.
    async fn forward_ready(&self, context: Context, ready: Ready);
}
