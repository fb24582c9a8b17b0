//! What every handler of the console can reach.

use std::sync::Arc;

use crate::clock::Clock;
use crate::console::attempts::Attempts;
use crate::console::flash::Flashes;
use crate::discord_webhooks::DiscordWebhooks;
use crate::hub::Hub;

/// The state of the console. Clones share it.
#[derive(Clone)]
pub struct ConsoleState(Arc<Inner>);

pub(in crate::console) struct Inner {
    /// The use cases.
    pub(in crate::console) hub: Hub,
    /// The time that pages show.
    pub(in crate::console) clock: Clock,
    /// The use cases of stored webhooks that ask Discord.
    pub(in crate::console) webhooks: DiscordWebhooks,
    /// Failed sign-ins.
    pub(in crate::console) attempts: Attempts,
    /// What the next page of each session says first.
    pub(in crate::console) flashes: Flashes,
}

impl ConsoleState {
    /// A console over `webhooks` and the hub behind them.
    #[must_use]
    pub fn new(webhooks: DiscordWebhooks, clock: Clock) -> Self {
        let (attempts, flashes) = (Attempts::new(clock.clone()), Flashes::default());
        let hub = webhooks.hub().clone();
        Self(Arc::new(Inner { hub, clock, webhooks, attempts, flashes }))
    }
}

impl std::ops::Deref for ConsoleState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
