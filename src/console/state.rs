//! What every handler of the console can reach.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::DiscordBase;
use crate::console::attempts::Attempts;
use crate::console::flash::Flashes;
use crate::hub::Hub;

/// The state of the console. Clones share it.
#[derive(Clone)]
pub struct ConsoleState(Arc<Inner>);

pub(in crate::console) struct Inner {
    /// The use cases.
    pub(in crate::console) hub: Hub,
    /// The time that pages show.
    pub(in crate::console) clock: Clock,
    /// The Discord whose webhooks may be stored: `<origin>[/prefix]`.
    pub(in crate::console) discord: String,
    /// Failed sign-ins.
    pub(in crate::console) attempts: Attempts,
    /// What the next page of each session says first.
    pub(in crate::console) flashes: Flashes,
}

impl ConsoleState {
    /// A console over `hub`, for webhooks of the Discord at `base`.
    #[must_use]
    pub fn new(hub: Hub, base: &DiscordBase, clock: Clock) -> Self {
        let (attempts, flashes) = (Attempts::new(clock.clone()), Flashes::default());
        Self(Arc::new(Inner { hub, clock, discord: base.proxy(), attempts, flashes }))
    }
}

impl std::ops::Deref for ConsoleState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
