//! Loads the events of deliveries.

use std::sync::Arc;

use crate::model::{Delivery, Event, Message};
use crate::store::{Error, Result, Store};

/// Loads the event of a delivery, from memory or from disk.
pub(in crate::dispatch) async fn load(store: &Store, delivery: &mut Delivery) -> Result<Arc<Event>> {
    if let Some(event) = &delivery.event {
        return Ok(Arc::clone(event));
    }
    let event = store.event(delivery.event_id).await?;
    let event = event.ok_or_else(|| missing(delivery))?;
    Ok(Arc::clone(delivery.event.insert(Arc::new(event))))
}

/// Loads the events of a message.
pub(in crate::dispatch) async fn load_all(store: &Store, message: &mut Message) -> Result<()> {
    for delivery in &mut message.deliveries {
        load(store, delivery).await?;
    }
    Ok(())
}

/// The event of a delivery, which was loaded before.
pub(super) fn loaded(delivery: &Delivery) -> Result<&Arc<Event>> {
    delivery.event.as_ref().ok_or_else(|| missing(delivery))
}

fn missing(delivery: &Delivery) -> Error {
    Error::Corrupt(format!("a delivery of {}, which is not there", delivery.event_id))
}
