//! Delivery queries for operators.

use crate::hub::Hub;
use crate::model::{
    AttemptRow, DeliveryDetails, DeliveryFilter, DeliveryId, Event, EventId, RowResult, Snowflake,
};
use crate::store::Result;

impl Hub {
    /// Dead letters, newest first, after the first `skip`; at most `limit`.
    pub async fn given_up(&self, skip: u32, limit: u32) -> Result<Vec<RowResult<DeliveryDetails>>> {
        self.0.store.deliveries_after(DeliveryFilter::Dead, skip, limit).await
    }

    /// One delivery, with all of its attempts.
    pub async fn delivery_details(
        &self,
        id: DeliveryId,
    ) -> Result<Option<(RowResult<DeliveryDetails>, Vec<AttemptRow>)>> {
        let Some(details) = self.0.store.delivery_details(id).await? else { return Ok(None) };
        let attempts = self.0.store.tries(id).await?;
        Ok(Some((details, attempts)))
    }

    /// Resolves a delivery's full id, or its last characters as lists show them. `None` if it is unknown or
    /// ambiguous.
    pub async fn delivery_named(&self, text: &str) -> Result<Option<DeliveryId>> {
        let text = text.trim().to_ascii_lowercase();
        let digits = text.strip_prefix("dlv_").unwrap_or(&text);
        if !(8..=32).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let found = self.0.store.deliveries_ending(digits).await?;
        Ok(if let [one] = found.as_slice() { Some(*one) } else { None })
    }

    /// The deliveries that a Discord message shows, with their events, oldest first.
    pub async fn shown_in(&self, message: Snowflake) -> Result<Vec<(DeliveryId, EventId)>> {
        self.0.store.shown_in(message).await
    }

    /// An event with its raw body.
    pub async fn event(&self, id: EventId) -> Result<Option<(Event, Vec<u8>)>> {
        let Some(event) = self.0.store.event(id).await? else { return Ok(None) };
        Ok(self.0.store.event_body(id).await?.map(|body| (event, body)))
    }
}
