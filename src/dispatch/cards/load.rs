//! Loads the event of a delivery.

use std::sync::Arc;

use crate::model::{Delivery, Event};
use crate::store::{Error, Result, Store};

/// Loads the event of a delivery, from memory or from disk.
pub(in crate::dispatch) async fn load(store: &Store, delivery: &mut Delivery) -> Result<Arc<Event>> {
    if let Some(event) = &delivery.event {
        return Ok(Arc::clone(event));
    }
    let event = store.event(delivery.event_id).await?;
    let event = event
        .ok_or_else(|| Error::Corrupt(format!("a delivery of {}, which is not there", delivery.event_id)))?;
    Ok(Arc::clone(delivery.event.insert(Arc::new(event))))
}
