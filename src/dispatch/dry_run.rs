//! Dry run: computes a lane's next message without sending anything.

use std::collections::HashSet;
use std::sync::Arc;

use crate::dispatch::cards::compose::compose;
use crate::dispatch::cards::load::{load, load_all};
use crate::dispatch::cards::plan::{self, Pressure, Queue};
use crate::dispatch::{Context, Dispatcher};
use crate::model::{Delivery, DestinationId, Message, Priority};
use crate::render::Body;
use crate::store::Result;

/// How many deliveries a dry run loads: as many as a lane keeps in memory.
const PAGE: usize = 64;

/// A lane that is behind, with its waiting deliveries in memory. The table is not changed, so the next message is equal
/// each time.
pub struct DryRun {
    context: Arc<Context>,
    destination: DestinationId,
    waiting: Vec<Delivery>,
}

impl Dispatcher {
    /// Loads what waits for `destination` into memory, with its events.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn dry_run(&self, destination: DestinationId) -> Result<DryRun> {
        let context = Arc::clone(&self.context);
        let mut waiting = context.store.page(destination, context.clock.steady(), PAGE).await?.deliveries;
        for delivery in &mut waiting {
            load(&context.store, delivery).await?;
        }
        Ok(DryRun { context, destination, waiting })
    }
}

impl DryRun {
    /// Plans the next message.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn plan(&self) -> Result<Option<Message>> {
        let queued = |delivery: &Delivery| ((delivery.priority, delivery.id), delivery.clone());
        let mut queue: Queue = self.waiting.iter().map(queued).collect();
        let pressure = Pressure { pack: true, more: false, alone: &HashSet::new() };
        plan::next(&self.context, self.destination, &mut queue, Priority::Decision, pressure).await
    }

    /// Composes the body of `message`.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn compose(&self, mut message: Message) -> Result<Body> {
        load_all(&self.context.store, &mut message).await?;
        Ok(compose(&self.context, &message).await?.body(message.maybe_duplicate))
    }
}
