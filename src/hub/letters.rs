//! Deliveries as people ask for them.

use crate::hub::Hub;
use crate::model::{DeliveryId, Event, EventId, Snowflake};
use crate::store::{AttemptRow, DeliveryDetails, DeliveryFilter, Result, RowResult};

impl Hub {
    /// What was given up, the newest first, behind the first `skip`; at most `limit`.
    pub async fn given_up(&self, skip: u32, limit: u32) -> Result<Vec<RowResult<DeliveryDetails>>> {
        self.0.store.letters_behind(DeliveryFilter::Dead, skip, limit).await
    }

    /// One delivery, with everything that was tried.
    pub async fn letter(
        &self,
        id: DeliveryId,
    ) -> Result<Option<(RowResult<DeliveryDetails>, Vec<AttemptRow>)>> {
        let Some(letter) = self.0.store.letter(id).await? else { return Ok(None) };
        let tries = self.0.store.tries(id).await?;
        Ok(Some((letter, tries)))
    }

    /// The delivery that a person means: its whole id, or the end of it as lists show it. `None` if it is none, or
    /// several.
    pub async fn delivery_named(&self, text: &str) -> Result<Option<DeliveryId>> {
        let text = text.trim().to_ascii_lowercase();
        let digits = text.strip_prefix("dlv_").unwrap_or(&text);
        if !(8..=32).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let found = self.0.store.deliveries_ending(digits).await?;
        Ok(if let [one] = found.as_slice() { Some(*one) } else { None })
    }

    /// What a message on Discord shows: deliveries with their events, the oldest first.
    pub async fn shown_in(&self, message: Snowflake) -> Result<Vec<(DeliveryId, EventId)>> {
        self.0.store.shown_in(message).await
    }

    /// An event, with the bytes that came.
    pub async fn event(&self, id: EventId) -> Result<Option<(Event, Vec<u8>)>> {
        let Some(event) = self.0.store.event(id).await? else { return Ok(None) };
        Ok(self.0.store.event_body(id).await?.map(|body| (event, body)))
    }
}
