//! Requests that must be carried out once, beyond what one unit can promise: those that do I/O before they answer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::hub::Hub;
use crate::hub::error::{Conflict, Result};
use crate::model::{ApiKeyId, IdempotencyClaim};

/// Whose key, and which one.
type HeldClaim = (Option<ApiKeyId>, String);

/// The keys of requests that are being carried out.
#[derive(Clone, Default)]
pub(super) struct RequestsInFlight(Arc<Mutex<HashSet<HeldClaim>>>);

/// Holds the `Idempotency-Key` of one request until it is dropped.
#[must_use = "dropping it lets the next request with this key in"]
pub struct InFlight {
    all: RequestsInFlight,
    held: HeldClaim,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.held);
    }
}

impl Hub {
    /// Holds the key of a request that does I/O before it answers. Such a request holds it first, then looks for an
    /// earlier answer, and keeps its own before it lets go.
    ///
    /// # Errors
    /// [`Conflict::InFlight`] if another request holds it.
    pub fn hold_key(&self, claim: &IdempotencyClaim) -> Result<InFlight> {
        let held = (claim.principal, claim.key.clone());
        let all = self.0.in_flight.clone();
        let is_first = all.0.lock().unwrap_or_else(PoisonError::into_inner).insert(held.clone());
        if is_first { Ok(InFlight { all, held }) } else { Err(Conflict::InFlight.into()) }
    }

    /// What was answered to this very request before; `None` if its key is new.
    ///
    /// # Errors
    /// [`Conflict::OtherBody`] if the key was used for another request.
    pub async fn earlier_answer(&self, claim: &IdempotencyClaim) -> Result<Option<Vec<u8>>> {
        Ok(self.0.store.idempotent_answer(claim).await??)
    }

    /// Keeps the answer to a request that did I/O. Replaces the answer that its unit kept.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn keep_answer(&self, claim: IdempotencyClaim, answer: Vec<u8>) -> Result<()> {
        Ok(self.0.store.keep_idempotent_answer(claim, answer).await?)
    }
}
