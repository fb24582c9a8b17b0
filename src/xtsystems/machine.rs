//! The platform's health, and decisions about machines that ask to join.

use serde_json::Value;

use crate::model::{Endpoint, Method};
use crate::xtsystems::{CallFailure, CallReply, XtSystemsClient};

impl XtSystemsClient {
    /// Checks the platform's health (`GET /health`).
    ///
    /// # Errors
    ///
    /// The failed reply.
    pub async fn health(&self) -> Result<CallReply, CallFailure> {
        let endpoint = Endpoint { method: Method::Get, path: "/health".to_owned() };
        let reply = self.call(&endpoint, None, None).await;
        if reply.is_success() { Ok(reply) } else { Err(CallFailure::of(&endpoint, &reply)) }
    }

    /// Approves the machine `id` (`XTSYSTEMS_APPROVE`). `None` if the id cannot be part of a path.
    pub async fn approve(&self, id: &str, idempotency_key: &str, body: &Value) -> Option<CallReply> {
        let endpoint = self.calls().approve.about(id)?;
        Some(self.call(&endpoint, Some(idempotency_key), Some(body)).await)
    }

    /// Denies the machine `id` (`XTSYSTEMS_DENY`). `None` if the id cannot be part of a path.
    pub async fn deny(&self, id: &str, idempotency_key: &str, body: &Value) -> Option<CallReply> {
        let endpoint = self.calls().deny.about(id)?;
        Some(self.call(&endpoint, Some(idempotency_key), Some(body)).await)
    }
}
