//! Tickets.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::xtsystems::{Client, Failure, Reply, failure, shape};

/// A ticket to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewTicket {
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// `low`, `medium`, `high` or `critical`.
    pub priority: String,
    /// Who asked for it, as people know them.
    pub created_by: String,
}

/// A ticket as the platform tells it. What it leaves out is empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ticket {
    /// Its id.
    #[serde(deserialize_with = "shape::id")]
    pub id: String,
    /// The number that people use.
    #[serde(default, deserialize_with = "shape::text")]
    pub seq_id: String,
    /// Its title.
    #[serde(default, deserialize_with = "shape::text")]
    pub title: String,
    /// Its status.
    #[serde(default, deserialize_with = "shape::text")]
    pub status: String,
}

impl Client {
    /// Makes a ticket (`XTSYSTEMS_CREATE_TICKET`).
    ///
    /// # Errors
    /// What the platform answered instead of a ticket. An answer of 2xx that is no ticket is an error as well, but the
    /// ticket was made: its status says so.
    pub async fn create_ticket(&self, ticket: &NewTicket, idempotency_key: &str) -> Result<Ticket, Failure> {
        let endpoint = self.calls().create_ticket.endpoint();
        let reply = self.call(&endpoint, Some(idempotency_key), Some(&json!(ticket))).await;
        failure::read(&endpoint, &reply)
    }

    /// Changes the ticket `id` (`XTSYSTEMS_UPDATE_TICKET`). `None` if no path can be made of the id.
    pub async fn update_ticket(&self, id: &str, idempotency_key: &str, change: &Value) -> Option<Reply> {
        let endpoint = self.calls().update_ticket.about(id)?;
        Some(self.call(&endpoint, Some(idempotency_key), Some(change)).await)
    }
}
