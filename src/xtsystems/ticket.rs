//! Tickets on the platform: creating and updating them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::xtsystems::{CallFailure, CallReply, XtSystemsClient, failure, shape};

/// A ticket to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewTicket {
    /// The ticket's title.
    pub title: String,
    /// The ticket's text.
    pub description: String,
    /// `low`, `medium`, `high` or `critical`.
    pub priority: String,
    /// The requester's display name.
    pub created_by: String,
}

/// A ticket as the platform returns it. Omitted fields are empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ticket {
    /// The ticket's id in the platform's paths.
    #[serde(deserialize_with = "shape::id")]
    pub id: String,
    /// The ticket number that people use.
    #[serde(default, deserialize_with = "shape::text")]
    pub seq_id: String,
    /// The ticket's title.
    #[serde(default, deserialize_with = "shape::text")]
    pub title: String,
    /// The status, as the platform writes it.
    #[serde(default, deserialize_with = "shape::text")]
    pub status: String,
}

impl XtSystemsClient {
    /// Creates a ticket (`XTSYSTEMS_CREATE_TICKET`).
    ///
    /// # Errors
    ///
    /// The failed reply. A 2xx without a ticket in it is an error as well, but the ticket was created:
    /// [`CallFailure::status`] shows it.
    pub async fn create_ticket(
        &self,
        ticket: &NewTicket,
        idempotency_key: &str,
    ) -> Result<Ticket, CallFailure> {
        let endpoint = self.calls().create_ticket.endpoint();
        let reply = self.call(&endpoint, Some(idempotency_key), Some(&json!(ticket))).await;
        failure::read(&endpoint, &reply)
    }

    /// Updates the ticket `id` (`XTSYSTEMS_UPDATE_TICKET`). `None` if the id cannot be part of a path.
    pub async fn update_ticket(&self, id: &str, idempotency_key: &str, change: &Value) -> Option<CallReply> {
        let endpoint = self.calls().update_ticket.about(id)?;
        Some(self.call(&endpoint, Some(idempotency_key), Some(change)).await)
    }
}
