//! What every handler of the API can reach.

use std::sync::Arc;

use crate::api::cursor::Cursors;
use crate::api::limits::Limits;
use crate::discord_webhooks::DiscordWebhooks;
use crate::hub::Hub;
use crate::key::Key;

/// The state of the API. Clones share it.
#[derive(Clone)]
pub struct ApiState(Arc<Inner>);

/// What the state consists of.
pub struct Inner {
    /// The use cases.
    pub(in crate::api) hub: Hub,
    /// Stored webhooks, as far as Discord is asked about them.
    pub(in crate::api) webhooks: DiscordWebhooks,
    /// Signs the positions in lists.
    pub(in crate::api) cursors: Cursors,
    /// Counts requests by key or by address.
    pub(in crate::api) limits: Limits,
}

impl ApiState {
    /// An API over `webhooks` and their hub. `key` is the encryption key: the key of the cursors is derived from it.
    #[must_use]
    pub fn new(webhooks: DiscordWebhooks, key: &Key) -> Self {
        let hub = webhooks.hub().clone();
        Self(Arc::new(Inner { hub, webhooks, cursors: Cursors::new(key), limits: Limits::default() }))
    }
}

impl std::ops::Deref for ApiState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
