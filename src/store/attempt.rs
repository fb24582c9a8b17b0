//! Attempts: each try of a message or call, and the answer to it.

use crate::model::{Attempt, Message};
use crate::store::Result;
use crate::store::sql::{Tx, query};

/// Records one attempt.
pub(super) async fn insert_attempt(tx: &mut Tx, message: &Message, attempt: &Attempt) -> Result<()> {
    let retry_after = match &attempt.outcome {
        crate::model::Outcome::Retry { after, .. } => after.map(millis),
        crate::model::Outcome::Paused { after, .. } => Some(millis(*after)),
        _ => None,
    };
    query(
        "INSERT INTO attempts (message_id, number, started_at, took_ms, status, class, code, retry_after_ms, \
         response) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(message.id)
    .bind(i64::from(message.attempts) + 1)
    .bind(attempt.started_at.as_millis())
    .bind(millis(attempt.took))
    .bind(attempt.status.map(i64::from))
    .bind(attempt.outcome.class())
    .bind(attempt.code.map(|code| i64::try_from(code).unwrap_or(i64::MAX)))
    .bind(retry_after)
    .bind((!attempt.response.is_empty()).then_some(attempt.response.as_slice()))
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) fn millis(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
